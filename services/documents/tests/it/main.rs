//! `documents` by its pages: they are set, taken apart again with poppler's tools, and measured.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "tests may"
)]

mod agreement;
mod api;
mod measures;
mod support;
mod words;
