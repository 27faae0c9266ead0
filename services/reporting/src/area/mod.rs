//! Copies of the administrative tree: which counties there are.

pub(crate) mod store;
