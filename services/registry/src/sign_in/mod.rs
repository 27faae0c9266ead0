//! Signing in (登录): passwords, one-time codes, throttling, tokens.
//!
//! All times in here are machine time: how long a code or a pause holds is no matter of the law, and must not jump when a
//! rehearsal moves the legal clock.

mod activate;
pub(crate) mod http;
mod password;
mod session;
pub(crate) mod store;
pub(crate) mod throttle;

pub(crate) use activate::{activate, issue_code};
pub(crate) use password::{Hasher, broken_rules, random};
pub(crate) use session::{Origin, Way, count, open_session, password_fits, sign_in};
