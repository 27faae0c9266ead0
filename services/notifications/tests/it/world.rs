//! A service of its own for each test, people to tell, and events as `tasks` and `deadlines` send them.

use std::{path::PathBuf, sync::Arc};

use crate::mail_sink::MailSink;
use access::{Caller, Grant, Role};
use axum::Router;
use contracts::{
    Envelope, Event,
    deadlines::{
        ArmedStep, ItemSnapshot, ItemState, RectificationSnapshot, ReminderDue, UrgedItem, UrgingOrderFact,
        UrgingOrderIssued,
    },
    registry::{AccountRecorded, GrantRecord},
    shared::{DocumentKind, DocumentRef, UnitRef},
    tasks::{FindingFact, LetterIssued, NotificationIssued, SupervisionKind, TeamMember},
};
use domain::{ids::*, severity::Severity};
use jiff::{Timestamp, civil::date};
use messaging::Handler;
use notifications::{
    Config, MIGRATOR, Telling,
    config::MailSection,
    consume::{Directory, Matters},
    delivery::{Mailer, Patience, Relays, Sender, carry::Carrier},
};
use postgres::Tx;
use service_kit::{Assembled, Kit, clock::SystemClock, files::Files, http_client, ids::SystemIds};
use uuid::Uuid;

pub(crate) const PROVINCE: AreaId = AreaId::new(Uuid::from_u128(0xA1));
pub(crate) const HAIKOU: AreaId = AreaId::new(Uuid::from_u128(0xA2));
pub(crate) const SANYA: AreaId = AreaId::new(Uuid::from_u128(0xA3));
pub(crate) const SCHOOL: UnitId = UnitId::new(Uuid::from_u128(0xB1));
pub(crate) const BUREAU: UnitId = UnitId::new(Uuid::from_u128(0xB2));
pub(crate) const OFFICE: UnitId = UnitId::new(Uuid::from_u128(0xB3));
pub(crate) const OTHER_SCHOOL: UnitId = UnitId::new(Uuid::from_u128(0xB4));
pub(crate) const CASE: CaseId = CaseId::new(Uuid::from_u128(0xC1));
pub(crate) const RECTIFICATION: RectificationId = RectificationId::new(Uuid::from_u128(0xC2));
pub(crate) const LETTER: Uuid = Uuid::from_u128(0xD1);
pub(crate) const ORDER: Uuid = Uuid::from_u128(0xD2);
pub(crate) const INSPECTOR: PersonId = PersonId::new(Uuid::from_u128(0xE1));

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A service in process.
pub(crate) struct World {
    pub(crate) db: testkit::Database,
    pub(crate) broker: messaging::Broker,
    pub(crate) config: Config,
    pub(crate) telling: Arc<Telling>,
    pub(crate) router: Router,
    pub(crate) assembled: Assembled,
    pub(crate) sink: MailSink,
    _folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The key of the example's one-time links.
const LINK_KEY: &str = "a key for one-time links, long enough for it";

/// The example configuration, with secrets that exist.
pub(crate) fn example(folder: &std::path::Path) -> Result<Config, String> {
    std::fs::create_dir_all(folder.join("secrets")).unwrap();
    for (secret, text) in [("database-password", "secret"), ("journal-key", "secret"), ("receipt-links", LINK_KEY)] {
        std::fs::write(folder.join("secrets").join(secret), format!("{text}\n")).unwrap();
    }
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(here.join("notifications.example.toml")).unwrap();
    let text = text
        .replace("\"secrets/", &format!("\"{}/secrets/", folder.display()))
        .replace("folder = \"rulebook\"", &format!("folder = \"{}\"", here.join("../../rulebook").display()));
    let file = folder.join("notifications.toml");
    std::fs::write(&file, text).unwrap();
    service_kit::config::load::<Config>(Some(&file), &[]).map_err(|faults| faults.to_string())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A service with another configuration.
    pub(crate) async fn with(arrange: impl FnOnce(&mut Config)) -> Self {
        service_kit::install_crypto();
        let db = testkit::Database::new(&[&messaging::MIGRATOR, &MIGRATOR]).await;
        let broker = testkit::broker().await;
        let (sink, address) = MailSink::start().await.unwrap();
        let folder = std::env::temp_dir().join(format!("notifications-{}", broker.prefix()));
        let mut config = example(&folder).unwrap();
        config.mail.port = address.port();
        config.mail.timeout_seconds = 1;
        config.mail.first_pause_milliseconds = 20;
        // Only the tests of links have them in their mails.
        config.receipts.link_key_file = None;
        arrange(&mut config);
        let kit = Kit {
            name: "notifications",
            database: db.handle(),
            broker: broker.clone(),
            access: testkit::access(),
            http: http_client::client(&(&config.common.outbound).into()).unwrap(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            files: Files::in_folder(&folder).unwrap(),
            metrics: service_kit::telemetry::Metrics::new("notifications").unwrap(),
        };
        let mut assembled = notifications::build(&config, &kit).unwrap();
        let router = service_kit::routes_of(&mut assembled, &kit, &config.common.http, Arc::from([]));
        let telling = Arc::new(notifications::telling(&config).unwrap());
        Self { db, broker, config, telling, router, assembled, sink, _folder: Folder(folder) }
    }

    /// A service that knows the people of the school, its bureau and the office.
    pub(crate) async fn with_people() -> Self {
        Self::new().await.peopled().await
    }

    /// The same service when it knows the people of the school, its bureau and the office.
    pub(crate) async fn peopled(self) -> Self {
        for account in people() {
            self.hear(&account).await;
        }
        self
    }

    /// Gives an account a mobile number.
    pub(crate) async fn give_phone(&self, account: &AccountRecorded, phone: &str) {
        sqlx::query("INSERT INTO preferences (account_id, version, mail_off, phone) VALUES ($1, 1, '{}', $2)")
            .bind(Uuid::from(account.account_id))
            .bind(phone)
            .execute(self.db.pool())
            .await
            .unwrap();
    }

    /// Deliveries by channel and state.
    pub(crate) async fn count(&self, channel: &str, state: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE channel = $1 AND state = $2")
            .bind(channel)
            .bind(state)
            .fetch_one(self.db.pool())
            .await
            .unwrap()
    }

    /// One text of the database.
    pub(crate) async fn text(&self, query: &'static str) -> String {
        sqlx::query_scalar(query).fetch_one(self.db.pool()).await.unwrap()
    }

    /// One number of the database.
    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.db.pool()).await.unwrap()
    }

