//! Typesetting: a paper becomes PDF/A-2b, the same bytes for the same paper and fonts.

use std::sync::LazyLock;

use documents::template::Page;
use documents::{Block, Paper};
use jiff::civil::Date;
use serde::Serialize;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::fonts::{Families, Fonts};
use crate::qr::QrSquare;

/// Memoized results that no document has used for so many documents are dropped.
const KEPT_DOCUMENTS: usize = 10;
/// Latin letters in a row after which a line may break anywhere, so that nothing runs out of the page: in the text, and
/// in the narrow cells of tables.
const LONGEST_WORD: usize = 20;
const LONGEST_WORD_IN_CELL: usize = 8;

/// Why a paper could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypesetError {
    /// Characters that no font of this installation has.
    #[error("no font has the characters {}", .0.iter().map(|letter| format!("{letter} (U+{:04X})", u32::from(*letter))).collect::<Vec<_>>().join(", "))]
    MissingCharacters(Vec<char>),
    /// The typesetter refused: a fault of the page's source.
    #[error("the typesetter says: {0}")]
    Refused(String),
}

/// The page's source of one template version, parsed once.
#[derive(Debug, Clone)]
pub struct PageSource(Source);

impl PageSource {
    /// Parses a `page.typ`.
    pub fn new(text: String) -> Self {
        Self(Source::new(*MAIN, text))
    }
}

/// Sets a paper.
pub fn pdf(paper: &Paper, page: &Page, source: &PageSource, fonts: &Fonts) -> Result<Vec<u8>, TypesetError> {
    let missing = fonts.missing(&paper.to_text());
    if !missing.is_empty() {
        return Err(TypesetError::MissingCharacters(missing));
    }
    let address = paper.blocks.iter().find_map(|block| match block {
        Block::Verification { address, .. } => address.as_deref(),
        _ => None,
    });
    let qr = address.and_then(QrSquare::new);
    let data = Data::new(paper, page, fonts.families(), qr.as_ref());
    let data = serde_json::to_vec(&data).map_err(|error| TypesetError::Refused(error.to_string()))?;
    let world = PaperWorld {
        source,
        fonts,
        data: Bytes::new(data),
        qr: Bytes::new(qr.map(QrSquare::into_luma).unwrap_or_default()),
    };
    let document = typst::compile::<PagedDocument>(&world).output.map_err(|errors| refused(&errors))?;
    let options = PdfOptions {
        // Names the document in the file: derived from what it says, so that it is the same in every rendering.
        ident: Smart::Custom(format!("{}/{:?}", paper.sha256, paper.state)),
        creator: Smart::Custom(Some("Dudao".to_owned())),
        timestamp: timestamp(paper.issued_on),
        page_ranges: None,
        standards: STANDARDS.clone(),
        tagged: false,
        pretty: false,
    };
    let bytes = typst_pdf::pdf(&document, &options).map_err(|errors| refused(&errors));
    comemo::evict(KEPT_DOCUMENTS);
    bytes
}

fn refused(errors: &[SourceDiagnostic]) -> TypesetError {
    TypesetError::Refused(errors.iter().map(|error| error.message.to_string()).collect::<Vec<_>>().join("; "))
}

static STANDARDS: LazyLock<PdfStandards> =
    LazyLock::new(|| PdfStandards::new(&[PdfStandard::A_2b]).unwrap_or_default());
static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));
static MAIN: LazyLock<FileId> = LazyLock::new(|| file("page.typ"));
static DATA: LazyLock<FileId> = LazyLock::new(|| file("paper.json"));
static QR: LazyLock<FileId> = LazyLock::new(|| file("qr.raw"));

#[expect(clippy::expect_used, reason = "three names that are written down here")]
fn file(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("a plain file name");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

/// Midnight of the day of issue: there is no clock in this room.
fn timestamp(on: Date) -> Option<Timestamp> {
    let day = Datetime::from_ymd_hms(
        i32::from(on.year()),
        u8::try_from(on.month()).ok()?,
        u8::try_from(on.day()).ok()?,
        0,
        0,
        0,
    )?;
    Some(Timestamp::new_utc(day))
}

/// What the page's source may see: itself, the paper, the QR code, the fonts. No file system, no network, no clock.
struct PaperWorld<'a> {
    source: &'a PageSource,
    fonts: &'a Fonts,
    data: Bytes,
    qr: Bytes,
}

impl World for PaperWorld<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        *MAIN
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == *MAIN { Ok(self.source.0.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *DATA {
            Ok(self.data.clone())
        } else if id == *QR {
            Ok(self.qr.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// `paper.json`.
#[derive(Serialize)]
struct Data<'a> {
    blocks: Vec<serde_json::Value>,
    title: &'a str,
    agency: &'a str,
    watermark: Option<&'static str>,
    date: [i16; 3],
    page: &'a Page,
    fonts: &'a Families,
    /// Modules on a side of the QR code.
    qr: Option<usize>,
}

impl<'a> Data<'a> {
    fn new(paper: &'a Paper, page: &'a Page, fonts: &'a Families, qr: Option<&QrSquare>) -> Self {
        let on = paper.issued_on;
        let blocks = paper
            .blocks
            .iter()
            .map(|block| {
                let mut value = serde_json::to_value(block).unwrap_or_default();
                match block {
                    Block::Table { .. } | Block::Form { .. } => breakable(&mut value, LONGEST_WORD_IN_CELL),
                    // An address is there to be copied.
                    Block::Verification { .. } => value["label"] = "核验码：".into(),
                    _ => breakable(&mut value, LONGEST_WORD),
                }
                value
            })
            .collect();
        Self {
            blocks,
            title: &paper.title,
            agency: &paper.agency,
            watermark: paper.watermark,
            date: [on.year(), i16::from(on.month()), i16::from(on.day())],
            page,
            fonts,
            qr: qr.map(QrSquare::side),
        }
    }
}

/// Lets long runs without a natural place to break (addresses, keys) break anywhere.
fn breakable(value: &mut serde_json::Value, longest: usize) {
    match value {
        serde_json::Value::String(text) => {
            if let Some(broken) = with_breaks(text, longest) {
                *text = broken;
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| breakable(value, longest)),
        serde_json::Value::Object(members) => members.values_mut().for_each(|value| breakable(value, longest)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn with_breaks(text: &str, longest: usize) -> Option<String> {
    let long = text.split(|letter: char| !is_of_a_word(letter)).any(|word| word.chars().count() > longest);
    long.then(|| {
        let mut out = String::with_capacity(text.len() * 2);
        let mut run = 0;
        for letter in text.chars() {
            run = if is_of_a_word(letter) { run + 1 } else { 0 };
            if run > longest {
                out.push('\u{200B}');
            }
            out.push(letter);
        }
        out
    })
}

fn is_of_a_word(letter: char) -> bool {
    u32::from(letter) < 0x2E80 && !letter.is_whitespace()
}
