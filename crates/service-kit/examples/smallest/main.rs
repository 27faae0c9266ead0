//! The smallest service: one route, one table, one worker. Shows what a main function looks like and
//! is started as a process by the tests.

use std::process::ExitCode;
use std::time::Duration;

use access::{Action, GuardedRouter, Permit};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use service_kit::config::{Common, Faults, Validate};
use service_kit::idempotency::{Begun, Idempotent};
use service_kit::{Assembled, Kit, Round, Service, Worker};
use sqlx::migrate::Migrator;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

static MIGRATOR: Migrator = sqlx::migrate!("examples/smallest/migrations");

service_kit::section! {
    /// `[notes]`
    pub struct NotesSection {
        /// Longest text, in characters.
        pub max_characters: usize,
    }
}
service_kit::config! {
    /// The configuration of the example.
    pub struct Config: Common {
        /// `[notes]`
        pub notes: NotesSection,
    }
}
impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        if self.notes.max_characters == 0 {
            faults.add("notes.max_characters", "必须大于 0", "must be above 0");
        }
    }
}

#[derive(Clone)]
struct AppState {
    kit: Kit,
    max_characters: usize,
}

/// A note to be written.
#[derive(Debug, Deserialize, ToSchema)]
struct WriteNote {
    /// Its text.
    text: String,
}

/// A note.
#[derive(Debug, Serialize, ToSchema)]
struct Note {
    /// Its identifier.
    note_id: Uuid,
    /// Its text.
    text: String,
}

/// Writes a note.
#[utoipa::path(post, path = "/v1/notes", request_body = WriteNote, responses((status = 201, body = Note)))]
async fn write(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    problem::Json(command): problem::Json<WriteNote>,
) -> problem::Result<Response> {
    if command.text.chars().count() > state.max_characters {
        let detail = problem::Text::new("内容过长。", "The text is too long.");
        return Err(problem::Problem::invalid_field("/text", detail));
    }
    let mut work = match idempotent.begin(&state.kit.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let note = Note { note_id: state.kit.ids.new_id(), text: command.text };
    let at = work.at();
    sqlx::query("INSERT INTO notes (note_id, text, written_at) VALUES ($1, $2, $3)")
        .bind(note.note_id)
        .bind(&note.text)
        .bind(at.to_sqlx())
        .execute(&mut ***work)
        .await?;
    tracing::info!(note.id = %note.note_id, account.id = %permit.caller().account_id, "note written");
    work.commit((StatusCode::CREATED, axum::Json(note))).await
}

struct Smallest;

impl Service for Smallest {
    const NAME: &'static str = "tasks";
    type Config = Config;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
        let state = AppState { kit: kit.clone(), max_characters: config.notes.max_characters };
        let routes = GuardedRouter::new(kit.access.clone()).route(Action::AccountSelfRead, routes!(write));
        let database = kit.database.clone();
        let counter = Worker::every("notes", Duration::from_mins(1), move || {
            let database = database.clone();
            async move {
                let notes: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(database.pool()).await?;
                tracing::debug!(notes, "counted");
                Ok(Round::Done)
            }
        });
        Ok(Assembled::new(routes, state).worker(counter))
    }
}

fn main() -> ExitCode {
    service_kit::run::<Smallest>()
}
