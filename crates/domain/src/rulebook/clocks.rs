//! Every other clock of the field: inspectors, publication, reporting upward, the ladder's papers, accountability and
//! complaints. Those of the procedure up to the letter are in [`super::Procedure`], those by severity in
//! [`super::SeverityTable`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Owner, Schedule};
use crate::period::Period;
use crate::proof::AnchorEvent;

/// What a clock sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// A period after the anchor.
    Period(Period),
    /// Fixed days or a cycle.
    Schedule(Schedule),
}

impl Due {
    /// The period, where it is one.
    pub const fn period(&self) -> Option<Period> {
        match self {
            Self::Period(period) => Some(*period),
            Self::Schedule(_) => None,
        }
    }

    /// In words.
    pub fn zh(&self) -> String {
        match self {
            Self::Period(period) => period.zh(),
            Self::Schedule(schedule) => schedule.zh(),
        }
    }
}

/// A clock with everything that makes a wait accountable: who must act, since when, how long, by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "ClockText", into = "ClockText")]
pub struct ClockRule {
    /// Who must act.
    pub owner: Owner,
    /// The event from which it counts; for fixed days and cycles the event that it repeats.
    pub anchor: AnchorEvent,
    /// How long.
    pub due: Due,
    /// The article or measure, in Chinese as printed on documents.
    pub article: String,
}

/// A clock as it is written: `period` or `schedule`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockText {
    owner: Owner,
    anchor: AnchorEvent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    period: Option<Period>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<Schedule>,
    article: String,
}

impl TryFrom<ClockText> for ClockRule {
    type Error = &'static str;

    fn try_from(text: ClockText) -> Result<Self, Self::Error> {
        let due = match (text.period, text.schedule) {
            (Some(period), None) => Due::Period(period),
            (None, Some(schedule)) => Due::Schedule(schedule),
            (None, None) | (Some(_), Some(_)) => return Err("a clock has either a period or a schedule"),
        };
        Ok(Self { owner: text.owner, anchor: text.anchor, due, article: text.article })
    }
}

impl From<ClockRule> for ClockText {
    fn from(ClockRule { owner, anchor, due, article }: ClockRule) -> Self {
        let (period, schedule) = match due {
            Due::Period(period) => (Some(period), None),
            Due::Schedule(schedule) => (None, Some(schedule)),
        };
        Self { owner, anchor, period, schedule, article }
    }
}

