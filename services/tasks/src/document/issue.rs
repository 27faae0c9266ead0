//! Giving a document its number and freezing it.

use contracts::Actor;
use contracts::shared::{DocumentKind, DocumentRef, RegisterEntry};
use contracts::tasks::DocumentIssued;
use documents::content::Publication;
use documents::{Body, Content, Head};
use domain::doc_number::DocNumber;
use domain::ids::{AssignmentId, CaseId, DocumentId, FindingId, PlanId};
use domain::local_time::{date_zh, local_date};
use jiff::civil::Date;
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

/// A document that was issued.
pub(crate) struct Issued {
    /// As others refer to it.
    pub(crate) document: DocumentRef,
    /// Its frozen content, canonical JSON.
    pub(crate) content: String,
}

/// Takes the next number of the agency, kind and year, freezes the text, stores both, and tells the register.
///
/// The counter's row stays locked until the caller commits: numbers have no gap, and issuing waits its turn.
/// Take it last in a transaction, after every refusal.
pub(crate) async fn issue(tx: &mut Tx, rules: &Rules, actor: &Actor, draft: Draft<'_>) -> problem::Result<Issued> {
    let numbered = Numbered::take(tx, rules, draft.agency, draft.kind).await?;
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
        ..Head::new(numbered.number.clone(), draft.title, draft.agency.name.clone(), numbered.date)
    };
    let content = Content { body: draft.body, head, template: numbered.template.to_owned() };
    let place = Place {
        document_id: draft.document_id,
        case_id: draft.case_id,
        plan_id: draft.plan_id,
        assignment_id: draft.assignment_id,
    };
    numbered.keep(tx, actor, draft.agency, &place, content).await
}

/// Where a document belongs.
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
pub(super) struct Place {
    pub(super) document_id: DocumentId,
    pub(super) case_id: Option<CaseId>,
    pub(super) plan_id: Option<PlanId>,
    pub(super) assignment_id: Option<AssignmentId>,
}

/// A number that was taken, with the day and the templates that go with it.
pub(super) struct Numbered<'r> {
    kind: DocumentKind,
    agency_word: &'r str,
    kind_word: &'r str,
    serial: i32,
    pub(super) number: DocNumber,
    pub(super) date: Date,
    pub(super) template: &'r str,
}

impl<'r> Numbered<'r> {
    /// Takes the next number of the series.
    pub(super) async fn take(
        tx: &mut Tx,
        rules: &'r Rules,
        agency: &Unit,
        kind: DocumentKind,
    ) -> problem::Result<Self> {
        let date = local_date(tx.at());
        let (Some(agency_word), Some(kind_word)) = (rules.agency_word(&agency.key), rules.kind_word(kind)) else {
            return Err(Problem::state_refuses(
                Text::new(
                    format!("{}尚未设定发文机关代字，不能编号印发。", agency.name),
                    format!("{} has no code word for document numbers yet; nothing can be issued.", agency.name),
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
        let word = (!kind_word.is_empty()).then_some(kind_word);
        let number = u32::try_from(serial)
            .ok()
            .and_then(|serial| DocNumber::try_new(agency_word, word, date.year(), serial).ok())
            .ok_or_else(|| Problem::internal(&BadNumber))?;
        Ok(Self { kind, agency_word, kind_word, serial, number, date, template })
    }

    /// Freezes and stores the content under the number, and tells the register of issued documents. Every document goes this
    /// way, so no kind can be missing there.
    pub(super) async fn keep(
        self,
        tx: &mut Tx,
        actor: &Actor,
        agency: &Unit,
        place: &Place,
        content: Content,
    ) -> problem::Result<Issued> {
        let open = content.head.publication == Some(Publication::Open);
        let frozen = content.freeze();
        let document = DocumentRef {
            document_id: place.document_id,
            kind: self.kind,
            doc_no: self.number.to_string(),
            title: frozen.content().head.title.clone(),
            issuing_unit_id: agency.unit_id,
            issuing_unit_name: agency.name.clone(),
            issued_at: tx.at(),
            content_sha256: frozen.sha256(),
        };
        store::insert(
            tx,
            &store::NewDocument {
                document: &document,
                agency_word: self.agency_word,
                kind_word: self.kind_word,
                year: self.date.year(),
                serial: self.serial,
                case_id: place.case_id,
                plan_id: place.plan_id,
                assignment_id: place.assignment_id,
                content: frozen.text(),
                actor,
            },
        )
        .await?;
        let entry = RegisterEntry {
            version: 1,
            document: document.clone(),
            kept_as: document.document_id.into(),
            area_path: agency.area_path.clone(),
            open,
            content: open.then(|| frozen.text().to_owned()),
            voided: None,
        };
        messaging::append(tx, actor, &DocumentIssued(entry)).await?;
        Ok(Issued { document, content: frozen.text().to_owned() })
    }
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
