//! Every public payload as it stands on the wire, pinned in `payloads.jsonl`: a changed line is a changed contract.
//!
//! A new optional field is free (the old line must still be readable); a new meaning is a new version beside the old one.
//! When the change is meant, copy the file that the failure names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::allow_attributes, reason = "tests may")]

use contracts::deadlines::{
    ArmedStep, ItemClosed, ItemReported, ItemReturned, ItemSnapshot, ItemState, ItemVerified, ItemsOverdue,
    RectificationClosed, RectificationOpened, RectificationSnapshot, ReminderDue, StepProposed, UrgedItem,
    UrgingOrderFact, UrgingOrderIssued, VerificationOverdue,
};
use contracts::exchange::MessageAccepted;
use contracts::notifications::ReceiptSigned;
use contracts::publication::PagePublished;
use contracts::registry::{
    AccountRecorded, AreaLevel, AreaRecorded, GrantRecord, InspectorRecorded, UnitKind, UnitRecorded,
};
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::{
    FindingFact, LetterIssued, NotificationIssued, PlanIssued, PreliminaryOpinionIssued, SupervisionKind, TeamMember,
};
use contracts::{Actor, Envelope, Event};
use domain::severity::Severity;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde_json::value::RawValue;
use uuid::Uuid;

fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}

fn at(day: i8) -> Timestamp {
    format!("2026-03-{day:02}T01:02:03.456789Z").parse().unwrap()
}

fn on(day: i8) -> Date {
    date(2026, 3, day)
}

fn document(kind: DocumentKind) -> DocumentRef {
    DocumentRef {
        document_id: id(1),
        kind,
        doc_no: "琼教督委意〔2026〕12号".to_owned(),
        title: kind.zh().to_owned(),
        issuing_unit_id: id(2),
        issuing_unit_name: "海南省人民政府教育督导委员会办公室".to_owned(),
        issued_at: at(1),
    }
}

fn unit() -> UnitRef {
    UnitRef {
        unit_id: id(3),
        name: "海口市第一小学".to_owned(),
        code: Some("2146000001".to_owned()),
        area_path: vec![id(4), id(5)],
        county_code: Some("460100".to_owned()),
        county_name: Some("海口市".to_owned()),
        competent_unit_id: Some(id(6)),
        competent_unit_name: Some("海口市教育局".to_owned()),
    }
}

fn rectification() -> RectificationSnapshot {
    RectificationSnapshot {
        rectification_id: id(7),
        version: 4,
        case_id: id(8),
        letter_id: id(1),
        letter: document(DocumentKind::OpinionLetter),
        case_title: "校园安全专项督导".to_owned(),
        supervision_kind: SupervisionKind::Special,
        visited_on: on(1),
        unit: unit(),
        received_at: at(2),
        closed_at: None,
        items: vec![ItemSnapshot {
            item_id: id(9),
            finding_id: id(10),
            number: 1,
            severity: Severity::Major,
            category: "安全管理".to_owned(),
            description: "消防通道堵塞".to_owned(),
            basis: "条例第十一条".to_owned(),
            demand: "立即清理".to_owned(),
            responsible_unit_name: "海口市第一小学".to_owned(),
            state: ItemState::InProgress,
            deadline_id: id(11),
            due_on: on(20),
            due_at: at(21),
            provisional: false,
            first_due_on: on(10),
            reported_at: Some(at(12)),
            report: Some("已清理".to_owned()),
            late: true,
            verified_at: None,
            verified_by: None,
            closed_at: None,
            returned: 1,
            urging_order_no: Some("琼教督委督〔2026〕1号".to_owned()),
        }],
        urging_orders: vec![order()],
    }
}

fn order() -> UrgingOrderFact {
    UrgingOrderFact {
        urging_order_id: id(12),
        document: document(DocumentKind::UrgingOrder),
        items: vec![UrgedItem { item_id: id(9), number: 1, was_due_on: on(10), due_on: on(20), deadline_id: id(11) }],
        copy_to: Some("海口市教育局".to_owned()),
        lateness_seconds: 0,
    }
}

fn finding() -> FindingFact {
    FindingFact {
        finding_id: id(10),
        number: 1,
        severity: Severity::Major,
        category: "安全管理".to_owned(),
        description: "消防通道堵塞".to_owned(),
        basis: "条例第十一条".to_owned(),
        demand: "立即清理".to_owned(),
        advice: "建立台账".to_owned(),
        responsible_unit_id: id(3),
        responsible_unit_name: "海口市第一小学".to_owned(),
    }
}

/// One line: the type and its payload, after it was read back from its own text.
fn line<E: Event + PartialEq + std::fmt::Debug>(event: &E) -> String {
    let payload = serde_json::to_string(event).unwrap();
    let envelope = Envelope {
        event_id: id(99),
        event_type: E::TYPE.to_owned(),
        aggregate_id: event.aggregate_id(),
        aggregate_version: event.aggregate_version(),
        occurred_at: at(1),
        actor: Actor::system("test"),
        traceparent: None,
        payload: RawValue::from_string(payload.clone()).unwrap(),
    };
    let wire: Envelope = serde_json::from_str(&serde_json::to_string(&envelope).unwrap()).unwrap();
    assert_eq!(&wire.read::<E>().unwrap(), event, "{} does not read back", E::TYPE);
    format!("{} {payload}\n", E::TYPE)
}

