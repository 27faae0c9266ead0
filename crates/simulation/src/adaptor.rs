//! The only room that knows the domain's types: a change of the domain changes this file and nothing else.
//!
//! Cases and items are numbers outside of here, instants are microseconds, and what happened is a [`Happening`].

use std::collections::BTreeSet;

use domain::calendar::{Calendar, CalendarLayer, CalendarSet, DayEntry, DayKind, LayerLevel, NoticeStatus};
use domain::doc_number::DocNumber;
use domain::ids::{AccountId, CaseId, FileId, FindingId, ItemId, LetterId, ProposalId, UnitId};
use domain::outcome::Outcome;
use domain::period::{CalendarDays, Hours, Months, Period, WorkingDays};
use domain::rectification::{
    Approval, Decider, Decision, FindingFacts, Item, ItemState, LetterFacts, Limit, LimitBasis, RecountEffect,
    Recounted, Rectification, RectificationEvent, ReportFacts, RequestSubject, Rules, Ruling, StepOutcome, Timeliness,
    Timer, Verifier, Workbook,
};
use domain::rulebook::{Duty, ReminderSchedule, Rulebook, parse};
use domain::severity::Severity;
use jiff::Timestamp;
use jiff::civil::{Date, Time, date};
use uuid::Uuid;

use crate::days::{Micros, Span, WorkDays, day_from_civil};

/// Divisions of the simulated units: a county without days of its own, one with, and the province.
pub const PLACES: [&str; 3] = ["460100", "469028", "460000"];
/// The place of each agency, by its index in [`PLACES`].
pub const AGENCIES: [usize; 3] = [2, 0, 1];

const UNIT: UnitId = UnitId::new(Uuid::from_u128(1));
const AGENCY: UnitId = UnitId::new(Uuid::from_u128(2));
const REPORTER: AccountId = AccountId::new(Uuid::from_u128(11));
const INSPECTOR: AccountId = AccountId::new(Uuid::from_u128(12));
const DEPARTMENT: UnitId = UnitId::new(Uuid::from_u128(3));
/// Who approves close-outs.
const OFFICERS: [AccountId; 2] = [AccountId::new(Uuid::from_u128(13)), AccountId::new(Uuid::from_u128(14))];
/// The Committee's leader, who decides steps and requests.
const LEADER: AccountId = AccountId::new(Uuid::from_u128(15));

/// The item's place in a [`Happening::Duty`] that the whole case owes.
pub const WHOLE: u8 = u8::MAX;

/// The number of the competent department's case of a unit's case.
pub const fn department_of(case: u32) -> u32 {
    case | (1 << 31)
}

/// The number of the other case under joint liability.
pub const fn counterpart_of(case: u32) -> u32 {
    case ^ (1 << 31)
}

/// A set of items of one case, a bit for each.
pub type Items = u8;

/// What a case knows, opaque to everyone else.
#[derive(Clone, Debug, PartialEq)]
pub struct Case(Rectification);

/// What the agency owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owed {
    /// A verification.
    Verification,
    /// A close-out.
    CloseOut,
    /// A decision on a request.
    Request,
    /// A decision on a step of the ladder.
    Step,
    /// The visit of a look-back.
    Visit,
    /// Something that no one in the simulation ever asks for.
    Unknown,
}

/// How a report stood to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Before the due instant.
    InTime,
    /// After it.
    Late,
    /// After an order's limit, too.
    LateAfterUrging,
}

/// Something that happened to a case, as the journal keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    /// The clocks started.
    Opened,
    /// Limits end soon.
    Reminder(Items),
    /// Plans are late.
    PlanOverdue(Items),
    /// Limits have passed.
    Overdue(Items),
    /// An urging order was issued.
    Order {
        /// Its place among the orders of the case, from 1.
        sequence: u32,
        /// The items it lists.
        items: Items,
    },
    /// A step of the ladder was proposed.
    Proposal {
        /// Its place among the steps of the case.
        place: u16,
        /// The level.
        level: u8,
        /// The items that reached it.
        items: Items,
    },
    /// The competent department has a case of its own from now on.
    HeldLiable,
    /// Look-backs are due.
    LookBackDue(Items),
    /// Something that the agency owes is overdue.
    Duty {
        /// What.
        owed: Owed,
        /// Of which item, or [`WHOLE`].
        item: u8,
        /// How often it has been called to mind.
        times: u32,
    },
    /// The unit reported.
    Reported {
        /// The item.
        item: usize,
        /// How it stands to the limits.
        standing: Standing,
    },
    /// A report was accepted.
    Verified(usize),
    /// A report was returned.
    Returned(usize),
    /// One of several approvals of a close-out was given.
    Approved {
        /// The item.
        item: usize,
        /// How many there are.
        given: u32,
    },
    /// A close-out was refused.
    CloseOutRefused(usize),
    /// An item was closed.
    ClosedOut {
        /// The item.
        item: usize,
        /// Whether it was never late.
        on_time: bool,
    },
    /// Every item is closed.
    Completed,
    /// A step was taken, with new limits for the items.
    StepTaken {
        /// The level.
        level: u8,
        /// The items with a new limit.
        items: Items,
    },
    /// A step was lifted, with new limits for the items.
    StepLifted {
        /// The level.
        level: u8,
        /// The items with a new limit.
        items: Items,
    },
    /// A step ended by itself, for its items are closed.
    StepMoot {
        /// Its place.
        place: u16,
    },
    /// A request ended by itself.
    RequestMoot,
    /// Somebody asked for a step to be lifted.
    Asked,
    /// That was granted or refused.
    Ruled(bool),
    /// A look-back found the problem solved.
    LookBackPassed(usize),
    /// A look-back found the problem back.
    Reopened(usize),
    /// The calendar has changed: items by what it means for them.
    Recounted {
        /// The last day moves later.
        later: Items,
        /// The item is late no longer.
        freed: Items,
        /// The count would give an earlier day; the told one stays.
        kept: Items,
        /// The day stays, for good.
        settled: Items,
        /// The day stays, for now.
        provisional: Items,
    },
    /// Something that nobody in the simulation asks for.
    Other,
}

