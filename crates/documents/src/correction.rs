//! Corrections (更正): the same document again, with other words and a number of its own.

use domain::doc_number::DocNumber;
use jiff::civil::Date;

use crate::content::{Body, Content, Kind};

/// The words of the head that a correction may change: how the paper is called, and whom to ask.
const OF_HEAD: [&str; 3] = ["contact", "phone", "title"];

/// The words of the bodies that a correction may change: what is explained, argued and asked for.
///
/// Findings, items, dates, limits, units and numbers are none of them. They are facts by which other rooms act, and changing
/// them on paper would leave the facts as they were: for those there are acts (a new finding, an extension, a waiver).
const OF_BODY: [&str; 21] = [
    "advice",
    "aim",
    "attitude",
    "causes",
    "content",
    "demand",
    "evaluation",
    "facts",
    "objection_right",
    "place",
    "plea_address",
    "plea_right",
    "plea_treatment",
    "reason",
    "reasons",
    "recusal_right",
    "rectification_state",
    "result",
    "self_evaluation_demand",
    "situation",
    "subject",
];

/// Why words cannot be corrected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionError {
    /// The document has no such words, or they are no matter of a correction.
    #[error("文书中没有可以更正的“{0}” | the document has no words \"{0}\" that can be corrected")]
    Field(String),
    /// The words stay as they are.
    #[error("更正后的“{0}”与原文相同 | the corrected \"{0}\" is what stands there already")]
    Same(String),
    /// Nothing is left.
    #[error("更正后的“{0}”为空 | the corrected \"{0}\" is empty")]
    Empty(String),
}

impl Kind {
    /// Whether such a document may only be replaced, never just voided: a limit, a right or a step of the procedure runs from
    /// it, and a paper that is gone would leave that without ground.
    pub fn carries_a_clock(self) -> bool {
        match self {
            // The visit (Regulation art. 17), the plea (art. 20), the rectification (art. 21 and 22), the publication (art. 23).
            Self::SupervisionNotification
            | Self::PreliminaryOpinion
            | Self::OpinionLetter
            | Self::RectificationNotice
            | Self::UrgingOrder
            | Self::SupervisionReport => true,
            Self::Plan | Self::InterviewNotice | Self::Circular | Self::AcceptanceOpinion | Self::ClosingApproval => {
                false
            }
        }
    }
}

impl Content {
    /// The words that a correction may change, by name, as they stand.
    pub fn correctable(&self) -> Vec<(&'static str, String)> {
        let value = self.value();
        let words = |part: &serde_json::Value, names: &[&'static str]| {
            names.iter().filter_map(|name| Some((*name, part.get(name)?.as_str()?.to_owned()))).collect::<Vec<_>>()
        };
        let mut all = words(&value["head"], &OF_HEAD);
        all.extend(words(&value["body"][self.kind().as_str()], &OF_BODY));
        all
    }

    /// The document with other words, under its own number and day, in the templates of that day.
    pub fn corrected<'a>(
        &self,
        corrections: impl IntoIterator<Item = (&'a str, &'a str)>,
        doc_no: DocNumber,
        issued_on: Date,
        template: &str,
    ) -> Result<Self, CorrectionError> {
        let known = self.correctable();
        let mut value = self.value();
        for (field, text) in corrections {
            let (_, before) = known
                .iter()
                .find(|(name, _)| *name == field)
                .ok_or_else(|| CorrectionError::Field(field.to_owned()))?;
            let text = text.trim();
            if text.is_empty() {
                return Err(CorrectionError::Empty(field.to_owned()));
            }
            if before == text {
                return Err(CorrectionError::Same(field.to_owned()));
            }
            let kind = self.kind().as_str();
            let part = if OF_HEAD.contains(&field) { &mut value["head"] } else { &mut value["body"][kind] };
            part[field] = text.into();
        }
        let body: Body = serde_json::from_value(value["body"].take()).unwrap_or_else(|_| self.body.clone());
        let mut head = serde_json::from_value(value["head"].take()).unwrap_or_else(|_| self.head.clone());
        head.doc_no = doc_no;
        head.issued_on = issued_on;
        // How the first paper was served says nothing of this one.
        head.service = Vec::new();
        head.printed_on = None;
        Ok(Self { body, head, template: template.to_owned() })
    }

    fn value(&self) -> serde_json::Value {
        // Structs of texts, whole numbers and dates always serialise.
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::samples;

    fn number() -> DocNumber {
        "琼教督委意〔2026〕99号".parse().unwrap()
    }

    #[test]
    fn words_are_corrected_and_nothing_else_changes() {
        let day = jiff::civil::date(2026, 12, 1);
        for (name, content) in samples() {
            let known = content.correctable();
            assert!(known.iter().any(|(field, _)| *field == "title"), "{name}");
            for (field, before) in &known {
                let after = format!("{before}（更正）");
                let corrected = content.corrected([(*field, after.as_str())], number(), day, "2026-1").unwrap();
                assert_ne!(corrected, content, "{name}.{field}");
                let now: Vec<_> = corrected.correctable();
                let differing: Vec<_> = now.iter().zip(&known).filter(|(one, other)| one != other).collect();
                assert_eq!(differing.len(), 1, "{name}.{field}");
                assert_eq!((corrected.head.doc_no.clone(), corrected.head.issued_on), (number(), day));
                // Put back, it is the document again but for number, day and service.
                let mut back = corrected
                    .corrected(
                        [(*field, before.as_str())],
                        content.head.doc_no.clone(),
                        content.head.issued_on,
                        &content.template,
                    )
                    .unwrap();
                back.head.service = content.head.service.clone();
                back.head.printed_on = content.head.printed_on;
                assert_eq!(back, content, "{name}.{field}");
            }
        }
    }

    #[test]
    fn facts_are_no_words() {
        let (_, content) = samples().into_iter().find(|(name, _)| name == "opinion_letter").unwrap();
        let tried = |field: &'static str, text: &'static str| {
            content.corrected([(field, text)], number(), jiff::civil::date(2026, 12, 1), "2026-1")
        };
        for field in ["doc_no", "issued_on", "unit", "findings", "letter_no", "case_id", "addressee", "nothing"] {
            assert_eq!(tried(field, "x"), Err(CorrectionError::Field(field.to_owned())));
        }
        assert_eq!(tried("evaluation", "  "), Err(CorrectionError::Empty("evaluation".to_owned())));
        let (_, title) = content.correctable().into_iter().find(|(field, _)| *field == "title").unwrap();
        let same = content.corrected([("title", title.as_str())], number(), jiff::civil::date(2026, 12, 1), "2026-1");
        assert_eq!(same, Err(CorrectionError::Same("title".to_owned())));
    }

    #[test]
    fn every_correctable_name_is_a_field_of_some_kind() {
        for name in OF_BODY {
            assert!(Kind::ALL.iter().any(|kind| kind.fields().iter().any(|field| field.name == name)), "{name}");
        }
    }
}
