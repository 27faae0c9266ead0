//! Rectifications as `deadlines` tells them: the newest snapshot, and of the ledger one row per item.

pub(crate) mod store;

/// What provincial units are listed under, who lie in no county.
pub(crate) const PROVINCIAL: &str = "省本级";
