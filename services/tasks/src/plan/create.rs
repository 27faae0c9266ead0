//! Drafting a plan.

use access::Permit;
use domain::case::may_supervise;
use domain::ids::{PlanId, PlanItemId, UnitId};
use postgres::Tx;
use problem::Text;
use service_kit::ids::Ids;

use super::http::NewPlan;
use super::{Plan, PlanItem, store};
use crate::checks::{Fields, SHORT_TEXT};
use crate::office::{agency_facts, agency_of, supervised_unit, unknown_unit};
use crate::registry::store as copies;

/// Drafts a plan for the caller's agency; every target must exist and be the agency's to supervise.
pub(super) async fn create(tx: &mut Tx, ids: &dyn Ids, permit: &Permit, new: NewPlan) -> problem::Result<Plan> {
    let agency = agency_of(tx, permit).await?;
    let mut fields = Fields::default();
    fields.text("/title", &new.title, SHORT_TEXT);
    if !(2021..=2100).contains(&new.year) {
        fields.add("/year", Text::new("年度应在 2021 至 2100 之间", "the year must be between 2021 and 2100"));
    }
    if new.items.is_empty() {
        fields.add("/items", Text::new("至少列入一个督导事项", "needs at least one item"));
    }
    let mut items = Vec::new();
    for ((number, n), item) in (1..).zip(0_usize..).zip(new.items) {
        let at = format!("/items/{n}");
        fields.text(format!("{at}/matter"), &item.matter, SHORT_TEXT);
        if item.window_from > item.window_to {
            fields.add(format!("{at}/window_to"), Text::new("不得早于开始日期", "must not be before the first day"));
        }
        if item.window_from.year() != new.year || item.window_to.year() != new.year {
            fields.add(
                format!("{at}/window_from"),
                Text::new("时间应在计划年度之内", "must lie in the year of the plan"),
            );
        }
        check_targets(tx, &mut fields, &agency, &at, &item.target_unit_ids).await?;
        items.push(PlanItem {
            plan_item_id: PlanItemId::new(ids.new_id()),
            number,
            supervision_kind: item.supervision_kind,
            matter: item.matter,
            target_unit_ids: item.target_unit_ids,
            window_from: item.window_from,
            window_to: item.window_to,
        });
    }
    fields.check()?;
    let plan = Plan {
        plan_id: PlanId::new(ids.new_id()),
        version: 1,
        year: new.year,
        title: new.title,
        agency_id: agency.unit_id,
        agency_name: agency.name,
        area_path: agency.area_path,
        items,
        document: None,
        created_at: tx.at(),
    };
    store::insert(tx, &plan).await?;
    Ok(plan)
}

async fn check_targets(
    tx: &mut Tx,
    fields: &mut Fields,
    agency: &crate::registry::Unit,
    at: &str,
    targets: &[UnitId],
) -> problem::Result<()> {
    if targets.is_empty() {
        fields.add(format!("{at}/target_unit_ids"), Text::new("至少列入一个单位", "needs at least one unit"));
    }
    let known = copies::units(tx, targets).await?;
    for (n, id) in targets.iter().enumerate() {
        let pointer = format!("{at}/target_unit_ids/{n}");
        let Some(unit) = known.iter().find(|unit| unit.unit_id == *id) else {
            fields.add(pointer, unknown_unit(*id));
            continue;
        };
        let refusal = match supervised_unit(tx, unit).await? {
            Some(facts) => {
                may_supervise(&agency_facts(agency), &facts).err().map(|refusal| (refusal.zh(), refusal.to_string()))
            }
            None => {
                Some(("省级人民政府由国家督导".to_owned(), "the nation supervises a provincial government".to_owned()))
            }
        };
        if let Some((zh, en)) = refusal {
            fields.add(pointer, Text::new(zh, en));
        }
    }
    Ok(())
}
