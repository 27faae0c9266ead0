//! A case as the oracle knows it: its own machine of limits, clocks, steps and duties, written from the rules and not from the
//! engine.

use crate::adaptor::{
    AGENCIES, Act, Basis, Book, CaseFacts, Happening, ItemFacts, Items, Letter, Owed, Phase, Standing, Told, WHOLE,
};
use crate::days::{HOUR, Micros, Span, WorkDays, start_of};

/// A limit as it was told, with what it is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefLimit {
    day: i64,
    pub(crate) due: Micros,
    basis: Basis,
    provisional: bool,
    /// A later count gave an earlier day, and this one was kept.
    is_kept: bool,
    set_at: Micros,
    from: Micros,
    span: Span,
}

impl RefLimit {
    fn count((from, span): (Micros, Span), basis: Basis, set_at: Micros, days: &WorkDays) -> Self {
        let (day, due) = days.end(from, span);
        let provisional = days.is_provisional(from, day, span);
        Self { day, due, basis, provisional, is_kept: false, set_at, from, span }
    }

    fn is_own(&self) -> bool {
        self.basis == Basis::Own
    }

    /// The end of a wait that follows the limit: days from its last day, hours from its end.
    fn after(&self, span: Span, days: &WorkDays) -> Micros {
        let anchor = if matches!(span, Span::Hours(_)) { self.due } else { start_of(self.day) };
        days.end(anchor, span).1.max(self.due)
    }

    /// The step of the ladder that follows when the limit passes.
    const fn level_after(&self) -> Option<u8> {
        match self.basis {
            Basis::Own => None,
            Basis::Order(_) => Some(2),
            Basis::Step(level) => Some(if level < 4 { level + 1 } else { 4 }),
            Basis::Lifted(level) => Some(level),
        }
    }
}

/// The clock of something that the agency owes: it strikes again and again until it is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    due: Micros,
    times: u32,
}

impl Clock {
    fn new(at: Micros, span: Span, days: &WorkDays) -> Self {
        Self { due: days.end(at, span).1, times: 0 }
    }

    /// Strikes when it is due; the next time so long after this due instant, or after now when that is past too.
    fn strike(&mut self, at: Micros, again: Span, days: &WorkDays) -> Option<u32> {
        if self.due > at {
            return None;
        }
        // What ended at 24:00 ended on the day before.
        let last = if matches!(again, Span::Hours(_)) { self.due } else { self.due - 1 };
        let next = days.end(last, again).1;
        self.due = if next > at { next } else { days.end(at, again).1 };
        self.times += 1;
        Some(self.times)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Armed(Micros),
    Due(Clock),
    Done,
}

impl Look {
    const fn clock(&self) -> Option<Micros> {
        match self {
            Self::Armed(at) => Some(*at),
            Self::Due(clock) => Some(clock.due),
            Self::Done => None,
        }
    }
}

/// The unit's own clocks of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct UnitClocks {
    reminders: Vec<(usize, Micros)>,
    single: [Option<Micros>; 3],
    escalate: Option<(u8, Micros)>,
}

/// An item.
#[derive(Clone, Debug)]
pub(crate) struct RefItem {
    severity: usize,
    /// Of a hundred; decides whether it is looked back on.
    draw: u8,
    phase: Phase,
    limits: Vec<RefLimit>,
    /// The first due instant that was missed, and the limit that was missed last.
    overdue: Option<Micros>,
    missed: Option<usize>,
    orders: usize,
    level: u8,
    approvals: Vec<usize>,
    /// When the plan is due, and whether it is late; nobody ever hands one in.
    plan: Option<(Micros, bool)>,
    reminders: Vec<(usize, Micros)>,
    plan_at: Option<Micros>,
    due_at: Option<Micros>,
    urge_at: Option<Micros>,
    escalate: Option<(u8, Micros)>,
    verify: Option<Clock>,
    close_out: Option<Clock>,
    looks: Vec<Look>,
}

