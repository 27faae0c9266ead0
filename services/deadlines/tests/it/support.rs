//! A letter to a school, its receipt, and the people around it.

use std::path::Path;
use std::sync::Arc;

use access::{Caller, Role};
use axum::Router;
use contracts::Event;
use contracts::deadlines::RectificationChanged;
use contracts::notifications::ReceiptSigned;
use contracts::registry::{UnitKind, UnitRecorded};
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::{FindingFact, LetterIssued, SupervisionKind};
use deadlines::RuleSet;
use deadlines::config::RulebookSection;
use deadlines::consume::Intake;
use deadlines::firing::Firing;
use domain::ids::{AreaId, RectificationId, UnitId};
use domain::rectification::Rectification;
use domain::severity::Severity;
use jiff::Timestamp;
use messaging::{ApplyError, Handler};
use serde_json::{Value, json};
use testkit::{Answer, Call, Database};
use uuid::Uuid;

pub struct World {
    pub database: Database,
    pub router: Router,
    pub rules: Arc<RuleSet>,
    pub province: AreaId,
    pub county: AreaId,
    pub office: UnitId,
    pub bureau: UnitId,
    pub school: UnitId,
    pub principal: Caller,
    pub department: Caller,
    pub inspector: Caller,
    pub admin: Caller,
    pub second_admin: Caller,
    pub desk: Caller,
    pub chair: Caller,
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

impl World {
    pub async fn new() -> Self {
        let database = Database::new(&[&messaging::MIGRATOR, &deadlines::MIGRATOR]).await;
        let kit = testkit::kit("deadlines", &database).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
        let section = RulebookSection { folder, policy: "hainan-2021".to_owned() };
        let router = testkit::router(deadlines::build(&section, &kit).unwrap(), &kit);
        let (province, county): (AreaId, AreaId) = (id(), id());
        let (school, bureau): (UnitId, UnitId) = (id(), id());
        let of_county = |role| testkit::caller(role, Some(county), None);
        let world = Self {
            router,
            rules: Arc::new(RuleSet::load(&section).unwrap()),
            province,
            county,
            office: id(),
            bureau,
            school,
            principal: testkit::caller(Role::UnitPrincipal, None, Some(school)),
            department: testkit::caller(Role::CompetentDepartmentOfficer, None, Some(bureau)),
            inspector: of_county(Role::Inspector),
            admin: of_county(Role::CountyOfficeAdmin),
            second_admin: of_county(Role::CountyOfficeAdmin),
            desk: of_county(Role::DeskOfficer),
            chair: of_county(Role::CommitteeChair),
            database,
        };
        world.hear(&world.agency()).await.unwrap();
        world
    }

    pub fn agency(&self) -> UnitRecorded {
        UnitRecorded {
            unit_id: self.office,
            version: 1,
            key: "office-460100".to_owned(),
            school_code: None,
            name: "海口市人民政府教育督导委员会办公室".to_owned(),
            kind: UnitKind::SupervisionAgency,
            area_path: vec![self.province, self.county],
            area_code: "460100".to_owned(),
            county_code: Some("460100".to_owned()),
            county_name: Some("海口市".to_owned()),
            competent_unit_id: None,
            private: false,
            students: None,
        }
    }

    pub fn letter(&self, serial: u32, severities: &[Severity]) -> LetterIssued {
        let letter_id: Uuid = id();
        LetterIssued {
            letter_id: letter_id.into(),
            version: 1,
            case_id: id(),
            document: DocumentRef {
                document_id: letter_id.into(),
                kind: DocumentKind::OpinionLetter,
                doc_no: format!("海口教督委意〔2026〕{serial}号"),
                title: "督导意见书".to_owned(),
                issuing_unit_id: self.office,
                issuing_unit_name: "海口市人民政府教育督导委员会办公室".to_owned(),
                issued_at: at("2026-02-05T01:00:00Z"),
                content_sha256: "5d".repeat(32),
            },
            case_title: "2026年春季校园安全专项督导".to_owned(),
            supervision_kind: SupervisionKind::Special,
            visited_on: "2026-01-20".parse().unwrap(),
            unit: UnitRef {
                unit_id: self.school,
                name: "海口市测试小学".to_owned(),
                code: Some("2146000001".to_owned()),
                area_path: vec![self.province, self.county],
                county_code: Some("460100".to_owned()),
                county_name: Some("海口市".to_owned()),
                competent_unit_id: Some(self.bureau),
                competent_unit_name: Some("海口市教育局".to_owned()),
            },
            evaluation: "总体较好".to_owned(),
            findings: (1..)
                .zip(severities)
                .map(|(number, severity)| FindingFact {
                    finding_id: id(),
                    number,
                    severity: *severity,
                    category: "安全管理".to_owned(),
                    description: format!("第{number}个问题"),
                    basis: "《教育督导条例》第十一条".to_owned(),
                    demand: "限期整改".to_owned(),
                    advice: String::new(),
                    responsible_unit_id: self.school,
                    responsible_unit_name: "海口市测试小学".to_owned(),
                })
                .collect(),
            issued_at: at("2026-02-05T01:00:00Z"),
            content: String::new(),
        }
    }

