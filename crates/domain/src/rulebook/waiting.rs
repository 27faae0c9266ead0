//! What others owe while a rectification waits for them, and what may stop its clock (measures 10, 11 and 13).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PeriodRule;
use crate::period::Period;

macro_rules! duties {
    ($($(#[$doc:meta])+ $variant:ident, $field:ident, $zh:literal;)+) => {
        /// Something that the agency, or whom it asked, owes in its own time (办理时限).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Duty {
            $($(#[$doc])+ $variant,)+
        }

        impl Duty {
            /// Every duty.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable key.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => stringify!($field),)+ }
            }

            /// What is owed, in words.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)+ }
            }
        }
    };
}

duties! {
    /// The agency verifies a report; its period stands in the severity table.
    Verification, verification, "核查";
    /// The agency accepts or returns a rectification plan.
    PlanAcceptance, plan_acceptance, "审核整改方案";
    /// The agency closes a verified item.
    CloseOut, close_out, "销号";
    /// The agency decides a request.
    RequestDecision, request_decision, "审批申请";
    /// Who decides a step of the ladder decides it; its period stands in the ladder.
    StepDecision, step_decision, "决定升级措施";
    /// The office that was consulted answers; its period stands in the procedure.
    ConsultationAnswer, consultation_answer, "答复协商意见";
    /// The agency looks back (回头看).
    LookBackVisit, look_back_visit, "回头看";
}

/// The periods of the agency's own duties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// From the plan to its acceptance or return.
    pub plan_acceptance: PeriodRule,
    /// From the verification to the close-out.
    pub close_out: PeriodRule,
    /// From a request to its decision.
    pub request_decision: PeriodRule,
    /// From the end of a look-back interval to the visit's result.
    pub look_back_visit: PeriodRule,
    /// How often a duty that is overdue is called to mind until it is done.
    pub remind_every: PeriodRule,
}

impl Waiting {
    /// The keys of the periods.
    pub const KEYS: [&'static str; 5] =
        ["plan_acceptance", "close_out", "request_decision", "look_back_visit", "remind_every"];

    /// The rule of a key.
    pub fn get(&self, key: &str) -> Option<&PeriodRule> {
        match key {
            "plan_acceptance" => Some(&self.plan_acceptance),
            "close_out" => Some(&self.close_out),
            "request_decision" => Some(&self.request_decision),
            "look_back_visit" => Some(&self.look_back_visit),
            "remind_every" => Some(&self.remind_every),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut PeriodRule> {
        match key {
            "plan_acceptance" => Some(&mut self.plan_acceptance),
            "close_out" => Some(&mut self.close_out),
            "request_decision" => Some(&mut self.request_decision),
            "look_back_visit" => Some(&mut self.look_back_visit),
            "remind_every" => Some(&mut self.remind_every),
            _ => None,
        }
    }
}

/// Why the clock may be stopped (期间中止).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// A disaster or another force majeure (自然灾害等不可抗力).
    Disaster,
    /// School holidays (学校假期).
    SchoolHoliday,
    /// The unit cannot act until another office has decided (依赖其他部门先行办理).
    OtherOffice,
}

impl PauseReason {
    /// The reason in words.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Disaster => "自然灾害等不可抗力",
            Self::SchoolHoliday => "学校假期",
            Self::OtherOffice => "须由其他部门先行办理",
        }
    }
}

/// When the clock of a rectification may be stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseRule {
    /// The reasons that count.
    pub reasons: Vec<PauseReason>,
    /// The longest single pause, counted from its beginning.
    pub longest: Period,
    /// The article or measure.
    pub article: String,
}

/// When an item may be waived (免于整改).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaiverRule {
    /// The article or measure.
    pub article: String,
}

/// When the competent department becomes jointly liable (连带责任, measure 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JointLiabilityRule {
    /// The level of the ladder at which a case of its own opens for the department.
    pub level: u8,
    /// The department's limit.
    pub period: Period,
    /// The article or measure.
    pub article: String,
}
