//! Acknowledged receipt (签收): which documents wait for it, and the signature, which is given once.
//!
//! ```mermaid
//! stateDiagram-v2
//!   [*] --> open: a document was issued
//!   open --> signed: the unit acknowledges
//!   signed --> signed: again, the same answer
//! ```

pub(crate) mod http;
mod open;
mod sign;
pub(crate) mod store;

pub use open::open;
pub use sign::sign;
