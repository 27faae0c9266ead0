//! A small province, the service in process, and the people who use it.

use std::sync::Arc;
use std::time::Duration;

use ::access::{Caller, Grant, Role, RouteAccess};
use axum::Router;
use contracts::notifications::ReceiptSigned;
use contracts::registry::{AreaLevel, AreaRecorded, InspectorRecorded, UnitKind, UnitRecorded};
use contracts::shared::DocumentKind;
use domain::code::{SchoolCode, SchoolKind};
use domain::ids::{AccountId, AreaId, DocumentId, PersonId, ReceiptId, UnitId};
use http::StatusCode;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use messaging::{ApplyError, Handler as _};
use serde_json::{Value, json};
use service_kit::config::HttpSection;
use service_kit::{Kit, routes_of};
use tasks::config::RulebookSection;
use tasks::consume::{Receipts, RegistryCopies};
use tasks::rules::Rules;
use testkit::{Answer, Call, envelope};
use uuid::Uuid;

/// Monday, 09:00 in Hainan; the service starts its legal time here.
pub fn start() -> Timestamp {
    "2026-03-02T01:00:00Z".parse().unwrap()
}

pub struct World {
    pub database: testkit::Database,
    pub router: Router,
    pub listing: Vec<RouteAccess>,
    pub rules: Arc<Rules>,
    pub kit: Kit,
    pub province: AreaId,
    pub haikou: AreaId,
    pub sanya: AreaId,
    pub office: UnitId,
    pub haikou_office: UnitId,
    pub haikou_government: UnitId,
    pub haikou_bureau: UnitId,
    pub sanya_office: UnitId,
    pub school: UnitId,
    pub sanya_school: UnitId,
    pub university: UnitId,
    pub inspectors: Vec<PersonId>,
    pub expired: PersonId,
    pub suspended: PersonId,
    pub untrained: PersonId,
    pub admin: Caller,
    pub desk: Caller,
    pub county_admin: Caller,
    pub sanya_admin: Caller,
    pub principal: Caller,
    pub contact: Caller,
    pub sanya_principal: Caller,
    pub bureau_officer: Caller,
    pub inspector: Caller,
    pub stranger: Caller,
    pub auditor: Caller,
    folder: std::path::PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn rulebook() -> RulebookSection {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
    RulebookSection { folder, policy: "hainan-2021".to_owned() }
}

fn new_id<T: From<Uuid>>() -> T {
    // Version 5 over a counter: tests need identities that differ, not their order.
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes()).into()
}

pub fn area(id: AreaId, code: &str, name: &str, level: AreaLevel, path: &[AreaId]) -> AreaRecorded {
    AreaRecorded {
        area_id: id,
        version: 1,
        code: code.to_owned(),
        name: name.to_owned(),
        level,
        path: path.to_vec(),
        effective_on: date(2021, 1, 1),
    }
}

pub fn unit(id: UnitId, key: &str, name: &str, kind: UnitKind, path: &[AreaId], code: &str) -> UnitRecorded {
    let county = code != "460000";
    UnitRecorded {
        unit_id: id,
        version: 1,
        key: key.to_owned(),
        school_code: (kind == UnitKind::School).then(|| key.to_owned()),
        name: name.to_owned(),
        kind,
        area_path: path.to_vec(),
        area_code: code.to_owned(),
        county_code: county.then(|| code.to_owned()),
        county_name: county.then(|| if code == "460100" { "海口市".to_owned() } else { "三亚市".to_owned() }),
        competent_unit_id: None,
        private: false,
        students: None,
    }
}

pub fn inspector(id: PersonId, no: u32, path: &[AreaId]) -> InspectorRecorded {
    InspectorRecorded {
        person_id: id,
        version: 1,
        inspector_no: format!("HN-{no:04}"),
        name: format!("督学{no:04}"),
        area_path: path.to_vec(),
        full_time: no.is_multiple_of(2),
        grade: Some("市县级".to_owned()),
        term_from: date(2025, 1, 1),
        term_to: date(2027, 12, 31),
        training_hours: 40,
        suspended: false,
    }
}

fn grant(role: Role, area_id: Option<AreaId>, unit_id: Option<UnitId>) -> Caller {
    testkit::caller(role, area_id, unit_id)
}

