//! Very many cases whose orders fall due at one instant: a few that the service's own intake has opened and its own clock has
//! brought to the day before the order, and copies of them by SQL.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use contracts::notifications::ReceiptSigned;
use contracts::registry::{UnitKind, UnitRecorded};
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::{FindingFact, LetterIssued, SupervisionKind};
use contracts::{Actor, Envelope, Event};
use deadlines::RuleSet;
use deadlines::config::RulebookSection;
use deadlines::consume::Intake;
use domain::severity::Severity;
use jiff::Timestamp;
use local_stack::workspace_root;
use messaging::Handler as _;
use postgres::Database;
use serde_json::value::RawValue;
use service_kit::ids::{Ids as _, SystemIds};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::replicas::Replicas;
use crate::size::Size;

/// Received on this day, minor: the limit ends on 5 March, the order issues when 6 March has ended.
const RECEIVED: &str = "2026-02-06T02:00:00Z";
/// A moment after the limit: the reminders are past, the items are marked overdue.
const OVERDUE: &str = "2026-03-05T16:00:01Z";
/// More than an hour before the orders, so that a step of the clock cannot bring them on.
const BEFORE: &str = "2026-03-06T12:00:00Z";
/// The instant at which every order falls due.
pub const STORM: &str = "2026-03-06T16:00:00Z";
/// The agencies that issue: each has a series of numbers of its own.
const AGENCIES: [&str; 5] = ["460100", "460200", "460400", "469002", "469028"];
/// The longest that the service takes to mark a few items overdue.
const LIMIT: Duration = Duration::from_mins(2);

/// What is armed.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    /// Cases, and so orders to come.
    pub cases: i64,
    /// Their items, of which each case has one or two.
    pub items: i64,
    /// Those of them that were opened and not copied: each has two events in the journal before the storm.
    pub templates: i64,
}

