//! The dry run: what a proposed change would do to every open case, were it in effect now. Nothing about the cases is written.

use std::sync::Arc;

use anyhow::Context as _;
use domain::ids::RectificationId;
use domain::local_time::local_date;
use domain::outcome::Outcome;
use domain::rectification::{RecountEffect, Recounted, Rectification, RectificationEvent, Workbook};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tonight::{self, CurveDay, Load};
use super::{BATCH, Changes, Effects, store};
use crate::rectification::dossier::Dossier;
use crate::rectification::store::{self as cases, Row};
use crate::rules::Ruling;

/// How many cases that cannot be counted are named.
const NAMED: usize = 20;

/// The sums of a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DryRun {
    /// Legal time of the run.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) at: Option<Timestamp>,
    /// Open cases.
    pub(crate) cases: u64,
    /// Of these, how many change.
    pub(crate) touched: u64,
    /// Of these, how many have a stopped clock; they are counted when it runs again.
    pub(crate) paused: u64,
    /// Items by effect.
    pub(crate) items: Effects,
    /// Items that would be late at once, if what units were told did not hold.
    pub(crate) late_if_told_days_fell: u64,
    /// Urging orders that would issue by the end of today, as it stands.
    pub(crate) orders_tonight_before: u64,
    /// The same under the change.
    pub(crate) orders_tonight_after: u64,
    /// Cases that cannot be counted by the change; it cannot be approved while there are any.
    pub(crate) failed: u64,
    /// Cases that cannot be counted as it stands either, and are set aside for that.
    pub(crate) failed_already: u64,
    /// The first of them, with the cause.
    pub(crate) failures: Vec<Failure>,
    /// The load of the coming days.
    pub(crate) curve: Vec<CurveDay>,
}

/// A case that cannot be counted by the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Failure {
    pub(crate) rectification_id: RectificationId,
    pub(crate) cause: String,
}

/// What a change does to one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CaseDiff {
    pub(crate) rectification_id: RectificationId,
    /// The supervised unit.
    pub(crate) unit_name: String,
    /// The number of the letter.
    pub(crate) letter_no: String,
    /// Its items that change.
    pub(crate) items: Vec<ItemDiff>,
    /// An urging order would issue by the end of the day of the dry run.
    #[serde(default)]
    pub(crate) order_tonight: bool,
}

/// What a change does to one item: told day, counted day, effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ItemDiff {
    #[serde(flatten)]
    pub(crate) item: Recounted,
    /// The counted day has passed already: the unit would be late, if the day that it was told did not hold.
    pub(crate) late_if_told_day_fell: bool,
}

impl CaseDiff {
    pub(super) fn of(
        unit_name: String,
        letter_no: String,
        case: &Rectification,
        items: &[Recounted],
        at: Timestamp,
    ) -> Self {
        let today = local_date(at);
        let items = items
            .iter()
            .map(|item| ItemDiff {
                late_if_told_day_fell: item.effect == RecountEffect::Kept && item.counted_on < today,
                item: item.clone(),
            })
            .collect();
        Self {
            rectification_id: case.rectification_id,
            unit_name,
            letter_no,
            items,
            order_tonight: tonight::order_tonight(case, at),
        }
    }
}

#[derive(Default)]
struct Trial {
    sums: DryRun,
    before: Load,
    after: Load,
    diffs: Vec<CaseDiff>,
}

