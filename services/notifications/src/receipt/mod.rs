//! Acknowledged receipt (签收): which documents wait for it, and the signature, which is given once: signed in, by a one-time
//! link, or on paper, recorded by the office. It is the event that starts the unit's clock in `deadlines`.
//!
//! ```mermaid
//! stateDiagram-v2
//!   [*] --> open: a document was issued
//!   open --> signed: the unit acknowledges
//!   open --> open: its limit passed; the unit is reminded, then the office is told, again and again
//!   signed --> signed: again, the same answer
//! ```

mod chase;
pub(crate) mod http;
mod link;
mod open;
mod paper;
mod sign;
pub(crate) mod store;

pub use chase::{chase_due, chase_worker};
pub use link::Links;
pub use open::open;
pub use paper::record;
pub use sign::sign;
