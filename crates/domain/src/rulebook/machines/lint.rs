//! No dead end; every wait has an owner and a clock.

use std::collections::BTreeSet;

use super::{Machine, Machines, REQUIRED, State};
use crate::rulebook::{RuleEntry, Rulebook};

/// Collects faults as (what, what is wrong).
struct Faults<'a> {
    machine: &'a str,
    found: Vec<(String, String)>,
}

impl Faults<'_> {
    fn add(&mut self, place: &str, detail: String) {
        let place = if place.is_empty() { self.machine.to_owned() } else { format!("{}.{place}", self.machine) };
        self.found.push((place, detail));
    }
}

/// Whether a state's clock names the rule of that key; `*` stands for any run without a dot.
pub fn names(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((before, after)) => key.strip_prefix(before).is_some_and(|rest| {
            let reach = rest.find('.').unwrap_or(rest.len());
            (0..=reach).any(|end| {
                let tail = (rest.get(..end), rest.get(end..));
                matches!(tail, (Some(_), Some(tail)) if names(after, tail))
            })
        }),
    }
}

impl Machines {
    /// Every fault, as (what, what is wrong); empty when no wait is without owner and clock and no state is a dead end.
    pub fn lint(&self, rulebook: &Rulebook) -> Vec<(String, String)> {
        let entries = rulebook.entries();
        let mut found = Vec::new();
        for required in REQUIRED {
            if self.machine(required).is_none() {
                found.push((required.to_owned(), "the machine is missing".to_owned()));
            }
        }
        let mut seen = BTreeSet::new();
        for machine in &self.machines {
            let mut faults = Faults { machine: &machine.key, found: Vec::new() };
            if !seen.insert(machine.key.as_str()) {
                faults.add("", "the machine is given twice".to_owned());
            }
            check_states(machine, &entries, &mut faults);
            check_transitions(machine, &mut faults);
            check_ways(machine, &mut faults);
            found.extend(faults.found);
        }
        found
    }
}

fn check_states(machine: &Machine, entries: &[RuleEntry], faults: &mut Faults<'_>) {
    let mut seen = BTreeSet::new();
    if machine.state(&machine.initial).is_none() {
        faults.add("initial", format!("there is no state {}", machine.initial));
    }
    for state in &machine.states {
        if !seen.insert(state.key.as_str()) {
            faults.add(&state.key, "the state is given twice".to_owned());
        }
        if state.title.trim().is_empty() {
            faults.add(&state.key, "has no title".to_owned());
        }
        if state.terminal {
            if state.owner.is_some() || state.clock.is_some() {
                faults.add(&state.key, "is terminal, so nobody is waited for and no clock runs".to_owned());
            }
        } else {
            check_wait(machine, state, entries, faults);
        }
    }
}

/// A state that is no end: an owner who can act, and a clock that runs for this owner.
fn check_wait(machine: &Machine, state: &State, entries: &[RuleEntry], faults: &mut Faults<'_>) {
    match state.owner {
        None => faults.add(&state.key, "waits for nobody: it has no owner".to_owned()),
        Some(owner) => {
            let can_act = machine.transitions.iter().any(|act| act.by == owner && act.from.contains(&state.key));
            if !can_act {
                faults.add(&state.key, format!("waits for {}, who has no act in it", owner.zh()));
            }
        }
    }
    let Some(clock) = &state.clock else {
        faults.add(&state.key, "waits without end: it has no clock".to_owned());
        return;
    };
    let rules: Vec<&RuleEntry> = entries.iter().filter(|entry| names(clock, &entry.key)).collect();
    if rules.is_empty() {
        faults.add(&state.key, format!("no rule has the key {clock}"));
    }
    for rule in rules {
        if state.owner.is_some_and(|owner| owner != rule.owner) {
            faults.add(&state.key, format!("the clock {} runs for {}", rule.key, rule.owner.zh()));
        }
    }
}

fn check_transitions(machine: &Machine, faults: &mut Faults<'_>) {
    for act in &machine.transitions {
        if act.from.is_empty() {
            faults.add(&act.act, "leads from no state".to_owned());
        }
        if act.title.trim().is_empty() {
            faults.add(&act.act, "has no title".to_owned());
        }
        for key in act.from.iter().chain([&act.to]) {
            if machine.state(key).is_none() {
                faults.add(&act.act, format!("there is no state {key}"));
            }
        }
    }
}

/// Every state can be reached, and from every state an end can be reached.
fn check_ways(machine: &Machine, faults: &mut Faults<'_>) {
    let edges: Vec<(&str, &str)> = machine
        .transitions
        .iter()
        .flat_map(|act| act.from.iter().map(|from| (from.as_str(), act.to.as_str())))
        .collect();
    let backwards: Vec<(&str, &str)> = edges.iter().map(|(from, to)| (*to, *from)).collect();
    let reached = spread(BTreeSet::from([machine.initial.as_str()]), &edges);
    let ends = machine.states.iter().filter(|state| state.terminal).map(|state| state.key.as_str()).collect();
    let ending = spread(ends, &backwards);
    for state in &machine.states {
        if !reached.contains(state.key.as_str()) {
            faults.add(&state.key, "cannot be reached".to_owned());
        }
        if !ending.contains(state.key.as_str()) {
            faults.add(&state.key, "is a dead end: no act leads on to a terminal state".to_owned());
        }
    }
}

/// Everything that the edges reach from a set.
fn spread<'a>(mut known: BTreeSet<&'a str>, edges: &[(&'a str, &'a str)]) -> BTreeSet<&'a str> {
    loop {
        let before = known.len();
        for (from, to) in edges {
            if known.contains(from) {
                known.insert(to);
            }
        }
        if known.len() == before {
            return known;
        }
    }
}
