//! Supervision cases (督导) from the plan to the opinion letter.
//!
//! The machine with its guards is [`domain::case::Case`]; a [`Record`] keeps it together with what people wrote. Each use
//! case loads the record under its row lock, asks the machine, saves record and history, and journals what other
//! services must hear: the notice, the preliminary opinion, the letter.

mod create;
pub(crate) mod evidence;
mod feedback;
mod findings;
pub(crate) mod http;
mod letter;
pub(crate) mod merger;
mod notify;
mod plea;
mod receive;
mod record;
mod refuse;
mod report;
mod standing;
mod steps;
pub(crate) mod store;
mod team;
mod view;
mod visit;
mod words;

use contracts::tasks::SupervisionKind;

pub(crate) use feedback::rulebook_of;
pub(crate) use receive::{Receipt, receive};
pub(crate) use record::{Case, Record};
pub(crate) use standing::{Standing, reading, reading_without_inspection};

/// The word of a type of supervision in the database, the same as in JSON.
pub(crate) fn kind_text(kind: SupervisionKind) -> &'static str {
    match kind {
        SupervisionKind::Comprehensive => "comprehensive",
        SupervisionKind::Special => "special",
        SupervisionKind::Regular => "regular",
        SupervisionKind::Emergency => "emergency",
    }
}

/// The type of supervision of a word.
pub(crate) fn kind_of(text: &str) -> Option<SupervisionKind> {
    [SupervisionKind::Comprehensive, SupervisionKind::Special, SupervisionKind::Regular, SupervisionKind::Emergency]
        .into_iter()
        .find(|kind| kind_text(*kind) == text)
}

/// The type as the machine names it.
fn machine_kind(kind: SupervisionKind) -> domain::case::SupervisionKind {
    match kind {
        SupervisionKind::Comprehensive => domain::case::SupervisionKind::Comprehensive,
        SupervisionKind::Special => domain::case::SupervisionKind::Special,
        SupervisionKind::Regular => domain::case::SupervisionKind::Regular,
        SupervisionKind::Emergency => domain::case::SupervisionKind::Emergency,
    }
}
