//! A person approves the page (批准公开), in the proposed wording or in another.

use contracts::Actor;
use domain::ids::AccountId;
use postgres::Tx;
use problem::{Problem, Text};

use super::state::{Publication, State};
use super::store::{self, Cause};
use crate::redact::{MarkKind, redact};

/// Longest public wording of a finding, in characters.
const LONGEST: usize = 4000;

/// Another wording for a finding.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    /// Number of the finding within the letter.
    pub number: i32,
    /// The wording.
    pub text: String,
    /// The person looked at what seems to be a name and says that it is none, or may be public.
    pub names_checked: bool,
}

/// Publishes the page. Approving what is public already, in the same words, changes nothing.
pub(crate) async fn approve(
    tx: &mut Tx,
    mut publication: Publication,
    edits: &[Edit],
    by: AccountId,
    by_name: &str,
) -> Result<Publication, Problem> {
    let mut approval = publication.proposed();
    let mut faults: Option<Problem> = None;
    for (n, edit) in edits.iter().enumerate() {
        let mut refuse = |field: &str, text: Text| {
            let pointer = format!("/findings/{n}/{field}");
            faults = Some(match faults.take() {
                Some(problem) => problem.field(pointer, text),
                None => Problem::invalid_field(pointer, text),
            });
        };
        let Some(item) = publication.snapshot.items.iter().find(|item| item.number == edit.number) else {
            refuse("number", Text::new("督导意见书中没有这个问题。", "The letter has no finding of this number."));
            continue;
        };
        let text = edit.text.trim();
        if text.is_empty() || text.chars().count() > LONGEST {
            refuse(
                "text",
                Text::new("公开表述应为 1 到 4000 个字。", "The public wording must have 1 to 4000 characters."),
            );
            continue;
        }
        let unmasked = redact(text).marks;
        if unmasked.iter().any(|mark| matches!(mark.kind, MarkKind::IdNumber | MarkKind::Phone)) {
            refuse(
                "text",
                Text::new(
                    "公开表述中不得有身份证号码或电话号码，请删去。",
                    "The public wording must not contain identity or telephone numbers; remove them.",
                ),
            );
            continue;
        }
        if let Some(mark) = unmasked.first().filter(|_| !edit.names_checked) {
            refuse(
                "text",
                Text::new(
                    format!(
                        "“{}”可能是学生或家长的姓名，请隐去；确认不是或者可以公开的，请勾选“已核对姓名”。",
                        mark.original
                    ),
                    "This may be the name of a pupil or parent; remove it, or set names_checked after checking.",
                ),
            );
            continue;
        }
        if let Some(finding) = approval.findings.iter_mut().find(|finding| finding.item_id == item.item_id) {
            // What equals the proposal is no wording of a person's own: it keeps following the letter.
            if finding.text != text {
                text.clone_into(&mut finding.text);
                finding.edited = true;
            }
        }
    }
    if let Some(problem) = faults {
        return Err(problem);
    }
    let page = publication.page_of(&approval, tx.at()).map_err(|error| Problem::internal(&error))?;
    if publication.page().is_some_and(|public| public.text == page.text) && !publication.needs_approval() {
        return Ok(publication);
    }
    publication.version += 1;
    approval.by = by;
    by_name.clone_into(&mut approval.by_name);
    approval.at = tx.at();
    approval.version = publication.version;
    store::record_approval(tx, &publication, &approval).await?;
    publication.state = State::Published { approval, page };
    store::save(tx, &publication).await?;
    let actor = Actor::Person { account_id: by, name: by_name.to_owned() };
    store::publish(tx, &actor, &publication, Cause::Approved).await?;
    Ok(publication)
}
