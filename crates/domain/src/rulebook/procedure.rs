//! The clocks of the procedure (Regulation art. 15 to 23, with the province's defaults for what it leaves open).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PeriodRule;

macro_rules! clocks {
    ($($(#[$doc:meta])+ $variant:ident, $field:ident, $zh:literal;)+) => {
        /// A clock of the procedure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ProcedureClock {
            $($(#[$doc])+ $variant,)+
        }

        /// The period of every clock of the procedure.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Procedure {
            $($(#[$doc])+ pub $field: PeriodRule,)+
        }

        impl ProcedureClock {
            /// Every clock.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The key in data and rule ids.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($field),)+
                }
            }

            /// What is due, in words.
            pub const fn zh(self) -> &'static str {
                match self {
                    $(Self::$variant => $zh,)+
                }
            }
        }

        impl Procedure {
            /// The rule of a clock.
            pub const fn get(&self, clock: ProcedureClock) -> &PeriodRule {
                match clock {
                    $(ProcedureClock::$variant => &self.$field,)+
                }
            }

            pub(super) const fn get_mut(&mut self, clock: ProcedureClock) -> &mut PeriodRule {
                match clock {
                    $(ProcedureClock::$variant => &mut self.$field,)+
                }
            }
        }
    };
}

clocks! {
    /// From the service of the notice to the earliest visit.
    NoticeAhead, notice_ahead, "督导通知提前送达";
    /// The earliest that a regular visit may be announced, before it.
    RegularNoticeNotBefore, regular_notice_not_before, "经常性督导预告";
    /// From the visit to the filed visit record.
    VisitRecord, visit_record, "督导纪实归集";
    /// From the deliberation to the preliminary opinion, special supervision.
    PreliminaryOpinionSpecial, preliminary_opinion_special, "专项督导初步意见反馈";
    /// From the deliberation to the preliminary opinion, comprehensive supervision.
    PreliminaryOpinionComprehensive, preliminary_opinion_comprehensive, "综合督导初步意见反馈";
    /// From the receipt of the preliminary opinion to the end of the plea window.
    Plea, plea, "申辩";
    /// From the end of the supervision to the opinion letter.
    OpinionLetter, opinion_letter, "督导意见书下达";
    /// From the receipt of the letter to the end of the right to object.
    Objection, objection, "提出异议";
    /// From the receipt of an objection to its answer.
    ObjectionAnswer, objection_answer, "异议答复";
    /// From the completed rectification to the rectification report.
    RectificationReport, rectification_report, "整改报告提交";
    /// From the end of the supervision to the report to the government.
    ReportToGovernment, report_to_government, "督导报告报送";
    /// From the completed report to its publication.
    Publication, publication, "督导报告公开";
    /// From the notice of an interview to the interview.
    InterviewNoticeAhead, interview_notice_ahead, "约谈通知提前送达";
    /// From the interview to the plan promised there.
    InterviewPlan, interview_plan, "约谈后整改方案";
    /// From the consultation letter to its answer.
    ConsultationAnswer, consultation_answer, "协商意见答复";
}
