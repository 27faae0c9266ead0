//! The rules of telling, read from `rulebook/notifications.toml`, and the limits for acknowledged receipts.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use contracts::deadlines::CHANGE_KINDS;
use domain::{
    calendar::Calendar,
    local_time::{at_local, local_date},
    period::{Period, count},
    rulebook::{PeriodRule, RuleFolder},
    severity::Severity,
};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
};
use serde::{Deserialize, Serialize};
use service_kit::rule_texts::RuleTexts;
use utoipa::ToSchema;

use crate::{
    hours::{self, SendingHours},
    template::Template,
};

/// A group of people, found at the moment of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The head of the supervised unit (被督导单位负责人).
    UnitPrincipal,
    /// The contact of the supervised unit (联络员).
    UnitContact,
    /// Officers of its competent department (主管部门).
    CompetentDepartment,
    /// The staff of the agency that issued the document (发文机关).
    IssuingOffice,
    /// The nearest committee office above the unit.
    AreaOffice,
    /// The chair of the nearest committee above the issuing agency.
    CommitteeChair,
    /// The group of the supervision (督导小组).
    Team,
}

/// In which capacity somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capacity {
    /// As addressee (主送).
    To,
    /// With a copy (抄送).
    Copy,
    /// For their own work (知会).
    Inform,
    /// In place of a unit without any account (代转).
    Fallback,
}

impl Capacity {
    /// The name in data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Copy => "copy",
            Self::Inform => "inform",
            Self::Fallback => "fallback",
        }
    }
}

impl std::str::FromStr for Capacity {
    type Err = UnknownCapacity;

    fn from_str(text: &str) -> Result<Self, UnknownCapacity> {
        [Self::To, Self::Copy, Self::Inform, Self::Fallback]
            .into_iter()
            .find(|capacity| capacity.as_str() == text)
            .ok_or_else(|| UnknownCapacity(text.to_owned()))
    }
}

/// A text that names no capacity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no capacity {0:?}")]
pub struct UnknownCapacity(pub String);

/// A way to reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The inbox of the console (站内消息).
    InApp,
    /// Mail over SMTP (电子邮件).
    Mail,
    /// Short message over an HTTP gateway (短信).
    Sms,
    /// A signed call to another system (系统回调).
    Webhook,
    /// The robot of a WeCom group (企业微信群机器人).
    Wecom,
    /// The robot of a DingTalk group (钉钉群机器人).
    Dingtalk,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 6] = [Self::InApp, Self::Mail, Self::Sms, Self::Webhook, Self::Wecom, Self::Dingtalk];

    /// The name in data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::Mail => "mail",
            Self::Sms => "sms",
            Self::Webhook => "webhook",
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
        }
    }

    /// Whether it reaches a unit's endpoint rather than a person.
    pub fn is_endpoint(self) -> bool {
        match self {
            Self::InApp | Self::Mail | Self::Sms => false,
            Self::Webhook | Self::Wecom | Self::Dingtalk => true,
        }
    }
}

impl std::str::FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text).ok_or_else(|| UnknownChannel(text.to_owned()))
    }
}

/// A text that names no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no channel {0:?}")]
pub struct UnknownChannel(pub String);

/// The next way when one fails (备用方式).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FallBack {
    /// The ways in their order.
    pub order: Vec<Channel>,
    /// A legal message that has not arrived after so many hours goes by the next way as well, and is tried on.
    pub after_hours: u16,
}

/// Chasing what was not signed (签收催告).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chase {
    /// From the unit's reminder to the office being told.
    pub tell_office_after: Period,
    /// From one time that the office is told to the next, until the document is signed.
    pub tell_office_every: Period,
    /// How many days a one-time link works.
    pub link_days: u16,
    /// The article or measure.
    pub article: String,
}

/// The channels by capacity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Channels {
    to: Vec<Channel>,
    copy: Vec<Channel>,
    inform: Vec<Channel>,
    fallback: Vec<Channel>,
}

