//! The register of issued documents and the page of verification.

use access::Role;
use contracts::Event;
use contracts::deadlines::{ArmedStep, UrgingOrderIssued};
use contracts::shared::{DocumentKind, DocumentRef, RegisterEntry, VoidCause, Voiding};
use contracts::tasks::{DocumentIssued, DocumentVoided};
use documents::content::{Circular, Publication};
use documents::{Content, Frozen, Head, PaperState, Rendition, Templates, VerificationCode};
use domain::ids::{AreaId, DocumentId, UnitId};
use http::StatusCode;
use messaging::{Handler as _, JournalKey};
use publication::consume::Documents;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{Answer, Call};

use crate::support::{App, PORTAL, county, office, province, rectification, rendition_key, router, urged};

/// A document of a county's office, the n-th of its series.
pub fn document(serial: u32) -> DocumentRef {
    let doc_no = format!("海口教督委意〔2026〕{serial}号");
    DocumentRef {
        document_id: DocumentId::derived(&[&doc_no]),
        kind: DocumentKind::OpinionLetter,
        title: format!("关于海口市第{serial}小学的督导意见书"),
        issuing_unit_id: UnitId::derived(&["haikou"]),
        issuing_unit_name: "海口市人民政府教育督导委员会办公室".to_owned(),
        issued_at: format!("2026-09-{:02}T01:00:00Z", serial.min(28)).parse().unwrap(),
        content_sha256: hex::encode(Sha256::digest(doc_no.as_bytes())),
        doc_no,
    }
}

pub fn entry(document: DocumentRef) -> RegisterEntry {
    RegisterEntry {
        version: 1,
        kept_as: document.document_id.into(),
        document,
        area_path: vec![province(), county("460100")],
        open: false,
        content: None,
        voided: None,
    }
}

pub fn voided(entry: &RegisterEntry, replaced_by: Option<DocumentRef>) -> RegisterEntry {
    let voided = Voiding {
        at: "2026-10-09T02:00:00Z".parse().unwrap(),
        cause: VoidCause::WrongContent,
        reason: "内部理由：联系人写错".to_owned(),
        by: "海口市督导办管理员".to_owned(),
        replaced_by,
    };
    RegisterEntry { version: 2, voided: Some(voided), ..entry.clone() }
}

pub fn code(document: &DocumentRef) -> String {
    let mut digest = [0; 32];
    hex::decode_to_slice(&document.content_sha256, &mut digest).unwrap();
    VerificationCode::of_digest(&digest).to_string()
}

/// What the room that renders would say of a file.
pub fn statement(document: &DocumentRef, format: &str, state: PaperState, file: &[u8]) -> String {
    signed(document, format, state, file, rendition_key())
}

fn signed(document: &DocumentRef, format: &str, state: PaperState, file: &[u8], key: &JournalKey) -> String {
    let rendition = Rendition {
        content_sha256: document.content_sha256.clone(),
        format: format.to_owned(),
        state,
        file_sha256: hex::encode(Sha256::digest(file)),
    };
    format!("{rendition} {}", hex::encode(key.sign(rendition.to_string().as_bytes())))
}

