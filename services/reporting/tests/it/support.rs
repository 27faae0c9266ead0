//! A service in process over a database of its own, and rectifications to feed it with.

use access::{Caller, Role};
use axum::Router;
use contracts::Event;
use contracts::deadlines::{
    ItemSnapshot, ItemState, RectificationOpened, RectificationSnapshot, UrgedItem, UrgingOrderFact,
};
use contracts::registry::{AreaLevel, AreaRecorded};
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::SupervisionKind;
use domain::ids::{AreaId, DocumentId, ItemId, LetterId, RectificationId, UnitId};
use domain::local_time::end_of_day;
use domain::severity::Severity;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use messaging::Handler;
use service_kit::config::HttpSection;
use service_kit::http_client::HttpClientOptions;
use service_kit::ids::SeededIds;
use service_kit::{Kit, files::Files, telemetry::Metrics};
use testkit::{Call, Database};
use uuid::Uuid;

pub struct App {
    pub database: Database,
    pub router: Router,
}

pub fn province() -> AreaId {
    AreaId::derived(&["460000"])
}

pub fn county(code: &str) -> AreaId {
    AreaId::derived(&[code])
}

impl App {
    pub async fn new() -> Self {
        service_kit::install_crypto();
        let database = Database::new(&[&messaging::MIGRATOR, &reporting::MIGRATOR]).await;
        let folder = std::env::temp_dir().join(format!("dudao-reporting-{}", Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        let kit = Kit {
            name: "reporting",
            database: database.handle(),
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
            clock: std::sync::Arc::new(service_kit::clock::SystemClock),
            ids: std::sync::Arc::new(SeededIds::new(1)),
            files: Files::in_folder(&folder).unwrap(),
            metrics: Metrics::new("reporting").unwrap(),
        };
        let links = reporting::config::LinksSection { portal: "https://portal.example".to_owned() };
        let mut assembled = reporting::build(&links, kit.clone());
        let http = HttpSection {
            listen: "127.0.0.1:0".parse().unwrap(),
            operations_listen: None,
            max_body_bytes: 1 << 20,
            request_timeout_seconds: 30,
            drain_seconds: 1,
        };
        let trusted = [testkit::journal_key().public()];
        let router = service_kit::routes_of(&mut assembled, &kit, &http, trusted.into());
        Self { database, router }
    }

    /// Applies an event as the consumer does.
    pub async fn apply<E: Event>(&self, handler: &impl Handler, event: &E) {
        let mut tx = self.database.begin().await.unwrap();
        let envelope = testkit::envelope(event, tx.at());
        handler.apply(&mut tx, &envelope).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn feed(&self, snapshot: &RectificationSnapshot) {
        let event = RectificationOpened { rectification: snapshot.clone() };
        self.apply(&reporting::consume::Rectifications, &event).await;
    }

    pub async fn counties(&self, codes: &[&str]) {
        for code in codes {
            let event = AreaRecorded {
                area_id: county(code),
                version: 1,
                code: (*code).to_owned(),
                name: county_name(code),
                level: AreaLevel::CountyUnit,
                path: vec![province(), county(code)],
                effective_on: date(2020, 1, 1),
            };
            self.apply(&reporting::consume::Areas, &event).await;
        }
    }

    pub async fn get(&self, path: &str, caller: &Caller) -> testkit::Answer {
        Call::get(path).by(caller).send(&self.router).await
    }
}

pub fn county_name(code: &str) -> String {
    match code {
        "460100" => "海口市".to_owned(),
        "460200" => "三亚市".to_owned(),
        other => format!("县{other}"),
    }
}

pub fn office() -> Caller {
    testkit::caller(Role::ProvinceOfficeAdmin, Some(province()), None)
}

/// A rectification of a unit in a county (`None`: a provincial unit), with items in the given states.
pub fn rectification(name: &str, code: Option<&str>, version: i64, items: Vec<ItemSnapshot>) -> RectificationSnapshot {
    let area_path = code.map_or_else(|| vec![province()], |code| vec![province(), county(code)]);
    RectificationSnapshot {
        rectification_id: RectificationId::derived(&[name]),
        version,
        case_id: domain::ids::CaseId::derived(&[name]),
        letter_id: LetterId::derived(&[name]),
        letter: DocumentRef {
            document_id: DocumentId::derived(&[name]),
            kind: DocumentKind::OpinionLetter,
            doc_no: format!("琼教督委〔2026〕{}号", name.bytes().map(u32::from).sum::<u32>()),
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
            name: format!("{name}学校"),
            code: Some("3146000001".to_owned()),
            area_path,
            county_code: code.map(str::to_owned),
            county_name: code.map(county_name),
            competent_unit_id: Some(UnitId::derived(&["bureau", code.unwrap_or("460000")])),
            competent_unit_name: Some("教育局".to_owned()),
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

pub fn item(name: &str, number: i32, state: ItemState, due_on: Date) -> ItemSnapshot {
    let reported = matches!(state, ItemState::Reported | ItemState::Verified | ItemState::Closed);
    let verified = matches!(state, ItemState::Verified | ItemState::Closed);
    let at: Timestamp = "2026-09-10T02:00:00Z".parse().unwrap();
    ItemSnapshot {
        item_id: ItemId::derived(&[name, &number.to_string()]),
        finding_id: domain::ids::FindingId::derived(&[name, &number.to_string()]),
        number,
        severity: Severity::Minor,
        category: "办学条件".to_owned(),
        description: format!("第{number}个问题"),
        basis: "教育督导条例".to_owned(),
        demand: "限期整改".to_owned(),
        responsible_unit_name: format!("{name}学校"),
        state,
        deadline_id: domain::ids::DeadlineId::derived(&[name, &number.to_string()]),
        due_on,
        due_at: end_of_day(due_on).unwrap(),
        provisional: false,
        first_due_on: due_on,
        reported_at: reported.then_some(at),
        report: reported.then(|| "已经整改。".to_owned()),
        late: false,
        verified_at: verified.then_some(at),
        verified_by: verified.then(|| "督学0001".to_owned()),
        closed_at: (state == ItemState::Closed).then_some(at),
        returned: 0,
        urging_order_no: None,
        phase: domain::rectification::Phase::default(),
        plan_due_on: None,
        extensions: 0,
        reopened: 0,
        ladder_level: 0,
    }
}

pub fn urging_order(snapshot: &RectificationSnapshot, doc_no: &str) -> UrgingOrderFact {
    UrgingOrderFact {
        urging_order_id: domain::ids::UrgingOrderId::derived(&[doc_no]),
        document: DocumentRef {
            kind: DocumentKind::UrgingOrder,
            doc_no: doc_no.to_owned(),
            title: "督办单".to_owned(),
            ..snapshot.letter.clone()
        },
        items: snapshot
            .items
            .iter()
            .map(|item| UrgedItem {
                item_id: item.item_id,
                number: item.number,
                was_due_on: item.first_due_on,
                due_on: item.due_on,
                deadline_id: item.deadline_id,
                rule: None,
            })
            .collect(),
        copy_to: None,
        lateness_seconds: 0,
        template: String::new(),
    }
}
