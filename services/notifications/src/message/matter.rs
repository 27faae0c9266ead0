//! From an event to what is to be told.

use contracts::{
    deadlines::{
        Change, ItemClosed, ItemReported, ItemReturned, ItemSnapshot, ItemState, ItemVerified, RectificationChanged,
        RectificationClosed, RectificationOpened, RectificationSnapshot, ReminderDue, StepProposed, UrgingOrderFact,
        UrgingOrderIssued, VerificationOverdue,
    },
    shared::{DocumentKind, DocumentRef, UnitRef},
    tasks::{
        CircularIssued, InterviewNotified, LetterIssued, NotificationIssued, PreliminaryOpinionIssued, StepOfPaper,
    },
};
use domain::{
    ids::{CaseId, ItemId, ProposalId, RectificationId, UnitId},
    local_time::{end_of_day, local_date},
    rectification::{RecountEffect, Recounted},
    rulebook::Duty,
    severity::Severity,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::text::{ItemLine, Limit, Member, Ower, Wording};
use crate::rules::Rules;
use crate::template::Template;

/// Something that people have to be told: facts, kept as they were when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// The supervised unit.
    pub unit: UnitRef,
    /// The agency that issued the document.
    pub issuing_unit_id: UnitId,
    /// Its name.
    pub issuing_unit_name: String,
    /// The supervision.
    pub case_id: CaseId,
    /// Its name.
    pub case_title: String,
    /// The rectification, if it has begun.
    pub rectification_id: Option<RectificationId>,
    /// The document that the message brings, if it brings one.
    pub document: Option<DocumentRef>,
    /// The number shown in the subject: the document's, or the letter's.
    pub doc_no: String,
    /// Until when the document is to be acknowledged.
    pub receipt_due: Option<(Date, Timestamp)>,
    /// It is about a competent department's own case (连带责任).
    pub joint_liability: bool,
    /// Life is in danger: it waits for no sending hours.
    #[serde(default)]
    pub urgent: bool,
    /// What the rectification answers; notices from before there were others answer an opinion letter.
    #[serde(default = "opinion_letter")]
    pub letter_kind: DocumentKind,
    /// What is said.
    pub wording: Wording,
}

fn opinion_letter() -> DocumentKind {
    DocumentKind::OpinionLetter
}

/// There is no calendar or rulebook for the limit of a receipt.
#[derive(Debug, thiserror::Error)]
#[error("there is no limit for acknowledging {template} issued at {at}: no rulebook or calendar reaches that day")]
pub struct NoLimit {
    template: &'static str,
    at: Timestamp,
}

fn limit(
    rules: &Rules,
    template: Template,
    gravest: Option<Severity>,
    document: &DocumentRef,
    unit: &UnitRef,
) -> Result<Option<(Date, Timestamp)>, NoLimit> {
    let Some(receipt) = rules.of(template).and_then(|rule| rule.receipt.as_ref()) else { return Ok(None) };
    rules
        .receipt_due(receipt, gravest, document.issued_at, unit.county_code.as_deref())
        .map(Some)
        .ok_or(NoLimit { template: template.as_str(), at: document.issued_at })
}

/// The limit as it is told, for a document that has one.
fn told_limit(limit: Option<(Date, Timestamp)>) -> Limit {
    limit.map_or(Limit::Open, |(due_on, due_at)| match end_of_day(due_on) {
        // By hours, not by days.
        Some(end) if end != due_at => Limit::Instant(due_at),
        Some(_) | None => Limit::Day(due_on),
    })
}

impl Matter {
    /// A supervision was notified.
    pub fn notified(rules: &Rules, event: &NotificationIssued) -> Result<Self, NoLimit> {
        let receipt_due = limit(rules, Template::SupervisionNotification, None, &event.document, &event.unit)?;
        let team =
            event.team.iter().map(|member| Member { name: member.name.clone(), leader: member.leader }).collect();
        Ok(Self::of_document(
            &event.unit,
            event.case_id,
            &event.case_title,
            &event.document,
            receipt_due,
            Wording::SupervisionNotification {
                doc_no: event.document.doc_no.clone(),
                kind: event.supervision_kind,
                visit_on: event.visit_on,
                team,
                receipt_due: told_limit(receipt_due),
            },
        ))
    }

    /// A preliminary opinion was fed back.
    pub fn fed_back(rules: &Rules, event: &PreliminaryOpinionIssued) -> Result<Self, NoLimit> {
        let receipt_due = limit(rules, Template::PreliminaryOpinion, None, &event.document, &event.unit)?;
        Ok(Self::of_document(
            &event.unit,
            event.case_id,
            &event.case_title,
            &event.document,
            receipt_due,
            Wording::PreliminaryOpinion {
                doc_no: event.document.doc_no.clone(),
                plea_due: event.plea_due_on,
                receipt_due: told_limit(receipt_due),
            },
        ))
    }

