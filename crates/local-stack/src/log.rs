//! The end of a log file, for error messages.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How much of the file is looked at: enough for thirty JSON lines.
const WINDOW_BYTES: u64 = 16 * 1024;

/// The last `lines` lines of a file; a sentence saying so when it cannot be read.
pub fn tail(path: &Path, lines: usize) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(WINDOW_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    match read() {
        Ok(text) if text.trim().is_empty() => "(the log is empty)".to_owned(),
        Ok(text) => {
            let all: Vec<&str> = text.lines().collect();
            all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
        }
        Err(error) => format!("(no log: {error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_shown() {
        let path = std::env::temp_dir().join(format!("local-stack-tail-{}", std::process::id()));
        std::fs::write(&path, (0..5000).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!(tail(&path, 2), "line 4998\nline 4999");
        std::fs::remove_file(&path).unwrap();
        assert!(tail(&path, 2).starts_with("(no log: "));
    }
}
