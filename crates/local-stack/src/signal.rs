//! Signals to processes that we started, by their id.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The signal that asks a process to end in good order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM: finish what is begun, then end.
    Terminate,
    /// SIGINT: to PostgreSQL this is the fast shutdown (open transactions are rolled back), while SIGTERM would wait
    /// for every client to leave.
    Interrupt,
}

impl StopSignal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Interrupt => "INT",
        }
    }
}

/// Sends the signal; false when there is no such process any more.
///
/// Through the shell's own `kill`, because the system call would need unsafe code or one more crate.
pub(crate) fn send(pid: u32, signal: StopSignal) -> bool {
    send_named(pid, signal.name())
}

/// Asks a server to read its configuration again.
pub(crate) fn reload(pid: u32) -> bool {
    send_named(pid, "HUP")
}

fn send_named(pid: u32, signal: &str) -> bool {
    Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal, &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// True while the process exists and is not merely waiting to be collected by its parent.
pub(crate) fn is_alive(pid: u32) -> bool {
    // The state stands behind the program's name, which is in parentheses and may hold anything.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit_once(')').map(|(_, rest)| rest.trim_start().to_owned()))
        .is_some_and(|rest| !rest.starts_with(['Z', 'X']))
}

/// Asks the process to end, waits, and shoots it when it takes longer than `limit`. Blocks; for `Drop` and for what an
/// earlier run left behind.
pub(crate) fn end_blocking(pid: u32, signal: StopSignal, limit: Duration) {
    if !is_alive(pid) {
        return;
    }
    send(pid, signal);
    let begun = Instant::now();
    while is_alive(pid) && begun.elapsed() < limit {
        std::thread::sleep(Duration::from_millis(20));
    }
    if is_alive(pid) {
        send_named(pid, "KILL");
        let shot = Instant::now();
        while is_alive(pid) && shot.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ignores_the_request_is_shot() {
        let mut child = Command::new("/bin/sh").args(["-c", "trap '' TERM; exec sleep 60"]).spawn().unwrap();
        let pid = child.id();
        assert!(is_alive(pid));
        // It may not have set its trap yet; either way it must be gone afterwards.
        end_blocking(pid, StopSignal::Terminate, Duration::from_millis(300));
        assert!(!is_alive(pid));
        assert!(!child.wait().unwrap().success());
        assert!(!send(pid, StopSignal::Terminate), "there is nobody to signal");
    }
}