    /// The sweeper's findings that are not empty.
    pub(crate) async fn found(&self) -> Vec<(String, Vec<Uuid>)> {
        let sweep = notifications::delivery::sweep::sweep(&self.db).await.unwrap();
        // The events of these tests are older than the machine's day, and only the tests of the chase chase.
        let found =
            sweep.findings.into_iter().filter(|finding| finding.name != "unsigned_unchased" && finding.count > 0);
        found.map(|finding| (finding.name, finding.offenders)).collect()
    }

    /// A mail sender of its own.
    pub(crate) fn sender(&self) -> Sender {
        self.sender_with(&self.config.mail)
    }

    pub(crate) fn sender_with(&self, mail: &MailSection) -> Sender {
        let mailer = Mailer::try_new(mail.clone(), Relays::new(mail)).unwrap();
        self.sender_of(Arc::new(mailer), Patience::from(mail))
    }

    pub(crate) fn sender_of(&self, carrier: Arc<dyn Carrier>, patience: Patience) -> Sender {
        let links = notifications::links(&self.config);
        Sender::new(self.db.handle(), Arc::clone(&self.telling), links, carrier, patience)
    }

    pub(crate) fn mail(&self) -> &MailSection {
        &self.config.mail
    }

    /// Applies an event as the consumers do, in a transaction of its own.
    pub(crate) async fn hear<E: Event>(&self, event: &E) -> Envelope {
        let envelope = testkit::envelope(event, at("2026-11-23T02:00:00Z"));
        self.hear_again(&envelope).await;
        envelope
    }

    /// Applies the very same envelope, and tells what there is to tell.
    pub(crate) async fn hear_again(&self, envelope: &Envelope) {
        let mut tx = self.db.begin().await.unwrap();
        self.apply(&mut tx, envelope).await;
        tx.commit().await.unwrap();
        self.tell().await;
    }

    /// Tells everything that waits.
    pub(crate) async fn tell(&self) {
        while notifications::tell_due(&self.db, &self.telling).await.unwrap() > 0 {}
    }

    async fn apply(&self, tx: &mut Tx, envelope: &Envelope) {
        if envelope.event_type.starts_with("registry.") {
            Directory.apply(tx, envelope).await.unwrap();
        } else {
            Matters(Arc::clone(&self.telling)).apply(tx, envelope).await.unwrap();
        }
    }

    /// Who got what: (name, template, capacity), sorted.
    pub(crate) async fn told(&self) -> Vec<(String, String, String)> {
        sqlx::query_as(
            "SELECT a.display_name, m.template, m.capacity FROM messages m JOIN accounts a USING (account_id) ORDER BY 1, 2, 3",
        )
        .fetch_all(self.db.pool())
        .await
        .unwrap()
    }

