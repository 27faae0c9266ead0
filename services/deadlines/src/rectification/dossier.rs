//! The dossier (卷宗): one rectification with everything that its documents and events need.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use access::Resource;
use contracts::deadlines::UrgingOrderFact;
use contracts::tasks::LetterIssued;
use domain::calendar::Calendar;
use domain::ids::{AccountId, UnitId};
use domain::local_time::local_date;
use domain::rectification::{Link, Rectification, Rules, Workbook};
use domain::rulebook::Rulebook;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rules::Ruling;

/// The agency that took over from the one of the letter, when a county became a part of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Successor {
    /// What was issued before is the former agency's.
    pub(crate) since: Timestamp,
    pub(crate) unit_id: UnitId,
    pub(crate) name: String,
}

/// One rectification with what seldom changes about it: only when its county becomes a part of another one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dossier {
    /// The state that the domain decides on.
    pub(crate) rectification: Rectification,
    /// The letter as it was issued; for a department held liable, as it concerns the department.
    pub(crate) letter: Arc<LetterIssued>,
    /// Division of the issuing agency, whose calendar counts for its duties.
    pub(crate) agency_area_code: String,
    /// Unit key of the issuing agency, for the numbers of its documents.
    pub(crate) agency_key: String,
    /// Who issues instead of the letter's agency.
    pub(crate) successor: Option<Successor>,
    /// Urging orders issued, oldest first.
    pub(crate) orders: Vec<UrgingOrderFact>,
    /// Names of the people who acted, as they were then.
    pub(crate) people: BTreeMap<AccountId, String>,
    /// When the last item was closed.
    pub(crate) closed_at: Option<Timestamp>,
}

/// Rules and calendars that a dossier lives by, held for the time of an act.
pub(crate) struct Held<'r> {
    /// As the unit's county has set it anew, if it has.
    rulebook: Cow<'r, Rulebook>,
    unit_calendar: Arc<Calendar>,
    agency_calendar: Arc<Calendar>,
    workbook: &'r Workbook,
}

impl Held<'_> {
    pub(crate) fn unit_calendar(&self) -> &Arc<Calendar> {
        &self.unit_calendar
    }

    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules {
            rulebook: &self.rulebook,
            unit_calendar: &self.unit_calendar,
            agency_calendar: &self.agency_calendar,
            workbook: self.workbook,
        }
    }
}

/// The dossier began with a rulebook that the folder no longer has: an operator must put it back.
#[derive(Debug, thiserror::Error)]
#[error("rulebook version {0} is not in the rulebook folder; live cases keep the version that they began with")]
pub(crate) struct RulebookMissing(String);

impl Dossier {
    pub(crate) fn new(
        rectification: Rectification,
        letter: Arc<LetterIssued>,
        agency_area_code: String,
        agency_key: String,
    ) -> Self {
        Self {
            rectification,
            letter,
            agency_area_code,
            agency_key,
            successor: None,
            orders: Vec::new(),
            people: BTreeMap::new(),
            closed_at: None,
        }
    }

    /// The rules and calendars of this dossier.
    pub(crate) fn hold<'r>(&self, ruling: &'r Ruling, workbook: &'r Workbook) -> Result<Held<'r>, RulebookMissing> {
        self.hold_by(&self.rectification.rulebook_version, ruling, workbook)
    }

    /// The calendars of this dossier with a version of the rulebook that it may go over to.
    pub(crate) fn hold_by<'r>(
        &self,
        version: &str,
        ruling: &'r Ruling,
        workbook: &'r Workbook,
    ) -> Result<Held<'r>, RulebookMissing> {
        let rectification = &self.rectification;
        let province = ruling.rulebook(version).ok_or_else(|| RulebookMissing(version.to_owned()))?;
        Ok(Held {
            rulebook: province.for_division(&rectification.letter.division, local_date(rectification.received_at)),
            unit_calendar: ruling.calendar(&rectification.letter.division),
            agency_calendar: ruling.calendar(&self.agency_area_code),
            workbook,
        })
    }

    /// Identity and name of the agency that issues, or issued, at an instant.
    pub(crate) fn issuer_at(&self, at: Timestamp) -> (UnitId, &str) {
        issuer(&self.letter, self.successor.as_ref(), at)
    }

    /// Units that must act: the supervised unit and every unit named responsible for a finding.
    pub(crate) fn acting_units(&self) -> Vec<UnitId> {
        let mut units = vec![self.letter.unit.unit_id];
        units.extend(self.letter.findings.iter().map(|finding| finding.responsible_unit_id));
        units.sort_unstable();
        units.dedup();
        units
    }

    /// The dossier as permissions see it.
    pub(crate) fn resource(&self) -> Resource {
        Resource {
            area_path: self.letter.unit.area_path.clone(),
            unit_ids: self.acting_units(),
            reader_ids: self.letter.unit.competent_unit_id.into_iter().collect(),
            owner: None,
        }
    }

    /// What a search finds it by.
    pub(crate) fn search_text(&self) -> String {
        let unit = &self.letter.unit;
        [Some(&self.letter.case_title), Some(&unit.name), unit.code.as_ref(), Some(&self.letter.document.doc_no)]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub(crate) fn name_of(&self, account: AccountId) -> Option<String> {
        self.people.get(&account).cloned()
    }

    /// The unit's case for which this one, the competent department's, is jointly liable.
    pub(crate) fn liable_for(&self) -> Option<domain::ids::RectificationId> {
        match self.rectification.link {
            Some(Link::Unit { rectification_id }) => Some(rectification_id),
            Some(Link::Department { .. }) | None => None,
        }
    }

    /// From when on the unit is late with something that it still owes: under an order or a step it stays late, although
    /// that limit still runs. While the clock is stopped (期限中止) no limit can pass, and nothing is late.
    pub(crate) fn late_from(&self) -> Option<Timestamp> {
        if self.rectification.is_paused() {
            return None;
        }
        self.rectification
            .items
            .iter()
            .filter(|item| item.state.awaits_unit())
            .filter_map(|item| {
                let limit = item.limit()?;
                if limit.is_binding() { Some(limit.due_at()) } else { item.overdue_at.or(Some(limit.set_at)) }
            })
            .min()
    }
}

/// Who issues for a letter's case at an instant.
pub(crate) fn issuer<'a>(
    letter: &'a LetterIssued,
    successor: Option<&'a Successor>,
    at: Timestamp,
) -> (UnitId, &'a str) {
    match successor.filter(|successor| successor.since <= at) {
        Some(successor) => (successor.unit_id, &successor.name),
        None => (letter.document.issuing_unit_id, &letter.document.issuing_unit_name),
    }
}
