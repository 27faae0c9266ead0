//! Processes that an earlier run left behind because it was itself shot.

use std::path::Path;
use std::time::Duration;

use crate::{Error, StopSignal, secret, signal};

/// Notes who runs: the pid and when that process began, which together name it beyond any reuse of the number.
pub(crate) fn note(pid_file: &Path, pid: u32) -> Result<(), Error> {
    let Some(begun) = begun(pid) else {
        // Dead already; its supervisor will notice.
        return Ok(());
    };
    secret::write(pid_file, &format!("{pid} {begun}\n"), 0o644)
}

/// Forgets who ran.
pub(crate) fn forget(pid_file: &Path) {
    // A note that stays is harmless: it names a process that is no more.
    std::fs::remove_file(pid_file).ok();
}

/// Ends the process that the note names, if it is still the same one. Blocks.
pub(crate) fn end(pid_file: &Path, stop: StopSignal, limit: Duration) {
    let Ok(text) = std::fs::read_to_string(pid_file) else { return };
    let noted = text.trim().split_once(' ').and_then(|(pid, begun)| Some((pid.parse().ok()?, begun.to_owned())));
    if let Some((pid, noted)) = noted
        && begun(pid).is_some_and(|begun| begun == noted)
    {
        tracing::info!(pid, file = %pid_file.display(), "ending what an earlier run left behind");
        signal::end_blocking(pid, stop, limit);
    }
    forget(pid_file);
}

/// When the process began, in clock ticks since the machine started (field 22 of proc's `stat`).
fn begun(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold blanks; what follows it begins with field 3.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_noted_process_is_ended() {
        let file = std::env::temp_dir().join(format!("local-stack-leftover-{}", std::process::id()));
        let mut child = std::process::Command::new("/bin/sleep").arg("60").spawn().unwrap();
        // The same number, but another beginning: a process that got the number later.
        std::fs::write(&file, format!("{} 1\n", child.id())).unwrap();
        end(&file, StopSignal::Terminate, Duration::from_secs(5));
        assert!(signal::is_alive(child.id()));
        assert!(!file.exists());
        note(&file, child.id()).unwrap();
        end(&file, StopSignal::Terminate, Duration::from_secs(5));
        assert!(!signal::is_alive(child.id()));
        child.wait().unwrap();
    }
}
