//! Rows that our own constraints should have kept out.

use uuid::Uuid;

/// A column whose content no code of ours can have written.
#[derive(Debug, thiserror::Error)]
#[error("column {column} of table {table} cannot be read in row {id}")]
struct Corrupt {
    table: &'static str,
    column: &'static str,
    id: Uuid,
}

/// The storage error for such a row: our own fault, hidden from the caller, with table, column and id in the log.
pub(crate) fn corrupt(table: &'static str, column: &'static str, id: Uuid) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Corrupt { table, column, id }))
}