/// Where an item stands, as far as the oracle looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The unit must act.
    Working,
    /// A report waits.
    Reported,
    /// Verified, to be closed.
    Verified,
    /// Closed.
    Closed,
}

/// Who set a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The unit's own limit: by the letter, a return, a look-back, or joint liability.
    Own,
    /// An urging order, by its sequence.
    Order(u32),
    /// A step of the ladder that was taken.
    Step(u8),
    /// A step of the ladder that was lifted.
    Lifted(u8),
}

/// A limit as a unit was told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The first late instant.
    pub due: Micros,
    /// Who set it.
    pub basis: Basis,
    /// Whether its day may still move.
    pub provisional: bool,
}

/// What the oracle compares of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFacts {
    /// Where it stands.
    pub phase: Phase,
    /// Every limit ever told.
    pub limits: Vec<Told>,
    /// Whether it was ever late.
    pub overdue: bool,
    /// How many urging orders list it.
    pub orders: usize,
    /// The highest step of the ladder that it reached.
    pub level: u8,
    /// How many approvals of its close-out there are.
    pub approvals: usize,
}

/// What the oracle compares of a whole case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseFacts {
    /// Items.
    pub items: usize,
    /// Urging orders.
    pub orders: u32,
    /// Steps that were ever proposed.
    pub steps: usize,
    /// Steps that wait for a decision.
    pub undecided: usize,
    /// Whether a case under joint liability stands beside it.
    pub is_linked: bool,
    /// Requests that wait.
    pub requests: usize,
    /// Armed timers.
    pub timers: usize,
}

/// The letter as the simulation makes it up.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The number of the case.
    pub case: u32,
    /// The place of the unit, an index in [`PLACES`].
    pub place: usize,
    /// The issuing agency, an index in [`AGENCIES`].
    pub agency: usize,
    /// The severity of each finding, from 0 for light.
    pub severities: Vec<usize>,
    /// Whether the unit has a competent department.
    pub has_department: bool,
}

/// What people do with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Report; the attempt makes one report differ from the next.
    Report {
        /// How often the item was reported before.
        attempt: u32,
    },
    /// Accept the report.
    Accept,
    /// Return the report.
    Return {
        /// How often it was returned before.
        attempt: u32,
    },
    /// Approve the item's close-out.
    CloseOut {
        /// Which of the two officers.
        officer: usize,
    },
    /// Approve it by the person who reported: always refused.
    CloseOwn,
    /// Refuse the item's close-out.
    RefuseCloseOut,
    /// Say what a look-back found.
    LookBack {
        /// Whether the problem stays solved.
        passes: bool,
        /// How often the item was reported before.
        attempt: u32,
    },
    /// Take a step of the ladder.
    TakeStep {
        /// Its place.
        place: u16,
    },
    /// Ask for a step to be lifted.
    AskLift {
        /// Its place.
        place: u16,
    },
    /// Decide such a request.
    DecideLift {
        /// The step's place.
        place: u16,
        /// Whether it is granted.
        granted: bool,
    },
    /// Verify by the person who reported: always refused.
    VerifyOwn,
}

/// The periods of one severity, as plain data.
#[derive(Clone, Debug)]
pub struct Periods {
    /// To the report.
    pub finish: Span,
    /// To the verification of a report.
    pub verification: Span,
    /// To the next report after a return.
    pub after_return: Span,
    /// From the end of a limit to the urging order.
    pub urging_after_due: Span,
    /// The limit that an urging order sets.
    pub urging_limit: Span,
    /// Reminders so many working days before the end.
    pub remind_before: Vec<u16>,
    /// Or every so many hours; 0 for never.
    pub remind_every: u16,
    /// To the plan, where one is asked for.
    pub plan: Option<Span>,
    /// Approvals of a close-out.
    pub approvals: usize,
    /// From the close-out to the look-backs.
    pub look_backs: Vec<Span>,
    /// Of a hundred items so many are looked back on.
    pub sample: u8,
}

