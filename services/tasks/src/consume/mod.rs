//! What other services say.

mod assignments;
mod receipts;
mod registry;

pub use assignments::Assignments;
pub use receipts::Receipts;
pub use registry::RegistryCopies;

/// Durable name of the consumer that keeps the copies of `registry`.
pub const REGISTRY_CONSUMER: &str = "tasks-registry";
/// Durable name of the consumer of acknowledged receipts.
pub const RECEIPTS_CONSUMER: &str = "tasks-receipts";
/// Durable name of the consumer of what `deadlines` hands to people.
pub const ASSIGNMENTS_CONSUMER: &str = "tasks-assignments";
