//! Letters as they were issued and received: the beginning of a rectification.

pub(crate) mod open;
pub(crate) mod store;
