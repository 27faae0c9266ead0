//! Every statement about changes of calendars and rules.

use clockwork::changes::ChangeKind;
use domain::ids::{AccountId, AreaId, RectificationId, RuleChangeId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::dry_run::{CaseDiff, DryRun};
use super::{Effects, effect_key};

/// The advisory lock of the rules in force: shared by all who decide about cases, alone for a change that takes effect.
const RULES: i64 = 0x6475_6461_6f02;
/// The advisory lock of whoever tries out a change.
const DRY_RUN: i64 = 0x6475_6461_6f03;

/// Where a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeState {
    Proposed,
    Approved,
    InEffect,
    Withdrawn,
}

impl ChangeState {
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::InEffect => "in_effect",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The check of the table knows no other.
    fn of(key: &str) -> Self {
        match key {
            "approved" => Self::Approved,
            "in_effect" => Self::InEffect,
            "withdrawn" => Self::Withdrawn,
            _ => Self::Proposed,
        }
    }
}

/// A change, whole.
#[derive(Debug, Clone)]
pub(crate) struct RuleChange {
    pub(crate) change_id: RuleChangeId,
    pub(crate) version: i64,
    pub(crate) kind: ChangeKind,
    pub(crate) subject: String,
    pub(crate) reason: String,
    pub(crate) content: String,
    pub(crate) former: Option<String>,
    pub(crate) live_cases: bool,
    pub(crate) effective_on: Date,
    pub(crate) restores: Option<RuleChangeId>,
    pub(crate) state: ChangeState,
    pub(crate) proposed_at: Timestamp,
    pub(crate) proposed_by: AccountId,
    pub(crate) proposer_name: String,
    pub(crate) dry_run_rules: Option<i64>,
    pub(crate) dry_run: Option<DryRun>,
    pub(crate) approved_at: Option<Timestamp>,
    pub(crate) approver_name: Option<String>,
    pub(crate) withdrawn_at: Option<Timestamp>,
    pub(crate) fault: Option<String>,
    pub(crate) sequence: Option<i64>,
    pub(crate) took_effect_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) outcome: Option<Outcome>,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub(crate) struct Outcome {
    /// Cases that changed.
    pub(crate) touched: u64,
    /// Items by effect.
    pub(crate) items: Effects,
    /// Cases that could not be counted and are set aside.
    pub(crate) set_aside: u64,
}

/// A change that has to be done something with.
#[derive(Debug, Clone)]
pub(crate) struct ToDo {
    pub(crate) change_id: RuleChangeId,
    pub(crate) kind: ChangeKind,
    pub(crate) content: String,
    subject: String,
    live_cases: bool,
}

impl ToDo {
    /// The version of the rulebook that live cases go over to.
    pub(crate) fn goes_over(&self) -> Option<&str> {
        (self.kind == ChangeKind::Rulebook && self.live_cases).then_some(self.subject.as_str())
    }
}

/// A change in effect that some cases have not met.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) change_id: RuleChangeId,
    pub(crate) sequence: i64,
    /// The version of the rulebook that live cases go over to.
    pub(crate) goes_over: Option<String>,
}

fn kind(key: &str) -> ChangeKind {
    // The check of the table knows no other.
    ChangeKind::of(key).unwrap_or(ChangeKind::Calendar)
}

/// Holds the rules in force as they are until the end of the transaction, and gives their version.
pub(crate) async fn hold_rules(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock_shared($1)", RULES).execute(&mut *connection).await?;
    // A statement of its own: that one may have waited, and saw the database as it was before.
    sqlx::query_scalar!("SELECT version FROM rules_in_force").fetch_one(connection).await
}

/// Waits until nobody decides by the rules any more, and keeps everyone out until the end of the transaction.
pub(crate) async fn hold_rules_alone(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", RULES).execute(connection).await?;
    Ok(())
}

/// Takes the turn to try out a change, unless another replica has it.
pub(crate) async fn take_dry_run_turn(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "taken!""#, DRY_RUN).fetch_one(connection).await
}

/// The province whose rules they are, once an agency is known.
pub(crate) async fn province(connection: &mut PgConnection) -> Result<Option<AreaId>, sqlx::Error> {
    let area =
        sqlx::query_scalar!(r#"SELECT province_area AS "area!" FROM agencies WHERE province_area IS NOT NULL LIMIT 1"#)
            .fetch_optional(connection)
            .await?;
    Ok(area.map(AreaId::from))
}

/// A new change.
#[derive(Debug)]
pub(crate) struct NewChange<'a> {
    pub(crate) change_id: RuleChangeId,
    pub(crate) kind: ChangeKind,
    pub(crate) subject: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) content: &'a str,
    pub(crate) live_cases: bool,
    pub(crate) effective_on: Date,
    pub(crate) effective_at: Timestamp,
    pub(crate) restores: Option<RuleChangeId>,
    pub(crate) by: AccountId,
    pub(crate) name: &'a str,
}

