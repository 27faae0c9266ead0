//! The services in process, each with one matter of a school in a county: seeded through their own consumers and routes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::{Caller, Resource, Role, RouteAccess};
use axum::Router;
use contracts::deadlines::{Change, ItemSnapshot, ItemState, RectificationChanged, RectificationSnapshot};
use contracts::notifications::ReceiptSigned;
use contracts::registry::{
    AccountRecorded, AreaLevel, AreaRecorded, GrantRecord, InspectorRecorded, UnitKind, UnitRecorded,
};
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::{FindingFact, LetterIssued, SupervisionKind};
use contracts::{Envelope, Event};
use domain::code::{SchoolCode, SchoolKind};
use domain::ids::{AccountId, AreaId, LetterId, PersonId, UnitId};
use domain::rectification::{Phase, Rectification};
use domain::severity::Severity;
use http::StatusCode;
use jiff::Timestamp;
use messaging::Handler;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use service_kit::config::{HttpSection, SecretFile};
use service_kit::{Assembled, Kit};
use testkit::{Call, Database};
use uuid::Uuid;

use crate::routes::Route;

/// What was found.
pub const FINDING: &str = "消防通道堆放杂物";

/// The places and people that callers are measured against.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    pub province: AreaId,
    pub county: AreaId,
    pub other_county: AreaId,
    pub office: UnitId,
    pub bureau: UnitId,
    pub school: UnitId,
    pub other_school: UnitId,
    /// The account of the head of the school.
    pub principal: Uuid,
}

/// A service with its seeded things.
pub struct Room {
    pub name: &'static str,
    pub router: Router,
    pub listing: Vec<RouteAccess>,
    pub ground: Ground,
    /// Values of path parameters.
    pub things: BTreeMap<&'static str, String>,
}

fn id<T: From<Uuid>>(name: &str) -> T {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("access walk: {name}").as_bytes()).into()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Ground {
    fn here() -> Self {
        Self {
            province: id("province"),
            county: id("county"),
            other_county: id("other county"),
            office: id("office"),
            bureau: id("bureau"),
            school: id("school"),
            other_school: id("other school"),
            principal: id("principal"),
        }
    }

    fn path(&self) -> Vec<AreaId> {
        vec![self.province, self.county]
    }

    fn head(&self) -> Caller {
        let mut caller = testkit::caller(Role::UnitPrincipal, None, Some(self.school));
        caller.account_id = AccountId::from(self.principal);
        caller
    }

    fn admin(&self) -> Caller {
        testkit::caller(Role::CountyOfficeAdmin, Some(self.county), Some(self.office))
    }
}

impl Room {
    /// Its routes as the table has them.
    pub fn lines(&self) -> Vec<String> {
        self.listing
            .iter()
            .map(|route| {
                let action = route.action.map_or("public", access::Action::as_str);
                format!("{} {} {} {action}", self.name, route.method, route.path)
            })
            .collect()
    }

    /// The matter that the route is tried on, as its service sees it.
    pub fn resource(&self, route: &Route) -> Resource {
        let Ground { province, county, school, bureau, .. } = self.ground;
        let area = Resource::in_area([province, county]);
        match (self.name, route.path.as_str()) {
            // One installation is one province: an import reaches all of it.
            ("registry", "/v1/imports" | "/v1/imports/{import_id}") => Resource::in_area([province]),
            ("registry", path) if path.starts_with("/v1/area-mergers") => Resource::in_area([province]),
            ("registry", path) if path.starts_with("/v1/accounts") => {
                Resource { owner: Some(AccountId::from(self.ground.principal)), ..area }
            }
            ("registry", path) if path.starts_with("/v1/inspectors") => area,
            // Calendars and rules are the province's matter.
            ("deadlines", path) if path.starts_with("/v1/rule-changes") => Resource::in_area([province]),
            // Its own unit is told by messages, not by the list of what the offices have to do.
            ("tasks", path) if path.starts_with("/v1/plans") || path.starts_with("/v1/assignments") => area,
            // The department reads along from the letter on, which this case does not have yet.
            ("tasks", path) if path != "/v1/duties" => area.concerning(school),
            // The office records a paper; the unit itself signs.
            // A register is an office's as well, whatever units its papers are about.
            ("notifications", "/v1/receipts/{document_id}/paper") | ("publication", "/v1/document-register") => area,
            ("publication", _) => area.concerning(school),
            ("notifications", path) if path.starts_with("/v1/receipts") => Resource::default().concerning(school),
            ("notifications", path) if path.starts_with("/v1/deliveries") => area.concerning(school).concerning(bureau),
            ("exchange", _) => area.concerning(school).concerning(bureau),
            _ => area.concerning(school).read_by(bureau),
        }
    }

