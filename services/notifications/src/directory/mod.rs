//! What this service must know of accounts, units and groups to find who is to be told (通讯录): copies of others' data,
//! the newest version of each.

pub(crate) mod audience;
pub(crate) mod book;
pub(crate) mod record;
pub(crate) mod store;

pub use audience::Person;
pub use book::{Asked, Book};
