//! The machine of the rectification, act by act and at random.

mod clock;
mod table;
mod walk;

use jiff::Timestamp;
use jiff::civil::{Date, Time, date, time};
use uuid::Uuid;

use super::*;
use crate::calendar::{Calendar, CalendarSet};
use crate::ids::{AccountId, CaseId, FileId, FindingId, ItemId, LetterId, UnitId};
use crate::local_time::at_local;
use crate::outcome::Outcome;
use crate::rulebook::{Rulebook, parse};
use crate::severity::Severity;

/// The rules of the province and the calendar of 海口.
struct World {
    rulebook: Rulebook,
    unit: Calendar,
    agency: Calendar,
}

impl World {
    fn new() -> Self {
        let text = include_str!("../../../../rulebook/hainan-2021/rulebook.toml");
        let calendars = CalendarSet::load_from_texts([
            ("2025", include_str!("../../../../rulebook/calendars/national-2025.toml")),
            ("2026", include_str!("../../../../rulebook/calendars/national-2026.toml")),
        ])
        .unwrap();
        Self {
            rulebook: parse("rulebook.toml", text).unwrap(),
            unit: calendars.for_division("460100"),
            agency: calendars.for_division("460000"),
        }
    }

    fn rules(&self) -> Rules<'_> {
        Rules { rulebook: &self.rulebook, unit_calendar: &self.unit, agency_calendar: &self.agency }
    }
}

const UNIT: UnitId = UnitId::new(Uuid::from_u128(1));
const AGENCY: UnitId = UnitId::new(Uuid::from_u128(2));
const REPORTER: AccountId = AccountId::new(Uuid::from_u128(11));
const INSPECTOR: AccountId = AccountId::new(Uuid::from_u128(12));
const OFFICER: AccountId = AccountId::new(Uuid::from_u128(13));

fn moment(day: Date, clock: Time) -> Timestamp {
    at_local(day, clock).unwrap()
}

fn morning(day: Date) -> Timestamp {
    moment(day, time(9, 0, 0, 0))
}

fn letter(severities: &[Severity]) -> LetterFacts {
    LetterFacts {
        letter_id: LetterId::new(Uuid::from_u128(21)),
        case_id: CaseId::new(Uuid::from_u128(22)),
        letter_number: "琼教督委〔2026〕12号".parse().unwrap(),
        issuing_agency: AGENCY,
        supervised_unit: UNIT,
        competent_department: Some(UnitId::new(Uuid::from_u128(3))),
        division: "460100".to_owned(),
        findings: (1..)
            .zip(severities)
            .map(|(number, severity)| FindingFacts {
                finding_id: FindingId::new(Uuid::from_u128(100 + u128::from(number))),
                number,
                severity: *severity,
                problem: "消防通道堵塞".to_owned(),
                demand: "立即清理".to_owned(),
                responsible_unit: UNIT,
                limit: None,
            })
            .collect(),
    }
}

fn opened(world: &World, severities: &[Severity], received: Timestamp) -> Rectification {
    Rectification::open(None, letter(severities), received, world.rules()).unwrap().into_state()
}

fn report_by(by: AccountId) -> ReportFacts {
    ReportFacts { by, text: "已整改".to_owned(), evidence: vec![FileId::new(Uuid::from_u128(31))] }
}

fn inspector(account: AccountId) -> Verifier {
    Verifier { account, unit: Some(AGENCY), is_inspector: true }
}

fn accept() -> Decision {
    Decision::Accept { note: "属实".to_owned() }
}

fn send_back() -> Decision {
    Decision::Return { reason: "佐证不足".to_owned() }
}

fn fired(rectification: Rectification, at: Timestamp, world: &World) -> (Rectification, Vec<RectificationEvent>) {
    rectification.fire_due(at, world.rules()).unwrap().into_parts()
}

fn keys(events: &[RectificationEvent]) -> Vec<&'static str> {
    events.iter().map(RectificationEvent::key).collect()
}

fn item_id(rectification: &Rectification, index: usize) -> ItemId {
    rectification.items[index].item_id
}

/// A Monday without a holiday near: 2026-03-09.
fn received() -> Timestamp {
    morning(date(2026, 3, 9))
}
