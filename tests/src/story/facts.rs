//! What a step found out, and what it had to be.

use std::fmt::Debug;

use anyhow::bail;
use serde::Serialize;
use serde_json::{Map, Value};

/// The facts of one step, as they go into the result.
#[derive(Debug, Default)]
pub struct Facts(Map<String, Value>);

impl Facts {
    /// Notes a fact.
    pub fn set(&mut self, key: &str, value: impl Serialize) {
        self.0.insert(key.to_owned(), serde_json::to_value(value).unwrap_or(Value::Null));
    }

    /// Notes a fact and fails when it is not what it has to be.
    #[expect(clippy::needless_pass_by_value, reason = "a step writes what it expects as a value")]
    pub fn same<T: PartialEq + Debug + Serialize>(&mut self, key: &str, actual: T, expected: T) -> anyhow::Result<()> {
        let right = actual == expected;
        let text = if right { String::new() } else { format!("{key}: found {actual:?}, expected {expected:?}") };
        self.set(key, actual);
        if right { Ok(()) } else { bail!(text) }
    }

    /// Notes that something holds, and fails when it does not; `detail` says what was seen instead.
    pub fn holds(&mut self, key: &str, holds: bool, detail: impl Debug) -> anyhow::Result<()> {
        self.set(key, holds);
        if holds { Ok(()) } else { bail!("{key} does not hold: {detail:?}") }
    }

    /// The facts as JSON.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}
