//! Every public payload as it stands on the wire, pinned in `payloads.jsonl`: a changed line is a changed contract.
//!
//! A new optional field is free (the old line must still be readable); a new meaning is a new version beside the old one.
//! When the change is meant, copy the file that the failure names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::allow_attributes, reason = "tests may")]

use contracts::deadlines::{
    ArmedStep, CHANGE_KINDS, Change, ItemClosed, ItemReported, ItemReturned, ItemSnapshot, ItemState, ItemVerified,
    ItemsOverdue, RectificationChanged, RectificationClosed, RectificationOpened, RectificationSnapshot, ReminderDue,
    RequestFact, StepFact, StepItemFact, StepProposed, StepState, UrgedItem, UrgingOrderFact, UrgingOrderIssued,
    VerificationOverdue,
};
use contracts::exchange::MessageAccepted;
use contracts::notifications::ReceiptSigned;
use contracts::publication::PagePublished;
use contracts::registry::{
    AccountRecorded, AreaLevel, AreaMerged, AreaMergerRecorded, AreaRecorded, GrantRecord, InspectorRecorded,
    MergerState, Succession, UnitKind, UnitRecorded,
};
use contracts::shared::{DocumentKind, DocumentRef, RegisterEntry, UnitRef, VoidCause, Voiding};
use contracts::tasks::{
    CircularIssued, FindingFact, InterviewNotified, LetterIssued, NotificationIssued, PlanIssued,
    PreliminaryOpinionIssued, ReportIssued, StepOfPaper, SupervisionKind, TeamMember,
};
use contracts::{Actor, Envelope, Event};
use domain::rectification::{Phase, RecountEffect, Recounted};
use domain::rulebook::{Duty, PauseReason};
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
        content_sha256: "5d".repeat(32),
    }
}

fn entry(kind: DocumentKind) -> RegisterEntry {
    RegisterEntry {
        version: 1,
        document: document(kind),
        kept_as: id(1),
        area_path: vec![id(4), id(5)],
        open: false,
        content: None,
        voided: None,
    }
}

fn voided(kind: DocumentKind, replaced_by: Option<DocumentRef>) -> RegisterEntry {
    let voided = Voiding {
        at: at(5),
        cause: VoidCause::WrongContent,
        reason: "联系电话有误".to_owned(),
        by: "省教督委办公室管理员".to_owned(),
        replaced_by,
    };
    RegisterEntry { version: 2, voided: Some(voided), ..entry(kind) }
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
            phase: Phase::default(),
            plan_due_on: None,
            extensions: 0,
            reopened: 0,
            ladder_level: 0,
        }],
        urging_orders: vec![order()],
        paused_until: None,
        steps: Vec::new(),
        requests: Vec::new(),
        liable_for: None,
        department_case: None,
    }
}

/// The same with everything that may be absent.
fn eventful() -> RectificationSnapshot {
    let mut snapshot = rectification();
    let item = &mut snapshot.items[0];
    item.state = ItemState::Waived;
    item.phase = Phase::Paused;
    item.plan_due_on = Some(on(15));
    (item.extensions, item.reopened, item.ladder_level) = (1, 1, 2);
    snapshot.paused_until = Some(at(25));
    let proposed = StepFact {
        proposal_id: id(19),
        level: 2,
        items: vec![1],
        proposed_at: at(21),
        decide_by: at(24),
        state: StepState::Proposed,
        decided_at: None,
        note: None,
    };
    let decided = |state| StepFact {
        state,
        decided_at: Some(at(22)),
        note: Some("约谈主要负责人".to_owned()),
        ..proposed.clone()
    };
    snapshot.steps = vec![proposed.clone(), decided(StepState::Taken), decided(StepState::Lifted)];
    snapshot.requests = vec![request()];
    snapshot.liable_for = Some(id(20));
    snapshot.department_case = Some(id(21));
    snapshot
}

fn request() -> RequestFact {
    RequestFact {
        request_id: id(22),
        subject: "extension".to_owned(),
        item_id: Some(id(9)),
        wish: "延长10个工作日".to_owned(),
        reason: "采购流程未完成".to_owned(),
        requested_by: Some("海口市第一小学校长".to_owned()),
        requested_at: at(8),
        decide_by: at(11),
    }
}

