//! Official documents (文书): numbered without gap, frozen in the canonical form of crate `documents`, voided or replaced with
//! their history kept.

pub(crate) mod http;
mod issue;
pub(crate) mod store;
mod void;

pub(crate) use issue::{Draft, Issued, issue};