    pub fn receipt(&self, letter: &LetterIssued, signed_at: Timestamp) -> ReceiptSigned {
        ReceiptSigned {
            receipt_id: id(),
            version: 1,
            document_id: letter.document.document_id,
            document_kind: DocumentKind::OpinionLetter,
            unit_id: self.school,
            signed_at,
            signed_by: self.principal.account_id,
            signer_name: "测试校长".to_owned(),
        }
    }

    /// Delivers an event in a transaction of its own, as the consumer does.
    pub async fn hear<E: Event>(&self, event: &E) -> Result<(), ApplyError> {
        let intake = Intake { rules: Arc::clone(&self.rules) };
        let mut tx = self.database.begin().await?;
        intake.apply(&mut tx, &testkit::envelope(event, Timestamp::now())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A rectification that began at the instant.
    pub async fn open(&self, serial: u32, severities: &[Severity], received_at: &str) -> RectificationId {
        let letter = self.letter(serial, severities);
        self.hear(&letter).await.unwrap();
        self.hear(&self.receipt(&letter, at(received_at))).await.unwrap();
        Rectification::id_of(letter.letter_id)
    }

    pub fn firing(&self) -> Firing {
        Firing::new(self.database.handle(), Arc::clone(&self.rules))
    }

    pub async fn fire_at(&self, instant: &str) -> usize {
        // The transaction of an act that was refused may still be rolling back, and the firing passes over what is locked.
        let mut settled = self.database.pool().begin().await.unwrap();
        sqlx::query("SELECT FROM rectifications FOR UPDATE").execute(&mut *settled).await.unwrap();
        settled.rollback().await.unwrap();
        self.database.set_clock(at(instant)).await;
        self.firing().fire_batch().await.unwrap()
    }

    pub async fn view(&self, rectification_id: RectificationId) -> Value {
        let answer =
            Call::get(&format!("/v1/rectifications/{rectification_id}")).by(&self.admin).send(&self.router).await;
        answer.expect(http::StatusCode::OK).json
    }

    /// Legal time stands still at the instant, to the microsecond.
    pub async fn freeze(&self, instant: Timestamp) {
        // The function has no parameters, and this database is the test's own.
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "CREATE OR REPLACE FUNCTION messaging.legal_now() RETURNS timestamptz LANGUAGE sql VOLATILE
             AS $$ SELECT '{instant}'::timestamptz $$"
        )))
        .execute(self.database.pool())
        .await
        .unwrap();
    }

    /// Uploads a picture as evidence and returns its identifier.
    pub async fn evidence(&self, rectification_id: RectificationId) -> String {
        self.evidence_by(rectification_id, &self.principal).await
    }

