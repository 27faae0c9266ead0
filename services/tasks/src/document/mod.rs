//! Official documents (文书): numbered without gap, frozen as canonical JSON with its SHA-256.

pub(crate) mod http;
mod issue;
pub(crate) mod store;

pub(crate) use issue::{Draft, canonical, issue};