pub(crate) async fn propose(
    connection: &mut PgConnection,
    change: &NewChange<'_>,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO rule_changes
             (change_id, version, kind, subject, reason, content, live_cases, effective_on, effective_at, restores, state,
              proposed_at, proposed_by, proposer_name)
         VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, 'proposed', $10, $11, $12)",
        Uuid::from(change.change_id),
        change.kind.key(),
        change.subject,
        change.reason,
        change.content,
        change.live_cases,
        change.effective_on.to_sqlx() as _,
        change.effective_at.to_sqlx() as _,
        change.restores.map(Uuid::from),
        at.to_sqlx() as _,
        Uuid::from(change.by),
        change.name
    )
    .execute(connection)
    .await?;
    Ok(())
}

macro_rules! change {
    ($row:expr) => {
        RuleChange {
            change_id: $row.change_id.into(),
            version: $row.version,
            kind: kind(&$row.kind),
            subject: $row.subject,
            reason: $row.reason,
            content: $row.content,
            former: $row.former,
            live_cases: $row.live_cases,
            effective_on: $row.effective_on.to_jiff(),
            restores: $row.restores.map(Into::into),
            state: ChangeState::of(&$row.state),
            proposed_at: $row.proposed_at.to_jiff(),
            proposed_by: $row.proposed_by.into(),
            proposer_name: $row.proposer_name,
            dry_run_rules: $row.dry_run_rules,
            dry_run: $row.dry_run.map(|dry_run| dry_run.0),
            approved_at: $row.approved_at.map(jiff_sqlx::Timestamp::to_jiff),
            approver_name: $row.approver_name,
            withdrawn_at: $row.withdrawn_at.map(jiff_sqlx::Timestamp::to_jiff),
            fault: $row.fault,
            sequence: $row.sequence,
            took_effect_at: $row.took_effect_at.map(jiff_sqlx::Timestamp::to_jiff),
            finished_at: $row.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
            outcome: $row.outcome.map(|outcome| outcome.0),
        }
    };
}

pub(crate) async fn find(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
) -> Result<Option<RuleChange>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT change_id, version, kind, subject, reason, content, former, live_cases, effective_on, restores, state,
                  proposed_at, proposed_by, proposer_name, dry_run_rules, dry_run AS "dry_run: Json<DryRun>", approved_at,
                  approver_name, withdrawn_at, fault, sequence, took_effect_at, finished_at,
                  outcome AS "outcome: Json<Outcome>"
           FROM rule_changes WHERE change_id = $1"#,
        Uuid::from(change_id)
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| change!(row)))
}

/// As [`find`], with the row locked until the end of the transaction.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
) -> Result<Option<RuleChange>, sqlx::Error> {
    sqlx::query!("SELECT FROM rule_changes WHERE change_id = $1 FOR UPDATE", Uuid::from(change_id))
        .fetch_optional(&mut *connection)
        .await?;
    find(connection, change_id).await
}

/// A page of all changes, the newest proposal first.
pub(crate) async fn list(
    connection: &mut PgConnection,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<RuleChange>, sqlx::Error> {
    let (after_at, after_id) = after.unzip();
    let rows = sqlx::query!(
        r#"SELECT change_id, version, kind, subject, reason, content, former, live_cases, effective_on, restores, state,
                  proposed_at, proposed_by, proposer_name, dry_run_rules, dry_run AS "dry_run: Json<DryRun>", approved_at,
                  approver_name, withdrawn_at, fault, sequence, took_effect_at, finished_at,
                  outcome AS "outcome: Json<Outcome>"
           FROM rule_changes
           WHERE $1::timestamptz IS NULL OR (proposed_at, change_id) < ($1, $2)
           ORDER BY proposed_at DESC, change_id DESC LIMIT $3"#,
        after_at.map(ToSqlx::to_sqlx) as _,
        after_id,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| change!(row)).collect())
}

