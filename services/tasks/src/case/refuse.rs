//! A refusal of the machine as a problem: which guard, which state, in both languages.

use domain::case::{CaseEvent, CaseRefusal};
use domain::outcome::Outcome;
use problem::{Problem, Text};

use super::{Case, Record};

/// The guard that refused: its key, and the reason for people.
///
/// A step that comes too early is refused by the machine for its state; here the reason names the step that is missing.
pub(crate) fn guard(refusal: &CaseRefusal) -> (&'static str, Text) {
    let (key, zh, en) = match refusal {
        CaseRefusal::Missing("findings") => (
            "no_findings",
            "督导意见书、整改通知书至少应列明一个问题（条例第二十一条）",
            "the letter needs at least one finding (Regulation art. 21)",
        ),
        CaseRefusal::State {
            state: "feedback",
            act: "plead" | "waive the plea" | "answer the plea" | "issue the letter",
            ..
        } => (
            "opinion_not_received",
            "被督导单位尚未签收初步督导意见，申辩期未开始（条例第二十条）",
            "the unit has not signed for the preliminary opinion, so the plea window has not begun (Regulation art. 20)",
        ),
        CaseRefusal::State {
            state: "planned" | "notified" | "on_site" | "deliberating",
            act: "plead" | "waive the plea" | "answer the plea" | "issue the letter",
            ..
        } => (
            "no_preliminary_opinion",
            "尚未反馈初步督导意见（条例第二十条）",
            "the preliminary opinion was not fed back yet (Regulation art. 20)",
        ),
        CaseRefusal::State { act: "issue the report", .. } => (
            "no_letter",
            "督导意见书（整改通知书）尚未下达，督导报告应当反映督导结果（条例第二十三条）",
            "the letter is not issued yet, and the report tells of the result (Regulation art. 23)",
        ),
        CaseRefusal::State { state: "planned", act: "deliberate", .. } => {
            ("no_visit", "尚无现场考察记录（条例第十八条）", "no visit was recorded (Regulation art. 18)")
        }
        other => return (other.key(), Text::new(other.zh(), other.to_string())),
    };
    (key, Text::new(zh, en))
}

/// The problem of a refusal: 403 without jurisdiction, else 409 with the state and the guard that refused.
pub(crate) fn refuse(refusal: &CaseRefusal, state: &'static str) -> Problem {
    let (key, text) = guard(refusal);
    if matches!(refusal, CaseRefusal::Jurisdiction { .. }) {
        Problem::forbidden(text).with("guard", key)
    } else {
        Problem::state_refuses(text, state).with("guard", key)
    }
}

/// A refusal that the service adds to those of the machine.
pub(crate) fn refuse_for(record: &Record, guard: &'static str, text: Text) -> Problem {
    Problem::state_refuses(text, record.state()).with("guard", guard)
}

impl Case {
    /// Does an act of the machine; its events are collected for the history.
    pub(crate) fn act(
        &mut self,
        history: &mut Vec<CaseEvent>,
        act: impl FnOnce(domain::case::Case) -> Result<Outcome<domain::case::Case, CaseEvent>, CaseRefusal>,
    ) -> Result<(), Problem> {
        let state = self.record.state();
        let (next, events) = act(self.record.machine.clone()).map_err(|refusal| refuse(&refusal, state))?.into_parts();
        self.record.machine = next;
        history.extend(events);
        Ok(())
    }
}
