//! Which look-back of an item is settled by what.
//!
//! The events do not name the look-back that they settle: it is the one that was owed first (as `deadlines` records it). So
//! what was heard is kept, and where each look-back stands is worked out anew from all of it: the order of arrival does not
//! matter.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Standing, State};

/// What was heard of the look-backs of one item, in no order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct History {
    owed: Vec<Owed>,
    ends: Vec<End>,
}

/// A look-back is owed; of one item there is one for each last instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owed {
    /// The version of the rectification from which on it is owed.
    pub version: i64,
    /// By when.
    pub visit_by: Timestamp,
}

/// Something that ends what is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// The version of the rectification that came of it.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// What it was.
    pub what: Ending,
}

/// What ends a look-back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Ending {
    /// The problem stays solved.
    Passed {
        /// Whether the item still has one that is owed.
        more: bool,
    },
    /// The problem is back: what else was owed falls away until the item is closed again.
    Back { reason: String },
    /// The item need not be rectified.
    Waived { reason: String },
}

impl History {
    pub(super) fn owe(&mut self, owed: Owed) {
        match self.owed.iter_mut().find(|known| known.visit_by == owed.visit_by) {
            Some(known) => known.version = known.version.min(owed.version),
            None => self.owed.push(owed),
        }
    }

    pub(super) fn end(&mut self, end: End) {
        // One act makes one version.
        if self.ends.iter().all(|known| known.version != end.version) {
            self.ends.push(end);
        }
    }

    /// Where each look-back stands, by its last instant.
    pub(super) fn standings(&self) -> Vec<Standing> {
        let mut owed = self.owed.clone();
        owed.sort_by_key(|owed| (owed.version, owed.visit_by));
        let mut ends = self.ends.clone();
        ends.sort_by_key(|end| end.version);
        let mut standings: Vec<Standing> = owed
            .into_iter()
            .map(|Owed { version, visit_by }| Standing {
                version,
                state: State::Open,
                due: visit_by,
                done_at: None,
                note: None,
            })
            .collect();
        for End { version, at, what } in ends {
            let open: Vec<&mut Standing> = standings
                .iter_mut()
                .filter(|standing| standing.state == State::Open && standing.version < version)
                .collect();
            let (first, note) = match what {
                // Two that are due by the same instant are one entry, which waits for both.
                Ending::Passed { more: true } if open.len() < 2 => continue,
                Ending::Passed { .. } => {
                    for standing in open.into_iter().take(1) {
                        standing.settle(State::Done, version, at, None);
                    }
                    continue;
                }
                Ending::Back { reason } => (State::Done, reason),
                Ending::Waived { reason } => (State::Moot, reason),
            };
            for (place, standing) in open.into_iter().enumerate() {
                let state = if place == 0 { first } else { State::Moot };
                standing.settle(state, version, at, Some(note.clone()));
            }
        }
        standings
    }
}

impl Standing {
    fn settle(&mut self, state: State, version: i64, at: Timestamp, note: Option<String>) {
        self.state = state;
        self.version = version;
        self.done_at = Some(at);
        self.note = note;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    #[derive(Clone)]
    enum Heard {
        Owed(i64, i64),
        End(i64, Ending),
    }

    fn history(heard: &[Heard]) -> History {
        let mut history = History::default();
        // Each twice: a repetition changes nothing.
        for one in heard.iter().chain(heard) {
            match one.clone() {
                Heard::Owed(version, by) => history.owe(Owed { version, visit_by: at(by) }),
                Heard::End(version, what) => history.end(End { version, at: at(version), what }),
            }
        }
        history
    }

    fn states(heard: &[Heard]) -> Vec<State> {
        history(heard).standings().into_iter().map(|standing| standing.state).collect()
    }

    fn permutations(heard: &[Heard]) -> Vec<Vec<Heard>> {
        if heard.is_empty() {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for (place, first) in heard.iter().enumerate() {
            let mut rest = heard.to_vec();
            rest.remove(place);
            for mut tail in permutations(&rest) {
                tail.insert(0, first.clone());
                all.push(tail);
            }
        }
        all
    }

    fn passed(more: bool) -> Ending {
        Ending::Passed { more }
    }

    fn back() -> Ending {
        Ending::Back { reason: "通道再次堵塞".to_owned() }
    }

    /// The one that was owed first is settled first, in whatever order it is heard.
    #[test]
    fn every_order_of_arrival_ends_alike() {
        let table: [(&[Heard], &[State]); 6] = [
            (&[Heard::Owed(5, 50), Heard::End(7, passed(false))], &[State::Done]),
            (&[Heard::Owed(5, 50), Heard::Owed(9, 90), Heard::End(11, passed(true))], &[State::Done, State::Open]),
            (&[Heard::Owed(5, 50), Heard::End(7, passed(false)), Heard::Owed(9, 90)], &[State::Done, State::Open]),
            (&[Heard::Owed(5, 50), Heard::Owed(9, 90), Heard::End(11, back())], &[State::Done, State::Moot]),
            // The item was closed again after the problem had been back.
            (
                &[Heard::Owed(5, 50), Heard::End(7, back()), Heard::Owed(20, 200), Heard::End(21, passed(false))],
                &[State::Done, State::Done],
            ),
            (
                &[Heard::Owed(5, 50), Heard::Owed(9, 90), Heard::End(10, Ending::Waived { reason: "停办".to_owned() })],
                &[State::Moot, State::Moot],
            ),
        ];
        for (heard, expected) in table {
            for order in permutations(heard) {
                assert_eq!(states(&order), expected);
            }
        }
    }

    #[test]
    fn two_that_are_due_by_the_same_instant_wait_for_both() {
        let heard = [Heard::Owed(5, 50), Heard::Owed(6, 50), Heard::End(8, passed(true))];
        assert_eq!(states(&heard), [State::Open]);
        let both = [heard.as_slice(), &[Heard::End(9, passed(false))]].concat();
        for order in permutations(&both) {
            assert_eq!(states(&order), [State::Done]);
        }
    }

    #[test]
    fn the_note_and_the_instant_are_of_what_settled_it() {
        let [first] = history(&[Heard::End(7, back()), Heard::Owed(5, 50)]).standings().try_into().unwrap();
        assert_eq!((first.version, first.done_at), (7, Some(at(7))));
        assert_eq!(first.note.as_deref(), Some("通道再次堵塞"));
    }
}
