//! Giving a document its number and freezing it.

use contracts::Actor;
use contracts::shared::{DocumentKind, DocumentRef};
use documents::content::Publication;
use documents::{Body, Content, Head};
use domain::doc_number::DocNumber;
use domain::ids::{AssignmentId, CaseId, DocumentId, FindingId, PlanId};
use domain::local_time::{date_zh, local_date};
use postgres::Tx;
use problem::{Problem, Text};

use super::store;
use crate::registry::Unit;
use crate::rules::Rules;

/// What is to be issued.
pub(crate) struct Draft<'a> {
    pub document_id: DocumentId,
    pub kind: DocumentKind,
    pub title: String,
    pub agency: &'a Unit,
    /// Main addressee (主送).
    pub addressee: String,
    /// Copies (抄送).
    pub copies: Vec<String>,
    pub case_id: Option<CaseId>,
    pub plan_id: Option<PlanId>,
    /// The assignment (待办事项) whose step of the ladder it belongs to.
    pub assignment_id: Option<AssignmentId>,
    /// The findings that it is about.
    pub finding_ids: Vec<FindingId>,
    /// Articles that it rests on (依据).
    pub legal_basis: &'a [&'a str],
    /// Contact at the agency (联系人).
    pub contact: Option<String>,
    /// Its telephone.
    pub phone: Option<String>,
    /// Who signed it for issue (签发人), on what goes upward.
    pub signer: Option<String>,
    /// How far it is open to the public, where that is certain from the start.
    pub publication: Option<Publication>,
    /// The fields of this kind of paper.
    pub body: Body,
}

/// Takes the next number of the agency, kind and year, freezes the text, stores both.
///
/// The counter's row stays locked until the caller commits: numbers have no gap, and issuing waits its turn.
/// Take it last in a transaction, after every refusal.
pub(crate) async fn issue(tx: &mut Tx, rules: &Rules, actor: &Actor, draft: Draft<'_>) -> problem::Result<DocumentRef> {
    let at = tx.at();
    let date = local_date(at);
    let (Some(agency_word), Some(kind_word)) = (rules.agency_word(&draft.agency.key), rules.kind_word(draft.kind))
    else {
        return Err(Problem::state_refuses(
            Text::new(
                format!("{}尚未设定发文机关代字，不能编号印发。", draft.agency.name),
                format!("{} has no code word for document numbers yet; nothing can be issued.", draft.agency.name),
            ),
            "agency_without_word",
        ));
    };
    let Some(template) = rules.template(date) else {
        return Err(Problem::state_refuses(
            Text::new(
                format!("{}没有施行的文书模板，不能印发。", date_zh(date)),
                format!("No templates of documents are in force on {date}; nothing can be issued."),
            ),
            "no_template",
        ));
    };
    let serial = store::next_serial(tx, agency_word, kind_word, date.year()).await?;
    let kind = (!kind_word.is_empty()).then_some(kind_word);
    let number = u32::try_from(serial)
        .ok()
        .and_then(|serial| DocNumber::try_new(agency_word, kind, date.year(), serial).ok())
        .ok_or_else(|| Problem::internal(&BadNumber))?;
    let document = DocumentRef {
        document_id: draft.document_id,
        kind: draft.kind,
        doc_no: number.to_string(),
        title: draft.title,
        issuing_unit_id: draft.agency.unit_id,
        issuing_unit_name: draft.agency.name.clone(),
        issued_at: at,
    };
    let head = Head {
        addressee: Some(draft.addressee),
        attachments: annexes(&draft.body),
        case_id: draft.case_id,
        contact: draft.contact,
        copies: draft.copies,
        finding_ids: draft.finding_ids,
        issue_office: Some(draft.agency.name.clone()),
        legal_basis: draft.legal_basis.iter().map(|article| (*article).to_owned()).collect(),
        phone: draft.phone,
        publication: draft.publication,
        signer: draft.signer,
        ..Head::new(number, document.title.clone(), draft.agency.name.clone(), date)
    };
    let frozen = Content { body: draft.body, head, template: template.to_owned() }.freeze();
    store::insert(
        tx,
        &store::NewDocument {
            document: &document,
            agency_word,
            kind_word,
            year: date.year(),
            serial,
            case_id: draft.case_id,
            plan_id: draft.plan_id,
            assignment_id: draft.assignment_id,
            content: frozen.text(),
            sha256: &frozen.sha256(),
            actor,
        },
    )
    .await?;
    Ok(document)
}

/// Titles of the annexes that follow the paper on pages of their own (附件说明).
fn annexes(body: &Body) -> Vec<String> {
    let Body::SupervisionReport(report) = body else { return Vec::new() };
    [(!report.scores.is_empty(), "督导指标得分表"), (!report.findings.is_empty(), "问题清单")]
        .into_iter()
        .filter(|(follows, _)| *follows)
        .map(|(_, title)| title.to_owned())
        .collect()
}

/// Words of the configuration that do not make a number; refused at start, so this is a fault of ours.
#[derive(Debug)]
struct BadNumber;

impl std::fmt::Display for BadNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the agency's words make no document number")
    }
}

impl std::error::Error for BadNumber {}
