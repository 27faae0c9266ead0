//! The world: who runs the next statement, what people intend, what breaks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::adaptor::{self, Act, Book, Letter, PLACES, Phase};
use crate::broker::Broker;
use crate::change::Changes;
use crate::consumer::Consumer;
use crate::database::{Database, Map};
use crate::days::{DAY, HOUR, MINUTE, Micros, SECOND, day_from_civil, day_of, start_of};
use crate::env::{Env, Mail, News, Trace};
use crate::firing::Firing;
use crate::intake::Intake;
use crate::options::{Fault, Options};
use crate::oracle::{Counts, Oracle, Violation};
use crate::people::Request;
use crate::relay::Relay;
use crate::rng::Rng;

/// Steps without a commit after which a run counts as stuck.
const STUCK: u64 = 300_000;
/// After a wipe everything is published again: more of them than this in one run would show nothing else.
const MOST_WIPES: u64 = 8;
/// How many virtual days letters are spread over.
const SPREAD: i64 = 300;
/// How many timers a letter fires, by experience: its own and those of the department's case.
const TIMERS_OF_LETTER: u64 = 60;
/// How often an item is at most given a new limit by people before they come to an end with it.
const MOST_ROUNDS: usize = 14;

/// What a run that kept every rule did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What the oracle counted.
    pub counts: Counts,
    /// Statements run.
    pub steps: u64,
    /// Transactions committed in the engine's database.
    pub commits: u64,
    /// Journal entries.
    pub events: u64,
    /// Reports that began in time and were refused because other people had changed the version meanwhile.
    pub refused_in_time: u64,
    /// Of those, late when they were sent again.
    pub turned_late: u64,
    /// Faults that struck, in the order of [`Fault::ALL`].
    pub faults: [u64; 10],
    /// Virtual days from the first to the last step.
    pub days: u64,
}

/// A run that broke a rule.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The run, to be played again.
    pub options: Options,
    /// The step at which it was noticed.
    pub step: u64,
    /// The broken rule.
    pub violation: Violation,
    /// The last steps.
    pub tail: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.tail {
            writeln!(f, "{line}")?;
        }
        let Violation { rule, detail } = &self.violation;
        writeln!(f, "seed {} step {}: {rule}: {detail}", self.options.seed, self.step)?;
        let Options { seed, timers, faults, kinds, mutation: _ } = self.options;
        write!(f, "play it again: simulate --seed {seed} --timers {timers} --faults {faults} --kinds {kinds}")
    }
}

/// What is to happen at a true time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Letters,
    Mail(u64, u32, Option<Micros>),
    Plan(u32, usize),
    /// Case, item, kind of act, and the legal instant that the person aims at.
    Request(u32, usize, Wish, Micros),
    /// Case and place of a step that somebody has to decide.
    Step(u32, u16),
    Notice(usize),
}

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    Report,
    Accept,
    Return,
    CloseOut,
    RefuseCloseOut,
    LookBack(bool),
    TakeStep(u16),
    AskLift(u16),
    DecideLift(u16, bool),
}

#[derive(Debug)]
struct World<'b> {
    options: Options,
    env: Env<'b>,
    firing: Vec<Firing>,
    intakes: Vec<Intake>,
    relays: Vec<Relay>,
    changes: Vec<Changes>,
    consumers: Vec<Consumer>,
    requests: Vec<Request>,
    /// Until when each replica is down; its work is gone.
    down: Vec<Micros>,
    /// Until when each replica hangs; its locks stay.
    frozen: Vec<Micros>,
    agenda: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    letters: Map<u32, Letter>,
    next_letter: u32,
    next_request: u64,
    next_event: u64,
    agenda_order: u64,
    started: Micros,
    faults: [u64; 10],
    runnable: Vec<usize>,
}

/// Plays one seed to its end.
pub fn run(book: &Book, options: Options) -> Result<Summary, Box<Failure>> {
    let mut world = World::new(book, options);
    let result = world.play();
    match result {
        Ok(()) => Ok(world.summary()),
        Err(violation) => {
            let (step, tail) = (world.env.step, world.env.trace.lines());
            Err(Box::new(Failure { options, step, violation, tail }))
        }
    }
}