/// How long the unit has to acknowledge a document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ReceiptRule {
    /// The rulebook's limit for the gravest finding.
    BySeverity(BySeverity),
    /// A limit of its own.
    Fixed(PeriodRule),
}

/// The text `by_severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BySeverity {
    /// The only value.
    BySeverity,
}

/// Who is told of one event, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The event.
    pub event: String,
    /// The kind of change, for the event that tells of several.
    #[serde(default)]
    pub change: Option<String>,
    /// The kind of message.
    pub template: Template,
    /// Cannot be switched off.
    pub legal: bool,
    /// Addressees.
    pub to: Vec<Audience>,
    /// Who gets a copy.
    #[serde(default)]
    pub copy: Vec<Audience>,
    /// Who is informed.
    #[serde(default)]
    pub inform: Vec<Audience>,
    /// Who is told when no addressee has an account.
    #[serde(default)]
    pub fallback: Vec<Audience>,
    /// By which ways.
    pub channels: Channels,
    /// The document is to be acknowledged.
    #[serde(default)]
    pub receipt: Option<ReceiptRule>,
}

impl Rule {
    /// The ways for one capacity.
    pub fn channels(&self, capacity: Capacity) -> &[Channel] {
        match capacity {
            Capacity::To => &self.channels.to,
            Capacity::Copy => &self.channels.copy,
            Capacity::Inform => &self.channels.inform,
            Capacity::Fallback => &self.channels.fallback,
        }
    }

    /// The groups for one capacity.
    pub fn audiences(&self, capacity: Capacity) -> &[Audience] {
        match capacity {
            Capacity::To => &self.to,
            Capacity::Copy => &self.copy,
            Capacity::Inform => &self.inform,
            Capacity::Fallback => &self.fallback,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "named for people; the journal of the rulebook's changes is version control")]
    version: String,
    fall_back: FallBack,
    receipts: Chase,
    digest: DigestRule,
    #[serde(default)]
    sending_hours: Vec<SendingHours>,
    rules: Vec<Rule>,
}

/// When collected messages leave (消息摘要).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestRule {
    /// The local time of day.
    pub at: Time,
}

/// All rules of telling with the calendars and periods that they refer to.
#[derive(Debug, Clone)]
pub struct Rules {
    by_template: BTreeMap<Template, Rule>,
    fall_back: FallBack,
    chase: Chase,
    digest: DigestRule,
    sending_hours: Vec<SendingHours>,
    folder: RuleFolder,
    province: String,
}

impl Rules {
    /// Reads the folder `rulebook/`; every fault is reported.
    pub fn load(folder: &Path, province: &str) -> anyhow::Result<Self> {
        let texts = RuleTexts::read(folder)?;
        Self::try_new(texts.text("notifications.toml")?, texts.rules()?, province)
    }

