//! A case is counted again by the rules in force, once. The worker does it with a batch, an act with the one case that it is
//! about; both by the same function.

use std::sync::Arc;

use contracts::Actor;
use domain::calendar::Calendar;
use domain::outcome::Outcome;
use domain::rectification::{Rectification, RectificationEvent, Workbook};
use jiff::Timestamp;
use postgres::Tx;
use problem::Problem;

use super::WORKER;
use super::dry_run::{CaseDiff, recounted};
use super::store::{self, Pending};
use crate::rectification::dossier::Dossier;
use crate::rectification::publish::{self, Change};
use crate::rectification::store::{self as cases, Stored};
use crate::rules::Ruling;

/// A case that a change touches.
pub(crate) struct Counted {
    pub(super) before: Rectification,
    pub(super) after: Stored,
    events: Vec<RectificationEvent>,
    calendar: Arc<Calendar>,
    rules_version: i64,
}

/// Counts a case by the changes that it has not met; nothing when they change nothing about it.
pub(super) fn count(
    stored: Stored,
    rules_version: i64,
    pending: &[Pending],
    ruling: &Ruling,
    workbook: &Workbook,
    at: Timestamp,
) -> anyhow::Result<Option<Counted>> {
    let Stored { version, dossier } = stored;
    let before = dossier.rectification.clone();
    // The newest rulebook, of those that this case has not met, that live cases go over to.
    let target = pending
        .iter()
        .filter(|change| change.sequence > rules_version)
        .filter_map(|change| change.goes_over.as_deref())
        .next_back()
        .unwrap_or(&before.rulebook_version);
    let held = dossier.hold_by(target, ruling, workbook)?;
    let calendar = Arc::clone(held.unit_calendar());
    let (rectification, events) = match before.clone().recount(at, held.rules())? {
        Outcome::Unchanged(_) => return Ok(None),
        Outcome::Changed { next, events } => (next, events),
    };
    let after = Stored { version: version + 1, dossier: Dossier { rectification, ..dossier } };
    Ok(Some(Counted { before, after, events, calendar, rules_version }))
}

/// Journals what the count did to cases, and keeps it with each change that it comes from.
pub(super) async fn tell(
    tx: &mut Tx,
    counted: &[Counted],
    pending: &[Pending],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let changes: Vec<Change<'_>> = counted
        .iter()
        .map(|one| Change {
            dossier: &one.after.dossier,
            version: one.after.version,
            events: &one.events,
            calendar: &one.calendar,
        })
        .collect();
    publish::publish(tx, &Actor::system(WORKER), &changes).await?;
    for change in pending {
        let diffs: Vec<CaseDiff> = counted
            .iter()
            .filter(|one| one.rules_version < change.sequence)
            .map(|one| {
                let Dossier { letter, rectification, .. } = &one.after.dossier;
                let (unit, number) = (letter.unit.name.clone(), letter.document.doc_no.clone());
                CaseDiff::of(unit, number, rectification, &recounted(&one.events), at)
            })
            .collect();
        store::keep_cases(tx, change.change_id, "real", &diffs).await?;
    }
    Ok(())
}

/// What the rules in force make of a case that somebody acts on before the worker has come to it.
pub(crate) struct Recount {
    pending: Vec<Pending>,
    counted: Vec<Counted>,
}

impl Recount {
    /// Counts a locked case if it is behind the rules in force, at the instant of the act: nobody is to be late because
    /// calendars changed while he acted. Nothing is written.
    pub(crate) async fn of(
        tx: &mut Tx,
        locked: &Stored,
        ruling: &Ruling,
        workbook: &Workbook,
    ) -> Result<Option<Self>, Problem> {
        let rectification_id = locked.dossier.rectification.rectification_id;
        if !cases::is_behind(tx, rectification_id, ruling.version()).await? {
            return Ok(None);
        }
        let rules_version = store::counted_by(tx, rectification_id).await?;
        let pending = store::pending_since(tx, rules_version).await?;
        let counted = count(locked.clone(), rules_version, &pending, ruling, workbook, tx.at())
            .map_err(|error| Problem::internal(error.as_ref()))?;
        Ok(Some(Self { pending, counted: counted.into_iter().collect() }))
    }

    /// The case as the act meets it; nothing when the count changes nothing about it.
    pub(crate) fn stored(&self) -> Option<&Stored> {
        self.counted.first().map(|one| &one.after)
    }

    /// Writes what is only the count's: its version, its event, its place among the cases of each change. The limits are
    /// written with those of the act, for two statements would take the sheets out of the order of their names.
    pub(crate) async fn write(&self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        for one in &self.counted {
            store::raise_version(tx, one.before.rectification_id).await?;
        }
        let at = tx.at();
        tell(tx, &self.counted, &self.pending, at).await
    }
}
