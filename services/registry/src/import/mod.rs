//! Imports (导入): spreadsheets of areas, units, schools, inspectors and accounts.
//!
//! A file is read in four steps: bytes to sheets of cells (`file`, with limits), sheets to rows (`table`, `read`: what a row
//! can say about itself), rows to records (`resolve`: what they refer to must exist), records into the register (`run`: a
//! handful of array statements in one transaction, then the events). Every bad row is reported with sheet, row and column;
//! the good ones are taken over. A file that says what the register says already changes nothing and tells nobody.

mod cell;
mod file;
pub(crate) mod http;
mod read;
mod report;
mod resolve;
mod run;
mod store;
mod table;

pub use file::FileLimits;
pub(crate) use run::{read_upload, run};
pub(crate) use store::lock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use table::Table;

/// What an import brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Areas, units, schools and inspectors, in one file or several.
    Province,
    /// Accounts with their roles.
    Accounts,
}

impl ImportKind {
    /// The word in a request and in the database.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::Accounts => "accounts",
        }
    }

    /// The kind of a word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Province, Self::Accounts].into_iter().find(|kind| kind.word() == word)
    }

    /// The tables that a file of this kind may hold.
    pub(crate) const fn tables(self) -> &'static [Table] {
        match self {
            Self::Province => &[Table::Areas, Table::Units, Table::Schools, Table::Inspectors],
            Self::Accounts => &[Table::Accounts],
        }
    }
}
