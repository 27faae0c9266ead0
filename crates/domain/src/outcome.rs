//! What a transition of a state machine returns.

/// The result of an act that was allowed: either something changed, or it had been done before.
///
/// Repeating a done step is [`Outcome::Unchanged`], not an error, so that a message delivered twice does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<S, E> {
    /// The act took effect.
    Changed {
        /// The state after the act.
        next: S,
        /// What happened, in order.
        events: Vec<E>,
    },
    /// The act had been done before; nothing happened.
    Unchanged(S),
}

impl<S, E> Outcome<S, E> {
    /// The state after the act, whether it changed or not.
    pub fn into_state(self) -> S {
        match self {
            Self::Changed { next, events: _ } => next,
            Self::Unchanged(state) => state,
        }
    }

    /// The state and what happened; no events when nothing changed.
    pub fn into_parts(self) -> (S, Vec<E>) {
        match self {
            Self::Changed { next, events } => (next, events),
            Self::Unchanged(state) => (state, Vec::new()),
        }
    }

    /// The events, none when nothing changed.
    pub fn events(&self) -> &[E] {
        match self {
            Self::Changed { next: _, events } => events,
            Self::Unchanged(_) => &[],
        }
    }

    /// Whether the act took effect.
    pub fn is_changed(&self) -> bool {
        match self {
            Self::Changed { .. } => true,
            Self::Unchanged(_) => false,
        }
    }
}
