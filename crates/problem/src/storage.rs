//! Errors of the database at the edge: waiting helps, or it is our own fault.

use std::time::Duration;

use crate::problem::chain;
use crate::{Problem, Text};

/// How long a client shall wait before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// The same when somebody has to make room first.
const RETRY_AFTER_FULL: Duration = Duration::from_secs(30);

/// Trouble that passes (no connection, deadlock, serialisation, shutdown) becomes 503 with
/// `Retry-After`; everything else is a fault of ours. Each is logged once, here; the answer says
/// nothing of the inside.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        if !postgres::is_transient(&error) {
            return Self::internal(&error);
        }
        // SQLSTATE 53100, disk_full.
        if error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("53100")) {
            tracing::error!(error = %chain(&error), "the database's disk is full");
            return Self::unavailable(
                Text::new(
                    "数据库磁盘已满，本次未保存任何内容；请通知运维人员，稍后重试。",
                    "The database's disk is full and nothing was saved; tell the operators, and try again later.",
                ),
                RETRY_AFTER_FULL,
            );
        }
        tracing::warn!(error = %chain(&error), "database unavailable");
        Self::unavailable(
            Text::new("数据库暂时繁忙，请稍后重试。", "The database is busy at the moment; try again shortly."),
            RETRY_AFTER,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::fmt;

    use sqlx::error::{DatabaseError, ErrorKind};

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
        let closed = sqlx::Error::Protocol("unexpected response from SSLRequest: 0x00".to_owned());
        assert_eq!(Problem::from(closed).kind(), ProblemKind::Unavailable);
        let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(Problem::from(sqlx::Error::Io(gone)).kind(), ProblemKind::Unavailable);
    }

    #[test]
    fn a_full_disk_is_named() {
        let problem = Problem::from(sqlx::Error::Database(Box::new(Refusal("53100"))));
        assert_eq!(problem.kind(), ProblemKind::Unavailable);
        let body = serde_json::to_string(&problem.body(crate::Lang::En)).unwrap();
        assert!(body.contains("disk is full"), "{body}");
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