    /// An opinion letter was issued, or a rectification notice.
    pub fn lettered(rules: &Rules, event: &LetterIssued) -> Result<Self, NoLimit> {
        let gravest = event.findings.iter().map(|finding| finding.severity).max();
        let is_notice = event.document.kind == DocumentKind::RectificationNotice;
        let template = if is_notice { Template::RectificationNotice } else { Template::OpinionLetter };
        let receipt_due = limit(rules, template, gravest, &event.document, &event.unit)?;
        let (doc_no, evaluation) = (event.document.doc_no.clone(), event.evaluation.clone());
        let items = event.findings.iter().map(ItemLine::from).collect();
        let wording = if is_notice {
            Wording::RectificationNotice { doc_no, evaluation, items, receipt_due: told_limit(receipt_due) }
        } else {
            Wording::OpinionLetter { doc_no, evaluation, items, receipt_due: told_limit(receipt_due) }
        };
        let mut matter =
            Self::of_document(&event.unit, event.case_id, &event.case_title, &event.document, receipt_due, wording);
        matter.letter_kind = event.document.kind;
        Ok(matter)
    }

    /// The unit is invited to an interview.
    pub fn invited(rules: &Rules, event: &InterviewNotified) -> Result<Self, NoLimit> {
        let receipt_due = limit(rules, Template::InterviewNotice, None, &event.document, &event.step.unit)?;
        let wording = Wording::InterviewNotice {
            doc_no: event.document.doc_no.clone(),
            letter_no: event.step.letter_no.clone(),
            reason: event.reason.clone(),
            at: event.at,
            place: event.place.clone(),
            receipt_due: told_limit(receipt_due),
        };
        Ok(Self::of_step(&event.step, &event.document, receipt_due, wording))
    }

    /// A circular names the unit.
    pub fn named(rules: &Rules, event: &CircularIssued) -> Result<Self, NoLimit> {
        let receipt_due = limit(rules, Template::Circular, None, &event.document, &event.step.unit)?;
        let wording = Wording::Circular {
            doc_no: event.document.doc_no.clone(),
            letter_no: event.step.letter_no.clone(),
            result: event.result.clone(),
            barred_until: event.barred_until,
            receipt_due: told_limit(receipt_due),
        };
        Ok(Self::of_step(&event.step, &event.document, receipt_due, wording))
    }

    fn of_step(
        step: &StepOfPaper,
        document: &DocumentRef,
        receipt_due: Option<(Date, Timestamp)>,
        wording: Wording,
    ) -> Self {
        let mut matter = Self::of_document(&step.unit, step.case_id, &step.case_title, document, receipt_due, wording);
        matter.rectification_id = Some(step.rectification_id);
        matter
    }

    /// A rectification began.
    pub fn opened(event: &RectificationOpened) -> Self {
        let rectification = &event.rectification;
        let wording = Wording::RectificationOpened {
            doc_no: rectification.letter.doc_no.clone(),
            received_at: rectification.received_at,
            items: lines(rectification, |_| true),
            joint_liability: rectification.liable_for.is_some(),
        };
        Self::of_rectification(rectification, wording)
    }

    /// A limit comes near.
    pub fn reminded(event: &ReminderDue) -> Self {
        let rectification = &event.rectification;
        let wording = Wording::Reminder {
            doc_no: rectification.letter.doc_no.clone(),
            due_on: event.due_on,
            days_left: event.working_days_left,
            items: lines(rectification, |item| event.item_ids.contains(&item.item_id)),
        };
        Self::of_rectification(rectification, wording)
    }

    /// A limit passed, and the order was issued.
    pub fn urged(rules: &Rules, event: &UrgingOrderIssued, order: &UrgingOrderFact) -> Result<Self, NoLimit> {
        let rectification = &event.rectification;
        let urged = |item: &ItemSnapshot| order.items.iter().find(|urged| urged.item_id == item.item_id);
        let gravest = rectification.items.iter().filter(|item| urged(item).is_some()).map(|item| item.severity).max();
        let receipt_due = limit(rules, Template::UrgingOrder, gravest, &order.document, &rectification.unit)?;
        let items = rectification
            .items
            .iter()
            .filter_map(|item| {
                let urged = urged(item)?;
                Some(ItemLine {
                    was_due_on: Some(urged.was_due_on),
                    due_on: Some(urged.due_on),
                    ..ItemLine::from(item)
                })
            })
            .collect();
        let wording = Wording::UrgingOrder {
            doc_no: order.document.doc_no.clone(),
            letter_no: rectification.letter.doc_no.clone(),
            items,
            receipt_due: told_limit(receipt_due),
            copy_to: order.copy_to.clone(),
            next_at: event.next_step.fires_at,
            next_step: event.next_step.level,
        };
        let mut matter = Self::of_document(
            &rectification.unit,
            rectification.case_id,
            &rectification.case_title,
            &order.document,
            receipt_due,
            wording,
        );
        matter.rectification_id = Some(rectification.rectification_id);
        matter.joint_liability = rectification.liable_for.is_some();
        matter.letter_kind = rectification.letter.kind;
        Ok(matter)
    }

