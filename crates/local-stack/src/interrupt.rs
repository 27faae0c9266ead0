//! Ctrl-C and its relatives.

use tokio::signal::unix::{SignalKind, signal};

/// The user (or the system) asked the run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Waits for SIGINT (Ctrl-C), SIGTERM or SIGHUP. From the first call on, these no longer end the process by themselves.
pub async fn interrupted() {
    let streams = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = streams else {
        // Without handlers the signals still end the process, only not in good order; there is nothing to wait for.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

/// Does the work unless it is interrupted. The caller then stops the stack, in either case:
///
/// ```no_run
/// # async fn play(stack: &local_stack::Stack) -> u8 { 0 }
/// # async fn example(stack: local_stack::Stack) {
/// let outcome = local_stack::until_interrupted(play(&stack)).await;
/// stack.stop().await;
/// # }
/// ```
pub async fn until_interrupted<T>(work: impl Future<Output = T>) -> Result<T, Interrupted> {
    tokio::select! {
        done = work => Ok(done),
        () = interrupted() => Err(Interrupted),
    }
}
