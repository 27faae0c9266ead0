//! Rendered answers in memory.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use documents::VerificationCode;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::PortalError;
use super::answer::Answer;
use super::words::Lang;

/// How long an answer is given without asking the database for its version.
const FRESH: Duration = Duration::from_secs(1);
/// How long a reader waits for the database when there is an answer to give without it.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long an answer is given while the database is away. A withdrawal needs the database too, so what is given then
/// was public when it went away.
const WITHOUT_DATABASE: Duration = Duration::from_mins(10);
/// Answers kept; a full memory is emptied, and the next readers fill it with what is wanted now.
const MOST: usize = 4_000;

/// What an answer answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Index { county: Option<String>, status: Option<String>, page: i64 },
    Page(Uuid),
    PageJson(Uuid),
    Document(VerificationCode, Lang),
    DocumentText(VerificationCode),
    Documents(Lang, i64),
    OpenJson,
    OpenCsv,
    Feed,
}

#[derive(Debug)]
struct Entry {
    answer: Arc<Answer>,
    /// When it was last asked whether it still stands.
    asked: Instant,
    /// When the database last said so.
    confirmed: Instant,
}

/// The memory.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: RwLock<HashMap<Key, Entry>>,
}

impl Cache {
    /// The answer for a key: from memory while it is fresh or its version still stands, else made anew.
    ///
    /// `version` asks the database, `make` renders what stands at that version; `None` is never kept.
    pub(super) async fn answer<V, M>(
        &self,
        key: &Key,
        version: impl FnOnce() -> V,
        make: impl FnOnce(String) -> M,
    ) -> Result<Option<Arc<Answer>>, PortalError>
    where
        V: Future<Output = Result<String, sqlx::Error>>,
        M: Future<Output = Result<Option<Answer>, PortalError>>,
    {
        let known = {
            let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
            entries.get(key).map(|entry| (Arc::clone(&entry.answer), entry.asked, entry.confirmed))
        };
        // Taken before the question: what changes while we ask is asked for again after it.
        let now = Instant::now();
        let Some((answer, asked, confirmed)) = known else {
            let current = version().await?;
            return Ok(self.remake(key, make(current).await?, now));
        };
        if now.duration_since(asked) < FRESH {
            return Ok(Some(answer));
        }
        let current = match timeout(PATIENCE, version()).await {
            Ok(Ok(current)) => current,
            failed if now.duration_since(confirmed) < WITHOUT_DATABASE => {
                let error = failed.map_or_else(|_| "no answer in time".to_owned(), |failed| format!("{failed:?}"));
                tracing::warn!(error, "a public page is given from memory");
                self.keep(key, Entry { answer: Arc::clone(&answer), asked: Instant::now(), confirmed });
                return Ok(Some(answer));
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(sqlx::Error::PoolTimedOut.into()),
        };
        if answer.version == current {
            self.keep(key, Entry { answer: Arc::clone(&answer), asked: now, confirmed: now });
            return Ok(Some(answer));
        }
        Ok(self.remake(key, make(current).await?, now))
    }

    /// Takes a new answer in, or forgets the old one when there is none to keep.
    fn remake(&self, key: &Key, made: Option<Answer>, now: Instant) -> Option<Arc<Answer>> {
        let made = made.map(Arc::new);
        match &made {
            Some(answer) if answer.keep => {
                self.keep(key, Entry { answer: Arc::clone(answer), asked: now, confirmed: now });
            }
            Some(_) | None => {
                self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(key);
            }
        }
        made
    }

    fn keep(&self, key: &Key, entry: Entry) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST && !entries.contains_key(key) {
            entries.clear();
        }
        entries.insert(key.clone(), entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(
        cache: &Cache,
        version: Result<&str, sqlx::Error>,
        made: Option<&str>,
    ) -> Result<Option<String>, PortalError> {
        let version = version.map(str::to_owned);
        let answer = cache
            .answer(
                &Key::Feed,
                || async { version },
                |current| async move { Ok(made.map(|body| Answer::html(body.to_owned(), current, None))) },
            )
            .await?;
        Ok(answer.map(|answer| answer.body_text()))
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_made_again_when_its_version_changes_and_outlives_the_database() {
        let cache = Cache::default();
        let second = Duration::from_secs(1);
        assert_eq!(ask(&cache, Ok("1"), Some("甲")).await.unwrap().as_deref(), Some("甲"));
        // Within a second nobody asks the database.
        assert_eq!(ask(&cache, Err(sqlx::Error::PoolClosed), None).await.unwrap().as_deref(), Some("甲"));
        tokio::time::advance(second).await;
        assert_eq!(ask(&cache, Ok("1"), Some("乙")).await.unwrap().as_deref(), Some("甲"), "the version stands");
        tokio::time::advance(second).await;
        assert_eq!(ask(&cache, Ok("2"), Some("乙")).await.unwrap().as_deref(), Some("乙"));
        tokio::time::advance(WITHOUT_DATABASE.saturating_sub(second)).await;
        assert_eq!(ask(&cache, Err(sqlx::Error::PoolClosed), None).await.unwrap().as_deref(), Some("乙"));
        tokio::time::advance(second).await;
        assert!(ask(&cache, Err(sqlx::Error::PoolClosed), None).await.is_err(), "not for ever");
        assert_eq!(ask(&cache, Ok(""), None).await.unwrap(), None, "withdrawn");
        assert_eq!(ask(&cache, Ok(""), None).await.unwrap(), None);
    }
}
