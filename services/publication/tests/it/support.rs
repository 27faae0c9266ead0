//! A service in process over a database of its own, and rectifications to feed it with.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use access::{Caller, Role};
use axum::Router;
use contracts::deadlines::{ItemReported, ItemSnapshot, ItemState, RectificationSnapshot, UrgedItem, UrgingOrderFact};
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::SupervisionKind;
use domain::ids::{AreaId, DocumentId, ItemId, LetterId, RectificationId, UnitId};
use domain::local_time::end_of_day;
use domain::severity::Severity;
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::date;
use messaging::{Handler as _, JournalKey};
use publication::config::{PortalSection, RulebookSection};
use publication::consume::Rectifications;
use serde_json::{Value, json};
use service_kit::client::Network;
use service_kit::config::HttpSection;
use service_kit::http_client::HttpClientOptions;
use service_kit::ids::SeededIds;
use service_kit::{Kit, Worker, files::Files, telemetry::Metrics};
use testkit::{Answer, Call, Database};
use uuid::Uuid;

pub struct App {
    pub database: Database,
    pub router: Router,
    pub consumer: Rectifications,
}

/// Address of the portal in tests.
pub const PORTAL: &str = "https://portal.example";

pub fn province() -> AreaId {
    AreaId::derived(&["460000"])
}

pub fn county(code: &str) -> AreaId {
    AreaId::derived(&[code])
}

fn rulebook() -> RulebookSection {
    RulebookSection {
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook"),
        province: "460000".to_owned(),
    }
}

impl App {
    pub async fn new() -> Self {
        Self::over(Database::new(&[&messaging::MIGRATOR, &publication::MIGRATOR]).await).await
    }

    pub async fn over(database: Database) -> Self {
        service_kit::install_crypto();
        let router = router(database.handle()).await;
        let consumer = Rectifications { rules: Arc::new(publication::Rules::load(&rulebook()).unwrap()) };
        Self { database, router, consumer }
    }

    /// Applies an event with this snapshot, as the consumer does.
    pub async fn feed(&self, snapshot: &RectificationSnapshot) {
        // Which event brings the snapshot makes no difference.
        self.hear(&ItemReported { rectification: snapshot.clone(), item_id: ItemId::derived(&["any"]) }).await;
    }

    /// Applies an event, as the consumer does.
    pub async fn hear<E: contracts::Event>(&self, event: &E) {
        let mut tx = self.database.begin().await.unwrap();
        let envelope = testkit::envelope(event, tx.at());
        self.consumer.apply(&mut tx, &envelope).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn get(&self, path: &str, caller: &Caller) -> Answer {
        Call::get(path).by(caller).send(&self.router).await
    }

    /// Reads as a citizen with a browser.
    pub async fn browse(&self, path: &str) -> Answer {
        Call::get(path).header("accept", "text/html,application/xhtml+xml").send(&self.router).await
    }

    pub async fn draft(&self, snapshot: &RectificationSnapshot) -> Value {
        self.get(&path_of(snapshot), &office()).await.expect(StatusCode::OK).json
    }

    /// Posts a decision on the version that stands.
    pub async fn decide(&self, snapshot: &RectificationSnapshot, verb: &str, body: &Value, caller: &Caller) -> Answer {
        let version = self.draft(snapshot).await["version"].as_i64().unwrap();
        Call::post(&format!("{}/{verb}", path_of(snapshot)), body)
            .header("If-Match", &format!("\"{version}\""))
            .by(caller)
            .send(&self.router)
            .await
    }

    pub async fn approve(&self, snapshot: &RectificationSnapshot) -> Value {
        self.decide(snapshot, "approve", &json!({}), &office()).await.expect(StatusCode::OK).json
    }
}

/// The key of the room that renders; the same in every test.
pub fn rendition_key() -> &'static JournalKey {
    static KEY: LazyLock<JournalKey> =
        LazyLock::new(|| JournalKey::from_bytes(JournalKey::generate().unwrap().as_bytes()).unwrap());
    &KEY
}