impl RefItem {
    fn new(severity: usize, draw: u8, plan: Option<Micros>) -> Self {
        Self {
            severity,
            draw,
            phase: Phase::Working,
            limits: Vec::new(),
            overdue: None,
            missed: None,
            orders: 0,
            level: 0,
            approvals: Vec::new(),
            plan: plan.map(|due| (due, false)),
            reminders: Vec::new(),
            plan_at: None,
            due_at: None,
            urge_at: None,
            escalate: None,
            verify: None,
            close_out: None,
            looks: Vec::new(),
        }
    }

    fn limit(&self) -> Option<&RefLimit> {
        self.limits.last()
    }

    /// The limit that decides whether the item is on time, with its place.
    pub(crate) fn binding(&self) -> Option<(usize, &RefLimit)> {
        self.limits.iter().enumerate().rev().find(|(_, limit)| limit.is_own())
    }

    /// Whether the clock has marked the item late for that limit.
    pub(crate) fn is_marked(&self) -> bool {
        self.binding().is_some_and(|(place, _)| self.missed == Some(place))
    }

    /// Whether an order or a step has set a limit since.
    pub(crate) fn is_urged(&self) -> bool {
        self.limit().is_some_and(|limit| !limit.is_own())
    }

    fn is_late(&self, at: Micros) -> bool {
        self.phase == Phase::Working && self.limit().is_some_and(|limit| at >= limit.due)
    }

    /// Marks the item late for its binding limit, once; by whose own time it is not late, for them the mark is taken back.
    fn mark(&mut self, at: Micros) -> bool {
        let Some((place, due)) = self.binding().map(|(place, limit)| (place, limit.due)) else { return false };
        let is_marked = self.missed == Some(place);
        if at < due {
            if is_marked {
                self.missed = None;
                self.overdue = self.overdue.filter(|first| *first != due);
            }
            return false;
        }
        self.missed = Some(place);
        self.overdue = self.overdue.or(Some(due));
        !is_marked
    }

    fn standing(&self, at: Micros) -> Standing {
        let Some((place, binding)) = self.binding() else { return Standing::InTime };
        let climbed = &self.limits[place + 1..];
        // An order's limit has passed when its end has come, or when the ladder has gone on since.
        let passed =
            climbed.last().is_some_and(|last| at >= last.due || climbed.iter().any(|limit| limit.basis != last.basis));
        match (at < binding.due, passed) {
            (true, _) => Standing::InTime,
            (false, true) => Standing::LateAfterUrging,
            (false, false) => Standing::Late,
        }
    }

    fn disarm_unit(&mut self) {
        self.reminders.clear();
        self.plan_at = None;
        self.due_at = None;
        self.urge_at = None;
        self.escalate = None;
    }

    fn clocks(&self) -> impl Iterator<Item = Micros> + '_ {
        let single = [
            self.plan_at,
            self.due_at,
            self.urge_at,
            self.escalate.map(|(_, at)| at),
            self.verify.map(|clock| clock.due),
            self.close_out.map(|clock| clock.due),
        ];
        let reminders = self.reminders.iter().map(|(_, at)| *at);
        single.into_iter().flatten().chain(reminders).chain(self.looks.iter().filter_map(Look::clock))
    }

    /// What the unit's own clocks are, to see whether a count changes them.
    fn unit_clocks(&self) -> UnitClocks {
        let mut reminders = self.reminders.clone();
        reminders.sort_unstable();
        UnitClocks { reminders, single: [self.plan_at, self.due_at, self.urge_at], escalate: self.escalate }
    }

    pub(crate) fn matches(&self, facts: &ItemFacts) -> bool {
        let is_same = |(own, told): (&RefLimit, &Told)| {
            // The adaptor names an order by its place on the item.
            let basis = match (own.basis, told.basis) {
                (Basis::Order(_), Basis::Order(place)) => usize::try_from(place).is_ok_and(|place| place < self.orders),
                (own, told) => own == told,
            };
            own.due == told.due && own.provisional == told.provisional && basis
        };
        self.phase == facts.phase
            && self.overdue.is_some() == facts.overdue
            && self.orders == facts.orders
            && self.level == facts.level
            && self.approvals.len() == facts.approvals
            && self.limits.len() == facts.limits.len()
            && self.limits.iter().zip(&facts.limits).all(is_same)
            // A told day never moves earlier.
            && facts.limits.windows(2).all(|two| two[0].due <= two[1].due)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Open(Clock),
    Taken,
    Lifted,
    /// Its items were closed before anybody decided.
    Moot,
}