    /// What stands in a list when the matter is on it.
    pub fn marker(&self, route: &Route) -> String {
        let thing = match (self.name, route.path.as_str()) {
            ("registry", "/v1/accounts") => "account_id",
            ("registry", "/v1/units") => "unit_id",
            ("registry", "/v1/inspectors") => "person_id",
            ("registry", "/v1/imports") => "import_id",
            ("tasks", "/v1/plans") => "plan_id",
            ("tasks", "/v1/cases") => "case_id",
            ("tasks", "/v1/assignments") => "assignment_id",
            ("deadlines" | "reporting", _) => "rectification_id",
            ("notifications", "/v1/receipts") | ("publication", "/v1/document-register") => "document_id",
            ("notifications", "/v1/deliveries") => "receipt_id",
            ("publication", _) => "publication_id",
            ("exchange", _) => "message_id",
            (service, path) => panic!("no marker for {service} {path}"),
        };
        self.things[thing].clone()
    }
}

/// The next year's rest days, put forward.
pub fn notice() -> Value {
    let content = "id = \"national-2027\"\nlevel = \"national\"\nyear = 2027\nstatus = \"published\"\nsource = \"通知\"\n\
                   [[day]]\nfrom = \"2027-01-01\"\nto = \"2027-01-03\"\nkind = \"rest\"\nname = \"元旦\"\n";
    json!({"kind": "calendar", "content": content, "reason": "国务院办公厅通知", "effective_on": "2026-12-01"})
}

/// All of them.
pub async fn rooms() -> Vec<Room> {
    let ground = Ground::here();
    let (deadlines, heard) = deadlines(ground).await;
    vec![
        registry().await,
        tasks(ground).await,
        deadlines,
        reporting(ground, &heard).await,
        notifications(ground, &heard).await,
        publication(ground, &heard).await,
        exchange(ground, &heard).await,
        documents(ground),
    ]
}

fn rulebook() -> PathBuf {
    local_stack::workspace_root().join("rulebook")
}

fn open_room(
    name: &'static str,
    mut assembled: Assembled,
    kit: &Kit,
    ground: Ground,
    things: BTreeMap<&'static str, String>,
) -> Room {
    let http = HttpSection {
        listen: ([127, 0, 0, 1], 0).into(),
        operations_listen: None,
        max_body_bytes: 16 * 1024 * 1024,
        request_timeout_seconds: 60,
        drain_seconds: 5,
    };
    let router = service_kit::routes_of(&mut assembled, kit, &http, Arc::new([]));
    Room { name, router, listing: assembled.listing().to_vec(), ground, things }
}

