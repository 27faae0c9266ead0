//! Sending one mail: taken in one short transaction, so that everyone sees it on its way; then it stays locked until
//! the relay has answered, so that a second sender takes it only when the first is gone.

use std::{sync::Arc, time::Duration};

use postgres::Database;
use service_kit::{Round, Worker};
use uuid::Uuid;

use super::{Mailer, MailerError, store};
use crate::config::MailSection;

/// How often a sender looks for work.
const PERIOD: Duration = Duration::from_millis(500);
/// Longest error text that is kept, in characters.
const LONGEST_ERROR: usize = 500;

/// How long a mail is tried.
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
    /// The pause after so many attempts.
    fn pause(self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
        self.first_pause.saturating_mul(2_u32.saturating_pow(doublings)).min(self.longest_pause)
    }
}

/// A delivery that a sender has taken; it is this attempt's only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The delivery.
    pub delivery_id: Uuid,
    /// The number of the attempt.
    pub attempt: i32,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The relay accepted it.
    Delivered,
    /// It is tried again after the pause.
    Again {
        /// The pause.
        after: Duration,
        /// It was a definite refusal.
        refused: bool,
        /// Why.
        error: String,
    },
    /// It is given up.
    Failed {
        /// Why.
        error: String,
    },
}

/// A sender: a reconciler that sends what is due.
pub fn sender(name: &'static str, database: Database, mailer: Mailer, patience: Patience) -> Worker {
    let mailer = Arc::new(mailer);
    Worker::every(name, PERIOD, move || {
        let (database, mailer) = (database.clone(), Arc::clone(&mailer));
        async move {
            let sent = send_next(&database, &mailer, patience).await?;
            Ok(if sent { Round::More } else { Round::Done })
        }
    })
}

/// Sends the next mail that is due. False when none is.
pub async fn send_next(database: &Database, mailer: &Mailer, patience: Patience) -> Result<bool, sqlx::Error> {
    let Some(claim) = claim(database).await? else { return Ok(false) };
    send_claimed(database, mailer, patience, claim).await?;
    Ok(true)
}

/// Takes the next mail that is due and says so to everyone.
pub async fn claim(database: &Database) -> Result<Option<Claim>, sqlx::Error> {
    let mut db = database.pool().acquire().await?;
    store::claim(&mut db).await
}

/// Sends a mail that was taken and writes down what became of it. `None` when another sender has taken it meanwhile.
pub async fn send_claimed(
    database: &Database,
    mailer: &Mailer,
    patience: Patience,
    claim: Claim,
) -> Result<Option<Outcome>, sqlx::Error> {
    let mut tx = database.begin().await?;
    let Some(mail) = store::lock(&mut tx, claim).await? else { return Ok(None) };
    let sent = match &mail.email {
        Some(to) => {
            let at = mail.created_at.to_jiff();
            mailer.send(to, &mail.message_id.to_string(), &mail.subject, &mail.body, at).await
        }
        None => Err(MailerError::Address),
    };
    let outcome = judge(sent, mail.refusals, claim.attempt, patience);
    match &outcome {
        Outcome::Delivered => {}
        Outcome::Again { after, error, .. } => {
            tracing::debug!(delivery.id = %claim.delivery_id, attempt = claim.attempt, pause = ?after, error, "a mail is tried again");
        }
        Outcome::Failed { error } => {
            tracing::warn!(delivery.id = %claim.delivery_id, attempt = claim.attempt, error, "a mail was given up");
        }
    }
    store::settle(&mut tx, claim, &outcome).await?;
    tx.commit().await?;
    Ok(Some(outcome))
}

fn judge(sent: Result<(), MailerError>, refusals: i32, attempt: i32, patience: Patience) -> Outcome {
    let error = match sent {
        Ok(()) => return Outcome::Delivered,
        Err(error) => error,
    };
    let text: String = error.to_string().chars().take(LONGEST_ERROR).collect();
    let (refused, hopeless) = match error {
        MailerError::Address => (true, true),
        MailerError::Refused(_) => (true, refusals.saturating_add(1) >= patience.refusals),
        MailerError::Passing(_) | MailerError::Silent(_) => (false, false),
    };
    if hopeless || attempt >= patience.attempts {
        Outcome::Failed { error: text }
    } else {
        Outcome::Again { after: patience.pause(attempt), refused, error: text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        first_pause: Duration::from_secs(5),
        longest_pause: Duration::from_mins(1),
        attempts: 10,
        refusals: 3,
    };

    #[test]
    fn the_pause_grows_to_its_limit() {
        let pauses: Vec<u64> = (1..=6).map(|attempt| PATIENCE.pause(attempt).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
        assert_eq!(PATIENCE.pause(i32::MAX).as_secs(), 60);
    }

    #[test]
    fn a_definite_refusal_counts_and_a_passing_failure_does_not() {
        let refused = || Err(MailerError::Refused("550".to_owned()));
        let passing = || Err(MailerError::Passing("451".to_owned()));
        let failed = |outcome| matches!(outcome, Outcome::Failed { .. });
        assert!(!failed(judge(refused(), 0, 1, PATIENCE)));
        assert!(failed(judge(refused(), 2, 3, PATIENCE)));
        assert!(!failed(judge(passing(), 2, 9, PATIENCE)));
        assert!(failed(judge(passing(), 0, 10, PATIENCE)));
        assert!(failed(judge(Err(MailerError::Address), 0, 1, PATIENCE)));
    }
}