/// Makes them, with the clock at a moment before the storm.
pub async fn make(replicas: &Replicas, size: &Size) -> anyhow::Result<Ready> {
    let templates = u32::try_from(AGENCIES.len() * 2)?;
    ensure!(size.cases >= templates, "a storm has at least {templates} cases");
    replicas.set_clock(RECEIVED).await?;
    open(replicas).await?;
    replicas.set_clock(OVERDUE).await?;
    let began = Instant::now();
    let marked = format!("SELECT count(*) FROM rectifications WHERE next_timer_at = '{STORM}'");
    while replicas.value::<i64>(&marked).await? < i64::from(templates) {
        ensure!(began.elapsed() < LIMIT, "the templates are not marked overdue");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    replicas.set_clock(BEFORE).await?;
    multiply(replicas, size.cases - templates).await?;
    Ok(Ready {
        templates: i64::from(templates),
        cases: replicas.value("SELECT count(*) FROM rectifications").await?,
        items: replicas
            .value("SELECT sum(json_array_length(state::json -> 'items'))::bigint FROM rectifications")
            .await?,
    })
}

/// Two letters of each agency, one with one finding and one with two, each with its receipt.
async fn open(replicas: &Replicas) -> anyhow::Result<()> {
    let section = RulebookSection { folder: workspace_root().join("rulebook"), policy: "hainan-2021".to_owned() };
    let intake = Intake { rules: Arc::new(RuleSet::load(&section)?) };
    let database = Database::from_pool(replicas.pool.clone());
    for code in AGENCIES {
        let agency = agency(code);
        hear(&intake, &database, &agency).await?;
        for findings in 1..=2 {
            let letter = letter(&agency, findings);
            hear(&intake, &database, &letter).await?;
            let receipt = ReceiptSigned {
                receipt_id: id(),
                version: 1,
                document_id: letter.document.document_id,
                document_kind: DocumentKind::OpinionLetter,
                unit_id: letter.unit.unit_id,
                signed_at: RECEIVED.parse()?,
                signed_by: id(),
                signer_name: "测试校长".to_owned(),
            };
            hear(&intake, &database, &receipt).await?;
        }
    }
    Ok(())
}

async fn hear<E: Event>(intake: &Intake, database: &Database, event: &E) -> anyhow::Result<()> {
    let envelope = Envelope {
        event_id: id(),
        event_type: E::TYPE.to_owned(),
        aggregate_id: event.aggregate_id(),
        aggregate_version: event.aggregate_version(),
        occurred_at: RECEIVED.parse()?,
        actor: Actor::system("storm"),
        traceparent: None,
        payload: RawValue::from_string(serde_json::to_string(event)?)?,
    };
    let mut tx = database.begin().await?;
    intake.apply(&mut tx, &envelope).await.context("the intake")?;
    Ok(tx.commit().await?)
}

fn id<T: From<Uuid>>() -> T {
    SystemIds.new_id().into()
}

fn agency(code: &str) -> UnitRecorded {
    UnitRecorded {
        unit_id: id(),
        version: 1,
        key: format!("office-{code}"),
        school_code: None,
        name: "人民政府教育督导委员会办公室".to_owned(),
        kind: UnitKind::SupervisionAgency,
        area_path: vec![id(), id()],
        area_code: code.to_owned(),
        county_code: Some(code.to_owned()),
        county_name: None,
        competent_unit_id: None,
        private: false,
        students: None,
    }
}

fn letter(agency: &UnitRecorded, findings: i32) -> LetterIssued {
    let (letter_id, school): (Uuid, Uuid) = (id(), id());
    let issued_at: Timestamp = "2026-02-05T01:00:00Z".parse().unwrap();
    LetterIssued {
        letter_id: letter_id.into(),
        version: 1,
        case_id: id(),
        document: DocumentRef {
            document_id: letter_id.into(),
            kind: DocumentKind::OpinionLetter,
            doc_no: format!("海口教督委意〔2026〕{findings}号"),
            title: "督导意见书".to_owned(),
            issuing_unit_id: agency.unit_id,
            issuing_unit_name: agency.name.clone(),
            issued_at,
            content_sha256: "5d".repeat(32),
        },
        case_title: "2026年春季校园安全专项督导".to_owned(),
        supervision_kind: SupervisionKind::Special,
        visited_on: "2026-01-20".parse().unwrap(),
        unit: UnitRef {
            unit_id: school.into(),
            name: "测试小学".to_owned(),
            code: None,
            area_path: agency.area_path.clone(),
            county_code: agency.county_code.clone(),
            county_name: None,
            competent_unit_id: None,
            competent_unit_name: None,
        },
        evaluation: "总体较好".to_owned(),
        findings: (1..=findings)
            .map(|number| FindingFact {
                finding_id: id(),
                number,
                severity: Severity::Minor,
                category: "安全管理".to_owned(),
                description: format!("第{number}个问题"),
                basis: "《教育督导条例》第十一条".to_owned(),
                demand: "限期整改".to_owned(),
                advice: String::new(),
                responsible_unit_id: school.into(),
                responsible_unit_name: "测试小学".to_owned(),
            })
            .collect(),
        issued_at,
        content: String::new(),
    }
}

/// Copies the templates in turn; only the identifiers of the case, its letter and its items are others. A copy has no event
/// yet, and so no version: its order will be the first.
async fn multiply(replicas: &Replicas, copies: u32) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE TEMP TABLE fresh ON COMMIT DROP AS
             SELECT gen_random_uuid() AS id, gen_random_uuid() AS letter_id, gen_random_uuid() AS first_id,
                    gen_random_uuid() AS second_id, t.*
             FROM generate_series(1, {copies}) g
             JOIN (SELECT r.rectification_id, row_number() OVER () - 1 AS place,
                          r.state::json -> 'items' -> 0 ->> 'item_id' AS first,
                          r.state::json -> 'items' -> 1 ->> 'item_id' AS second
                   FROM rectifications r) t ON t.place = g % (SELECT count(*) FROM rectifications);
         INSERT INTO dossiers
             SELECT f.id, f.letter_id, NULL, d.letter, d.agency_area_code, d.agency_key, d.area_path, d.unit_ids,
                    d.reader_ids, d.county_code, d.search_text, d.received_at
             FROM fresh f JOIN dossiers d USING (rectification_id);
         INSERT INTO deadlines
             SELECT gen_random_uuid(), f.id, CASE d.item_id::text WHEN f.first THEN f.first_id ELSE f.second_id END, d.round,
                    d.basis, d.set_at, d.due_on, d.due_at, d.provisional, d.sheet_id
             FROM fresh f JOIN deadlines d USING (rectification_id);
         INSERT INTO rectifications (rectification_id, version, state, next_timer_at, late_from, changed_at)
             SELECT f.id, 0, CASE WHEN f.second IS NULL THEN s.text ELSE replace(s.text, f.second, f.second_id::text) END,
                    r.next_timer_at, r.late_from, r.changed_at
             FROM fresh f JOIN rectifications r USING (rectification_id),
                  LATERAL (SELECT replace(replace(r.state, f.rectification_id::text, f.id::text),
                                          f.first, f.first_id::text) AS text) s"
    )))
    .execute(&replicas.pool)
    .await
    .context("multiplying the templates")?;
    sqlx::raw_sql("ANALYZE rectifications; ANALYZE dossiers").execute(&replicas.pool).await?;
    Ok(())
}
