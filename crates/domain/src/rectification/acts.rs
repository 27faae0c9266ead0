//! What people do: report, verify, close out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::RectificationEvent;
use super::facts::Rules;
use super::refusal::RectificationRefusal;
use super::state::{Closing, Item, ItemState, Limit, LimitBasis, Rectification, Report, Timeliness, Verification};
use super::timers::{self, Timer, TimerKind};
use crate::ids::{AccountId, FileId, ItemId, UnitId};
use crate::outcome::Outcome;
use crate::proof::{AnchorEvent, ProofSheet};

type Acted = Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal>;

/// A report as it is handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportFacts {
    /// Who reports.
    pub by: AccountId,
    /// What was done.
    pub text: String,
    /// The evidence, at least one file.
    pub evidence: Vec<FileId>,
}

/// Who verifies, and in which capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verifier {
    /// The account.
    pub account: AccountId,
    /// The unit that the account belongs to.
    pub unit: Option<UnitId>,
    /// Whether the account acts as an inspector with a valid appointment (督学).
    pub is_inspector: bool,
}

/// The conclusion of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Rectified (核查通过).
    Accept {
        /// The conclusion in words.
        note: String,
    },
    /// Not rectified; the unit goes on (退回).
    Return {
        /// Why.
        reason: String,
    },
}

impl Rectification {
    /// The unit reports an item (Regulation art. 22): in time if and only if before the due instant.
    ///
    /// A late report is accepted and marked late. The same report again changes nothing.
    pub fn report(mut self, item_id: ItemId, facts: ReportFacts, at: Timestamp, rules: Rules<'_>) -> Acted {
        self.check_rules(rules)?;
        let item = self.item_mut(item_id)?;
        match &item.state {
            ItemState::InProgress | ItemState::Returned { .. } => {}
            ItemState::Reported { report }
                if report.by == facts.by && report.text == facts.text && report.evidence == facts.evidence =>
            {
                return Ok(Outcome::Unchanged(self));
            }
            state @ (ItemState::Reported { .. } | ItemState::Verified { .. } | ItemState::Closed { .. }) => {
                return Err(refused(state, "report"));
            }
        }
        if facts.text.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        if facts.evidence.is_empty() {
            return Err(RectificationRefusal::NoEvidence);
        }
        let verification_due = ProofSheet::derive(
            rules.rulebook.verification_rule(item.severity),
            AnchorEvent::ReportReceived,
            at,
            rules.agency_calendar,
        )?;
        let mut events = Vec::new();
        // The clock may be a moment behind: a report that comes first must not hide that the limit had passed.
        events.extend(item.mark_overdue(at));
        let timeliness = item.timeliness(at);
        let round = item.limit().map_or(0, |limit| limit.round);
        events.push(RectificationEvent::ItemReported {
            item_id,
            by: facts.by,
            at,
            timeliness,
            verification_due_at: verification_due.due_at,
        });
        let due_at = verification_due.due_at;
        item.state = ItemState::Reported {
            report: Report {
                by: facts.by,
                at,
                text: facts.text,
                evidence: facts.evidence,
                timeliness,
                verification_due,
            },
        };
        let timer = Timer::new(self.rectification_id, TimerKind::Verification, item_id, round, 0, due_at);
        self.rearm(item_id, vec![timer]);
        Ok(Outcome::Changed { next: self, events })
    }

    /// Another person, an inspector, verifies a report (核查, Regulation art. 22): accepts it, or returns it with a
    /// new limit, which never ends before the one in force.
    pub fn verify(
        mut self,
        item_id: ItemId,
        verifier: Verifier,
        decision: Decision,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let rectification_id = self.rectification_id;
        let item = self.item_mut(item_id)?;
        let report = match (&item.state, &decision) {
            (ItemState::Reported { report }, Decision::Accept { .. } | Decision::Return { .. }) => report.clone(),
            (ItemState::Verified { verification, .. }, Decision::Accept { note })
            | (ItemState::Returned { verification, .. }, Decision::Return { reason: note })
                if verification.by == verifier.account && verification.note == *note =>
            {
                return Ok(Outcome::Unchanged(self));
            }
            (
                state @ (ItemState::InProgress
                | ItemState::Returned { .. }
                | ItemState::Verified { .. }
                | ItemState::Closed { .. }),
                Decision::Accept { .. } | Decision::Return { .. },
            ) => return Err(refused(state, "verify")),
        };
        if verifier.account == report.by {
            return Err(RectificationRefusal::SamePerson);
        }
        if !verifier.is_inspector {
            return Err(RectificationRefusal::NotInspector);
        }
        if verifier.unit == Some(item.responsible_unit) {
            return Err(RectificationRefusal::OwnUnit);
        }
        let verification = |note: String| Verification { by: verifier.account, at, note };
        match decision {
            Decision::Accept { note } => {
                item.state = ItemState::Verified { report, verification: verification(note) };
                self.rearm(item_id, Vec::new());
                Ok(Outcome::Changed {
                    next: self,
                    events: vec![RectificationEvent::ItemVerified { item_id, by: verifier.account, at }],
                })
            }
            Decision::Return { reason } => {
                if reason.trim().is_empty() {
                    return Err(RectificationRefusal::EmptyText);
                }
                let limit = limit_after_return(item, at, rules)?;
                item.state = ItemState::Returned { report, verification: verification(reason.clone()) };
                item.returns += 1;
                item.limits.push(limit.clone());
                let armed = timers::of_limit(rectification_id, item, &limit, rules)?;
                self.rearm(item_id, armed);
                Ok(Outcome::Changed {
                    next: self,
                    events: vec![RectificationEvent::ItemReturned { item_id, by: verifier.account, at, reason, limit }],
                })
            }
        }
    }

