//! Why an act on a rectification is refused.

use crate::ids::ItemId;
use crate::period::CountError;

/// A refused act; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RectificationRefusal {
    /// The letter has no finding.
    #[error("the letter has no finding")]
    NoFinding,
    /// Two findings have one id or one number.
    #[error("finding number {0} is given twice")]
    FindingTwice(u32),
    /// The rectification answers another letter.
    #[error("the rectification answers another letter")]
    OtherLetter,
    /// The rulebook is not the one that the rectification began with.
    #[error("the rectification began with rulebook {began}, not {given}")]
    OtherRulebook {
        /// The version it began with.
        began: String,
        /// The version given.
        given: String,
    },
    /// The calendar is not that of the unit's place.
    #[error("the calendar of {given} was given for a unit in {place}")]
    OtherCalendar {
        /// The place of the unit.
        place: String,
        /// The area of the calendar.
        given: String,
    },
    /// The rectification has no such item.
    #[error("the rectification has no item {0}")]
    UnknownItem(ItemId),
    /// The item's state does not allow the act.
    #[error("the item is {state}, which does not allow to {act}")]
    State {
        /// The state's key.
        state: &'static str,
        /// The act.
        act: &'static str,
    },
    /// A report without a text, or a return without a reason.
    #[error("the text is empty")]
    EmptyText,
    /// A report without evidence.
    #[error("the report has no evidence")]
    NoEvidence,
    /// Who reported must not verify or close (四眼原则).
    #[error("who reported must not verify or close the item")]
    SamePerson,
    /// Only an inspector verifies (督学).
    #[error("only an inspector may verify")]
    NotInspector,
    /// Who belongs to the rectifying unit must not verify.
    #[error("the verifier belongs to the unit that must rectify")]
    OwnUnit,
    /// An extension must be asked for before the due date.
    #[error("the limit has passed already")]
    LimitPassed,
    /// An item may be extended only so often.
    #[error("the item was extended {0} times already, which is the most")]
    NoMoreExtensions(u8),
    /// The extension is longer than the rules allow, or does not lengthen the limit.
    #[error("the extension is too long, or no extension at all")]
    ExtensionLength,
    /// A limit cannot be counted.
    #[error("a limit cannot be counted")]
    Count(#[from] CountError),
    /// The rulebook lacks a step of the ladder.
    #[error("the rulebook has no ladder step {0}")]
    NoLadderStep(u8),
}

impl RectificationRefusal {
    /// The stable key of the reason.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::NoFinding => "no_finding",
            Self::FindingTwice(_) => "finding_twice",
            Self::OtherLetter => "other_letter",
            Self::OtherRulebook { .. } => "other_rulebook",
            Self::OtherCalendar { .. } => "other_calendar",
            Self::UnknownItem(_) => "unknown_item",
            Self::State { .. } => "state",
            Self::EmptyText => "empty_text",
            Self::NoEvidence => "no_evidence",
            Self::SamePerson => "same_person",
            Self::NotInspector => "not_inspector",
            Self::OwnUnit => "own_unit",
            Self::LimitPassed => "limit_passed",
            Self::NoMoreExtensions(_) => "no_more_extensions",
            Self::ExtensionLength => "extension_length",
            Self::Count(_) => "count",
            Self::NoLadderStep(_) => "no_ladder_step",
        }
    }

    /// The reason for the user.
    pub fn zh(&self) -> String {
        match self {
            Self::NoFinding => "督导意见书没有问题项，不能开启整改".to_owned(),
            Self::FindingTwice(number) => format!("第{number}号问题重复"),
            Self::OtherLetter => "该整改对应另一份督导意见书".to_owned(),
            Self::OtherRulebook { began, given } => {
                format!("该整改适用规则库版本{began}，不适用{given}")
            }
            Self::OtherCalendar { place, given } => {
                format!("单位所在地为{place}，不适用{given}的日历")
            }
            Self::UnknownItem(_) => "没有该整改事项".to_owned(),
            Self::State { state, act: _ } => {
                let state = match *state {
                    "in_progress" => "整改中",
                    "reported" => "待核查",
                    "returned" => "退回整改",
                    "verified" => "核查通过",
                    "closed" => "已销号",
                    other => other,
                };
                format!("该整改事项当前为“{state}”，不能进行此操作")
            }
            Self::EmptyText => "内容不能为空".to_owned(),
            Self::NoEvidence => "整改报告须附佐证材料".to_owned(),
            Self::SamePerson => "报告人不得核查或销号本人报告的事项".to_owned(),
            Self::NotInspector => "须由督学核查".to_owned(),
            Self::OwnUnit => "责任单位人员不得核查本单位的整改事项".to_owned(),
            Self::LimitPassed => "整改时限已届满，不能延期".to_owned(),
            Self::NoMoreExtensions(most) => format!("每个整改事项最多延期{most}次"),
            Self::ExtensionLength => "延期时长不符合规定".to_owned(),
            Self::Count(_) => "期限无法计算".to_owned(),
            Self::NoLadderStep(level) => format!("规则库缺少第{level}级措施"),
        }
    }
}
