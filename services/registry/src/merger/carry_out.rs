//! The day has come.

use contracts::Actor;
use contracts::registry::{AreaMerged, MergerState, Succession, UnitKind};
use domain::local_time::local_date;
use postgres::Tx;
use problem::{Problem, Text};
use uuid::Uuid;

use super::{Merger, store};
use crate::{account, area, import, inspector, unit};

/// Carries the merger out whose day has come, the earliest first; false when none waits. One transaction each: whoever looks
/// sees the province before it or after it.
pub(crate) async fn carry_out_due(tx: &mut Tx) -> Result<bool, Problem> {
    let today = local_date(tx.at());
    if !store::is_due(tx, today).await? {
        return Ok(false);
    }
    // No import may move the tree meanwhile, and no other replica does the same.
    import::lock(tx).await?;
    let Some(merger) = store::lock_due(tx, today).await? else { return Ok(false) };
    let actor = Actor::system("registry.mergers");
    let (agency, bureau) = (
        succession(tx, &merger, UnitKind::SupervisionAgency).await?,
        succession(tx, &merger, UnitKind::EducationBureau).await?,
    );

    let area = area::store::merge(tx, merger.area_id, merger.into_area_id, merger.effective_on).await?;
    messaging::append(tx, &actor, &area::recorded(&area)?).await?;
    for units in [
        unit::store::succeed(tx, bureau.from.into(), bureau.to.into(), today).await?,
        unit::store::follow_areas(tx, today).await?,
    ] {
        let events = units.iter().map(unit::recorded).collect::<Result<Vec<_>, _>>()?;
        messaging::append_all(tx, &actor, &events).await?;
    }
    let inspectors = inspector::store::follow_areas(tx, today).await?;
    let events: Vec<_> = inspectors.iter().map(inspector::recorded).collect();
    messaging::append_all(tx, &actor, &events).await?;
    account::store::follow_areas(tx).await?;
    let accounts = account::store::end_offices(tx, merger.area_id, today).await?;
    let events: Vec<_> = accounts.iter().map(account::recorded).collect();
    messaging::append_all(tx, &actor, &events).await?;

    let at = tx.at();
    let done = store::set_state(tx, merger.merger_id, MergerState::CarriedOut, at).await?;
    let event = AreaMerged {
        merger_id: done.merger_id,
        version: done.version,
        area_id: done.area_id.into(),
        code: done.area_code,
        path: area.path.iter().copied().map(Into::into).collect(),
        county_code: done.into_code,
        county_name: done.into_name,
        agency,
        bureau,
        effective_on: done.effective_on,
    };
    messaging::append(tx, &actor, &event).await?;
    tracing::info!(
        merger.id = %event.merger_id, area.code = event.code, county.code = event.county_code, accounts = accounts.len(),
        "an area became a part of another one"
    );
    Ok(true)
}

/// Who hands over to whom: both bodies were there when the merger was announced.
async fn succession(tx: &mut Tx, merger: &Merger, kind: UnitKind) -> Result<Succession, Problem> {
    let word = unit::kind_word(kind);
    let from = body(tx, merger.area_id, word).await?;
    let to = body(tx, merger.into_area_id, word).await?;
    Ok(Succession { from: from.unit_id.into(), to: to.unit_id.into(), to_key: to.key, to_name: to.name })
}

async fn body(tx: &mut Tx, area: Uuid, kind: &str) -> Result<unit::Unit, Problem> {
    unit::store::body_of(tx, area, kind).await?.ok_or_else(|| {
        Problem::state_refuses(
            Text::new(
                format!("区划 {area} 的承接机构（{kind}）不在登记中；请通过导入恢复后，系统会自动继续。"),
                format!("the {kind} of area {area} is not in the register; restore it by an import, and the merger goes on by itself"),
            ),
            "body_missing",
        )
    })
}