    /// What everybody has in the inbox: (kind, capacity, subject, text), sorted.
    pub(crate) async fn inboxes(&self) -> Vec<(String, String, String, String)> {
        let mut all = Vec::new();
        for account in people() {
            let call = testkit::Call::get("/v1/inbox?limit=200").by(&caller(&account));
            let inbox = call.send(&self.router).await.expect(http::StatusCode::OK).json;
            assert!(inbox["next"].is_null());
            for item in inbox["items"].as_array().unwrap() {
                let part = |name: &str| item[name].as_str().unwrap().to_owned();
                all.push((part("template"), part("capacity"), part("subject"), part("text")));
            }
        }
        all.sort();
        all
    }

    /// Mail deliveries by state.
    pub(crate) async fn mails_in(&self, state: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE channel = 'mail' AND state = $1")
            .bind(state)
            .fetch_one(self.db.pool())
            .await
            .unwrap()
    }

    /// Runs a sender until nothing is left to send, now or later.
    pub(crate) async fn send_all(&self) {
        let sender = self.sender();
        testkit::wait_until("every mail is settled", async || {
            while sender.round().await.unwrap() > 0 {}
            self.mails_in("queued").await + self.mails_in("sending").await == 0
        })
        .await;
    }
}

pub(crate) fn account(id: u128, name: &str, role: &str, area: Option<AreaId>, unit: Option<UnitId>) -> AccountRecorded {
    AccountRecorded {
        account_id: AccountId::new(Uuid::from_u128(id)),
        version: 1,
        login: format!("user{id}"),
        display_name: name.to_owned(),
        email: Some(format!("user{id}@school.example")),
        language: "zh-Hans".to_owned(),
        grants: vec![GrantRecord { role: role.to_owned(), area_id: area, unit_id: unit }],
        unit_id: unit,
        person_id: None,
        active: true,
        identity_bound: false,
    }
}

pub(crate) fn principal() -> AccountRecorded {
    account(1, "校长", "unit_principal", None, Some(SCHOOL))
}

pub(crate) fn people() -> Vec<AccountRecorded> {
    let mut office = account(4, "海口办", "county_office_admin", Some(HAIKOU), None);
    office.unit_id = Some(OFFICE);
    let mut inspector = account(5, "督学0001", "inspector", Some(HAIKOU), None);
    inspector.person_id = Some(INSPECTOR);
    vec![
        principal(),
        account(2, "联络员", "unit_contact", None, Some(SCHOOL)),
        account(3, "教育局", "competent_department_officer", None, Some(BUREAU)),
        office,
        inspector,
        account(6, "别校校长", "unit_principal", None, Some(OTHER_SCHOOL)),
    ]
}

/// The signed-in side of an account.
pub(crate) fn caller(account: &AccountRecorded) -> Caller {
    Caller {
        account_id: account.account_id,
        display_name: account.display_name.clone(),
        person_id: account.person_id,
        unit_id: account.unit_id,
        grants: account
            .grants
            .iter()
            .map(|grant| Grant {
                role: grant.role.parse::<Role>().unwrap(),
                area_id: grant.area_id,
                unit_id: grant.unit_id,
            })
            .collect(),
    }
}

pub(crate) fn school() -> UnitRef {
    UnitRef {
        unit_id: SCHOOL,
        name: "海口市第一中学".to_owned(),
        code: None,
        area_path: vec![PROVINCE, HAIKOU],
        county_code: Some("460100".to_owned()),
        county_name: Some("海口市".to_owned()),
        competent_unit_id: Some(BUREAU),
        competent_unit_name: Some("海口市教育局".to_owned()),
    }
}

fn document(id: Uuid, kind: DocumentKind, doc_no: &str, issued_at: &str) -> DocumentRef {
    DocumentRef {
        document_id: id.into(),
        kind,
        doc_no: doc_no.to_owned(),
        title: format!("关于校园安全专项督导的{}", kind.zh()),
        issuing_unit_id: OFFICE,
        issuing_unit_name: "海口市人民政府教育督导委员会办公室".to_owned(),
        issued_at: at(issued_at),
        content_sha256: "5d".repeat(32),
    }
}

pub(crate) fn notified() -> NotificationIssued {
    NotificationIssued {
        case_id: CASE,
        version: 3,
        document: document(
            Uuid::from_u128(0xD0),
            DocumentKind::SupervisionNotification,
            "海口教督委〔2026〕1号",
            "2026-09-01T02:00:00Z",
        ),
        case_title: "2026年秋季学期校园安全专项督导".to_owned(),
        supervision_kind: SupervisionKind::Special,
        unit: school(),
        visit_on: date(2026, 9, 10),
        team: vec![TeamMember { person_id: INSPECTOR, name: "督学0001".to_owned(), leader: true }],
    }
}