impl App {
    /// Applies an event, as the register's consumer does.
    pub async fn enter<E: Event>(&self, event: &E) {
        let mut tx = self.database.begin().await.unwrap();
        let envelope = testkit::envelope(event, tx.at());
        Documents.apply(&mut tx, &envelope).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn hand_in(&self, statement: &str) -> Answer {
        let caller = testkit::caller(Role::UnitContact, None, Some(UnitId::derived(&["school"])));
        Call::new(http::Method::POST, "/v1/renditions")
            .json(&json!({ "rendition": statement }))
            .by(&caller)
            .send(&self.router)
            .await
    }

    async fn page(&self, path: &str, status: StatusCode) -> String {
        // A replica that starts now has nothing in its memory.
        let fresh = router(self.database.another_pool().await).await;
        let answer = Call::get(path).header("accept", "text/html").send(&fresh).await.expect(status);
        String::from_utf8(answer.bytes).unwrap()
    }

    async fn register(&self, query: &str) -> Value {
        self.get(&format!("/v1/document-register{query}"), &office()).await.expect(StatusCode::OK).json
    }
}

#[tokio::test]
async fn a_code_leads_to_what_is_registered_in_three_languages_and_to_no_more() {
    let app = App::new().await;
    let document = document(1);
    app.enter(&DocumentIssued(entry(document.clone()))).await;
    let code = code(&document);
    let typed = [code.clone(), code.to_lowercase().replace('-', ""), format!("%20{}%20", code.replace('0', "O"))];
    for typed in &typed {
        let page = app.page(&format!("/verify/{typed}"), StatusCode::OK).await;
        for shown in [
            "有效文书",
            &document.doc_no,
            "督导意见书",
            &document.issuing_unit_name,
            "2026年9月1日",
            &document.content_sha256,
            &code,
        ] {
            assert!(page.contains(shown), "{shown} in {typed}: {page}");
        }
        // Need-to-know: whom it is about and what it says is nobody else's business.
        assert!(!page.contains("海口市第1小学") && page.contains("不显示标题"), "{page}");
    }
    for (lang, words) in
        [("en", ["Genuine and in force", "Supervision opinion letter"]), ("zh-Hant", ["有效文書", "督導意見書"])]
    {
        let path = format!("/verify/{code}?lang={lang}");
        let page = app.page(&path, StatusCode::OK).await;
        assert!(page.contains(&format!("<html lang=\"{lang}\">")), "{page}");
        assert!(words.iter().all(|word| page.contains(word)), "{page}");
        let answer = app.browse(&path).await;
        assert_eq!(answer.headers["content-language"], lang);
    }
    // The form, as people fill it.
    let form = app.page("/verify", StatusCode::OK).await;
    assert!(form.contains("name=\"code\"") && !form.contains("<script"), "{form}");
    let found = app.browse(&format!("/verify?code={}", code.to_lowercase())).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(found.headers["location"], format!("/verify/{code}").as_str());
    let found = app.browse(&format!("/verify?code={code}&lang=en")).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(found.headers["location"], format!("/verify/{code}?lang=en").as_str());
    // What nobody issued, and what is no code.
    let unknown = app.page("/verify/0000-0000-0000", StatusCode::NOT_FOUND).await;
    assert!(unknown.contains("没有查到这个核验码") && unknown.contains("0000-0000-0000"), "{unknown}");
    for wrong in ["/verify/abc", "/verify?code=%3Cscript%3E", "/verify/1040-G208-104U"] {
        let page = app.page(wrong, StatusCode::NOT_FOUND).await;
        assert!(page.contains("核验码格式不正确") && !page.contains("<script"), "{page}");
    }
    // A document that is open by itself is called by its title.
    let mut open = entry(self::document(2));
    open.open = true;
    app.enter(&DocumentIssued(open.clone())).await;
    let page = app.page(&format!("/verify/{}", self::code(&open.document)), StatusCode::OK).await;
    assert!(page.contains(&open.document.title) && !page.contains("不显示标题"), "{page}");
}

/// A circular that is open to the public, with its frozen content.
pub fn circular() -> (RegisterEntry, Frozen) {
    let number = "海口教督委通〔2026〕1号";
    let body = Circular {
        attitude: None,
        bars: Vec::new(),
        demands: vec!["限期完成整改".to_owned()],
        facts: "逾期未完成消防通道整改 <b>".to_owned(),
        rectification_state: None,
        result: "予以通报".to_owned(),
        units: vec!["海口市第一小学".to_owned()],
    };
    let agency = "海口市人民政府教育督导委员会办公室".to_owned();
    let head = Head {
        publication: Some(Publication::Open),
        ..Head::new(number.parse().unwrap(), "关于整改不力情况的通报".to_owned(), agency, "2026-09-20".parse().unwrap())
    };
    let frozen = Content { body: body.into(), head, template: "2026-1".to_owned() }.freeze();
    let document = DocumentRef {
        kind: DocumentKind::Circular,
        title: frozen.content().head.title.clone(),
        doc_no: number.to_owned(),
        content_sha256: frozen.sha256(),
        ..document(9)
    };
    (RegisterEntry { open: true, content: Some(frozen.text().to_owned()), ..entry(document) }, frozen)
}

#[tokio::test]
async fn an_open_document_is_listed_and_says_what_it_says_and_no_other_does() {
    let app = App::new().await;
    let nothing = app.page("/documents", StatusCode::OK).await;
    assert!(nothing.contains("目前还没有公开的文书"), "{nothing}");
    let (issued, frozen) = circular();
    app.enter(&DocumentIssued(issued.clone())).await;
    // Not open: whoever sends its content, nothing of it is kept.
    let mut closed = entry(document(1));
    closed.content = issued.content.clone();
    app.enter(&DocumentIssued(closed.clone())).await;

    let path = format!("/verify/{}", code(&issued.document));
    for (query, heading) in [("", "公开文书"), ("?lang=zh-Hant", "公開文書"), ("?lang=en", "Open documents")] {
        let list = app.page(&format!("/documents{query}"), StatusCode::OK).await;
        assert!(list.contains(heading) && list.contains(&format!("href=\"{path}{query}\"")), "{list}");
        assert!(list.contains(&issued.document.title) && !list.contains(&closed.document.title), "{list}");
    }
    let page = app.page(&path, StatusCode::OK).await;
    assert!(page.contains("文书全文") && page.contains("逾期未完成消防通道整改 &#60;b&#62;"), "{page}");
    let text = app.browse(&format!("{path}/text")).await.expect(StatusCode::OK);
    assert_eq!(text.headers["content-type"], "text/plain; charset=utf-8");
    let text = String::from_utf8(text.bytes).unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook/documents");
    let templates = Templates::load(&folder).unwrap();
    let compose = |state| templates.version("2026-1").unwrap().compose(&frozen, state, Some(PORTAL)).unwrap().to_text();
    assert_eq!(text, compose(PaperState::Genuine));
    let path_of_closed = format!("/verify/{}", code(&closed.document));
    let page = app.page(&path_of_closed, StatusCode::OK).await;
    assert!(!page.contains("文书全文") && !page.contains("消防通道"), "{page}");
    app.browse(&format!("{path_of_closed}/text")).await.expect(StatusCode::NOT_FOUND);
    for wrong in ["/verify/nonsense/text", "/verify/0000-0000-0000/text", "/documents?page=0", "/documents?page=2"] {
        app.browse(wrong).await.expect(StatusCode::NOT_FOUND);
    }

    // Voided: it stays, and its text says so.
    app.enter(&DocumentVoided(voided(&issued, None))).await;
    testkit::wait_until("the text to say void", || async {
        String::from_utf8(app.browse(&format!("{path}/text")).await.bytes).unwrap() == compose(PaperState::Void)
    })
    .await;
}

#[tokio::test]
async fn the_page_runs_our_own_script_and_nothing_else_and_may_be_kept() {
    let app = App::new().await;
    let document = document(1);
    app.enter(&DocumentIssued(entry(document.clone()))).await;
    let path = format!("/verify/{}", code(&document));
    let answer = app.browse(&path).await.expect(StatusCode::OK);
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("connect-src"), "nothing can be sent anywhere: {policy}");
    assert_eq!(answer.headers["cache-control"], "public, max-age=60");
    let tag = answer.headers["etag"].to_str().unwrap().to_owned();
    let again = Call::get(&path).header("If-None-Match", &tag).send(&app.router).await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    let page = String::from_utf8(answer.bytes).unwrap();
    assert_eq!((page.matches("<script").count(), page.matches("<h1").count()), (1, 1));
    let script = page.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap();
    let script = app.browse(script).await.expect(StatusCode::OK);
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert!(script.headers["cache-control"].to_str().unwrap().contains("immutable"));
}

