//! Working days and rest days: national, province and county layer (日历).
//!
//! The State Council announces each year's rest days and make-up working days in the autumn before. Provinces and
//! counties add their own, e.g. 三月三 in the ethnic autonomous counties, or a closure for a typhoon. A [`Calendar`]
//! is the merged view of one place: county over province over national. A year without its national notice counts
//! by weekdays and is provisional. The version names the content: equal entries give an equal version.

mod kept;
mod layer;
mod set;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use kept::KeptCalendarFault;
pub use layer::{CalendarFault, CalendarLayer, DayEntry, DayKind, LayerLevel, NoticeStatus};
pub use set::CalendarSet;

/// What a day is, and by which authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayClass {
    /// Monday to Friday without an entry.
    Weekday,
    /// A Saturday or Sunday that a notice makes a working day (调休上班).
    MakeUpWork,
    /// A Saturday or Sunday without an entry.
    Weekend,
    /// A rest day by notice (法定节假日, 调休放假).
    Holiday,
    /// A closure ordered by an authority, e.g. for a typhoon (停工停课).
    Closure,
}

impl DayClass {
    /// Whether work is done on such a day.
    pub const fn is_working(self) -> bool {
        match self {
            Self::Weekday | Self::MakeUpWork => true,
            Self::Weekend | Self::Holiday | Self::Closure => false,
        }
    }

    /// The Chinese word for the kind of day.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Weekday => "工作日",
            Self::MakeUpWork => "调休上班",
            Self::Weekend => "公休日",
            Self::Holiday => "放假",
            Self::Closure => "停工停课",
        }
    }
}

/// One day as a calendar sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day<'a> {
    /// What the day is.
    pub class: DayClass,
    /// The entry that says so; nothing for plain weekdays and weekends.
    pub entry: Option<&'a MergedEntry>,
    /// Whether the year's national notice is still missing.
    pub provisional: bool,
}

/// An entry after merging, with the layer that won.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct MergedEntry {
    /// Rest, work or closure.
    pub kind: DayKind,
    /// The name of the occasion, e.g. 国庆节.
    pub name: String,
    /// The id of the layer.
    pub layer: String,
    /// The notice that orders it.
    pub source: String,
}

/// The merged calendar of one place (日历).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    area: String,
    version: String,
    days: BTreeMap<Date, MergedEntry>,
    noticed_years: BTreeSet<i16>,
}

impl Calendar {
    /// Merges already chosen layers; later ones win over earlier ones for the same day.
    fn merge(area: &str, layers: &[&CalendarLayer]) -> Self {
        let mut days = BTreeMap::new();
        let mut noticed_years = BTreeSet::new();
        for layer in layers {
            if let (LayerLevel::National, NoticeStatus::Published, Some(year)) = (layer.level, layer.status, layer.year)
            {
                noticed_years.insert(year);
            }
            for entry in &layer.days {
                for date in entry.dates() {
                    days.insert(
                        date,
                        MergedEntry {
                            kind: entry.kind,
                            name: entry.name.clone(),
                            layer: layer.id.clone(),
                            source: entry.source.clone().unwrap_or_else(|| layer.source.clone()),
                        },
                    );
                }
            }
        }
        let version = content_version(area, &days, &noticed_years);
        Self { area: area.to_owned(), version, days, noticed_years }
    }

    /// The division code of the place, `000000` for the country.
    pub fn area(&self) -> &str {
        &self.area
    }

    /// The version: place and content, e.g. `460100@3f9c01ab77de`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the day is.
    pub fn day(&self, date: Date) -> Day<'_> {
        let entry = self.days.get(&date);
        let class = match entry.map(|found| found.kind) {
            Some(DayKind::Rest) => DayClass::Holiday,
            Some(DayKind::Closure) => DayClass::Closure,
            Some(DayKind::Work) if is_weekend(date) => DayClass::MakeUpWork,
            None if is_weekend(date) => DayClass::Weekend,
            // A work entry on a weekday undoes a rest day of a layer above.
            Some(DayKind::Work) | None => DayClass::Weekday,
        };
        Day { class, entry, provisional: self.is_provisional(date) }
    }

    /// Whether work is done on that day in that place.
    pub fn is_working(&self, date: Date) -> bool {
        self.day(date).class.is_working()
    }

    /// Whether the national notice for the day's year is missing.
    pub fn is_provisional(&self, date: Date) -> bool {
        !self.has_notice(date.year())
    }

    /// Whether the national notice for the year is known.
    pub fn has_notice(&self, year: i16) -> bool {
        self.noticed_years.contains(&year)
    }

    /// The years whose national notice is known.
    pub fn noticed_years(&self) -> impl Iterator<Item = i16> + '_ {
        self.noticed_years.iter().copied()
    }

    /// Every entry, by day.
    pub fn entries(&self) -> impl Iterator<Item = (Date, &MergedEntry)> {
        self.days.iter().map(|(date, entry)| (*date, entry))
    }

    /// How many working days the year has.
    pub fn working_days_in(&self, year: i16) -> usize {
        jiff::civil::date(year, 1, 1)
            .series(jiff::Span::new().days(1))
            .take_while(|date| date.year() == year)
            .filter(|date| self.is_working(*date))
            .count()
    }
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// A short name of the content: twelve hexadecimal digits of a version 5 UUID over every entry and noticed year.
fn content_version(area: &str, days: &BTreeMap<Date, MergedEntry>, noticed_years: &BTreeSet<i16>) -> String {
    let years = noticed_years.iter().map(|year| format!("|{year}"));
    let entries = days.iter().map(|(date, entry)| {
        let MergedEntry { kind, name, layer, source } = entry;
        format!("|{date}:{kind:?}:{name}:{layer}:{source}")
    });
    let content: String = std::iter::once(area.to_owned()).chain(years).chain(entries).collect();
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, content.as_bytes()).simple().to_string();
    let short: String = id.chars().take(12).collect();
    format!("{area}@{short}")
}

#[cfg(test)]
mod tests;
