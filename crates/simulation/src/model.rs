//! The protocol of the ladder, small enough to look at every state: one case, two replicas, a counter, a journal, a broker that
//! forgets, a consumer with an inbox, and a unit that reports at the worst moment.
//!
//! Every order of steps within the bounds is tried. Crashes, wipes and steps of the clock back are bounded, so that the graph of
//! states has no ring; what must happen in the end is then a property of the states in which nothing is left that must happen.

use stateright::{Model, Property};

/// Rungs of the ladder that the clock climbs: the late mark and the order. On the one above them people decide, and the clock
/// calls it to mind again and again.
const RUNGS: u8 = 2;
/// The unit as the holder of the row lock; replicas are 1 and 2.
const UNIT: u8 = 3;

/// A deliberate fault of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Due rows are neither locked nor checked for their version.
    NoLock,
    /// The number is committed before the rest.
    NumberOutside,
    /// The claim is committed before the effect.
    ClaimApart,
    /// The next rung is not armed.
    ForgetNext,
    /// The inbox row is committed before the effect.
    InboxApart,
    /// There is no inbox.
    NoInbox,
    /// The relay takes any stream for its own.
    IgnoreWipe,
    /// A request is sent back for a version that only the clock has raised.
    StaleByClock,
    /// A report in time leaves the mark that a firing made before it.
    KeepsMark,
    /// What people must decide is called to mind once and never again.
    RemindsOnce,
}

/// The bounds of a check.
#[derive(Clone, Copy, Debug)]
pub struct Ladder {
    /// The last tick of the clock.
    pub last_tick: u8,
    /// Crashes of anyone, in all.
    pub crashes: u8,
    /// Times that the broker loses everything.
    pub wipes: u8,
    /// Steps of the clock back.
    pub steps_back: u8,
    /// Returns of a report, each with a new limit.
    pub returns: u8,
    /// Whether relay, broker and consumer are part of it; without them the bounds can be wider.
    pub delivers: bool,
    /// What is wrong, if anything.
    pub flaw: Option<Flaw>,
}

/// Where the case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The unit must act.
    Open,
    /// A report waits.
    Reported,
    /// Closed.
    Closed,
}

/// An armed rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Armed {
    /// The rung; the one above the order is that of people.
    pub rung: u8,
    /// The tick at which it is due.
    pub due: u8,
}

/// A notice that was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Notice {
    /// The round of the limit.
    pub round: u8,
    /// The rung.
    pub rung: u8,
    /// Its number.
    pub number: u8,
    /// When it was due.
    pub due: u8,
    /// The legal time of its transaction.
    pub at: u8,
}

/// A replica's place in its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replica {
    /// Between rounds.
    Idle,
    /// Legal time is read.
    Begun {
        /// Legal time.
        at: u8,
    },
    /// The row is taken and the case decided on.
    Claimed {
        /// Legal time.
        at: u8,
        /// The version that was read.
        version: u8,
        /// What is due.
        armed: Armed,
    },
    /// The number is taken.
    Numbered {
        /// Legal time.
        at: u8,
        /// The version that was read.
        version: u8,
        /// What is due.
        armed: Armed,
        /// The number.
        number: u8,
    },
    /// Everything is written, nothing committed.
    Written {
        /// Legal time.
        at: u8,
        /// The version that was read.
        version: u8,
        /// What is due.
        armed: Armed,
        /// The number.
        number: u8,
    },
}

/// The unit's place in its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// No request is under way.
    Idle,
    /// Legal time and the case's version are read.
    Begun {
        /// Legal time.
        at: u8,
        /// The version that the unit saw.
        seen: u8,
    },
    /// The row is locked.
    Locked {
        /// Legal time.
        at: u8,
    },
}