impl World {
    pub async fn new() -> Self {
        let database = testkit::Database::new(&[&messaging::MIGRATOR, &tasks::MIGRATOR]).await;
        database.set_clock(start()).await;
        service_kit::install_crypto();
        let folder = std::env::temp_dir()
            .join(format!("dudao-tasks-{}", new_id::<UnitId>()))
            .join(std::process::id().to_string());
        let kit = Kit {
            name: "tasks",
            database: database.handle(),
            broker: testkit::broker().await,
            access: testkit::access(),
            http: service_kit::http_client::client(&service_kit::http_client::HttpClientOptions {
                allowed_hosts: Vec::new(),
                allow_private_addresses: false,
                connect_timeout: Duration::from_secs(1),
                timeout: Duration::from_secs(1),
                authority_file: None,
            })
            .unwrap(),
            clock: Arc::new(service_kit::clock::SystemClock),
            ids: Arc::new(service_kit::ids::SystemIds),
            files: service_kit::files::Files::in_folder(&folder).unwrap(),
            metrics: service_kit::telemetry::Metrics::new("tasks").unwrap(),
        };
        let rules = Arc::new(Rules::load(&rulebook()).unwrap());
        let mut assembled = tasks::build(&rulebook(), kit.clone()).await.unwrap();
        let http = HttpSection {
            listen: "127.0.0.1:0".parse().unwrap(),
            operations_listen: None,
            max_body_bytes: 16 * 1024 * 1024,
            request_timeout_seconds: 60,
            drain_seconds: 1,
        };
        let router = routes_of(&mut assembled, &kit, &http, Arc::new([]));
        let listing = assembled.listing().to_vec();

        let (province, haikou, sanya): (AreaId, AreaId, AreaId) = (new_id(), new_id(), new_id());
        let (office, haikou_office, haikou_government, haikou_bureau, sanya_office): (
            UnitId,
            UnitId,
            UnitId,
            UnitId,
            UnitId,
        ) = (new_id(), new_id(), new_id(), new_id(), new_id());
        let (school, sanya_school, university): (UnitId, UnitId, UnitId) = (new_id(), new_id(), new_id());
        let inspectors: Vec<PersonId> = (0..4).map(|_| new_id()).collect();
        let (expired, suspended, untrained): (PersonId, PersonId, PersonId) = (new_id(), new_id(), new_id());
        let mut inspector_caller = grant(Role::Inspector, Some(haikou), None);
        inspector_caller.person_id = Some(inspectors[0]);
        let world = Self {
            admin: grant(Role::ProvinceOfficeAdmin, Some(province), Some(office)),
            desk: grant(Role::DeskOfficer, Some(haikou), Some(haikou_office)),
            county_admin: grant(Role::CountyOfficeAdmin, Some(haikou), Some(haikou_office)),
            sanya_admin: grant(Role::CountyOfficeAdmin, Some(sanya), Some(sanya_office)),
            principal: grant(Role::UnitPrincipal, None, Some(school)),
            contact: grant(Role::UnitContact, None, Some(school)),
            sanya_principal: grant(Role::UnitPrincipal, None, Some(sanya_school)),
            bureau_officer: grant(Role::CompetentDepartmentOfficer, None, Some(haikou_bureau)),
            inspector: inspector_caller,
            stranger: grant(Role::Inspector, Some(haikou), None),
            auditor: grant(Role::Auditor, Some(haikou), None),
            database,
            router,
            listing,
            rules,
            kit,
            province,
            haikou,
            sanya,
            office,
            haikou_office,
            haikou_government,
            haikou_bureau,
            sanya_office,
            school,
            sanya_school,
            university,
            inspectors,
            expired,
            suspended,
            untrained,
            folder,
        };
        world.seed().await;
        world
    }

