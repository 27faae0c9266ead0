//! The written notice of supervision (督导通知书, Regulation art. 17).

use access::Permit;
use contracts::shared::DocumentKind;
use contracts::tasks::{NotificationIssued, SupervisionKind, TeamMember};
use documents::content::SupervisionNotification;
use domain::case::Notice;
use domain::ids::{DocumentId, NoticeId};
use domain::local_time::{date_zh, local_date};
use domain::period::count;
use domain::rulebook::ProcedureClock;
use jiff::civil::Date;
use postgres::Tx;
use problem::{Problem, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::record::Served;
use super::refuse::refuse_for;
use super::{Case, Record, standing, store, words};
use crate::app::AppState;
use crate::checks::{Fields, SHORT_TEXT};
use crate::document::{self, Draft};
use crate::office::actor;
use crate::registry::store as copies;

const RECUSAL_RIGHT: &str =
    "你单位认为督导组成员有应当回避情形的，可以向本机构提出回避申请（《教育督导条例》第十条）。";

/// What the notice says beside the case itself.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewNotice {
    /// Another first day of the visit than planned.
    #[schema(value_type = Option<String>, format = Date)]
    pub visit_on: Option<Date>,
    /// Contact at the agency.
    pub contact: Option<String>,
    /// Material to be prepared.
    pub materials: Vec<String>,
}

/// The earliest day of a visit when the notice is served now, where the rules set one (5 working days ahead).
pub(super) fn earliest_visit(state: &AppState, record: &Record, at: jiff::Timestamp) -> problem::Result<Option<Date>> {
    match record.kind {
        SupervisionKind::Comprehensive | SupervisionKind::Special => {}
        // Regular supervision needs no notice; after an emergency it is served on arrival.
        SupervisionKind::Regular | SupervisionKind::Emergency => return Ok(None),
    }
    let rule = rule(state, record, ProcedureClock::NoticeAhead)?;
    let calendar = state.rules.calendar(record.unit.county_code.as_deref());
    let counted = count(at, rule, &calendar).map_err(|error| Problem::internal(&error))?;
    Ok(Some(counted.due_on))
}

/// The period of a clock under the rules that the case began with.
fn rule(state: &AppState, record: &Record, clock: ProcedureClock) -> problem::Result<domain::period::Period> {
    Ok(super::feedback::rulebook_of(state, record)?.procedure_rule(clock).period)
}

/// Issues the notice: number, frozen text, event.
pub(super) async fn notify(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    case: &mut Case,
    new: NewNotice,
) -> problem::Result<()> {
    standing::office(permit, &case.record)?;
    let at = tx.at();
    let visit_on = new.visit_on.unwrap_or(case.record.visit_on);
    let mut fields = Fields::default();
    fields.optional_text("/contact", new.contact.as_deref().unwrap_or_default(), SHORT_TEXT);
    for (n, material) in new.materials.iter().enumerate() {
        fields.text(format!("/materials/{n}"), material, SHORT_TEXT);
    }
    if visit_on < local_date(at) {
        fields.add("/visit_on", Text::new("督导日期不得早于今天", "the visit must not be in the past"));
    }
    fields.check()?;
    let earliest = earliest_visit(state, &case.record, at)?;
    let mut history = Vec::new();
    // The number is not known yet and nothing in the guards asks for it: the machine is asked first with the agency's
    // next-to-be number standing open, so that a refused notice takes no number.
    let provisional = domain::doc_number::DocNumber::try_new("通知", None, local_date(at).year(), 1)
        .map_err(|error| Problem::internal(&error))?;
    let document_id = DocumentId::new(state.ids.new_id());
    let notice = |number| Notice {
        notice_id: NoticeId::new(document_id.as_uuid()),
        number,
        served_at: at,
        earliest_visit_on: earliest,
    };
    case.clone().act(&mut Vec::new(), |machine| machine.notify(notice(provisional)))?;
    if let Some(earliest) = earliest.filter(|earliest| visit_on < *earliest) {
        return Err(refuse_for(
            &case.record,
            "visit_too_soon",
            Text::new(
                format!("督导通知应提前送达：现在印发的，督导日期不得早于{}，请调整 visit_on。", date_zh(earliest)),
                format!("a notice served now allows a visit from {earliest} on; change visit_on"),
            ),
        )
        .with("earliest_visit_on", earliest.to_string()));
    }
    case.record.visit_on = visit_on;
    let record = &case.record;
    let agency = copies::unit(tx, record.agency.unit_id).await?.ok_or_else(standing::unknown)?;
    let team: Vec<TeamMember> = record
        .team
        .iter()
        .map(|member| TeamMember { person_id: member.person_id, name: member.name.clone(), leader: member.leader })
        .collect();
    let document = document::issue(
        tx,
        &state.rules,
        &actor(permit.caller()),
        Draft {
            document_id,
            kind: DocumentKind::SupervisionNotification,
            title: format!("关于对{}开展{}的通知", record.unit.name, record.kind.zh()),
            agency: &agency,
            addressee: record.unit.name.clone(),
            copies: record.unit.competent_unit_name.iter().cloned().collect(),
            case_id: Some(case.case_id),
            plan_id: None,
            assignment_id: None,
            finding_ids: Vec::new(),
            legal_basis: &["《教育督导条例》第十七条"],
            contact: new.contact,
            phone: None,
            signer: None,
            publication: None,
            body: body(record, new.materials).into(),
        },
    )
    .await?
    .document;
    let number =
        document.doc_no.parse().map_err(|error: domain::doc_number::DocNumberError| Problem::internal(&error))?;
    case.act(&mut history, |machine| machine.notify(notice(number)))?;
    case.record.notification = Some(Served { document: document.clone(), received_at: None });
    let actor = actor(permit.caller());
    store::save(tx, case, &history, &actor).await?;
    let record = &case.record;
    let event = NotificationIssued {
        case_id: case.case_id,
        version: case.version,
        document,
        case_title: record.title.clone(),
        supervision_kind: record.kind,
        unit: record.unit.clone(),
        visit_on,
        team,
    };
    messaging::append(tx, &actor, &event).await?;
    Ok(())
}

/// What the notice says; the day of the visit is settled by then.
fn body(record: &Record, materials: Vec<String>) -> SupervisionNotification {
    SupervisionNotification {
        case_title: record.title.clone(),
        materials,
        matters: record.machine.matters.clone(),
        method: None,
        place: None,
        recusal_right: Some(RECUSAL_RIGHT.to_owned()),
        self_evaluation_demand: None,
        self_evaluation_due_on: record.self_evaluation_due_on,
        self_evaluation_template: None,
        supervision_kind: record.kind.zh().to_owned(),
        team: words::team(record),
        unit: record.unit.name.clone(),
        visit_on: record.visit_on,
        visit_to: None,
    }
}