#[derive(Clone, Copy, Debug)]
struct RefStep {
    level: u8,
    items: Items,
    at: Micros,
    decision: Decision,
}

/// A case.
#[derive(Clone, Debug)]
pub(crate) struct RefCase {
    place: usize,
    pub(crate) agency: usize,
    received: Micros,
    pub(crate) version: u32,
    /// The version that people made last.
    pub(crate) acted: u32,
    /// The calendar that counted it last.
    pub(crate) edition: usize,
    pub(crate) closed: bool,
    sequence: u32,
    pub(crate) items: Vec<RefItem>,
    steps: Vec<RefStep>,
    /// Requests to lift a step, by its place.
    requests: Vec<(usize, Clock)>,
    /// It is complete and waits for its counterpart.
    whole: Option<Clock>,
    has_department: bool,
    is_linked: bool,
    pub(crate) next: Option<Micros>,
}

/// The bit of an item.
const fn bit(index: usize) -> Items {
    1 << (index & 7)
}

impl RefCase {
    fn empty((place, agency): (usize, usize), received: Micros, edition: usize) -> Self {
        Self {
            place,
            agency,
            received,
            version: 1,
            acted: 1,
            edition,
            closed: false,
            sequence: 0,
            items: Vec::new(),
            steps: Vec::new(),
            requests: Vec::new(),
            whole: None,
            has_department: false,
            is_linked: false,
            next: None,
        }
    }

    pub(crate) fn open(letter: &Letter, draws: &[u8], at: Micros, book: &Book, edition: usize) -> Self {
        let days = book.days(edition, letter.place);
        let mut case = Self::empty((letter.place, letter.agency), at, edition);
        case.has_department = letter.has_department;
        for (index, (severity, draw)) in letter.severities.iter().zip(draws).enumerate() {
            let periods = book.periods(*severity);
            let plan = periods.plan.map(|span| days.end(at, span).1);
            case.items.push(RefItem::new(*severity, *draw, plan));
            let limit = RefLimit::count((at, periods.finish), Basis::Own, at, days);
            case.tell(index, limit, book, days);
        }
        case
    }

    /// The competent department's case.
    fn open_department(&self, severity: usize, at: Micros, book: &Book, edition: usize) -> Self {
        let days = book.days(edition, self.place);
        let mut case = Self::empty((self.place, self.agency), at, edition);
        case.is_linked = true;
        case.items.push(RefItem::new(severity, 0, None));
        case.tell(0, RefLimit::count((at, book.waits().liability), Basis::Own, at, days), book, days);
        case
    }

    pub(crate) fn draw(&mut self, draw: u8) {
        for item in &mut self.items {
            item.draw = draw;
        }
    }

    /// Tells the unit a limit and arms what follows from it.
    fn tell(&mut self, index: usize, limit: RefLimit, book: &Book, days: &WorkDays) {
        self.items[index].limits.push(limit);
        self.arm(index, limit.set_at, book, days);
    }