#[tokio::test]
async fn void_and_replaced_show_within_a_second_whatever_comes_first_and_however_often() {
    let app = App::new().await;
    let (first, second) = (document(1), document(2));
    let (issued, replaced) = (entry(first.clone()), voided(&entry(first.clone()), Some(second.clone())));
    let path = format!("/verify/{}", code(&first));
    // Its replacement is heard of before the document itself, and twice.
    app.enter(&DocumentVoided(replaced.clone())).await;
    app.enter(&DocumentVoided(replaced)).await;
    app.enter(&DocumentIssued(issued)).await;
    app.enter(&DocumentIssued(entry(second.clone()))).await;
    let page = app.page(&path, StatusCode::OK).await;
    assert!(page.contains("文书已被替代") && page.contains("2026年10月9日") && page.contains("内容有误"), "{page}");
    assert!(page.contains(&format!("href=\"/verify/{}\"", code(&second))) && page.contains(&second.doc_no), "{page}");
    assert!(!page.contains("内部理由") && !page.contains("管理员"), "the public is told the kind of reason only");
    let english = app.page(&format!("{path}?lang=en"), StatusCode::OK).await;
    assert!(
        english.contains("Replaced") && english.contains(&format!("/verify/{}?lang=en", code(&second))),
        "{english}"
    );
    let page = app.page(&format!("/verify/{}", code(&second)), StatusCode::OK).await;
    assert!(page.contains("有效文书"), "{page}");

    // One that was in memory as genuine.
    let third = entry(document(3));
    app.enter(&DocumentIssued(third.clone())).await;
    let path = format!("/verify/{}", code(&third.document));
    let words = async || String::from_utf8(app.browse(&path).await.expect(StatusCode::OK).bytes).unwrap();
    assert!(words().await.contains("有效文书"));
    app.enter(&DocumentVoided(voided(&third, None))).await;
    app.enter(&DocumentIssued(third)).await;
    testkit::wait_until("the page to say void", || async { words().await.contains("文书已作废") }).await;
    assert!(!words().await.contains("有效文书"));
}