/// A step of the ladder above the urging order, as plain data.
#[derive(Clone, Copy, Debug)]
pub struct Rung {
    /// From the end of the limit below to the proposal.
    pub wait: Span,
    /// To the decision.
    pub decide: Span,
    /// The limit that the decision sets.
    pub limit: Span,
}

/// What the agency owes, and joint liability, as plain data.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// To the close-out.
    pub close_out: Span,
    /// To the decision of a request.
    pub request: Span,
    /// To the result of a look-back.
    pub visit: Span,
    /// Until an overdue duty is called to mind again.
    pub again: Span,
    /// The level at which the competent department is held liable.
    pub liable_at: u8,
    /// The department's limit.
    pub liability: Span,
}

/// The derivations of one round, each made once.
#[derive(Debug, Default)]
pub struct Round(Workbook);

/// What the clock made of a case.
#[derive(Debug)]
pub struct Fired {
    /// The case afterwards.
    pub case: Case,
    /// What happened.
    pub happened: Vec<Happening>,
    /// The competent department's case, when one was opened.
    pub department: Option<Case>,
}

/// The rules with every edition of the calendars, for the engine and, as plain data, for the oracle.
#[derive(Debug)]
pub struct Book {
    rulebook: Rulebook,
    editions: Vec<Vec<Calendar>>,
    days: Vec<Vec<WorkDays>>,
    announced: Vec<Micros>,
    periods: Vec<Periods>,
    rungs: Vec<Rung>,
    waits: Waits,
    reminder_time: Micros,
}

/// A refusal or a fault of the domain, as text.
pub type Refusal = String;

impl Book {
    /// The rulebook of the province and its calendars, with closures and a late notice that come in flight.
    pub fn load() -> Result<Self, String> {
        let text = include_str!("../../../rulebook/hainan-2021/rulebook.toml");
        let rulebook = parse("rulebook.toml", text).map_err(|faults| format!("{faults:?}"))?;
        let mut layers = CalendarSet::load_from_texts([
            ("2024", include_str!("../../../rulebook/calendars/national-2024.toml")),
            ("2025", include_str!("../../../rulebook/calendars/national-2025.toml")),
            ("2026", include_str!("../../../rulebook/calendars/national-2026.toml")),
            ("2027", include_str!("../../../rulebook/calendars/national-2027.toml")),
            ("hainan", include_str!("../../../rulebook/calendars/hainan.toml")),
            ("county", include_str!("../../../rulebook/calendars/county-469028.toml")),
        ])
        .map_err(|faults| format!("{faults:?}"))?
        .layers()
        .to_vec();
        let mut book = Self {
            periods: Severity::ALL.iter().map(|severity| periods(&rulebook, *severity)).collect(),
            rungs: (2..=4).filter_map(|level| rung(&rulebook, level)).collect(),
            waits: Waits {
                close_out: span(rulebook.waiting.close_out.period),
                request: span(rulebook.waiting.request_decision.period),
                visit: span(rulebook.waiting.look_back_visit.period),
                again: span(rulebook.waiting.remind_every.period),
                liable_at: rulebook.joint_liability.level,
                liability: span(rulebook.joint_liability.period),
            },
            reminder_time: rulebook.reminder_time.duration_since(Time::midnight()).as_secs() * crate::days::SECOND,
            rulebook,
            editions: Vec::new(),
            days: Vec::new(),
            announced: Vec::new(),
        };
        book.add_edition(layers.clone(), Micros::MIN)?;
        for notice in notices() {
            if let Some(layer) = layers.iter_mut().find(|layer| layer.id == notice.layer) {
                layer.status = NoticeStatus::Published;
                layer.days.extend(notice.days);
            }
            book.add_edition(layers.clone(), micros_of(notice.announced))?;
        }
        Ok(book)
    }

    fn add_edition(&mut self, layers: Vec<CalendarLayer>, announced: Micros) -> Result<(), String> {
        self.days.push(PLACES.iter().map(|place| work_days(&layers, place)).collect());
        let set = CalendarSet::try_new(layers).map_err(|faults| format!("{faults:?}"))?;
        self.editions.push(PLACES.iter().map(|place| set.for_division(place)).collect());
        self.announced.push(announced);
        Ok(())
    }

    /// How many editions of the calendars there are.
    pub const fn editions(&self) -> usize {
        self.editions.len()
    }

    /// When an edition was announced.
    pub fn announced(&self, edition: usize) -> Micros {
        self.announced.get(edition).copied().unwrap_or(Micros::MAX)
    }

