//! Joint liability as mechanics (连带责任, measure 10): when a unit reaches the step of the rulebook, a case of its own opens
//! for its competent department, linked both ways. Neither closes without the other.

use jiff::Timestamp;

use super::events::{OpenedItem, RectificationEvent};
use super::facts::Rules;
use super::limits::{self, Count};
use super::open::new_item;
use super::refusal::RectificationRefusal;
use super::state::{LetterHead, LimitBasis, Link, Rectification};
use crate::ids::{FindingId, ItemId, RectificationId};
use crate::proof::AnchorEvent;

impl Rectification {
    /// The identity of the competent department's case.
    pub fn department_case_id(&self) -> RectificationId {
        RectificationId::derived(&[&self.rectification_id.to_string(), "joint-liability"])
    }

    /// Opens the department's case when this one has reached the level, once.
    pub(super) fn hold_department_liable(
        &mut self,
        level: u8,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Option<RectificationEvent>, RectificationRefusal> {
        let Some(department) = self.letter.competent_department else { return Ok(None) };
        let reached = level >= rules.rulebook.joint_liability.level;
        if !reached || self.link.is_some() || department == self.letter.supervised_unit {
            return Ok(None);
        }
        let rectification_id = self.department_case_id();
        let finding_id = FindingId::derived(&[&rectification_id.to_string()]);
        let gravest = self.items.iter().filter(|item| item.ladder_level >= level).map(|item| item.severity).max();
        let severity = gravest.unwrap_or(crate::severity::Severity::Minor);
        let count = Count {
            basis: LimitBasis::JointLiability,
            rule: rules.rule("joint_liability")?,
            event: AnchorEvent::JointLiabilityBegan,
            from: at,
            base: None,
        };
        let limit = limits::derive(0, count, at, &[], rules)?;
        let item_id = ItemId::derived(&[&rectification_id.to_string(), &finding_id.to_string()]);
        let item = new_item((item_id, finding_id, 1), severity, department, limit.clone());
        let mut department_case = Self {
            rectification_id,
            letter: LetterHead { supervised_unit: department, competent_department: None, ..self.letter.clone() },
            rulebook_version: self.rulebook_version.clone(),
            received_at: at,
            items: vec![item],
            timers: Vec::new(),
            urging_orders: 0,
            steps: Vec::new(),
            suspensions: Vec::new(),
            requests: Vec::new(),
            requests_made: 0,
            link: Some(Link::Unit { rectification_id: self.rectification_id }),
        };
        department_case.arm_limit(1, at, rules)?;
        self.link = Some(Link::Department { rectification_id });
        let opened = OpenedItem { item_id, finding_id, severity, limit };
        Ok(Some(RectificationEvent::DepartmentHeldLiable { department_case: Box::new(department_case), opened }))
    }
}
