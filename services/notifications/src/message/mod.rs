//! Messages (消息): what somebody was told, once for each event, account and kind. Written in the transaction of the event;
//! what leaves the system (mail) is a delivery of it, see [`crate::delivery`].

mod catch_up;
pub(crate) mod http;
mod inbox;
mod matter;
pub(crate) mod store;
mod tell;
mod text;

pub use catch_up::{catch_up, catch_up_worker};
pub use matter::{Matter, NoLimit};
pub use tell::{Telling, tell};