pub(crate) fn lettered() -> LetterIssued {
    LetterIssued {
        letter_id: LETTER.into(),
        version: 1,
        case_id: CASE,
        document: document(LETTER, DocumentKind::OpinionLetter, "海口教督委〔2026〕12号", "2026-09-24T07:00:00Z"),
        case_title: "2026年秋季学期校园安全专项督导".to_owned(),
        supervision_kind: SupervisionKind::Special,
        visited_on: date(2026, 9, 10),
        unit: school(),
        evaluation: "安全管理总体有序，消防设施维护不到位。".to_owned(),
        findings: vec![FindingFact {
            finding_id: FindingId::new(Uuid::from_u128(0xF1)),
            number: 1,
            severity: Severity::Serious,
            category: "安全管理".to_owned(),
            description: "实验楼二层消防通道堆放杂物".to_owned(),
            basis: "《中华人民共和国消防法》第二十八条".to_owned(),
            demand: "清理杂物，建立巡查台账".to_owned(),
            advice: "每周巡查".to_owned(),
            responsible_unit_id: SCHOOL,
            responsible_unit_name: "海口市第一中学".to_owned(),
        }],
        issued_at: at("2026-09-24T07:00:00Z"),
        content: String::new(),
    }
}

pub(crate) fn rectification(version: i64, state: ItemState) -> RectificationSnapshot {
    let finding = lettered().findings.remove(0);
    RectificationSnapshot {
        rectification_id: RECTIFICATION,
        version,
        case_id: CASE,
        letter_id: LETTER.into(),
        letter: lettered().document,
        case_title: lettered().case_title,
        supervision_kind: SupervisionKind::Special,
        visited_on: date(2026, 9, 10),
        unit: school(),
        received_at: at("2026-09-28T01:30:00Z"),
        closed_at: None,
        items: vec![ItemSnapshot {
            item_id: ItemId::new(Uuid::from_u128(0xF2)),
            finding_id: finding.finding_id,
            number: finding.number,
            severity: finding.severity,
            category: finding.category,
            description: finding.description,
            basis: finding.basis,
            demand: finding.demand,
            responsible_unit_name: finding.responsible_unit_name,
            state,
            deadline_id: DeadlineId::new(Uuid::from_u128(0xF3)),
            due_on: date(2026, 10, 28),
            due_at: at("2026-10-28T16:00:00Z"),
            provisional: false,
            first_due_on: date(2026, 10, 28),
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
        }],
        urging_orders: Vec::new(),
        paused_until: None,
        steps: Vec::new(),
        requests: Vec::new(),
        liable_for: None,
        department_case: None,
    }
}

pub(crate) fn reminder() -> ReminderDue {
    let rectification = rectification(2, ItemState::InProgress);
    ReminderDue {
        item_ids: vec![rectification.items[0].item_id],
        rectification,
        due_on: date(2026, 10, 28),
        working_days_left: 3,
    }
}

pub(crate) fn urged() -> UrgingOrderIssued {
    let mut rectification = rectification(4, ItemState::InProgress);
    let item = &rectification.items[0];
    let order = UrgingOrderFact {
        urging_order_id: UrgingOrderId::new(Uuid::from_u128(0xF4)),
        document: document(ORDER, DocumentKind::UrgingOrder, "海口教督办〔2026〕1号", "2026-10-29T16:00:00Z"),
        items: vec![UrgedItem {
            item_id: item.item_id,
            number: item.number,
            was_due_on: date(2026, 10, 28),
            due_on: date(2026, 11, 19),
            deadline_id: DeadlineId::new(Uuid::from_u128(0xF5)),
            rule: None,
        }],
        copy_to: Some("海口市教育局".to_owned()),
        lateness_seconds: 1,
        template: String::new(),
    };
    let urging_order_id = order.urging_order_id;
    rectification.urging_orders = vec![order];
    let next_step = ArmedStep { level: 2, fires_at: at("2026-11-19T16:00:00Z") };
    UrgingOrderIssued { rectification, urging_order_id, next_step }
}

/// A secret in a file, as the configuration wants it.
pub(crate) fn secret(text: &str) -> service_kit::config::SecretFile {
    use service_kit::ids::Ids as _;
    let file = std::env::temp_dir().join(format!("notifications-secret-{}", SystemIds.new_id().simple()));
    std::fs::write(&file, text).unwrap();
    let secret = service_kit::config::SecretFile::read(&file).unwrap();
    std::fs::remove_file(file).unwrap();
    secret
}

/// The office's unit as the register has it.
pub(crate) fn office_unit() -> contracts::registry::UnitRecorded {
    contracts::registry::UnitRecorded {
        unit_id: OFFICE,
        version: 1,
        key: "office-460100".to_owned(),
        school_code: None,
        name: "海口市人民政府教育督导委员会办公室".to_owned(),
        kind: contracts::registry::UnitKind::SupervisionAgency,
        area_path: vec![PROVINCE, HAIKOU],
        area_code: "460100".to_owned(),
        county_code: Some("460100".to_owned()),
        county_name: Some("海口市".to_owned()),
        competent_unit_id: None,
        private: false,
        students: None,
    }
}