#[tokio::test]
async fn a_file_is_known_by_the_signature_of_the_room_that_made_it_and_by_nothing_else() {
    let app = App::new().await;
    let document = document(1);
    let path = format!("/verify/{}", code(&document));
    let (file, made) =
        (b"%PDF-1.7 the letter".as_slice(), statement(&document, "pdf", PaperState::Genuine, b"%PDF-1.7 the letter"));
    // The file may be known before the document is.
    app.hand_in(&made).await.expect(StatusCode::NO_CONTENT);
    app.hand_in(&made).await.expect(StatusCode::NO_CONTENT);
    app.enter(&DocumentIssued(entry(document.clone()))).await;
    let shown =
        |page: &str, file: &[u8]| page.contains(&format!("data-sha256=\"{}\"", hex::encode(Sha256::digest(file))));
    assert!(shown(&app.page(&path, StatusCode::OK).await, file));

    let other = JournalKey::from_bytes(JournalKey::generate().unwrap().as_bytes()).unwrap();
    let forged = b"%PDF-1.7 another letter".as_slice();
    for wrong in [
        signed(&document, "pdf", PaperState::Genuine, forged, &other),
        made.replace(&hex::encode(Sha256::digest(file)), &hex::encode(Sha256::digest(forged))),
        made.replace(" pdf ", " docx "),
        made.rsplit_once(' ').unwrap().0.to_owned(),
        // A signature of ours over something else.
        format!("x {}", hex::encode(rendition_key().sign(b"x"))),
        String::new(),
    ] {
        let refused = app.hand_in(&wrong).await.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
        assert_eq!(refused["errors"][0]["pointer"], "/rendition", "{wrong}");
    }
    assert!(!shown(&app.page(&path, StatusCode::OK).await, forged));
    let nobody = Call::new(http::Method::POST, "/v1/renditions").json(&json!({"rendition": made})).send(&app.router);
    nobody.await.expect(StatusCode::UNAUTHORIZED);

    // The page that is in memory learns of a new file as well.
    let late = b"PK word".as_slice();
    assert!(!shown(&String::from_utf8(app.browse(&path).await.bytes).unwrap(), late));
    app.hand_in(&statement(&document, "docx", PaperState::Genuine, late)).await.expect(StatusCode::NO_CONTENT);
    testkit::wait_until("the page to know the file", || async {
        shown(&String::from_utf8(app.browse(&path).await.bytes).unwrap(), late)
    })
    .await;
}

