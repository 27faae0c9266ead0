//! Renditions (文书文件): what the room that renders states about a file that it made, so that others know the file again.

use std::fmt;
use std::str::FromStr;

use crate::paper::PaperState;

/// What stands before every statement, so that no signature over something else is ever taken for one.
const BEGINNING: &str = "dudao-rendition-1";

/// A file that was made of a frozen content.
///
/// Its text is what the room signs: five words with one blank between them. The file itself cannot carry it, since it states
/// the file's own hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// SHA-256 of the frozen content, 64 hexadecimal digits.
    pub content_sha256: String,
    /// What it was made as: `pdf`, `docx` or `txt`.
    pub format: String,
    /// What stands across its pages.
    pub state: PaperState,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub file_sha256: String,
}

/// A text that states no rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("这不是文书文件的说明 | this states no rendition")]
pub struct NoRendition;

impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content_sha256, format, state, file_sha256 } = self;
        write!(f, "{BEGINNING} {content_sha256} {format} {} {file_sha256}", state.key())
    }
}

impl FromStr for Rendition {
    type Err = NoRendition;

    fn from_str(text: &str) -> Result<Self, NoRendition> {
        let words: Vec<&str> = text.split(' ').collect();
        let [BEGINNING, content_sha256, format, state, file_sha256] = words[..] else { return Err(NoRendition) };
        let is_hash =
            |text: &str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash(content_sha256) || !is_hash(file_sha256) || !["pdf", "docx", "txt"].contains(&format) {
            return Err(NoRendition);
        }
        // A trial of templates is never a document.
        let state = [PaperState::Genuine, PaperState::Void, PaperState::Replaced]
            .into_iter()
            .find(|known| known.key() == state)
            .ok_or(NoRendition)?;
        Ok(Self {
            content_sha256: content_sha256.to_owned(),
            format: format.to_owned(),
            state,
            file_sha256: file_sha256.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_as_it_was_written_and_nothing_else_is_one() {
        let rendition = Rendition {
            content_sha256: "0a".repeat(32),
            format: "pdf".to_owned(),
            state: PaperState::Void,
            file_sha256: "ff".repeat(32),
        };
        let text = rendition.to_string();
        assert_eq!(text, format!("dudao-rendition-1 {} pdf void {}", "0a".repeat(32), "ff".repeat(32)));
        assert_eq!(text.parse(), Ok(rendition));
        for wrong in [
            text.replace("-1", "-2"),
            text.replace("pdf", "exe"),
            text.replace("void", "preview"),
            text.replace("0a", "0A"),
            text.replacen(' ', "  ", 1),
            format!("{text} "),
            text.replace("ff", "f"),
            String::new(),
        ] {
            assert_eq!(wrong.parse::<Rendition>(), Err(NoRendition), "{wrong}");
        }
    }
}
