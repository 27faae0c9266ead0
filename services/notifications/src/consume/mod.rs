//! What this service listens to: who exists (`registry`), and what people have to be told of (`tasks`, `deadlines`).

mod matters;
mod registry;

pub use matters::Matters;
pub use registry::Directory;