    /// Arms what the limit in force needs: reminders after the instant only, and nothing that has come about already.
    fn arm(&mut self, index: usize, since: Micros, book: &Book, days: &WorkDays) {
        let item = &mut self.items[index];
        item.disarm_unit();
        let Some(limit) = item.limits.last().copied().filter(|_| item.phase == Phase::Working) else { return };
        let periods = book.periods(item.severity);
        let instants: Vec<Micros> = if periods.remind_every > 0 {
            let step = i64::from(periods.remind_every) * HOUR;
            let count = (limit.due - limit.set_at) / step;
            (1..=count).map(|n| limit.set_at + n * step).collect()
        } else {
            let instant = |ahead: &u16| start_of(days.before(limit.day, *ahead)) + book.reminder_time();
            periods.remind_before.iter().map(instant).collect()
        };
        let is_inside = |(_, at): &(usize, Micros)| *at > limit.set_at.max(since) && *at < limit.due;
        item.reminders = instants.into_iter().enumerate().filter(is_inside).collect();
        item.plan_at = item.plan.filter(|(_, is_late)| !is_late).map(|(due, _)| due);
        if let Some(level) = limit.level_after() {
            let is_proposed = self.steps.iter().any(|step| step.at >= limit.due && step.items & bit(index) != 0);
            if !is_proposed {
                item.escalate = Some((level, limit.after(book.rung(level).wait, days)));
            }
        } else {
            if item.missed != Some(item.limits.len() - 1) {
                item.due_at = Some(limit.due);
            }
            item.urge_at = Some(limit.after(periods.urging_after_due, days));
        }
    }

    /// The clock, at an instant: what must happen, in order, and the department's case when one is opened.
    pub(crate) fn fire(&mut self, at: Micros, book: &Book, edition: usize) -> (Vec<Happening>, Option<Self>) {
        let (days, agency_days) = (book.days(edition, self.place), book.days(edition, AGENCIES[self.agency]));
        let (mut reminded, mut unplanned, mut overdue) = (0, 0, 0);
        let mut urge = false;
        let mut reached: Vec<(u8, usize)> = Vec::new();
        for (index, item) in self.items.iter_mut().enumerate() {
            let strikes = |clock: &mut Option<Micros>| clock.take_if(|due| *due <= at).is_some();
            let before = item.reminders.len();
            item.reminders.retain(|(_, reminder)| *reminder > at);
            if item.reminders.len() < before && item.limits.last().is_some_and(|limit| at < limit.due) {
                reminded |= bit(index);
            }
            if strikes(&mut item.plan_at) {
                item.plan = item.plan.map(|(due, _)| (due, true));
                unplanned |= bit(index);
            }
            if strikes(&mut item.due_at) && item.mark(at) {
                overdue |= bit(index);
            }
            urge |= strikes(&mut item.urge_at);
            if let Some((level, _)) = item.escalate.take_if(|(_, due)| *due <= at) {
                reached.push((level, index));
            }
        }
        let mut happened = Vec::new();
        if reminded > 0 {
            happened.push(Happening::Reminder(reminded));
        }
        if unplanned > 0 {
            happened.push(Happening::PlanOverdue(unplanned));
        }
        if overdue > 0 {
            happened.push(Happening::Overdue(overdue));
        }
        happened.extend(urge.then(|| self.urge(at, book, days)).flatten());
        let mut department = None;
        for level in 2..=4 {
            let here = |(_, index): &&(u8, usize)| self.items[*index].is_late(at);
            let items: Items =
                reached.iter().filter(|(of, _)| *of == level).filter(here).fold(0, |set, (_, index)| set | bit(*index));
            if items == 0 {
                continue;
            }
            let place = u16::try_from(self.steps.len()).unwrap_or(u16::MAX);
            let clock = Clock::new(at, book.rung(level).decide, agency_days);
            self.steps.push(RefStep { level, items, at, decision: Decision::Open(clock) });
            happened.push(Happening::Proposal { place, level, items });
            let mut gravest = 0;
            for (_, item) in self.items.iter_mut().enumerate().filter(|(index, _)| items & bit(*index) != 0) {
                item.level = item.level.max(level);
                gravest = gravest.max(item.severity);
            }
            if level >= book.waits().liable_at && self.has_department && !self.is_linked {
                self.is_linked = true;
                department = Some(self.open_department(gravest, at, book, edition));
                happened.push(Happening::HeldLiable);
            }
        }
        happened.extend(self.look(at, book, agency_days));
        happened.extend(self.call_to_mind(at, book, agency_days));
        (happened, department)
    }