    pub async fn evidence_by(&self, rectification_id: RectificationId, by: &Caller) -> String {
        let boundary = "dudao-test";
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"整改后.png\"\r\nContent-Type: image/png\r\n\r\n"
        )
        .into_bytes();
        let picture = image::RgbImage::from_fn(8, 8, |x, y| {
            image::Rgb([u8::try_from(x * 30).unwrap(), u8::try_from(y * 30).unwrap(), 9])
        });
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        body.extend(png.into_inner());
        body.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
        let answer = Call::new(http::Method::POST, &format!("/v1/rectifications/{rectification_id}/evidence"))
            .body(&format!("multipart/form-data; boundary={boundary}"), body)
            .header("Idempotency-Key", &Uuid::now_v7().to_string())
            .by(by)
            .send(&self.router)
            .await;
        answer.expect(http::StatusCode::CREATED).json["file_id"].as_str().unwrap().to_owned()
    }

    /// An act on an item, decided on the view.
    pub fn act(rectification_id: RectificationId, view: &Value, item: usize, act: &str, body: &Value) -> Call {
        let item_id = view["rectification"]["items"][item]["item_id"].as_str().unwrap();
        Self::act_on_case(rectification_id, view, &format!("items/{item_id}/{act}"), body)
    }

    /// An act on the whole case, decided on the view.
    pub fn act_on_case(rectification_id: RectificationId, view: &Value, path: &str, body: &Value) -> Call {
        let version = view["rectification"]["version"].as_i64().unwrap();
        Call::post(&format!("/v1/rectifications/{rectification_id}/{path}"), body)
            .header("If-Match", &format!("\"{version}\""))
    }

    /// Somebody reads the case and acts on an item.
    pub async fn does(&self, by: &Caller, id: RectificationId, item: usize, act: &str, body: &Value) -> Answer {
        let view = self.view(id).await;
        Self::act(id, &view, item, act, body).by(by).send(&self.router).await
    }

    /// Somebody reads the case and acts on the whole of it.
    pub async fn does_to_case(&self, by: &Caller, id: RectificationId, path: &str, body: &Value) -> Answer {
        let view = self.view(id).await;
        Self::act_on_case(id, &view, path, body).by(by).send(&self.router).await
    }

    /// Somebody asks for something; returns the case and the request.
    pub async fn asks(&self, by: &Caller, id: RectificationId, body: &Value) -> (Value, String) {
        let view = self.does_to_case(by, id, "requests", body).await.expect(http::StatusCode::OK).json;
        let requests = view["rectification"]["requests"].as_array().unwrap();
        let request = requests.last().unwrap()["request_id"].as_str().unwrap().to_owned();
        (view, request)
    }

    pub async fn decides(&self, by: &Caller, id: RectificationId, request: &str, granted: bool) -> Answer {
        let body = json!({"granted": granted, "note": if granted { "同意" } else { "理由不足" }});
        self.does_to_case(by, id, &format!("requests/{request}/decision"), &body).await
    }

    pub async fn report(&self, rectification_id: RectificationId, item: usize) -> Value {
        self.report_by(&self.principal, rectification_id, item).await
    }

    pub async fn report_by(&self, by: &Caller, rectification_id: RectificationId, item: usize) -> Value {
        let evidence = self.evidence_by(rectification_id, by).await;
        let body = json!({"text": "已完成整改", "evidence": [evidence]});
        self.does(by, rectification_id, item, "report", &body).await.expect(http::StatusCode::OK).json
    }

    /// Reported and accepted by an inspector.
    pub async fn verified_by(&self, by: &Caller, rectification_id: RectificationId, item: usize) -> Value {
        self.report_by(by, rectification_id, item).await;
        let accept = json!({"decision": "accept", "note": "现场核查属实"});
        self.does(&self.inspector, rectification_id, item, "verify", &accept).await.expect(http::StatusCode::OK).json
    }

    pub async fn types(&self) -> Vec<String> {
        testkit::events(&self.database).await.into_iter().map(|event| event.event_type).collect()
    }

    pub async fn count(&self, event_type: &str) -> usize {
        self.types().await.iter().filter(|known| *known == event_type).count()
    }

    /// What happened to the case that has no event of its own.
    pub async fn changes(&self, rectification_id: RectificationId) -> Vec<&'static str> {
        testkit::events_of::<RectificationChanged>(&self.database)
            .await
            .iter()
            .filter(|event| event.rectification.rectification_id == rectification_id)
            .map(|event| event.change.key())
            .collect()
    }

    /// What is armed, as `kind@instant`, in order.
    pub async fn armed(&self, rectification_id: RectificationId) -> Vec<String> {
        let rows: Vec<(String, jiff_sqlx::Timestamp)> =
            sqlx::query_as("SELECT kind, due_at FROM timers WHERE rectification_id = $1 ORDER BY due_at, kind")
                .bind(Uuid::from(rectification_id))
                .fetch_all(self.database.pool())
                .await
                .unwrap();
        rows.into_iter().map(|(kind, due_at)| format!("{kind}@{}", due_at.to_jiff())).collect()
    }

    /// A minor finding on which the order's limit has passed too: the interview is proposed. Returns the proposal.
    pub async fn at_level_two(&self, rectification_id: RectificationId) -> String {
        self.fire_at("2026-03-05T16:00:00Z").await;
        self.fire_at("2026-03-06T16:00:00Z").await;
        self.fire_at("2026-03-13T16:00:00Z").await;
        let view = self.view(rectification_id).await;
        assert_eq!(view["rectification"]["steps"][0]["level"], 2, "{}", view["rectification"]);
        view["rectification"]["steps"][0]["proposal_id"].as_str().unwrap().to_owned()
    }
}