/// A page of what a change does to cases, in the order of their names.
pub(crate) async fn cases(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
    run: &str,
    effect: Option<&str>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<CaseDiff>, sqlx::Error> {
    let rows = sqlx::query_scalar!(
        r#"SELECT diff AS "diff: Json<CaseDiff>" FROM rule_change_cases
           WHERE change_id = $1 AND run = $2 AND ($3::text IS NULL OR $3 = ANY(effects))
             AND ($4::uuid IS NULL OR rectification_id > $4)
           ORDER BY rectification_id LIMIT $5"#,
        Uuid::from(change_id),
        run,
        effect,
        after,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|diff| diff.0).collect())
}

pub(crate) async fn approve(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
    by: AccountId,
    name: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rule_changes
         SET state = 'approved', version = version + 1, approved_at = $2, approved_by = $3, approver_name = $4
         WHERE change_id = $1",
        Uuid::from(change_id),
        at.to_sqlx() as _,
        Uuid::from(by),
        name
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Asks for a new dry run: the rules have changed since the last one.
pub(crate) async fn try_again(connection: &mut PgConnection, change_id: RuleChangeId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rule_changes SET dry_run = NULL, dry_run_rules = NULL, version = version + 1 WHERE change_id = $1",
        Uuid::from(change_id)
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn withdraw(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
    by: AccountId,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rule_changes SET state = 'withdrawn', version = version + 1, withdrawn_at = $2, withdrawn_by = $3
         WHERE change_id = $1",
        Uuid::from(change_id),
        at.to_sqlx() as _,
        Uuid::from(by)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The oldest proposal that is not tried out.
pub(crate) async fn to_try(connection: &mut PgConnection) -> Result<Option<ToDo>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT change_id, kind, subject, content, live_cases FROM rule_changes
         WHERE state = 'proposed' AND dry_run IS NULL AND fault IS NULL ORDER BY proposed_at LIMIT 1"
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| ToDo {
        change_id: row.change_id.into(),
        kind: kind(&row.kind),
        subject: row.subject,
        content: row.content,
        live_cases: row.live_cases,
    }))
}

/// Keeps what a dry run found, or why it could not be made.
pub(crate) async fn tried(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
    rules_version: i64,
    sums: &DryRun,
    diffs: &[CaseDiff],
    fault: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM rule_change_cases WHERE change_id = $1 AND run = 'dry'", Uuid::from(change_id))
        .execute(&mut *connection)
        .await?;
    keep_cases(connection, change_id, "dry", diffs).await?;
    sqlx::query!(
        "UPDATE rule_changes SET dry_run = $2, dry_run_rules = $3, fault = $4, version = version + 1
         WHERE change_id = $1 AND state = 'proposed'",
        Uuid::from(change_id),
        Json(sums) as _,
        rules_version,
        fault
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps what a change does to cases; once for each case, change and run.
pub(crate) async fn keep_cases(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
    run: &str,
    diffs: &[CaseDiff],
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = diffs.iter().map(|diff| diff.rectification_id.into()).collect();
    let texts: Vec<String> = diffs
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let effects: Vec<String> = diffs
        .iter()
        .map(|diff| diff.items.iter().map(|item| effect_key(item.item.effect)).collect::<Vec<_>>().join(" "))
        .collect();
    sqlx::query!(
        "INSERT INTO rule_change_cases (change_id, run, rectification_id, effects, diff)
         SELECT $1, $2, c.id, string_to_array(c.effects, ' '), c.diff::json
         FROM unnest($3::uuid[], $4::text[], $5::text[]) AS c(id, effects, diff)",
        Uuid::from(change_id),
        run,
        &ids,
        &effects,
        &texts
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The approved change whose date has come, the earliest first; none while cases are being counted by the one before.
pub(crate) async fn next_due(connection: &mut PgConnection) -> Result<Option<ToDo>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT change_id, kind, subject, content, live_cases FROM rule_changes
         WHERE state = 'approved' AND effective_at <= messaging.legal_now()
           AND NOT EXISTS (SELECT FROM rule_changes WHERE state = 'in_effect' AND finished_at IS NULL)
         ORDER BY effective_at, approved_at LIMIT 1"
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| ToDo {
        change_id: row.change_id.into(),
        kind: kind(&row.kind),
        subject: row.subject,
        content: row.content,
        live_cases: row.live_cases,
    }))
}

/// Puts a change in effect and gives the new version of the rules.
pub(crate) async fn put_in_effect(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
    former: Option<&str>,
) -> Result<i64, sqlx::Error> {
    let sequence = sqlx::query_scalar!("UPDATE rules_in_force SET version = version + 1 RETURNING version")
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query!(
        "UPDATE rule_changes
         SET state = 'in_effect', version = version + 1, sequence = $2, took_effect_at = messaging.legal_now(), former = $3
         WHERE change_id = $1",
        Uuid::from(change_id),
        sequence,
        former
    )
    .execute(connection)
    .await?;
    Ok(sequence)
}

/// Withdraws an approved change that does not fit any more, with the cause.
pub(crate) async fn withdraw_unfit(
    connection: &mut PgConnection,
    change_id: RuleChangeId,
    fault: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rule_changes SET state = 'withdrawn', version = version + 1, fault = $2,
                withdrawn_at = messaging.legal_now() WHERE change_id = $1",
        Uuid::from(change_id),
        fault
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The version of the rules by which cases are still being counted.
pub(crate) async fn unfinished_since(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let behind = sqlx::query_scalar!(
        r#"SELECT sequence AS "sequence!" FROM rule_changes WHERE state = 'in_effect' AND finished_at IS NULL"#
    )
    .fetch_optional(&mut *connection)
    .await?;
    match behind {
        Some(sequence) => Ok(Some(sequence)),
        // A case that was set aside may be tried again long after.
        None => {
            sqlx::query_scalar!(
                r#"SELECT f.version FROM rules_in_force f
                   WHERE EXISTS (SELECT FROM rectifications r
                                 WHERE r.stuck_at IS NOT NULL AND r.rules_version < f.version AND r.closed_at IS NULL)"#
            )
            .fetch_optional(connection)
            .await
        }
    }
}

/// The changes in effect after a version of the rules, in order.
pub(crate) async fn pending_since(connection: &mut PgConnection, after: i64) -> Result<Vec<Pending>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT change_id, sequence AS "sequence!", kind, subject, live_cases FROM rule_changes
           WHERE sequence > $1 ORDER BY sequence"#,
        after
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Pending {
            change_id: row.change_id.into(),
            sequence: row.sequence,
            goes_over: (kind(&row.kind) == ChangeKind::Rulebook && row.live_cases).then_some(row.subject),
        })
        .collect())
}

