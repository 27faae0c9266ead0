//! Every statement about kept proofs.

use clockwork::invariants::Proof;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;

/// The advisory lock of whoever proves tonight.
const TURN: i64 = 0x6475_6461_6f01;

/// What is kept of a proof: counts, and never an identifier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) open_cases: i64,
    pub(crate) closed_cases: i64,
    pub(crate) limits: i64,
    pub(crate) urging_orders: i64,
    pub(crate) findings: Vec<Count>,
}

/// How many break an invariant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) name: String,
    pub(crate) violations: i64,
}

/// The newest proof.
#[derive(Debug, Clone)]
pub(crate) struct Latest {
    pub(crate) proved_at: Timestamp,
    pub(crate) holds: bool,
    pub(crate) content: Content,
    /// The first of the unbroken row of proofs that hold, up to this one.
    pub(crate) holds_since: Option<Timestamp>,
}

/// Takes the turn until the end of the transaction, unless another replica has it.
pub(crate) async fn take_turn(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "taken!""#, TURN).fetch_one(connection).await
}

pub(crate) async fn proved_since(connection: &mut PgConnection, since: Timestamp) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM proofs WHERE proved_at >= $1) AS "proved!""#,
        since.to_sqlx() as _
    )
    .fetch_one(connection)
    .await
}

pub(crate) async fn keep(connection: &mut PgConnection, proof: &Proof) -> Result<(), sqlx::Error> {
    let findings = proof
        .findings
        .iter()
        .map(|found| Count { name: found.invariant.name.to_owned(), violations: found.violations })
        .collect();
    let extent = proof.extent;
    let content = Content {
        open_cases: extent.open_cases,
        closed_cases: extent.closed_cases,
        limits: extent.limits,
        urging_orders: extent.urging_orders,
        findings,
    };
    sqlx::query!(
        "INSERT INTO proofs (proved_at, holds, content) VALUES ($1, $2, $3)",
        proof.at.to_sqlx() as _,
        proof.holds(),
        Json(content) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn latest(connection: &mut PgConnection) -> Result<Option<Latest>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT p.proved_at, p.holds, p.content AS "content: Json<Content>",
                  (SELECT min(o.proved_at) FROM proofs o
                   WHERE o.proved_at > coalesce((SELECT max(b.proved_at) FROM proofs b WHERE NOT b.holds), '-infinity'))
                      AS holds_since
           FROM proofs p ORDER BY p.proved_at DESC, p.proof_id DESC LIMIT 1"#
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Latest {
        proved_at: row.proved_at.to_jiff(),
        holds: row.holds,
        content: row.content.0,
        holds_since: row.holds_since.map(jiff_sqlx::Timestamp::to_jiff),
    }))
}