    async fn seed(&self) {
        let (p, h, s) = (self.province, self.haikou, self.sanya);
        self.registry(&area(p, "460000", "海南省", AreaLevel::Province, &[p])).await;
        self.registry(&area(h, "460100", "海口市", AreaLevel::CountyUnit, &[p, h])).await;
        self.registry(&area(s, "460200", "三亚市", AreaLevel::CountyUnit, &[p, s])).await;
        let agency = UnitKind::SupervisionAgency;
        let units = [
            unit(self.office, "office-460000", "海南省人民政府教育督导委员会办公室", agency, &[p], "460000"),
            unit(self.haikou_office, "office-460100", "海口市人民政府教育督导委员会办公室", agency, &[p, h], "460100"),
            unit(self.sanya_office, "office-460200", "三亚市人民政府教育督导委员会办公室", agency, &[p, s], "460200"),
            unit(self.haikou_government, "gov-460100", "海口市人民政府", UnitKind::Government, &[p, h], "460100"),
            unit(self.haikou_bureau, "edu-460100", "海口市教育局", UnitKind::EducationBureau, &[p, h], "460100"),
        ];
        for unit in &units {
            self.registry(unit).await;
        }
        let school_code = |kind, serial| SchoolCode::try_new(kind, 46, serial).unwrap().to_string();
        let primary = school_code(SchoolKind::Primary, 1);
        let mut school = unit(self.school, &primary, "海口市第一小学", UnitKind::School, &[p, h], "460100");
        school.competent_unit_id = Some(self.haikou_bureau);
        school.students = Some(1200);
        self.registry(&school).await;
        let primary = school_code(SchoolKind::Primary, 2);
        self.registry(&unit(self.sanya_school, &primary, "三亚市第一小学", UnitKind::School, &[p, s], "460200")).await;
        let higher = school_code(SchoolKind::RegularHigher, 3);
        self.registry(&unit(self.university, &higher, "海南某大学", UnitKind::School, &[p, h], "460100")).await;
        for (no, person) in (1..).zip(&self.inspectors) {
            self.registry(&inspector(*person, no, &[p, h])).await;
        }
        let mut expired = inspector(self.expired, 11, &[p, h]);
        expired.term_to = date(2026, 1, 31);
        self.registry(&expired).await;
        let mut suspended = inspector(self.suspended, 12, &[p, h]);
        suspended.suspended = true;
        self.registry(&suspended).await;
        let mut untrained = inspector(self.untrained, 13, &[p, h]);
        untrained.training_hours = 39;
        self.registry(&untrained).await;
    }

    /// Applies an event of registry as the consumer does.
    pub async fn registry<E: contracts::Event>(&self, event: &E) {
        let mut tx = self.database.begin().await.unwrap();
        RegistryCopies.apply(&mut tx, &envelope(event, start())).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The signature of a unit for a document, as the consumer applies it.
    pub async fn sign(&self, document: &Value, unit: UnitId) -> Result<(), ApplyError> {
        let mut tx = self.database.begin().await.unwrap();
        let signed = self.signature(document, unit, tx.at());
        Receipts { rules: Arc::clone(&self.rules) }.apply(&mut tx, &envelope(&signed, start())).await?;
        tx.commit().await.unwrap();
        Ok(())
    }

    pub fn signature(&self, document: &Value, unit: UnitId, at: Timestamp) -> ReceiptSigned {
        ReceiptSigned {
            receipt_id: new_id::<ReceiptId>(),
            version: 1,
            document_id: document["document_id"].as_str().unwrap().parse::<DocumentId>().unwrap(),
            document_kind: serde_json::from_value::<DocumentKind>(document["kind"].clone()).unwrap(),
            unit_id: unit,
            signed_at: at,
            signed_by: new_id::<AccountId>(),
            signer_name: "海口市第一小学负责人".to_owned(),
        }
    }

    pub async fn days_later(&self, days: i64) {
        self.database.move_clock(SignedDuration::from_hours(24 * days)).await;
    }

    pub async fn now(&self) -> Timestamp {
        self.database.begin().await.unwrap().at()
    }

    pub async fn get(&self, path: &str, by: &Caller) -> Answer {
        Call::get(path).by(by).send(&self.router).await
    }

    pub async fn post(&self, path: &str, body: &Value, by: &Caller) -> Answer {
        Call::post(path, body).by(by).send(&self.router).await
    }

    pub fn new_case(&self, unit: UnitId) -> Value {
        json!({
            "supervision_kind": "special", "title": "2026年春季校园安全专项督导", "unit_id": unit,
            "matters": ["校园安全"], "visit_on": "2026-03-10",
        })
    }

    /// A case of the Haikou office at the school.
    pub async fn case(&self) -> CaseHandle<'_> {
        self.case_of(&self.county_admin, self.new_case(self.school)).await
    }