    /// The unit reported on an item.
    pub fn reported(event: &ItemReported) -> Self {
        let rectification = &event.rectification;
        let item = item(rectification, event.item_id);
        let wording = Wording::ItemReported {
            doc_no: rectification.letter.doc_no.clone(),
            items: lines(rectification, |item| item.item_id == event.item_id),
            report: item.and_then(|item| item.report.clone()).unwrap_or_default(),
        };
        Self::of_rectification(rectification, wording)
    }

    /// An item was sent back.
    pub fn returned(event: &ItemReturned) -> Self {
        let rectification = &event.rectification;
        let wording = Wording::ItemReturned {
            doc_no: rectification.letter.doc_no.clone(),
            items: lines(rectification, |item| item.item_id == event.item_id),
            reason: event.reason.clone(),
        };
        Self::of_rectification(rectification, wording)
    }

    /// An item was verified.
    pub fn verified(event: &ItemVerified) -> Self {
        let rectification = &event.rectification;
        let item = item(rectification, event.item_id);
        let wording = Wording::ItemVerified {
            doc_no: rectification.letter.doc_no.clone(),
            items: lines(rectification, |item| item.item_id == event.item_id),
            verified_by: item.and_then(|item| item.verified_by.clone()).unwrap_or_default(),
        };
        Self::of_rectification(rectification, wording)
    }

    /// An item was closed.
    pub fn item_closed(event: &ItemClosed, occurred_at: Timestamp) -> Self {
        let rectification = &event.rectification;
        let closed_at = item(rectification, event.item_id).and_then(|item| item.closed_at).unwrap_or(occurred_at);
        let wording = Wording::ItemClosed {
            doc_no: rectification.letter.doc_no.clone(),
            items: lines(rectification, |item| item.item_id == event.item_id),
            closed_on: local_date(closed_at),
        };
        Self::of_rectification(rectification, wording)
    }

    /// Everything was closed; what was accepted is served on the unit.
    pub fn closed(rules: &Rules, event: &RectificationClosed, occurred_at: Timestamp) -> Result<Self, NoLimit> {
        let rectification = &event.rectification;
        let receipt_due = match &event.acceptance {
            Some(document) => limit(rules, Template::RectificationClosed, None, document, &rectification.unit)?,
            None => None,
        };
        let wording = Wording::RectificationClosed {
            doc_no: rectification.letter.doc_no.clone(),
            count: rectification.items.len(),
            closed_on: local_date(rectification.closed_at.unwrap_or(occurred_at)),
            acceptance_no: event.acceptance.as_ref().map(|document| document.doc_no.clone()),
            receipt_due: receipt_due.map(|due| told_limit(Some(due))),
        };
        let mut matter = Self::of_rectification(rectification, wording);
        if let Some(document) = &event.acceptance {
            matter.doc_no.clone_from(&document.doc_no);
            matter.document = Some(document.clone());
            matter.receipt_due = receipt_due;
        }
        Ok(matter)
    }

    /// A step of the ladder is proposed.
    pub fn proposed(event: &StepProposed) -> Self {
        let rectification = &event.rectification;
        let wording = Wording::StepProposed {
            doc_no: rectification.letter.doc_no.clone(),
            items: lines(rectification, |item| event.item_ids.contains(&item.item_id)),
            step: event.level,
            article: event.article.clone(),
            // Events from before it was told have the epoch.
            decide_by: (event.decide_by > Timestamp::UNIX_EPOCH).then_some(event.decide_by),
        };
        Self::of_rectification(rectification, wording)
    }

    /// A report waits longer than the agency may let it wait.
    pub fn verification_overdue(event: &VerificationOverdue) -> Self {
        let rectification = &event.rectification;
        let wording = Wording::DutyOverdue {
            doc_no: rectification.letter.doc_no.clone(),
            items: lines(rectification, |item| item.item_id == event.item_id),
            who: ower(rectification, Duty::Verification),
            duty: Duty::Verification,
            due_at: event.due_at,
            times: 1,
        };
        Self::of_rectification(rectification, wording)
    }

