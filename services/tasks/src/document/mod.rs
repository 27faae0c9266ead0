//! Official documents (文书): numbered without gap, frozen in the canonical form of crate `documents`.

pub(crate) mod http;
mod issue;
pub(crate) mod store;

pub(crate) use issue::{Draft, issue};
