//! Rectification of a received opinion letter (整改): one item for each finding, from the receipt to the close-out.
//!
//! ```mermaid
//! stateDiagram-v2
//!     [*] --> in_progress: open (receipt of the letter)
//!     in_progress --> reported: report
//!     reported --> verified: verify, accepted by another person, an inspector
//!     reported --> returned: verify, returned with a new limit
//!     returned --> reported: report
//!     verified --> closed: close out (销号)
//!     closed --> [*]
//!     state "clock, on in_progress and returned" as clock {
//!         [*] --> running
//!         running --> overdue: due instant
//!         overdue --> urged: urging order (督办单), new limit
//!         urged --> interview_proposed: the order's limit ends
//!     }
//! ```
//!
//! The clock does not bind the unit's hands: a late item may still be reported, and is then marked late. What the
//! clock did (overdue, urged, proposals) stays with the item when it is closed. A limit that a unit was told never
//! moves earlier.

mod acts;
mod events;
mod extend;
mod facts;
mod fire;
mod open;
mod refusal;
mod state;
mod timers;

pub use acts::{Decision, ReportFacts, Verifier};
pub use events::{
    EscalatedItem, EscalationProposal, OpenedItem, RectificationEvent, ReminderItem, UrgedItem, UrgingOrder,
};
pub use extend::ExtensionFacts;
pub use facts::{FindingFacts, LetterFacts, Rules};
pub use refusal::RectificationRefusal;
pub use state::{
    Closing, Item, ItemState, LetterHead, Limit, LimitBasis, Rectification, Report, Timeliness, UrgedMark, Verification,
};
pub use timers::{Timer, TimerChanges, TimerKind, timer_changes};

#[cfg(test)]
mod tests;
