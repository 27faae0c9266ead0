//! Counts of rectification by county and for the province, each with its definition.

pub(crate) mod http;
pub(crate) mod store;
