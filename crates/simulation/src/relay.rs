//! The relay: one at a time by an advisory lock, settled ranges, one row for a batch, everything again for a new stream.

use crate::database::{Entry, Key, Purpose, Range, Stop, Value};
use crate::days::{Micros, SECOND};
use crate::env::Env;
use crate::options::Mutation;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Look,
    Republish { batch: u64, incarnation: i64 },
    Remember { incarnation: i64 },
    Read,
    Publish { batch: u64, rows: Vec<Entry>, sent: usize, range: Range },
    Record { batch: u64, rows: usize, range: Range },
}

/// A replica's relay.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) replica: usize,
    /// How many transactions had ended when it found nothing.
    starved: Option<u64>,
    /// Not before this true time.
    pub(crate) wake: Micros,
    batch: usize,
    stage: Stage,
    /// The session that holds the advisory lock is gone; noticed at the next statement.
    pub(crate) is_cut: bool,
}

impl Relay {
    pub(crate) const fn new(replica: usize, batch: usize) -> Self {
        Self { replica, starved: None, wake: Micros::MIN, batch, stage: Stage::Idle, is_cut: false }
    }

    /// Whether it has, or may have, something to do.
    pub(crate) fn wants(&self, env: &Env<'_>) -> bool {
        if self.stage != Stage::Idle {
            return true;
        }
        let may_lead = env.leader.is_none_or(|leader| leader == self.replica);
        let has_news = env.published < env.database.journaled() && self.starved != Some(env.database.ended());
        may_lead && (has_news || Self::sees_other_stream(env))
    }

    fn sees_other_stream(env: &Env<'_>) -> bool {
        !env.is(Mutation::IgnoreWipe) && env.database.number(Key::Transport) != Some(env.broker.incarnation())
    }

    pub(crate) fn reset(&mut self, env: &mut Env<'_>) {
        if env.leader == Some(self.replica) && !self.is_cut {
            env.leader = None;
        }
        self.is_cut = false;
        self.stage = Stage::Idle;
    }

    pub(crate) fn step(&mut self, env: &mut Env<'_>) {
        if let Ok(what) = self.advance(env) {
            env.note("relay", self.replica as u64, what, env.last_batch);
            return;
        }
        env.note("relay", self.replica as u64, "pauses and tries again", env.last_batch);
        self.reset(env);
        self.wake = env.now + SECOND / 2;
    }

    fn statement(&self) -> Result<(), Stop> {
        if self.is_cut { Err(Stop::Gone) } else { Ok(()) }
    }

    fn advance(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => {
                env.leader = Some(self.replica);
                self.is_cut = false;
                self.stage = if Self::sees_other_stream(env) { Stage::Look } else { Stage::Read };
                Ok("leads")
            }
            Stage::Look => {
                self.statement()?;
                let incarnation = env.broker.incarnation();
                self.stage = if env.last_batch > 0 {
                    Stage::Republish { batch: 1, incarnation }
                } else {
                    Stage::Remember { incarnation }
                };
                Ok("looks at the stream")
            }
            Stage::Republish { batch, incarnation } => {
                self.statement()?;
                // Some ten steps for the whole journal, so that a crash can strike in between and the end is reached.
                let most = batch + 20 + env.last_batch / 10;
                let mut next = batch;
                while next < most && next <= env.last_batch {
                    if let Some(Value::Batch(range)) = env.database.committed(Key::Batch(next)) {
                        let rows = env.database.read(*range, usize::MAX);
                        env.broker.publish(&rows);
                    }
                    next += 1;
                }
                self.stage = if next > env.last_batch {
                    Stage::Remember { incarnation }
                } else {
                    Stage::Republish { batch: next, incarnation }
                };
                Ok("publishes again")
            }
            Stage::Remember { incarnation } => {
                self.statement()?;
                let tx = env.begin(Purpose::Relay);
                env.database.put(tx, Key::Transport, Value::Number(incarnation))?;
                env.commit(self.replica, tx)?;
                self.stage = Stage::Read;
                Ok("remembers the stream")
            }
            Stage::Read => {
                self.statement()?;
                let (range, rows) = self.read(env);
                if rows.is_empty() {
                    self.starved = Some(env.database.ended());
                    return Ok("nothing settled");
                }
                self.stage = Stage::Publish { batch: env.last_batch + 1, rows, sent: 0, range };
                Ok("reads")
            }
            Stage::Publish { batch, rows, sent, range } => {
                let chunk = sent + 1 + env.rng.index(rows.len() - sent);
                env.broker.publish(&rows[sent..chunk]);
                self.stage = if chunk < rows.len() {
                    Stage::Publish { batch, rows, sent: chunk, range }
                } else {
                    Stage::Record { batch, rows: rows.len(), range }
                };
                Ok("publishes")
            }
            Stage::Record { batch, rows, range } => {
                self.statement()?;
                let tx = env.begin(Purpose::Relay);
                if let Err(stop) = env.database.insert(tx, Key::Batch(batch), Value::Batch(range)) {
                    // Another relay has recorded this batch: the events were published twice.
                    env.database.rollback(tx);
                    return Err(stop);
                }
                env.published += rows as u64;
                env.commit(self.replica, tx)?;
                Ok("records the batch")
            }
        }
    }

    /// The rest of the present range, or the next one that has rows; the range as it will be recorded, and its rows.
    fn read(&self, env: &Env<'_>) -> (Range, Vec<Entry>) {
        let present = match env.database.committed(Key::Batch(env.last_batch)) {
            Some(Value::Batch(range)) => *range,
            _ => Range { from_tx: 0, below_tx: 0, after_position: 0, to_position: 0 },
        };
        let recorded = |range: Range, rows: &[Entry]| Range {
            to_position: rows.last().map_or(range.to_position, |row| row.position),
            ..range
        };
        if env.is(Mutation::HighWater) {
            let rows = env.database.read_after(present.to_position, self.batch);
            let range = Range { from_tx: 0, below_tx: u64::MAX, after_position: present.to_position, to_position: 0 };
            return (recorded(range, &rows), rows);
        }
        let rest = Range { after_position: present.to_position, to_position: u64::MAX, ..present };
        let rows = env.database.read(rest, self.batch);
        if !rows.is_empty() {
            return (recorded(rest, &rows), rows);
        }
        let next = Range {
            from_tx: present.below_tx,
            below_tx: env.database.settled(),
            after_position: 0,
            to_position: u64::MAX,
        };
        let rows = env.database.read(next, self.batch);
        (recorded(next, &rows), rows)
    }
}
