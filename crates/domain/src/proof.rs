//! The proof sheet of a due date (期限计算书): everything that anyone needs to compute it again.

mod print;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calendar::{Calendar, DayClass};
use crate::local_time::{date_zh, local_date, moment_zh};
use crate::period::{
    Count, CountError, DayMark, DayUse, Pause, Period, WorkingDays, count, count_with_pauses, merge_pauses,
};

/// The event that starts a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnchorEvent {
    /// The unit received the supervision notice (督导通知书).
    NoticeReceived,
    /// The visit ended.
    SupervisionEnded,
    /// The team finished its deliberation.
    DeliberationEnded,
    /// The unit received the preliminary opinion (初步督导意见).
    PreliminaryOpinionReceived,
    /// The unit received the opinion letter (督导意见书).
    LetterReceived,
    /// The urging order was served (督办单).
    UrgingOrderServed,
    /// The report was returned for more work.
    ReportReturned,
    /// The rectification report was received (整改报告).
    ReportReceived,
    /// The item was closed (销号).
    ClosedOut,
    /// A due date passed.
    DueDatePassed,
    /// An objection was received.
    ObjectionReceived,
    /// A report was completed.
    ReportCompleted,
    /// The agency granted an extension, counted from the old due date.
    ExtensionGranted,
    /// The rectification plan was returned.
    PlanReturned,
    /// The report was verified (核查通过).
    ReportVerified,
    /// A request was received: extension, waiver, pause or lift.
    RequestReceived,
    /// A step of the ladder was proposed.
    StepProposed,
    /// A step of the ladder was taken: interview, circular, accountability.
    StepTaken,
    /// A step of the ladder was lifted.
    StepLifted,
    /// The look-back became due (回头看).
    LookBackDue,
    /// The look-back found the problem again (反弹).
    LookBackFailed,
    /// A consultation letter was sent (协商意见书).
    ConsultationSent,
    /// The competent department became jointly liable (连带责任).
    JointLiabilityBegan,
    /// The opinion letter was served (督导意见书).
    LetterServed,
    /// The unit completed its rectification (整改完成).
    RectificationCompleted,
    /// The rectification plan was received (整改方案).
    PlanSubmitted,
    /// The self-evaluation was received (自评报告).
    SelfEvaluationReceived,
    /// The visit began (进驻).
    VisitBegan,
    /// The preliminary opinion was served (初步督导意见).
    PreliminaryOpinionServed,
    /// An objection was answered (异议答复).
    ObjectionAnswered,
    /// A complaint with the higher agency was received (向上级反映).
    ComplaintReceived,
    /// A report was published (督导报告公开).
    ReportPublished,
    /// An objection of the public to a report was received (公众异议).
    PublicObjectionReceived,
    /// An evaluation was announced in public (公示).
    EvaluationAnnounced,
    /// The inspector's rectification notice was served (整改通知书).
    RectificationNoticeServed,
    /// An illegal act or a danger to life was found (违法行为、安全隐患).
    DangerFound,
    /// A sudden event became known (突发事件).
    EmergencyLearned,
    /// An inspector's term began (聘任).
    AppointmentBegan,
    /// It was last done, for what returns in cycles (上一次).
    LastDone,
    /// The calendar itself, for fixed days (固定日).
    CalendarDay,
    /// A step of the ladder was decided (升级决定).
    StepDecided,
    /// The interview notice was served (约谈通知书).
    InterviewNoticeServed,
    /// The interview took place (约谈).
    InterviewHeld,
    /// The circular was issued (通报).
    CircularIssued,
    /// The investigation group was set up (调查组).
    InvestigationGroupFormed,
    /// The fact material was written (事实材料).
    FactsEstablished,
    /// The notice of accountability was received (问责告知书).
    AccountabilityNoticeReceived,
    /// The time for statement and plea ended (陈述申辩).
    PleaEnded,
    /// The office's opinion was submitted for approval (问责意见).
    OpinionSubmitted,
    /// Accountability was decided (问责决定).
    AccountabilityDecided,
    /// The decision was received (问责决定书).
    DecisionReceived,
    /// The decision was carried out (问责执行).
    AccountabilityExecuted,
    /// The request for review was received (复核申请).
    ReviewRequested,
    /// The review decision was received (复核决定).
    ReviewDecisionReceived,
    /// The appeal was received (申诉).
    AppealReceived,
    /// The appeal decision was received (申诉处理决定书).
    AppealDecisionReceived,
    /// Review and appeal came to their end (复核申诉期).
    RemediesEnded,
    /// A petition was received (信访事项).
    PetitionReceived,
    /// A petition that was sent on was received (转送).
    PetitionTransferred,
    /// A petition was accepted (受理).
    PetitionAccepted,
    /// The handling opinion was received (信访处理意见).
    PetitionAnswerReceived,
    /// The request for re-examination was received (复查请求).
    ReexaminationRequested,
    /// The re-examination opinion was received (复查意见).
    ReexaminationReceived,
    /// The request for a petition's review was received (复核请求).
    PetitionReviewRequested,
    /// A day that someone names, e.g. to the command line (指定日期).
    GivenDay,
}

