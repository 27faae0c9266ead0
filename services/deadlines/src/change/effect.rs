//! A change takes effect by date, and every open case is counted by it, exactly once.

use std::sync::Arc;

use anyhow::Context as _;
use domain::ids::RectificationId;
use domain::rectification::Workbook;
use jiff::Timestamp;

use super::recount::{self, Counted};
use super::store::{self, Pending};
use super::{BATCH, Changes};
use crate::rectification::store::{self as cases, Row, Save};
use crate::rules::Ruling;

#[derive(Default)]
struct Decided {
    changed: Vec<Counted>,
    same: Vec<RectificationId>,
    aside: Vec<(RectificationId, String)>,
}

impl Changes {
    /// Puts the next approved change in effect whose date has come, unless the cases are still being counted by the one
    /// before; whether one took effect.
    pub async fn take_effect(&self) -> anyhow::Result<bool> {
        let mut tx = self.database.begin().await?;
        if store::next_due(&mut tx).await?.is_none() {
            return Ok(false);
        }
        // Waits for whoever decides by the rules as they are; nobody begins meanwhile.
        store::hold_rules_alone(&mut tx).await?;
        let Some(change) = store::next_due(&mut tx).await? else { return Ok(false) };
        let ruling = self.rules.in_force(&mut tx).await?;
        match ruling.with(change.kind, &change.content) {
            Ok((_, former)) => {
                let sequence = store::put_in_effect(&mut tx, change.change_id, former.as_deref()).await?;
                tx.commit().await?;
                tracing::info!(change.id = %change.change_id, sequence, "a change of the rules is in effect");
            }
            Err(error) => {
                // It was fit when it was approved; another change has come between.
                store::withdraw_unfit(&mut tx, change.change_id, &format!("{error:#}")).await?;
                tx.commit().await?;
                tracing::error!(change.id = %change.change_id, "an approved change does not fit any more and is withdrawn");
            }
        }
        Ok(true)
    }

    /// Counts a batch of the cases that are behind the rules in force; how many. When none is left the change is finished.
    pub async fn recount_batch(&self) -> anyhow::Result<usize> {
        let mut tx = self.database.begin().await?;
        let Some(since) = store::unfinished_since(&mut tx).await? else { return Ok(0) };
        let at = tx.at();
        let ruling = self.rules.in_force(&mut tx).await?;
        let rows = cases::take_behind(&mut tx, at, ruling.version(), BATCH).await?;
        if rows.is_empty() {
            if store::finish(&mut tx, since).await? {
                tx.commit().await?;
            }
            return Ok(0);
        }
        let taken = rows.len();
        let oldest = rows.iter().map(|(_, version)| *version).min().unwrap_or_default();
        let pending = Arc::new(store::pending_since(&mut tx, oldest).await?);
        let workbook = Arc::new(Workbook::new());
        let work = (Arc::clone(&ruling), Arc::clone(&workbook), Arc::clone(&pending));
        let decided = tokio::task::spawn_blocking(move || decide(rows, &work.2, &work.0, &work.1, at))
            .await
            .context("counting cases again")?;
        for (rectification_id, cause) in decided.aside {
            tracing::error!(rectification.id = %rectification_id, cause, "a rectification cannot be counted and is set aside");
            cases::set_aside(&mut tx, rectification_id, &cause, at).await?;
        }
        cases::mark_counted(&mut tx, &decided.same).await?;
        let saves: Vec<Save<'_>> = decided
            .changed
            .iter()
            .map(|one| Save { before: Some(&one.before), after: &one.after.dossier, version: one.after.version })
            .collect();
        cases::save(&mut tx, &saves, &workbook, at).await?;
        recount::tell(&mut tx, &decided.changed, &pending, at).await?;
        tx.commit().await?;
        Ok(taken)
    }
}

fn decide(rows: Vec<(Row, i64)>, pending: &[Pending], ruling: &Ruling, workbook: &Workbook, at: Timestamp) -> Decided {
    let mut decided = Decided::default();
    for (row, rules_version) in rows {
        let rectification_id = row.rectification_id;
        let counted = row
            .read()
            .map_err(anyhow::Error::from)
            .and_then(|stored| recount::count(stored, rules_version, pending, ruling, workbook, at));
        match counted {
            Ok(Some(counted)) => decided.changed.push(counted),
            Ok(None) => decided.same.push(rectification_id),
            Err(error) => decided.aside.push((rectification_id, format!("{error:#}"))),
        }
    }
    decided
}