    /// The oracle's own working days of a place.
    pub fn days(&self, edition: usize, place: usize) -> &WorkDays {
        &self.days[edition][place]
    }

    /// The periods of a severity.
    pub fn periods(&self, severity: usize) -> &Periods {
        &self.periods[severity]
    }

    /// The step of the ladder at a level, from 2 to 4.
    pub fn rung(&self, level: u8) -> Rung {
        self.rungs[usize::from(level) - 2]
    }

    /// What the agency owes.
    pub const fn waits(&self) -> Waits {
        self.waits
    }

    /// The local time of day of reminders.
    pub const fn reminder_time(&self) -> Micros {
        self.reminder_time
    }

    fn rules<'r>(&'r self, edition: usize, place: usize, agency: usize, workbook: &'r Workbook) -> Rules<'r> {
        let calendars = &self.editions[edition];
        Rules {
            rulebook: &self.rulebook,
            unit_calendar: &calendars[place],
            agency_calendar: &calendars[AGENCIES[agency]],
            workbook,
        }
    }

    /// The receipt starts the clocks.
    pub fn open(&self, letter: &Letter, at: Micros, edition: usize) -> Result<(Case, Vec<Happening>), Refusal> {
        let facts = LetterFacts {
            letter_id: LetterId::new(Uuid::from_u128((1 << 64) | u128::from(letter.case))),
            case_id: CaseId::new(Uuid::from_u128((2 << 64) | u128::from(letter.case))),
            letter_number: DocNumber::try_new("琼教督委", None, 2025, letter.case + 1)
                .map_err(|error| error.to_string())?,
            issuing_agency: AGENCY,
            supervised_unit: UNIT,
            competent_department: letter.has_department.then_some(DEPARTMENT),
            division: PLACES[letter.place].to_owned(),
            findings: (1_u32..)
                .zip(&letter.severities)
                .map(|(number, severity)| FindingFacts {
                    finding_id: FindingId::new(Uuid::from_u128(
                        (3 << 64) | (u128::from(letter.case) << 8) | u128::from(number),
                    )),
                    number,
                    severity: Severity::ALL[*severity],
                    responsible_unit: UNIT,
                    limit: None,
                })
                .collect(),
        };
        let workbook = Workbook::new();
        let rules = self.rules(edition, letter.place, letter.agency, &workbook);
        Rectification::open(None, facts, instant(at), rules)
            .map(finish)
            .map_err(|refusal| refusal.to_string())?
            .ok_or_else(|| "opening changed nothing".to_owned())
    }

    /// Lets everything act that is due; nothing when nothing is. The workbook is the round's.
    pub fn fire(
        &self,
        case: &Case,
        agency: usize,
        at: Micros,
        edition: usize,
        round: &Round,
    ) -> Result<Option<Fired>, Refusal> {
        let rules = self.rules(edition, place_of(case), agency, &round.0);
        let outcome = case.0.clone().fire_due(instant(at), rules).map_err(|refusal| refusal.to_string())?;
        let department = outcome.events().iter().find_map(|event| match event {
            RectificationEvent::DepartmentHeldLiable { department_case, .. } => Some(Case(*department_case.clone())),
            _ => None,
        });
        Ok(finish(outcome).map(|(case, happened)| Fired { case, happened, department }))
    }

    /// Counts a case again by another edition of the calendars; nothing when that changes nothing.
    pub fn recount(
        &self,
        case: &Case,
        agency: usize,
        at: Micros,
        edition: usize,
        round: &Round,
    ) -> Result<Option<(Case, Vec<Happening>)>, Refusal> {
        let rules = self.rules(edition, place_of(case), agency, &round.0);
        case.0.clone().recount(instant(at), rules).map(finish).map_err(|refusal| refusal.to_string())
    }