/// The consumer's place in its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consumer {
    /// Nothing in hand.
    Idle,
    /// An event is in hand.
    Took(u8),
    /// Of a flaw only: its inbox row is committed.
    Noted(u8),
    /// Its effect is committed, the acknowledgement not sent.
    Applied(u8),
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "a state of the whole is many small facts")]
pub struct State {
    clock: u8,
    status: Status,
    version: u8,
    round: u8,
    armed: Vec<Armed>,
    /// Whether the last report came before the due tick of its round's limit.
    in_time: bool,
    /// The due tick of the round's limit.
    limit: u8,
    /// Whether the case counts as late for the round's limit.
    is_marked: bool,
    /// When people were last reminded, in the round.
    reminded: Option<u8>,
    /// Whether people were ever reminded twice at one tick.
    is_nagged: bool,
    /// Whether the unit was ever sent back.
    is_sent_back: bool,
    row_lock: u8,
    counter: u8,
    counter_lock: u8,
    notices: Vec<Notice>,
    replicas: [Replica; 2],
    unit: Unit,
    journal: u8,
    cursor: u8,
    is_sent: bool,
    broker: u16,
    is_other_stream: bool,
    consumer: Consumer,
    inbox: u16,
    effects: Vec<u8>,
    crashes: u8,
    wipes: u8,
    steps_back: u8,
    returns: u8,
}

/// A step of someone, or something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The clock goes on.
    Tick,
    /// The clock goes back.
    StepBack,
    /// A replica runs its next statement.
    Step(usize),
    /// A replica dies.
    Crash(usize),
    /// The unit's request runs its next statement.
    Report,
    /// The unit's request dies.
    CrashReport,
    /// A report is returned.
    Return,
    /// The case is closed.
    Close,
    /// The relay publishes the next event.
    Publish,
    /// The relay records it.
    Record,
    /// The relay dies between the two.
    CrashRelay,
    /// The relay finds another stream and publishes everything again.
    Republish,
    /// The broker loses everything.
    Wipe,
    /// The consumer gets an event, for the first time or again.
    Deliver(u8),
    /// The consumer runs its next statement.
    Consume,
    /// The consumer dies.
    CrashConsumer,
}

impl Action {
    /// Whether the action may never happen; everything else must, sooner or later.
    const fn is_optional(self) -> bool {
        match self {
            Self::StepBack
            | Self::Crash(_)
            | Self::Report
            | Self::CrashReport
            | Self::Return
            | Self::Close
            | Self::CrashRelay
            | Self::Wipe
            | Self::CrashConsumer => true,
            Self::Tick
            | Self::Step(_)
            | Self::Publish
            | Self::Record
            | Self::Republish
            | Self::Deliver(_)
            | Self::Consume => false,
        }
    }
}

const fn bit(event: u8) -> u16 {
    1 << event
}

impl State {
    fn due(&self, at: u8) -> Option<Armed> {
        let is_due = |armed: &&Armed| armed.due <= at;
        self.armed.iter().find(is_due).copied().filter(|_| self.status == Status::Open)
    }

    fn release(&mut self, holder: u8) {
        if self.row_lock == holder {
            self.row_lock = 0;
        }
        if self.counter_lock == holder {
            self.counter_lock = 0;
        }
    }

    fn append(&mut self) {
        self.journal += 1;
        self.effects.push(0);
    }
}

impl Ladder {
    /// Everything together, in bounds that a test can afford.
    pub const fn whole() -> Self {
        Self { last_tick: 2, crashes: 2, wipes: 2, steps_back: 0, returns: 0, delivers: true, flaw: None }
    }

    /// The engine alone, in wider bounds.
    pub const fn engine() -> Self {
        Self { last_tick: 4, crashes: 3, wipes: 0, steps_back: 2, returns: 1, delivers: false, flaw: None }
    }

