//! One supervised process.
//!
//! ```mermaid
//! stateDiagram-v2
//!     [*] --> Running: spawn
//!     Running --> Waiting: it died, or kill
//!     Waiting --> Running: after a growing pause
//!     Running --> Down: terminate, take_down
//!     Down --> Running: bring_up
//!     Running --> Failed: it died and a restart is no use
//!     Failed --> Running: bring_up
//! ```

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{Error, Program, leftover, log, signal};

/// Pause before the first restart; it doubles with every short life.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A life at least this long was no failed start: the pauses begin anew.
const LONG_LIFE: Duration = Duration::from_secs(10);
/// Between two looks at whether it is ready.
const LOOK_EVERY: Duration = Duration::from_millis(25);
const SHOWN_LINES: usize = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running(u32),
    Waiting,
    Down,
    /// The last end's status; `None` when it could not even be spawned.
    Failed(Option<ExitStatus>),
}

#[derive(Debug)]
enum Order {
    Start(oneshot::Sender<()>),
    Kill { stay_down: bool, done: oneshot::Sender<()> },
    Stop(oneshot::Sender<()>),
}

/// A process that is started again when it dies, until it is stopped on purpose. Dropping it stops it.
#[derive(Debug)]
pub struct Process {
    program: Arc<Program>,
    orders: Option<mpsc::UnboundedSender<Order>>,
    state: watch::Receiver<State>,
    was_ready: Arc<AtomicBool>,
}

impl Process {
    /// Starts the program, after ending whatever an earlier run left of it. Does not wait for it to be ready.
    ///
    /// Must be called inside a tokio runtime.
    pub fn spawn(program: Program) -> Result<Self, Error> {
        leftover::end(&program.pid_file, program.stop_signal, program.stop_limit);
        // The log of this run begins empty, the one before it is kept.
        if program.log.exists() {
            let previous = program.log.with_extension("previous.log");
            std::fs::rename(&program.log, &previous).map_err(Error::file("renaming", &program.log))?;
        }
        let program = Arc::new(program);
        let child = program.spawn()?;
        let (orders, receiver) = mpsc::unbounded_channel();
        let (state_sender, state) = watch::channel(State::Waiting);
        let was_ready = Arc::new(AtomicBool::new(false));
        let supervisor = Supervisor {
            program: Arc::clone(&program),
            orders: receiver,
            state: state_sender,
            was_ready: Arc::clone(&was_ready),
            pause: FIRST_PAUSE,
        };
        supervisor.publish(&child);
        tokio::spawn(supervisor.run(child));
        Ok(Self { program, orders: Some(orders), state, was_ready })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        match *self.state.borrow() {
            State::Running(pid) => Some(pid),
            State::Waiting | State::Down | State::Failed(_) => None,
        }
    }

    /// The last lines of its log.
    pub fn tail(&self) -> String {
        log::tail(&self.program.log, SHOWN_LINES)
    }

    /// Where it logs.
    pub fn log(&self) -> &std::path::Path {
        &self.program.log
    }

