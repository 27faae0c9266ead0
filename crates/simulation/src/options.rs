//! What a run is told.

/// A deliberate fault of the engine, to show that the simulation finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(doc), derive(clap::ValueEnum))]
pub enum Mutation {
    /// Timers are marked as fired in a transaction of their own, before the effect.
    EffectOutsideClaim,
    /// Due rows are read without locks and written without a version check.
    NoRowLock,
    /// The number is taken in a transaction of its own.
    NumberOutside,
    /// An urging order arms nothing that follows it.
    ForgetNextTimer,
    /// The journal is written after the commit.
    JournalOutside,
    /// Each replica trusts its own clock.
    OwnClock,
    /// A report is judged by the time that its sender names.
    SendersClock,
    /// The inbox row is committed before the effect.
    InboxOutside,
    /// Consumers keep no inbox.
    NoInbox,
    /// The relay reads by a high-water mark instead of settled ranges.
    HighWater,
    /// The relay does not notice that the stream is another one.
    IgnoreWipe,
    /// Letter and receipt are handled without the lock of the letter.
    NoLetterLock,
    /// An older snapshot overwrites a newer one.
    OlderSnapshotWins,
    /// An act is refused for a version that only the clock has raised.
    StaleByClock,
    /// A firing that tells nobody anything raises the version.
    SilentVersion,
    /// The department's case is written after the commit.
    DepartmentOutside,
    /// A close-out under joint liability looks at its counterpart without locking it.
    CounterpartUnlocked,
    /// Rules are read without being held.
    RulesUnheld,
    /// Cases fire before the rules in force have counted them.
    FireBehind,
    /// Cases are acted upon without being counted by the rules in force.
    ActBehind,
}

impl Mutation {
    /// Every mutation.
    pub const ALL: [Self; 20] = [
        Self::EffectOutsideClaim,
        Self::NoRowLock,
        Self::NumberOutside,
        Self::ForgetNextTimer,
        Self::JournalOutside,
        Self::OwnClock,
        Self::SendersClock,
        Self::InboxOutside,
        Self::NoInbox,
        Self::HighWater,
        Self::IgnoreWipe,
        Self::NoLetterLock,
        Self::OlderSnapshotWins,
        Self::StaleByClock,
        Self::SilentVersion,
        Self::DepartmentOutside,
        Self::CounterpartUnlocked,
        Self::RulesUnheld,
        Self::FireBehind,
        Self::ActBehind,
    ];
}

/// The kinds of fault, in the order of [`Options::faults`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A replica of the engine dies, whatever it was doing.
    Crash,
    /// A replica of the engine hangs, with its locks.
    Freeze,
    /// A replica of a consumer dies.
    ConsumerCrash,
    /// The database dies and comes back.
    DatabaseCrash,
    /// A commit's acknowledgement gets lost.
    LostAcknowledgement,
    /// The legal clock steps.
    ClockStep,
    /// The broker loses everything.
    BrokerWipe,
    /// Old events are delivered again.
    Repeat,
    /// The database of a consumer dies.
    ShopCrash,
    /// Every replica of the engine is down, for up to two days.
    Outage,
}

impl Fault {
    /// Every kind with its weight.
    pub const ALL: [(Self, u32); 10] = [
        (Self::Crash, 40),
        (Self::Freeze, 12),
        (Self::ConsumerCrash, 15),
        (Self::DatabaseCrash, 6),
        (Self::LostAcknowledgement, 25),
        (Self::ClockStep, 12),
        (Self::BrokerWipe, 1),
        (Self::Repeat, 8),
        (Self::ShopCrash, 6),
        (Self::Outage, 1),
    ];
}

/// A run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The seed that everything follows from.
    pub seed: u64,
    /// Timers to fire before no more letters are sent.
    pub timers: u64,
    /// How many faults strike in ten thousand steps.
    pub faults: u32,
    /// Which kinds of fault may strike, a bit for each of [`Fault::ALL`].
    pub kinds: u16,
    /// A deliberate fault of the engine.
    pub mutation: Option<Mutation>,
}

impl Options {
    /// A run of a seed with the usual share of faults.
    pub const fn new(seed: u64, timers: u64) -> Self {
        Self { seed, timers, faults: 60, kinds: u16::MAX, mutation: None }
    }
}