    /// Lets a person act; nothing when it had been done before. Of a case under joint liability the other one is at hand.
    pub fn act(
        &self,
        (case, counterpart): (&Case, Option<&Case>),
        agency: usize,
        (item, act): (usize, Act),
        at: Micros,
        edition: usize,
    ) -> Result<Option<(Case, Vec<Happening>)>, Refusal> {
        let workbook = Workbook::new();
        let rules = self.rules(edition, place_of(case), agency, &workbook);
        let item_id = item_id(case, item).ok_or_else(|| format!("no item {item}"))?;
        let state = case.0.clone();
        let other = counterpart.map(|other| &other.0);
        let inspector = Verifier { account: INSPECTOR, unit: None, is_inspector: true };
        let at = instant(at);
        let accept = || Decision::Accept { note: "属实".to_owned() };
        let approve = |by| Approval { by, at, opinion: "同意".to_owned() };
        match act {
            Act::Report { attempt } => {
                let evidence = vec![FileId::new(Uuid::from_u128(u128::from(attempt) + 1))];
                let facts = ReportFacts { by: REPORTER, text: format!("已整改{attempt}"), evidence };
                state.report(item_id, facts, at, rules)
            }
            Act::Accept => state.verify(item_id, inspector, accept(), at, rules),
            Act::Return { attempt } => {
                let reason = format!("佐证不足{attempt}");
                state.verify(item_id, inspector, Decision::Return { reason }, at, rules)
            }
            Act::CloseOut { officer } => state.close_out(item_id, approve(OFFICERS[officer & 1]), other, rules),
            Act::CloseOwn => state.close_out(item_id, approve(REPORTER), other, rules),
            Act::RefuseCloseOut => state.refuse_close_out(item_id, OFFICERS[0], "材料不全".to_owned(), at, rules),
            Act::LookBack { passes: true, attempt } => {
                state.look_back(item_id, inspector, &Decision::Accept { note: format!("未反弹{attempt}") }, at, rules)
            }
            Act::LookBack { passes: false, attempt } => {
                state.look_back(item_id, inspector, &Decision::Return { reason: format!("反弹{attempt}") }, at, rules)
            }
            Act::TakeStep { place } => {
                let step = state.steps.get(usize::from(place)).ok_or_else(|| "no such step".to_owned())?;
                let (proposal_id, decider) = (step.proposal_id, Decider { account: LEADER, is_leader: true });
                state.take_step(proposal_id, decider, "已办理".to_owned(), at, rules)
            }
            Act::AskLift { place } => {
                let step = state.steps.get(usize::from(place)).ok_or_else(|| "no such step".to_owned())?;
                let subject = RequestSubject::Lift { proposal_id: step.proposal_id };
                state.ask(subject, "已有实质进展".to_owned(), REPORTER, at, rules)
            }
            Act::DecideLift { place, granted } => {
                let step = state.steps.get(usize::from(place)).ok_or_else(|| "no such step".to_owned())?;
                let subject = RequestSubject::Lift { proposal_id: step.proposal_id };
                let request = state.requests.iter().find(|request| request.subject == subject);
                let request_id = request.ok_or_else(|| "no such request".to_owned())?.request_id;
                let by = Decider { account: LEADER, is_leader: true };
                let ruling = Ruling { by, granted, note: "已研究".to_owned() };
                state.decide_request(request_id, ruling, at, other, rules)
            }
            Act::VerifyOwn => {
                let own = Verifier { account: REPORTER, ..inspector };
                state.verify(item_id, own, accept(), at, rules)
            }
        }
        .map(finish)
        .map_err(|refusal| refusal.to_string())
    }
}

/// A case that waited for its counterpart is completed with it; nothing when it did not wait.
pub fn conclude(case: &Case, at: Micros) -> Option<(Case, Vec<Happening>)> {
    finish(case.0.clone().conclude(instant(at)))
}

/// The instant of the next timer.
pub fn next_due(case: &Case) -> Option<Micros> {
    case.0.next_timer_at().map(Timestamp::as_microsecond)
}

/// The identities of the timers that are due, folded to 64 bits.
pub fn due_timers(case: &Case, at: Micros) -> impl Iterator<Item = u64> + '_ {
    case.0.timers.iter().filter(move |timer| timer.due_at.as_microsecond() <= at).map(identity)
}

