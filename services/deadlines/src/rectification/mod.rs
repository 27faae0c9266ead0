//! Rectifications (整改): what is stored, what people do, what others are told.

mod act;
pub(crate) mod dossier;
pub(crate) mod evidence;
pub(crate) mod http;
pub(crate) mod liability;
pub(crate) mod publish;
pub(crate) mod refusal;
pub(crate) mod sides;
pub(crate) mod snapshot;
pub(crate) mod store;
mod view;
