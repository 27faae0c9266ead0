//! Domain refusals → problems: what is wrong, and what to do about it.

use domain::rectification::RectificationRefusal as Refusal;
use problem::{Problem, ProblemKind, Text};

use super::dossier::RulebookMissing;

/// The problem that a refusal becomes.
pub(crate) fn problem(refusal: &Refusal) -> Problem {
    let english = refusal.to_string();
    match refusal {
        Refusal::UnknownItem(_) => Problem::unknown_resource(Text::new("该整改通知中没有这一事项。", english)),
        Refusal::State { state, act: _ } => Problem::state_refuses(
            Text::new(format!("{}。请刷新页面查看该事项的当前状态。", refusal.zh()), english),
            *state,
        ),
        Refusal::SamePerson | Refusal::NotInspector | Refusal::OwnUnit => {
            Problem::new(ProblemKind::SeparationOfDuties, Text::new(format!("{}。", refusal.zh()), english))
        }
        Refusal::EmptyText => Problem::invalid_field("/text", Text::new("请填写内容。", "Write a text.")),
        Refusal::NoEvidence => Problem::invalid_field(
            "/evidence",
            Text::new("请至少上传一份佐证材料。", "Upload at least one piece of evidence."),
        ),
        Refusal::OtherRulebook { .. }
        | Refusal::OtherCalendar { .. }
        | Refusal::Count(_)
        | Refusal::NoLadderStep(_) => Problem::internal(refusal),
        _ => Problem::state_refuses(Text::new(format!("{}。", refusal.zh()), english), "refused"),
    }
}

impl From<RulebookMissing> for Problem {
    fn from(missing: RulebookMissing) -> Self {
        Problem::internal(&missing)
    }
}