#[tokio::test]
async fn the_register_proves_its_numbers_and_shows_offices_their_own() {
    let app = App::new().await;
    for serial in [1, 2, 4, 5] {
        app.enter(&DocumentIssued(entry(document(serial)))).await;
    }
    let register = app.register("").await;
    let series = &register["series"][0];
    assert_eq!(
        (&series["word"], &series["last"], &series["whole"]),
        (&json!("海口教督委意"), &json!(5), &json!(false))
    );
    assert_eq!(series["missing"], json!([3]));
    app.enter(&DocumentVoided(voided(&entry(document(3)), Some(document(5))))).await;
    // An urging order's own event carries what the register needs.
    let snapshot = urged(&rectification("甲", &["消防通道堵塞"]));
    let order = snapshot.urging_orders[0].clone();
    let next_step = ArmedStep { level: 2, fires_at: "2026-10-09T16:00:00Z".parse().unwrap() };
    let issued = UrgingOrderIssued { rectification: snapshot, urging_order_id: order.urging_order_id, next_step };
    app.enter(&issued).await;
    app.enter(&issued).await;

    let register = app.register("?limit=3").await;
    let whole: Vec<_> = register["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["word"], &one["whole"], &one["voided"]))
        .collect();
    assert_eq!(
        whole,
        [(&json!("海口教督委意"), &json!(true), &json!(1)), (&json!("琼教督委督"), &json!(true), &json!(0))]
    );
    assert_eq!(register["kinds"], json!(["opinion_letter", "urging_order"]));
    assert_eq!(register["agencies"].as_array().unwrap().len(), 2);
    let items = register["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["doc_no"]), (3, &json!(order.document.doc_no)), "the newest first");
    assert_eq!((&items[0]["keeper"], &items[0]["kept_as"]), (&json!("deadlines"), &json!(order.urging_order_id)));
    let next = register["next"].as_str().unwrap();
    let rest = app.register(&format!("?limit=3&after={next}")).await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["series"]), (3, &json!([])));
    let replaced = app.register("?state=replaced").await;
    let line = &replaced["items"][0];
    assert_eq!(
        (&line["state"], &line["voided"]["replaced_by_no"]),
        (&json!("replaced"), &json!("海口教督委意〔2026〕5号"))
    );
    assert_eq!(line["voided"]["reason"], "内部理由：联系人写错");
    for (query, count) in
        [("?state=void", 0), ("?kind=urging_order", 1), ("?year=2025", 0), ("?year=2026&state=genuine", 5)]
    {
        assert_eq!(app.register(query).await["items"].as_array().unwrap().len(), count, "{query}");
    }

    // Another county's office sees nothing of it, and who keeps no register is refused.
    let elsewhere = testkit::caller(Role::CountyOfficeAdmin, Some(AreaId::derived(&["460200"])), None);
    let theirs = app.get("/v1/document-register", &elsewhere).await.expect(StatusCode::OK).json;
    assert_eq!(theirs, json!({"items": [], "series": [], "agencies": [], "kinds": []}));
    let inspector = testkit::caller(Role::Inspector, Some(county("460100")), None);
    app.get("/v1/document-register", &inspector).await.expect(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_paper_that_is_heard_of_after_a_merger_of_counties_is_the_new_offices() {
    let app = App::new().await;
    let (haikou, danzhou) = (county("460100"), county("460400"));
    let before = entry(document(1));
    app.enter(&DocumentIssued(before.clone())).await;
    app.enter(&testkit::merged(haikou, vec![province(), danzhou, haikou])).await;
    app.enter(&DocumentIssued(entry(document(2)))).await;
    // Said before the merger as well, of a paper that went over.
    app.enter(&DocumentVoided(voided(&before, None))).await;
    let theirs = testkit::caller(Role::CountyOfficeAdmin, Some(danzhou), None);
    let found = app.get("/v1/document-register", &theirs).await.expect(StatusCode::OK).json;
    let found: Vec<_> =
        found["items"].as_array().unwrap().iter().map(|line| (&line["doc_no"], &line["state"])).collect();
    let (first, second) = (json!(document(1).doc_no), json!(document(2).doc_no));
    assert_eq!(found, [(&second, &json!("genuine")), (&first, &json!("void"))]);
}