/// The version of the rules that counted a locked case last.
pub(crate) async fn counted_by(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT rules_version FROM rectifications WHERE rectification_id = $1",
        Uuid::from(rectification_id)
    )
    .fetch_one(connection)
    .await
}

/// Gives a locked case the next version, of which its state is written with the version after it.
pub(crate) async fn raise_version(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rectifications SET version = version + 1 WHERE rectification_id = $1",
        Uuid::from(rectification_id)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Finishes a change when no open case is behind it but those set aside; whether it is finished now.
pub(crate) async fn finish(connection: &mut PgConnection, sequence: i64) -> Result<bool, sqlx::Error> {
    let counts = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE stuck_at IS NULL) AS "behind!", count(*) FILTER (WHERE stuck_at IS NOT NULL) AS "aside!"
           FROM rectifications WHERE closed_at IS NULL AND rules_version < $1"#,
        sequence
    )
    .fetch_one(&mut *connection)
    .await?;
    if counts.behind > 0 {
        return Ok(false);
    }
    let diffs = sqlx::query!(
        r#"SELECT c.change_id, array_agg(e.effect) FILTER (WHERE e.effect IS NOT NULL) AS effects,
                  count(DISTINCT k.rectification_id) AS "touched!"
           FROM rule_changes c
           LEFT JOIN rule_change_cases k ON k.change_id = c.change_id AND k.run = 'real'
           LEFT JOIN LATERAL unnest(k.effects) AS e(effect) ON true
           WHERE c.sequence = $1 AND c.finished_at IS NULL GROUP BY 1"#,
        sequence
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(diffs) = diffs else { return Ok(false) };
    let effects = diffs.effects.unwrap_or_default();
    let of = |key: &str| effects.iter().filter(|effect| *effect == key).count() as u64;
    let outcome = Outcome {
        touched: diffs.touched.unsigned_abs(),
        items: Effects {
            later: of("later"),
            freed: of("freed"),
            kept: of("kept"),
            final_now: of("final"),
            provisional: of("provisional"),
        },
        set_aside: counts.aside.unsigned_abs(),
    };
    sqlx::query!(
        "UPDATE rule_changes SET finished_at = messaging.legal_now(), outcome = $2, version = version + 1
         WHERE change_id = $1",
        diffs.change_id,
        Json(outcome) as _
    )
    .execute(connection)
    .await?;
    Ok(true)
}