    fn is(self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn step(self, state: &mut State, index: usize) -> Option<()> {
        let holder = u8::try_from(index).ok()? + 1;
        let replica = *state.replicas.get(index)?;
        let locks = !self.is(Flaw::NoLock);
        let next = match replica {
            Replica::Idle => Replica::Begun { at: state.clock },
            Replica::Begun { at } => match state.due(at) {
                Some(armed) if state.row_lock == 0 || !locks => {
                    if locks {
                        state.row_lock = holder;
                    }
                    if self.is(Flaw::ClaimApart) {
                        state.armed.clear();
                        state.release(holder);
                    }
                    Replica::Claimed { at, version: state.version, armed }
                }
                // The row is skipped, or no longer due.
                _ => Replica::Idle,
            },
            Replica::Claimed { at, version, armed } if armed.rung == RUNGS => {
                Replica::Written { at, version, armed, number: 0 }
            }
            Replica::Claimed { at, version, armed } => {
                if self.is(Flaw::NumberOutside) {
                    state.counter += 1;
                } else if state.counter_lock == 0 {
                    state.counter_lock = holder;
                } else {
                    return None;
                }
                let number = if self.is(Flaw::NumberOutside) { state.counter } else { state.counter + 1 };
                Replica::Numbered { at, version, armed, number }
            }
            Replica::Numbered { at, version, armed, number } => Replica::Written { at, version, armed, number },
            Replica::Written { at, version, armed, number } => {
                if state.version == version || !locks {
                    self.commit(state, at, armed, number);
                }
                state.release(holder);
                Replica::Idle
            }
        };
        *state.replicas.get_mut(index)? = next;
        Some(())
    }

    fn commit(self, state: &mut State, at: u8, armed: Armed, number: u8) {
        state.version += 1;
        state.status = Status::Open;
        state.armed.clear();
        if armed.rung == RUNGS {
            // Counted on from its own due tick, so that a late clock does not shift the rhythm.
            state.is_nagged |= state.reminded == Some(at);
            state.reminded = Some(at);
            if !self.is(Flaw::RemindsOnce) {
                state.armed.push(Armed { rung: RUNGS, due: (armed.due + 1).max(at + 1) });
            }
        } else {
            state.counter = state.counter.max(number);
            state.notices.push(Notice { round: state.round, rung: armed.rung, number, due: armed.due, at });
            state.is_marked = true;
            if !self.is(Flaw::ForgetNext) {
                state.armed.push(Armed { rung: armed.rung + 1, due: at + 1 });
            }
        }
        state.append();
    }

    fn report(self, state: &mut State) -> Option<()> {
        state.unit = match state.unit {
            Unit::Idle => Unit::Begun { at: state.clock, seen: state.version },
            Unit::Begun { at, seen } => {
                if state.row_lock != 0 {
                    return None;
                }
                // Nobody but the unit and the clock changes an open case.
                if seen != state.version && self.is(Flaw::StaleByClock) {
                    state.is_sent_back = true;
                    Unit::Idle
                } else {
                    state.row_lock = UNIT;
                    Unit::Locked { at }
                }
            }
            Unit::Locked { at } => {
                state.status = Status::Reported;
                state.in_time = at < state.limit;
                // Late, or in time by its own reading whatever the clock had marked.
                state.is_marked = !state.in_time || (state.is_marked && self.is(Flaw::KeepsMark));
                state.armed.clear();
                state.version += 1;
                state.append();
                state.release(UNIT);
                Unit::Idle
            }
        };
        Some(())
    }

    fn consume(self, state: &mut State) -> Option<()> {
        let apply = |state: &mut State, event: u8| {
            state.inbox |= bit(event);
            if let Some(times) = state.effects.get_mut(usize::from(event)) {
                *times += 1;
            }
            Consumer::Applied(event)
        };
        state.consumer = match state.consumer {
            Consumer::Idle => return None,
            Consumer::Took(event) if state.inbox & bit(event) != 0 && !self.is(Flaw::NoInbox) => {
                Consumer::Applied(event)
            }
            Consumer::Took(event) if self.is(Flaw::InboxApart) => {
                state.inbox |= bit(event);
                Consumer::Noted(event)
            }
            Consumer::Took(event) | Consumer::Noted(event) => apply(state, event),
            Consumer::Applied(event) => {
                state.broker &= !bit(event);
                Consumer::Idle
            }
        };
        Some(())
    }

    fn act(self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Tick => state.clock += 1,
            Action::StepBack => {
                state.clock -= 1;
                state.steps_back -= 1;
            }
            Action::Step(index) => self.step(state, index)?,
            Action::Crash(index) => {
                state.release(u8::try_from(index).ok()? + 1);
                *state.replicas.get_mut(index)? = Replica::Idle;
                state.crashes -= 1;
            }
            Action::Report => self.report(state)?,
            Action::CrashReport => {
                state.release(UNIT);
                state.unit = Unit::Idle;
                state.crashes -= 1;
            }
            Action::Return => {
                state.status = Status::Open;
                state.round += 1;
                state.returns -= 1;
                state.limit = state.limit.max(state.clock + 1);
                state.is_marked = false;
                state.reminded = None;
                state.armed = vec![Armed { rung: 0, due: state.limit }];
                state.version += 1;
                state.append();
            }
            Action::Close => {
                state.status = Status::Closed;
                state.version += 1;
                state.append();
            }
            Action::Publish => {
                state.broker |= bit(state.cursor);
                state.is_sent = true;
            }
            Action::Record => {
                state.cursor += 1;
                state.is_sent = false;
            }
            Action::CrashRelay => {
                state.is_sent = false;
                state.crashes -= 1;
            }
            Action::Republish => {
                state.broker |= bit(state.cursor) - 1;
                state.is_other_stream = false;
            }
            Action::Wipe => {
                state.broker = 0;
                state.is_other_stream = !self.is(Flaw::IgnoreWipe);
                state.wipes -= 1;
            }
            Action::Deliver(event) => state.consumer = Consumer::Took(event),
            Action::Consume => self.consume(state)?,
            Action::CrashConsumer => {
                state.consumer = Consumer::Idle;
                state.crashes -= 1;
            }
        }
        Some(())
    }