    /// One order for every item whose own limit has passed.
    fn urge(&mut self, at: Micros, book: &Book, days: &WorkDays) -> Option<Happening> {
        let mut items = 0;
        for index in 0..self.items.len() {
            let item = &mut self.items[index];
            if item.is_late(at) && item.limit().is_some_and(RefLimit::is_own) {
                item.orders += 1;
                item.level = item.level.max(1);
                let span = book.periods(item.severity).urging_limit;
                let limit = RefLimit::count((at, span), Basis::Order(self.sequence + 1), at, days);
                self.tell(index, limit, book, days);
                items |= bit(index);
            }
        }
        if items == 0 {
            return None;
        }
        self.sequence += 1;
        Some(Happening::Order { sequence: self.sequence, items })
    }

    /// Look-backs whose time has come.
    fn look(&mut self, at: Micros, book: &Book, days: &WorkDays) -> Option<Happening> {
        let mut due = 0;
        for (index, item) in self.items.iter_mut().enumerate() {
            for look in &mut item.looks {
                if matches!(look, Look::Armed(armed) if *armed <= at) {
                    *look = Look::Due(Clock::new(at, book.waits().visit, days));
                    due |= bit(index);
                }
            }
        }
        (due > 0).then_some(Happening::LookBackDue(due))
    }

    /// What the agency owes and has not done.
    fn call_to_mind(&mut self, at: Micros, book: &Book, days: &WorkDays) -> Vec<Happening> {
        let again = book.waits().again;
        let mut happened = Vec::new();
        let mut strike = |clock: &mut Clock, owed: Owed, item: u8| {
            let times = clock.strike(at, again, days);
            happened.extend(times.map(|times| Happening::Duty { owed, item, times }));
        };
        for (number, item) in (0_u8..).zip(&mut self.items) {
            if let Some(clock) = &mut item.verify {
                strike(clock, Owed::Verification, number);
            }
            if let Some(clock) = &mut item.close_out {
                strike(clock, Owed::CloseOut, number);
            }
            for look in &mut item.looks {
                if let Look::Due(clock) = look {
                    strike(clock, Owed::Visit, number);
                }
            }
        }
        if let Some(clock) = &mut self.whole {
            strike(clock, Owed::CloseOut, WHOLE);
        }
        for (_, clock) in &mut self.requests {
            strike(clock, Owed::Request, WHOLE);
        }
        for step in &mut self.steps {
            if let Decision::Open(clock) = &mut step.decision {
                strike(clock, Owed::Step, WHOLE);
            }
        }
        happened.sort_unstable();
        happened
    }