impl AnchorEvent {
    /// The event in words.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::NoticeReceived => "督导通知书签收",
            Self::SupervisionEnded => "督导结束",
            Self::DeliberationEnded => "评议结束",
            Self::PreliminaryOpinionReceived => "初步督导意见签收",
            Self::LetterReceived => "督导意见书或整改通知书签收",
            Self::UrgingOrderServed => "督办单送达",
            Self::ReportReturned => "整改报告退回",
            Self::ReportReceived => "整改报告收到",
            Self::ClosedOut => "销号",
            Self::DueDatePassed => "期限届满",
            Self::ObjectionReceived => "异议收到",
            Self::ReportCompleted => "督导报告完成",
            Self::ExtensionGranted => "原期限届满（准予延期）",
            Self::PlanReturned => "整改方案退回",
            Self::ReportVerified => "核查通过",
            Self::RequestReceived => "申请收到",
            Self::StepProposed => "升级措施提请",
            Self::StepTaken => "升级措施实施",
            Self::StepLifted => "升级措施解除",
            Self::LookBackDue => "回头看到期",
            Self::LookBackFailed => "回头看发现问题反弹",
            Self::ConsultationSent => "协商意见书发出",
            Self::JointLiabilityBegan => "主管部门连带责任确定",
            Self::LetterServed => "督导意见书送达",
            Self::RectificationCompleted => "整改完成",
            Self::PlanSubmitted => "整改方案收到",
            Self::SelfEvaluationReceived => "自评报告收到",
            Self::VisitBegan => "现场督导开始",
            Self::PreliminaryOpinionServed => "初步督导意见送达",
            Self::ObjectionAnswered => "异议答复收到",
            Self::ComplaintReceived => "反映材料收到",
            Self::ReportPublished => "督导报告公开",
            Self::PublicObjectionReceived => "公众异议收到",
            Self::EvaluationAnnounced => "评估公示",
            Self::RectificationNoticeServed => "整改通知书送达",
            Self::DangerFound => "发现违法行为或安全隐患",
            Self::EmergencyLearned => "获知突发事件",
            Self::AppointmentBegan => "聘任起始",
            Self::LastDone => "上一次完成",
            Self::CalendarDay => "历日",
            Self::StepDecided => "升级措施批准",
            Self::InterviewNoticeServed => "约谈通知书送达",
            Self::InterviewHeld => "约谈结束",
            Self::CircularIssued => "通报印发",
            Self::InvestigationGroupFormed => "调查组成立",
            Self::FactsEstablished => "事实材料形成",
            Self::AccountabilityNoticeReceived => "问责告知书签收",
            Self::PleaEnded => "陈述申辩期满",
            Self::OpinionSubmitted => "问责意见报批",
            Self::AccountabilityDecided => "问责决定作出",
            Self::DecisionReceived => "问责决定书签收",
            Self::AccountabilityExecuted => "问责决定执行完毕",
            Self::ReviewRequested => "复核申请收到",
            Self::ReviewDecisionReceived => "复核决定签收",
            Self::AppealReceived => "申诉收到",
            Self::AppealDecisionReceived => "申诉处理决定书收到",
            Self::RemediesEnded => "复核申诉期结束",
            Self::PetitionReceived => "信访事项收到",
            Self::PetitionTransferred => "转送信访事项收到",
            Self::PetitionAccepted => "信访事项受理",
            Self::PetitionAnswerReceived => "信访处理意见收到",
            Self::ReexaminationRequested => "复查请求收到",
            Self::ReexaminationReceived => "复查意见收到",
            Self::PetitionReviewRequested => "复核请求收到",
            Self::GivenDay => "指定日期",
        }
    }
}

/// The rule that sets a period, with the version and the article it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliedRule {
    /// The article or measure.
    pub article: String,
    /// The rule's stable key, e.g. `severity.major.finish`.
    pub rule_id: String,
    /// The version of the rulebook.
    pub rulebook_version: String,
    /// The period it sets.
    pub period: Period,
}

