//! What an error looks like from outside: the RFC 9457 problem document (问题文档), the catalogue
//! of its types, its axum response, and extractors whose refusals are problems too.
//!
//! Owned here: [`ProblemKind`] (the one list of problem types of the whole system), [`Problem`], the
//! two languages of its texts and the choice between them, the conversion of framework answers and
//! of storage errors. Not owned here: the rules that lead to a refusal. A service maps its own
//! errors to a [`Problem`] in its `error.rs`, in one place.
//!
//! Two languages: every text carries Chinese and English ([`Text`]). Where a library hands us one
//! string only (serde, garde), write it as `中文 | English`; [`Text::bilingual`] takes it apart.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

mod extract;
mod kind;
mod localise;
mod problem;
mod serde_text;
mod storage;
mod text;
mod validate;

pub use extract::{Json, Path, Query, ValidJson};
pub use kind::{PROBLEM_BASE, ProblemKind};
pub use localise::localise;
pub use problem::{FieldError, FieldErrorBody, Problem, ProblemBody};
pub use text::{Lang, Text};
pub use validate::{check, field_errors};

/// What a handler returns: a value or a [`Problem`].
pub type Result<T, E = Problem> = std::result::Result<T, E>;