    /// A person, at an instant: what must happen; nothing when the act is refused or was done before.
    pub(crate) fn act(
        &mut self,
        (index, act): (usize, Act),
        at: Micros,
        other: Option<&Self>,
        book: &Book,
        edition: usize,
    ) -> Option<Vec<Happening>> {
        let (days, agency_days) = (book.days(edition, self.place), book.days(edition, AGENCIES[self.agency]));
        let item = self.items.get_mut(index)?;
        let periods = book.periods(item.severity);
        match (act, item.phase) {
            (Act::Report { .. }, Phase::Working) => {
                let mut happened = Vec::new();
                if item.mark(at) {
                    happened.push(Happening::Overdue(bit(index)));
                }
                happened.push(Happening::Reported { item: index, standing: item.standing(at) });
                item.disarm_unit();
                item.phase = Phase::Reported;
                item.verify = Some(Clock::new(at, periods.verification, agency_days));
                Some(happened)
            }
            (Act::Accept, Phase::Reported) => {
                item.verify = None;
                item.phase = Phase::Verified;
                item.close_out = Some(Clock::new(at, book.waits().close_out, agency_days));
                Some(vec![Happening::Verified(index)])
            }
            (Act::Return { .. }, Phase::Reported) => {
                item.verify = None;
                item.phase = Phase::Working;
                let counted = RefLimit::count((at, periods.after_return), Basis::Own, at, days);
                let limit = match item.limit() {
                    Some(current) if current.due > counted.due => RefLimit { set_at: at, ..*current },
                    _ => counted,
                };
                self.tell(index, limit, book, days);
                Some(vec![Happening::Returned(index)])
            }
            (Act::CloseOut { officer }, Phase::Verified) => {
                self.close_out((index, officer), at, other, book, agency_days)
            }
            (Act::RefuseCloseOut, Phase::Verified) => {
                item.approvals.clear();
                item.close_out = None;
                item.phase = Phase::Reported;
                item.verify = Some(Clock::new(at, periods.verification, agency_days));
                Some(vec![Happening::CloseOutRefused(index)])
            }
            (Act::LookBack { passes, .. }, Phase::Closed) => {
                let look = item.looks.iter_mut().find(|look| matches!(look, Look::Due(_)))?;
                *look = Look::Done;
                if passes {
                    return Some(vec![Happening::LookBackPassed(index)]);
                }
                item.looks.fill(Look::Done);
                item.approvals.clear();
                item.phase = Phase::Working;
                item.plan = None;
                self.closed = false;
                // A case that is open again waits for nobody.
                self.whole = None;
                self.tell(index, RefLimit::count((at, periods.finish), Basis::Own, at, days), book, days);
                Some(vec![Happening::Reopened(index)])
            }
            (Act::TakeStep { place }, _) => {
                let step = self.steps.get_mut(usize::from(place))?;
                if !matches!(step.decision, Decision::Open(_)) {
                    return None;
                }
                step.decision = Decision::Taken;
                let (level, items) = (step.level, step.items);
                let items = self.tell_by_step((level, items), Basis::Step(level), at, book, days);
                Some(vec![Happening::StepTaken { level, items }])
            }
            (Act::AskLift { place }, _) => {
                let place = usize::from(place);
                let step = self.steps.get(place)?;
                if matches!(step.decision, Decision::Lifted | Decision::Moot)
                    || self.requests.iter().any(|(of, _)| *of == place)
                {
                    return None;
                }
                self.requests.push((place, Clock::new(at, book.waits().request, agency_days)));
                Some(vec![Happening::Asked])
            }
            (Act::DecideLift { place, granted }, _) => {
                let place = usize::from(place);
                let request = self.requests.iter().position(|(of, _)| *of == place)?;
                self.requests.remove(request);
                let mut happened = vec![Happening::Ruled(granted)];
                if granted {
                    let step = self.steps.get_mut(place)?;
                    step.decision = Decision::Lifted;
                    let (level, items) = (step.level, step.items);
                    let items = self.tell_by_step((level, items), Basis::Lifted(level), at, book, days);
                    happened.push(Happening::StepLifted { level, items });
                }
                Some(happened)
            }
            _ => None,
        }
    }

    /// One more approval of a close-out; the last one closes the item, and perhaps both cases under joint liability.
    fn close_out(
        &mut self,
        (index, officer): (usize, usize),
        at: Micros,
        other: Option<&Self>,
        book: &Book,
        days: &WorkDays,
    ) -> Option<Vec<Happening>> {
        let is_last = self.items.iter().enumerate().all(|(one, item)| one == index || item.phase == Phase::Closed);
        if is_last && self.is_linked && !other.is_some_and(Self::is_settled) {
            return None;
        }
        let item = self.items.get_mut(index)?;
        if item.approvals.contains(&officer) {
            return None;
        }
        item.approvals.push(officer);
        let periods = book.periods(item.severity);
        if item.approvals.len() < periods.approvals {
            let given = u32::try_from(item.approvals.len()).unwrap_or(u32::MAX);
            return Some(vec![Happening::Approved { item: index, given }]);
        }
        item.close_out = None;
        item.phase = Phase::Closed;
        if item.draw < periods.sample {
            item.looks.extend(periods.look_backs.iter().map(|span| Look::Armed(days.end(at, *span).1)));
        }
        let mut happened = vec![Happening::ClosedOut { item: index, on_time: item.overdue.is_none() }];
        happened.extend(self.end_moot());
        if is_last {
            if !self.is_linked || other.is_some_and(Self::is_complete) {
                self.closed = true;
                happened.push(Happening::Completed);
            } else {
                self.whole = Some(Clock::new(at, book.waits().close_out, days));
            }
        }
        Some(happened)
    }

