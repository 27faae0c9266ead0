//! The province's implementation plan (实施方案) itself: 22 measures, two work requirements, who is responsible.

pub(crate) mod http;
mod load;
mod store;

pub(crate) use load::load;