/// How a due date was derived, day by day.
///
/// Two sheets of equal content have equal bytes as canonical JSON: compact, fields in the declared order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofSheet {
    /// The rule applied.
    pub rule: AppliedRule,
    /// What started the clock.
    pub anchor_event: AnchorEvent,
    /// When it happened.
    pub anchor_at: Timestamp,
    /// The local day of it, which is not counted.
    pub anchor_on: Date,
    /// When the clock stood still (中止), as it was recorded; left out when it never did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// The division code whose calendar applies: where the body that must act is located.
    pub calendar_area: String,
    /// The version of that calendar.
    pub calendar_version: String,
    /// Every day from the anchor to the end, counted or not, with the reason.
    pub days: Vec<DayMark>,
    /// Whether a year's notice is missing, so that the date may still move later.
    pub provisional: bool,
    /// The last day, local.
    pub due_on: Date,
    /// The first instant that is late.
    pub due_at: Timestamp,
}

/// Why a sheet cannot be confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecomputeError {
    /// The calendar at hand is not the one of the sheet.
    #[error("the sheet was computed with calendar {sheet}, not with {given}")]
    OtherCalendar {
        /// The calendar of the sheet.
        sheet: String,
        /// The calendar at hand.
        given: String,
    },
    /// The period cannot be counted.
    #[error("the period cannot be counted")]
    Count(#[from] CountError),
    /// By its pauses the clock stands still, so that the sheet can have no due date.
    #[error("the sheet says {sheet}, but its clock stands still")]
    StandsStill {
        /// The due date of the sheet.
        sheet: Date,
    },
    /// The computation gives another result.
    #[error("the sheet says {sheet}, the computation {computed}")]
    Differs {
        /// The due date of the sheet.
        sheet: Date,
        /// The computed due date.
        computed: Date,
    },
}

impl ProofSheet {
    /// Derives a due date from a rule and an event.
    pub fn derive(
        rule: AppliedRule,
        anchor_event: AnchorEvent,
        anchor_at: Timestamp,
        calendar: &Calendar,
    ) -> Result<Self, CountError> {
        let count = count(anchor_at, rule.period, calendar)?;
        Ok(Self::of_count(rule, anchor_event, anchor_at, Vec::new(), calendar, count))
    }

    /// Derives a due date from a rule, an event and the times at which the clock stood still (中止).
    ///
    /// Nothing while a pause is open that the period did not end before: then there is no due date. Without pauses
    /// the sheet is the one of [`ProofSheet::derive`].
    pub fn derive_paused(
        rule: AppliedRule,
        anchor_event: AnchorEvent,
        anchor_at: Timestamp,
        pauses: Vec<Pause>,
        calendar: &Calendar,
    ) -> Result<Option<Self>, CountError> {
        let count = count_with_pauses(anchor_at, rule.period, &pauses, calendar)?.due();
        Ok(count.map(|count| Self::of_count(rule, anchor_event, anchor_at, pauses, calendar, count)))
    }

    fn of_count(
        rule: AppliedRule,
        anchor_event: AnchorEvent,
        anchor_at: Timestamp,
        pauses: Vec<Pause>,
        calendar: &Calendar,
        count: Count,
    ) -> Self {
        let Count { due_on, due_at, days, provisional } = count;
        Self {
            rule,
            anchor_event,
            anchor_at,
            anchor_on: local_date(anchor_at),
            pauses,
            calendar_area: calendar.area().to_owned(),
            calendar_version: calendar.version().to_owned(),
            days,
            provisional,
            due_on,
            due_at,
        }
    }

    /// Computes it anew from its own rule, anchor and pauses, on the calendar given; the result may differ from this sheet,
    /// and is nothing when the clock stands still by the pauses.
    pub fn derive_again(&self, calendar: &Calendar) -> Result<Option<Self>, CountError> {
        Self::derive_paused(self.rule.clone(), self.anchor_event, self.anchor_at, self.pauses.clone(), calendar)
    }

    /// The bytes that a signature or a comparison works on.
    pub fn canonical_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The derivation in plain Chinese, for the unit and for anyone who doubts the date.
    pub fn explain_zh(&self) -> String {
        let rule = &self.rule;
        let mut sentences = vec![
            format!("依据：{}（规则 {}，规则库版本 {}）", rule.article, rule.rule_id, rule.rulebook_version),
            format!("起算：{}，{}，当日不计入", self.anchor_event.zh(), moment_zh(self.anchor_at)),
            format!("期限：{}", rule.period.zh()),
            self.counting_zh(),
        ];
        let make_up = self.marks(|mark| {
            matches!(mark.used, DayUse::Counted | DayUse::RolledTo) && mark.class == DayClass::MakeUpWork
        });
        sentences.extend(self.pauses_zh());
        let by_days = !matches!(rule.period, Period::Hours(_) | Period::SameDay);
        if by_days && !make_up.is_empty() {
            sentences.push(format!("调休上班日按工作日计{}", list_zh(&make_up)));
        }
        sentences.push(match rule.period {
            Period::Hours(_) => format!("届满时刻：{}", moment_zh(self.due_at)),
            Period::SameDay | Period::WorkingDays(_) | Period::CalendarDays(_) | Period::Months(_) => {
                let day = date_zh(self.due_on);
                format!("届满日：{day}（当日24时前为按期）")
            }
        });
        sentences.push(format!("日历版本：{}", self.calendar_version));
        if self.provisional {
            sentences.push("所涉年度放假通知尚未公布，本期限为暂定，公布后只会顺延，不会提前".to_owned());
        }
        sentences.into_iter().map(|text| text + "。").collect()
    }