    /// Whether nothing is left that must happen.
    fn is_quiet(self, state: &State) -> bool {
        let mut actions = Vec::new();
        self.actions(state, &mut actions);
        // A request that has begun goes on.
        let may_rest = |action: Action| action.is_optional() && (action != Action::Report || state.unit == Unit::Idle);
        actions.into_iter().all(may_rest)
    }
}

impl Model for Ladder {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            clock: 0,
            status: Status::Open,
            version: 1,
            round: 0,
            armed: vec![Armed { rung: 0, due: 1 }],
            in_time: false,
            limit: 1,
            is_marked: false,
            reminded: None,
            is_nagged: false,
            is_sent_back: false,
            row_lock: 0,
            counter: 0,
            counter_lock: 0,
            notices: Vec::new(),
            replicas: [Replica::Idle; 2],
            unit: Unit::Idle,
            journal: 1,
            cursor: 0,
            is_sent: false,
            broker: 0,
            is_other_stream: false,
            consumer: Consumer::Idle,
            inbox: 0,
            effects: vec![0],
            crashes: self.crashes,
            wipes: self.wipes,
            steps_back: self.steps_back,
            returns: self.returns,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let crashes = state.crashes > 0;
        if state.clock < self.last_tick {
            actions.push(Action::Tick);
        }
        if state.steps_back > 0 && state.clock > 0 {
            actions.push(Action::StepBack);
        }
        for (index, replica) in state.replicas.iter().enumerate() {
            let can_step = match replica {
                // Polling without anything to find changes nothing.
                Replica::Idle => state.due(state.clock).is_some() && (state.row_lock == 0 || self.is(Flaw::NoLock)),
                Replica::Claimed { armed, .. } => {
                    armed.rung == RUNGS || state.counter_lock == 0 || self.is(Flaw::NumberOutside)
                }
                Replica::Begun { .. } | Replica::Numbered { .. } | Replica::Written { .. } => true,
            };
            if can_step {
                actions.push(Action::Step(index));
            }
            if crashes && *replica != Replica::Idle {
                actions.push(Action::Crash(index));
            }
        }
        let can_report = match state.unit {
            Unit::Idle => state.status == Status::Open,
            Unit::Begun { .. } => state.row_lock == 0,
            Unit::Locked { .. } => true,
        };
        if can_report {
            actions.push(Action::Report);
        }
        if crashes && state.unit != Unit::Idle {
            actions.push(Action::CrashReport);
        }
        if state.status == Status::Reported && state.row_lock == 0 {
            actions.push(Action::Close);
            if state.returns > 0 {
                actions.push(Action::Return);
            }
        }
        if !self.delivers {
            return;
        }
        if state.is_sent {
            actions.push(Action::Record);
            if crashes {
                actions.push(Action::CrashRelay);
            }
        } else if state.is_other_stream {
            actions.push(Action::Republish);
        } else if state.cursor < state.journal {
            actions.push(Action::Publish);
        }
        if state.wipes > 0 {
            actions.push(Action::Wipe);
        }
        if state.consumer == Consumer::Idle {
            actions.extend((0..state.journal).filter(|event| state.broker & bit(*event) != 0).map(Action::Deliver));
        } else {
            actions.push(Action::Consume);
            if crashes {
                actions.push(Action::CrashConsumer);
            }
        }
    }

    fn next_state(&self, last_state: &State, action: Action) -> Option<State> {
        let mut state = last_state.clone();
        self.act(&mut state, action)?;
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("one notice for each rung", |_, state: &State| {
                let twice = |(index, one): (usize, &Notice)| {
                    state.notices.iter().skip(index + 1).any(|other| (other.round, other.rung) == (one.round, one.rung))
                };
                !state.notices.iter().enumerate().any(twice)
            }),
            Property::always("numbers without gap", |_, state: &State| {
                (1..).zip(&state.notices).all(|(number, notice)| notice.number == number)
            }),
            Property::always("never early", |_, state: &State| {
                state.notices.iter().all(|notice| notice.at >= notice.due)
            }),
            Property::always("an effect at most once", |_, state: &State| {
                state.effects.iter().all(|times| *times <= 1)
            }),
            Property::always("an open case has exactly one armed rung", |_, state: &State| match state.status {
                Status::Open => state.armed.len() == 1,
                Status::Reported | Status::Closed => state.armed.is_empty(),
            }),
            Property::always("in the end a late case has its notices", |model: &Self, state: &State| {
                let rungs = (0..RUNGS).filter(|rung| {
                    state.notices.iter().any(|notice| (notice.round, notice.rung) == (state.round, *rung))
                });
                let reached = u8::try_from(rungs.count()).unwrap_or_default();
                let waits = state.armed.first().is_some_and(|armed| armed.rung == reached);
                let has_run_out = state.armed.first().is_none_or(|armed| armed.due <= state.clock);
                state.status != Status::Open || !model.is_quiet(state) || (waits && !has_run_out)
            }),
            Property::always("a report is late if and only if it began late", |_, state: &State| {
                state.status == Status::Open || state.is_marked != state.in_time
            }),
            Property::always("nobody is sent back for what the clock did", |_, state: &State| !state.is_sent_back),
            Property::always("people are reminded at most once a tick", |_, state: &State| !state.is_nagged),
            Property::always("in the end every event took effect", |model: &Self, state: &State| {
                state.effects.iter().all(|times| *times == 1) || !model.delivers || !model.is_quiet(state)
            }),
            Property::sometimes("the ladder is climbed to its top", |_, state: &State| {
                state.armed.first().is_some_and(|armed| armed.rung == RUNGS)
            }),
            Property::sometimes("a report in time", |_, state: &State| {
                state.status == Status::Reported && state.in_time
            }),
            Property::sometimes("a report in time that a notice has overtaken", |_, state: &State| {
                let is_noticed = state.notices.iter().any(|notice| notice.round == state.round);
                state.status == Status::Reported && state.in_time && is_noticed
            }),
            Property::sometimes("a late report after a notice", |_, state: &State| {
                state.status == Status::Reported && !state.in_time && !state.notices.is_empty()
            }),
            Property::sometimes("closed, with every event taken", |model: &Self, state: &State| {
                state.status == Status::Closed && model.is_quiet(state)
            }),
        ];
        // Within the other bounds the clock does not get so far.
        if self.last_tick > RUNGS + 1 {
            properties.push(Property::sometimes("people are reminded again", |_, state: &State| {
                state.reminded.is_some() && state.armed.first().is_some_and(|armed| armed.rung == RUNGS)
            }));
        }
        properties
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.journal < 14
    }
}
