//! How far this machine's clock is from the database's.
//!
//! Legal time is the database's, so a machine with a wrong clock decides nothing wrongly; but its tokens, cookies, signatures and
//! pauses are wrong, and when it is the database's clock that is wrong, everything is. Nobody can tell from inside which of the
//! two it is: who disagrees does not serve (`/readyz`) and does not fire, and the metric shows an operator whether one replica
//! stands apart, or all of them alike from the database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::AUTHORIZATION;
use jiff::SignedDuration;
use postgres::Database;
use problem::{Problem, Text};

use crate::clock::Clock;

/// Largest difference with which a process serves and fires.
pub const CLOCK_LIMIT: SignedDuration = SignedDuration::from_secs(5);
/// How long an answer of [`ClockWatch::agrees`] holds.
const KNOWN_FOR: Duration = Duration::from_millis(500);
/// The same where a token was refused: tokens that are none must not keep the database busy, and a clock that has just jumped
/// must show.
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Compares the two clocks; cheap to clone.
#[derive(Debug, Clone)]
pub struct ClockWatch {
    database: Database,
    clock: Arc<dyn Clock>,
    known: Arc<Mutex<Option<(Instant, SignedDuration)>>>,
}

impl ClockWatch {
    /// A watch over a machine's clock and a database's; a rehearsal's shift of legal time does not count.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, known: Arc::default() }
    }

    /// By how much this machine is ahead of the database (behind it when negative), asked now. The way of the question is shared
    /// out evenly.
    pub async fn offset(&self) -> Result<SignedDuration, sqlx::Error> {
        // Not a wait for a connection, which may be long, but only the question itself.
        let mut connection = self.database.pool().acquire().await?;
        let before = self.clock.now();
        let theirs = sqlx::query_scalar::<_, i64>("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
            .fetch_one(&mut *connection)
            .await?;
        let ours = i64::midpoint(before.as_microsecond(), self.clock.now().as_microsecond());
        let offset = SignedDuration::from_micros(ours.saturating_sub(theirs));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), offset));
        Ok(offset)
    }

    /// Whether the clocks agree, as they stood a moment ago at the earliest.
    pub async fn agrees(&self) -> Result<bool, sqlx::Error> {
        self.agrees_since(KNOWN_FOR).await
    }

    async fn agrees_since(&self, known_for: Duration) -> Result<bool, sqlx::Error> {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = match known {
            Some((at, offset)) if at.elapsed() < known_for => offset,
            Some(_) | None => self.offset().await?,
        };
        Ok(offset.abs() <= CLOCK_LIMIT)
    }
}

/// A token is refused as too old or as from the future by whoever has a wrong clock: then it is not the caller who is at fault. He
/// is asked to come again, and meets another replica.
pub(crate) async fn excuse(State(watch): State<ClockWatch>, request: Request, next: Next) -> Response {
    let bears_token = request.headers().contains_key(AUTHORIZATION);
    let answer = next.run(request).await;
    let refused = answer.status() == StatusCode::UNAUTHORIZED && bears_token;
    if refused && !watch.agrees_since(ASKED_AGAIN_AFTER).await.unwrap_or(true) {
        let text =
            Text::new("本机时钟不准，暂不受理；请稍后重试。", "This machine's clock is wrong; please try again.");
        return Problem::unavailable(text, Duration::from_secs(1)).into_response();
    }
    answer
}
