//! Senders. A sender takes some deliveries at once, carries them one after the other, and writes down what became of each
//! before it touches the next.
//!
//! That it lives is said by an advisory lock on its own connection, under whose number it takes: when it dies, the lock is gone
//! with the connection, and others take what it had. A row lock would not do: it would give a transaction a number for as long as
//! a provider thinks, and the relays of all services on the server wait for the oldest number that is still open.

use std::{sync::Arc, time::Duration};

use postgres::Database;
use service_kit::{Round, Worker};
use sqlx::{Postgres, pool::PoolConnection};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    carry::{Accepted, Carrier, CarryError, Parcel},
    plan::Plan,
    store,
};
use crate::{config::MailSection, message::Telling, receipt::Links, rules::Channel};

/// How often a sender looks for work.
const PERIOD: Duration = Duration::from_millis(500);
/// Longest error text that is kept, in characters.
const LONGEST_ERROR: usize = 500;
/// Mails that a sender takes at once.
const MAILS: i64 = 32;

/// How long a delivery is tried.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Pause after the first failure; it doubles each time.
    pub first_pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// Attempts before it is given up.
    pub attempts: i32,
    /// Definite refusals before it is given up.
    pub refusals: i32,
}

impl From<&MailSection> for Patience {
    fn from(section: &MailSection) -> Self {
        Self {
            first_pause: Duration::from_millis(section.first_pause_milliseconds),
            longest_pause: Duration::from_secs(section.longest_pause_seconds),
            attempts: section.attempts,
            refusals: section.refusals,
        }
    }
}

impl Patience {
    /// The pause after so many attempts, a little different for each delivery, so that they do not all come back at once.
    fn pause(self, attempts: i32, delivery: Uuid) -> Duration {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
        let pause = self.first_pause.saturating_mul(2_u32.saturating_pow(doublings)).min(self.longest_pause);
        let spread = u32::from(delivery.as_bytes().last().copied().unwrap_or_default());
        pause + pause / 2560 * spread
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted.
    Delivered {
        /// By whom.
        provider: String,
    },
    /// It is tried again after the pause.
    Again {
        /// The pause.
        after: Duration,
        /// It was a definite refusal.
        refused: bool,
        /// Why.
        error: String,
    },
    /// It was no attempt: nobody may be asked for so long.
    Later {
        /// How long.
        after: Duration,
    },
    /// It is given up.
    Failed {
        /// Why.
        error: String,
    },
}

/// A sender's own connection, with the lock that says that it lives.
struct Lane {
    db: PoolConnection<Postgres>,
    number: i64,
}

/// A sender of one channel.
pub struct Sender {
    database: Database,
    telling: Arc<Telling>,
    links: Option<Arc<Links>>,
    carrier: Arc<dyn Carrier>,
    patience: Patience,
    lane: Mutex<Option<Lane>>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("channel", &self.carrier.channel()).finish_non_exhaustive()
    }
}

impl Sender {
    /// A sender that connects with its first round.
    pub fn new(
        database: Database,
        telling: Arc<Telling>,
        links: Option<Arc<Links>>,
        carrier: Arc<dyn Carrier>,
        patience: Patience,
    ) -> Self {
        Self { database, telling, links, carrier, patience, lane: Mutex::new(None) }
    }

    /// The sender as a worker: a reconciler that sends what is due.
    pub fn worker(self, name: &'static str) -> Worker {
        let sender = Arc::new(self);
        Worker::every(name, PERIOD, move || {
            let sender = Arc::clone(&sender);
            async move {
                let taken = sender.round().await?;
                Ok(if taken == 0 { Round::Done } else { Round::More })
            }
        })
    }

    /// Sends what is due, a batch at most; returns how many deliveries were taken.
    pub async fn round(&self) -> Result<usize, sqlx::Error> {
        if !self.carrier.is_ready() {
            return Ok(0);
        }
        // Taken out: a round that fails, panics or is given up drops its connection, and its lock with it.
        let kept = self.lane.lock().await.take();
        let mut lane = if let Some(lane) = kept {
            lane
        } else {
            let mut db = self.database.pool().acquire().await?;
            db.close_on_drop();
            let number = store::open_lane(&mut db).await?;
            Lane { db, number }
        };
        let taken = self.send(&mut lane).await?;
        *self.lane.lock().await = Some(lane);
        Ok(taken)
    }

    async fn send(&self, lane: &mut Lane) -> Result<usize, sqlx::Error> {
        let channel = self.carrier.channel();
        let limit = if channel == Channel::Mail { MAILS } else { 1 };
        let mut parcels = store::claim(&mut lane.db, channel, lane.number, limit, &self.telling.support).await?;
        if parcels.is_empty() {
            return Ok(0);
        }
        if let Some(links) = &self.links {
            links.attach(&mut lane.db, &self.telling, &mut parcels).await?;
        }
        let at = postgres::legal_now(&mut lane.db).await?;
        let taken = parcels.len();
        for parcel in parcels {
            let mut parcel = parcel.parcel;
            if parcel.link.is_empty() {
                // A digest is about no single matter.
                parcel.link = format!("{}/inbox", self.telling.console);
            }
            let county = parcel.facts.county.as_deref();
            let leaves = self.telling.rules.may_leave(channel, county, parcel.facts.urgent, at);
            if leaves > at {
                store::hold(&mut lane.db, lane.number, &parcel, leaves).await?;
                continue;
            }
            let outcome = judge(self.carrier.carry(&parcel).await, &parcel, self.patience);
            self.settle(lane, &parcel, &outcome, at).await?;
        }
        Ok(taken)
    }

