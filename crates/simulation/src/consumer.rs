//! A consumer of the journal: a batch of events in one transaction with its inbox rows, then the acknowledgement.

use crate::broker::Delivered;
use crate::database::{Key, Purpose, Stop, TxId, Value};
use crate::env::Env;
use crate::options::Mutation;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Inbox(usize),
    Apply,
    Commit,
    Acknowledge,
}

/// A replica of a consuming service.
#[derive(Debug)]
pub(crate) struct Consumer {
    /// Which service.
    pub(crate) shop: usize,
    /// Which replica of it.
    pub(crate) replica: usize,
    pub(crate) waits: Option<TxId>,
    /// The acknowledgement of the next commit gets lost.
    pub(crate) is_deaf: bool,
    batch: usize,
    stage: Stage,
    tx: TxId,
    hand: Vec<Delivered>,
    order: Vec<u64>,
    new: Vec<u64>,
}

impl Consumer {
    pub(crate) const fn new(shop: usize, replica: usize, batch: usize) -> Self {
        Self {
            shop,
            replica,
            waits: None,
            is_deaf: false,
            batch,
            stage: Stage::Idle,
            tx: 0,
            hand: Vec::new(),
            order: Vec::new(),
            new: Vec::new(),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    pub(crate) fn reset(&mut self, env: &mut Env<'_>) {
        env.shops[self.shop].rollback(self.tx);
        env.broker.give_back(self.shop, self.replica);
        self.stage = Stage::Idle;
        self.waits = None;
        self.hand.clear();
    }

    pub(crate) fn step(&mut self, env: &mut Env<'_>) {
        self.waits = None;
        let which = (self.shop * 10 + self.replica) as u64;
        let mark = env.shops[self.shop].mark(self.tx);
        match self.advance(env) {
            Ok(what) => env.note("consumer", which, what, self.hand.len() as u64),
            Err(Stop::Blocked(holder)) => {
                env.note("consumer", which, "waits for transaction", holder);
                if self.stage == Stage::Apply {
                    env.shops[self.shop].back_to(self.tx, mark);
                }
                self.waits = Some(holder);
            }
            // A victim of a deadlock loses its work and gets the events again.
            Err(Stop::Gone | Stop::Deadlock) => {
                env.note("consumer", which, "lost its connection", self.tx);
                self.reset(env);
            }
            Err(stop @ (Stop::Unique(_) | Stop::Stale)) => {
                env.fail("constraint", format!("a consumer met {stop:?}"));
                self.reset(env);
            }
        }
    }

    fn advance(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        match self.stage {
            Stage::Idle => {
                let most = 1 + env.rng.index(self.batch.max(env.broker.backlog(self.shop) / 20));
                self.hand = env.broker.fetch(self.shop, self.replica, most, &mut env.rng);
                if self.hand.is_empty() {
                    return Ok("nothing new");
                }
                self.begin(env);
                self.order = self.hand.iter().map(|message| message.entry.event()).collect();
                // One order for everyone: two replicas with the same events then wait instead of locking up.
                self.order.sort_unstable();
                self.order.dedup();
                self.new.clear();
                self.stage = Stage::Inbox(0);
                Ok("fetch and begin")
            }
            Stage::Inbox(from) => self.inbox(env, from),
            Stage::Apply => self.apply(env),
            Stage::Commit => {
                env.shops[self.shop].commit(self.tx)?;
                env.effects[self.shop] += self.new.len() as u64;
                if std::mem::take(&mut self.is_deaf) {
                    return Err(Stop::Gone);
                }
                self.stage = Stage::Acknowledge;
                Ok("commit")
            }
            Stage::Acknowledge => {
                env.broker.acknowledge(self.shop, self.replica, &self.hand);
                self.hand.clear();
                self.stage = Stage::Idle;
                Ok("acknowledge")
            }
        }
    }

    fn begin(&mut self, env: &mut Env<'_>) {
        let at = env.legal();
        self.tx = env.shops[self.shop].begin(at, Purpose::Consume);
    }

    fn inbox(&mut self, env: &mut Env<'_>, from: usize) -> Result<&'static str, Stop> {
        for (index, event) in self.order.iter().enumerate().skip(from) {
            if env.is(Mutation::NoInbox) {
                self.new.push(*event);
                continue;
            }
            match env.shops[self.shop].insert(self.tx, Key::Inbox(*event), Value::Unit) {
                Ok(()) => self.new.push(*event),
                Err(Stop::Unique(_)) => {}
                Err(stop) => {
                    self.stage = Stage::Inbox(index);
                    return Err(stop);
                }
            }
        }
        if env.is(Mutation::InboxOutside) {
            env.shops[self.shop].commit(self.tx)?;
            self.begin(env);
        }
        self.stage = Stage::Apply;
        Ok("inbox")
    }

    /// A notice for each event, and a copy of the case that an older snapshot does not change.
    fn apply(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        let mut left = self.new.clone();
        let older_wins = env.is(Mutation::OlderSnapshotWins);
        let shop = &mut env.shops[self.shop];
        let (mut twice, mut older) = (None, None);
        for message in &self.hand {
            let entry = message.entry;
            let Ok(place) = left.binary_search(&entry.event()) else { continue };
            left.remove(place);
            let number = |value: Option<&Value>| match value {
                Some(Value::Number(number)) => *number,
                _ => 0,
            };
            let times = number(shop.get(self.tx, Key::Effect(entry.event()))?) + 1;
            if times > 1 {
                twice = Some(entry);
            }
            shop.put(self.tx, Key::Effect(entry.event()), Value::Number(times))?;
            let known = number(shop.get(self.tx, Key::Copy(entry.case))?);
            if known < i64::from(entry.version) || older_wins {
                shop.put(self.tx, Key::Copy(entry.case), Value::Number(i64::from(entry.version)))?;
                if known > i64::from(entry.version) {
                    older = Some(entry);
                }
            }
        }
        if let Some(entry) = twice {
            env.fail("effect", format!("consumer {}: {entry:?} takes effect twice", self.shop));
        }
        if let Some(entry) = older {
            env.fail("copy", format!("consumer {}: a copy goes back to {entry:?}", self.shop));
        }
        self.stage = Stage::Commit;
        Ok("apply")
    }
}
