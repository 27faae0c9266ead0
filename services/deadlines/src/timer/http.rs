//! The timer console over HTTP.

use access::{Permit, Resource};
use axum::extract::State;
use domain::ids::{RectificationId, UnitId};
use domain::rectification::TimerKind;
use jiff::{SignedDuration, Timestamp};
use problem::{Json, Problem, Query};
use serde::{Deserialize, Serialize};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::store::{self, Reach, Row, StuckRow, Wanted};
use crate::app::AppState;

/// How far behind its instant a timer may be before it counts as late: many rounds of the firing worker.
const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// Where a timer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimerState {
    /// Its instant lies ahead.
    Armed,
    /// Its instant has come; the next round takes it.
    Due,
    /// Its instant passed more than a minute ago: the firing is behind.
    Late,
    /// Its instant has passed, and its case is set aside with a cause.
    Stuck,
}

impl TimerState {
    fn key(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Due => "due",
            Self::Late => "late",
            Self::Stuck => "stuck",
        }
    }

    fn of(row: &Row, at: Timestamp) -> Self {
        if row.due_at > at {
            Self::Armed
        } else if row.stuck {
            Self::Stuck
        } else if row.due_at < at - GRACE {
            Self::Late
        } else {
            Self::Due
        }
    }
}

/// Filters of the timers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimerQuery {
    /// Only these.
    state: Option<TimerState>,
    /// Only this kind.
    kind: Option<TimerKind>,
    /// Only this county unit, by division code.
    county: Option<String>,
    /// Only those that act at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only those that act before this instant; makes a large installation's list cheap.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// An armed timer. Unit and letter are left out for who sees clocks and no matters.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimerRow {
    rectification_id: RectificationId,
    unit_id: Option<UnitId>,
    unit_name: Option<String>,
    letter_no: Option<String>,
    county_code: Option<String>,
    /// The number of the item; nothing for the rectification as a whole.
    number: Option<i32>,
    kind: TimerKind,
    kind_zh: &'static str,
    /// Which of the kind: the reminder's number, the level of the ladder, how often a duty was called to mind.
    step: i32,
    state: TimerState,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// Whole seconds since it should have acted; 0 while that lies ahead.
    late_seconds: i64,
}

/// A rectification that the rules cannot decide on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StuckCase {
    rectification_id: RectificationId,
    unit_id: Option<UnitId>,
    unit_name: Option<String>,
    letter_no: Option<String>,
    county_code: Option<String>,
    /// When it was last set aside; it is tried again every minute.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// What waits behind the cause since then.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    late_seconds: i64,
    cause: String,
}

/// A page of timers, and what is set aside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Timers {
    /// Legal time of the answer.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The timers, the earliest first.
    items: Vec<TimerRow>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Cases that are set aside, the longest first; at most 100.
    stuck: Vec<StuckCase>,
}

/// The place of a timer in the list.
pub(super) type Cursor = (Timestamp, Uuid, String, i32, i32, i32);

/// 时钟
#[utoipa::path(get, path = "/v1/timers", tag = "期限", params(TimerQuery), responses((status = 200, body = Timers)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<TimerQuery>,
) -> Result<Json<Timers>, Problem> {
    let page = PageQuery { limit: query.limit, after: query.after }.request::<Cursor>()?;
    let reach = Reach::of(&permit.scope(), permit.on(&Resource::installation()).is_ok());
    let mut tx = state.database.begin().await?;
    let at = tx.at();
    let wanted = Wanted {
        reach: &reach,
        state: query.state.map(TimerState::key),
        kind: query.kind.map(TimerKind::key),
        county: query.county.as_deref(),
        from: query.from,
        to: query.to,
        at,
        late_before: at - GRACE,
    };
    let rows = store::timers(&mut tx, &wanted, page.after.as_ref(), page.fetch()).await?;
    let page = Page::new(rows, &page, Row::cursor);
    let stuck = store::stuck(&mut tx, &reach, query.county.as_deref()).await?;
    Ok(Json(Timers {
        at,
        items: page.items.into_iter().filter_map(|row| TimerRow::of(row, at)).collect(),
        next: page.next,
        stuck: stuck.into_iter().map(|row| StuckCase::of(row, at)).collect(),
    }))
}

fn seconds_since(due_at: Timestamp, at: Timestamp) -> i64 {
    at.duration_since(due_at).as_secs().max(0)
}

impl TimerRow {
    /// Nothing for a kind that this version does not know.
    fn of(row: Row, at: Timestamp) -> Option<Self> {
        let kind = TimerKind::ALL.into_iter().find(|kind| kind.key() == row.kind)?;
        let state = TimerState::of(&row, at);
        let whole = i32::try_from(domain::rectification::WHOLE).ok();
        Some(Self {
            rectification_id: row.rectification_id,
            unit_id: row.whose.as_ref().map(|whose| whose.unit_id),
            unit_name: row.whose.as_ref().map(|whose| whose.unit_name.clone()),
            letter_no: row.whose.map(|whose| whose.letter_no),
            county_code: row.county_code,
            number: Some(row.number).filter(|number| Some(*number) != whole),
            kind,
            kind_zh: kind.zh(),
            step: row.step,
            state,
            due_at: row.due_at,
            late_seconds: seconds_since(row.due_at, at),
        })
    }
}

impl StuckCase {
    fn of(row: StuckRow, at: Timestamp) -> Self {
        Self {
            rectification_id: row.rectification_id,
            unit_id: row.whose.as_ref().map(|whose| whose.unit_id),
            unit_name: row.whose.as_ref().map(|whose| whose.unit_name.clone()),
            letter_no: row.whose.map(|whose| whose.letter_no),
            county_code: row.county_code,
            since: row.since,
            due_at: row.due_at,
            late_seconds: row.due_at.map_or(0, |due_at| seconds_since(due_at, at)),
            cause: row.cause,
        }
    }
}
