//! Reconciliation (对账): what was told of a day, by kind and state, with a hash that both sides can compare.

pub(crate) mod http;
mod store;
