//! A letter to a school in 海口, with or without the notice of 2027.

use domain::calendar::{Calendar, CalendarSet};
use domain::ids::{CaseId, FindingId, LetterId, UnitId};
use domain::rectification::{FindingFacts, LetterFacts, Rectification, Rules, Workbook};
use domain::rehearsal::RehearsedCase;
use domain::rulebook::{Rulebook, parse};
use domain::severity::Severity;
use jiff::Timestamp;
use uuid::Uuid;

pub struct World {
    pub rulebook: Rulebook,
    pub calendar: Calendar,
    pub workbook: Workbook,
}

impl World {
    pub fn new() -> Self {
        Self::with_2027(include_str!("../../../../rulebook/calendars/national-2027.toml"))
    }

    /// With another text in the place of the notice of 2027, which is not out.
    pub fn with_2027(notice: &str) -> Self {
        let calendars = CalendarSet::load_from_texts([
            ("2026", include_str!("../../../../rulebook/calendars/national-2026.toml")),
            ("2027", notice),
        ])
        .unwrap();
        Self {
            rulebook: parse("rulebook.toml", include_str!("../../../../rulebook/hainan-2021/rulebook.toml")).unwrap(),
            calendar: calendars.for_division("460100"),
            workbook: Workbook::new(),
        }
    }

    pub fn open(&self, serial: u128, severities: &[Severity], received_at: &str) -> Rectification {
        let letter = LetterFacts {
            letter_id: LetterId::new(Uuid::from_u128(serial)),
            case_id: CaseId::new(Uuid::from_u128(serial)),
            letter_number: "海口教督委意〔2026〕1号".parse().unwrap(),
            issuing_agency: UnitId::new(Uuid::from_u128(1)),
            supervised_unit: UnitId::new(Uuid::from_u128(2)),
            competent_department: Some(UnitId::new(Uuid::from_u128(3))),
            division: "460100".to_owned(),
            findings: (1..)
                .zip(severities)
                .map(|(number, severity)| FindingFacts {
                    finding_id: FindingId::new(Uuid::from_u128(serial * 100 + u128::from(number))),
                    number,
                    severity: *severity,
                    responsible_unit: UnitId::new(Uuid::from_u128(2)),
                    limit: None,
                })
                .collect(),
        };
        Rectification::open(None, letter, at(received_at), self.rules()).unwrap().into_state()
    }

    pub fn rules(&self) -> Rules<'_> {
        Rules {
            rulebook: &self.rulebook,
            unit_calendar: &self.calendar,
            agency_calendar: &self.calendar,
            workbook: &self.workbook,
        }
    }

    pub fn case<'a>(&'a self, rectification: Rectification, county: &'a str) -> RehearsedCase<'a> {
        RehearsedCase {
            rectification,
            county,
            rulebook: &self.rulebook,
            unit_calendar: &self.calendar,
            agency_calendar: &self.calendar,
        }
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