    /// Closes a verified item (销号); who reported it must not close it.
    pub fn close_out(mut self, item_id: ItemId, by: AccountId, at: Timestamp) -> Acted {
        let item = self.item_mut(item_id)?;
        let (report, verification) = match &item.state {
            ItemState::Verified { report, verification } => (report.clone(), verification.clone()),
            ItemState::Closed { .. } => return Ok(Outcome::Unchanged(self)),
            state @ (ItemState::InProgress | ItemState::Reported { .. } | ItemState::Returned { .. }) => {
                return Err(refused(state, "close out"));
            }
        };
        if report.by == by {
            return Err(RectificationRefusal::SamePerson);
        }
        let mut events =
            vec![RectificationEvent::ItemClosedOut { item_id, by, at, always_on_time: item.was_always_on_time() }];
        item.state = ItemState::Closed { report, verification, closing: Closing { by, at } };
        self.rearm(item_id, Vec::new());
        if self.is_complete() {
            events.push(RectificationEvent::Completed { at });
        }
        Ok(Outcome::Changed { next: self, events })
    }

    pub(super) fn item_mut(&mut self, item_id: ItemId) -> Result<&mut Item, RectificationRefusal> {
        self.items.iter_mut().find(|item| item.item_id == item_id).ok_or(RectificationRefusal::UnknownItem(item_id))
    }

    /// Replaces every timer of an item.
    pub(super) fn rearm(&mut self, item_id: ItemId, armed: Vec<Timer>) {
        self.timers.retain(|timer| timer.item_id != item_id);
        self.timers.extend(armed);
    }
}

impl Item {
    /// Marks the item overdue if its binding limit has passed and it was not marked for any limit before.
    pub(super) fn mark_overdue(&mut self, at: Timestamp) -> Option<RectificationEvent> {
        let limit = self.binding_limit()?;
        let (due_at, due_on) = (limit.due_at(), limit.due_on());
        if at < due_at || self.overdue_at.is_some() {
            return None;
        }
        self.overdue_at = Some(due_at);
        Some(RectificationEvent::ItemOverdue { item_id: self.item_id, due_at, due_on })
    }

    fn timeliness(&self, at: Timestamp) -> Timeliness {
        let passed = |limit: &Limit| at >= limit.due_at();
        if !self.binding_limit().is_some_and(passed) {
            Timeliness::InTime
        } else if self.limit().is_some_and(|limit| limit.is_urging() && passed(limit)) {
            Timeliness::LateAfterUrging
        } else {
            Timeliness::Late
        }
    }
}

/// The limit after a return: from the return, unless the limit in force ends later; then that one stays.
fn limit_after_return(item: &Item, at: Timestamp, rules: Rules<'_>) -> Result<Limit, RectificationRefusal> {
    let proof = ProofSheet::derive(
        rules.rulebook.return_rule(item.severity),
        AnchorEvent::ReportReturned,
        at,
        rules.unit_calendar,
    )?;
    let round = item.limit().map_or(0, |limit| limit.round + 1);
    Ok(match item.limit() {
        Some(current) if current.due_at() > proof.due_at => Limit { round, set_at: at, ..current.clone() },
        Some(_) | None => Limit { round, basis: LimitBasis::Returned, set_at: at, proof },
    })
}

pub(super) fn refused(state: &ItemState, act: &'static str) -> RectificationRefusal {
    RectificationRefusal::State { state: state.key(), act }
}
