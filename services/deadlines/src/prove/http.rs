//! The last proof, for everyone, and the pulse, for those who watch the clock.

use access::Permit;
use axum::extract::State;
use clockwork::invariants::{self, AGES};
use domain::local_time::moment_zh;
use jiff::Timestamp;
use problem::{Json, Problem, Text};
use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::app::AppState;

/// The last nightly proof. Counts only: whose case it is stays inside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProofView {
    /// When it was made, by legal time.
    #[schema(value_type = String, format = DateTime)]
    proved_at: Timestamp,
    /// Whether everything holds.
    holds: bool,
    /// The first of the unbroken row of proofs that hold; absent while one does not.
    #[schema(value_type = Option<String>, format = DateTime)]
    none_missed_since: Option<Timestamp>,
    /// The same in a sentence, in Chinese.
    statement_zh: String,
    /// The same in English.
    statement_en: String,
    open_cases: i64,
    closed_cases: i64,
    /// Limits that were told.
    limits: i64,
    urging_orders: i64,
    /// Each invariant with how many break it.
    invariants: Vec<InvariantView>,
}

/// One invariant of the proof.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvariantView {
    /// The stable key, as in the metric `dudao_invariant_violations`.
    name: String,
    /// What it proves, in Chinese.
    zh: &'static str,
    /// What it proves, in English.
    en: &'static str,
    violations: i64,
}

/// 最近一次自证（公开）
#[utoipa::path(get, path = "/v1/proofs/latest", tag = "自证", responses((status = 200, body = ProofView)))]
pub(crate) async fn latest(State(state): State<AppState>) -> Result<Json<ProofView>, Problem> {
    let mut connection = state.database.pool().acquire().await?;
    let latest = store::latest(&mut connection)
        .await?
        .ok_or_else(|| Problem::unknown_resource(Text::new("尚未进行过自证。", "No proof has been made yet.")))?;
    let content = latest.content;
    let broken = content.findings.iter().filter(|found| found.violations > 0).count();
    let (statement_zh, statement_en) = match latest.holds_since {
        Some(since) if latest.holds => {
            (format!("自{}起，每晚自证均成立，无一遗漏。", moment_zh(since)), format!("0 missed since {since}."))
        }
        _ => (
            format!("{}的自证发现{broken}项不成立，正在处理。", moment_zh(latest.proved_at)),
            format!("The proof of {} found {broken} invariants broken.", latest.proved_at),
        ),
    };
    let violations =
        |name: &str| content.findings.iter().find(|found| found.name == name).map(|found| found.violations);
    Ok(Json(ProofView {
        proved_at: latest.proved_at,
        holds: latest.holds,
        none_missed_since: latest.holds_since.filter(|_| latest.holds),
        statement_zh,
        statement_en,
        open_cases: content.open_cases,
        closed_cases: content.closed_cases,
        limits: content.limits,
        urging_orders: content.urging_orders,
        invariants: invariants::ALL
            .iter()
            .filter_map(|invariant| {
                // An older proof did not look at what has been added since.
                let violations = violations(invariant.name)?;
                Some(InvariantView { name: invariant.name.to_owned(), zh: invariant.zh, en: invariant.en, violations })
            })
            .collect(),
    }))
}

/// The pulse of the clock at this moment. Counts only, over the whole installation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PulseView {
    /// Legal time.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Rectifications with an armed instant.
    armed: i64,
    /// Of these, how many are due and have not fired.
    due_unfired: i64,
    /// Those by how long ago they became due.
    ages: Vec<AgeView>,
}

/// A span of ages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgeView {
    /// Due for at most so many seconds, and longer than the span before; absent for the last, which has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    up_to_seconds: Option<i32>,
    /// How many.
    cases: i64,
}

/// 时钟脉搏
#[utoipa::path(get, path = "/v1/timers/pulse", tag = "期限", responses((status = 200, body = PulseView)))]
pub(crate) async fn pulse(State(state): State<AppState>, _permit: Permit) -> Result<Json<PulseView>, Problem> {
    let mut connection = state.database.pool().acquire().await?;
    let at = postgres::legal_now(&mut connection).await?;
    let pulse = invariants::pulse(&mut connection, at).await?;
    let bounds = AGES.iter().copied().map(Some).chain([None]);
    // Each count holds the ones before it.
    let mut before = 0;
    let ages = bounds.zip(pulse.by_age.iter().copied().chain([pulse.due_unfired])).map(|(up_to_seconds, upto)| {
        let cases = upto - before;
        before = upto;
        AgeView { up_to_seconds, cases }
    });
    Ok(Json(PulseView { at, armed: pulse.armed, due_unfired: pulse.due_unfired, ages: ages.collect() }))
}