/// One of each kind, in the order of the keys.
fn changes() -> Vec<Change> {
    let item_id = id(9);
    vec![
        Change::PlanSubmitted { item_id, late: false },
        Change::PlanJudged { item_id, accepted: false, due_on: Some(on(15)) },
        Change::PlanOverdue { item_id, due_on: on(15) },
        Change::ProgressNoted { item_id, text: "已完成一半".to_owned() },
        Change::ItemExtended { item_id, due_on: on(24) },
        Change::RequestMade { request: request() },
        Change::RequestDecided { request: request(), granted: true, note: "同意".to_owned() },
        Change::Paused { reason: PauseReason::Disaster, until: at(25) },
        Change::Resumed { since: at(25) },
        Change::Recounted {
            items: vec![Recounted {
                item_id,
                number: 1,
                was_due_on: on(20),
                counted_on: on(23),
                due_on: on(23),
                effect: RecountEffect::Later,
            }],
        },
        Change::StepTaken { proposal_id: id(19), level: 2, note: "约谈主要负责人".to_owned() },
        Change::StepLifted { proposal_id: id(19), level: 2, reason: "已有实质进展".to_owned() },
        Change::StepMoot { proposal_id: id(19), level: 2 },
        Change::RequestMoot { request: request() },
        Change::ConsultationSent { item_id, office: "海口市消防救援支队".to_owned(), due_at: at(25) },
        Change::ConsultationAnswered { item_id },
        Change::ItemWaived { item_id, reason: "校区已撤并".to_owned() },
        Change::CloseOutApproved { item_id, given: 1 },
        Change::CloseOutRefused { item_id, reason: "佐证不足".to_owned() },
        Change::LookBackDue { item_id, visit_by: at(28) },
        Change::LookBackPassed { item_id },
        Change::ItemReopened { item_id, reason: "通道再次堵塞".to_owned(), due_on: on(30) },
        Change::DutyOverdue { duty: Duty::CloseOut, item_id: Some(item_id), due_at: at(27), times: 2 },
        Change::HandedOver {
            county: "儋州市".to_owned(),
            agency: "儋州市人民政府教育督导委员会办公室".to_owned(),
            since: on(28),
        },
    ]
}

fn order() -> UrgingOrderFact {
    UrgingOrderFact {
        urging_order_id: id(12),
        document: document(DocumentKind::UrgingOrder),
        items: vec![UrgedItem {
            item_id: id(9),
            number: 1,
            was_due_on: on(10),
            due_on: on(20),
            deadline_id: id(11),
            rule: Some("琼办发〔2021〕13号第10项".to_owned()),
        }],
        copy_to: Some("海口市教育局".to_owned()),
        lateness_seconds: 0,
        template: "2026-1".to_owned(),
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

fn succession(key: &str, name: &str) -> Succession {
    Succession { from: id(22), to: id(23), to_key: key.to_owned(), to_name: name.to_owned() }
}

fn registry() -> [String; 6] {
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
            identity_bound: false,
        }),
        line(&AreaMergerRecorded {
            merger_id: id(20),
            version: 1,
            area_id: id(5),
            into_area_id: id(21),
            effective_on: on(28),
            ground: "琼府函〔2026〕1号".to_owned(),
            state: MergerState::Announced,
        }),
        line(&AreaMerged {
            merger_id: id(20),
            version: 2,
            area_id: id(5),
            code: "460400499".to_owned(),
            path: vec![id(4), id(21), id(5)],
            county_code: "460400".to_owned(),
            county_name: "儋州市".to_owned(),
            agency: succession("office-460400", "儋州市人民政府教育督导委员会办公室"),
            bureau: succession("edu-460400", "儋州市教育局"),
            effective_on: on(28),
        }),
    ]
}

fn tasks() -> [String; 9] {
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
            content: "{}".to_owned(),
        }),
        line(&InterviewNotified {
            version: 1,
            document: document(DocumentKind::InterviewNotice),
            step: step_of_paper(),
            reason: "督办后仍未完成整改".to_owned(),
            at: at(20),
            place: "第一会议室".to_owned(),
        }),
        line(&CircularIssued {
            version: 1,
            document: document(DocumentKind::Circular),
            step: step_of_paper(),
            result: "予以通报".to_owned(),
            barred_until: Some(on(31)),
        }),
        line(&ReportIssued {
            version: 1,
            document: document(DocumentKind::SupervisionReport),
            case_id: id(8),
            case_title: "校园安全专项督导".to_owned(),
            supervision_kind: SupervisionKind::Special,
            unit: unit(),
            letter_id: id(1),
            addressee: "海口市人民政府".to_owned(),
            copies: vec!["海南省人民政府教育督导委员会办公室".to_owned()],
        }),
        line(&contracts::tasks::DocumentIssued(entry(DocumentKind::Plan))),
        line(&contracts::tasks::DocumentVoided(voided(
            DocumentKind::OpinionLetter,
            Some(document(DocumentKind::OpinionLetter)),
        ))),
    ]
}