impl Changes {
    /// Tries out a proposed change that is not tried out yet; whether there was one.
    pub async fn dry_run(&self) -> anyhow::Result<bool> {
        let mut tx = self.database.begin().await?;
        // Reading takes no number, so that no relay waits for this; the turn keeps two replicas from doing it twice.
        if !store::take_dry_run_turn(&mut tx).await? {
            return Ok(false);
        }
        let at = tx.at();
        let Some(change) = store::to_try(&mut tx).await? else { return Ok(false) };
        // The rules as they are now, and not held: a change that takes effect meanwhile must not wait for this run. The run
        // names the version it was made with, and an approval asks for that.
        let ruling = {
            let mut moment = self.database.begin().await?;
            self.rules.in_force(&mut moment).await?
        };
        let changed = match ruling.with(change.kind, &change.content) {
            Ok((changed, _)) => Arc::new(changed),
            Err(error) => {
                store::tried(
                    &mut tx,
                    change.change_id,
                    ruling.version(),
                    &DryRun::default(),
                    &[],
                    Some(&format!("{error:#}")),
                )
                .await?;
                tx.commit().await?;
                return Ok(true);
            }
        };
        let target = change.goes_over().map(Arc::<str>::from);
        let mut trial = Trial::default();
        let mut after = None;
        loop {
            let rows = cases::open_after(&mut tx, after, BATCH).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.rectification_id);
            let (ruling, changed, target) = (Arc::clone(&ruling), Arc::clone(&changed), target.clone());
            trial = tokio::task::spawn_blocking(move || {
                let workbook = Workbook::new();
                for row in rows {
                    try_one(&mut trial, row, target.as_deref(), (&ruling, &changed), &workbook, at);
                }
                trial
            })
            .await
            .context("trying out a change")?;
        }
        let mut sums = trial.sums;
        sums.at = Some(at);
        sums.curve = tonight::curve(&trial.before, &trial.after, at);
        store::tried(&mut tx, change.change_id, ruling.version(), &sums, &trial.diffs, None).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn try_one(
    trial: &mut Trial,
    row: Row,
    target: Option<&str>,
    (ruling, changed): (&Ruling, &Ruling),
    workbook: &Workbook,
    at: Timestamp,
) {
    let rectification_id = row.rectification_id;
    trial.sums.cases += 1;
    let dossier = match row.read() {
        Ok(stored) => stored.dossier,
        Err(error) => {
            tracing::warn!(rectification.id = %rectification_id, error = %error, "a case cannot be tried out");
            trial.sums.failed_already += 1;
            return;
        }
    };
    let before = &dossier.rectification;
    match count(&dossier, target, changed, workbook, at) {
        Ok((after, items)) => {
            trial.before.add(before);
            trial.after.add(&after);
            trial.sums.paused += u64::from(before.is_paused());
            trial.sums.orders_tonight_before += u64::from(tonight::order_tonight(before, at));
            trial.sums.orders_tonight_after += u64::from(tonight::order_tonight(&after, at));
            let Some(items) = items else { return };
            let letter = &dossier.letter;
            let diff = CaseDiff::of(letter.unit.name.clone(), letter.document.doc_no.clone(), &after, &items, at);
            trial.sums.touched += 1;
            trial.sums.items.add(&items);
            trial.sums.late_if_told_days_fell +=
                diff.items.iter().filter(|item| item.late_if_told_day_fell).count() as u64;
            trial.diffs.push(diff);
        }
        // The change is not to blame for what the rules cannot decide as they stand.
        Err(_) if count(&dossier, None, ruling, workbook, at).is_err() => trial.sums.failed_already += 1,
        Err(error) => {
            trial.sums.failed += 1;
            if trial.sums.failures.len() < NAMED {
                trial.sums.failures.push(Failure { rectification_id, cause: format!("{error:#}") });
            }
        }
    }
}

type Counted = (Rectification, Option<Vec<Recounted>>);

fn count(
    dossier: &Dossier,
    target: Option<&str>,
    ruling: &Ruling,
    workbook: &Workbook,
    at: Timestamp,
) -> anyhow::Result<Counted> {
    let before = dossier.rectification.clone();
    let held = dossier.hold_by(target.unwrap_or(&dossier.rectification.rulebook_version), ruling, workbook)?;
    Ok(match before.recount(at, held.rules())? {
        Outcome::Unchanged(same) => (same, None),
        Outcome::Changed { next, events } => (next, Some(recounted(&events))),
    })
}

/// The items that a recount touched.
pub(super) fn recounted(events: &[RectificationEvent]) -> Vec<Recounted> {
    events
        .iter()
        .filter_map(|event| match event {
            RectificationEvent::Recounted { items, .. } => Some(items.clone()),
            _ => None,
        })
        .flatten()
        .collect()
}