    /// Something else happened to a rectification; nothing for what nobody has to be told.
    #[expect(clippy::too_many_lines, reason = "one table: what happened, and what is told of it")]
    pub fn changed(event: &RectificationChanged) -> Option<Self> {
        let rectification = &event.rectification;
        let doc_no = rectification.letter.doc_no.clone();
        let of = |id: ItemId| lines(rectification, |item| item.item_id == id);
        let wording = match &event.change {
            Change::PlanSubmitted { item_id, late } => {
                Wording::PlanSubmitted { doc_no, items: of(*item_id), late: *late }
            }
            Change::PlanJudged { item_id, accepted, due_on } => {
                Wording::PlanJudged { doc_no, items: of(*item_id), accepted: *accepted, due_on: *due_on }
            }
            Change::PlanOverdue { item_id, due_on } => {
                Wording::PlanOverdue { doc_no, items: of(*item_id), due_on: *due_on }
            }
            Change::ItemExtended { item_id, due_on } => {
                Wording::ItemExtended { doc_no, items: of(*item_id), due_on: *due_on }
            }
            Change::RequestMade { request } => Wording::RequestMade {
                doc_no,
                items: request.item_id.map(of).unwrap_or_default(),
                wish: request.wish.clone(),
                reason: request.reason.clone(),
                by: request.requested_by.clone(),
                decide_by: request.decide_by,
            },
            Change::RequestDecided { request, granted, note } => Wording::RequestDecided {
                doc_no,
                items: request.item_id.map(of).unwrap_or_default(),
                wish: request.wish.clone(),
                granted: *granted,
                note: note.clone(),
            },
            Change::Paused { reason, until } => Wording::Paused {
                doc_no,
                items: lines(rectification, |item| item.state == ItemState::InProgress)
                    .into_iter()
                    .map(|line| ItemLine { due_on: None, ..line })
                    .collect(),
                reason: *reason,
                until: *until,
            },
            Change::Resumed { since } => Wording::Resumed {
                doc_no,
                items: lines(rectification, |item| item.state == ItemState::InProgress),
                since: *since,
            },
            Change::Recounted { items } => {
                let moved = recounted(rectification, items);
                if moved.is_empty() {
                    return None;
                }
                Wording::Recounted { doc_no, items: moved }
            }
            Change::StepTaken { proposal_id, level, note } => Wording::StepTaken {
                doc_no,
                items: of_step(rectification, *proposal_id),
                step: *level,
                note: note.clone(),
            },
            Change::StepLifted { proposal_id, level, reason } => Wording::StepLifted {
                doc_no,
                items: of_step(rectification, *proposal_id),
                step: *level,
                reason: reason.clone(),
            },
            Change::ConsultationSent { item_id, office, due_at } => {
                Wording::ConsultationSent { doc_no, items: of(*item_id), office: office.clone(), due_at: *due_at }
            }
            Change::ItemWaived { item_id, reason } => {
                let items = of(*item_id).into_iter().map(|line| ItemLine { due_on: None, ..line }).collect();
                Wording::ItemWaived { doc_no, items, reason: reason.clone() }
            }
            Change::CloseOutApproved { item_id, given } => {
                Wording::CloseOutApproved { doc_no, items: of(*item_id), given: *given }
            }
            Change::CloseOutRefused { item_id, reason } => {
                Wording::CloseOutRefused { doc_no, items: of(*item_id), reason: reason.clone() }
            }
            Change::LookBackDue { item_id, visit_by } => {
                Wording::LookBackDue { doc_no, items: of(*item_id), visit_by: *visit_by }
            }
            Change::ItemReopened { item_id, reason, due_on } => {
                Wording::ItemReopened { doc_no, items: of(*item_id), reason: reason.clone(), due_on: *due_on }
            }
            Change::DutyOverdue { duty, item_id, due_at, times } => Wording::DutyOverdue {
                doc_no,
                items: item_id.map(of).unwrap_or_default(),
                who: ower(rectification, *duty),
                duty: *duty,
                due_at: *due_at,
                times: *times,
            },
            // Of what is over nobody has to be told where it went.
            Change::HandedOver { .. } if rectification.closed_at.is_some() => return None,
            Change::HandedOver { county, agency, since } => Wording::HandedOver {
                doc_no,
                items: lines(rectification, |item| !item.state.is_done()),
                county: county.clone(),
                agency: agency.clone(),
                since: *since,
            },
            // What the unit notes is read in the console; the others end what somebody was told of.
            Change::ProgressNoted { .. }
            | Change::StepMoot { .. }
            | Change::RequestMoot { .. }
            | Change::ConsultationAnswered { .. }
            | Change::LookBackPassed { .. } => return None,
        };
        Some(Self::of_rectification(rectification, wording))
    }

