//! The machine of the rectification, act by act and at random.

mod clock;
mod conclusion;
mod joint_liability;
mod ladder;
mod life;
mod look_back;
mod machine;
mod moot;
mod recount;
mod requests;
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
    workbook: Workbook,
}

impl World {
    fn new() -> Self {
        Self::with_next_year(None)
    }

    /// With the notice of 2027, or with a year that nobody has announced.
    fn with_next_year(notice: Option<&str>) -> Self {
        let text = include_str!("../../../../rulebook/hainan-2021/rulebook.toml");
        let mut texts = vec![
            ("2025", include_str!("../../../../rulebook/calendars/national-2025.toml")),
            ("2026", include_str!("../../../../rulebook/calendars/national-2026.toml")),
        ];
        texts.extend(notice.map(|text| ("2027", text)));
        let calendars = CalendarSet::load_from_texts(texts).unwrap();
        Self {
            rulebook: parse("rulebook.toml", text).unwrap(),
            unit: calendars.for_division("460100"),
            agency: calendars.for_division("460000"),
            workbook: Workbook::new(),
        }
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            rulebook: &self.rulebook,
            unit_calendar: &self.unit,
            agency_calendar: &self.agency,
            workbook: &self.workbook,
        }
    }

    /// The proof sheet of a limit; a limit without one proves nothing.
    fn proof(&self, limit: &Limit) -> crate::proof::ProofSheet {
        let sheet = self.workbook.sheet(limit.sheet).unwrap();
        assert_eq!((sheet.proof.due_on, sheet.proof.due_at), (limit.due_on, limit.due_at));
        sheet.proof.clone()
    }
}

const UNIT: UnitId = UnitId::new(Uuid::from_u128(1));
const AGENCY: UnitId = UnitId::new(Uuid::from_u128(2));
const DEPARTMENT: UnitId = UnitId::new(Uuid::from_u128(3));
const REPORTER: AccountId = AccountId::new(Uuid::from_u128(11));
const INSPECTOR: AccountId = AccountId::new(Uuid::from_u128(12));
const MICRO: jiff::SignedDuration = jiff::SignedDuration::from_micros(1);
const OFFICER: AccountId = AccountId::new(Uuid::from_u128(13));
const DIRECTOR: AccountId = AccountId::new(Uuid::from_u128(14));

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
        competent_department: Some(DEPARTMENT),
        division: "460100".to_owned(),
        findings: (1..)
            .zip(severities)
            .map(|(number, severity)| FindingFacts {
                finding_id: FindingId::new(Uuid::from_u128(100 + u128::from(number))),
                number,
                severity: *severity,
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

fn approval(by: AccountId, at: Timestamp) -> Approval {
    Approval { by, at, opinion: "同意销号".to_owned() }
}

fn grant(by: AccountId) -> Ruling {
    Ruling { by: Decider { account: by, is_leader: by == DIRECTOR }, granted: true, note: "同意".to_owned() }
}

fn refuse(by: AccountId) -> Ruling {
    Ruling { by: Decider { account: by, is_leader: by == DIRECTOR }, granted: false, note: "理由不足".to_owned() }
}

fn ask(
    state: Rectification,
    subject: RequestSubject,
    at: Timestamp,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    state.ask(subject, "材料未到".to_owned(), REPORTER, at, world.rules())
}

/// Asks and lets the officer grant it, both at one instant.
fn granted(
    state: Rectification,
    subject: RequestSubject,
    at: Timestamp,
    world: &World,
) -> Result<(Rectification, Vec<RectificationEvent>), RectificationRefusal> {
    let asked = ask(state, subject, at, world)?.into_state();
    let request_id = asked.requests.last().unwrap().request_id;
    Ok(asked.decide_request(request_id, grant(OFFICER), at, None, world.rules())?.into_parts())
}

fn fired(rectification: Rectification, at: Timestamp, world: &World) -> (Rectification, Vec<RectificationEvent>) {
    rectification.fire_due(at, world.rules()).unwrap().into_parts()
}

fn midnight(day: Date) -> Timestamp {
    moment(day, Time::midnight())
}

type Tried = Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal>;

fn submission(by: AccountId, text: &str, at: Timestamp) -> Submission {
    let measure = PlannedMeasure {
        what: "清理通道".to_owned(),
        responsible: "总务处".to_owned(),
        until: date(2026, 3, 20),
        standard: String::new(),
    };
    Submission { by, at, text: text.to_owned(), measures: vec![measure] }
}

fn reported(state: Rectification, index: usize, at: Timestamp, world: &World) -> Rectification {
    let id = item_id(&state, index);
    state.report(id, report_by(REPORTER), at, world.rules()).unwrap().into_state()
}

fn verified(state: Rectification, index: usize, at: Timestamp, world: &World) -> Rectification {
    let id = item_id(&state, index);
    state.verify(id, inspector(INSPECTOR), accept(), at, world.rules()).unwrap().into_state()
}

fn returned(state: Rectification, index: usize, at: Timestamp, world: &World) -> Rectification {
    let id = item_id(&state, index);
    state.verify(id, inspector(INSPECTOR), send_back(), at, world.rules()).unwrap().into_state()
}

/// Closes a verified item with as many approvals as it takes.
fn closed(
    state: Rectification,
    index: usize,
    at: Timestamp,
    world: &World,
) -> (Rectification, Vec<RectificationEvent>) {
    let id = item_id(&state, index);
    let (mut state, mut events) = (state, Vec::new());
    for by in [OFFICER, DIRECTOR] {
        let (next, more) = state.close_out(id, approval(by, at), None, world.rules()).unwrap().into_parts();
        state = next;
        events.extend(more);
    }
    assert_eq!(state.items[index].state.key(), "closed");
    (state, events)
}

/// Reported, verified and closed at one instant.
fn finished(state: Rectification, index: usize, at: Timestamp, world: &World) -> Rectification {
    closed(verified(reported(state, index, at, world), index, at, world), index, at, world).0
}

fn has_timer(state: &Rectification, kind: TimerKind) -> bool {
    state.timers.iter().any(|timer| timer.kind == kind)
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
