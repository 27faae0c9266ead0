//! Announcing a merger, and taking it back before its day.

use access::{Permit, Resource};
use contracts::Actor;
use contracts::registry::{MergerState, UnitKind};
use domain::local_time::local_date;
use jiff::ToSpan as _;
use jiff::civil::Date;
use postgres::Tx;
use problem::{Problem, Text};
use service_kit::ids::Ids;
use uuid::Uuid;

use super::{Merger, recorded, store};
use crate::{area, import, unit};

/// What is wished for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub area_code: String,
    pub into_code: String,
    pub effective_on: Date,
    pub ground: String,
}

/// Announces that an area becomes a part of another one on a day.
///
/// A whole day must lie before that day: tokens hold for eight hours, and none that carries the grants of an office that ends
/// may outlive it.
pub(crate) async fn announce(
    tx: &mut Tx,
    permit: &Permit,
    actor: &Actor,
    ids: &dyn Ids,
    wish: Wish,
) -> Result<Merger, Problem> {
    // No import may move the tree meanwhile.
    import::lock(tx).await?;
    may_change(tx, permit).await?;
    let today = local_date(tx.at());
    if wish.effective_on <= today.saturating_add(1.day()) {
        return Err(Problem::invalid_field(
            "/effective_on",
            Text::new(
                "生效日之前至少须有一个整日，请改为后天或更晚",
                "a whole day must lie before it: the day after tomorrow or later",
            ),
        ));
    }
    let areas = area::store::all(tx).await?;
    let county = |pointer: &'static str, code: &str| {
        areas.iter().find(|area| area.code == code && area.level == "county_unit").ok_or_else(|| {
            Problem::invalid_field(
                pointer,
                Text::new(format!("没有市县“{code}”"), format!("there is no county unit \"{code}\"")),
            )
        })
    };
    let (from, into) = (county("/area_code", &wish.area_code)?, county("/into_code", &wish.into_code)?);
    if from.area_id == into.area_id {
        return Err(Problem::invalid_field(
            "/into_code",
            Text::new("不能并入自身", "an area cannot be merged into itself"),
        ));
    }
    if areas.iter().any(|area| area.parent_id == Some(from.area_id)) {
        return Err(Problem::invalid_field(
            "/area_code",
            Text::new("该市县下设区，请先通过导入调整其区", "it has districts; move these first, by an import"),
        ));
    }
    for (pointer, place) in [("/area_code", from), ("/into_code", into)] {
        for kind in [UnitKind::SupervisionAgency, UnitKind::EducationBureau] {
            unit::store::body_of(tx, place.area_id, unit::kind_word(kind))
                .await?
                .ok_or_else(|| missing(pointer, kind))?;
        }
    }
    let draft = store::Draft {
        merger_id: ids.new_id(),
        area_id: from.area_id,
        into_area_id: into.area_id,
        effective_on: wish.effective_on,
        ground: wish.ground,
        announced_by: permit.caller().display_name.clone(),
    };
    let at = tx.at();
    let Some(merger) = store::insert(tx, &draft, at).await? else {
        return Err(Problem::state_refuses(
            Text::new(
                "该市县的并入已经公布；如需改期，请先撤回。",
                "Its merger is announced already; withdraw it to set another day.",
            ),
            "announced",
        ));
    };
    messaging::append(tx, actor, &recorded(&merger)?).await?;
    Ok(merger)
}

/// Takes an announced merger back.
pub(crate) async fn withdraw(
    tx: &mut Tx,
    permit: &Permit,
    actor: &Actor,
    merger_id: Uuid,
    version: service_kit::etag::IfMatch,
) -> Result<Merger, Problem> {
    import::lock(tx).await?;
    may_change(tx, permit).await?;
    let merger = store::lock(tx, merger_id)
        .await?
        .ok_or_else(|| Problem::unknown_resource(Text::new("没有这项并入。", "There is no such merger.")))?;
    version.check(merger.version)?;
    if merger.state != super::state_word(MergerState::Announced) {
        return Err(Problem::state_refuses(
            Text::new("只能撤回尚未生效的并入。", "Only a merger that has not taken effect can be withdrawn."),
            merger.state,
        ));
    }
    let at = tx.at();
    let merger = store::set_state(tx, merger_id, MergerState::Withdrawn, at).await?;
    messaging::append(tx, actor, &recorded(&merger)?).await?;
    Ok(merger)
}

/// The tree is the province's.
async fn may_change(tx: &mut Tx, permit: &Permit) -> Result<(), Problem> {
    let root = area::store::root(tx).await?.ok_or_else(|| {
        Problem::state_refuses(Text::new("省级区划尚未登记。", "The province is not recorded yet."), "no_province")
    })?;
    permit.on(&Resource::in_area(root.path.iter().copied().map(Into::into)))
}

fn missing(pointer: &'static str, kind: UnitKind) -> Problem {
    let (zh, en) = match kind {
        UnitKind::SupervisionAgency => ("教育督导机构", "supervision agency"),
        UnitKind::EducationBureau | UnitKind::School | UnitKind::Government | UnitKind::Department => {
            ("教育行政部门", "education bureau")
        }
    };
    Problem::invalid_field(
        pointer,
        Text::new(
            format!("该市县没有登记{zh}，无法承接；请先登记"),
            format!("no {en} is registered there that could hand over or take over; register it first"),
        ),
    )
}
