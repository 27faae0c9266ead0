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
    /// The rulebook lacks a rule.
    #[error("the rulebook has no rule {0}")]
    NoRule(String),
    /// No item has the number.
    #[error("no item has number {0}")]
    UnknownNumber(u32),
    /// No plan is asked for a finding of that severity.
    #[error("no plan is asked for this item")]
    NoPlanAsked,
    /// The plan's state does not allow the act.
    #[error("the plan is {0}, which does not allow it")]
    PlanState(&'static str),
    /// A plan names what will be done, by whom and until when.
    #[error("a plan needs at least one measure with who answers for it")]
    NoMeasure,
    /// A request on the same matter waits already.
    #[error("a request on the same matter waits for a decision")]
    RequestPending,
    /// There is no such request, or it was decided.
    #[error("there is no such request, or it has been decided")]
    UnknownRequest,
    /// There is no such step.
    #[error("there is no such step")]
    UnknownStep,
    /// The step was decided otherwise.
    #[error("the step has been decided")]
    StepDecided,
    /// The step has ended by itself.
    #[error("the step has ended by itself, for its items are done")]
    StepMoot,
    /// The step is for others to decide.
    #[error("this step is for the Committee's leaders to decide")]
    NotEntitled,
    /// The clock is stopped.
    #[error("the clock is stopped")]
    Paused,
    /// The clock is not stopped.
    #[error("the clock is not stopped")]
    NotPaused,
    /// The rulebook does not know the reason for a stop.
    #[error("the rulebook does not allow to stop the clock for this reason")]
    PauseReason,
    /// A stop ends in the past or lasts too long.
    #[error("the stop would end in the past, or last longer than the rulebook allows")]
    PauseLength,
    /// Another office is being consulted already.
    #[error("an office that was consulted has not answered yet")]
    ConsultationOpen,
    /// No consultation waits for an answer.
    #[error("no consultation waits for an answer")]
    NoConsultation,
    /// No look-back is due.
    #[error("no look-back is due")]
    NoLookBack,
    /// The case of the competent department, or of the unit, is not ready to close (连带责任).
    #[error("the case on the other side of the joint liability is not ready to close")]
    CounterpartOpen,
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
            Self::NoRule(_) => "no_rule",
            Self::UnknownNumber(_) => "unknown_number",
            Self::NoPlanAsked => "no_plan_asked",
            Self::PlanState(_) => "plan_state",
            Self::NoMeasure => "no_measure",
            Self::RequestPending => "request_pending",
            Self::UnknownRequest => "unknown_request",
            Self::UnknownStep => "unknown_step",
            Self::StepDecided => "step_decided",
            Self::StepMoot => "step_moot",
            Self::NotEntitled => "not_entitled",
            Self::Paused => "paused",
            Self::NotPaused => "not_paused",
            Self::PauseReason => "pause_reason",
            Self::PauseLength => "pause_length",
            Self::ConsultationOpen => "consultation_open",
            Self::NoConsultation => "no_consultation",
            Self::NoLookBack => "no_look_back",
            Self::CounterpartOpen => "counterpart_open",
        }
    }

    /// The reason for the user.
    pub fn zh(&self) -> String {
        match self {
            Self::NoFinding => "整改依据没有问题项，不能开启整改".to_owned(),
            Self::FindingTwice(number) => format!("第{number}号问题重复"),
            Self::OtherLetter => "该整改对应另一份整改依据".to_owned(),
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
                    "waived" => "免于整改",
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
            Self::NoRule(rule) => format!("规则库缺少规则{rule}"),
            Self::UnknownNumber(number) => format!("没有第{number}号整改事项"),
            Self::NoPlanAsked => "该整改事项不要求提交整改方案".to_owned(),
            Self::PlanState(state) => {
                let state = match *state {
                    "asked" => "待提交",
                    "submitted" => "待审核",
                    "returned" => "已退回",
                    "accepted" => "已通过",
                    other => other,
                };
                format!("整改方案当前为“{state}”，不能进行此操作")
            }
            Self::NoMeasure => "整改方案至少须有一项措施，并写明责任人".to_owned(),
            Self::RequestPending => "同一事项已有申请待审批".to_owned(),
            Self::UnknownRequest => "没有这项申请，或者已经审批".to_owned(),
            Self::UnknownStep => "没有这项升级措施".to_owned(),
            Self::StepDecided => "这项升级措施已经决定".to_owned(),
            Self::StepMoot => "这项升级措施所列事项均已办结，措施已自行终结".to_owned(),
            Self::NotEntitled => "这项升级措施须由督导委员会负责人决定".to_owned(),
            Self::Paused => "期限已中止".to_owned(),
            Self::NotPaused => "期限没有中止".to_owned(),
            Self::PauseReason => "规则库不允许以此理由中止期限".to_owned(),
            Self::PauseLength => "中止的截止日早于今日，或者超过规则库允许的时长".to_owned(),
            Self::ConsultationOpen => "已有协商意见待答复".to_owned(),
            Self::NoConsultation => "没有待答复的协商意见".to_owned(),
            Self::NoLookBack => "没有到期的回头看".to_owned(),
            Self::CounterpartOpen => "连带责任的另一方尚未整改到位，双方须一并销号".to_owned(),
        }
    }
}
