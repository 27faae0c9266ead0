//! Rectification of a received opinion letter (整改): one item for each finding, from the receipt to the close-out.
//!
//! ```mermaid
//! stateDiagram-v2
//!     [*] --> in_progress: open (receipt of the letter)
//!     in_progress --> reported: report
//!     reported --> verified: verify, accepted by another person, an inspector
//!     reported --> returned: verify, returned with a new limit
//!     returned --> reported: report
//!     verified --> closed: close out (销号), after every approval
//!     verified --> reported: close-out refused
//!     in_progress --> waived: waiver granted
//!     closed --> in_progress: look-back failed (反弹)
//!     state "clock, on in_progress and returned" as clock {
//!         [*] --> running
//!         running --> stopped: pause granted
//!         stopped --> running: its end, or an earlier resume
//!         running --> overdue: due instant
//!         overdue --> urged: urging order (督办单), new limit
//!         urged --> proposed: the order's limit ends, a step is proposed
//!         proposed --> decided: people take or lift it, new limit
//!         decided --> proposed: that limit ends
//!         proposed --> moot: its items are done (终结)
//!     }
//! ```
//!
//! The clock does not bind the unit's hands: a late item may still be reported, and is then marked late. What the
//! clock did (overdue, urged, proposals) stays with the item when it is closed. A limit that a unit was told never
//! moves earlier. Whatever waits for people has a clock of its own and is called to mind until it is done, or
//! until what it was about is done.

mod acts;
mod conclusion;
mod events;
mod facts;
mod fire;
mod ladder;
mod limits;
mod mirror;
mod moot;
mod open;
mod recount;
mod refusal;
mod requests;
mod rest;
mod state;
mod timers;
mod workbook;

pub use acts::{Decision, ReportFacts, Verifier};
pub use conclusion::{AcceptanceCount, Accepted, CloseOutCondition};
pub use events::{
    EscalatedItem, EscalationProposal, OpenedItem, RectificationEvent, ReminderItem, UrgedItem, UrgingOrder,
};
pub use facts::{FindingFacts, LetterFacts, Rules};
pub use ladder::Decider;
pub use recount::{RecountEffect, Recounted};
pub use refusal::RectificationRefusal;
pub use requests::Ruling;
pub use state::{
    Adjustment, Approval, Consultation, Item, ItemState, LetterHead, Limit, LimitBasis, Link, LookBack, LookBackState,
    Phase, Plan, PlanState, PlannedMeasure, Progress, Rectification, Report, Request, RequestSubject, Source, Step,
    StepOutcome, Submission, Suspension, Timeliness, UrgedMark, Verification, Waiver,
};
pub use timers::{Timer, TimerKind, WHOLE};
pub use workbook::{Sheet, Workbook};

#[cfg(test)]
mod tests;
