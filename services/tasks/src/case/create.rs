//! Opening a case (立项).

use access::Permit;
use domain::case::PlanFacts;
use domain::ids::{CaseId, PlanId, UnitId};
use domain::local_time::local_date;
use jiff::civil::Date;
use postgres::Tx;
use problem::{Problem, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::record::AgencyRef;
use super::refuse::refuse;
use super::{Case, Record, machine_kind, store};
use crate::app::AppState;
use crate::checks::{Fields, SHORT_TEXT};
use crate::office::{actor, agency_facts, agency_of, supervised_unit, unknown_unit};
use crate::{plan, registry};

/// A case to be opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCase {
    /// The issued plan that it carries out, if any.
    pub plan_id: Option<PlanId>,
    /// Type of supervision.
    pub supervision_kind: contracts::tasks::SupervisionKind,
    /// Name of the supervision (督导项目).
    pub title: String,
    /// Supervised unit (被督导单位).
    pub unit_id: UnitId,
    /// Matters (督导事项), at least one.
    pub matters: Vec<String>,
    /// First day of the visit.
    #[schema(value_type = String, format = Date)]
    pub visit_on: Date,
    /// Last day for the self-evaluation, where one is required (自评).
    #[schema(value_type = Option<String>, format = Date)]
    pub self_evaluation_due_on: Option<Date>,
}

/// Opens a case for the caller's agency, which must have jurisdiction (measure 2).
pub(super) async fn create(tx: &mut Tx, state: &AppState, permit: &Permit, new: NewCase) -> problem::Result<Case> {
    let agency = agency_of(tx, permit).await?;
    let today = local_date(tx.at());
    let mut fields = Fields::default();
    fields.text("/title", &new.title, SHORT_TEXT);
    fields.texts("/matters", &new.matters, SHORT_TEXT);
    if new.visit_on < today {
        fields.add("/visit_on", Text::new("不得早于今天", "must not be in the past"));
    }
    if new.self_evaluation_due_on.is_some_and(|due| due < today || due > new.visit_on) {
        fields.add(
            "/self_evaluation_due_on",
            Text::new("应在今天至督导日期之间", "must lie between today and the visit"),
        );
    }
    let unit = registry::store::unit(tx, new.unit_id).await?;
    if unit.is_none() {
        fields.add("/unit_id", unknown_unit(new.unit_id));
    }
    if let Some(plan_id) = new.plan_id {
        let known = plan::store::find(tx, plan_id).await?.is_some_and(|plan| plan.document.is_some());
        if !known {
            fields.add("/plan_id", Text::new("没有这个已印发的督导计划", "there is no such issued plan"));
        }
    }
    fields.check()?;
    let unit = unit.ok_or_else(super::standing::unknown)?;
    let supervised = supervised_unit(tx, &unit).await?.ok_or_else(|| {
        Problem::forbidden(Text::new(
            "无管辖权：省级人民政府由国家督导",
            "no jurisdiction: the nation supervises a provincial government",
        ))
        .with("guard", "jurisdiction")
    })?;
    let rulebook = state.rules.rulebook_on(today).ok_or_else(|| {
        Problem::state_refuses(Text::new("今天没有生效的规则库。", "No rulebook is in force today."), "no_rulebook")
    })?;
    let case_id = CaseId::new(state.ids.new_id());
    let facts = PlanFacts {
        case_id,
        plan_item: None,
        kind: machine_kind(new.supervision_kind),
        agency: agency_facts(&agency),
        unit: supervised,
        matters: new.matters,
        self_evaluation_required: new.self_evaluation_due_on.is_some(),
    };
    let (machine, history) = domain::case::Case::plan(facts).map_err(|refusal| refuse(&refusal, "none"))?.into_parts();
    let case = Case {
        case_id,
        version: 1,
        created_at: tx.at(),
        record: Record {
            machine,
            kind: new.supervision_kind,
            title: new.title,
            plan_id: new.plan_id,
            unit: unit.supervised_by(&agency),
            agency: AgencyRef { unit_id: agency.unit_id, name: agency.name, area_path: agency.area_path },
            visit_on: new.visit_on,
            self_evaluation_due_on: new.self_evaluation_due_on,
            rulebook_version: rulebook.version.clone(),
            team: Vec::new(),
            notification: None,
            self_evaluation: None,
            visit_records: Vec::new(),
            hearings: Vec::new(),
            findings: Vec::new(),
            preliminary_opinion: None,
            plea: None,
            letter: None,
            report: None,
        },
    };
    store::insert(tx, &case, &history, &actor(permit.caller())).await?;
    Ok(case)
}