/// One timer acts once: what it is for, of what, which one, and when.
fn identity(timer: &Timer) -> u64 {
    let mix = |sum: u64, part: u64| (sum.rotate_left(17) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [
        timer.kind as u64,
        u64::from(timer.item),
        u64::from(timer.round),
        u64::from(timer.step),
        timer.due_at.as_microsecond().cast_unsigned(),
    ]
    .into_iter()
    .fold(0, mix)
}

/// Whether two timers watch the same thing: the same limit, the same duty.
pub fn armed_twice(case: &Case) -> bool {
    let watched = |timer: &Timer| {
        // A limit has several reminders; whatever else is watched has one clock.
        let step = if timer.kind.duty().is_some() { 0 } else { timer.step };
        (timer.kind, timer.item, timer.round, step)
    };
    let all: BTreeSet<_> = case.0.timers.iter().map(watched).collect();
    all.len() != case.0.timers.len()
}

/// How many items the case has.
pub const fn item_count(case: &Case) -> usize {
    case.0.items.len()
}

/// Whether every item is closed.
pub fn is_complete(case: &Case) -> bool {
    case.0.is_complete()
}

/// Whether a case under joint liability stands beside it.
pub const fn is_linked(case: &Case) -> bool {
    case.0.link.is_some()
}

/// Whether the step waits for a decision, and whether a request to lift it does.
pub fn step_waits(case: &Case, place: u16) -> (bool, bool) {
    let step = case.0.steps.get(usize::from(place));
    let is_open = step.is_some_and(|step| matches!(step.outcome, StepOutcome::Proposed));
    let is_asked = step.is_some_and(|step| {
        let subject = RequestSubject::Lift { proposal_id: step.proposal_id };
        case.0.requests.iter().any(|request| request.subject == subject)
    });
    (is_open, is_asked)
}

/// How many approvals the close-out of an item has.
pub fn approvals(case: &Case, item: usize) -> usize {
    item_facts(case, item).map_or(0, |facts| facts.approvals)
}

/// The draw that decides whether an item is looked back on: its identity, of a hundred.
pub fn draw(case: &Case, item: usize) -> u8 {
    let drawn = item_id(case, item).map_or(0, |id| id.as_uuid().as_u128() % 100);
    u8::try_from(drawn).unwrap_or_default()
}

/// What the oracle compares of the whole case.
pub fn case_facts(case: &Case) -> CaseFacts {
    let undecided = |step: &&domain::rectification::Step| matches!(step.outcome, StepOutcome::Proposed);
    CaseFacts {
        items: case.0.items.len(),
        orders: case.0.urging_orders,
        steps: case.0.steps.len(),
        undecided: case.0.steps.iter().filter(undecided).count(),
        is_linked: case.0.link.is_some(),
        requests: case.0.requests.len(),
        timers: case.0.timers.len(),
    }
}

/// What the oracle compares of an item.
pub fn item_facts(case: &Case, item: usize) -> Option<ItemFacts> {
    let found = case.0.items.get(item)?;
    let (phase, approvals) = match &found.state {
        ItemState::InProgress | ItemState::Returned { .. } => (Phase::Working, 0),
        ItemState::Reported { .. } => (Phase::Reported, 0),
        ItemState::Verified { approvals, .. } => (Phase::Verified, approvals.len()),
        ItemState::Closed { approvals, .. } => (Phase::Closed, approvals.len()),
        ItemState::Waived { .. } => (Phase::Closed, 0),
    };
    Some(ItemFacts {
        phase,
        limits: found.limits.iter().map(|limit| told(found, limit)).collect(),
        overdue: found.overdue_at.is_some(),
        orders: found.urged.len(),
        level: found.ladder_level,
        approvals,
    })
}

fn told(item: &Item, limit: &Limit) -> Told {
    let basis = match limit.basis {
        LimitBasis::Letter
        | LimitBasis::Returned
        | LimitBasis::Extended
        | LimitBasis::Reopened
        | LimitBasis::JointLiability => Basis::Own,
        LimitBasis::UrgingOrder { order_id } => {
            let place = item.urged.iter().position(|mark| mark.order_id == order_id);
            Basis::Order(place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX))
        }
        LimitBasis::Step { level } => Basis::Step(level),
        LimitBasis::Lifted { level } => Basis::Lifted(level),
    };
    Told { due: limit.due_at().as_microsecond(), basis, provisional: limit.provisional }
}

/// Phase, first late instant of the limit in force, and how many limits there were.
pub fn standing(case: &Case, item: usize) -> Option<(Phase, Micros, usize)> {
    let facts = item_facts(case, item)?;
    Some((facts.phase, facts.limits.last()?.due, facts.limits.len()))
}

/// The numbers of limits, by item: a limit is stored once for item and round.
pub fn limit_count(case: &Case, item: usize) -> usize {
    case.0.items.get(item).map_or(0, |item| item.limits.len())
}

fn place_of(case: &Case) -> usize {
    PLACES.iter().position(|place| *place == case.0.letter.division).unwrap_or_default()
}

fn item_id(case: &Case, item: usize) -> Option<ItemId> {
    case.0.items.get(item).map(|item| item.item_id)
}

fn instant(at: Micros) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX)
}

fn micros_of(day: Date) -> Micros {
    crate::days::start_of(day_number(day))
}

fn day_number(day: Date) -> i64 {
    day_from_civil(i64::from(day.year()), i64::from(day.month()), i64::from(day.day()))
}

fn finish(outcome: Outcome<Rectification, RectificationEvent>) -> Option<(Case, Vec<Happening>)> {
    match outcome {
        Outcome::Unchanged(_) => None,
        Outcome::Changed { next, events } => {
            let happened = happenings(&next, &events);
            Some((Case(next), happened))
        }
    }
}