fn registry() -> [String; 4] {
    [
        line(&AreaRecorded {
            area_id: id(5),
            version: 1,
            code: "460100".to_owned(),
            name: "海口市".to_owned(),
            level: AreaLevel::CountyUnit,
            path: vec![id(4), id(5)],
            effective_on: on(1),
        }),
        line(&UnitRecorded {
            unit_id: id(3),
            version: 2,
            key: "2146000001".to_owned(),
            school_code: Some("2146000001".to_owned()),
            name: "海口市第一小学".to_owned(),
            kind: UnitKind::School,
            area_path: vec![id(4), id(5)],
            area_code: "460100".to_owned(),
            county_code: Some("460100".to_owned()),
            county_name: Some("海口市".to_owned()),
            competent_unit_id: Some(id(6)),
            private: false,
            students: Some(900),
        }),
        line(&InspectorRecorded {
            person_id: id(13),
            version: 1,
            inspector_no: "HN-0001".to_owned(),
            name: "督学0001".to_owned(),
            area_path: vec![id(4)],
            full_time: true,
            grade: None,
            term_from: on(1),
            term_to: date(2029, 2, 28),
            training_hours: 48,
            suspended: false,
        }),
        line(&AccountRecorded {
            account_id: id(14),
            version: 1,
            login: "principal.2146000001".to_owned(),
            display_name: "海口市第一小学校长".to_owned(),
            email: Some("principal@hainan.example".to_owned()),
            language: "zh-Hans".to_owned(),
            grants: vec![GrantRecord { role: "unit_principal".to_owned(), area_id: None, unit_id: Some(id(3)) }],
            unit_id: Some(id(3)),
            person_id: None,
            active: true,
        }),
    ]
}

fn tasks() -> [String; 4] {
    [
        line(&PlanIssued { plan_id: id(15), version: 2, year: 2026, document: document(DocumentKind::Plan) }),
        line(&NotificationIssued {
            case_id: id(8),
            version: 3,
            document: document(DocumentKind::SupervisionNotification),
            case_title: "校园安全专项督导".to_owned(),
            supervision_kind: SupervisionKind::Special,
            unit: unit(),
            visit_on: on(9),
            team: vec![TeamMember { person_id: id(13), name: "督学0001".to_owned(), leader: true }],
        }),
        line(&PreliminaryOpinionIssued {
            case_id: id(8),
            version: 6,
            document: document(DocumentKind::PreliminaryOpinion),
            case_title: "校园安全专项督导".to_owned(),
            unit: unit(),
            plea_due_on: on(20),
        }),
        line(&LetterIssued {
            letter_id: id(1),
            version: 1,
            case_id: id(8),
            document: document(DocumentKind::OpinionLetter),
            case_title: "校园安全专项督导".to_owned(),
            supervision_kind: SupervisionKind::Special,
            visited_on: on(1),
            unit: unit(),
            evaluation: "总体较好".to_owned(),
            findings: vec![finding()],
            issued_at: at(1),
        }),
    ]
}

fn deadlines() -> [String; 11] {
    [
        line(&RectificationOpened { rectification: rectification() }),
        line(&ItemReported { rectification: rectification(), item_id: id(9) }),
        line(&ItemReturned { rectification: rectification(), item_id: id(9), reason: "照片不清晰".to_owned() }),
        line(&ItemVerified { rectification: rectification(), item_id: id(9) }),
        line(&ItemClosed { rectification: rectification(), item_id: id(9) }),
        line(&RectificationClosed { rectification: rectification() }),
        line(&ReminderDue {
            rectification: rectification(),
            item_ids: vec![id(9)],
            due_on: on(20),
            working_days_left: 3,
        }),
        line(&ItemsOverdue { rectification: rectification(), item_ids: vec![id(9)] }),
        line(&VerificationOverdue { rectification: rectification(), item_id: id(9), due_at: at(21) }),
        line(&UrgingOrderIssued {
            rectification: rectification(),
            order: order(),
            next_step: ArmedStep { level: 2, fires_at: at(21) },
        }),
        line(&StepProposed { rectification: rectification(), level: 2, item_ids: vec![id(9)] }),
    ]
}

fn others() -> [String; 3] {
    [
        line(&ReceiptSigned {
            receipt_id: id(16),
            version: 1,
            document_id: id(1),
            document_kind: DocumentKind::OpinionLetter,
            unit_id: id(3),
            signed_at: at(2),
            signed_by: id(14),
            signer_name: "海口市第一小学校长".to_owned(),
        }),
        line(&PagePublished {
            publication_id: id(17),
            version: 2,
            rectification_id: id(7),
            path: "/rectifications/00000000-0000-0000-0000-000000000011".to_owned(),
            content_sha256: "00".repeat(32),
            published_at: at(3),
        }),
        line(&MessageAccepted {
            message_id: id(18),
            version: 1,
            case_id: id(8),
            kind: "urging_order".to_owned(),
            receipt_no: "GJ-1".to_owned(),
            accepted_at: at(4),
        }),
    ]
}

#[test]
fn every_payload_is_as_pinned() {
    let now: String = registry().into_iter().chain(tasks()).chain(deadlines()).chain(others()).collect();
    let fresh = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("payloads.jsonl");
    std::fs::write(&fresh, &now).unwrap();
    let pinned = include_str!("payloads.jsonl");
    for (new, old) in now.lines().zip(pinned.lines()) {
        assert_eq!(new, old, "read the difference; if it is meant, copy {}", fresh.display());
    }
    assert_eq!(
        now.lines().count(),
        pinned.lines().count(),
        "payloads were added or taken out: see {}",
        fresh.display()
    );
}
