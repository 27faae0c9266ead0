//! The paper (版面): what a document shows, block by block in reading order. Everything that is rendered is made from it.

use jiff::civil::Date;
use serde::Serialize;

use crate::code::VerificationCode;
use crate::content::Kind;

/// Whether the document still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaperState {
    /// It holds.
    #[default]
    Genuine,
    /// It was declared void (作废).
    Void,
    /// Another one stands in its place (已被替代).
    Replaced,
    /// A trial of templates, never a document (样稿).
    Preview,
}

impl PaperState {
    /// The name in data.
    pub fn key(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Void => "void",
            Self::Replaced => "replaced",
            Self::Preview => "preview",
        }
    }

    /// The word across every page, if any.
    pub fn watermark(self) -> Option<&'static str> {
        match self {
            Self::Genuine => None,
            Self::Void => Some("作废"),
            Self::Replaced => Some("已被替代"),
            Self::Preview => Some("样稿"),
        }
    }
}

/// How a column or a cell is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Center,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Its share of the width.
    pub width: u32,
    /// How its cells are set.
    pub align: Align,
}

/// A cell of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormCell {
    /// What stands in it; line breaks separate paragraphs.
    pub text: String,
    /// Whether it names what stands beside it.
    pub label: bool,
    /// Columns that it spans.
    pub span: u32,
    /// Lines that it is high at least.
    pub lines: u32,
    /// How it is set.
    pub align: Align,
}

/// A block of a paper (版面要素).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// Serial of the copy, secrecy, urgency, at the head of the first page (份号、密级和保密期限、紧急程度).
    Marks {
        /// One a line.
        lines: Vec<String>,
    },
    /// The agency mark (发文机关标志), red.
    Mark {
        /// The mark.
        text: String,
    },
    /// The number with the red rule below it (发文字号、版头中的分隔线).
    Number {
        /// The number.
        number: String,
        /// Who signed for issue, on papers that go upward (签发人).
        signer: Option<String>,
    },
    /// The number of a form without a red head, at the right.
    Reference {
        /// `编号：…`
        text: String,
    },
    /// The title (标题), broken by meaning.
    Title {
        /// Its lines.
        lines: Vec<String>,
    },
    /// The main addressee (主送机关) with its colon.
    Addressee {
        /// The addressee.
        text: String,
    },
    /// A paragraph (正文).
    Paragraph {
        /// Its text.
        text: String,
    },
    /// A heading with its mark.
    Heading {
        /// 1 to 4: 一、 （一） 1. （1）
        level: u8,
        /// Its text, the mark included.
        text: String,
    },
    /// A table whose head is repeated on every page.
    Table {
        /// The columns.
        columns: Vec<Column>,
        /// The rows.
        rows: Vec<Vec<String>>,
    },
    /// A form: labels and values in a grid.
    Form {
        /// Shares of the width.
        widths: Vec<u32>,
        /// The rows.
        rows: Vec<Vec<FormCell>>,
    },
    /// The title of a part on its own page (附件标题).
    Caption {
        /// The title.
        text: String,
    },
    /// The attachment note (附件说明).
    Attachments {
        /// The titles.
        items: Vec<String>,
    },
    /// Agency and date with room for the seal (发文机关署名、成文日期、印章).
    Signature {
        /// The agency.
        agency: String,
        /// The date.
        date: String,
    },
    /// A note below the date, in brackets (附注).
    Annotation {
        /// The note.
        text: String,
    },
    /// What follows stands on a new page.
    PageBreak,
    /// The imprint (版记) at the foot of the last page.
    Imprint {
        /// `抄送：…。`
        copies: Option<String>,
        /// The office that prints it.
        office: String,
        /// `…印发`
        date: String,
    },
    /// How to verify the document, at the foot of the first page.
    Verification {
        /// The code.
        code: String,
        /// What to do with it.
        text: String,
        /// The address behind the QR code, if there is a portal.
        address: Option<String>,
    },
}

/// A document as it is to be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paper {
    /// The blocks in reading order.
    pub blocks: Vec<Block>,
    /// SHA-256 of the content.
    pub sha256: String,
    /// The code for verification.
    #[serde(serialize_with = "as_text")]
    pub code: VerificationCode,
    /// The kind.
    pub kind: Kind,
    /// Version of the templates.
    pub template: String,
    /// Title, in one line.
    pub title: String,
    /// The issuing agency.
    pub agency: String,
    /// Date of issue.
    pub issued_on: Date,
    /// Whether it still holds.
    pub state: PaperState,
    /// The word across every page, if any.
    pub watermark: Option<&'static str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn as_text<S: serde::Serializer>(code: &VerificationCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}