/// What comes one by one in the domain and together in the journal is drawn together; duties have no order among themselves.
fn happenings(next: &Rectification, events: &[RectificationEvent]) -> Vec<Happening> {
    let index = |id: ItemId| next.items.iter().position(|item| item.item_id == id).unwrap_or(7);
    let bit = |id: ItemId| 1_u8 << (index(id) & 7);
    let bits = |limits: &[(ItemId, Limit)]| limits.iter().fold(0, |set, (id, _)| set | bit(*id));
    let mut found: Vec<Happening> = Vec::with_capacity(events.len());
    for event in events {
        let happening = match event {
            RectificationEvent::Opened { .. } => Happening::Opened,
            RectificationEvent::RemindersDue { items } => {
                Happening::Reminder(items.iter().fold(0, |set, item| set | bit(item.item_id)))
            }
            RectificationEvent::PlanOverdue { item_id, .. } => match found.last_mut() {
                Some(Happening::PlanOverdue(set)) => {
                    *set |= bit(*item_id);
                    continue;
                }
                _ => Happening::PlanOverdue(bit(*item_id)),
            },
            RectificationEvent::ItemOverdue { item_id, .. } => match found.last_mut() {
                Some(Happening::Overdue(set)) => {
                    *set |= bit(*item_id);
                    continue;
                }
                _ => Happening::Overdue(bit(*item_id)),
            },
            RectificationEvent::UrgingOrderIssued { order } => Happening::Order {
                sequence: order.sequence,
                items: order.items.iter().fold(0, |set, item| set | bit(item.item_id)),
            },
            RectificationEvent::EscalationProposed { proposal } => Happening::Proposal {
                place: place_of_step(next, proposal.proposal_id),
                level: proposal.level,
                items: proposal.items.iter().fold(0, |set, item| set | bit(item.item_id)),
            },
            RectificationEvent::DepartmentHeldLiable { .. } => Happening::HeldLiable,
            RectificationEvent::LookBackDue { item_id, .. } => match found.last_mut() {
                Some(Happening::LookBackDue(set)) => {
                    *set |= bit(*item_id);
                    continue;
                }
                _ => Happening::LookBackDue(bit(*item_id)),
            },
            RectificationEvent::DutyOverdue { duty, item_id, times, .. } => Happening::Duty {
                owed: owed(*duty),
                item: item_id.map_or(WHOLE, |id| u8::try_from(index(id)).unwrap_or(7)),
                times: *times,
            },
            RectificationEvent::ItemReported { item_id, timeliness, .. } => Happening::Reported {
                item: index(*item_id),
                standing: match timeliness {
                    Timeliness::InTime => Standing::InTime,
                    Timeliness::Late => Standing::Late,
                    Timeliness::LateAfterUrging => Standing::LateAfterUrging,
                },
            },
            RectificationEvent::ItemVerified { item_id, .. } => Happening::Verified(index(*item_id)),
            RectificationEvent::ItemReturned { item_id, .. } => Happening::Returned(index(*item_id)),
            RectificationEvent::CloseOutApproved { item_id, given, .. } => {
                Happening::Approved { item: index(*item_id), given: *given }
            }
            RectificationEvent::CloseOutRefused { item_id, .. } => Happening::CloseOutRefused(index(*item_id)),
            RectificationEvent::ItemClosedOut { item_id, always_on_time, .. } => {
                Happening::ClosedOut { item: index(*item_id), on_time: *always_on_time }
            }
            RectificationEvent::Completed { .. } => Happening::Completed,
            RectificationEvent::StepTaken { level, limits, .. } => {
                Happening::StepTaken { level: *level, items: bits(limits) }
            }
            RectificationEvent::StepLifted { level, limits, .. } => {
                Happening::StepLifted { level: *level, items: bits(limits) }
            }
            RectificationEvent::StepMoot { proposal_id, .. } => {
                Happening::StepMoot { place: place_of_step(next, *proposal_id) }
            }
            RectificationEvent::RequestMoot { .. } => Happening::RequestMoot,
            RectificationEvent::RequestMade { .. } => Happening::Asked,
            RectificationEvent::RequestDecided { granted, .. } => Happening::Ruled(*granted),
            RectificationEvent::LookBackPassed { item_id, .. } => Happening::LookBackPassed(index(*item_id)),
            RectificationEvent::ItemReopened { item_id, .. } => Happening::Reopened(index(*item_id)),
            RectificationEvent::Recounted { items, .. } => recounted(items, bit),
            RectificationEvent::PlanSubmitted { .. }
            | RectificationEvent::PlanJudged { .. }
            | RectificationEvent::ProgressNoted { .. }
            | RectificationEvent::Paused { .. }
            | RectificationEvent::Resumed { .. }
            | RectificationEvent::ConsultationSent { .. }
            | RectificationEvent::ConsultationAnswered { .. }
            | RectificationEvent::ItemWaived { .. }
            | RectificationEvent::ItemExtended { .. } => Happening::Other,
        };
        found.push(happening);
    }
    let duties = found.iter().position(|one| matches!(one, Happening::Duty { .. })).unwrap_or(found.len());
    found[duties..].sort_unstable();
    found
}

fn place_of_step(case: &Rectification, proposal_id: ProposalId) -> u16 {
    let place = case.steps.iter().position(|step| step.proposal_id == proposal_id);
    place.and_then(|place| u16::try_from(place).ok()).unwrap_or(u16::MAX)
}

fn recounted(items: &[Recounted], bit: impl Fn(ItemId) -> Items) -> Happening {
    let with = |effect: RecountEffect| {
        items.iter().filter(|one| one.effect == effect).fold(0, |set, one| set | bit(one.item_id))
    };
    Happening::Recounted {
        later: with(RecountEffect::Later),
        freed: with(RecountEffect::Freed),
        kept: with(RecountEffect::Kept),
        settled: with(RecountEffect::Final),
        provisional: with(RecountEffect::Provisional),
    }
}