    /// Waits until it is ready, at most as long as its program allows. Errors carry the end of its log.
    pub async fn ready(&self) -> Result<(), Error> {
        let begun = Instant::now();
        let mut last = "not started yet".to_owned();
        loop {
            let state = *self.state.borrow();
            match state {
                State::Running(_) => match self.program.ready.look().await {
                    Ok(()) => {
                        self.was_ready.store(true, Ordering::Relaxed);
                        return Ok(());
                    }
                    Err(seen) => last = seen,
                },
                State::Waiting => "it died and is about to be started again".clone_into(&mut last),
                State::Down => return Err(Error::Stopped(self.program.name.clone())),
                State::Failed(status) => {
                    return Err(Error::Ended {
                        name: self.program.name.clone(),
                        status: status.unwrap_or_default(),
                        log: self.program.log.clone(),
                        tail: self.tail(),
                    });
                }
            }
            if begun.elapsed() >= self.program.ready_limit {
                return Err(Error::NotReady {
                    name: self.program.name.clone(),
                    seconds: self.program.ready_limit.as_secs(),
                    last,
                    log: self.program.log.clone(),
                    tail: self.tail(),
                });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Shoots it (SIGKILL). It is dead when this returns, and comes back by itself a moment later.
    pub async fn kill(&self) {
        self.order(|done| Order::Kill { stay_down: false, done }).await;
    }

    /// Shoots it (SIGKILL) and leaves it dead until [`Process::bring_up`].
    pub async fn take_down(&self) {
        self.order(|done| Order::Kill { stay_down: true, done }).await;
    }

    /// Asks it to end and waits; shot when it takes longer than its program allows. Stays down.
    pub async fn terminate(&self) {
        self.order(Order::Stop).await;
    }

    /// Starts it if it is down, and waits until it is ready.
    pub async fn bring_up(&self) -> Result<(), Error> {
        self.order(Order::Start).await;
        self.ready().await
    }

    /// Ends it in good order and starts it again; returns when it is ready.
    pub async fn restart(&self) -> Result<(), Error> {
        self.terminate().await;
        self.bring_up().await
    }

    async fn order(&self, order: impl FnOnce(oneshot::Sender<()>) -> Order) {
        let (done, obeyed) = oneshot::channel();
        if let Some(orders) = &self.orders
            && orders.send(order(done)).is_ok()
        {
            // The supervisor is gone only when the runtime ends; then Drop sees to the process.
            obeyed.await.ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // First the channel, so that the supervisor does not start it again, then the process itself; by its id and
        // blocking, since the runtime may be gone by now.
        self.orders = None;
        if let Some(pid) = self.pid() {
            signal::end_blocking(pid, self.program.stop_signal, self.program.stop_limit);
        }
        leftover::forget(&self.program.pid_file);
    }
}

struct Supervisor {
    program: Arc<Program>,
    orders: mpsc::UnboundedReceiver<Order>,
    state: watch::Sender<State>,
    was_ready: Arc<AtomicBool>,
    pause: Duration,
}

enum Next {
    Watch(Child),
    Pause,
    Down,
    Start,
    End,
}

impl Supervisor {
    async fn run(mut self, child: Child) {
        let mut next = Next::Watch(child);
        loop {
            next = match next {
                Next::Watch(child) => self.watch(child).await,
                Next::Pause => self.pause().await,
                Next::Down => self.stay_down().await,
                Next::Start => self.start(),
                Next::End => return,
            };
        }
    }

    fn publish(&self, child: &Child) {
        if let Some(pid) = child.id() {
            if let Err(error) = leftover::note(&self.program.pid_file, pid) {
                tracing::warn!(process = self.program.name, %error, "its pid could not be noted");
            }
            self.state.send_replace(State::Running(pid));
        }
    }

    fn start(&mut self) -> Next {
        match self.program.spawn() {
            Ok(mut child) => {
                self.publish(&child);
                if self.orders.is_closed() {
                    // Dropped in this very moment; Drop may have looked before the pid was published.
                    child.start_kill().ok();
                    return Next::End;
                }
                Next::Watch(child)
            }
            Err(error) => {
                tracing::error!(
                    process = self.program.name,
                    error = &error as &dyn std::error::Error,
                    "cannot start it"
                );
                self.state.send_replace(State::Failed(None));
                Next::Down
            }
        }
    }

    async fn watch(&mut self, mut child: Child) -> Next {
        let begun = Instant::now();
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    None => return Next::End,
                    Some(Order::Start(done)) => { done.send(()).ok(); }
                    Some(Order::Kill { stay_down, done }) => {
                        child.kill().await.ok();
                        self.pause = FIRST_PAUSE;
                        self.state.send_replace(if stay_down { State::Down } else { State::Waiting });
                        done.send(()).ok();
                        return if stay_down { Next::Down } else { Next::Pause };
                    }
                    Some(Order::Stop(done)) => {
                        self.stop(&mut child).await;
                        self.state.send_replace(State::Down);
                        done.send(()).ok();
                        return Next::Down;
                    }
                },
                ended = child.wait() => return self.ended(ended.unwrap_or_default(), begun.elapsed()),
            }
        }
    }

    async fn stop(&self, child: &mut Child) {
        if let Some(pid) = child.id() {
            let stop = self.program.stop_signal;
            tokio::task::spawn_blocking(move || signal::send(pid, stop)).await.ok();
        }
        if tokio::time::timeout(self.program.stop_limit, child.wait()).await.is_err() {
            tracing::warn!(process = self.program.name, "it did not end when asked, so it was shot");
            child.kill().await.ok();
        }
        leftover::forget(&self.program.pid_file);
    }

    fn ended(&mut self, status: ExitStatus, lived: Duration) -> Next {
        if !self.program.worth_a_restart(status, self.was_ready.load(Ordering::Relaxed)) {
            self.state.send_replace(State::Failed(Some(status)));
            return Next::Down;
        }
        tracing::warn!(process = self.program.name, %status, "it died and is started again");
        if lived >= LONG_LIFE {
            self.pause = FIRST_PAUSE;
        }
        self.state.send_replace(State::Waiting);
        Next::Pause
    }

    async fn pause(&mut self) -> Next {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        tokio::select! {
            biased;
            order = self.orders.recv() => self.obey_while_dead(order),
            () = tokio::time::sleep(pause) => Next::Start,
        }
    }

    async fn stay_down(&mut self) -> Next {
        let order = self.orders.recv().await;
        self.obey_while_dead(order)
    }

    fn obey_while_dead(&mut self, order: Option<Order>) -> Next {
        let (next, state, done) = match order {
            None => return Next::End,
            Some(Order::Start(done)) => {
                self.pause = FIRST_PAUSE;
                (Next::Start, State::Waiting, done)
            }
            Some(Order::Kill { stay_down: false, done }) => (Next::Pause, State::Waiting, done),
            Some(Order::Kill { stay_down: true, done } | Order::Stop(done)) => (Next::Down, State::Down, done),
        };
        self.state.send_replace(state);
        done.send(()).ok();
        next
    }
}