/// Makes a failing run smaller: fewer timers, fewer kinds of fault, as long as it still fails.
pub fn shrink(book: &Book, failure: Box<Failure>) -> Box<Failure> {
    let mut best = failure;
    loop {
        let options = best.options;
        let fewer = [options.timers / 4, options.timers / 2, options.timers * 3 / 4]
            .into_iter()
            .filter(|timers| *timers >= 10 && *timers < options.timers)
            .map(|timers| Options { timers, ..options });
        let calmer = (0..Fault::ALL.len())
            .filter(|bit| options.kinds & (1 << bit) != 0)
            .map(|bit| Options { kinds: options.kinds & !(1 << bit), ..options });
        let smaller = fewer.chain(calmer).find_map(|candidate| run(book, candidate).err());
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

impl<'b> World<'b> {
    fn new(book: &'b Book, options: Options) -> Self {
        let mut rng = Rng::new(options.seed.wrapping_mul(0x9e37_79b9) ^ 0xd0da_0000);
        let replicas = 2 + rng.index(2);
        let batch = 1 + rng.index(100);
        let started = start_of(day_from_civil(2025, 1, 6) + rng.between(0, 300)) + 9 * HOUR;
        let shops = 2;
        let env = Env {
            book,
            rng,
            now: started,
            offset: 0,
            step: 0,
            database: Database::default(),
            shops: (0..shops).map(|_| Database::default()).collect(),
            effects: vec![0; shops],
            broker: Broker::new(shops),
            oracle: Oracle::default(),
            mutation: options.mutation,
            failure: None,
            mail: Vec::new(),
            leader: None,
            last_batch: 0,
            published: 0,
            announced: 0,
            deaf: vec![false; replicas],
            news: Vec::new(),
            commits: 0,
            refused_in_time: 0,
            turned_late: 0,
            trace: Trace::default(),
        };
        let mut world = Self {
            options,
            env,
            firing: (0..replicas * 2).map(|lane| Firing::new(lane / 2, batch)).collect(),
            intakes: (0..replicas).map(Intake::new).collect(),
            relays: (0..replicas).map(|replica| Relay::new(replica, batch * 3)).collect(),
            changes: (0..replicas).map(|replica| Changes::new(replica, batch)).collect(),
            consumers: (0..shops * 2).map(|n| Consumer::new(n / 2, n % 2, batch * 2)).collect(),
            requests: Vec::new(),
            down: vec![Micros::MIN; replicas],
            frozen: vec![Micros::MIN; replicas],
            agenda: BinaryHeap::new(),
            letters: Map::default(),
            next_letter: 0,
            next_request: 0,
            next_event: 0,
            agenda_order: 0,
            started,
            faults: [0; 10],
            runnable: Vec::new(),
        };
        for edition in 1..book.editions() {
            let at = book.announced(edition);
            if at <= started {
                world.env.announced = edition;
                world.env.database.begin_with_rules(edition);
                world.env.oracle.begins_with(edition);
            } else {
                // A change takes effect by date, at the very midnight at which limits end.
                let at = at + world.env.rng.between(-20, 20);
                world.at(at, Event::Notice(edition));
            }
        }
        world.at(started, Event::Letters);
        world
    }

    fn at(&mut self, at: Micros, event: Event) {
        self.agenda_order += 1;
        self.agenda.push(Reverse((at, self.agenda_order, event)));
    }

    fn in_legal(&mut self, legal: Micros, event: Event) {
        let wait = legal - self.env.legal();
        // Far ahead the clock may step meanwhile: come back before it can be too late.
        let wait = if wait > 3 * HOUR { wait - 2 * HOUR - MINUTE } else { wait.max(0) };
        self.at(self.env.now + wait, event);
    }

    fn play(&mut self) -> Result<(), Violation> {
        let mut last_commit = (0, 0);
        loop {
            self.env.step += 1;
            self.happen();
            self.strike();
            for news in std::mem::take(&mut self.env.news) {
                self.hear(news);
            }
            self.find_runnable();
            if self.runnable.is_empty() {
                if !self.jump()? {
                    break;
                }
                continue;
            }
            let chosen = self.runnable[self.env.rng.index(self.runnable.len())];
            self.step(chosen);
            if let Some(violation) = self.env.failure.take() {
                return Err(violation);
            }
            self.pass_time();
            if self.env.commits > last_commit.0 {
                last_commit = (self.env.commits, self.env.step);
            } else if self.env.step - last_commit.1 > STUCK {
                let detail = format!("no commit in {STUCK} steps");
                return Err(crate::oracle::violation("stuck", detail));
            }
        }
        self.env.check_consumers()?;
        let database = &self.env.database;
        self.env.oracle.check_end(|case| database.case(case).map(std::convert::AsRef::as_ref))
    }

    fn pass_time(&mut self) {
        let rng = &mut self.env.rng;
        self.env.now += match rng.weighted(&[60, 30, 9, 1]) {
            0 => rng.between(0, 2),
            1 => rng.between(0, 500),
            2 => rng.between(0, SECOND / 20),
            _ => rng.between(0, 2 * SECOND),
        };
    }

    /// Who can run a statement now. The polling of idle workers is left out: they run when there is something to find.
    fn find_runnable(&mut self) {
        self.runnable.clear();
        let env = &self.env;
        let (now, replicas) = (env.now, self.down.len());
        let is_up = |replica: usize| self.down[replica] <= now && self.frozen[replica] <= now;
        let is_free = |waits: Option<u64>| waits.is_none_or(|holder| !env.database.is_active(holder));
        let has_due = env.database.has_free_due(env.legal());
        let has_changes = Changes::has_work(env);
        for replica in (0..replicas).filter(|replica| is_up(*replica)) {
            for lane in [replica * 2, replica * 2 + 1] {
                let firing = &self.firing[lane];
                if if firing.is_idle() { has_due } else { is_free(firing.waits) } {
                    self.runnable.push(lane);
                }
            }
            let intake = &self.intakes[replica];
            if if intake.is_idle() { !env.mail.is_empty() } else { is_free(intake.waits) } {
                self.runnable.push(2 * replicas + replica);
            }
            let relay = &self.relays[replica];
            if relay.wake <= now && relay.wants(env) {
                self.runnable.push(3 * replicas + replica);
            }
            let changes = &self.changes[replica];
            if if changes.is_idle() { has_changes } else { is_free(changes.waits) } {
                self.runnable.push(4 * replicas + replica);
            }
        }
        for (index, consumer) in self.consumers.iter().enumerate() {
            let is_free = consumer.waits.is_none_or(|holder| !env.shops[consumer.shop].is_active(holder));
            if if consumer.is_idle() { env.broker.has_news(consumer.shop) } else { is_free } {
                self.runnable.push(5 * replicas + index);
            }
        }
        let first = 5 * replicas + self.consumers.len();
        for (index, request) in self.requests.iter().enumerate() {
            if request.wake <= now && is_up(request.replica) && is_free(request.waits) {
                self.runnable.push(first + index);
            }
        }
    }

    fn step(&mut self, chosen: usize) {
        let replicas = self.down.len();
        let first = 5 * replicas + self.consumers.len();
        let of_kind = chosen.checked_rem(replicas).unwrap_or_default();
        if chosen < 2 * replicas {
            self.firing[chosen].step(&mut self.env);
        } else if chosen < 3 * replicas {
            self.intakes[of_kind].step(&mut self.env, &self.letters);
        } else if chosen < 4 * replicas {
            self.relays[of_kind].step(&mut self.env);
        } else if chosen < 5 * replicas {
            self.changes[of_kind].step(&mut self.env);
        } else if chosen < first {
            self.consumers[chosen - 5 * replicas].step(&mut self.env);
        } else {
            self.step_request(chosen - first);
        }
    }

    fn step_request(&mut self, index: usize) {
        self.requests[index].step(&mut self.env);
        if self.requests[index].is_done() {
            let done = self.requests.swap_remove(index);
            // Whoever asked is answered, however odd it was to ask.
            if done.is_main || matches!(done.act, Act::AskLift { .. }) {
                self.go_on(done.case, done.item, done.act);
            }
        }
    }

    /// Nobody can run: time jumps to the next thing that happens. False when nothing will.
    fn jump(&mut self) -> Result<bool, Violation> {
        let now = self.env.now;
        let all_up = self.down.iter().chain(&self.frozen).all(|until| *until <= now);
        if all_up && self.requests.is_empty() {
            self.env.oracle.check_idle(self.env.legal(), self.env.mail.is_empty())?;
        }
        let due = self.env.database.first_due().map(|due| due - self.env.offset);
        let next = self
            .down
            .iter()
            .chain(&self.frozen)
            .copied()
            .chain(self.relays.iter().map(|relay| relay.wake))
            .chain(self.requests.iter().map(|request| request.wake))
            .chain(due)
            .chain(self.agenda.peek().map(|Reverse((at, _, _))| *at))
            .filter(|at| *at > now)
            .min();
        match next {
            Some(next) => {
                self.env.now = next;
                Ok(true)
            }
            None if self.requests.is_empty() && self.env.database.is_quiet() => Ok(false),
            None => {
                let detail = format!("{} requests wait for each other", self.requests.len());
                Err(crate::oracle::violation("stuck", detail))
            }
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            counts: self.env.oracle.counts,
            steps: self.env.step,
            commits: self.env.commits,
            events: self.env.database.journaled(),
            refused_in_time: self.env.refused_in_time,
            turned_late: self.env.turned_late,
            faults: self.faults,
            days: ((self.env.now - self.started) / DAY).unsigned_abs(),
        }
    }
}

/// What breaks.
impl World<'_> {
    fn strike(&mut self) {
        if self.options.faults == 0 || !self.env.rng.chance(self.options.faults) {
            return;
        }
        let weights: Vec<u32> = Fault::ALL
            .iter()
            .enumerate()
            .map(|(bit, (fault, weight))| {
                let is_off = self.options.kinds & (1 << bit) == 0;
                let is_enough = *fault == Fault::BrokerWipe && self.faults[bit] >= MOST_WIPES;
                if is_off || is_enough { 0 } else { *weight }
            })
            .collect();
        if weights.iter().all(|weight| *weight == 0) {
            return;
        }
        let index = self.env.rng.weighted(&weights);
        let replica = self.env.rng.index(self.down.len());
        let consumer = self.env.rng.index(self.consumers.len());
        self.faults[index] += 1;
        match Fault::ALL[index].0 {
            Fault::Crash => {
                self.env.note("fault", replica as u64, "crash of a replica", 0);
                self.crash(replica);
                self.down[replica] = self.env.now + self.pause();
            }
            Fault::Freeze => {
                self.env.note("fault", replica as u64, "a replica hangs", 0);
                self.frozen[replica] = self.env.now + self.pause().min(MINUTE);
            }
            Fault::ConsumerCrash => {
                self.env.note("fault", consumer as u64, "crash of a consumer", 0);
                self.consumers[consumer].reset(&mut self.env);
            }
            Fault::DatabaseCrash => {
                self.env.note("fault", 0, "crash of the database", 0);
                self.env.database.crash();
                self.env.leader = None;
                for relay in &mut self.relays {
                    relay.is_cut = true;
                }
            }
            Fault::LostAcknowledgement => {
                self.env.note("fault", replica as u64, "the next acknowledgement gets lost", 0);
                if self.env.rng.chance(7_000) {
                    self.env.deaf[replica] = true;
                } else {
                    self.consumers[consumer].is_deaf = true;
                }
            }
            Fault::ClockStep => {
                let steps = [-HOUR, -HOUR, -MINUTE, -SECOND, -1, 0, 0, 1, SECOND, MINUTE, HOUR, HOUR];
                let to = steps[self.env.rng.index(steps.len())];
                self.env.note("fault", 0, "the legal clock steps to", to.unsigned_abs());
                self.env.offset = to;
            }
            Fault::BrokerWipe => {
                self.env.note("fault", 0, "the broker loses everything", 0);
                self.env.broker.wipe();
            }
            Fault::Repeat => {
                self.env.note("fault", 0, "old events come again", 0);
                let shop = self.consumers[consumer].shop;
                self.env.broker.repeat(shop, &mut self.env.rng);
            }
            Fault::ShopCrash => {
                let shop = self.consumers[consumer].shop;
                self.env.note("fault", shop as u64, "crash of a consumer's database", 0);
                self.env.shops[shop].crash();
            }
            Fault::Outage => {
                self.env.note("fault", 0, "an outage of the whole engine", 0);
                let until = self.env.now + self.env.rng.between(HOUR, 2 * DAY);
                for replica in 0..self.down.len() {
                    self.crash(replica);
                    self.down[replica] = until;
                }
            }
        }
    }

    fn pause(&mut self) -> Micros {
        let rng = &mut self.env.rng;
        match rng.weighted(&[60, 30, 10]) {
            0 => rng.between(1, SECOND),
            1 => rng.between(SECOND, 2 * MINUTE),
            _ => rng.between(MINUTE, 3 * HOUR),
        }
    }

    fn crash(&mut self, replica: usize) {
        for lane in [replica * 2, replica * 2 + 1] {
            self.firing[lane].reset(&mut self.env);
        }
        self.changes[replica].reset(&mut self.env);
        self.intakes[replica].reset(&mut self.env);
        self.relays[replica].reset(&mut self.env);
        self.frozen[replica] = Micros::MIN;
        let others = self.down.len();
        for request in self.requests.iter_mut().filter(|request| request.replica == replica) {
            request.reset(&mut self.env);
            request.wake = self.env.now + self.env.rng.between(0, 30 * SECOND);
            request.replica = self.env.rng.index(others);
        }
    }
}

/// What people intend.
impl World<'_> {
    fn happen(&mut self) {
        while let Some(Reverse((at, _, _))) = self.agenda.peek() {
            if *at > self.env.now {
                return;
            }
            let Some(Reverse((_, _, event))) = self.agenda.pop() else { return };
            match event {
                Event::Letters => self.send_letters(),
                Event::Mail(event, case, received) => self.env.mail.push(Mail { event, case, received }),
                Event::Plan(case, item) => self.plan(case, item),
                // The clock may have stepped since the person planned: who aims at an instant looks again shortly before.
                Event::Request(_, _, _, aim) if self.env.legal() < aim => self.in_legal(aim, event),
                Event::Request(case, item, wish, _) => self.ask(case, item, wish),
                Event::Step(case, place) => self.plan_step(case, place),
                Event::Notice(edition) => self.env.announced = edition,
            }
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Opened(case) => self.plan_case(case),
            News::Proposed(case, place) => {
                let wait = match self.env.rng.weighted(&[70, 22, 8]) {
                    0 => self.env.rng.between(0, 12 * DAY),
                    1 => self.env.rng.between(12 * DAY, 40 * DAY),
                    _ => self.env.rng.between(40 * DAY, 150 * DAY),
                };
                self.in_legal(self.env.legal() + wait, Event::Step(case, place));
            }
            News::LookBackDue(case, item) => {
                let wait = self.env.rng.between(0, 45 * DAY);
                let passes = self.env.rng.chance(8_800) || self.rounds(case, item) > MOST_ROUNDS;
                let at = self.env.legal() + wait;
                self.in_legal(at, Event::Request(case, item, Wish::LookBack(passes), at));
            }
            News::Reopened(case, item) => self.plan(case, item),
        }
    }

    fn rounds(&self, case: u32, item: usize) -> usize {
        self.env.database.case(case).map_or(0, |row| adaptor::limit_count(&row.case, item))
    }

    /// Somebody decides a proposed step: takes it, or asks for it to be lifted.
    fn plan_step(&mut self, case: u32, place: u16) {
        let Some(row) = self.env.database.case(case) else { return };
        let (is_open, is_asked) = adaptor::step_waits(&row.case, place);
        if !is_open || is_asked {
            return;
        }
        let now = self.env.legal();
        let wish = if self.env.rng.chance(7_500) { Wish::TakeStep(place) } else { Wish::AskLift(place) };
        self.in_legal(now, Event::Request(case, 0, wish, now));
    }

    /// What follows when a request has been answered.
    fn go_on(&mut self, case: u32, item: usize, act: Act) {
        match act {
            Act::Report { .. }
            | Act::Accept
            | Act::Return { .. }
            | Act::CloseOut { .. }
            | Act::CloseOwn
            | Act::RefuseCloseOut
            | Act::VerifyOwn => self.plan(case, item),
            Act::LookBack { .. } => {}
            Act::TakeStep { place } => {
                // Now and then what was taken is lifted afterwards.
                if self.env.rng.chance(600) {
                    let at = self.env.legal() + self.env.rng.between(DAY, 30 * DAY);
                    self.in_legal(at, Event::Request(case, 0, Wish::AskLift(place), at));
                }
            }
            Act::AskLift { place } => {
                let wait = if self.env.rng.chance(8_000) { 3 * DAY } else { 30 * DAY };
                let at = self.env.legal() + self.env.rng.between(0, wait);
                let granted = self.env.rng.chance(7_000);
                self.in_legal(at, Event::Request(case, 0, Wish::DecideLift(place, granted), at));
            }
            Act::DecideLift { place, .. } => {
                let at = self.env.legal() + self.env.rng.between(0, 8 * DAY);
                self.in_legal(at, Event::Step(case, place));
            }
        }
    }

    /// A wave of letters, received about the same time, so that their limits end at the same midnight.
    fn send_letters(&mut self) {
        let counts = self.env.oracle.counts;
        // What is under way will still fire about so many timers for each open case.
        let open = u64::from(self.next_letter).saturating_sub(counts.completed.saturating_sub(counts.departments));
        let expected = counts.fired + open * (TIMERS_OF_LETTER / 2);
        if expected >= self.options.timers {
            return;
        }
        let size = match self.env.rng.weighted(&[50, 35, 15]) {
            0 => self.env.rng.between(1, 3),
            1 => self.env.rng.between(4, 20),
            _ => self.env.rng.between(20, 80),
        };
        for _ in 0..size {
            self.send_letter();
        }
        let timers = i64::try_from(self.options.timers).unwrap_or(i64::MAX);
        let letters = timers / i64::try_from(TIMERS_OF_LETTER).unwrap_or(1);
        let gap = (SPREAD * DAY / letters.max(1)).saturating_mul(size).min(20 * DAY);
        let gap = self.env.rng.between(gap / 2, gap * 3 / 2);
        self.at(self.env.now + gap, Event::Letters);
    }

    fn send_letter(&mut self) {
        let signed = self.env.legal();
        let rng = &mut self.env.rng;
        let case = self.next_letter;
        self.next_letter += 1;
        let findings = 1 + rng.weighted(&[55, 25, 12, 8]);
        let letter = Letter {
            case,
            place: rng.index(PLACES.len()),
            agency: rng.index(3),
            severities: (0..findings).map(|_| rng.weighted(&[50, 28, 7, 15])).collect(),
            has_department: rng.chance(7_000),
        };
        let mut deliver = Vec::new();
        let base = self.next_event;
        self.next_event += 3;
        let late = |rng: &mut Rng| match rng.weighted(&[85, 10, 5]) {
            0 => rng.between(0, 20 * SECOND),
            1 => rng.between(0, 6 * HOUR),
            _ => rng.between(0, 25 * DAY),
        };
        deliver.push((late(rng), base, None));
        deliver.push((late(rng), base + 1, Some(signed)));
        if rng.chance(800) {
            // The receipt is signed a second time, or said a second time with another instant.
            deliver.push((late(rng), base + 2, Some(signed + rng.between(1, DAY))));
        }
        if rng.chance(1_500) {
            let again = deliver[rng.index(deliver.len())];
            deliver.push((late(rng), again.1, again.2));
        }
        self.env.oracle.letter(letter.clone());
        self.letters.insert(case, letter);
        for (delay, event, received) in deliver {
            self.at(self.env.now + delay, Event::Mail(event, case, received));
        }
    }

    fn plan_case(&mut self, case: u32) {
        let items = self.env.database.case(case).map_or(0, |row| adaptor::item_count(&row.case));
        for item in 0..items {
            self.plan(case, item);
        }
    }

    /// Decides what happens next to an item, and when.
    fn plan(&mut self, case: u32, item: usize) {
        let standing = self.env.database.case(case).and_then(|row| adaptor::standing(&row.case, item));
        let Some((phase, due, rounds)) = standing else { return };
        let legal = self.env.legal();
        let is_linked = self.env.database.case(case).is_some_and(|row| adaptor::is_linked(&row.case));
        let rng = &mut self.env.rng;
        match phase {
            Phase::Working if due > legal => match rng.weighted(&[26, 24, 5, 33, 9, 3]) {
                0 => {
                    let at = rng.between(legal, due);
                    self.in_legal(at, Event::Request(case, item, Wish::Report, at));
                }
                1 => {
                    let at = due + rng.between(-3, 3);
                    self.in_legal(at, Event::Request(case, item, Wish::Report, at));
                }
                2 => {
                    let at = due + rng.between(-HOUR, HOUR);
                    self.in_legal(at, Event::Request(case, item, Wish::Report, at));
                }
                3 => {
                    let at = due + rng.between(1, 3 * DAY);
                    self.in_legal(at, Event::Plan(case, item));
                }
                4 => {
                    let at = due + rng.between(DAY, 40 * DAY);
                    self.in_legal(at, Event::Request(case, item, Wish::Report, at));
                }
                // Not heard of for long: the ladder must go on without anyone.
                _ => {
                    let at = due + rng.between(40 * DAY, 250 * DAY);
                    self.in_legal(at, Event::Plan(case, item));
                }
            },
            Phase::Working => match rng.weighted(&[50, 25, 25]) {
                0 => {
                    let at = legal + rng.between(0, 2 * DAY);
                    self.in_legal(at, Event::Request(case, item, Wish::Report, at));
                }
                1 => {
                    let at = legal + rng.between(HOUR, 3 * DAY);
                    self.in_legal(at, Event::Plan(case, item));
                }
                _ => {
                    let at = legal + rng.between(5 * DAY, 40 * DAY);
                    self.in_legal(at, Event::Request(case, item, Wish::Report, at));
                }
            },
            Phase::Reported => {
                let kind = if rounds < MOST_ROUNDS && rng.chance(2_500) { Wish::Return } else { Wish::Accept };
                let wait = if rng.chance(7_500) { rng.between(0, 5 * DAY) } else { rng.between(0, 40 * DAY) };
                self.in_legal(legal + wait, Event::Request(case, item, kind, legal + wait));
            }
            Phase::Verified => {
                // Long enough now and then for the counterpart's look-backs to come in between.
                let longest = match rng.weighted(&[85, 10, 5]) {
                    0 => 5 * DAY,
                    1 => 40 * DAY,
                    _ => 150 * DAY,
                };
                let kind = if rng.chance(500) { Wish::RefuseCloseOut } else { Wish::CloseOut };
                let at = if is_linked && rng.chance(4_000) {
                    // One meeting for both cases under joint liability: whoever closes last, closes at the same instant.
                    start_of(day_of(legal) + 1) + 10 * HOUR + rng.between(-3, 3)
                } else {
                    legal + rng.between(0, longest)
                };
                self.in_legal(at, Event::Request(case, item, kind, at));
            }
            Phase::Closed => {}
        }
    }

    /// A person sends a request; now and then twice, or one that must be refused.
    fn ask(&mut self, case: u32, item: usize, wish: Wish) {
        let attempt = u32::try_from(self.rounds(case, item)).unwrap_or_default();
        let given = self.env.database.case(case).map_or(0, |row| adaptor::approvals(&row.case, item));
        let act = match wish {
            Wish::Report => Act::Report { attempt },
            Wish::Accept => Act::Accept,
            Wish::Return => Act::Return { attempt },
            Wish::CloseOut => Act::CloseOut { officer: given & 1 },
            Wish::RefuseCloseOut => Act::RefuseCloseOut,
            Wish::LookBack(passes) => Act::LookBack { passes, attempt },
            Wish::TakeStep(place) => Act::TakeStep { place },
            Wish::AskLift(place) => Act::AskLift { place },
            Wish::DecideLift(place, granted) => Act::DecideLift { place, granted },
        };
        self.next_request += 1;
        let id = self.next_request;
        let replica = self.env.rng.index(self.down.len());
        let mut request = Request::new(id, replica, (case, item, act), true);
        if self.env.rng.chance(5_000) && self.down[replica].max(self.frozen[replica]) <= self.env.now {
            // Exactly at the planned instant, before anyone else moves.
            request.step(&mut self.env);
        }
        self.requests.push(request);
        if self.env.rng.chance(500) {
            // A double click through another replica: the same key.
            let other = self.env.rng.index(self.down.len());
            self.requests.push(Request::new(id, other, (case, item, act), false));
        }
        if self.env.rng.chance(400) {
            let acts = [
                Act::VerifyOwn,
                Act::CloseOwn,
                Act::CloseOut { officer: 0 },
                Act::Report { attempt },
                Act::Return { attempt },
                Act::LookBack { passes: true, attempt },
                Act::TakeStep { place: 0 },
                Act::AskLift { place: 1 },
                Act::DecideLift { place: 0, granted: true },
            ];
            let other = acts[self.env.rng.index(acts.len())];
            self.next_request += 1;
            self.requests.push(Request::new(self.next_request, replica, (case, item, other), false));
        }
    }
}
