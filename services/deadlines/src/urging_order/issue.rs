//! Issuing: a number without gap, the frozen content, the fact that others hear.

use std::collections::BTreeMap;

use contracts::deadlines::{UrgedItem, UrgingOrderFact};
use contracts::shared::{DocumentKind, DocumentRef};
use domain::doc_number::{DocNumber, DocNumberError};
use domain::ids::{DocumentId, RectificationId};
use domain::local_time::local_date;
use domain::rectification::{UrgingOrder, Workbook};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

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
    kind_word: String,
    sequence: i32,
    content: String,
}

/// Why an order could not be issued: a fault in the installation's data, never a reason to issue without number.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("the agency {0} has no code word in agencies.toml")]
    NoAgencyWord(String),
    #[error("the document number cannot be formed")]
    Number(#[from] DocNumberError),
    #[error("the content cannot be written")]
    Content(#[from] serde_json::Error),
    #[error("the number register cannot be used")]
    Storage(#[from] sqlx::Error),
}

/// The frozen content of the order (domain handbook i.2), in this order of fields.
#[derive(Debug, Serialize)]
struct Content<'a> {
    kind: &'static str,
    doc_no: &'a str,
    title: &'a str,
    issuing_agency: &'a str,
    issued_on: Date,
    addressee: &'a str,
    copy_to: Option<&'a str>,
    legal_basis: &'static str,
    supervision: &'a str,
    letter_no: &'a str,
    late_items: Vec<ContentItem<'a>>,
    demand: &'static str,
}

#[derive(Debug, Serialize)]
struct ContentItem<'a> {
    number: i32,
    severity: &'static str,
    problem: &'a str,
    demand: &'a str,
    was_due_on: Date,
    days_late: i32,
    due_on: Date,
    rule: String,
}

/// Issues the orders of one round: takes their numbers in one step for each series, freezes and stores them.
pub(crate) async fn issue_all(
    connection: &mut PgConnection,
    rules: &Ruling,
    workbook: &Workbook,
    drafts: &[Draft<'_>],
    at: Timestamp,
) -> Result<Vec<UrgingOrderFact>, IssueError> {
    let year = local_date(at).year();
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
        issued.push(freeze(draft, number, kind_word, workbook, at)?);
    }
    store(connection, &issued, at).await?;
    Ok(issued.into_iter().map(|issued| issued.fact).collect())
}

/// Whether orders of this dossier could be numbered; asked before anything is decided.
pub(crate) fn check_numbered(rules: &Ruling, dossier: &Dossier) -> Result<(), IssueError> {
    word_of(rules, dossier).map(|_| ())
}

fn word_of<'a>(rules: &'a Ruling, dossier: &Dossier) -> Result<&'a str, IssueError> {
    rules.agency_word(&dossier.agency_key).ok_or_else(|| IssueError::NoAgencyWord(dossier.agency_key.clone()))
}

fn freeze(
    draft: &Draft<'_>,
    number: DocNumber,
    kind_word: &str,
    workbook: &Workbook,
    at: Timestamp,
) -> Result<Issued, IssueError> {
    let (order, letter) = (draft.order, &draft.dossier.letter);
    let doc_no = number.to_string();
    let title = format!("关于限期整改《{}》所列问题的督办单", letter.document.doc_no);
    let content = Content {
        kind: DocumentKind::UrgingOrder.zh(),
        doc_no: &doc_no,
        title: &title,
        issuing_agency: &letter.document.issuing_unit_name,
        issued_on: order.issued_on,
        addressee: &letter.unit.name,
        copy_to: letter.unit.competent_unit_name.as_deref(),
        legal_basis: "《教育督导条例》第二十二条；琼办发〔2021〕13号第10项",
        supervision: &letter.case_title,
        letter_no: &letter.document.doc_no,
        late_items: order
            .items
            .iter()
            .filter_map(|item| {
                let finding = letter.findings.iter().find(|finding| finding.finding_id == item.finding_id)?;
                Some(ContentItem {
                    number: finding.number,
                    severity: item.severity.zh(),
                    problem: &finding.description,
                    demand: &finding.demand,
                    was_due_on: item.was_due_on,
                    days_late: item.days_late,
                    due_on: item.limit.due_on(),
                    rule: workbook
                        .sheet(item.limit.sheet)
                        .map(|sheet| sheet.proof.rule.article.clone())
                        .unwrap_or_default(),
                })
            })
            .collect(),
        demand: "请于上述新的期限内完成整改，并向本督导机构报告整改结果。逾期仍未完成的，将按规定提请约谈。",
    };
    let fact = UrgingOrderFact {
        urging_order_id: order.order_id,
        document: DocumentRef {
            document_id: DocumentId::derived(&[&order.order_id.to_string()]),
            kind: DocumentKind::UrgingOrder,
            doc_no: doc_no.clone(),
            title: title.clone(),
            issuing_unit_id: letter.document.issuing_unit_id,
            issuing_unit_name: letter.document.issuing_unit_name.clone(),
            issued_at: at,
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
            })
            .collect(),
        copy_to: letter.unit.competent_unit_name.clone(),
        lateness_seconds: at.duration_since(draft.was_due_at).as_secs().max(0),
    };
    Ok(Issued {
        fact,
        rectification_id: order.rectification_id,
        number,
        kind_word: kind_word.to_owned(),
        sequence: i32::try_from(order.sequence).unwrap_or(i32::MAX),
        content: serde_json::to_string(&content)?,
    })
}

async fn store(connection: &mut PgConnection, issued: &[Issued], at: Timestamp) -> Result<(), IssueError> {
    let facts = issued.iter().map(|issued| serde_json::to_string(&issued.fact)).collect::<Result<Vec<_>, _>>()?;
    let column = |of: fn(&Issued) -> String| issued.iter().map(of).collect::<Vec<String>>();
    let ids: Vec<Uuid> = issued.iter().map(|issued| issued.fact.urging_order_id.into()).collect();
    let sequences: Vec<i32> = issued.iter().map(|issued| issued.sequence).collect();
    let years: Vec<i16> = issued.iter().map(|issued| issued.number.year()).collect();
    let serials: Vec<i32> =
        issued.iter().map(|issued| i32::try_from(issued.number.serial()).unwrap_or(i32::MAX)).collect();
    let rectifications: Vec<Uuid> = issued.iter().map(|issued| issued.rectification_id.into()).collect();
    sqlx::query!(
        "INSERT INTO urging_orders
             (urging_order_id, rectification_id, sequence, agency_word, kind_word, year, serial, doc_no, issued_at,
              fact, content, content_sha256)
         SELECT o.id, o.rectification_id, o.sequence, o.agency_word, o.kind_word, o.year, o.serial, o.doc_no, $10,
                o.fact::json, o.content, o.sha256
         FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::smallint[], $7::int[], $8::text[],
                     $9::text[], $11::text[], $12::text[])
              AS o(id, rectification_id, sequence, agency_word, kind_word, year, serial, doc_no, content, sha256, fact)",
        &ids,
        &rectifications,
        &sequences,
        &column(|issued| issued.number.agency_word().to_owned()),
        &column(|issued| issued.kind_word.clone()),
        &years,
        &serials,
        &column(|issued| issued.fact.document.doc_no.clone()),
        &column(|issued| issued.content.clone()),
        at.to_sqlx() as _,
        &column(|issued| hex::encode(Sha256::digest(issued.content.as_bytes()))),
        &facts,
    )
    .execute(connection)
    .await?;
    Ok(())
}
