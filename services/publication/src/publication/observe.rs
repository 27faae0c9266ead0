//! A rectification changed: the draft follows, and an approved page shows the new status by itself.

use contracts::Actor;
use contracts::deadlines::RectificationSnapshot;
use messaging::ApplyError;
use postgres::Tx;

use super::publication_id;
use super::report;
use super::state::{Publication, State};
use super::store::{self, Cause};
use crate::rules::Rules;

/// Takes in the newest snapshot; an older or the same one changes nothing.
pub(crate) async fn observe(tx: &mut Tx, snapshot: RectificationSnapshot, rules: &Rules) -> Result<(), ApplyError> {
    let publication_id = publication_id(snapshot.rectification_id);
    let Some(mut publication) = store::lock(tx, publication_id).await? else {
        let report = report::of_case(tx, snapshot.case_id).await?;
        let issued_at = report.map(|report| report.issued_at);
        let due = rules.publication_due(&snapshot, issued_at).map_err(ApplyError::NotYet)?;
        let publication = Publication { publication_id, version: 1, state: State::Draft, snapshot, due };
        if store::insert(tx, &publication).await? {
            return Ok(());
        }
        // Another replica was first; the event comes again and finds its row.
        return Err(ApplyError::NotYet("the publication is being created".to_owned()));
    };
    if snapshot.version <= publication.snapshot.version {
        return Ok(());
    }
    let seen_before = (publication.preview(), publication.needs_approval());
    publication.snapshot = snapshot;
    if let State::Published { approval, page } = &publication.state {
        // The kind of change was approved with the page: dates and states, never words.
        let next = publication.page_of(approval, tx.at()).map_err(encoding)?;
        if next.text != page.text {
            publication.version += 1;
            publication.state = State::Published { approval: approval.clone(), page: next };
            store::save(tx, &publication).await?;
            store::publish(tx, &Actor::system("publication.observe"), &publication, Cause::Status).await?;
            return Ok(());
        }
    }
    // What a person would decide on is another now: a decision on the old version must not count.
    if (publication.preview(), publication.needs_approval()) != seen_before {
        publication.version += 1;
    }
    store::save(tx, &publication).await?;
    Ok(())
}

fn encoding(error: serde_json::Error) -> ApplyError {
    ApplyError::Storage(sqlx::Error::Encode(Box::new(error)))
}
