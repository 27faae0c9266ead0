//! The clocks as people watch them: what is armed, what is late, what stands aside.

pub(crate) mod http;
mod store;
