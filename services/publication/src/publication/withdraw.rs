//! A person decides that the page is not public (撤回、不予公开).

use domain::ids::AccountId;
use postgres::Tx;
use problem::{Problem, Text};

use super::state::{Publication, State, Withdrawal};
use super::store;

/// Longest reason, in characters.
const LONGEST: usize = 1000;

/// Takes the page off the portal, or keeps a draft from it; what was public stays in the history.
pub(crate) async fn withdraw(
    tx: &mut Tx,
    mut publication: Publication,
    reason: &str,
    by: AccountId,
    by_name: &str,
) -> Result<Publication, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST {
        let text = Text::new("请填写撤回理由，不超过 1000 个字。", "Give the reason, in at most 1000 characters.");
        return Err(Problem::invalid_field("/reason", text));
    }
    let approval = match &publication.state {
        State::Draft => None,
        State::Published { approval, .. } => Some(approval.clone()),
        State::Withdrawn { .. } => {
            let text = Text::new("该页面已经撤回。", "The page has been withdrawn already.");
            return Err(Problem::state_refuses(text, "withdrawn"));
        }
    };
    publication.version += 1;
    let withdrawal = Withdrawal { by, by_name: by_name.to_owned(), at: tx.at(), reason: reason.to_owned() };
    store::record_withdrawal(tx, &publication, &withdrawal).await?;
    publication.state = State::Withdrawn { withdrawal, approval };
    store::save(tx, &publication).await?;
    Ok(publication)
}
