//! Why an act on a case is refused.

use jiff::civil::Date;

use super::facts::HearingGroup;
use super::team::Unfit;
use crate::ids::AccountId;

/// A refused act; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseRefusal {
    /// The state of the case does not allow the act.
    #[error("the case is {state}, which does not allow to {act}")]
    State {
        /// The state's key.
        state: &'static str,
        /// The state in words.
        state_zh: &'static str,
        /// The act.
        act: &'static str,
    },
    /// The agency has no jurisdiction (measure 2).
    #[error("no jurisdiction: {rule}")]
    Jurisdiction {
        /// The rule.
        rule: &'static str,
        /// The rule in Chinese.
        rule_zh: &'static str,
    },
    /// A text, list or number that must be given is empty.
    #[error("{0} is empty")]
    Missing(&'static str),
    /// Too few inspectors count, or one must withdraw (Regulation art. 10, 16).
    #[error("{fit} of {needed} inspectors count; unfit: {}", list(.unfit))]
    Team {
        /// How many are needed.
        needed: usize,
        /// How many count.
        fit: usize,
        /// Who does not, and why.
        unfit: Vec<(AccountId, Unfit)>,
    },
    /// No written notice before the visit (Regulation art. 17).
    #[error("no written notice was served before the visit")]
    NoNotice,
    /// The visit is sooner after the notice than the rules allow.
    #[error("the visit may not be before {earliest}")]
    VisitTooSoon {
        /// The earliest day.
        earliest: Date,
    },
    /// The visit ends before it begins.
    #[error("the visit ends before it begins")]
    VisitTimes,
    /// The person is no member of the team who counts on that day.
    #[error("{0} is no inspector of the team who counts on that day")]
    NotOnTeam(AccountId),
    /// No visit was recorded (Regulation art. 18).
    #[error("no visit was recorded")]
    NoVisit,
    /// The public was not heard (Regulation art. 19).
    #[error("not heard: {0:?}")]
    NotHeard(Vec<HearingGroup>),
    /// A required self-evaluation was not handed in or not reviewed (Regulation art. 18).
    #[error("the required self-evaluation was not reviewed")]
    SelfEvaluationNotReviewed,
    /// The plea window ends before it opens.
    #[error("the plea window ends before it opens")]
    PleaWindow,
    /// The plea came after the window.
    #[error("the plea window has passed")]
    PleaTooLate,
    /// The unit has pleaded or waived already.
    #[error("the unit has pleaded or waived already")]
    PleaDone,
    /// There is no plea to answer.
    #[error("there is no plea to answer")]
    NoPlea,
    /// The plea window still runs, and the unit has neither pleaded nor waived (Regulation art. 20, 21).
    #[error("the plea window still runs")]
    PleaOpen,
    /// The plea waits for its answer (Regulation art. 21).
    #[error("the plea was not answered")]
    PleaUnanswered,
    /// A finding of the letter lacks problem, demand or a sensible limit, or has the number or id of another (Regulation art. 21).
    #[error("finding {number} of the letter: {detail}")]
    Finding {
        /// The finding's number.
        number: u32,
        /// What is wrong.
        detail: &'static str,
    },
}

fn list(unfit: &[(AccountId, Unfit)]) -> String {
    unfit.iter().map(|(account, reason)| format!("{account} {reason:?}")).collect::<Vec<_>>().join(", ")
}

impl CaseRefusal {
    /// The stable key of the reason.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::State { .. } => "state",
            Self::Jurisdiction { .. } => "jurisdiction",
            Self::Missing(_) => "missing",
            Self::Team { .. } => "team",
            Self::NoNotice => "no_notice",
            Self::VisitTooSoon { .. } => "visit_too_soon",
            Self::VisitTimes => "visit_times",
            Self::NotOnTeam(_) => "not_on_team",
            Self::NoVisit => "no_visit",
            Self::NotHeard(_) => "not_heard",
            Self::SelfEvaluationNotReviewed => "self_evaluation_not_reviewed",
            Self::PleaWindow => "plea_window",
            Self::PleaTooLate => "plea_too_late",
            Self::PleaDone => "plea_done",
            Self::NoPlea => "no_plea",
            Self::PleaOpen => "plea_open",
            Self::PleaUnanswered => "plea_unanswered",
            Self::Finding { .. } => "finding",
        }
    }

    /// The reason for the user, with the article.
    pub fn zh(&self) -> String {
        match self {
            Self::State { state_zh, .. } => format!("督导当前为“{state_zh}”，不能进行此操作"),
            Self::Jurisdiction { rule_zh, .. } => format!("无管辖权：{rule_zh}"),
            Self::Missing(field) => format!("必填内容为空：{field}"),
            Self::Team { needed, fit, unfit } => {
                let reasons: Vec<&str> = unfit.iter().map(|(_, reason)| reason.zh()).collect();
                let colon = if reasons.is_empty() { "" } else { "：" };
                let reasons = reasons.join("、");
                format!(
                    "督导小组须有{needed}名以上符合条件的督学，现有{fit}名\
                     （条例第十条、第十六条）{colon}{reasons}"
                )
            }
            Self::NoNotice => "督导前须书面通知被督导单位（条例第十七条）".to_owned(),
            Self::VisitTooSoon { earliest } => {
                format!("现场考察不得早于{}（督导通知须提前送达）", crate::local_time::date_zh(*earliest))
            }
            Self::VisitTimes => "离开时间早于到达时间".to_owned(),
            Self::NotOnTeam(_) => "该人员当日不是督导小组的有效督学".to_owned(),
            Self::NoVisit => "尚无现场考察记录（条例第十八条）".to_owned(),
            Self::NotHeard(groups) => {
                let names: Vec<&str> = groups.iter().map(|group| group.zh()).collect();
                format!("尚未听取意见：{}（条例第十九条）", names.join("、"))
            }
            Self::SelfEvaluationNotReviewed => "自评报告尚未审核（条例第十八条）".to_owned(),
            Self::PleaWindow => "申辩期限早于签收时间".to_owned(),
            Self::PleaTooLate => "申辩期限已过".to_owned(),
            Self::PleaDone => "被督导单位已申辩或已书面放弃申辩".to_owned(),
            Self::NoPlea => "没有待答复的申辩".to_owned(),
            Self::PleaOpen => "申辩期限未满（条例第二十条、第二十一条）".to_owned(),
            Self::PleaUnanswered => "申辩尚未答复（条例第二十一条）".to_owned(),
            Self::Finding { number, detail } => {
                let detail = match *detail {
                    "no problem" => "问题描述为空",
                    "no demand" => "整改要求为空",
                    "twice" => "编号重复",
                    "no sensible limit" => "整改时限不合理",
                    other => other,
                };
                format!("第{number}号问题：{detail}（条例第二十一条）")
            }
        }
    }
}