    /// Steps of which every item is closed end by themselves, and with them the requests to lift them.
    fn end_moot(&mut self) -> Vec<Happening> {
        let closed = |(_, item): &(usize, &RefItem)| item.phase == Phase::Closed;
        let closed: Items = self.items.iter().enumerate().filter(closed).fold(0, |set, (index, _)| set | bit(index));
        let mut happened = Vec::new();
        for (place, step) in (0..).zip(&mut self.steps) {
            if matches!(step.decision, Decision::Open(_)) && step.items & !closed == 0 {
                step.decision = Decision::Moot;
                happened.push(Happening::StepMoot { place });
            }
        }
        let steps = &self.steps;
        let ends = |(place, _): &(usize, Clock)| steps.get(*place).is_some_and(|step| step.decision == Decision::Moot);
        let before = self.requests.len();
        self.requests.retain(|request| !ends(request));
        happened.extend(std::iter::repeat_n(Happening::RequestMoot, before - self.requests.len()));
        happened
    }

    /// The limit that a decided step gives to those of its items that the unit owes; it shortens nothing that runs longer.
    fn tell_by_step(
        &mut self,
        (level, items): (u8, Items),
        basis: Basis,
        at: Micros,
        book: &Book,
        days: &WorkDays,
    ) -> Items {
        let limit = RefLimit::count((at, book.rung(level).limit), basis, at, days);
        let mut told = 0;
        for index in 0..self.items.len() {
            let item = &self.items[index];
            let runs_longer = item.limit().is_some_and(|current| current.due > limit.due);
            if items & bit(index) != 0 && item.phase == Phase::Working && !runs_longer {
                self.tell(index, limit, book, days);
                told |= bit(index);
            }
        }
        told
    }

    /// Whether every item is closed.
    fn is_complete(&self) -> bool {
        self.items.iter().all(|item| item.phase == Phase::Closed)
    }

    /// Whether every item is closed or ready to be.
    fn is_settled(&self) -> bool {
        self.items.iter().all(|item| matches!(item.phase, Phase::Closed | Phase::Verified))
    }

    /// Whether it is complete but for its counterpart.
    pub(crate) fn waits(&self) -> bool {
        self.whole.is_some() && self.is_complete()
    }

    /// Its counterpart is completed, and so it is.
    pub(crate) fn conclude(&mut self) {
        self.whole = None;
        self.closed = true;
        self.version += 1;
        self.acted = self.version;
    }

