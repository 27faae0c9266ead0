//! The rules as this service reads them: the clock of publication, with the calendar of the body that must publish.

use contracts::deadlines::RectificationSnapshot;
use domain::local_time::local_date;
use domain::proof::{AnchorEvent, ProofSheet};
use domain::rulebook::{ProcedureClock, RuleFolder};
use jiff::Timestamp;
use service_kit::rule_texts::RuleTexts;

use crate::config::RulebookSection;

/// Rulebooks and calendars.
#[derive(Debug)]
pub struct Rules {
    folder: RuleFolder,
    province: String,
}

impl Rules {
    /// Reads and checks the folder; the service does not start with a fault in it.
    pub fn load(section: &RulebookSection) -> anyhow::Result<Self> {
        let folder = RuleTexts::read(&section.folder)?.rules()?;
        Ok(Self { folder, province: section.province.clone() })
    }

    /// By when the page is to be public: counted from the issue of the supervision report (Regulation art. 23 and the
    /// province's default), and before there is one from that of the letter, by the calendar of the office in charge. A
    /// competent department's own case has neither: it counts from its opening.
    ///
    /// The error says in words why there is no such date; the event then waits as a dead letter for the data.
    pub fn publication_due(
        &self,
        snapshot: &RectificationSnapshot,
        reported_at: Option<Timestamp>,
    ) -> Result<ProofSheet, String> {
        let issued_at = if snapshot.liable_for.is_some() {
            snapshot.received_at
        } else {
            reported_at.unwrap_or(snapshot.letter.issued_at)
        };
        let on = local_date(issued_at);
        let rulebook = self
            .folder
            .rulebook_on(&self.province, on)
            .ok_or_else(|| format!("no rulebook of {} applies on {on}", self.province))?;
        // A path that ends at the province means that the province's office is in charge.
        let county = snapshot.unit.county_code.as_deref().filter(|_| snapshot.unit.area_path.len() > 1);
        let calendar = self.folder.calendars().for_division(county.unwrap_or(&self.province));
        let rule = rulebook.procedure_rule(ProcedureClock::Publication);
        ProofSheet::derive(rule, AnchorEvent::ReportCompleted, issued_at, &calendar).map_err(|error| error.to_string())
    }
}