macro_rules! clocks {
    ($($(#[$doc:meta])+ $variant:ident, $field:ident, $zh:literal;)+) => {
        /// A clock outside the procedure up to the letter.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Clock {
            $($(#[$doc])+ $variant,)+
        }

        /// The rule of every clock outside the procedure up to the letter.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Clocks {
            $($(#[$doc])+ pub $field: ClockRule,)+
        }

        impl Clock {
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

        impl Clocks {
            /// The rule of a clock.
            pub const fn get(&self, clock: Clock) -> &ClockRule {
                match clock {
                    $(Clock::$variant => &self.$field,)+
                }
            }

            pub(super) const fn get_mut(&mut self, clock: Clock) -> &mut ClockRule {
                match clock {
                    $(Clock::$variant => &mut self.$field,)+
                }
            }
        }
    };
}

clocks! {
    /// A planned case is carried out within the plan's year.
    PlanCarriedOut, plan_carried_out, "计划项目实施";
    /// From the receipt of the notice to the self-evaluation report; the date in the notice goes first.
    SelfEvaluation, self_evaluation, "自评报告提交";
    /// From the receipt of the notice to the beginning of the visit.
    VisitBegins, visit_begins, "进驻督导";
    /// From the self-evaluation to the beginning of the visit, so that the team has reviewed it before.
    SelfEvaluationReview, self_evaluation_review, "自评报告审核";
    /// From the beginning of the visit to the end of the deliberation.
    Deliberation, deliberation, "督导组评议";
    /// From the service of the preliminary opinion to its acknowledged receipt.
    PreliminaryOpinionReceipt, preliminary_opinion_receipt, "初步意见签收";
    /// From the answer to an objection to the complaint with the next higher agency.
    ObjectionComplaint, objection_complaint, "向上级反映";
    /// From such a complaint to its answer.
    ObjectionComplaintAnswer, objection_complaint_answer, "上级处理反映";
    /// From the close-out of the last finding to the completed supervision report.
    SupervisionReport, supervision_report, "督导报告完成";
    /// From the end of the supervision to the filing of the report with the next higher agency.
    ReportFilingUpward, report_filing_upward, "督导报告上报备案";
    /// From the publication of the report to the archived case.
    CaseArchive, case_archive, "督导案卷归档";

    /// How soon the inspector presses for handling of illegal acts and dangers to life.
    DangerPressed, danger_pressed, "违法行为和安全隐患督促处理";
    /// How soon a sudden event is reported to the higher agency.
    EmergencyReport, emergency_report, "突发事件报告";
    /// From a regular visit to the inspector's report to the agency.
    RegularReport, regular_report, "经常性督导报告提交";
    /// Each month's report of the responsible inspector.
    InspectorMonthlyReport, inspector_monthly_report, "责任督学月报";
    /// From the receipt of a school's report to its forwarding to the office.
    SchoolReportForwarding, school_report_forwarding, "学校整改报告转报";
    /// From a rectification notice to the inspector's check on site.
    SiteRecheck, site_recheck, "责任督学现场复查";
    /// Regular visits to each school of the zone, by semester.
    RegularVisitsPerSemester, regular_visits_per_semester, "经常性督导（学期）";
    /// Regular visits to each school of the zone, by month.
    RegularVisitsPerMonth, regular_visits_per_month, "经常性督导（月）";
    /// The term of office of a part-time inspector.
    InspectorTerm, inspector_term, "兼职督学任期";
    /// The yearly assessment of each inspector.
    InspectorAssessment, inspector_assessment, "督学年度考核";

    /// The county's yearly plan goes to the province.
    PlanFiling, plan_filing, "年度督导计划报备";
    /// The government's yearly self-evaluation report.
    YearlySelfEvaluation, yearly_self_evaluation, "年度自评报告";
    /// Comprehensive supervision of each school by the county.
    SchoolComprehensive, school_comprehensive, "学校综合督导周期";
    /// Special or comprehensive supervision of each lower government.
    GovernmentComprehensive, government_comprehensive, "对下级政府督导周期";
    /// The province's comprehensive supervision.
    ProvinceComprehensive, province_comprehensive, "省级综合督导";
    /// The evaluation of how county governments fulfil their duty.
    DutyEvaluation, duty_evaluation, "履行教育职责评价";
    /// The evaluation of each kindergarten's conduct.
    KindergartenEvaluation, kindergarten_evaluation, "幼儿园办园行为督导评估周期";
    /// The indicator sheet twice a month.
    HalfMonthlySheet, half_monthly_sheet, "半月报";

    /// From the close-out to the unit's own publication of its rectification.
    UnitPublication, unit_publication, "被督导单位公开整改情况";
    /// From an objection of the public to a report to its answer.
    ReportObjectionAnswer, report_objection_answer, "公众对督导报告异议答复";
    /// How long an evaluation is announced in public beforehand.
    EvaluationAnnouncement, evaluation_announcement, "评估前公示";

    /// From a decided interview to the interview.
    InterviewHeld, interview_held, "约谈实施";
    /// From the interview to the filing of its record with the local Party committee, government and department above.
    InterviewFiling, interview_filing, "约谈记录报备";
    /// From a decided circular to its issue.
    CircularIssue, circular_issue, "通报印发";
    /// From the circular to its filing with the local Party committee, government and department above.
    CircularFiling, circular_filing, "通报报备";
    /// The least time that a circular's bars last.
    CircularBar, circular_bar, "通报限制最短期限";
    /// From a decided accountability to its case.
    AccountabilityTransfer, accountability_transfer, "移交问责";

    /// From the end of the supervision to the investigation group.
    InvestigationGroup, investigation_group, "成立问责调查组";
    /// From the investigation group to its fact material.
    Investigation, investigation, "问责调查";
    /// From the fact material to the notice of facts and intended measure.
    AccountabilityNotice, accountability_notice, "问责告知";
    /// From the receipt of that notice to the end of statement and plea.
    AccountabilityPlea, accountability_plea, "问责陈述申辩";
    /// From the end of the plea to the office's opinion, with the member units heard.
    AccountabilityOpinion, accountability_opinion, "问责意见形成";
    /// From the opinion to the leader's approval and the decision.
    AccountabilityDecision, accountability_decision, "问责决定";
    /// From the decision to its acknowledged receipt.
    DecisionReceipt, decision_receipt, "问责决定书签收";
    /// From the receipt of the decision to its execution; review and appeal do not suspend it.
    AccountabilityExecution, accountability_execution, "问责决定执行";
    /// From the execution to the publication.
    AccountabilityPublication, accountability_publication, "问责情况公开";
    /// From the decision to its filing with the next higher level.
    AccountabilityFiling, accountability_filing, "问责情况上报备案";
    /// From the receipt of the decision to the request for review.
    ReviewRequest, review_request, "申请复核";
    /// From that request to the review decision.
    ReviewDecision, review_decision, "复核决定";
    /// From the receipt of the review decision to the appeal.
    AppealAfterReview, appeal_after_review, "复核后申诉";
    /// From the receipt of the decision to an appeal without review.
    AppealDirect, appeal_direct, "直接申诉";
    /// From the receipt of the appeal to the appeal decision.
    AppealDecision, appeal_decision, "申诉处理决定";
    /// From the receipt of the appeal decision to the correction of a wrong decision.
    AccountabilityCorrection, accountability_correction, "问责决定纠正";
    /// From the end of review and appeal to the archived files.
    AccountabilityArchive, accountability_archive, "问责档案归档";

    /// From a complaint that counts as a petition to its registration and sorting.
    PetitionRegistration, petition_registration, "信访登记分办";
    /// From a wrong transfer to the objection against it.
    PetitionTransferObjection, petition_transfer_objection, "信访转送异议";
    /// From the acceptance to the handling opinion.
    PetitionHandling, petition_handling, "信访办结";
    /// How much longer the handling may take with approval.
    PetitionExtension, petition_extension, "信访延期";
    /// From the handling opinion to the request for re-examination.
    PetitionReexaminationRequest, petition_reexamination_request, "请求信访复查";
    /// From that request to the re-examination opinion.
    PetitionReexamination, petition_reexamination, "信访复查意见";
    /// From the re-examination opinion to the request for review.
    PetitionReviewRequest, petition_review_request, "请求信访复核";
    /// From that request to the review opinion.
    PetitionReview, petition_review, "信访复核意见";
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberUnit {
    /// Terms of office (届).
    Terms,
    /// Class hours in a year (学时/年).
    ClassHoursPerYear,
    /// Months in a row, looked back on (个月内).
    RollingMonths,
    /// Schools of a zone (所).
    Schools,
}

/// A number that the rules set and that is no clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberRule {
    /// How many.
    pub value: u16,
    /// Of what.
    pub unit: NumberUnit,
    /// The article or measure.
    pub article: String,
}

/// The numbers that are no clocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// How many terms in a row a part-time inspector may serve (连任届数).
    pub inspector_terms_in_a_row: NumberRule,
    /// Concentrated training of each inspector (集中培训).
    pub inspector_training: NumberRule,
    /// Schools of one zone at most (责任区学校数).
    pub zone_schools_at_most: NumberRule,
    /// The time in which a second accountability weighs heavier (从重问责).
    pub accountability_repeated_within: NumberRule,
}

impl Numbers {
    /// Every number with its key and the unit that it must have.
    pub fn all(&self) -> [(&'static str, &NumberRule, NumberUnit); 4] {
        [
            ("inspector_terms_in_a_row", &self.inspector_terms_in_a_row, NumberUnit::Terms),
            ("inspector_training", &self.inspector_training, NumberUnit::ClassHoursPerYear),
            ("zone_schools_at_most", &self.zone_schools_at_most, NumberUnit::Schools),
            ("accountability_repeated_within", &self.accountability_repeated_within, NumberUnit::RollingMonths),
        ]
    }
}
