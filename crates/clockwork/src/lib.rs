//! What both the service `deadlines` and the operator's tool ask of the database of `deadlines`: the standing invariants, the
//! changes of rules in effect, proof sheets to compute again, the cases to rehearse.
//!
//! A tool never imports a service, and a question that is asked in two places stands in one. Only reads; owns no table. The
//! statements are not checked when this crate is built, since the tables are the service's: the service's tests ask each one.

pub mod cases;
pub mod changes;
pub mod invariants;
pub mod sheets;