    async fn settle(
        &self,
        lane: &mut Lane,
        parcel: &Parcel,
        outcome: &Outcome,
        at: jiff::Timestamp,
    ) -> Result<(), sqlx::Error> {
        let channel = self.carrier.channel();
        match outcome {
            Outcome::Delivered { .. } | Outcome::Later { .. } => {}
            Outcome::Again { after, error, .. } => {
                tracing::debug!(delivery.id = %parcel.delivery_id, attempt = parcel.attempt, pause = ?after, error, "a delivery is tried again");
            }
            Outcome::Failed { error } => {
                tracing::warn!(delivery.id = %parcel.delivery_id, attempt = parcel.attempt, channel = channel.as_str(), error, "a delivery was given up");
            }
        }
        let next = match outcome {
            Outcome::Failed { .. } => self.next_way(parcel, at),
            Outcome::Delivered { .. } | Outcome::Again { .. } | Outcome::Later { .. } => None,
        };
        store::settle(&mut lane.db, lane.number, parcel, outcome, next.as_ref()).await
    }

    /// The way that takes over from one that has failed, if the reader can be reached by it.
    fn next_way(&self, parcel: &Parcel, at: jiff::Timestamp) -> Option<Plan> {
        let rules = &self.telling.rules;
        let next = rules.way_after(self.carrier.channel())?;
        let reachable = match next {
            Channel::Sms => parcel.phone.is_some(),
            Channel::Mail => parcel.email.is_some(),
            Channel::InApp | Channel::Webhook | Channel::Wecom | Channel::Dingtalk => false,
        };
        let facts = &parcel.facts;
        // A digest is no message: what is in it has no legal effect, and stays in the inbox.
        (reachable && !facts.template.is_empty()).then(|| {
            let leaves = rules.may_leave(next, facts.county.as_deref(), facts.urgent, at);
            Plan::leaving(parcel.key, next, leaves, at)
        })
    }
}

fn judge(carried: Result<Accepted, CarryError>, parcel: &Parcel, patience: Patience) -> Outcome {
    let error = match carried {
        Ok(accepted) => return Outcome::Delivered { provider: accepted.provider },
        Err(error) => error,
    };
    let text: String = error.to_string().chars().filter(|c| *c != '\0').take(LONGEST_ERROR).collect();
    let (refused, hopeless) = match error {
        CarryError::Address(_) => (true, true),
        CarryError::Refused(_) => (true, parcel.refusals.saturating_add(1) >= patience.refusals),
        CarryError::Passing(_) | CarryError::Silent(_) => (false, false),
        CarryError::Throttled(after) => return Outcome::Later { after },
    };
    if hopeless || parcel.attempt >= patience.attempts {
        Outcome::Failed { error: text }
    } else {
        Outcome::Again { after: patience.pause(parcel.attempt, parcel.delivery_id), refused, error: text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{delivery::carry::Facts, language::Language};

    const PATIENCE: Patience = Patience {
        first_pause: Duration::from_secs(5),
        longest_pause: Duration::from_mins(1),
        attempts: 10,
        refusals: 3,
    };

    fn parcel(refusals: i32, attempt: i32) -> Parcel {
        Parcel {
            delivery_id: Uuid::nil(),
            key: Uuid::nil(),
            attempt,
            refusals,
            email: None,
            phone: None,
            endpoint: None,
            language: Language::ZhHans,
            subject: String::new(),
            text: String::new(),
            short: String::new(),
            link: String::new(),
            sign_link: None,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            facts: Facts::default(),
        }
    }

    #[test]
    fn the_pause_grows_to_its_limit_and_is_spread() {
        let pauses: Vec<u64> = (1..=6).map(|attempt| PATIENCE.pause(attempt, Uuid::nil()).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
        assert_eq!(PATIENCE.pause(i32::MAX, Uuid::nil()).as_secs(), 60);
        let spread = PATIENCE.pause(6, Uuid::max());
        assert!(spread > Duration::from_secs(65) && spread < Duration::from_secs(66), "{spread:?}");
    }

    #[test]
    fn a_definite_refusal_counts_and_a_passing_failure_does_not() {
        let refused =
            |refusals, attempt| judge(Err(CarryError::Refused("550".to_owned())), &parcel(refusals, attempt), PATIENCE);
        let passing =
            |refusals, attempt| judge(Err(CarryError::Passing("451".to_owned())), &parcel(refusals, attempt), PATIENCE);
        let failed = |outcome| matches!(outcome, Outcome::Failed { .. });
        assert!(!failed(refused(0, 1)));
        assert!(failed(refused(2, 3)));
        assert!(!failed(passing(2, 9)));
        assert!(failed(passing(0, 10)));
        assert!(failed(judge(Err(CarryError::Address("none".to_owned())), &parcel(0, 1), PATIENCE)));
        let wait = Duration::from_secs(3);
        let throttled = judge(Err(CarryError::Throttled(wait)), &parcel(0, 10), PATIENCE);
        assert_eq!(throttled, Outcome::Later { after: wait });
    }

    #[test]
    fn a_delivery_is_tried_for_days() {
        let usual = Patience {
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_hours(1),
            attempts: 120,
            refusals: 3,
        };
        let whole: Duration = (1..usual.attempts).map(|attempt| usual.pause(attempt, Uuid::nil())).sum();
        assert!(whole > Duration::from_hours(4 * 24 + 12) && whole < Duration::from_hours(5 * 24), "{whole:?}");
    }
}
