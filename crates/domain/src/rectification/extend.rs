//! Extension of a limit (延期).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acts::refused;
use super::events::RectificationEvent;
use super::facts::Rules;
use super::refusal::RectificationRefusal;
use super::state::{Limit, LimitBasis, Rectification};
use super::timers;
use crate::ids::{AccountId, ItemId};
use crate::local_time::start_of_day;
use crate::outcome::Outcome;
use crate::period::{Period, count};
use crate::proof::{AnchorEvent, AppliedRule, ProofSheet};

/// An approved request for more time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExtensionFacts {
    /// Who asked, for the unit.
    pub requested_by: AccountId,
    /// Who approved, for the agency that issued the letter.
    pub approved_by: AccountId,
    /// Why.
    pub reason: String,
    /// How much longer, counted from the last day of the limit in force.
    pub period: Period,
}

impl Rectification {
    /// Extends the limit of an item before it has passed (measure 10): with a reason, approved by someone else than
    /// who asked, no longer and no more often than the rulebook allows.
    pub fn extend(
        mut self,
        item_id: ItemId,
        facts: ExtensionFacts,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Outcome<Self, RectificationEvent>, RectificationRefusal> {
        self.check_rules(rules)?;
        let rectification_id = self.rectification_id;
        let item = self.item_mut(item_id)?;
        if !item.state.awaits_unit() {
            return Err(refused(&item.state, "extend"));
        }
        let Some(current) = item.limit().filter(|limit| at < limit.due_at()) else {
            return Err(RectificationRefusal::LimitPassed);
        };
        if current.is_urging() {
            return Err(RectificationRefusal::LimitPassed);
        }
        if facts.reason.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        if facts.requested_by == facts.approved_by {
            return Err(RectificationRefusal::SamePerson);
        }
        let extension = &rules.rulebook.extension;
        if item.extensions >= extension.max_per_item {
            return Err(RectificationRefusal::NoMoreExtensions(extension.max_per_item));
        }
        let anchor = start_of_day(current.due_on()).unwrap_or(at);
        let rule = AppliedRule {
            article: extension.article.clone(),
            rule_id: "extension".to_owned(),
            rulebook_version: rules.rulebook.version.clone(),
            period: facts.period,
        };
        let proof = ProofSheet::derive(rule, AnchorEvent::ExtensionGranted, anchor, rules.unit_calendar)?;
        let longest = count(anchor, extension.longest, rules.unit_calendar)?.due_at;
        if proof.due_at > longest || proof.due_at <= current.due_at() {
            return Err(RectificationRefusal::ExtensionLength);
        }
        let limit = Limit { round: current.round + 1, basis: LimitBasis::Extended, set_at: at, proof };
        item.extensions += 1;
        item.limits.push(limit.clone());
        let armed = timers::of_limit(rectification_id, item, &limit, rules)?;
        self.rearm(item_id, armed);
        Ok(Outcome::Changed {
            next: self,
            events: vec![RectificationEvent::ItemExtended {
                item_id,
                approved_by: facts.approved_by,
                at,
                reason: facts.reason,
                limit,
            }],
        })
    }
}
