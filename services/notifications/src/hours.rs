//! Sending hours and days (发送时段): when a message may leave by a way that wakes people. The legal instant is the message's
//! and never moves; what waits for the morning is only the bell.

use domain::{
    calendar::Calendar,
    local_time::{at_local, local, start_of_day},
};
use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use serde::Deserialize;

use crate::rules::Channel;

/// On which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    /// On each.
    EveryDay,
    /// On working days of the county's calendar.
    WorkingDays,
}

/// Hours for some ways, in some counties or in all that have none of their own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendingHours {
    /// The ways.
    pub channels: Vec<Channel>,
    /// Division codes of the counties; empty: all that are not named elsewhere.
    #[serde(default)]
    pub counties: Vec<String>,
    /// The first local time of day.
    pub from: Time,
    /// The first local time of day that is too late.
    pub to: Time,
    /// The days.
    pub days: Days,
}

/// Longest search for an open day; no calendar has more rest days in a row.
const LONGEST_REST: usize = 60;

impl SendingHours {
    /// Adds what is wrong with it.
    pub(crate) fn check(&self, faults: &mut Vec<String>) {
        if self.from >= self.to {
            faults.push(format!("sending_hours: {} to {} is no part of a day", self.from, self.to));
        }
        if self.channels.contains(&Channel::InApp) {
            faults.push("sending_hours: in_app wakes nobody".to_owned());
        }
    }

    /// The first instant, not before `at`, within the hours.
    pub fn open(&self, at: Timestamp, calendar: &Calendar) -> Timestamp {
        let now = local(at);
        let mut day: Date = now.date();
        for _ in 0..LONGEST_REST {
            let open_day = self.days == Days::EveryDay || calendar.is_working(day);
            if open_day {
                let (Some(from), Some(to)) = (at_local(day, self.from), at_local(day, self.to)) else { return at };
                if at < to {
                    return at.max(from);
                }
            }
            match day.tomorrow() {
                Ok(tomorrow) => day = tomorrow,
                Err(_) => return at,
            }
        }
        // A calendar without working days does not silence anybody for ever.
        start_of_day(day).unwrap_or(at)
    }
}

/// The hours for a way in a county: its own, else everyone's.
pub(crate) fn of<'a>(all: &'a [SendingHours], channel: Channel, county: Option<&str>) -> Option<&'a SendingHours> {
    let for_way = || all.iter().filter(|hours| hours.channels.contains(&channel));
    let own = county.and_then(|county| for_way().find(|hours| hours.counties.iter().any(|code| code == county)));
    own.or_else(|| for_way().find(|hours| hours.counties.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    fn rules() -> Rules {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
        Rules::load(&folder, "460000").unwrap()
    }

    fn leaves(channel: Channel, county: &str, urgent: bool, at: &str) -> String {
        rules().may_leave(channel, Some(county), urgent, at.parse().unwrap()).to_string()
    }

    #[test]
    fn midnight_waits_for_the_morning_and_danger_does_not() {
        // 24:00 of a Thursday: when the orders of a day are issued.
        assert_eq!(leaves(Channel::Sms, "460100", false, "2026-11-19T16:00:00Z"), "2026-11-20T00:00:00Z");
        assert_eq!(leaves(Channel::Sms, "460100", true, "2026-11-19T16:00:00Z"), "2026-11-19T16:00:00Z");
        assert_eq!(leaves(Channel::Sms, "460100", false, "2026-11-20T05:00:00Z"), "2026-11-20T05:00:00Z");
        // 21:00 is too late, to the second.
        assert_eq!(leaves(Channel::Sms, "460100", false, "2026-11-20T13:00:00Z"), "2026-11-21T00:00:00Z");
        assert_eq!(leaves(Channel::Mail, "460100", false, "2026-11-19T16:00:00Z"), "2026-11-19T16:00:00Z");
    }

    #[test]
    fn chats_of_offices_rest_on_rest_days_and_work_on_make_up_days() {
        // Friday evening before the National Day's make-up Saturday, 10 October 2026.
        assert_eq!(leaves(Channel::Wecom, "460100", false, "2026-10-09T12:00:00Z"), "2026-10-10T00:30:00Z");
        // 30 September, evening: the holiday lasts until the 7th.
        assert_eq!(leaves(Channel::Wecom, "460100", false, "2026-09-30T12:00:00Z"), "2026-10-08T00:30:00Z");
    }

    #[test]
    fn the_digest_leaves_at_its_time() {
        let at = |text: &str| rules().digest_at(text.parse().unwrap()).to_string();
        assert_eq!(at("2026-11-20T00:00:00Z"), "2026-11-20T00:30:00Z");
        assert_eq!(at("2026-11-20T00:30:00Z"), "2026-11-21T00:30:00Z");
    }
}