const fn owed(duty: Duty) -> Owed {
    match duty {
        Duty::Verification => Owed::Verification,
        Duty::CloseOut => Owed::CloseOut,
        Duty::RequestDecision => Owed::Request,
        Duty::StepDecision => Owed::Step,
        Duty::LookBackVisit => Owed::Visit,
        Duty::PlanAcceptance | Duty::ConsultationAnswer => Owed::Unknown,
    }
}

fn rung(rulebook: &Rulebook, level: u8) -> Option<Rung> {
    let step = rulebook.ladder_step(level)?;
    Some(Rung { wait: span(step.wait), decide: span(step.decide?), limit: span(step.limit?) })
}

fn span(period: Period) -> Span {
    match period {
        Period::SameDay => Span::SameDay,
        Period::WorkingDays(WorkingDays(amount)) => Span::Working(amount),
        Period::CalendarDays(CalendarDays(amount)) => Span::Calendar(amount),
        Period::Months(Months(amount)) => Span::Months(amount),
        Period::Hours(Hours(amount)) => Span::Hours(amount),
    }
}

fn periods(rulebook: &Rulebook, severity: Severity) -> Periods {
    let rule = rulebook.severity_rule(severity);
    let (remind_before, remind_every) = match &rule.reminders.schedule {
        ReminderSchedule::WorkingDaysBefore(days) => (days.iter().map(|day| day.0).collect(), 0),
        ReminderSchedule::EveryHours(Hours(hours)) => (Vec::new(), *hours),
    };
    Periods {
        finish: span(rule.finish.period),
        verification: span(rule.verification.period),
        after_return: span(rule.return_limit.period),
        urging_after_due: span(rule.urging_after_due.period),
        urging_limit: span(rule.urging_limit.period),
        remind_before,
        remind_every,
        plan: rule.plan.as_ref().map(|plan| span(plan.period)),
        approvals: usize::from(rule.close_out_approvals),
        look_backs: rule.look_back.after.iter().map(|period| span(*period)).collect(),
        sample: rule.look_back.sample_percent,
    }
}

/// The oracle's own merging of the layers: the country, over it the province, over it the county.
fn work_days(layers: &[CalendarLayer], place: &str) -> WorkDays {
    let mut days = WorkDays::weekdays(day_from_civil(2024, 1, 1), 14 * 366);
    let levels =
        [(LayerLevel::National, None), (LayerLevel::Province, Some("460000")), (LayerLevel::County, Some(place))];
    for (level, area) in levels {
        for layer in layers.iter().filter(|layer| layer.level == level && layer.area.as_deref() == area) {
            if let (LayerLevel::National, NoticeStatus::Published, Some(year)) = (level, layer.status, layer.year) {
                days.notice(i64::from(year));
            }
            for entry in &layer.days {
                let works = matches!(entry.kind, DayKind::Work);
                days.set(day_number(entry.from), day_number(entry.last()), works);
            }
        }
    }
    days
}

/// A notice that comes while cases run.
struct Notice {
    announced: Date,
    layer: &'static str,
    days: Vec<DayEntry>,
}

fn notices() -> Vec<Notice> {
    let entry = |from: Date, to: Date, kind: DayKind| DayEntry {
        from,
        to: Some(to),
        kind,
        name: "通知".to_owned(),
        source: None,
    };
    let one = |announced: Date, layer: &'static str, from: Date, to: Date, kind: DayKind| Notice {
        announced,
        layer,
        days: vec![entry(from, to, kind)],
    };
    vec![
        one(date(2025, 4, 21), "county-469028", date(2025, 4, 24), date(2025, 4, 25), DayKind::Rest),
        one(date(2025, 7, 18), "hainan", date(2025, 7, 21), date(2025, 7, 22), DayKind::Closure),
        one(date(2025, 10, 13), "county-469028", date(2025, 10, 14), date(2025, 10, 15), DayKind::Closure),
        one(date(2025, 12, 29), "hainan", date(2025, 12, 30), date(2025, 12, 31), DayKind::Closure),
        one(date(2026, 4, 13), "county-469028", date(2026, 4, 20), date(2026, 4, 20), DayKind::Rest),
        one(date(2026, 9, 2), "hainan", date(2026, 9, 3), date(2026, 9, 4), DayKind::Closure),
        Notice {
            announced: date(2026, 11, 4),
            layer: "national-2027",
            days: vec![
                entry(date(2027, 1, 1), date(2027, 1, 3), DayKind::Rest),
                entry(date(2027, 2, 5), date(2027, 2, 11), DayKind::Rest),
                entry(date(2027, 2, 13), date(2027, 2, 13), DayKind::Work),
                entry(date(2027, 4, 5), date(2027, 4, 5), DayKind::Rest),
            ],
        },
    ]
}