    /// How the days were counted.
    fn counting_zh(&self) -> String {
        let rest = self.marks(|mark| matches!(mark.used, DayUse::Skipped | DayUse::RolledOver));
        let (days, list) = (rest.len(), list_zh(&rest));
        match self.rule.period {
            Period::SameDay => "至当日24时届满".to_owned(),
            Period::Hours(_) => "按小时连续计算，不扣除休息日".to_owned(),
            Period::WorkingDays(WorkingDays(amount)) => {
                let first = self.days.get(1).map_or(self.anchor_on, |mark| mark.date);
                let first = date_zh(first);
                format!("自{first}起计{amount}个工作日，跳过休息日{days}天{list}")
            }
            Period::CalendarDays(_) | Period::Months(_) if rest.is_empty() => "届满日为工作日，不顺延".to_owned(),
            Period::CalendarDays(_) | Period::Months(_) => {
                format!("届满日为休息日，顺延{days}天{list}")
            }
        }
    }

    /// When the clock stood still, if it did before the end.
    fn pauses_zh(&self) -> Option<String> {
        let stretches: Vec<String> = merge_pauses(&self.pauses)
            .into_iter()
            .filter(|pause| pause.from < self.due_at && pause.until.is_none_or(|until| self.anchor_at < until))
            .map(|pause| {
                let until = pause.until.map_or_else(|| "恢复之时".to_owned(), moment_zh);
                format!("{}至{until}（{}）", moment_zh(pause.from), pause.reason)
            })
            .collect();
        if stretches.is_empty() {
            return None;
        }
        let effect = match self.rule.period {
            Period::Hours(_) => "中止时间不计入".to_owned(),
            Period::SameDay | Period::WorkingDays(_) | Period::CalendarDays(_) | Period::Months(_) => {
                let days = self.marks(|mark| mark.used == DayUse::Paused).len();
                format!("当日24时处于中止的日期不计入，共{days}天")
            }
        };
        Some(format!("期限中止：{}；{effect}", stretches.join("、")))
    }

    fn marks(&self, wanted: impl Fn(&DayMark) -> bool) -> Vec<&DayMark> {
        self.days.iter().filter(|mark| wanted(mark)).collect()
    }
}

/// Days in brackets with their occasions, runs of one occasion drawn together.
fn list_zh(marks: &[&DayMark]) -> String {
    let mut runs: Vec<(String, Date, Date)> = Vec::new();
    for mark in marks {
        let name = mark.reason.as_deref().and_then(|reason| reason.split('：').next()).unwrap_or(mark.class.zh());
        match runs.last_mut() {
            Some((last_name, _, to)) if last_name == name && to.tomorrow().ok() == Some(mark.date) => {
                *to = mark.date;
            }
            _ => runs.push((name.to_owned(), mark.date, mark.date)),
        }
    }
    if runs.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = runs
        .into_iter()
        .map(|(name, first, last)| {
            let from = format!("{}月{}日", first.month(), first.day());
            if first == last {
                format!("{from}{name}")
            } else {
                format!("{from}至{}月{}日{name}", last.month(), last.day())
            }
        })
        .collect();
    format!("（{}）", parts.join("、"))
}

/// Computes a sheet again from its own rule and anchor, and confirms it to the last field.
///
/// The calendar must be the very version that the sheet names.
pub fn recompute(sheet: &ProofSheet, calendar: &Calendar) -> Result<ProofSheet, RecomputeError> {
    if sheet.calendar_version != calendar.version() {
        return Err(RecomputeError::OtherCalendar {
            sheet: sheet.calendar_version.clone(),
            given: calendar.version().to_owned(),
        });
    }
    let computed = sheet.derive_again(calendar)?.ok_or(RecomputeError::StandsStill { sheet: sheet.due_on })?;
    if &computed == sheet {
        Ok(computed)
    } else {
        Err(RecomputeError::Differs { sheet: sheet.due_on, computed: computed.due_on })
    }
}

#[cfg(test)]
mod tests;
