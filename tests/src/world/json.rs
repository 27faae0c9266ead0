//! Reading answers without ceremony: a missing member names itself.

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

/// Reading members of a JSON value by pointer (`/rectification/version`).
pub trait Read {
    /// Whatever stands there.
    fn at(&self, pointer: &str) -> anyhow::Result<&Value>;
    /// A text.
    fn text(&self, pointer: &str) -> anyhow::Result<&str>;
    /// A whole number.
    fn number(&self, pointer: &str) -> anyhow::Result<i64>;
    /// A list.
    fn list(&self, pointer: &str) -> anyhow::Result<&[Value]>;
    /// A day.
    fn day(&self, pointer: &str) -> anyhow::Result<Date>;
    /// An instant.
    fn instant(&self, pointer: &str) -> anyhow::Result<Timestamp>;
}

impl Read for Value {
    fn at(&self, pointer: &str) -> anyhow::Result<&Value> {
        self.pointer(pointer).with_context(|| {
            let text: String = self.to_string().chars().take(600).collect();
            format!("no {pointer} in {text}")
        })
    }

    fn text(&self, pointer: &str) -> anyhow::Result<&str> {
        self.at(pointer)?.as_str().with_context(|| format!("{pointer} is no text"))
    }

    fn number(&self, pointer: &str) -> anyhow::Result<i64> {
        self.at(pointer)?.as_i64().with_context(|| format!("{pointer} is no number"))
    }

    fn list(&self, pointer: &str) -> anyhow::Result<&[Value]> {
        Ok(self.at(pointer)?.as_array().with_context(|| format!("{pointer} is no list"))?)
    }

    fn day(&self, pointer: &str) -> anyhow::Result<Date> {
        self.text(pointer)?.parse().with_context(|| format!("{pointer} is no day"))
    }

    fn instant(&self, pointer: &str) -> anyhow::Result<Timestamp> {
        self.text(pointer)?.parse().with_context(|| format!("{pointer} is no instant"))
    }
}