    /// Another calendar: every limit that the unit must still keep is counted again; nothing when that changes nothing.
    pub(crate) fn recount(&mut self, at: Micros, book: &Book, edition: usize) -> Option<Happening> {
        let days = book.days(edition, self.place);
        let (mut later, mut freed, mut kept, mut settled, mut provisional) = (0, 0, 0, 0, 0);
        let mut is_moved = false;
        for index in 0..self.items.len() {
            let item = &mut self.items[index];
            let Some(told) = item.limits.last().copied().filter(|_| item.phase == Phase::Working) else { continue };
            let before = item.unit_clocks();
            if let (Some((due, false)), Some(span)) = (&mut item.plan, book.periods(item.severity).plan) {
                *due = days.end(self.received, span).1.max(*due);
            }
            let counted = RefLimit::count((told.from, told.span), told.basis, at, days);
            let has_passed = told.due <= at;
            let set = if counted.due > told.due && has_passed && counted.due > at && told.is_own() {
                item.missed = None;
                item.overdue = item.overdue.filter(|first| *first != told.due);
                Some((&mut freed, counted))
            } else if has_passed {
                None
            } else if counted.due > told.due {
                Some((&mut later, counted))
            } else if counted.due < told.due {
                // What was told stays; that the count differs is said once.
                let is_news = told.provisional || !told.is_kept;
                is_news.then_some((&mut kept, RefLimit { set_at: at, is_kept: true, provisional: false, ..told }))
            } else {
                match (told.provisional, counted.provisional) {
                    (true, false) => Some((&mut settled, counted)),
                    (false, true) => Some((&mut provisional, counted)),
                    _ => None,
                }
            };
            if let Some((items, limit)) = set {
                *items |= bit(index);
                self.tell(index, limit, book, days);
            } else {
                // The day stays; what is counted back from it or on from it may not. A reminder that is due is not lost,
                // one that has gone out does not go out again, and what follows moves later only.
                let (waiting, to_come): (Vec<_>, Vec<_>) =
                    item.reminders.iter().copied().partition(|(_, due)| *due <= at);
                let (urge_at, escalate) = (item.urge_at, item.escalate);
                self.arm(index, at, book, days);
                let item = &mut self.items[index];
                // By their places in the schedule, whatever the clock says.
                item.reminders.retain(|(place, _)| to_come.iter().any(|(old, _)| old == place));
                item.reminders.extend(waiting);
                item.urge_at = item.urge_at.map(|new| urge_at.map_or(new, |old| new.max(old)));
                item.escalate = item.escalate.map(|new| escalate.map_or(new, |old| new.max(old)));
                is_moved |= before != item.unit_clocks();
            }
        }
        let is_any = later | freed | kept | settled | provisional != 0;
        (is_any || is_moved).then_some(Happening::Recounted { later, freed, kept, settled, provisional })
    }

    fn clocks(&self) -> impl Iterator<Item = Micros> + '_ {
        let steps = self.steps.iter().filter_map(|step| match step.decision {
            Decision::Open(clock) => Some(clock.due),
            Decision::Taken | Decision::Lifted | Decision::Moot => None,
        });
        let requests = self.requests.iter().map(|(_, clock)| clock.due);
        let whole = self.whole.map(|clock| clock.due);
        self.items.iter().flat_map(RefItem::clocks).chain(steps).chain(requests).chain(whole)
    }

    /// The next instant at which something must happen.
    pub(crate) fn first_clock(&self) -> Option<Micros> {
        self.clocks().min()
    }

    /// An item of an open case that nothing watches: no limit with what follows it, no open step, no duty.
    pub(crate) fn silent(&self) -> Option<(usize, &RefItem)> {
        let is_proposed = |index: usize| {
            let holds = |step: &RefStep| matches!(step.decision, Decision::Open(_)) && step.items & bit(index) != 0;
            self.steps.iter().any(holds)
        };
        let is_watched = |index: usize, item: &RefItem| match item.phase {
            Phase::Working => {
                item.due_at.or(item.urge_at).or(item.escalate.map(|(_, at)| at)).is_some() || is_proposed(index)
            }
            Phase::Reported => item.verify.is_some(),
            Phase::Verified => item.close_out.is_some(),
            Phase::Closed => self.closed || !self.is_complete() || self.whole.is_some(),
        };
        self.items.iter().enumerate().find(|(index, item)| !is_watched(*index, item))
    }

    pub(crate) fn facts(&self) -> CaseFacts {
        CaseFacts {
            items: self.items.len(),
            orders: self.sequence,
            steps: self.steps.len(),
            undecided: self.steps.iter().filter(|step| matches!(step.decision, Decision::Open(_))).count(),
            is_linked: self.is_linked,
            requests: self.requests.len(),
            timers: self.clocks().count(),
        }
    }
}
