//! Official documents (文书): what they say, and the one form that every rendering is made from.
//!
//! Owns: the content of each kind ([`Content`]), the bytes that are frozen and hashed ([`Frozen`]), the code for
//! verification ([`VerificationCode`]), the templates ([`Templates`], data in `rulebook/documents/`), and the paper
//! ([`Paper`]): blocks in reading order, composed from content and template. PDF, Word and plain text are all made
//! from the paper, so they say the same. Does not own: typesetting (service `documents`), numbers and storage (the
//! services that issue), and it knows no clock: every date comes in with the content.
//!
//! ```text
//! Content ──freeze──▶ Frozen (canonical bytes, SHA-256, code)
//!    └──────── Templates::compose ──▶ Paper ──▶ PDF | DOCX | text
//! ```
#![warn(missing_docs)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")
)]

mod code;
mod compose;
pub mod content;
mod correction;
mod frozen;
mod numerals;
pub mod paper;
mod record;
mod rendition;
pub mod template;
mod text;
mod title;

pub use code::{CodeError, VerificationCode};
pub use content::{Body, Content, Head, Kind};
pub use correction::CorrectionError;
pub use frozen::{ContentError, Frozen};
pub use paper::{Block, Paper, PaperState};
pub use record::{FieldSpec, Lookup, Record, Shape, Value};
pub use rendition::{NoRendition, Rendition};
pub use template::{Template, TemplateFault, TemplateFaults, Templates};
pub use text::attachment_line;
pub use title::half_width;
