//! A supervision case (督导): from the plan to the received opinion letter.
//!
//! ```mermaid
//! stateDiagram-v2
//!     [*] --> planned: plan (jurisdiction)
//!     planned --> notified: notify (team of three, written notice)
//!     planned --> on_site: record visit (regular supervision only)
//!     notified --> on_site: record visit (after the notice)
//!     on_site --> on_site: record visit, hear the public
//!     on_site --> deliberating: deliberate (visit record, public opinion, reviewed self-evaluation)
//!     deliberating --> feedback: feed back (preliminary opinion)
//!     feedback --> pleading: receive opinion (the plea window opens)
//!     pleading --> pleading: plead, answer the plea, waive in writing
//!     pleading --> lettered: issue letter (window passed, plea answered or waived)
//!     lettered --> lettered: receive letter (the clocks of the rectification start)
//! ```
//!
//! The guards are those of the Regulation on Education Supervision (教育督导条例), art. 10 and 13 to 21. Every refusal
//! says which one. Regular supervision by the responsible inspector needs neither notice nor team nor hearing.

mod closing;
mod events;
mod facts;
mod fieldwork;
mod jurisdiction;
mod preparation;
mod refusal;
mod state;
mod team;

pub use events::CaseEvent;
pub use facts::{
    Deliberation, Hearing, HearingGroup, HearingMethod, LetterDraft, LetterFinding, Notice, PlanFacts, PleaAnswer,
    PreliminaryFinding, PreliminaryOpinion, Review, SelfEvaluation, Visit,
};
pub use jurisdiction::{Agency, AgencyLevel, SupervisedUnit, UnitClass, may_supervise};
pub use refusal::CaseRefusal;
pub use state::{Case, CaseState, LetterReceipt, Plea, SupervisionKind};
pub use team::{Appointment, Member, Recusal, TEAM_MINIMUM, Team, Unfit};

#[cfg(test)]
mod tests;
