//! The desk: how many pages are set at once, and how many requests may wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// Worker threads and a bounded queue; cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
}

/// Why work was not done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// As many wait as may; come again.
    #[error("the queue is full")]
    Full,
    /// The work panicked: a fault of ours.
    #[error("the work did not end")]
    Broken(#[from] tokio::task::JoinError),
}

/// Counts one who waits, also when the request is given up.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Desk {
    /// A desk with so many threads and so many places to wait.
    pub fn new(threads: usize, queue: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(threads.max(1))), waiting: Arc::new(AtomicUsize::new(0)), queue }
    }

    /// Runs work on a thread of its own when one is free.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, DeskError> {
        let permit = if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            permit
        } else {
            let before = self.waiting.fetch_add(1, Ordering::AcqRel);
            let _waiting = Waiting(&self.waiting);
            if before >= self.queue {
                return Err(DeskError::Full);
            }
            // The semaphore is never closed.
            Arc::clone(&self.permits).acquire_owned().await.map_err(|_| DeskError::Full)?
        };
        // The permit goes with the work: a request that is given up still occupies the core until its page is set.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        Ok(done.await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_finds_the_queue_full_is_told_at_once() {
        let desk = Desk::new(1, 1);
        let (release, hold) = mpsc::channel::<()>();
        let (start, started) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let desk = desk.clone();
            async move {
                desk.run(move || {
                    start.send(()).unwrap();
                    hold.recv().unwrap();
                    1
                })
                .await
            }
        });
        tokio::task::spawn_blocking(move || started.recv().unwrap()).await.unwrap();
        let second = tokio::spawn({
            let desk = desk.clone();
            async move { desk.run(|| 2).await }
        });
        while desk.waiting.load(Ordering::Acquire) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(desk.run(|| 3).await, Err(DeskError::Full)));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap().unwrap(), 1);
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!(desk.run(|| 4).await.unwrap(), 4);
        assert_eq!(desk.waiting.load(Ordering::Acquire), 0);
    }
}
