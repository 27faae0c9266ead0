//! Pauses after failed attempts, by login and by address, growing with each.
//!
//! An attempt is counted before it is decided, so that a hundred at once are a hundred and not one.

use std::time::Duration;

use jiff::Timestamp;
use problem::{Problem, ProblemKind, Text};
use sqlx::PgConnection;

use super::store;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// The login that was typed, whether it exists or not.
    Login(&'a str),
    /// The address that the request came from.
    Address(&'a str),
}

impl<'a> Subject<'a> {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Login(_) => "login",
            Self::Address(_) => "address",
        }
    }

    pub(crate) fn text(self) -> &'a str {
        match self {
            Self::Login(text) | Self::Address(text) => text,
        }
    }

    /// Failures without a pause. Behind one address there may be a whole office.
    pub(crate) fn free(self) -> i32 {
        match self {
            Self::Login(_) => 5,
            Self::Address(_) => 50,
        }
    }
}

/// Counts an attempt; 429 while a pause lasts.
pub(crate) async fn attempt(
    connection: &mut PgConnection,
    subjects: &[Subject<'_>],
    now: Timestamp,
) -> Result<(), Problem> {
    for subject in subjects {
        if let Some(until) = store::count_attempt(connection, *subject, now).await? {
            let seconds = until.duration_since(now).as_secs().max(1);
            return Err(Problem::new(
                ProblemKind::TooManyRequests,
                Text::new(
                    format!("尝试次数过多，请在 {seconds} 秒后重试。"),
                    format!("Too many attempts; try again in {seconds} seconds."),
                ),
            )
            .retry_after(Duration::from_secs(u64::try_from(seconds).unwrap_or(1))));
        }
    }
    Ok(())
}

/// Takes the attempt back after a success: the login starts anew, the address has one failure less.
pub(crate) async fn succeeded(connection: &mut PgConnection, subjects: &[Subject<'_>]) -> Result<(), sqlx::Error> {
    for subject in subjects {
        match subject {
            Subject::Login(_) => store::forget_attempts(connection, *subject).await?,
            Subject::Address(_) => store::take_attempt_back(connection, *subject).await?,
        }
    }
    Ok(())
}
