//! The papers at the end of a rectification: the approval of each closing (销号审批表) and the opinion on what was accepted
//! (整改验收意见). Both are numbered and frozen in the transaction of the act that closes, and told by its events.
//!
//! Urging orders are issued elsewhere ([`crate::urging_order`]): by thousands, by the clock.

pub(crate) mod http;
mod issue;
mod paper;
pub(crate) mod store;

use std::collections::BTreeMap;

use contracts::Actor;
use contracts::deadlines::DocumentIssued;
use contracts::shared::{DocumentKind, DocumentRef, RegisterEntry};
use domain::ids::{ItemId, RectificationId};
use domain::rectification::RectificationEvent;
use domain::rulebook::Rulebook;
use postgres::Tx;
use problem::{Problem, Text};

use crate::rectification::dossier::Dossier;
use crate::rectification::evidence;
use crate::rules::Ruling;
use crate::urging_order::issue::IssueError;

pub(crate) use issue::{Draft, issue};

/// The papers of an act: of an item its approval, of the whole its acceptance.
#[derive(Debug, Default)]
pub(crate) struct Papers(BTreeMap<(RectificationId, Option<ItemId>), DocumentRef>);

impl Papers {
    /// The paper of an item, or with nothing that of the whole.
    pub(crate) fn of(&self, rectification_id: RectificationId, item_id: Option<ItemId>) -> Option<DocumentRef> {
        self.0.get(&(rectification_id, item_id)).cloned()
    }
}

/// A case after an act, with what happened to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) dossier: &'a Dossier,
    pub(crate) version: i64,
    pub(crate) events: &'a [RectificationEvent],
}

/// Issues the papers of everything that was closed. Takes numbers: call it last, after every refusal.
pub(crate) async fn conclude(
    tx: &mut Tx,
    ruling: &Ruling,
    rulebook: &Rulebook,
    actor: &Actor,
    cases: &[Ended<'_>],
) -> Result<Papers, Problem> {
    let at = tx.at();
    let mut drafts = Vec::new();
    for case in cases {
        let rectification_id = case.dossier.rectification.rectification_id;
        for event in case.events {
            if let RectificationEvent::ItemClosedOut { item_id, .. } = event {
                let files = evidence::of(tx, rectification_id).await?;
                drafts.extend(paper::approval(case, *item_id, rulebook, &files, at));
            } else if matches!(event, RectificationEvent::Completed { .. }) {
                drafts.push(paper::acceptance(case, at));
            }
        }
    }
    if drafts.is_empty() {
        return Ok(Papers::default());
    }
    let issued = issue(tx, ruling, drafts, at).await.map_err(refused)?;
    let entries: Vec<DocumentIssued> = issued.iter().map(|(draft, document)| registered(draft, document)).collect();
    messaging::append_all(tx, actor, &entries).await?;
    Ok(Papers(
        issued
            .into_iter()
            .map(|(draft, document)| {
                let item_id = match draft.kind {
                    DocumentKind::ClosingApproval => draft.item_id,
                    DocumentKind::Plan
                    | DocumentKind::SupervisionNotification
                    | DocumentKind::PreliminaryOpinion
                    | DocumentKind::OpinionLetter
                    | DocumentKind::RectificationNotice
                    | DocumentKind::UrgingOrder
                    | DocumentKind::InterviewNotice
                    | DocumentKind::Circular
                    | DocumentKind::AcceptanceOpinion
                    | DocumentKind::SupervisionReport => None,
                };
                ((draft.rectification_id, item_id), document)
            })
            .collect(),
    ))
}

/// The entry of a paper in the register of issued documents.
fn registered(draft: &Draft, document: &DocumentRef) -> DocumentIssued {
    DocumentIssued(RegisterEntry {
        version: 1,
        document: document.clone(),
        kept_as: document.document_id.into(),
        area_path: draft.letter.unit.area_path.clone(),
        open: false,
        content: None,
        voided: None,
    })
}

/// What the installation lacks for numbered papers, with the remedy.
fn refused(error: IssueError) -> Problem {
    match error {
        IssueError::NoAgencyWord(key) => Problem::state_refuses(
            Text::new(
                format!("发文机关（{key}）没有机关代字，不能编号印发。请在 agencies.toml 中设定后重试。"),
                format!("The agency {key} has no code word for numbers; set one in agencies.toml and try again."),
            ),
            "agency_without_word",
        ),
        IssueError::NoTemplate(on) => Problem::state_refuses(
            Text::new(
                format!("{on}没有施行的文书模板，不能印发。请补充模板后重试。"),
                format!("No templates of documents are in force on {on}; add some and try again."),
            ),
            "no_template",
        ),
        // A server that is away is a reason to come again.
        IssueError::Storage(error) => error.into(),
        IssueError::Number(error) => Problem::internal(&error),
    }
}
