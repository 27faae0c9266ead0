//! Waiting for a condition, with a limit.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::bail;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The usual limit: a process that was shot meanwhile has come back by then, and what the broker had given it, which it
/// gives again after a minute.
pub const LIMIT: Duration = Duration::from_mins(4);

/// Looks until there is something. A look that fails counts as "not yet": a server may just be coming back.
pub async fn until<T, Fut>(what: &str, limit: Duration, mut look: impl FnMut() -> Fut) -> anyhow::Result<T>
where
    Fut: Future<Output = anyhow::Result<Option<T>>>,
{
    let began = Instant::now();
    let mut last;
    loop {
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => last = None,
            Err(error) => last = Some(error),
        }
        if began.elapsed() > limit {
            match last {
                Some(error) => return Err(error.context(format!("{what}: not within {} s", limit.as_secs()))),
                None => bail!("{what}: not within {} s", limit.as_secs()),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until something holds.
pub async fn until_true<Fut>(what: &str, mut look: impl FnMut() -> Fut) -> anyhow::Result<()>
where
    Fut: Future<Output = anyhow::Result<bool>>,
{
    until(what, LIMIT, || {
        let look = look();
        async move { Ok(look.await?.then_some(())) }
    })
    .await
}
