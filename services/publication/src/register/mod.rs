//! The register of issued documents (发文登记簿): what the services that issue say of each paper, and which files were made of it.
//!
//! The offices read it as a list with the proof that no number is missing; the portal's page of verification looks a code up in
//! it. What a document says is not in it.

pub(crate) mod http;
mod record;
pub(crate) mod rendition;
mod store;

pub(crate) use record::{Recorded, record};
pub(crate) use store::hand_over;
