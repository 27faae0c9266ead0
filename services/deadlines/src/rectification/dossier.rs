//! The dossier (卷宗): one rectification with everything that its documents and events need.

use std::collections::BTreeMap;

use access::Resource;
use contracts::deadlines::UrgingOrderFact;
use contracts::tasks::LetterIssued;
use domain::calendar::Calendar;
use domain::ids::AccountId;
use domain::rectification::{Rectification, Rules};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rules::RuleSet;

/// One rectification, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dossier {
    /// The state that the domain decides on.
    pub(crate) rectification: Rectification,
    /// The letter as it was issued.
    pub(crate) letter: LetterIssued,
    /// Division of the issuing agency, whose calendar counts for verification.
    pub(crate) agency_area_code: String,
    /// Unit key of the issuing agency, for the numbers of its documents.
    pub(crate) agency_key: String,
    /// Urging orders issued, oldest first.
    pub(crate) orders: Vec<UrgingOrderFact>,
    /// Names of the people who acted, as they were then.
    pub(crate) people: BTreeMap<AccountId, String>,
    /// When the last item was closed.
    pub(crate) closed_at: Option<Timestamp>,
}

/// Rules and calendars that a dossier lives by, held for the time of an act.
pub(crate) struct Held<'r> {
    rulebook: &'r domain::rulebook::Rulebook,
    unit_calendar: Calendar,
    agency_calendar: Calendar,
}

impl Held<'_> {
    pub(crate) fn unit_calendar(&self) -> &Calendar {
        &self.unit_calendar
    }

    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules { rulebook: self.rulebook, unit_calendar: &self.unit_calendar, agency_calendar: &self.agency_calendar }
    }
}

/// The dossier began with a rulebook that the folder no longer has: an operator must put it back.
#[derive(Debug, thiserror::Error)]
#[error("rulebook version {0} is not in the rulebook folder; live cases keep the version that they began with")]
pub(crate) struct RulebookMissing(String);

impl Dossier {
    pub(crate) fn new(
        rectification: Rectification,
        letter: LetterIssued,
        agency_area_code: String,
        agency_key: String,
    ) -> Self {
        Self {
            rectification,
            letter,
            agency_area_code,
            agency_key,
            orders: Vec::new(),
            people: BTreeMap::new(),
            closed_at: None,
        }
    }

    /// The rules and calendars of this dossier.
    pub(crate) fn hold<'r>(&self, rules: &'r RuleSet) -> Result<Held<'r>, RulebookMissing> {
        let version = &self.rectification.rulebook_version;
        Ok(Held {
            rulebook: rules.rulebook(version).ok_or_else(|| RulebookMissing(version.clone()))?,
            unit_calendar: rules.calendar(&self.rectification.letter.division),
            agency_calendar: rules.calendar(&self.agency_area_code),
        })
    }

    /// Units that must act: the supervised unit and every unit named responsible for a finding.
    pub(crate) fn acting_units(&self) -> Vec<domain::ids::UnitId> {
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
}
