//! The three languages of messages: official terms, dates and instants in words.
//!
//! Names of units, findings and reasons stay as they were entered; the platform does not translate what people wrote.

use std::str::FromStr;

use contracts::{shared::DocumentKind, tasks::SupervisionKind};
use domain::{
    local_time::{date_zh, local, moment_zh},
    rectification::RecountEffect,
    rulebook::{Duty, PauseReason},
    severity::Severity,
};
use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::message::{Limit, Member, Ower};

/// A language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema)]
pub enum Language {
    /// Simplified Chinese (简体中文).
    #[default]
    #[serde(rename = "zh-Hans")]
    ZhHans,
    /// Traditional Chinese (繁体中文).
    #[serde(rename = "zh-Hant")]
    ZhHant,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::ZhHans, Self::ZhHant, Self::En];

    /// The tag (BCP 47), as accounts have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ZhHans => "zh-Hans",
            Self::ZhHant => "zh-Hant",
            Self::En => "en",
        }
    }

    /// The language of an account; official business is done in Simplified Chinese, which stands for every other tag.
    pub fn of_account(tag: &str) -> Self {
        tag.parse().unwrap_or_default()
    }

    /// One of three texts.
    pub fn pick<'a>(self, simplified: &'a str, traditional: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::ZhHans => simplified,
            Self::ZhHant => traditional,
            Self::En => english,
        }
    }

    /// A day.
    pub fn day(self, day: &Date) -> String {
        match self {
            Self::ZhHans | Self::ZhHant => date_zh(*day),
            Self::En => format!("{} {} {}", day.day(), month(*day), day.year()),
        }
    }

    /// A local moment, to the minute.
    pub fn moment(self, at: &Timestamp) -> String {
        match self {
            Self::ZhHans => moment_zh(*at),
            Self::ZhHant => moment_zh(*at).replace('时', "時"),
            Self::En => {
                let moment = local(*at);
                format!("{:02}:{:02} on {}", moment.hour(), moment.minute(), self.day(&moment.date()))
            }
        }
    }

    /// An instant as the end of something: midnight is the 24th hour of the day before.
    pub fn until(self, at: &Timestamp) -> String {
        let moment = local(*at);
        match moment.date().yesterday() {
            Ok(day) if moment.time() == Time::midnight() => match self {
                Self::ZhHans => format!("{}24时", date_zh(day)),
                Self::ZhHant => format!("{}24時", date_zh(day)),
                Self::En => format!("24:00 on {}", self.day(&day)),
            },
            Ok(_) | Err(_) => self.moment(at),
        }
    }

    /// The limit for acknowledging a document.
    pub fn limit(self, limit: &Limit) -> String {
        match limit {
            Limit::Open => self.pick("规定时限", "規定時限", "the prescribed limit").to_owned(),
            // By hours, not by days.
            Limit::Instant(at) => self.moment(at),
            Limit::Day(day) => match self {
                Self::ZhHans => format!("{}（含当日）", date_zh(*day)),
                Self::ZhHant => format!("{}（含當日）", date_zh(*day)),
                Self::En => format!("{} (inclusive)", self.day(day)),
            },
        }
    }

    /// The severity of a finding.
    pub fn severity(self, severity: &Severity) -> &'static str {
        match (self, severity) {
            (Self::ZhHans, severity) => severity.zh(),
            (Self::ZhHant, Severity::Minor) => "一般",
            (Self::ZhHant, Severity::Major) => "較大",
            (Self::ZhHant, Severity::Serious) => "重大",
            (Self::ZhHant, Severity::Immediate) => "危及生命安全",
            (Self::En, Severity::Minor) => "minor",
            (Self::En, Severity::Major) => "major",
            (Self::En, Severity::Serious) => "serious",
            (Self::En, Severity::Immediate) => "immediate danger to life",
        }
    }

    /// The kind of supervision.
    pub fn supervision(self, kind: &SupervisionKind) -> &'static str {
        match (self, kind) {
            (Self::ZhHans, kind) => kind.zh(),
            (Self::ZhHant, SupervisionKind::Comprehensive) => "綜合督導",
            (Self::ZhHant, SupervisionKind::Special) => "專項督導",
            (Self::ZhHant, SupervisionKind::Regular) => "經常性督導",
            (Self::ZhHant, SupervisionKind::Emergency) => "突發事件督導",
            (Self::En, SupervisionKind::Comprehensive) => "the comprehensive supervision",
            (Self::En, SupervisionKind::Special) => "the special supervision",
            (Self::En, SupervisionKind::Regular) => "the regular supervision",
            (Self::En, SupervisionKind::Emergency) => "the emergency supervision",
        }
    }

    /// The kind of document.
    pub fn document(self, kind: &DocumentKind) -> &'static str {
        match (self, kind) {
            (Self::ZhHans, kind) => kind.zh(),
            (Self::ZhHant, DocumentKind::Plan) => "年度督導計劃",
            (Self::ZhHant, DocumentKind::SupervisionNotification) => "督導通知書",
            (Self::ZhHant, DocumentKind::PreliminaryOpinion) => "初步督導意見",
            (Self::ZhHant, DocumentKind::OpinionLetter) => "督導意見書",
            (Self::ZhHant, DocumentKind::RectificationNotice) => "整改通知書",
            (Self::ZhHant, DocumentKind::UrgingOrder) => "督辦單",
            (Self::ZhHant, DocumentKind::InterviewNotice) => "約談通知書",
            (Self::ZhHant, DocumentKind::Circular) => "通報",
            (Self::ZhHant, DocumentKind::AcceptanceOpinion) => "整改驗收意見",
            (Self::ZhHant, DocumentKind::ClosingApproval) => "銷號審批表",
            (Self::ZhHant, DocumentKind::SupervisionReport) => "督導報告",
            (Self::En, DocumentKind::Plan) => "annual supervision plan",
            (Self::En, DocumentKind::SupervisionNotification) => "notice of supervision",
            (Self::En, DocumentKind::PreliminaryOpinion) => "preliminary opinion",
            (Self::En, DocumentKind::OpinionLetter) => "opinion letter",
            (Self::En, DocumentKind::RectificationNotice) => "rectification notice",
            (Self::En, DocumentKind::UrgingOrder) => "supervision notice",
            (Self::En, DocumentKind::InterviewNotice) => "interview notice",
            (Self::En, DocumentKind::Circular) => "circular",
            (Self::En, DocumentKind::AcceptanceOpinion) => "acceptance opinion",
            (Self::En, DocumentKind::ClosingApproval) => "approval of closing",
            (Self::En, DocumentKind::SupervisionReport) => "supervision report",
        }
    }

    /// The members of a group.
    pub fn team(self, team: &[Member]) -> String {
        let names: Vec<String> = team
            .iter()
            .map(|member| match (member.leader, self) {
                (true, Self::ZhHans) => format!("{}（组长）", member.name),
                (true, Self::ZhHant) => format!("{}（組長）", member.name),
                (true, Self::En) => format!("{} (head)", member.name),
                (false, _) => member.name.clone(),
            })
            .collect();
        names.join(self.pick("、", "、", ", "))
    }

    /// The step of the ladder (measures 13 to 15).
    pub fn step(self, level: &i16) -> &'static str {
        match level {
            2 => self.pick("约谈", "約談", "interview"),
            3 => self.pick("通报", "通報", "circular"),
            4 => self.pick("问责", "問責", "accountability"),
            _ => self.pick("后续措施", "後續措施", "a further step"),
        }
    }

    /// Why a clock stands still.
    pub fn pause(self, reason: &PauseReason) -> &'static str {
        match (self, reason) {
            (Self::ZhHans, reason) => reason.zh(),
            (Self::ZhHant, PauseReason::Disaster) => "自然災害等不可抗力",
            (Self::ZhHant, PauseReason::SchoolHoliday) => "學校假期",
            (Self::ZhHant, PauseReason::OtherOffice) => "須由其他部門先行辦理",
            (Self::En, PauseReason::Disaster) => "a natural disaster or other force majeure",
            (Self::En, PauseReason::SchoolHoliday) => "school holidays",
            (Self::En, PauseReason::OtherOffice) => "another office that must act first",
        }
    }

    /// What is owed.
    pub fn duty(self, duty: &Duty) -> &'static str {
        match (self, duty) {
            (Self::ZhHans, duty) => duty.zh(),
            (Self::ZhHant, Duty::Verification) => "核查",
            (Self::ZhHant, Duty::PlanAcceptance) => "審核整改方案",
            (Self::ZhHant, Duty::CloseOut) => "銷號",
            (Self::ZhHant, Duty::RequestDecision) => "審批申請",
            (Self::ZhHant, Duty::StepDecision) => "決定升級措施",
            (Self::ZhHant, Duty::ConsultationAnswer) => "答覆協商意見",
            (Self::ZhHant, Duty::LookBackVisit) => "回頭看",
            (Self::En, Duty::Verification) => "verification",
            (Self::En, Duty::PlanAcceptance) => "judging the rectification plan",
            (Self::En, Duty::CloseOut) => "close-out",
            (Self::En, Duty::RequestDecision) => "deciding the request",
            (Self::En, Duty::StepDecision) => "deciding the step of the ladder",
            (Self::En, Duty::ConsultationAnswer) => "answering the consultation",
            (Self::En, Duty::LookBackVisit) => "look-back visit",
        }
    }

    /// Who owes it.
    pub fn ower(self, ower: &Ower) -> String {
        match ower {
            Ower::Agency(name) => name.clone(),
            Ower::Consulted => self.pick("被协商单位", "被協商單位", "The office that was consulted").to_owned(),
            Ower::Decider => self
                .pick("有权决定升级措施的机关", "有權決定升級措施的機關", "The authority that decides on steps")
                .to_owned(),
        }
    }

    /// What a recount did to a limit, in brackets; nothing for a limit that was not counted again.
    pub fn effect(self, effect: &Option<RecountEffect>) -> String {
        let Some(effect) = effect else { return String::new() };
        let words = match (self, effect) {
            (Self::ZhHans, effect) => effect.zh(),
            (Self::ZhHant, RecountEffect::Later) => "順延",
            (Self::ZhHant, RecountEffect::Freed) => "不再逾期",
            (Self::ZhHant, RecountEffect::Kept) => "重算提前，維持原期限",
            (Self::ZhHant, RecountEffect::Final) => "由暫定轉為確定",
            (Self::ZhHant, RecountEffect::Provisional) => "轉為暫定",
            (Self::En, RecountEffect::Later) => "later",
            (Self::En, RecountEffect::Freed) => "no longer late",
            (Self::En, RecountEffect::Kept) => "counted earlier, the told day stays",
            (Self::En, RecountEffect::Final) => "now certain",
            (Self::En, RecountEffect::Provisional) => "provisional now",
        };
        match self {
            Self::ZhHans | Self::ZhHant => format!("（{words}）"),
            Self::En => format!(" ({words})"),
        }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.into_iter().find(|language| language.as_str() == text).ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

/// A tag that names no language of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no language {0:?}")]
pub struct UnknownLanguage(pub String);

fn month(day: Date) -> &'static str {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    usize::try_from(day.month()).ok().and_then(|month| MONTHS.get(month - 1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_and_instants_in_three_languages() {
        let midnight: Timestamp = "2026-10-08T16:00:00Z".parse().unwrap();
        let morning: Timestamp = "2026-10-08T01:05:00Z".parse().unwrap();
        let until: Vec<String> = Language::ALL.iter().map(|l| l.until(&midnight)).collect();
        assert_eq!(until, ["2026年10月8日24时", "2026年10月8日24時", "24:00 on 8 October 2026"]);
        let moment: Vec<String> = Language::ALL.iter().map(|l| l.until(&morning)).collect();
        assert_eq!(moment, ["2026年10月8日09时05分", "2026年10月8日09時05分", "09:05 on 8 October 2026"]);
        assert_eq!(Language::En.limit(&Limit::Day(date(2026, 12, 1))), "1 December 2026 (inclusive)");
        assert_eq!(Language::of_account("de"), Language::ZhHans);
        assert_eq!(Language::of_account("en"), Language::En);
    }
}
