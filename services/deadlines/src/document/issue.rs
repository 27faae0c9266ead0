//! Giving a paper its number and freezing it: the one place for all kinds of this service but urging orders.

use contracts::shared::{DocumentKind, DocumentRef};
use documents::{Body, Content, Head};
use domain::doc_number::DocNumber;
use domain::ids::{DocumentId, FindingId, ItemId, RectificationId};
use domain::local_time::local_date;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::store;
use crate::rectification::dossier::{Dossier, Successor, issuer};
use crate::rules::Ruling;
use crate::urging_order::issue::IssueError;

/// What is to be issued.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Follows from the case, its version and the item, so that nothing is issued twice.
    pub(crate) document_id: DocumentId,
    pub(crate) kind: DocumentKind,
    pub(crate) rectification_id: RectificationId,
    /// The item, of a paper about one.
    pub(crate) item_id: Option<ItemId>,
    pub(crate) title: String,
    /// Main addressee; forms that stay in the office have none.
    pub(crate) addressee: Option<String>,
    pub(crate) copies: Vec<String>,
    pub(crate) finding_ids: Vec<FindingId>,
    pub(crate) legal_basis: Vec<String>,
    pub(crate) body: Body,
    /// Key of the issuing agency, for its word.
    pub(crate) agency_key: String,
    /// The agency that issues when it is not the letter's.
    pub(crate) successor: Option<Successor>,
    /// Of what case.
    pub(crate) letter: std::sync::Arc<contracts::tasks::LetterIssued>,
}

impl Draft {
    /// A paper of a case, issued by the agency in charge.
    pub(crate) fn new(
        dossier: &Dossier,
        document_id: DocumentId,
        kind: DocumentKind,
        title: String,
        body: Body,
    ) -> Self {
        Self {
            document_id,
            kind,
            rectification_id: dossier.rectification.rectification_id,
            item_id: None,
            title,
            addressee: None,
            copies: Vec::new(),
            finding_ids: Vec::new(),
            legal_basis: Vec::new(),
            body,
            agency_key: dossier.agency_key.clone(),
            successor: dossier.successor.clone(),
            letter: std::sync::Arc::clone(&dossier.letter),
        }
    }
}

/// Takes the next number of each series, freezes the texts and stores them.
///
/// The series' rows stay locked until the caller commits: numbers have no gap. They are taken in the order of their names, so
/// that two acts at once wait for each other instead of locking up.
pub(crate) async fn issue(
    connection: &mut PgConnection,
    rules: &Ruling,
    mut drafts: Vec<Draft>,
    at: Timestamp,
) -> Result<Vec<(Draft, DocumentRef)>, IssueError> {
    let today = local_date(at);
    let template = rules.template(today).ok_or(IssueError::NoTemplate(today))?;
    let word = |draft: &Draft| {
        rules
            .agency_word(&draft.agency_key)
            .map(str::to_owned)
            .ok_or_else(|| IssueError::NoAgencyWord(draft.agency_key.clone()))
    };
    for draft in &drafts {
        word(draft)?;
    }
    drafts.sort_by_cached_key(|draft| {
        (word(draft).unwrap_or_default(), rules.kind_word(draft.kind).to_owned(), draft.document_id)
    });
    let mut issued = Vec::with_capacity(drafts.len());
    for mut draft in drafts {
        let (agency_word, kind_word) = (word(&draft)?, rules.kind_word(draft.kind));
        let serial = store::next_serial(connection, &agency_word, kind_word, today.year()).await?;
        let number =
            DocNumber::try_new(&agency_word, Some(kind_word), today.year(), u32::try_from(serial).unwrap_or_default())?;
        if let Body::ClosingApproval(form) = &mut draft.body {
            form.closing_no = Some(number.to_string());
        }
        let (issuing_unit_id, agency) = issuer(&draft.letter, draft.successor.as_ref(), at);
        let head = Head {
            addressee: draft.addressee.clone(),
            case_id: Some(draft.letter.case_id),
            copies: draft.copies.clone(),
            finding_ids: draft.finding_ids.clone(),
            issue_office: Some(agency.to_owned()),
            legal_basis: draft.legal_basis.clone(),
            ..Head::new(number.clone(), draft.title.clone(), agency.to_owned(), today)
        };
        let content = Content { body: draft.body.clone(), head, template: template.to_owned() }.freeze();
        let document = DocumentRef {
            document_id: draft.document_id,
            kind: draft.kind,
            doc_no: number.to_string(),
            title: draft.title.clone(),
            issuing_unit_id,
            issuing_unit_name: agency.to_owned(),
            issued_at: at,
            content_sha256: content.sha256(),
        };
        store::insert(
            connection,
            &store::NewDocument {
                document: &document,
                rectification_id: draft.rectification_id,
                item_id: draft.item_id,
                number: &number,
                kind_word,
                content: content.text(),
            },
        )
        .await?;
        issued.push((draft, document));
    }
    Ok(issued)
}
