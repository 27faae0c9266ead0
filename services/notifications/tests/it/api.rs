//! The HTTP interface: whose inbox, whose signature, who sees deliveries.

use access::Role;
use contracts::notifications::ReceiptSigned;
use http::StatusCode;
use testkit::Call;

use crate::world::*;

fn sign(document: uuid::Uuid) -> Call {
    Call::post(&format!("/v1/receipts/{document}/sign"), &serde_json::json!({}))
}

#[tokio::test]
async fn a_letter_is_signed_once_and_only_by_its_unit() {
    let world = World::with_people().await;
    world.hear(&lettered()).await;
    let everyone = people();
    let [head, contact, bureau, office, _, other] = &everyone[..] else { panic!("six people") };

    let open = Call::get("/v1/receipts?state=open").by(&caller(head)).send(&world.router).await.expect(StatusCode::OK);
    assert_eq!(open.json["items"][0]["document_id"], LETTER.to_string());
    assert_eq!(open.json["items"][0]["due_on"], "2026-09-29", "two working days, counted over the holiday");
    let none = Call::get("/v1/receipts").by(&caller(other)).send(&world.router).await.expect(StatusCode::OK);
    assert_eq!(none.json["items"].as_array().unwrap().len(), 0);

    for stranger in [other, bureau, office] {
        sign(LETTER).by(&caller(stranger)).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    }
    sign(ORDER).by(&caller(head)).send(&world.router).await.expect(StatusCode::NOT_FOUND);
    assert!(testkit::events_of::<ReceiptSigned>(&world.db).await.is_empty());

    let (one, two) = tokio::join!(
        sign(LETTER).by(&caller(head)).send(&world.router),
        sign(LETTER).by(&caller(contact)).send(&world.router),
    );
    let (one, two) = (one.expect(StatusCode::OK).json, two.expect(StatusCode::OK).json);
    assert_eq!(one, two, "the second signature gets the first one's answer");
    assert_eq!(one["state"], "signed");
    let later = sign(LETTER).by(&caller(contact)).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(later, one);

    let events = testkit::events_of::<ReceiptSigned>(&world.db).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].unit_id, SCHOOL);
    assert_eq!(events[0].signer_name, one["signer_name"].as_str().unwrap());
    let open = Call::get("/v1/receipts?state=open").by(&caller(head)).send(&world.router).await.expect(StatusCode::OK);
    assert_eq!(open.json["items"].as_array().unwrap().len(), 0);

    // The letter comes once more (a replay): the signature stays.
    world.hear(&lettered()).await;
    let signed = Call::get("/v1/receipts?state=signed").by(&caller(head)).send(&world.router).await;
    assert_eq!(signed.expect(StatusCode::OK).json["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn everyone_reads_only_their_own_messages() {
    let world = World::with_people().await;
    world.hear(&reminder()).await;
    world.hear(&urged()).await;
    let everyone = people();
    let (head, contact) = (caller(&everyone[0]), caller(&everyone[1]));
    let mut seen = Vec::new();
    let mut path = "/v1/inbox?limit=1".to_owned();
    loop {
        let page = Call::get(&path).by(&head).send(&world.router).await.expect(StatusCode::OK).json;
        assert_eq!(page["unread"], 2);
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["template"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/inbox?limit=1&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["urging_order", "reminder"], "newest first");

    let inbox = Call::get("/v1/inbox?unread=true").by(&head).send(&world.router).await.json;
    let id = inbox["items"][0]["message_id"].as_str().unwrap();
    let read = || Call::post(&format!("/v1/inbox/{id}/read"), &serde_json::json!({}));
    read().by(&contact).send(&world.router).await.expect(StatusCode::NOT_FOUND);
    let first = read().by(&head).send(&world.router).await.expect(StatusCode::OK).json;
    let again = read().by(&head).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(first, again);
    assert!(first["read_at"].is_string());
    let inbox = Call::get("/v1/inbox?unread=true").by(&head).send(&world.router).await.json;
    assert_eq!((inbox["unread"].as_i64(), inbox["items"].as_array().unwrap().len()), (Some(1), 1));
}

#[tokio::test]
async fn an_office_sees_the_deliveries_of_its_area_only() {
    let world = World::with_people().await;
    world.hear(&urged()).await;
    world.send_all().await;
    let path = format!("/v1/deliveries?rectification_id={RECTIFICATION}");
    let here = testkit::caller(Role::DeskOfficer, Some(HAIKOU), None);
    let answer = Call::get(&path).by(&here).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(answer["counts"]["failed"], 0);
    assert_eq!(answer["counts"]["queued"], 0);
    let delivered = answer["items"].as_array().unwrap();
    assert_eq!(answer["counts"]["delivered"], delivered.len());
    assert!(delivered.iter().any(|item| item["channel"] == "mail" && item["recipient"] == "教育局"), "{answer}");
    assert_eq!(answer["receipts"][0]["document_id"], ORDER.to_string());

    let there = testkit::caller(Role::CountyOfficeAdmin, Some(SANYA), None);
    let answer = Call::get(&path).by(&there).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(answer["counts"]["delivered"], 0);
    assert_eq!(answer["items"].as_array().unwrap().len(), 0);
    assert_eq!(answer["receipts"].as_array().unwrap().len(), 0);
    Call::get(&path).by(&caller(&principal())).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    let nothing = Call::get("/v1/deliveries").by(&here).send(&world.router).await;
    assert_eq!(nothing.expect(StatusCode::BAD_REQUEST).json["errors"][0]["pointer"], "query/document_id");
}

#[tokio::test]
async fn no_route_is_open_and_bad_input_is_a_problem() {
    let world = World::new().await;
    let own: Vec<_> = world.assembled.listing().iter().filter(|route| route.path.starts_with("/v1/")).collect();
    assert!(own.len() >= 7, "{own:?}");
    let operator = testkit::caller(Role::Operator, None, None);
    for route in own {
        if ["/v1/receipt-links/show", "/v1/receipt-links/sign"].contains(&route.path.as_str()) {
            assert!(route.action.is_none(), "whoever has the link is nobody who signed in");
            continue;
        }
        let action = route.action.unwrap_or_else(|| panic!("{} is public", route.path));
        let id = LETTER.to_string();
        let path = ["{message_id}", "{document_id}", "{delivery_id}"]
            .iter()
            .fold(route.path.clone(), |path, place| path.replace(place, &id))
            .replace("{template}", "reminder");
        let call = || Call::new(route.method.clone(), &path).header("Idempotency-Key", "12345678");
        call().send(&world.router).await.expect(StatusCode::UNAUTHORIZED);
        if action.as_str().starts_with("notifications.") && action != access::Action::NotificationsSweepRead {
            call().by(&operator).send(&world.router).await.expect(StatusCode::FORBIDDEN);
        }
    }
    let head = caller(&principal());
    for (path, status) in [
        ("/v1/inbox?limit=0", 422),
        ("/v1/inbox?after=xyz", 422),
        ("/v1/inbox?unread=maybe", 400),
        ("/v1/receipts?state=lost", 400),
    ] {
        let answer = Call::get(path).by(&head).send(&world.router).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
    }
    let keyless = Call::new(http::Method::POST, &format!("/v1/receipts/{LETTER}/sign")).by(&head);
    keyless.send(&world.router).await.expect(StatusCode::BAD_REQUEST);
    let no_uuid = Call::post("/v1/receipts/12/sign", &serde_json::json!({})).by(&head);
    no_uuid.send(&world.router).await.expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_api_description_is_as_pinned() {
    let world = World::new().await;
    let answer = Call::get("/openapi.json").send(&world.router).await.expect(StatusCode::OK);
    let now = format!("{}\n", serde_json::to_string_pretty(&answer.json).unwrap());
    let fresh = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("notifications.openapi.json");
    std::fs::write(&fresh, &now).unwrap();
    let pinned = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let pinned = std::fs::read_to_string(pinned).unwrap();
    assert!(
        pinned == now,
        "the API changed; if it is meant: cp {} services/notifications/openapi.json",
        fresh.display()
    );
}

#[test]
fn the_example_configuration_is_right_and_faults_come_together() {
    let folder = std::env::temp_dir().join(format!("notifications-example-{}", std::process::id()));
    let config = example(&folder).unwrap();
    assert_eq!(config.rulebook.province, "460000");
    let file = folder.join("notifications.toml");
    let wrong = std::fs::read_to_string(&file)
        .unwrap()
        .replace("host = \"127.0.0.1\"\nport = 2525", "host = \"mail.example\"\nport = 25")
        .replace("workers = 2", "workers = 17")
        .replace("教育督导平台 <dudao@dudao.example>", "nobody");
    std::fs::write(&file, wrong).unwrap();
    let faults = service_kit::config::load::<notifications::Config>(Some(&file), &[]).unwrap_err().to_string();
    for key in ["mail.tls", "mail.workers", "mail.from"] {
        assert!(faults.contains(key), "{key} is missing in {faults}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
