//! Listening, and stopping without losing a request.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Why the listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("listening on {address}")]
pub struct ListenError {
    /// The address of the configuration.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Opens a listener.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError { address, source })
}

/// Serves until `stop`, then accepts nothing more and finishes what runs, for at most `drain`.
///
/// Answers whether everything was finished within the limit.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<bool> {
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let limit = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        result = server.into_future() => result.map(|()| true),
        () = limit => {
            tracing::warn!(seconds = drain.as_secs(), "requests were still running when the limit for shutdown passed");
            Ok(false)
        }
    }
}

/// Completes at the first SIGTERM or SIGINT.
pub async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Runs `work`; a stop signal cancels `stop`, a second one ends the process at once.
pub async fn until_stopped<T>(stop: CancellationToken, work: impl Future<Output = T>) -> T {
    let signals = async move {
        if stop_signal().await.is_ok() {
            tracing::info!("stop signal received; finishing what runs");
            stop.cancel();
            if stop_signal().await.is_ok() {
                tracing::warn!("second stop signal; stopping at once");
                std::process::exit(1);
            }
        }
    };
    let signals = tokio::spawn(signals);
    let done = work.await;
    signals.abort();
    done
}
