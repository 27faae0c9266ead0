//! Issuing: a number without gap, the frozen content, the fact that others hear.

use std::collections::BTreeMap;

use contracts::deadlines::{UrgedItem, UrgingOrderFact};
use contracts::shared::{DocumentKind, DocumentRef};
use documents::content::{LateItem, UrgingOrderFacts};
use documents::{Content, Frozen};
use domain::doc_number::{DocNumber, DocNumberError};
use domain::ids::RectificationId;
use domain::local_time::local_date;
use domain::rectification::{UrgedItem as LateUrged, UrgingOrder, Workbook};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::kept::document_id;
use crate::rectification::dossier::Dossier;
use crate::rectification::snapshot::deadline_id;
use crate::rules::Ruling;

/// An order that the domain decided on, with the dossier that it belongs to.
pub(crate) struct Draft<'a> {
    pub(crate) order: &'a UrgingOrder,
    pub(crate) dossier: &'a Dossier,
    /// The instant at which it was due; later is an outage.
    pub(crate) was_due_at: Timestamp,
}

/// An order with its number and frozen content.
#[derive(Debug)]
struct Issued {
    fact: UrgingOrderFact,
    rectification_id: RectificationId,
    number: DocNumber,
    sequence: i32,
    content: Frozen,
}

/// Why an order could not be issued: a fault in the installation's data, never a reason to issue without number.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("the agency {0} has no code word in agencies.toml")]
    NoAgencyWord(String),
    #[error("the document number cannot be formed")]
    Number(#[from] DocNumberError),
    #[error("there is no template of documents for {0}")]
    NoTemplate(Date),
    #[error("the number register cannot be used")]
    Storage(#[from] sqlx::Error),
}

/// Issues the orders of one round: takes their numbers in one step for each series, freezes and stores them.
pub(crate) async fn issue_all(
    connection: &mut PgConnection,
    rules: &Ruling,
    workbook: &Workbook,
    drafts: &[Draft<'_>],
    at: Timestamp,
) -> Result<Vec<UrgingOrderFact>, IssueError> {
    let today = local_date(at);
    let year = today.year();
    let template = rules.template(today).ok_or(IssueError::NoTemplate(today))?;
    let kind_word = rules.urging_word();
    let mut by_agency: BTreeMap<&str, i32> = BTreeMap::new();
    for draft in drafts {
        *by_agency.entry(word_of(rules, draft.dossier)?).or_default() += 1;
    }
    // In the order of the words, so that two rounds at once wait for each other instead of locking up.
    let mut next: BTreeMap<&str, i32> = BTreeMap::new();
    for (word, count) in by_agency {
        let last = sqlx::query_scalar!(
            "INSERT INTO number_series (agency_word, kind_word, year, last) VALUES ($1, $2, $3, $4)
             ON CONFLICT (agency_word, kind_word, year) DO UPDATE SET last = number_series.last + excluded.last
             RETURNING last",
            word,
            kind_word,
            year,
            count
        )
        .fetch_one(&mut *connection)
        .await?;
        next.insert(word, last - count + 1);
    }
    let mut issued = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let word = word_of(rules, draft.dossier)?;
        let serial = next.entry(word).or_default();
        let number = DocNumber::try_new(word, Some(kind_word), year, u32::try_from(*serial).unwrap_or_default())?;
        *serial += 1;
        issued.push(freeze(draft, number, template, workbook, at));
    }
    store(connection, &issued, kind_word, at).await?;
    Ok(issued.into_iter().map(|issued| issued.fact).collect())
}

/// Whether orders of this dossier could be numbered; asked before anything is decided.
pub(crate) fn check_numbered(rules: &Ruling, dossier: &Dossier) -> Result<(), IssueError> {
    word_of(rules, dossier).map(|_| ())
}

fn word_of<'a>(rules: &'a Ruling, dossier: &Dossier) -> Result<&'a str, IssueError> {
    rules.agency_word(&dossier.agency_key).ok_or_else(|| IssueError::NoAgencyWord(dossier.agency_key.clone()))
}

