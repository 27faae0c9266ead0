//! Opening: the receipt of the letter starts the clocks.

use jiff::Timestamp;

use super::events::{OpenedItem, RectificationEvent};
use super::facts::{FindingFacts, LetterFacts, Rules};
use super::limits::{self, Count};
use super::refusal::RectificationRefusal;
use super::state::{Item, ItemState, LetterHead, Limit, LimitBasis, PlanState, Rectification};
use crate::ids::{FindingId, ItemId, LetterId, RectificationId, UnitId};
use crate::outcome::Outcome;
use crate::proof::AnchorEvent;
use crate::rulebook::LETTER_LIMIT;
use crate::severity::Severity;

impl Rectification {
    /// The identity of the rectification of a letter.
    pub fn id_of(letter_id: LetterId) -> RectificationId {
        RectificationId::derived(&[&letter_id.to_string()])
    }

    /// Opens the rectification upon the receipt of the letter (签收), with an item and a limit for each finding.
    ///
    /// `existing` is what is stored for [`Rectification::id_of`] the letter: a receipt that comes twice changes
    /// nothing, whatever instant it names, for the first receipt started the clocks (Regulation art. 21, 22;
    /// measures 9 and 10).
    pub fn open(
        existing: Option<Self>,
        letter: LetterFacts,
        received_at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Outcome<Self, RectificationEvent>, RectificationRefusal> {
        if let Some(existing) = existing {
            return if existing.letter.letter_id == letter.letter_id {
                Ok(Outcome::Unchanged(existing))
            } else {
                Err(RectificationRefusal::OtherLetter)
            };
        }
        check(&letter, rules)?;
        let rectification_id = Self::id_of(letter.letter_id);
        let mut next = Self {
            rectification_id,
            letter: LetterHead {
                letter_id: letter.letter_id,
                case_id: letter.case_id,
                letter_number: letter.letter_number,
                issuing_agency: letter.issuing_agency,
                supervised_unit: letter.supervised_unit,
                competent_department: letter.competent_department,
                division: letter.division,
            },
            rulebook_version: rules.rulebook.version.clone(),
            received_at,
            items: Vec::with_capacity(letter.findings.len()),
            timers: Vec::new(),
            urging_orders: 0,
            steps: Vec::new(),
            suspensions: Vec::new(),
            requests: Vec::new(),
            requests_made: 0,
            link: None,
        };
        let mut opened = Vec::with_capacity(letter.findings.len());
        for finding in letter.findings {
            let limit = first_limit(&finding, received_at, rules)?;
            let item_id = ItemId::derived(&[&rectification_id.to_string(), &finding.finding_id.to_string()]);
            let FindingFacts { finding_id, number, severity, responsible_unit, limit: _ } = finding;
            opened.push(OpenedItem { item_id, finding_id, severity, limit: limit.clone() });
            let mut item = new_item((item_id, finding_id, number), severity, responsible_unit, limit);
            let rule = rules.rulebook.plan_rule(severity);
            item.plan = limits::plan_of(rule, AnchorEvent::LetterReceived, received_at, PlanState::Asked, rules)?;
            next.items.push(item);
            next.arm_limit(number, received_at, rules)?;
        }
        Ok(Outcome::Changed { next, events: vec![RectificationEvent::Opened { items: opened }] })
    }

    /// Refuses rules or calendars other than those that the rectification lives by.
    pub(super) fn check_rules(&self, rules: Rules<'_>) -> Result<(), RectificationRefusal> {
        if self.rulebook_version != rules.rulebook.version {
            return Err(RectificationRefusal::OtherRulebook {
                began: self.rulebook_version.clone(),
                given: rules.rulebook.version.clone(),
            });
        }
        check_calendar(&self.letter.division, rules)
    }
}

pub(super) fn check_calendar(division: &str, rules: Rules<'_>) -> Result<(), RectificationRefusal> {
    if division == rules.unit_calendar.area() {
        Ok(())
    } else {
        Err(RectificationRefusal::OtherCalendar {
            place: division.to_owned(),
            given: rules.unit_calendar.area().to_owned(),
        })
    }
}

fn check(letter: &LetterFacts, rules: Rules<'_>) -> Result<(), RectificationRefusal> {
    if letter.findings.is_empty() {
        return Err(RectificationRefusal::NoFinding);
    }
    for (index, finding) in letter.findings.iter().enumerate() {
        let twice = letter
            .findings
            .iter()
            .take(index)
            .any(|other| other.finding_id == finding.finding_id || other.number == finding.number);
        if finding.number == super::timers::WHOLE {
            return Err(RectificationRefusal::UnknownNumber(finding.number));
        }
        if twice {
            return Err(RectificationRefusal::FindingTwice(finding.number));
        }
    }
    check_calendar(&letter.division, rules)
}

/// The first limit: the letter's own where it sets one, else the rulebook's for the severity.
fn first_limit(
    finding: &FindingFacts,
    received_at: Timestamp,
    rules: Rules<'_>,
) -> Result<Limit, RectificationRefusal> {
    let rule = match finding.limit {
        Some(period) => crate::proof::AppliedRule { period, ..rules.rule(LETTER_LIMIT)? },
        None => rules.rulebook.finish_rule(finding.severity),
    };
    let count =
        Count { basis: LimitBasis::Letter, rule, event: AnchorEvent::LetterReceived, from: received_at, base: None };
    limits::derive(0, count, received_at, &[], rules)
}

/// An item at its beginning.
pub(super) fn new_item(
    (item_id, finding_id, number): (ItemId, FindingId, u32),
    severity: Severity,
    responsible_unit: UnitId,
    limit: Limit,
) -> Item {
    Item {
        item_id,
        finding_id,
        number,
        severity,
        responsible_unit,
        state: ItemState::InProgress,
        limits: vec![limit],
        overdue_at: None,
        overdue_round: None,
        urged: Vec::new(),
        returns: 0,
        extensions: 0,
        reopened: 0,
        ladder_level: 0,
        plan: None,
        progress: None,
        consultations: Vec::new(),
        look_backs: Vec::new(),
    }
}
