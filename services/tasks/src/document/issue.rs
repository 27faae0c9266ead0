//! Giving a document its number and freezing it.

use std::fmt::Write as _;

use contracts::Actor;
use contracts::shared::{DocumentKind, DocumentRef};
use domain::doc_number::DocNumber;
use domain::ids::{CaseId, DocumentId, PlanId};
use domain::local_time::{date_zh, local_date};
use postgres::Tx;
use problem::{Problem, Text};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::store;
use crate::registry::Unit;
use crate::rules::Rules;

/// What is to be issued.
pub(crate) struct Draft<'a> {
    pub document_id: DocumentId,
    pub kind: DocumentKind,
    pub title: String,
    pub agency: &'a Unit,
    /// Main addressee (主送).
    pub addressee: String,
    /// Copies (抄送).
    pub copies: Vec<String>,
    pub case_id: Option<CaseId>,
    pub plan_id: Option<PlanId>,
    /// The fields of this kind of paper.
    pub body: Value,
}

/// Takes the next number of the agency, kind and year, freezes the text, stores both.
///
/// The counter's row stays locked until the caller commits: numbers have no gap, and issuing waits its turn.
/// Take it last in a transaction, after every refusal.
pub(crate) async fn issue(tx: &mut Tx, rules: &Rules, actor: &Actor, draft: Draft<'_>) -> problem::Result<DocumentRef> {
    let at = tx.at();
    let date = local_date(at);
    let (Some(agency_word), Some(kind_word)) = (rules.agency_word(&draft.agency.key), rules.kind_word(draft.kind))
    else {
        return Err(Problem::state_refuses(
            Text::new(
                format!("{}尚未设定发文机关代字，不能编号印发。", draft.agency.name),
                format!("{} has no code word for document numbers yet; nothing can be issued.", draft.agency.name),
            ),
            "agency_without_word",
        ));
    };
    let serial = store::next_serial(tx, agency_word, kind_word, date.year()).await?;
    let kind = (!kind_word.is_empty()).then_some(kind_word);
    let number = u32::try_from(serial)
        .ok()
        .and_then(|serial| DocNumber::try_new(agency_word, kind, date.year(), serial).ok())
        .ok_or_else(|| Problem::internal(&BadNumber))?;
    let document = DocumentRef {
        document_id: draft.document_id,
        kind: draft.kind,
        doc_no: number.to_string(),
        title: draft.title,
        issuing_unit_id: draft.agency.unit_id,
        issuing_unit_name: draft.agency.name.clone(),
        issued_at: at,
    };
    let content = canonical(&json!({
        "doc_no": document.doc_no,
        "kind": document.kind,
        "kind_name": document.kind.zh(),
        "title": document.title,
        "issuing_agency": document.issuing_unit_name,
        "addressee": draft.addressee,
        "copies": draft.copies,
        "issued_at": at,
        "issued_on_text": date_zh(date),
        "body": draft.body,
    }));
    let sha256 = hex::encode(Sha256::digest(content.as_bytes()));
    store::insert(
        tx,
        &store::NewDocument {
            document: &document,
            agency_word,
            kind_word,
            year: date.year(),
            serial,
            case_id: draft.case_id,
            plan_id: draft.plan_id,
            content: &content,
            sha256: &sha256,
            actor,
        },
    )
    .await?;
    Ok(document)
}

/// Words of the configuration that do not make a number; refused at start, so this is a fault of ours.
#[derive(Debug)]
struct BadNumber;

impl std::fmt::Display for BadNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the agency's words make no document number")
    }
}

impl std::error::Error for BadNumber {}

/// Compact JSON with the keys of every object in the order of their code points, so that equal content has equal bytes.
pub(crate) fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (n, key) in keys.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                let _ = write!(out, "{}:", Value::String(key.clone()));
                write_canonical(members.get(key).unwrap_or(&Value::Null), out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (n, value) in values.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_canonical(value, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_content_has_equal_bytes_whatever_the_order_of_writing() {
        let one = json!({"b": [1, {"d": null, "c": "“引号”\n"}], "a": true});
        let other: Value = serde_json::from_str(r#"{ "a": true, "b": [1, {"c":"“引号”\n", "d": null}] }"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(canonical(&one), r#"{"a":true,"b":[1,{"c":"“引号”\n","d":null}]}"#);
    }
}