/// Another replica over the same database, with a memory of its own.
pub async fn router(database: postgres::Database) -> Router {
    replica(database, None).await.0
}

/// The same that may read from a standby, with its workers to be run by hand.
pub async fn replica(database: postgres::Database, standby: Option<Arc<postgres::Standby>>) -> (Router, Vec<Worker>) {
    let folder = std::env::temp_dir().join(format!("dudao-publication-{}", Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let kit = Kit {
        name: "publication",
        database,
        broker: testkit::broker().await,
        access: testkit::access(),
        http: service_kit::http_client::client(&HttpClientOptions {
            allowed_hosts: Vec::new(),
            allow_private_addresses: false,
            connect_timeout: std::time::Duration::from_secs(1),
            timeout: std::time::Duration::from_secs(1),
            authority_file: None,
        })
        .unwrap(),
        clock: Arc::new(service_kit::clock::SystemClock),
        ids: Arc::new(SeededIds::new(1)),
        files: Files::in_folder(&folder).unwrap(),
        metrics: Metrics::new("publication").unwrap(),
    };
    let portal = PortalSection {
        address: PORTAL.to_owned(),
        title: "海南省教育督导整改公开平台".to_owned(),
        operator: "海南省人民政府教育督导委员会办公室".to_owned(),
        rendition_keys: vec![rendition_key().public().to_hex()],
        requests_per_second: 1,
        burst: 50,
        trusted_proxies: vec![Network::try_from("192.0.2.1".to_owned()).unwrap()],
    };
    let mut assembled = publication::build(&rulebook(), &portal, standby, kit.clone()).unwrap();
    let workers = assembled.workers().to_vec();
    let http = HttpSection {
        listen: "127.0.0.1:0".parse().unwrap(),
        operations_listen: None,
        max_body_bytes: 1 << 20,
        request_timeout_seconds: 30,
        drain_seconds: 1,
    };
    (service_kit::routes_of(&mut assembled, &kit, &http, [testkit::journal_key().public()].into()), workers)
}

pub fn id_of(snapshot: &RectificationSnapshot) -> String {
    publication::publication_id(snapshot.rectification_id).to_string()
}

pub fn path_of(snapshot: &RectificationSnapshot) -> String {
    format!("/v1/drafts/{}", id_of(snapshot))
}

pub fn public_path_of(snapshot: &RectificationSnapshot) -> String {
    format!("/rectifications/{}", id_of(snapshot))
}

pub fn office() -> Caller {
    testkit::caller(Role::ProvinceOfficeAdmin, Some(province()), None)
}

/// A rectification of a school in Haikou with these problems.
pub fn rectification(name: &str, problems: &[&str]) -> RectificationSnapshot {
    let items = (1_i32..).zip(problems).map(|(number, text)| item(name, number, text)).collect();
    RectificationSnapshot {
        rectification_id: RectificationId::derived(&[name]),
        version: 1,
        case_id: domain::ids::CaseId::derived(&[name]),
        letter_id: LetterId::derived(&[name]),
        letter: DocumentRef {
            document_id: DocumentId::derived(&[name]),
            kind: DocumentKind::OpinionLetter,
            doc_no: "琼教督委〔2026〕12号".to_owned(),
            title: "督导意见书".to_owned(),
            issuing_unit_id: UnitId::derived(&["office"]),
            issuing_unit_name: "海南省人民政府教育督导委员会办公室".to_owned(),
            issued_at: "2026-09-01T01:00:00Z".parse().unwrap(),
            content_sha256: "5d".repeat(32),
        },
        case_title: "2026年秋季开学专项督导".to_owned(),
        supervision_kind: SupervisionKind::Special,
        visited_on: date(2026, 8, 25),
        unit: UnitRef {
            unit_id: UnitId::derived(&["unit", name]),
            name: format!("海口市{name}小学"),
            code: Some("3146000001".to_owned()),
            area_path: vec![province(), county("460100")],
            county_code: Some("460100".to_owned()),
            county_name: Some("海口市".to_owned()),
            competent_unit_id: Some(UnitId::derived(&["bureau"])),
            competent_unit_name: Some("海口市教育局".to_owned()),
        },
        received_at: "2026-09-02T01:00:00Z".parse().unwrap(),
        closed_at: None,
        items,
        urging_orders: Vec::new(),
        paused_until: None,
        steps: Vec::new(),
        requests: Vec::new(),
        liable_for: None,
        department_case: None,
    }
}

fn item(name: &str, number: i32, text: &str) -> ItemSnapshot {
    let due_on = date(2026, 9, 23);
    ItemSnapshot {
        item_id: ItemId::derived(&[name, &number.to_string()]),
        finding_id: domain::ids::FindingId::derived(&[name, &number.to_string()]),
        number,
        severity: Severity::Minor,
        category: "校园安全".to_owned(),
        description: text.to_owned(),
        basis: "教育督导条例".to_owned(),
        demand: "限期整改".to_owned(),
        responsible_unit_name: format!("海口市{name}小学"),
        state: ItemState::InProgress,
        deadline_id: domain::ids::DeadlineId::derived(&[name, &number.to_string()]),
        due_on,
        due_at: end_of_day(due_on).unwrap(),
        provisional: false,
        first_due_on: due_on,
        reported_at: None,
        report: None,
        late: false,
        verified_at: None,
        verified_by: None,
        closed_at: None,
        returned: 0,
        urging_order_no: None,
        phase: domain::rectification::Phase::default(),
        plan_due_on: None,
        extensions: 0,
        reopened: 0,
        ladder_level: 0,
    }
}

/// The first item reported, with words and names that are nobody's business.
pub fn reported(snapshot: &RectificationSnapshot) -> RectificationSnapshot {
    let mut next = snapshot.clone();
    next.version += 1;
    next.items[0].state = ItemState::Reported;
    next.items[0].reported_at = Some("2026-09-20T03:00:00Z".parse().unwrap());
    next.items[0].report = Some("内部整改报告".to_owned());
    next
}

/// All items late and under an urging order.
pub fn urged(snapshot: &RectificationSnapshot) -> RectificationSnapshot {
    let mut next = snapshot.clone();
    next.version += 1;
    let doc_no = "琼教督委督〔2026〕1号";
    let due_on = date(2026, 10, 9);
    for item in &mut next.items {
        item.urging_order_no = Some(doc_no.to_owned());
        item.late = true;
        item.due_on = due_on;
        item.due_at = end_of_day(due_on).unwrap();
    }
    next.urging_orders = vec![UrgingOrderFact {
        urging_order_id: domain::ids::UrgingOrderId::derived(&[doc_no]),
        document: DocumentRef {
            kind: DocumentKind::UrgingOrder,
            doc_no: doc_no.to_owned(),
            title: "督办单".to_owned(),
            issued_at: "2026-09-24T16:00:00Z".parse().unwrap(),
            ..next.letter.clone()
        },
        items: next
            .items
            .iter()
            .map(|item| UrgedItem {
                item_id: item.item_id,
                number: item.number,
                was_due_on: item.first_due_on,
                due_on,
                deadline_id: item.deadline_id,
                rule: None,
            })
            .collect(),
        copy_to: None,
        lateness_seconds: 0,
        template: String::new(),
    }];
    next
}

/// Everything closed.
pub fn closed(snapshot: &RectificationSnapshot) -> RectificationSnapshot {
    let mut next = reported(snapshot);
    let at: Timestamp = "2026-09-22T03:00:00Z".parse().unwrap();
    for item in &mut next.items {
        item.state = ItemState::Closed;
        item.reported_at = Some(at);
        item.verified_at = Some(at);
        item.verified_by = Some("督学0001".to_owned());
        item.closed_at = Some(at);
    }
    next.closed_at = Some(at);
    next
}
