//! The report of an import (导入报告): what became of every row.

use domain::ids::ImportId;
use jiff::Timestamp;
use problem::Text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ImportKind, table::Table};

/// Refusals and warnings that the answer to an upload shows; all of them stand in the stored report.
const SHOWN: usize = 1_000;

/// A reason in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl From<Text> for Reason {
    fn from(text: Text) -> Self {
        Self { zh: text.zh.into_owned(), en: text.en.into_owned() }
    }
}

/// Something to say about one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Remark {
    /// The sheet, or the name of the CSV file.
    pub sheet: String,
    /// The row as a spreadsheet program shows it, from 1.
    pub row: u32,
    /// Header of the column.
    pub column: String,
    /// What is wrong and what to do.
    pub reason: Reason,
}

/// What became of the rows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tally {
    /// The table.
    pub table: Table,
    /// Rows read, blank ones not counted.
    pub rows: usize,
    /// Rows that made something new.
    pub created: usize,
    /// Rows that changed something.
    pub changed: usize,
    /// Rows that say what the register says already.
    pub unchanged: usize,
    /// Rows left out.
    pub rejected_rows: usize,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The import.
    pub import_id: ImportId,
    /// What was imported.
    pub kind: ImportKind,
    /// Name of the file.
    pub file_name: String,
    /// Legal time of the import.
    #[schema(value_type = String, format = DateTime)]
    pub imported_at: Timestamp,
    /// Rows read, blank ones not counted.
    pub rows: usize,
    /// Rows that made something new.
    pub created: usize,
    /// Rows that changed something.
    pub changed: usize,
    /// Rows that say what the register says already.
    pub unchanged: usize,
    /// Rows left out.
    pub rejected_rows: usize,
    /// Why rows were left out; one row may have several faults.
    pub rejected: Vec<Remark>,
    /// Number of these faults; the answer to an upload shows the first 1,000.
    pub rejected_total: usize,
    /// What was taken over although it looks wrong.
    pub warnings: Vec<Remark>,
    /// Number of warnings; the answer to an upload shows the first 1,000.
    pub warnings_total: usize,
    /// The figures by table.
    pub tables: Vec<Tally>,
    /// Sheets that are none of ours.
    pub ignored_sheets: Vec<String>,
}

impl Report {
    /// The report as the answer to an upload shows it.
    #[must_use]
    pub(crate) fn shortened(mut self) -> Self {
        self.rejected.truncate(SHOWN);
        self.warnings.truncate(SHOWN);
        self
    }
}