async fn apply<H: Handler>(database: &Database, handler: &H, envelopes: &[Envelope]) {
    let wanted = handler.event_types();
    for envelope in envelopes.iter().filter(|envelope| wanted.contains(&envelope.event_type.as_str())) {
        let mut tx = database.begin().await.unwrap();
        handler.apply(&mut tx, envelope).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn envelope<E: Event>(event: &E) -> Envelope {
    testkit::envelope(event, at("2026-02-05T01:00:00Z"))
}

async fn one(database: &Database, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(database.pool()).await.unwrap()
}

fn school_code(serial: u32) -> String {
    SchoolCode::try_new(SchoolKind::Primary, 46, serial).unwrap().to_string()
}

fn unit(ground: &Ground, id: UnitId, key: &str, name: &str, kind: UnitKind) -> UnitRecorded {
    let school = kind == UnitKind::School;
    UnitRecorded {
        unit_id: id,
        version: 1,
        key: key.to_owned(),
        school_code: school.then(|| key.to_owned()),
        name: name.to_owned(),
        kind,
        area_path: ground.path(),
        area_code: "460100".to_owned(),
        county_code: Some("460100".to_owned()),
        county_name: Some("海口市".to_owned()),
        competent_unit_id: school.then_some(ground.bureau),
        private: false,
        students: None,
    }
}

fn units(ground: &Ground) -> Vec<Envelope> {
    let office =
        unit(ground, ground.office, "office-460100", "海口市人民政府教育督导委员会办公室", UnitKind::SupervisionAgency);
    let bureau = unit(ground, ground.bureau, "edu-460100", "海口市教育局", UnitKind::EducationBureau);
    let school = unit(ground, ground.school, &school_code(1), "海口市第一小学", UnitKind::School);
    let mut other = unit(ground, ground.other_school, &school_code(2), "三亚市第一小学", UnitKind::School);
    other.area_path = vec![ground.province, ground.other_county];
    (other.area_code, other.county_code) = ("460200".to_owned(), Some("460200".to_owned()));
    [office, bureau, school, other].iter().map(envelope).collect()
}

fn areas(ground: &Ground) -> Vec<Envelope> {
    let province = ground.province;
    [
        (province, "460000", "海南省", AreaLevel::Province, vec![province]),
        (ground.county, "460100", "海口市", AreaLevel::CountyUnit, ground.path()),
        (ground.other_county, "460200", "三亚市", AreaLevel::CountyUnit, vec![province, ground.other_county]),
    ]
    .map(|(area_id, code, name, level, path)| {
        envelope(&AreaRecorded {
            area_id,
            version: 1,
            code: code.to_owned(),
            name: name.to_owned(),
            level,
            path,
            effective_on: "2021-04-15".parse().unwrap(),
        })
    })
    .into()
}

fn letter(ground: &Ground) -> LetterIssued {
    let letter_id: LetterId = id("letter");
    let issued_at = at("2026-02-05T01:00:00Z");
    LetterIssued {
        letter_id,
        version: 1,
        case_id: id("case"),
        document: DocumentRef {
            document_id: letter_id.as_uuid().into(),
            kind: DocumentKind::OpinionLetter,
            doc_no: "海口教督委意〔2026〕1号".to_owned(),
            title: "督导意见书".to_owned(),
            issuing_unit_id: ground.office,
            issuing_unit_name: "海口市人民政府教育督导委员会办公室".to_owned(),
            issued_at,
            content_sha256: "5d".repeat(32),
        },
        case_title: "2026年春季校园安全专项督导".to_owned(),
        supervision_kind: SupervisionKind::Special,
        visited_on: "2026-01-20".parse().unwrap(),
        unit: UnitRef {
            unit_id: ground.school,
            name: "海口市第一小学".to_owned(),
            code: Some(school_code(1)),
            area_path: ground.path(),
            county_code: Some("460100".to_owned()),
            county_name: Some("海口市".to_owned()),
            competent_unit_id: Some(ground.bureau),
            competent_unit_name: Some("海口市教育局".to_owned()),
        },
        evaluation: "总体较好".to_owned(),
        findings: vec![FindingFact {
            finding_id: id("finding"),
            number: 1,
            severity: Severity::Minor,
            category: "安全管理".to_owned(),
            description: FINDING.to_owned(),
            basis: "《教育督导条例》第十一条".to_owned(),
            demand: "限期整改".to_owned(),
            advice: String::new(),
            responsible_unit_id: ground.school,
            responsible_unit_name: "海口市第一小学".to_owned(),
        }],
        issued_at,
        content: String::new(),
    }
}

/// A late rectification with evidence, and everything that others heard of it.
async fn deadlines(ground: Ground) -> (Room, Vec<Envelope>) {
    let database = Database::new(&[&messaging::MIGRATOR, &deadlines::MIGRATOR]).await;
    let kit = testkit::kit("deadlines", &database).await;
    let section = deadlines::config::RulebookSection { folder: rulebook(), policy: "hainan-2021".to_owned() };
    let rules = Arc::new(deadlines::RuleSet::load(&section).unwrap());
    let letter = letter(&ground);
    let receipt = ReceiptSigned {
        receipt_id: id("receipt"),
        version: 1,
        document_id: letter.document.document_id,
        document_kind: DocumentKind::OpinionLetter,
        unit_id: ground.school,
        signed_at: at("2026-02-06T01:00:00Z"),
        signed_by: AccountId::from(ground.principal),
        signer_name: "海口市第一小学负责人".to_owned(),
    };
    let intake = deadlines::consume::Intake { rules: Arc::clone(&rules) };
    let mut heard = units(&ground);
    heard.extend([envelope(&letter), envelope(&receipt)]);
    database.set_clock(at("2026-02-06T02:00:00Z")).await;
    apply(&database, &intake, &heard).await;
    let rectification_id = Rectification::id_of(letter.letter_id).to_string();
    let mut room = open_room("deadlines", deadlines::build(&section, &kit).unwrap(), &kit, ground, BTreeMap::new());
    let pdf = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n\
               %PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n\r\n--x--\r\n";
    let file = Call::new(http::Method::POST, &format!("/v1/rectifications/{rectification_id}/evidence"))
        .body("multipart/form-data; boundary=x", pdf.as_bytes().to_vec())
        .header("Idempotency-Key", &Uuid::new_v4().to_string())
        .by(&ground.head())
        .send(&room.router)
        .await
        .expect(StatusCode::CREATED);
    database.set_clock(at("2026-04-01T02:00:00Z")).await;
    let firing = deadlines::firing::Firing::new(database.handle(), rules);
    assert!(firing.fire_batch().await.unwrap() > 0, "nothing was due");
    room.things = BTreeMap::from([
        ("rectification_id", rectification_id),
        ("item_id", one(&database, "SELECT item_id::text FROM items").await),
        ("deadline_id", one(&database, "SELECT deadline_id::text FROM deadlines LIMIT 1").await),
        ("urging_order_id", one(&database, "SELECT urging_order_id::text FROM urging_orders").await),
        ("file_id", file.json["file_id"].as_str().unwrap().to_owned()),
    ]);
    heard.extend(testkit::events(&database).await);
    // What only this service needs: a request that waits, and a step that was proposed.
    database.set_clock(at("2026-04-20T02:00:00Z")).await;
    assert!(firing.fire_batch().await.unwrap() > 0, "nothing was due");
    let case = format!("/v1/rectifications/{}", room.things["rectification_id"]);
    let seen = Call::get(&case).by(&ground.head()).send(&room.router).await.expect(StatusCode::OK).json;
    // A request that both the office and the chair may decide.
    let proposal = seen["rectification"]["steps"][0]["proposal_id"].clone();
    let lift = json!({"subject": "lift", "proposal_id": proposal, "reason": "已有实质进展"});
    let asked = Call::post(&format!("{case}/requests"), &lift)
        .header("If-Match", &format!("\"{}\"", seen["rectification"]["version"]))
        .by(&ground.head())
        .send(&room.router)
        .await
        .expect(StatusCode::OK)
        .json;
    let text = |pointer: &str| asked.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let proposer = testkit::caller(Role::ProvinceOfficeAdmin, Some(ground.province), None);
    let change = Call::post("/v1/rule-changes", &notice())
        .header("Idempotency-Key", &Uuid::new_v4().to_string())
        .by(&proposer)
        .send(&room.router)
        .await
        .expect(StatusCode::CREATED)
        .json;
    // Nothing is closed here: a paper such as a closing leaves.
    let paper = Uuid::new_v4();
    let sample = include_bytes!("../../../crates/documents/samples/acceptance_opinion.json");
    let frozen = documents::Content::from_json(sample).unwrap().freeze();
    sqlx::query(
        "INSERT INTO documents (document_id, kind, rectification_id, agency_word, kind_word, year, serial, doc_no, title,
             issued_at, content, content_sha256)
         SELECT $1, 'acceptance_opinion', rectification_id, '海口教督委', '验', 2026, 1, '海口教督委验〔2026〕1号',
                '整改验收意见', now(), $3, $4
         FROM rectifications WHERE rectification_id = $2::uuid",
    )
    .bind(paper)
    .bind(&room.things["rectification_id"])
    .bind(frozen.text())
    .bind(frozen.sha256())
    .execute(database.pool())
    .await
    .unwrap();
    room.things.insert("document_id", paper.to_string());
    room.things.insert("change_id", change["change_id"].as_str().unwrap().to_owned());
    room.things.insert("request_id", text("/rectification/requests/0/request_id"));
    room.things.insert("proposal_id", text("/rectification/steps/0/proposal_id"));
    (room, heard)
}

async fn reporting(ground: Ground, heard: &[Envelope]) -> Room {
    let database = Database::new(&[&messaging::MIGRATOR, &reporting::MIGRATOR]).await;
    let kit = testkit::kit("reporting", &database).await;
    apply(&database, &reporting::consume::Areas, &areas(&ground)).await;
    apply(&database, &reporting::consume::Rectifications, heard).await;
    let links = reporting::config::LinksSection { portal: "http://127.0.0.1:1".to_owned() };
    let rectification = one(&database, "SELECT rectification_id::text FROM rectifications").await;
    let things = BTreeMap::from([("rectification_id", rectification)]);
    open_room("reporting", reporting::build(&links, kit.clone()), &kit, ground, things)
}

async fn publication(ground: Ground, heard: &[Envelope]) -> Room {
    let database = Database::new(&[&messaging::MIGRATOR, &publication::MIGRATOR]).await;
    let kit = testkit::kit("publication", &database).await;
    let rulebook = publication::config::RulebookSection { folder: rulebook(), province: "460000".to_owned() };
    let portal = publication::config::PortalSection {
        address: "http://127.0.0.1:1".to_owned(),
        title: "公开".to_owned(),
        operator: "海口市人民政府教育督导委员会办公室".to_owned(),
        rendition_keys: Vec::new(),
        requests_per_second: 0,
        burst: 1,
        trusted_proxies: Vec::new(),
    };
    let rules = Arc::new(publication::Rules::load(&rulebook).unwrap());
    apply(&database, &publication::consume::Rectifications { rules }, heard).await;
    apply(&database, &publication::consume::Documents, heard).await;
    let things = BTreeMap::from([
        ("publication_id", one(&database, "SELECT publication_id::text FROM publications").await),
        ("document_id", one(&database, "SELECT document_id::text FROM documents").await),
    ]);
    open_room("publication", publication::build(&rulebook, &portal, None, kit.clone()).unwrap(), &kit, ground, things)
}

async fn exchange(ground: Ground, heard: &[Envelope]) -> Room {
    let database = Database::new(&[&messaging::MIGRATOR, &exchange::MIGRATOR]).await;
    let kit = testkit::kit("exchange", &database).await;
    let templates = documents::Templates::load(&rulebook().join("documents")).unwrap();
    let papers = exchange::Papers::new(templates, String::new());
    let facts = exchange::consume::Facts { sender: "460000".to_owned(), papers: papers.clone() };
    apply(&database, &facts, heard).await;
    let section = exchange::config::PlatformSection {
        base_url: "http://127.0.0.1:1".to_owned(),
        signing_key_file: secret(&messaging::JournalKey::generate().unwrap()),
        province_code: "460000".to_owned(),
        concurrency: 1,
        first_delay_milliseconds: 500,
        longest_delay_seconds: 60,
        breaker_failures: 5,
    };
    let message = one(&database, "SELECT message_id::text FROM messages WHERE kind = 'opinion_letter'").await;
    let things = BTreeMap::from([("message_id", message)]);
    // The workers are not started: nothing is sent.
    open_room("exchange", exchange::build(&section, papers, &kit).unwrap(), &kit, ground, things)
}

/// Nothing in this room belongs to anybody.
fn documents(ground: Ground) -> Room {
    let rendering = documents_room::config::RenderingSection {
        templates: rulebook().join("documents"),
        portal: String::new(),
        signing_key_file: None,
        threads: 1,
        queue: 64,
    };
    let fonts = local_stack::workspace_root().join(".tools/fonts");
    let fonts = documents_room::config::FontsSection::in_folders(vec![fonts]);
    let press = documents_room::press::Press::load(&rendering, &fonts).unwrap();
    let desk = documents_room::desk::Desk::new(1, 64);
    Room {
        name: "documents",
        router: documents_room::router(testkit::access(), press, desk),
        listing: documents_room::listing(testkit::access()),
        ground,
        things: BTreeMap::new(),
    }
}

fn scratch() -> PathBuf {
    let folder = std::env::temp_dir().join("dudao-access").join(Uuid::new_v4().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn secret(text: &str) -> SecretFile {
    let file = scratch().join("secret");
    std::fs::write(&file, text).unwrap();
    SecretFile::read(&file).unwrap()
}

async fn notifications(ground: Ground, heard: &[Envelope]) -> Room {
    let database = Database::new(&[&messaging::MIGRATOR, &notifications::MIGRATOR]).await;
    let kit = testkit::kit("notifications", &database).await;
    let config = notifications_config(&scratch());
    let account = AccountRecorded {
        account_id: AccountId::from(ground.principal),
        version: 1,
        login: "principal".to_owned(),
        display_name: "海口市第一小学负责人".to_owned(),
        email: None,
        language: "zh-Hans".to_owned(),
        grants: vec![GrantRecord { role: "unit_principal".to_owned(), area_id: None, unit_id: Some(ground.school) }],
        unit_id: Some(ground.school),
        person_id: None,
        active: true,
        identity_bound: false,
    };
    apply(&database, &notifications::consume::Directory, &[envelope(&account)]).await;
    apply(&database, &notifications::consume::Directory, heard).await;
    let telling = Arc::new(notifications::telling(&config).unwrap());
    apply(&database, &notifications::consume::Matters(Arc::clone(&telling)), heard).await;
    while notifications::tell_due(&database, &telling).await.unwrap() > 0 {}
    let document =
        one(&database, "SELECT document_id::text FROM receipts WHERE document_kind = 'opinion_letter'").await;
    let things = BTreeMap::from([
        (
            "message_id",
            one(&database, "SELECT message_id::text FROM messages WHERE template = 'opinion_letter' LIMIT 1").await,
        ),
        (
            "receipt_id",
            one(&database, "SELECT receipt_id::text FROM receipts WHERE document_kind = 'opinion_letter'").await,
        ),
        ("document_id", document),
        // The head of the school has no mail address.
        (
            "delivery_id",
            one(
                &database,
                "SELECT delivery_id::text FROM deliveries WHERE channel = 'mail' AND state = 'failed' LIMIT 1",
            )
            .await,
        ),
        ("template", "opinion_letter".to_owned()),
    ]);
    open_room("notifications", notifications::build(&config, &kit).unwrap(), &kit, ground, things)
}

/// The example configuration, with secrets that exist.
fn notifications_config(folder: &Path) -> notifications::Config {
    std::fs::create_dir_all(folder.join("secrets")).unwrap();
    for secret in ["database-password", "journal-key", "receipt-links"] {
        std::fs::write(folder.join("secrets").join(secret), "a secret of the tests, long enough for every key\n")
            .unwrap();
    }
    let example = local_stack::workspace_root().join("services/notifications/notifications.example.toml");
    let text = std::fs::read_to_string(example)
        .unwrap()
        .replace("\"secrets/", &format!("\"{}/secrets/", folder.display()))
        .replace("folder = \"rulebook\"", &format!("folder = \"{}\"", rulebook().display()));
    let file = folder.join("notifications.toml");
    std::fs::write(&file, text).unwrap();
    service_kit::config::load(Some(&file), &[]).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A look-back is owed on the letter's item: of what people must do, the kind that inspectors see as well.
fn look_back(ground: &Ground) -> RectificationChanged {
    let letter = letter(ground);
    let finding = &letter.findings[0];
    let (item_id, closed_at) = (id("item"), at("2026-03-01T02:00:00Z"));
    let due_on = "2026-03-10".parse().unwrap();
    let item = ItemSnapshot {
        item_id,
        finding_id: finding.finding_id,
        number: finding.number,
        severity: finding.severity,
        category: finding.category.clone(),
        description: finding.description.clone(),
        basis: finding.basis.clone(),
        demand: finding.demand.clone(),
        responsible_unit_name: finding.responsible_unit_name.clone(),
        state: ItemState::Closed,
        deadline_id: id("deadline"),
        due_on,
        due_at: closed_at,
        provisional: false,
        first_due_on: due_on,
        reported_at: Some(closed_at),
        report: Some("已清理".to_owned()),
        late: false,
        verified_at: Some(closed_at),
        verified_by: Some("督学0001".to_owned()),
        closed_at: Some(closed_at),
        returned: 0,
        urging_order_no: None,
        phase: Phase::LookBackDue,
        plan_due_on: None,
        extensions: 0,
        reopened: 0,
        ladder_level: 0,
    };
    let rectification = RectificationSnapshot {
        rectification_id: Rectification::id_of(letter.letter_id),
        version: 9,
        case_id: letter.case_id,
        letter_id: letter.letter_id,
        letter: letter.document,
        case_title: letter.case_title,
        supervision_kind: letter.supervision_kind,
        visited_on: letter.visited_on,
        unit: letter.unit,
        received_at: at("2026-02-06T01:00:00Z"),
        closed_at: Some(closed_at),
        items: vec![item],
        urging_orders: Vec::new(),
        paused_until: None,
        steps: Vec::new(),
        requests: Vec::new(),
        liable_for: None,
        department_case: None,
    };
    let visit_by = at("2026-06-30T16:00:00Z");
    RectificationChanged { rectification, change: Change::LookBackDue { item_id, visit_by } }
}

/// A plan, a case with group, notice and evidence, and something that people must do.
async fn tasks(ground: Ground) -> Room {
    let database = Database::new(&[&messaging::MIGRATOR, &tasks::MIGRATOR]).await;
    database.set_clock(at("2026-02-05T02:00:00Z")).await;
    let kit = testkit::kit("tasks", &database).await;
    let section = tasks::config::RulebookSection { folder: rulebook(), policy: "hainan-2021".to_owned() };
    apply(&database, &tasks::consume::RegistryCopies, &areas(&ground)).await;
    apply(&database, &tasks::consume::RegistryCopies, &units(&ground)).await;
    let people: Vec<PersonId> = (1..=3).map(|n| id(&format!("inspector {n}"))).collect();
    for (n, person_id) in (1..).zip(&people) {
        let inspector = InspectorRecorded {
            person_id: *person_id,
            version: 1,
            inspector_no: format!("HN-{n:04}"),
            name: format!("督学{n:04}"),
            area_path: ground.path(),
            full_time: true,
            grade: None,
            term_from: "2025-01-01".parse().unwrap(),
            term_to: "2027-12-31".parse().unwrap(),
            training_hours: 48,
            suspended: false,
        };
        apply(&database, &tasks::consume::RegistryCopies, &[envelope(&inspector)]).await;
    }
    let assembled = tasks::build(&section, kit.clone()).await.unwrap();
    let mut room = open_room("tasks", assembled, &kit, ground, BTreeMap::new());
    let admin = ground.admin();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    let post = async |path: &str, version: Option<i64>, body: Value| {
        let mut call = Call::post(path, &body).by(&admin);
        if let Some(version) = version {
            call = call.header("If-Match", &format!("\"{version}\""));
        }
        let answer = call.send(&room.router).await;
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.bytes));
        answer.json
    };
    let plan = json!({"year": 2026, "title": "年度督导计划", "items": [{"supervision_kind": "special", "matter": "校园安全",
        "target_unit_ids": [ground.school], "window_from": "2026-03-01", "window_to": "2026-04-30"}]});
    let plan = post("/v1/plans", None, plan).await;
    let case = json!({"supervision_kind": "special", "title": "校园安全专项督导", "unit_id": ground.school,
        "matters": ["校园安全"], "visit_on": "2026-03-10"});
    let case = post("/v1/cases", None, case).await;
    let case_path = format!("/v1/cases/{}", text(&case, "case_id"));
    let members: Vec<Value> = people
        .iter()
        .enumerate()
        .map(|(n, person)| json!({"person_id": person, "leader": n == 0, "recusals": []}))
        .collect();
    let case = post(&format!("{case_path}/team"), case["version"].as_i64(), json!({"members": members})).await;
    let case = post(&format!("{case_path}/notify"), case["version"].as_i64(), json!({})).await;
    let pdf = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n\
               %PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n\r\n--x--\r\n";
    let evidence = Call::new(http::Method::POST, &format!("{case_path}/evidence"))
        .body("multipart/form-data; boundary=x", pdf.as_bytes().to_vec())
        .header("Idempotency-Key", &Uuid::new_v4().to_string())
        .by(&admin)
        .send(&room.router)
        .await
        .expect(StatusCode::CREATED);
    apply(&database, &tasks::consume::Assignments, &[envelope(&look_back(&ground))]).await;
    let things = BTreeMap::from([
        ("assignment_id", one(&database, "SELECT assignment_id::text FROM assignments").await),
        ("plan_id", text(&plan, "plan_id")),
        ("case_id", text(&case, "case_id")),
        ("person_id", people[0].to_string()),
        ("document_id", text(&case["notification"]["document"], "document_id")),
        ("sha256", text(&evidence.json["items"][0], "sha256")),
    ]);
    room.things = things;
    room
}

const AREAS: &[&[&str]] = &[
    &["代码", "名称", "上级代码", "层级", "生效日期"],
    &["460000", "海南省", "", "province", "2021-04-15"],
    &["460100", "海口市", "460000", "county_unit", "2021-04-15"],
    &["460200", "三亚市", "460000", "county_unit", "2021-04-15"],
];
const UNITS: &[&[&str]] = &[
    &["单位键", "名称", "类别", "所属区划代码", "统一社会信用代码", "主管单位键", "生效日期"],
    &["office-460100", "海口市人民政府教育督导委员会办公室", "supervision_agency", "460100", "", "", "2021-04-15"],
    &["edu-460100", "海口市教育局", "education_bureau", "460100", "", "", "2021-04-15"],
];
const SCHOOLS: &[&[&str]] = &[
    &[
        "学校标识码",
        "名称",
        "学校类别",
        "所在区划代码",
        "举办者",
        "统一社会信用代码",
        "在校生数",
        "主管单位键",
        "生效日期",
    ],
    &["2146000001", "海口市第一小学", "小学", "460100", "公办", "", "1200", "edu-460100", "2021-04-15"],
    &["2146000003", "三亚市第一小学", "小学", "460200", "公办", "", "", "", "2021-04-15"],
];
const INSPECTORS: &[&[&str]] = &[
    &["督学编号", "姓名", "所属区划代码", "专兼职", "级别", "聘期起", "聘期止", "年度培训学时"],
    &["HN-0001", "督学0001", "460100", "专职", "市县级", "2024-09-01", "2027-08-31", "48"],
];
const ACCOUNTS: &str = "\u{feff}账号,显示名,角色,区划代码,单位,督学编号,邮箱,语言
principal.1,海口市第一小学校长,unit_principal,460100,2146000001,,p1@hainan.example,zh-CN
";

fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, rows) in [("行政区划", AREAS), ("部门", UNITS), ("学校", SCHOOLS), ("督学", INSPECTORS)] {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name).unwrap();
        for (row, cells) in (0_u32..).zip(rows) {
            for (column, cell) in (0_u16..).zip(*cells).filter(|(_, cell)| !cell.is_empty()) {
                sheet.write_string(row, column, *cell).unwrap();
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// A small province, imported; its identifiers are the register's own.
async fn registry() -> Room {
    let database = Database::new(&[&messaging::MIGRATOR, &registry::MIGRATOR]).await;
    let kit = testkit::kit("registry", &database).await;
    let state = registry::AppState::try_new(
        database.handle(),
        kit.clock.clone(),
        kit.ids.clone(),
        testkit::issuer(),
        registry::FileLimits::default(),
        [],
    )
    .unwrap();
    let bootstrap = registry::BootstrapSection {
        login: "operator".to_owned(),
        display_name: "系统初始管理员".to_owned(),
        password_file: secret("first start of the test"),
        province_code: "460000".to_owned(),
        province_name: "海南省".to_owned(),
    };
    registry::first_start(&state, &bootstrap).await.unwrap();
    let province: Uuid = one(&database, "SELECT area_id::text FROM areas").await.parse().unwrap();
    let assembled = registry::assembled(kit.access.clone(), state);
    let mut room = open_room("registry", assembled, &kit, Ground::here(), BTreeMap::new());
    let importer = testkit::caller(Role::ProvinceOfficeAdmin, Some(province.into()), None);
    for (kind, name, bytes) in
        [("province", "small.xlsx", workbook()), ("accounts", "accounts.csv", ACCOUNTS.as_bytes().to_vec())]
    {
        let mut body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\n{kind}\r\n--x\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        )
        .into_bytes();
        body.extend(bytes);
        body.extend_from_slice(b"\r\n--x--\r\n");
        let report = Call::new(http::Method::POST, "/v1/imports")
            .body("multipart/form-data; boundary=x", body)
            .header("Idempotency-Key", &Uuid::new_v4().to_string())
            .by(&importer)
            .send(&room.router)
            .await
            .expect(StatusCode::CREATED);
        assert_eq!(report.json["rejected"], json!([]), "{name}");
    }
    let area = async |code: &'static str| -> AreaId {
        let found: Uuid = sqlx::query_scalar("SELECT area_id FROM areas WHERE code = $1")
            .bind(code)
            .fetch_one(database.pool())
            .await
            .unwrap();
        found.into()
    };
    let unit = async |key: &'static str| -> UnitId {
        let found: Uuid = sqlx::query_scalar("SELECT unit_id FROM units WHERE key = $1")
            .bind(key)
            .fetch_one(database.pool())
            .await
            .unwrap();
        found.into()
    };
    let account = one(&database, "SELECT account_id::text FROM accounts WHERE login = 'principal.1'").await;
    let merger = "INSERT INTO area_mergers (merger_id, version, area_id, into_area_id, effective_on, ground, state,
                                            announced_by, announced_at, changed_at)
                  SELECT gen_random_uuid(), 1, a.area_id, b.area_id, '2099-01-01', '批复', 'announced', '省', now(), now()
                  FROM areas a, areas b WHERE a.code = '460200' AND b.code = '460100' RETURNING merger_id::text";
    let merger = one(&database, merger).await;
    room.ground = Ground {
        province: province.into(),
        county: area("460100").await,
        other_county: area("460200").await,
        office: unit("office-460100").await,
        bureau: unit("edu-460100").await,
        school: unit("2146000001").await,
        other_school: unit("2146000003").await,
        principal: account.parse().unwrap(),
    };
    room.things = BTreeMap::from([
        ("unit_id", room.ground.school.to_string()),
        ("key", "2146000001".to_owned()),
        ("account_id", account),
        ("merger_id", merger),
        ("person_id", one(&database, "SELECT person_id::text FROM inspectors").await),
        ("import_id", one(&database, "SELECT import_id::text FROM imports LIMIT 1").await),
    ]);
    room
}
