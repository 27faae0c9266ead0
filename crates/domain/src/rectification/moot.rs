//! What nobody need decide any more ends by itself (终结): everything that it was about is done. No state waits for people in
//! vain, and nobody is reminded of it.

use jiff::Timestamp;

use super::events::RectificationEvent;
use super::state::{Rectification, Request, RequestSubject, StepOutcome};
use super::timers::{TimerKind, WHOLE};

impl Rectification {
    /// Ends what has become moot when an item is closed or waived: proposed steps whose items are all done, requests about
    /// what is done, and with the last item the stop of the clock.
    ///
    /// A request to lift a step that was taken stays: a circular holds until people lift it, whatever has become of its items
    /// (measure 14).
    pub(super) fn end_moot(&mut self, at: Timestamp) -> Vec<RectificationEvent> {
        let done: Vec<u32> = self.items.iter().filter(|item| item.state.is_done()).map(|item| item.number).collect();
        let mut events = Vec::new();
        let mut ended = Vec::new();
        for (place, step) in (0..).zip(&mut self.steps) {
            if step.outcome == StepOutcome::Proposed && step.items.iter().all(|number| done.contains(number)) {
                step.outcome = StepOutcome::Moot { ended_at: at };
                ended.push(place);
                events.push(RectificationEvent::StepMoot { proposal_id: step.proposal_id, level: step.level, at });
            }
        }
        for place in ended {
            self.disarm(TimerKind::StepDecision, WHOLE, Some(place));
        }
        let (moot, waiting): (Vec<Request>, Vec<Request>) =
            std::mem::take(&mut self.requests).into_iter().partition(|request| self.is_moot(&request.subject));
        self.requests = waiting;
        for request in moot {
            self.disarm(TimerKind::RequestDecision, WHOLE, Some(request.sequence));
            events.push(RectificationEvent::RequestMoot { request, at });
        }
        if self.is_complete()
            && let Some(stop) = self.suspensions.last_mut().filter(|stop| stop.ended_at.is_none())
        {
            stop.ended_at = Some(at.max(stop.from).min(stop.until));
            self.disarm(TimerKind::Resume, WHOLE, None);
        }
        events
    }

    /// Whether everything that a request is about is done.
    pub(super) fn is_moot(&self, subject: &RequestSubject) -> bool {
        match subject {
            RequestSubject::Extension { item_id, .. } | RequestSubject::Waiver { item_id } => {
                self.item(*item_id).is_some_and(|item| item.state.is_done())
            }
            RequestSubject::Pause { .. } | RequestSubject::Resume => self.is_complete(),
            RequestSubject::Lift { proposal_id } => {
                self.step(*proposal_id).is_some_and(|step| matches!(step.outcome, StepOutcome::Moot { .. }))
            }
        }
    }
}