fn step_of_paper() -> StepOfPaper {
    StepOfPaper {
        proposal_id: id(19),
        rectification_id: id(7),
        case_id: id(8),
        case_title: "校园安全专项督导".to_owned(),
        letter_no: "琼教督委意〔2026〕12号".to_owned(),
        unit: unit(),
    }
}

#[test]
fn every_kind_of_document_is_named_in_data_as_on_the_wire() {
    for kind in DocumentKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        assert_eq!(DocumentKind::of(kind.as_str()), Some(*kind));
        assert!(!(kind.is_of_deadlines() && kind.opens_rectification()));
    }
    assert_eq!(DocumentKind::ALL.len(), 11);
    assert_eq!(DocumentKind::of("letter"), None);
}

fn deadlines() -> Vec<String> {
    let mut lines = vec![
        line(&RectificationOpened { rectification: rectification() }),
        line(&ItemReported { rectification: rectification(), item_id: id(9) }),
        line(&ItemReturned { rectification: rectification(), item_id: id(9), reason: "照片不清晰".to_owned() }),
        line(&ItemVerified { rectification: rectification(), item_id: id(9) }),
        line(&ItemClosed { rectification: rectification(), item_id: id(9), approval: None }),
        line(&RectificationClosed { rectification: rectification(), acceptance: None }),
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
            urging_order_id: order().urging_order_id,
            next_step: ArmedStep { level: 2, fires_at: at(21) },
        }),
        line(&StepProposed {
            rectification: rectification(),
            level: 2,
            item_ids: vec![id(9)],
            proposal_id: id(19),
            decide_by: at(24),
            article: "琼办发〔2021〕13号第13项".to_owned(),
            policy_facts: vec!["督办后仍未完成整改".to_owned()],
            facts: vec![StepItemFact {
                item_id: id(9),
                number: 1,
                severity: Severity::Major,
                was_due_on: on(10),
                days_late: 11,
                urging_order_no: Some("琼教督委督〔2026〕1号".to_owned()),
                returned: 1,
                extensions: 0,
                reopened: 0,
            }],
        }),
        line(&RectificationOpened { rectification: eventful() }),
        line(&ItemClosed {
            rectification: rectification(),
            item_id: id(9),
            approval: Some(document(DocumentKind::ClosingApproval)),
        }),
        line(&RectificationClosed {
            rectification: rectification(),
            acceptance: Some(document(DocumentKind::AcceptanceOpinion)),
        }),
        line(&contracts::deadlines::DocumentIssued(RegisterEntry {
            open: true,
            content: Some("{}".to_owned()),
            ..entry(DocumentKind::UrgingOrder)
        })),
        line(&contracts::deadlines::DocumentVoided(voided(DocumentKind::UrgingOrder, None))),
    ];
    lines.extend(
        changes().into_iter().map(|change| line(&RectificationChanged { rectification: rectification(), change })),
    );
    lines
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
fn every_kind_of_change_has_its_key() {
    let keys: Vec<&str> = changes().iter().map(Change::key).collect();
    assert_eq!(keys, CHANGE_KINDS);
    for change in changes() {
        assert_eq!(serde_json::to_value(&change).unwrap()["kind"], change.key());
    }
}

/// What journals hold from before fields were added: it must be readable for good.
#[test]
fn payloads_of_before_are_still_read() {
    let mut before = 0;
    for text in include_str!("payloads.before.jsonl").lines() {
        let (event_type, payload) = text.split_once(' ').unwrap();
        match event_type {
            StepProposed::TYPE => {
                let step: StepProposed = serde_json::from_str(payload).unwrap();
                assert_eq!((step.level, step.decide_by), (2, Timestamp::UNIX_EPOCH));
                assert!(step.proposal_id.as_uuid().is_nil() && step.facts.is_empty());
            }
            RectificationOpened::TYPE => {
                let opened: RectificationOpened = serde_json::from_str(payload).unwrap();
                let mut now = rectification();
                // Told since.
                for order in &mut now.urging_orders {
                    order.template.clear();
                    order.items.iter_mut().for_each(|item| item.rule = None);
                }
                assert_eq!(opened.rectification, now);
            }
            other => panic!("{other} is not read here"),
        }
        before += 1;
    }
    assert_eq!(before, 2);
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
