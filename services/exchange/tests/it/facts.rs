//! Events as `tasks` and `deadlines` publish them.

use contracts::deadlines::{
    ArmedStep, ItemSnapshot, ItemState, RectificationClosed, RectificationOpened, RectificationSnapshot, UrgedItem,
    UrgingOrderFact, UrgingOrderIssued,
};
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::{FindingFact, LetterIssued, SupervisionKind};
use contracts::{Envelope, Event};
use documents::content::{LateItem, OpinionLetter, UrgingOrderFacts};
use documents::{Content, Frozen, Head};
use domain::ids::{
    AreaId, CaseId, DeadlineId, DocumentId, FindingId, ItemId, LetterId, RectificationId, UnitId, UrgingOrderId,
};
use domain::severity::Severity;
use jiff::Timestamp;
use uuid::Uuid;

/// A trace that every event of the tests belongs to.
pub const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const AGENCY: &str = "海南省教育督导委员会办公室";
const RULE: &str = "琼办发〔2021〕13号第10项";

/// A letter's frozen content.
fn letter_content(doc_no: &str, unit: &str) -> Frozen {
    let body = OpinionLetter {
        advice: None,
        case_title: "秋季开学专项督导".to_owned(),
        demand: None,
        evaluation: "学校办学行为总体规范。".to_owned(),
        facts: None,
        findings: Vec::new(),
        objection_right: None,
        plea: None,
        plea_treatment: None,
        reasons: None,
        supervision_kind: None,
        team: Vec::new(),
        unit: unit.to_owned(),
        visits: Vec::new(),
        votes_for: None,
        votes_total: None,
    };
    let head =
        Head::new(doc_no.parse().unwrap(), "督导意见书".to_owned(), AGENCY.to_owned(), "2026-11-23".parse().unwrap());
    Content { body: body.into(), head, template: "2026-1".to_owned() }.freeze()
}

/// One supervision case with everything that can be told of it.
#[derive(Debug, Clone)]
pub struct CaseFacts {
    pub case_id: CaseId,
    pub unit: UnitRef,
    rectification_id: RectificationId,
    letter: DocumentRef,
    orders: Vec<UrgingOrderFact>,
    content: Frozen,
    number: u32,
}

