//! What a file is, by its content.

use super::FileError;

/// The kinds of file that the system takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// Photo.
    Jpeg,
    /// Picture.
    Png,
    /// Photo; stored as JPEG or PNG.
    Webp,
    /// Document.
    Pdf,
    /// Spreadsheet (Office Open XML).
    Xlsx,
    /// Text document (Office Open XML).
    Docx,
    /// Table as text, UTF-8.
    Csv,
}

impl MediaKind {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Pdf => "PDF",
            Self::Xlsx => "XLSX",
            Self::Docx => "DOCX",
            Self::Csv => "CSV",
        }
    }

    /// Media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Csv => "text/csv",
        }
    }
}

/// The kind of the content, if it is one of `kinds`. The name that the sender gave plays no part.
pub(super) fn admitted(content: &[u8], kinds: &'static [MediaKind]) -> Result<MediaKind, FileError> {
    let found = infer::get(content);
    let kind = match found.map(|found| found.mime_type()) {
        Some("image/jpeg") => Some(MediaKind::Jpeg),
        Some("image/png") => Some(MediaKind::Png),
        Some("image/webp") => Some(MediaKind::Webp),
        Some("application/pdf") => Some(MediaKind::Pdf),
        // Writers differ in the order of the parts inside, so look for the parts and not at the first bytes.
        Some(mime) if mime == "application/zip" || mime.starts_with("application/vnd.openxmlformats") => {
            office_kind(content)
        }
        Some(_) => None,
        None => is_text(content).then_some(MediaKind::Csv),
    };
    kind.filter(|kind| kinds.contains(kind)).ok_or_else(|| FileError::Kind {
        found: found.map_or_else(|| "?".to_owned(), |found| found.mime_type().to_owned()),
        admitted: kinds,
    })
}

fn is_text(content: &[u8]) -> bool {
    !content.contains(&0) && std::str::from_utf8(content).is_ok()
}

fn office_kind(content: &[u8]) -> Option<MediaKind> {
    let entries = entries(content)?;
    let has = |name: &[u8]| entries.iter().any(|entry| entry.name == name);
    if has(b"xl/workbook.xml") {
        Some(MediaKind::Xlsx)
    } else if has(b"word/document.xml") {
        Some(MediaKind::Docx)
    } else {
        None
    }
}

/// One entry of a ZIP directory.
struct Entry<'a> {
    name: &'a [u8],
    packed: u64,
    unpacked: u64,
}

/// Most bytes that an office file may unpack to.
const MAX_UNPACKED: u64 = 512 * 1024 * 1024;
/// Most entries of an office file.
const MAX_ENTRIES: usize = 5_000;
/// Highest ratio of one entry above a mebibyte; tables of repeated text reach about 60.
const MAX_RATIO: u64 = 300;

/// Refuses a ZIP whose directory announces far more than an office file holds.
///
/// The directory may lie: whoever unpacks the file afterwards still has to bound what it reads.
pub(super) fn refuse_bomb(content: &[u8]) -> Result<(), FileError> {
    let entries =
        entries(content).ok_or(FileError::Unreadable { kind: "Office", reason: "no directory".to_owned() })?;
    let total = entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.unpacked));
    let steep =
        entries.iter().any(|entry| entry.unpacked > 1024 * 1024 && entry.unpacked / entry.packed.max(1) > MAX_RATIO);
    if entries.len() > MAX_ENTRIES || total > MAX_UNPACKED || steep {
        return Err(FileError::Bomb);
    }
    Ok(())
}

/// Reads the central directory of a ZIP file (APPNOTE 4.3.12 and 4.3.16); `None` when there is none.
/// ZIP64 is not read: an office file of that size is refused before.
fn entries(content: &[u8]) -> Option<Vec<Entry<'_>>> {
    const END: &[u8] = b"PK\x05\x06";
    const ENTRY: &[u8] = b"PK\x01\x02";
    let tail = content.len().saturating_sub(66_000);
    let end = content.get(tail..)?.windows(4).rposition(|window| window == END)? + tail;
    let count = usize::from(u16_at(content, end + 10)?);
    let mut at = usize::try_from(u32_at(content, end + 16)?).ok()?;
    let mut found = Vec::new();
    for _ in 0..count {
        if content.get(at..at + 4)? != ENTRY {
            return None;
        }
        let name_length = usize::from(u16_at(content, at + 28)?);
        let extra = usize::from(u16_at(content, at + 30)?) + usize::from(u16_at(content, at + 32)?);
        found.push(Entry {
            name: content.get(at + 46..at + 46 + name_length)?,
            packed: u64::from(u32_at(content, at + 20)?),
            unpacked: u64::from(u32_at(content, at + 24)?),
        });
        at = at + 46 + name_length + extra;
    }
    Some(found)
}

fn u16_at(content: &[u8], at: usize) -> Option<u16> {
    content.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(content: &[u8], at: usize) -> Option<u32> {
    content.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}
