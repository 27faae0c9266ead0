//! Supervision notices (督办单, measure 10): numbered and frozen in the transaction in which they are due.

pub(crate) mod http;
pub(crate) mod issue;
pub(crate) mod kept;
mod void;