fn freeze(draft: &Draft<'_>, number: DocNumber, template: &str, workbook: &Workbook, at: Timestamp) -> Issued {
    let (order, letter) = (draft.order, &draft.dossier.letter);
    let (issuing_unit_id, agency) = draft.dossier.issuer_at(at);
    let rule = |item: &LateUrged| workbook.sheet(item.limit.sheet).map(|sheet| sheet.proof.rule.article.clone());
    let items = order
        .items
        .iter()
        .filter_map(|item| {
            let finding = letter.findings.iter().find(|finding| finding.finding_id == item.finding_id)?;
            let late = LateItem {
                days_late: item.days_late.unsigned_abs(),
                demand: Some(finding.demand.clone()),
                due_on: item.limit.due_on(),
                number: finding.number.unsigned_abs(),
                problem: finding.description.clone(),
                rule: rule(item),
                severity: Some(item.severity.zh().to_owned()),
                was_due_on: item.was_due_on,
            };
            Some((item.finding_id, late))
        })
        .collect();
    let content = Content::urging_order(UrgingOrderFacts {
        number: number.clone(),
        issued_on: order.issued_on,
        template,
        agency,
        unit: &letter.unit.name,
        competent_department: letter.unit.competent_unit_name.as_deref(),
        case_id: letter.case_id,
        case_title: &letter.case_title,
        letter_no: &letter.document.doc_no,
        letter_issued_on: local_date(letter.issued_at),
        sequence: order.sequence,
        items,
    })
    .freeze();
    let fact = UrgingOrderFact {
        urging_order_id: order.order_id,
        document: DocumentRef {
            document_id: document_id(order.order_id),
            kind: DocumentKind::UrgingOrder,
            doc_no: number.to_string(),
            title: content.content().head.title.clone(),
            issuing_unit_id,
            issuing_unit_name: agency.to_owned(),
            issued_at: at,
            content_sha256: content.sha256(),
        },
        items: order
            .items
            .iter()
            .map(|item| UrgedItem {
                item_id: item.item_id,
                number: i32::try_from(item.number).unwrap_or(i32::MAX),
                was_due_on: item.was_due_on,
                due_on: item.limit.due_on(),
                deadline_id: deadline_id(item.item_id, item.limit.round),
                rule: rule(item),
            })
            .collect(),
        copy_to: letter.unit.competent_unit_name.clone(),
        lateness_seconds: at.duration_since(draft.was_due_at).as_secs().max(0),
        template: template.to_owned(),
    };
    Issued {
        fact,
        rectification_id: order.rectification_id,
        number,
        sequence: i32::try_from(order.sequence).unwrap_or(i32::MAX),
        content,
    }
}

async fn store(
    connection: &mut PgConnection,
    issued: &[Issued],
    kind_word: &str,
    at: Timestamp,
) -> Result<(), IssueError> {
    let ids: Vec<Uuid> = issued.iter().map(|issued| issued.fact.urging_order_id.into()).collect();
    let rectifications: Vec<Uuid> = issued.iter().map(|issued| issued.rectification_id.into()).collect();
    let sequences: Vec<i32> = issued.iter().map(|issued| issued.sequence).collect();
    let words: Vec<&str> = issued.iter().map(|issued| issued.number.agency_word()).collect();
    let years: Vec<i16> = issued.iter().map(|issued| issued.number.year()).collect();
    let serials: Vec<i32> =
        issued.iter().map(|issued| i32::try_from(issued.number.serial()).unwrap_or(i32::MAX)).collect();
    let doc_nos: Vec<&str> = issued.iter().map(|issued| issued.fact.document.doc_no.as_str()).collect();
    let lateness: Vec<i64> = issued.iter().map(|issued| issued.fact.lateness_seconds).collect();
    let contents: Vec<&str> = issued.iter().map(|issued| issued.content.text()).collect();
    let hashes: Vec<String> = issued.iter().map(|issued| issued.content.sha256()).collect();
    sqlx::query!(
        "INSERT INTO urging_orders
             (urging_order_id, rectification_id, sequence, agency_word, kind_word, year, serial, doc_no, issued_at,
              lateness_seconds, content, content_sha256)
         SELECT o.id, o.rectification_id, o.sequence, o.agency_word, $4, o.year, o.serial, o.doc_no, $5, o.lateness,
                o.content, o.sha256
         FROM unnest($1::uuid[], $2::uuid[], $3::int[], $6::text[], $7::smallint[], $8::int[], $9::text[], $10::bigint[],
                     $11::text[], $12::text[])
              AS o(id, rectification_id, sequence, agency_word, year, serial, doc_no, lateness, content, sha256)",
        &ids,
        &rectifications,
        &sequences,
        kind_word,
        at.to_sqlx() as _,
        &words as _,
        &years,
        &serials,
        &doc_nos as _,
        &lateness,
        &contents as _,
        &hashes,
    )
    .execute(connection)
    .await?;
    Ok(())
}