    pub async fn case_of(&self, by: &Caller, body: Value) -> CaseHandle<'_> {
        let answer = self.post("/v1/cases", &body, by).await.expect(StatusCode::CREATED);
        let id = answer.json["case_id"].as_str().unwrap().to_owned();
        CaseHandle { world: self, id, office: by.clone() }
    }

    pub fn team(&self) -> Value {
        let members: Vec<Value> = self
            .inspectors
            .iter()
            .take(3)
            .enumerate()
            .map(|(n, person)| json!({"person_id": person, "leader": n == 0, "recusals": []}))
            .collect();
        json!({ "members": members })
    }

    pub fn finding(&self) -> Value {
        json!({
            "severity": "major", "category": "安全管理", "description": "教学楼东侧安全出口堵塞",
            "basis": "《中小学幼儿园安全管理办法》第二十条", "demand": "立即清理并建立巡查制度", "advice": "每周自查",
            "responsible_unit_id": self.school,
        })
    }
}

/// A case under test.
pub struct CaseHandle<'a> {
    pub world: &'a World,
    pub id: String,
    pub office: Caller,
}

impl CaseHandle<'_> {
    pub fn path(&self, step: &str) -> String {
        format!("/v1/cases/{}/{step}", self.id)
    }

    pub async fn get(&self, by: &Caller) -> Answer {
        self.world.get(&format!("/v1/cases/{}", self.id), by).await
    }

    pub async fn see(&self) -> Value {
        self.get(&self.office).await.expect(StatusCode::OK).json
    }

    /// A POST on the present version.
    pub async fn step(&self, step: &str, body: &Value, by: &Caller) -> Answer {
        let version = self.see().await["version"].as_i64().unwrap();
        Call::post(&self.path(step), body)
            .header("If-Match", &format!("\"{version}\""))
            .by(by)
            .send(&self.world.router)
            .await
    }

    /// A step by the office that must succeed.
    pub async fn done(&self, step: &str, body: &Value) -> Value {
        let answer = self.step(step, body, &self.office.clone()).await;
        assert!(answer.status.is_success(), "{step}: {}", String::from_utf8_lossy(&answer.bytes));
        answer.json
    }

    /// A step by the office that the named guard must refuse.
    pub async fn refused(&self, step: &str, body: &Value, guard: &str) -> Value {
        let answer = self.step(step, body, &self.office.clone()).await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert_eq!(answer.status, StatusCode::CONFLICT, "{step}: {text}");
        assert_eq!(answer.json["guard"], guard, "{step}: {text}");
        assert!(answer.json["current_state"].is_string(), "{text}");
        answer.json
    }

    pub async fn team_and_notice(&self) {
        self.done("team", &self.world.team()).await;
        self.done("notify", &json!({})).await;
    }

    pub async fn visit_body(&self) -> Value {
        let now = self.world.now().await;
        json!({
            "arrived_at": now - SignedDuration::from_hours(3), "left_at": now - SignedDuration::from_hours(1),
            "place": "海口市第一小学", "matters": ["校园安全"], "methods": ["实地查看", "查阅资料"],
            "highlights": "安全教育有计划", "problems": "出口堵塞",
        })
    }

    pub async fn hear_all(&self) {
        for group in ["students", "parents", "teachers"] {
            let body = json!({"group": group, "how_drawn": "从名册中随机抽取", "points": ["希望改善课间秩序"], "participants": 8, "questionnaires": 30});
            self.done("hearings", &body).await;
        }
    }

    /// From the team to the fed back opinion with one finding; the clock stands eight days later.
    pub async fn until_feedback(&self) -> Value {
        self.team_and_notice().await;
        self.world.days_later(8).await;
        let visit = self.visit_body().await;
        self.done("visit-records", &visit).await;
        self.hear_all().await;
        self.done("findings", &self.world.finding()).await;
        self.done("feedback", &opinion()).await
    }

    /// The unit signs for the preliminary opinion.
    pub async fn until_pleading(&self) {
        let case = self.until_feedback().await;
        self.world.sign(&case["preliminary_opinion"]["document"], self.world.school).await.unwrap();
    }
}

pub fn opinion() -> Value {
    json!({"evaluation": "学校总体重视安全工作，但安全出口管理不到位。", "deliberation": "督导小组评议，一致同意。"})
}

pub fn letter() -> Value {
    json!({"evaluation": "学校总体重视安全工作，但安全出口管理不到位，应限期整改。"})
}

/// The caller with one grant more.
pub fn with_grant(mut caller: Caller, role: Role, area_id: Option<AreaId>, unit_id: Option<UnitId>) -> Caller {
    caller.grants.push(Grant { role, area_id, unit_id });
    caller
}
