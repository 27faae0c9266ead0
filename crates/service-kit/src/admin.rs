//! Routes of every service for its operator: dead letters, replay, verification of the journal.

use std::sync::Arc;

use access::{Access, Action, GuardedRouter, Permit, Resource};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use messaging::dead_letters::DeadLetter;
use messaging::{JournalPublicKey, dead_letters, replay, verify};
use postgres::Database;
use problem::{Path, Problem, Query, Text};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

use crate::idempotency::Idempotent;

/// What the routes need.
#[derive(Debug, Clone)]
pub struct AdminState {
    /// The service's database.
    pub database: Database,
    /// Public keys that the journal may be signed with.
    pub trusted: Arc<[JournalPublicKey]>,
}

/// How many dead letters to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// At most this many, 1 to 200; 50 when absent.
    limit: Option<u16>,
}

/// The list of dead letters.
#[derive(Debug, Serialize, ToSchema)]
struct DeadLetterList {
    /// The newest first.
    items: Vec<DeadLetter>,
    /// How many wait in all.
    waiting: i64,
}

/// How to send a dead letter again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RedriveRequest {
    /// The corrected text of the event; absent sends it as it was.
    edited: Option<String>,
}

/// Which part of the journal to publish again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplayRequest {
    /// First position; 0 is the whole journal.
    #[serde(default)]
    from_position: i64,
}

/// A replay.
#[derive(Debug, Serialize, ToSchema)]
struct ReplayView {
    /// Its identifier.
    replay_id: Uuid,
    /// How many events were published; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u64>,
}

/// The operator's routes.
pub fn routes(access: Access) -> GuardedRouter<AdminState> {
    GuardedRouter::new(access)
        .route(Action::ServiceDeadLettersManage, routes!(list))
        .route(Action::ServiceDeadLettersManage, routes!(redrive))
        .route(Action::ServiceDeadLettersManage, routes!(discard))
        .route(Action::ServiceReplayRun, routes!(start_replay))
        .route(Action::ServiceReplayRun, routes!(show_replay))
        .route(Action::ServiceJournalVerify, routes!(verification))
}

/// Dead letters that nobody has settled (死信).
#[utoipa::path(get, path = "/v1/service/dead-letters", tag = "service", params(ListQuery),
    responses((status = 200, body = DeadLetterList)))]
async fn list(
    State(state): State<AdminState>,
    permit: Permit,
    Query(query): Query<ListQuery>,
) -> problem::Result<Json<DeadLetterList>> {
    permit.on(&Resource::installation())?;
    let limit = i64::from(query.limit.unwrap_or(50).clamp(1, 200));
    let items = dead_letters::list(&state.database, limit).await?;
    let waiting = dead_letters::waiting(&state.database).await?;
    Ok(Json(DeadLetterList { items, waiting }))
}

/// Sends a dead letter to its consumer again, corrected or as it was.
#[utoipa::path(post, path = "/v1/service/dead-letters/{dead_letter_id}/redrive", tag = "service",
    params(("dead_letter_id" = Uuid, Path)), request_body = RedriveRequest, responses((status = 202)))]
async fn redrive(
    State(state): State<AdminState>,
    permit: Permit,
    Path(dead_letter_id): Path<Uuid>,
    problem::Json(request): problem::Json<RedriveRequest>,
) -> problem::Result<StatusCode> {
    permit.on(&Resource::installation())?;
    let by = permit.caller().account_id.to_string();
    if dead_letters::redrive(&state.database, dead_letter_id, request.edited.as_deref(), &by).await? {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(settled())
    }
}

/// Settles a dead letter without applying it.
#[utoipa::path(post, path = "/v1/service/dead-letters/{dead_letter_id}/discard", tag = "service",
    params(("dead_letter_id" = Uuid, Path)), responses((status = 204)))]
async fn discard(
    State(state): State<AdminState>,
    permit: Permit,
    Path(dead_letter_id): Path<Uuid>,
) -> problem::Result<StatusCode> {
    permit.on(&Resource::installation())?;
    let by = permit.caller().account_id.to_string();
    if dead_letters::discard(&state.database, dead_letter_id, &by).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(settled())
    }
}

/// Publishes the journal again; consumers that have applied an event already do nothing.
#[utoipa::path(post, path = "/v1/service/replays", tag = "service", request_body = ReplayRequest,
    responses((status = 202, body = ReplayView)))]
async fn start_replay(
    State(state): State<AdminState>,
    permit: Permit,
    idempotent: Idempotent,
    problem::Json(request): problem::Json<ReplayRequest>,
) -> problem::Result<(StatusCode, Json<ReplayView>)> {
    permit.on(&Resource::installation())?;
    if request.from_position < 0 {
        return Err(Problem::invalid_field("/from_position", Text::new("不能为负数。", "It cannot be negative.")));
    }
    // The same request makes the same identifier, and the second insertion does nothing.
    let replay_id = idempotent.derived_id();
    let by = permit.caller().account_id.to_string();
    replay::request(&state.database, replay_id, &by, request.from_position).await?;
    let events = replay::outcome(&state.database, replay_id).await?;
    Ok((StatusCode::ACCEPTED, Json(ReplayView { replay_id, events })))
}

/// How far a replay is.
#[utoipa::path(get, path = "/v1/service/replays/{replay_id}", tag = "service",
    params(("replay_id" = Uuid, Path)), responses((status = 200, body = ReplayView)))]
async fn show_replay(
    State(state): State<AdminState>,
    permit: Permit,
    Path(replay_id): Path<Uuid>,
) -> problem::Result<Json<ReplayView>> {
    permit.on(&Resource::installation())?;
    let events = replay::outcome(&state.database, replay_id).await?;
    Ok(Json(ReplayView { replay_id, events }))
}

/// Recomputes the audit chain of the journal and says what is wrong with it.
#[utoipa::path(get, path = "/v1/service/journal/verification", tag = "service",
    responses((status = 200, body = verify::Report)))]
async fn verification(State(state): State<AdminState>, permit: Permit) -> problem::Result<Json<verify::Report>> {
    permit.on(&Resource::installation())?;
    Ok(Json(verify::chain(&state.database, &state.trusted).await?))
}

fn settled() -> Problem {
    Problem::unknown_resource(Text::new(
        "没有这条死信，或者它已经处理完毕。",
        "There is no such dead letter, or it is settled already.",
    ))
}