    /// A document was not acknowledged within its limit.
    pub fn unsigned(
        unit: &UnitRef,
        case_id: CaseId,
        case_title: &str,
        rectification_id: Option<RectificationId>,
        document: &DocumentRef,
        wording: Wording,
    ) -> Self {
        let mut matter = Self::of_document(unit, case_id, case_title, document, None, wording);
        matter.rectification_id = rectification_id;
        matter
    }

    fn of_document(
        unit: &UnitRef,
        case_id: CaseId,
        case_title: &str,
        document: &DocumentRef,
        receipt_due: Option<(Date, Timestamp)>,
        wording: Wording,
    ) -> Self {
        Self {
            unit: unit.clone(),
            issuing_unit_id: document.issuing_unit_id,
            issuing_unit_name: document.issuing_unit_name.clone(),
            case_id,
            case_title: case_title.to_owned(),
            rectification_id: None,
            document: Some(document.clone()),
            doc_no: document.doc_no.clone(),
            receipt_due,
            joint_liability: false,
            urgent: is_urgent(&wording),
            letter_kind: DocumentKind::OpinionLetter,
            wording,
        }
    }

    fn of_rectification(rectification: &RectificationSnapshot, wording: Wording) -> Self {
        Self {
            unit: rectification.unit.clone(),
            issuing_unit_id: rectification.letter.issuing_unit_id,
            issuing_unit_name: rectification.letter.issuing_unit_name.clone(),
            case_id: rectification.case_id,
            case_title: rectification.case_title.clone(),
            rectification_id: Some(rectification.rectification_id),
            document: None,
            doc_no: rectification.letter.doc_no.clone(),
            receipt_due: None,
            joint_liability: rectification.liable_for.is_some(),
            urgent: is_urgent(&wording),
            letter_kind: rectification.letter.kind,
            wording,
        }
    }
}

fn item(rectification: &RectificationSnapshot, id: ItemId) -> Option<&ItemSnapshot> {
    rectification.items.iter().find(|item| item.item_id == id)
}

fn lines(rectification: &RectificationSnapshot, wanted: impl Fn(&ItemSnapshot) -> bool) -> Vec<ItemLine> {
    rectification.items.iter().filter(|item| wanted(item)).map(ItemLine::from).collect()
}

/// The limits whose day moved or became certain, with the day that was told before.
fn recounted(rectification: &RectificationSnapshot, items: &[Recounted]) -> Vec<ItemLine> {
    let told = |effect: RecountEffect| match effect {
        RecountEffect::Later | RecountEffect::Freed | RecountEffect::Final => true,
        RecountEffect::Kept | RecountEffect::Provisional => false,
    };
    items
        .iter()
        .filter(|moved| told(moved.effect))
        .filter_map(|moved| {
            let item = item(rectification, moved.item_id)?;
            Some(ItemLine {
                due_on: Some(moved.due_on),
                effect: Some(moved.effect),
                told_due_on: (moved.was_due_on != moved.due_on).then_some(moved.was_due_on),
                ..ItemLine::from(item)
            })
        })
        .collect()
}

fn of_step(rectification: &RectificationSnapshot, proposal_id: ProposalId) -> Vec<ItemLine> {
    let step = rectification.steps.iter().find(|step| step.proposal_id == proposal_id);
    lines(rectification, |item| step.is_some_and(|step| step.items.contains(&item.number)))
}

/// Who owes a duty.
fn ower(rectification: &RectificationSnapshot, duty: Duty) -> Ower {
    match duty {
        Duty::ConsultationAnswer => Ower::Consulted,
        Duty::StepDecision => Ower::Decider,
        Duty::Verification | Duty::PlanAcceptance | Duty::CloseOut | Duty::RequestDecision | Duty::LookBackVisit => {
            Ower::Agency(rectification.letter.issuing_unit_name.clone())
        }
    }
}

/// Whether life is in danger by what is told (危及生命安全).
fn is_urgent(wording: &Wording) -> bool {
    let (Wording::OpinionLetter { items, .. }
    | Wording::RectificationNotice { items, .. }
    | Wording::RectificationOpened { items, .. }
    | Wording::Reminder { items, .. }
    | Wording::UrgingOrder { items, .. }) = wording
    else {
        return false;
    };
    items.iter().any(|item| item.severity == Severity::Immediate)
}
