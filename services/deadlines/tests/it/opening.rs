//! The receipt of the letter starts the clocks, once, whatever comes first.

use domain::rectification::Rectification;
use domain::severity::Severity;
use http::StatusCode;
use testkit::Call;

use crate::support::{World, at};

const OPENED: &str = "deadlines.rectification.opened.v1";

#[tokio::test]
async fn letter_and_receipt_open_the_rectification_in_either_order_and_only_once() {
    for receipt_first in [false, true] {
        let world = World::new().await;
        let letter = world.letter(1, &[Severity::Minor, Severity::Major]);
        let receipt = world.receipt(&letter, at("2026-02-06T02:00:00Z"));
        for _ in 0..2 {
            if receipt_first {
                world.hear(&receipt).await.unwrap();
                world.hear(&letter).await.unwrap();
            } else {
                world.hear(&letter).await.unwrap();
                world.hear(&receipt).await.unwrap();
            }
        }
        assert_eq!(world.types().await, [OPENED]);
        let view = world.view(Rectification::id_of(letter.letter_id)).await;
        let items = view["rectification"]["items"].as_array().unwrap();
        // Spring Festival; 14 and 28 February work (handbook l.4). 30 calendar days from 6 February end on Sunday 8 March.
        assert_eq!(items[0]["due_on"], "2026-03-05");
        assert_eq!(items[0]["due_at"], "2026-03-05T16:00:00Z");
        assert_eq!(items[1]["due_on"], "2026-03-09");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letter_and_receipt_at_the_same_moment_open_it_too() {
    let world = World::new().await;
    for serial in 1..=20 {
        let letter = world.letter(serial, &[Severity::Minor]);
        let receipt = world.receipt(&letter, at("2026-02-06T02:00:00Z"));
        let (first, second) = tokio::join!(world.hear(&letter), world.hear(&receipt));
        first.unwrap();
        second.unwrap();
    }
    assert_eq!(world.types().await, vec![OPENED; 20]);
}

#[tokio::test]
async fn a_second_receipt_and_a_strangers_receipt_move_nothing() {
    let world = World::new().await;
    let letter = world.letter(1, &[Severity::Minor]);
    world.hear(&letter).await.unwrap();
    let mut strange = world.receipt(&letter, at("2026-02-01T02:00:00Z"));
    strange.unit_id = world.bureau;
    let other = world.letter(2, &[Severity::Minor]);
    strange.document_id = other.document.document_id;
    world.hear(&other).await.unwrap();
    world.hear(&strange).await.unwrap();
    world.hear(&world.receipt(&letter, at("2026-02-06T02:00:00Z"))).await.unwrap();
    world.hear(&world.receipt(&letter, at("2026-03-06T02:00:00Z"))).await.unwrap();
    assert_eq!(world.types().await, [OPENED], "the other letter was received by nobody entitled");
    let view = world.view(Rectification::id_of(letter.letter_id)).await;
    assert_eq!(view["rectification"]["received_at"], "2026-02-06T02:00:00Z");
}

#[tokio::test]
async fn every_limit_has_its_proof_sheet_the_same_to_the_byte_for_everyone() {
    let world = World::new().await;
    let rectification_id = world.open(1, &[Severity::Minor], "2026-02-06T02:00:00Z").await;
    let view = world.view(rectification_id).await;
    let deadline = view["rectification"]["items"][0]["deadline_id"].as_str().unwrap().to_owned();
    let shown = Call::get(&format!("/v1/deadlines/{deadline}"))
        .by(&world.principal)
        .send(&world.router)
        .await
        .expect(StatusCode::OK);
    assert!(shown.json["explanation"].as_str().unwrap().contains("15个工作日"), "{}", shown.json["explanation"]);
    assert_eq!(shown.json["proof"]["rule"]["rule_id"], "severity.minor.finish");
    assert_eq!(shown.json["proof"]["days"].as_array().unwrap().len(), 28);

    let public = Call::get(&format!("/v1/deadlines/{deadline}/proof")).send(&world.router).await.expect(StatusCode::OK);
    let sheet: domain::proof::ProofSheet = serde_json::from_slice(&public.bytes).unwrap();
    assert_eq!(sheet.canonical_json().unwrap().as_bytes(), public.bytes, "re-written, the same bytes");
    domain::proof::recompute(&sheet, &world.rules.current().calendar("460100")).unwrap();
}

#[tokio::test]
async fn anyone_can_have_a_sheet_computed_again_and_print_it() {
    let world = World::new().await;
    let rectification_id = world.open(1, &[Severity::Minor], "2026-02-06T02:00:00Z").await;
    let view = world.view(rectification_id).await;
    let deadline = view["rectification"]["items"][0]["deadline_id"].as_str().unwrap().to_owned();
    let get = async |what: &str| {
        Call::get(&format!("/v1/deadlines/{deadline}/{what}")).send(&world.router).await.expect(StatusCode::OK).bytes
    };
    assert_eq!(get("recomputed").await, get("proof").await, "computed now, the same to the byte");
    let sheet = String::from_utf8(get("sheet").await).unwrap();
    for part in [
        "期限计算书",
        "2026-02-06  星期五  工作日  起算日，不计入",
        "2026-02-14  星期六  调休上班  计入，第6日",
        "2026-02-16  星期一  放假  休息日，不计入（春节",
        "2026-03-05  星期四  工作日  计入，第15日",
        "逾期起算时刻：2026年3月6日00时00分",
        "逐字节一致",
    ] {
        assert!(sheet.contains(part), "{part} is not in\n{sheet}");
    }

    // A calendar that somebody touched is noticed, and a sheet that somebody touched differs.
    let touch = |statement: &'static str| sqlx::query(statement).execute(world.database.pool());
    touch("UPDATE sheets SET proof = replace(proof, '2026-03-05', '2026-03-04')").await.unwrap();
    assert_ne!(get("recomputed").await, get("proof").await);
    touch("UPDATE calendars SET content = replace(content::text, '2026-02-16', '2026-02-17')::json").await.unwrap();
    let answer = Call::get(&format!("/v1/deadlines/{deadline}/recomputed")).send(&world.router).await;
    answer.expect(StatusCode::INTERNAL_SERVER_ERROR);
}
