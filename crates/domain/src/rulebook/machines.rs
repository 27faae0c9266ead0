//! The state machines as data (状态机): who must act in each state, by which clock, and what leads on.
//!
//! They say what the code does, in a form that can be checked and drawn: no wait without an owner and a clock, no
//! state without a way to an end.

mod lint;

pub use lint::names;
use serde::{Deserialize, Serialize};

use super::{Owner, Rulebook, RulebookFault};

/// The machines that every rulebook describes.
pub const REQUIRED: [&str; 4] = ["rectification_item", "case", "ladder", "accountability"];

/// A file `machines.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machines {
    /// Each machine.
    #[serde(rename = "machine")]
    pub machines: Vec<Machine>,
}

/// One state machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The stable name, e.g. `rectification_item`.
    pub key: String,
    /// The title for people.
    pub title: String,
    /// The key of the state in which it begins.
    pub initial: String,
    /// Its states, in the order in which they are drawn.
    pub states: Vec<State>,
    /// What leads from state to state.
    pub transitions: Vec<Transition>,
}

/// One state: somebody must act by a clock, or it is an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The stable key.
    pub key: String,
    /// The state in words.
    pub title: String,
    /// Whom it waits for; none in a terminal state.
    pub owner: Option<Owner>,
    /// The key of the rule that bounds the wait; `*` stands for any run of letters without a dot, as in
    /// `severity.*.finish`.
    pub clock: Option<String>,
    /// Whether the matter may rest here for good; it may still be taken up again.
    #[serde(default)]
    pub terminal: bool,
}

/// An act that leads from states to a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// The stable key of the act.
    pub act: String,
    /// The act in words.
    pub title: String,
    /// The states in which it may be done.
    pub from: Vec<String>,
    /// The state to which it leads; the same one for an act that changes nothing but the record.
    pub to: String,
    /// Who does it.
    pub by: Owner,
}

impl Machine {
    /// The state with that key.
    pub fn state(&self, key: &str) -> Option<&State> {
        self.states.iter().find(|state| state.key == key)
    }
}

impl Machines {
    /// The machine with that key.
    pub fn machine(&self, key: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.key == key)
    }
}

/// Reads a file and checks it against the rulebook beside it; the faults of a readable one are all reported.
pub fn parse(file: &str, text: &str, rulebook: &Rulebook) -> Result<Machines, Vec<RulebookFault>> {
    let machines: Machines = toml::from_str(text)
        .map_err(|error| vec![RulebookFault::Unreadable { file: file.to_owned(), detail: error.to_string() }])?;
    let faults: Vec<_> = machines
        .lint(rulebook)
        .into_iter()
        .map(|(rule, detail)| RulebookFault::Rule { file: file.to_owned(), rule, detail })
        .collect();
    if faults.is_empty() { Ok(machines) } else { Err(faults) }
}

#[cfg(test)]
mod tests;
