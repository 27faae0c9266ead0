//! One layer of the calendar as it stands in a file of `rulebook/calendars/`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whose calendar a layer is; the lower one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerLevel {
    /// The State Council's yearly notice.
    National,
    /// A province's own days.
    Province,
    /// A county's own days (市县).
    County,
}

/// Whether the notice that a layer stands for has been published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeStatus {
    /// The notice is out; its days are in the layer.
    Published,
    /// The notice is not out yet: every day of that year is provisional.
    Missing,
}

/// What an entry makes of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A rest day (放假).
    Rest,
    /// A working day, usually a weekend day worked in exchange (调休上班).
    Work,
    /// A closure by order, e.g. for a typhoon; no work is done (停工停课).
    Closure,
}

/// A day, or a run of days, of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DayEntry {
    /// The first day.
    pub from: Date,
    /// The last day; the first one when left out.
    pub to: Option<Date>,
    /// What the days are.
    pub kind: DayKind,
    /// The occasion, e.g. 春节.
    pub name: String,
    /// The document that orders it, when it is another one than the layer's.
    pub source: Option<String>,
}

impl DayEntry {
    /// The last day.
    pub fn last(&self) -> Date {
        self.to.unwrap_or(self.from)
    }

    /// Every day of the run.
    pub fn dates(&self) -> impl Iterator<Item = Date> + use<> {
        let last = self.last();
        self.from.series(jiff::Span::new().days(1)).take_while(move |date| *date <= last)
    }
}

/// A layer: a national year, or a province's or a county's own days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarLayer {
    /// The stable name, e.g. `national-2026`.
    pub id: String,
    /// Whose calendar it is.
    pub level: LayerLevel,
    /// The division code of the province or county; left out for the country.
    pub area: Option<String>,
    /// The year that a national layer answers for.
    pub year: Option<i16>,
    /// Whether the notice is out.
    pub status: NoticeStatus,
    /// The notice, with where it can be read.
    pub source: String,
    /// The days, none for a missing notice.
    #[serde(default, rename = "day")]
    pub days: Vec<DayEntry>,
}

/// What is wrong with a set of calendar files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    /// The file is no layer: a wrong key, a wrong value or no TOML at all; the detail names the line.
    #[error("{file}: {detail}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the parser said, with line and column.
        detail: String,
    },
    /// A field is missing or must not be there for the level.
    #[error("layer {layer}: {detail}")]
    Layer {
        /// The layer.
        layer: String,
        /// What is wrong.
        detail: String,
    },
    /// Two layers have the same id, or two national layers the same year.
    #[error("layer {layer} is given twice")]
    Duplicate {
        /// The layer.
        layer: String,
    },
    /// A run ends before it begins, or is longer than a month.
    #[error("layer {layer}: the run from {from} to {to} is no run of at most 31 days")]
    Run {
        /// The layer.
        layer: String,
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// A day is given twice in one layer.
    #[error("layer {layer}: {date} is given twice")]
    DayTwice {
        /// The layer.
        layer: String,
        /// The day.
        date: Date,
    },
}

impl CalendarLayer {
    /// Everything that is wrong with this layer alone.
    pub fn faults(&self) -> Vec<CalendarFault> {
        let mut faults = Vec::new();
        let mut field = |detail: &str| {
            faults.push(CalendarFault::Layer { layer: self.id.clone(), detail: detail.to_owned() });
        };
        match self.level {
            LayerLevel::National => {
                if self.area.is_some() {
                    field("a national layer has no area");
                }
                if self.year.is_none() {
                    field("a national layer answers for a year");
                }
            }
            LayerLevel::Province | LayerLevel::County => {
                if !self.area.as_deref().is_some_and(is_division_code) {
                    field("area must be a division code of six or nine digits");
                }
            }
        }
        if self.source.trim().is_empty() {
            field("source is empty");
        }
        match self.status {
            NoticeStatus::Missing if !self.days.is_empty() => {
                field("a missing notice has no days");
            }
            NoticeStatus::Missing | NoticeStatus::Published => {}
        }
        let mut seen = std::collections::BTreeSet::new();
        for entry in &self.days {
            let days = entry.from.until(entry.last()).map_or(-1, |span| span.get_days());
            if !(0..31).contains(&days) {
                faults.push(CalendarFault::Run { layer: self.id.clone(), from: entry.from, to: entry.last() });
                continue;
            }
            for date in entry.dates() {
                if !seen.insert(date) {
                    faults.push(CalendarFault::DayTwice { layer: self.id.clone(), date });
                }
            }
        }
        faults
    }
}

fn is_division_code(text: &str) -> bool {
    matches!(text.len(), 6 | 9) && text.bytes().all(|byte| byte.is_ascii_digit())
}