    fn try_new(text: &str, folder: RuleFolder, province: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text).context("notifications.toml")?;
        let mut faults = Vec::new();
        let mut by_template = BTreeMap::new();
        for rule in file.rules {
            check(&rule, &mut faults);
            let name = rule.template.as_str();
            if by_template.insert(rule.template, rule).is_some() {
                faults.push(format!("{name}: two rules"));
            }
        }
        for template in Template::ALL {
            if !by_template.contains_key(template) {
                faults.push(format!("{}: no rule", template.as_str()));
            }
        }
        if !folder.rulebooks().iter().any(|rulebook| rulebook.province == province) {
            faults.push(format!("no rulebook for the province {province}"));
        }
        for hours in &file.sending_hours {
            hours.check(&mut faults);
        }
        let ways: BTreeSet<_> = file.fall_back.order.iter().collect();
        if ways.len() != file.fall_back.order.len() || ways.iter().any(|way| way.is_endpoint()) {
            faults.push("fall_back: each way to a person at most once, and no endpoints".to_owned());
        }
        if file.receipts.link_days == 0 {
            faults.push("receipts: link_days must be above 0".to_owned());
        }
        anyhow::ensure!(faults.is_empty(), "notifications.toml:\n{}", lines(&faults));
        Ok(Self {
            by_template,
            fall_back: file.fall_back,
            chase: file.receipts,
            digest: file.digest,
            sending_hours: file.sending_hours,
            folder,
            province: province.to_owned(),
        })
    }

    /// The rule for a kind of message; every kind has one.
    pub fn of(&self, template: Template) -> Option<&Rule> {
        self.by_template.get(&template)
    }

    /// Every rule.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.by_template.values()
    }

    /// The next way after one has failed or is slow.
    pub fn way_after(&self, channel: Channel) -> Option<Channel> {
        let mut ways = self.fall_back.order.iter();
        ways.find(|way| **way == channel)?;
        ways.next().copied()
    }

    /// After how long without arrival a legal message goes by the next way as well.
    pub fn fall_back_after(&self) -> Duration {
        Duration::from_hours(u64::from(self.fall_back.after_hours))
    }

    /// How long a one-time link works, in days.
    pub fn link_days(&self) -> u16 {
        self.chase.link_days
    }

    /// When the office is told that the unit has not signed, after the unit's reminder at `at`, or after the time before.
    pub fn next_chase(&self, at: Timestamp, county: Option<&str>, office_told: bool) -> Timestamp {
        let period = if office_told { self.chase.tell_office_every } else { self.chase.tell_office_after };
        // Where no calendar reaches that day, a day later: the chase has no end.
        count(at, period, &self.calendar(county))
            .map_or_else(|_| at.saturating_add(SignedDuration::from_hours(24)).unwrap_or(at), |count| count.due_at)
    }

    /// The first instant, not before `at`, at which a message may leave by a way.
    pub fn may_leave(&self, channel: Channel, county: Option<&str>, urgent: bool, at: Timestamp) -> Timestamp {
        if urgent {
            return at;
        }
        match hours::of(&self.sending_hours, channel, county) {
            Some(hours) => hours.open(at, &self.calendar(county)),
            None => at,
        }
    }

    /// When what is collected at `at` leaves: the next time of the digest.
    pub fn digest_at(&self, at: Timestamp) -> Timestamp {
        let today = local_date(at);
        let on = |day: Date| at_local(day, self.digest.at);
        on(today).filter(|leaves| *leaves > at).or_else(|| on(today.tomorrow().ok()?)).unwrap_or(at)
    }

    fn calendar(&self, county: Option<&str>) -> Calendar {
        let calendars = self.folder.calendars();
        match county {
            Some(county) => calendars.for_county(&self.province, county),
            None => calendars.for_province(&self.province),
        }
    }

    /// The last day and the first late instant for acknowledging a document that was issued at `at` to a unit in
    /// `county` (`None`: a provincial unit).
    pub fn receipt_due(
        &self,
        rule: &ReceiptRule,
        gravest: Option<Severity>,
        at: Timestamp,
        county: Option<&str>,
    ) -> Option<(Date, Timestamp)> {
        let period = self.receipt_period(rule, gravest, at)?;
        let count = count(at, period, &self.calendar(county)).ok()?;
        Some((count.due_on, count.due_at))
    }

    fn receipt_period(&self, rule: &ReceiptRule, gravest: Option<Severity>, at: Timestamp) -> Option<Period> {
        match rule {
            ReceiptRule::Fixed(rule) => Some(rule.period),
            ReceiptRule::BySeverity(BySeverity::BySeverity) => {
                let rulebook = self.folder.rulebook_on(&self.province, local_date(at))?;
                Some(rulebook.acknowledge_rule(gravest.unwrap_or(Severity::Minor)).period)
            }
        }
    }
}

