//! Notices and messages (消息): what has to be told, once for each event, and what each reader was told of it, once for each
//! event, reader and kind. The notice is written in the transaction of the event; the messages a moment later, for many notices
//! at once; what leaves the system is a delivery of a message, see [`crate::delivery`].
//!
//! ```mermaid
//! stateDiagram-v2
//!   [*] --> waiting: an event is heard
//!   waiting --> told: messages, deliveries and the end of the waiting in one transaction
//!   waiting --> waiting: it cannot be told; it is tried again, later and later, and the sweeper names it
//!   told --> told: somebody of a unit without accounts gets one
//! ```

mod catch_up;
pub(crate) mod http;
mod inbox;
mod matter;
pub(crate) mod preview;
pub(crate) mod store;
mod tell;
pub(crate) mod text;

pub use catch_up::{catch_up, catch_up_worker};
pub use matter::{Matter, NoLimit};
pub use store::Open;
pub use tell::{Heard, TellError, Telling, hear, tell_due, teller};
pub use text::{Limit, Member, Ower};
