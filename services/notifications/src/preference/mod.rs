//! What an account does not want by mail (消息偏好). Legal messages cannot be switched off, and the inbox keeps everything.

pub(crate) mod http;
mod set;
pub(crate) mod store;

pub use set::{Wanted, set};
