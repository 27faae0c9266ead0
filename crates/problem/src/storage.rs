//! Errors of the database at the edge: waiting helps, or it is our own fault.

use std::time::Duration;

use sqlx::error::DatabaseError;

use crate::problem::chain;
use crate::{Problem, Text};

/// How long a client shall wait before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Trouble that passes (no connection, deadlock, serialisation, shutdown) becomes 503 with
/// `Retry-After`; everything else is a fault of ours. Each is logged once, here; the answer says
/// nothing of the inside.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        if !passes(&error) {
            return Self::internal(&error);
        }
        tracing::warn!(error = %chain(&error), "database unavailable");
        Self::unavailable(
            Text::new("数据库暂时繁忙，请稍后重试。", "The database is busy at the moment; try again shortly."),
            RETRY_AFTER,
        )
    }
}

fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => code_passes(error.as_ref()),
        _ => false,
    }
}

/// PostgreSQL's SQLSTATE: 08 connection, 40 rollback (serialisation, deadlock), 53 resources, 57
/// operator intervention (shutdown, cancelled by a time limit), 55P03 lock not available, 25P03 and
/// 25P04 the transaction ran into its time limit.
fn code_passes(error: &dyn DatabaseError) -> bool {
    error.code().is_some_and(|code| {
        matches!(code.as_ref(), "55P03" | "25P03" | "25P04")
            || ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::fmt;

    use sqlx::error::ErrorKind;

    use super::*;
    use crate::ProblemKind;

    #[derive(Debug)]
    struct Refusal(&'static str);

    impl fmt::Display for Refusal {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "refused with {}", self.0)
        }
    }
    impl std::error::Error for Refusal {}
    impl DatabaseError for Refusal {
        fn message(&self) -> &str {
            self.0
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(self.0))
        }
        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn trouble_that_passes_asks_to_retry() {
        for code in ["40001", "40P01", "57P01", "57014", "53300", "08006", "55P03"] {
            let problem = Problem::from(sqlx::Error::Database(Box::new(Refusal(code))));
            assert_eq!(problem.kind(), ProblemKind::Unavailable, "{code}");
        }
        assert_eq!(Problem::from(sqlx::Error::PoolTimedOut).kind(), ProblemKind::Unavailable);
        let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(Problem::from(sqlx::Error::Io(gone)).kind(), ProblemKind::Unavailable);
    }

    #[test]
    fn our_own_faults_are_hidden() {
        for code in ["23505", "42P01", "22P02", "25P02"] {
            let problem = Problem::from(sqlx::Error::Database(Box::new(Refusal(code))));
            assert_eq!(problem.kind(), ProblemKind::Internal, "{code}");
            let body = serde_json::to_string(&problem.body(crate::Lang::En)).unwrap();
            assert!(!body.contains(code), "{body}");
        }
        assert_eq!(Problem::from(sqlx::Error::RowNotFound).kind(), ProblemKind::Internal);
    }
}