fn check(rule: &Rule, faults: &mut Vec<String>) {
    let name = rule.template.as_str();
    if rule.event != rule.template.event() {
        faults.push(format!("{name}: the event must be {}", rule.template.event()));
    }
    match (rule.change.as_deref(), rule.template.change()) {
        (Some(kind), _) if !CHANGE_KINDS.contains(&kind) => {
            faults.push(format!("{name}: there is no change {kind:?}"));
        }
        (given, wanted) if given != wanted => faults.push(match wanted {
            Some(wanted) => format!("{name}: the change must be {wanted}"),
            None => format!("{name}: the event tells of no changes"),
        }),
        (_, _) => {}
    }
    if rule.to.is_empty() {
        faults.push(format!("{name}: nobody is addressed"));
    }
    for capacity in [Capacity::To, Capacity::Copy, Capacity::Inform, Capacity::Fallback] {
        let channels: BTreeSet<_> = rule.channels(capacity).iter().collect();
        if channels.len() != rule.channels(capacity).len() {
            faults.push(format!("{name}: a channel stands twice for {}", capacity.as_str()));
        }
        // What nobody sees in the console cannot be shown to have arrived.
        if !rule.audiences(capacity).is_empty() && !channels.contains(&Channel::InApp) {
            faults.push(format!("{name}: {} is told by no in_app message", capacity.as_str()));
        }
    }
}

fn lines<T: std::fmt::Display>(faults: &[T]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook")
    }

    #[test]
    fn the_provinces_rules_are_complete_and_give_limits() {
        let rules = Rules::load(&folder(), "460000").unwrap();
        let due = |template: Template, gravest| {
            let receipt = rules.of(template).unwrap().receipt.clone().unwrap();
            // Thursday, 24 September 2026, afternoon; then comes the Mid-Autumn holiday.
            rules.receipt_due(&receipt, gravest, "2026-09-24T07:00:00Z".parse().unwrap(), Some("460100")).unwrap()
        };
        let (plain, _) = due(Template::SupervisionNotification, None);
        let (serious, _) = due(Template::OpinionLetter, Some(Severity::Serious));
        let (_, at_once) = due(Template::UrgingOrder, Some(Severity::Immediate));
        assert!(serious < plain, "{serious} {plain}");
        assert_eq!(plain.to_string(), "2026-09-30");
        assert_eq!(at_once.to_string(), "2026-09-24T09:00:00Z");
    }

    #[test]
    fn every_fault_of_the_rules_is_reported() {
        let text = r#"
            version = "x"
            digest = { at = "08:30" }
            fall_back = { order = ["mail", "webhook"], after_hours = 4 }
            receipts = { tell_office_after = { working_days = 1 }, tell_office_every = { working_days = 3 }, link_days = 0, article = "x" }
            [[sending_hours]]
            channels = ["sms"]
            from = "21:00"
            to = "08:00"
            days = "every_day"
            [[rules]]
            event = "tasks.letter.issued.v1"
            template = "reminder"
            legal = true
            to = []
            inform = ["team"]
            channels = { inform = ["mail"] }
            [[rules]]
            event = "deadlines.rectification.changed.v1"
            change = "item_lengthened"
            template = "item_extended"
            legal = true
            to = ["unit_principal"]
            channels = { to = ["in_app"] }
            [[rules]]
            event = "deadlines.rectification.changed.v1"
            change = "paused"
            template = "resumed"
            legal = true
            to = ["unit_principal"]
            channels = { to = ["in_app"] }
            [[rules]]
            event = "deadlines.item.closed.v1"
            change = "paused"
            template = "item_closed"
            legal = false
            to = ["unit_principal"]
            channels = { to = ["in_app"] }
        "#;
        let good = Rules::load(&folder(), "460000").unwrap();
        let error = Rules::try_new(text, good.folder, "110000").unwrap_err().to_string();
        for fault in [
            "reminder: the event must be deadlines.reminder.due.v1",
            "reminder: nobody is addressed",
            "reminder: inform is told by no in_app message",
            "opinion_letter: no rule",
            "no rulebook for the province 110000",
            "item_extended: there is no change \"item_lengthened\"",
            "resumed: the change must be resumed",
            "item_closed: the event tells of no changes",
            "duty_overdue: no rule",
            "sending_hours: 21:00:00 to 08:00:00 is no part of a day",
            "fall_back: each way to a person at most once, and no endpoints",
            "receipts: link_days must be above 0",
        ] {
            assert!(error.contains(fault), "{fault} is missing in {error}");
        }
    }
}