pub fn province() -> AreaId {
    AreaId::derived(&["460000"])
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl CaseFacts {
    /// Case number `number`, with so many urging orders.
    pub fn new(number: u32, orders: u32) -> Self {
        let issuing_unit_id = UnitId::derived(&["office-460000"]);
        let document = |kind, doc_no: String, title: &str, on: &str| DocumentRef {
            document_id: DocumentId::derived(&[&doc_no]),
            kind,
            doc_no,
            title: title.to_owned(),
            issuing_unit_id,
            issuing_unit_name: AGENCY.to_owned(),
            issued_at: at(on),
            content_sha256: "5d".repeat(32),
        };
        let case_id = CaseId::new(Uuid::now_v7());
        let unit = format!("海口市第{number}小学");
        let letter_no = format!("琼教督委〔2026〕{number}号");
        let orders = (1..=orders)
            .map(|order| UrgingOrderFact {
                urging_order_id: UrgingOrderId::new(Uuid::now_v7()),
                document: {
                    let doc_no = format!("琼教督办〔2026〕{}号", number * 10 + order);
                    let finding_id = FindingId::derived(&[&case_id.to_string()]);
                    // As `deadlines` freezes it.
                    let late = LateItem {
                        days_late: 2,
                        demand: Some("立即清理并建立巡查制度。".to_owned()),
                        due_on: "2026-12-25".parse().unwrap(),
                        number: 1,
                        problem: "消防通道堆放杂物。".to_owned(),
                        rule: Some(RULE.to_owned()),
                        severity: Some(Severity::Major.zh().to_owned()),
                        was_due_on: "2026-12-18".parse().unwrap(),
                    };
                    let content = Content::urging_order(UrgingOrderFacts {
                        number: doc_no.parse().unwrap(),
                        issued_on: "2026-12-20".parse().unwrap(),
                        template: "2026-1",
                        agency: AGENCY,
                        unit: &unit,
                        competent_department: Some("海口市教育局"),
                        case_id,
                        case_title: &format!("秋季开学专项督导（{number}）"),
                        letter_no: &letter_no,
                        letter_issued_on: "2026-11-23".parse().unwrap(),
                        sequence: order,
                        items: vec![(finding_id, late)],
                    });
                    let content_sha256 = content.freeze().sha256();
                    let issued = document(DocumentKind::UrgingOrder, doc_no, "督办单", "2026-12-20T01:00:00Z");
                    DocumentRef { content_sha256, ..issued }
                },
                items: vec![UrgedItem {
                    item_id: ItemId::derived(&[&case_id.to_string()]),
                    number: 1,
                    was_due_on: "2026-12-18".parse().unwrap(),
                    due_on: "2026-12-25".parse().unwrap(),
                    deadline_id: DeadlineId::new(Uuid::now_v7()),
                    rule: Some(RULE.to_owned()),
                }],
                copy_to: Some("海口市教育局".to_owned()),
                lateness_seconds: 1,
                template: "2026-1".to_owned(),
            })
            .collect();
        let content = letter_content(&letter_no, &unit);
        let letter = document(DocumentKind::OpinionLetter, letter_no, "督导意见书", "2026-11-23T08:00:00Z");
        Self {
            case_id,
            unit: UnitRef {
                unit_id: UnitId::new(Uuid::now_v7()),
                name: unit,
                code: Some(format!("2146{number:06}")),
                area_path: vec![province(), AreaId::derived(&["460100"])],
                county_code: Some("460100".to_owned()),
                county_name: Some("海口市".to_owned()),
                competent_unit_id: Some(UnitId::derived(&["edu-460100"])),
                competent_unit_name: Some("海口市教育局".to_owned()),
            },
            rectification_id: RectificationId::new(Uuid::now_v7()),
            letter: DocumentRef { content_sha256: content.sha256(), ..letter },
            content,
            orders,
            number,
        }
    }

    /// How many messages the platform gets of it.
    pub fn messages(&self) -> usize {
        3 + self.orders.len()
    }

    pub fn letter(&self) -> LetterIssued {
        LetterIssued {
            letter_id: LetterId::new(self.letter.document_id.as_uuid()),
            version: 1,
            case_id: self.case_id,
            document: self.letter.clone(),
            case_title: format!("秋季开学专项督导（{}）", self.number),
            supervision_kind: SupervisionKind::Special,
            visited_on: "2026-11-09".parse().unwrap(),
            unit: self.unit.clone(),
            evaluation: "学校办学行为总体规范。".to_owned(),
            findings: vec![FindingFact {
                finding_id: FindingId::derived(&[&self.case_id.to_string()]),
                number: 1,
                severity: Severity::Major,
                category: "安全管理".to_owned(),
                description: "消防通道堆放杂物。".to_owned(),
                basis: "《中小学幼儿园安全管理办法》".to_owned(),
                demand: "立即清理并建立巡查制度。".to_owned(),
                advice: "每周巡查。".to_owned(),
                responsible_unit_id: self.unit.unit_id,
                responsible_unit_name: self.unit.name.clone(),
            }],
            issued_at: self.letter.issued_at,
            content: self.content.text().to_owned(),
        }
    }

    fn snapshot(&self, version: i64, orders: usize, state: ItemState) -> RectificationSnapshot {
        let closed = state == ItemState::Closed;
        let when = |text: &str| closed.then(|| at(text));
        RectificationSnapshot {
            rectification_id: self.rectification_id,
            version,
            case_id: self.case_id,
            letter_id: LetterId::new(self.letter.document_id.as_uuid()),
            letter: self.letter.clone(),
            case_title: format!("秋季开学专项督导（{}）", self.number),
            supervision_kind: SupervisionKind::Special,
            visited_on: "2026-11-09".parse().unwrap(),
            unit: self.unit.clone(),
            received_at: at("2026-11-24T02:00:00Z"),
            closed_at: when("2026-12-28T02:00:00Z"),
            items: vec![ItemSnapshot {
                item_id: ItemId::derived(&[&self.case_id.to_string()]),
                finding_id: FindingId::derived(&[&self.case_id.to_string()]),
                number: 1,
                severity: Severity::Major,
                category: "安全管理".to_owned(),
                description: "消防通道堆放杂物。".to_owned(),
                basis: "《中小学幼儿园安全管理办法》".to_owned(),
                demand: "立即清理并建立巡查制度。".to_owned(),
                responsible_unit_name: self.unit.name.clone(),
                state,
                deadline_id: DeadlineId::derived(&[&self.case_id.to_string()]),
                due_on: "2026-12-25".parse().unwrap(),
                due_at: at("2026-12-25T16:00:00Z"),
                provisional: false,
                first_due_on: "2026-12-18".parse().unwrap(),
                reported_at: when("2026-12-26T02:00:00Z"),
                report: closed.then(|| "已清理。".to_owned()),
                late: !self.orders.is_empty(),
                verified_at: when("2026-12-27T02:00:00Z"),
                verified_by: closed.then(|| "督学0001".to_owned()),
                closed_at: when("2026-12-28T02:00:00Z"),
                returned: 0,
                urging_order_no: self.orders.first().map(|order| order.document.doc_no.clone()),
                phase: domain::rectification::Phase::default(),
                plan_due_on: None,
                extensions: 0,
                reopened: 0,
                ladder_level: 0,
            }],
            urging_orders: self.orders.iter().take(orders).cloned().collect(),
            paused_until: None,
            steps: Vec::new(),
            requests: Vec::new(),
            liable_for: None,
            department_case: None,
        }
    }

    pub fn opened(&self) -> RectificationOpened {
        RectificationOpened { rectification: self.snapshot(1, 0, ItemState::InProgress) }
    }

    /// Urging order number `number`, from 1.
    pub fn urged(&self, number: usize) -> UrgingOrderIssued {
        UrgingOrderIssued {
            rectification: self.snapshot(1 + i64::try_from(number).unwrap(), number, ItemState::InProgress),
            urging_order_id: self.orders[number - 1].urging_order_id,
            next_step: ArmedStep { level: 2, fires_at: at("2026-12-26T00:00:00Z") },
        }
    }

    pub fn closed(&self) -> RectificationClosed {
        RectificationClosed { rectification: self.snapshot(9, self.orders.len(), ItemState::Closed), acceptance: None }
    }

    /// Every event of the case in its order.
    pub fn envelopes(&self) -> Vec<Envelope> {
        let mut all =
            vec![envelope(&self.letter(), "2026-11-23T08:00:00Z"), envelope(&self.opened(), "2026-11-24T02:00:00Z")];
        all.extend((1..=self.orders.len()).map(|n| envelope(&self.urged(n), "2026-12-20T01:00:00Z")));
        all.push(envelope(&self.closed(), "2026-12-28T02:00:00Z"));
        all
    }
}

/// An event as it comes over the broker.
pub fn envelope<E: Event>(event: &E, occurred_at: &str) -> Envelope {
    Envelope { traceparent: Some(TRACEPARENT.to_owned()), ..testkit::envelope(event, at(occurred_at)) }
}
