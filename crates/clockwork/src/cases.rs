//! Every case with an armed instant, as it stands, for a rehearsal in memory.

use domain::rectification::Rectification;
use sqlx::PgConnection;
use uuid::Uuid;

/// How many cases are read at once.
const PAGE: i64 = 2_000;

/// A case with what its rules are chosen by.
#[derive(Debug, Clone)]
pub struct ArmedCase {
    /// The state.
    pub rectification: Rectification,
    /// The division of the agency, whose calendar counts for its duties.
    pub agency_area_code: String,
    /// The name of the unit's county; nothing for a unit of the province.
    pub county_name: Option<String>,
}

/// Reads them all, in the order of their names; one that cannot be read is an error that names it.
pub async fn armed(connection: &mut PgConnection) -> Result<Vec<ArmedCase>, sqlx::Error> {
    let mut cases = Vec::new();
    let mut after: Option<Uuid> = None;
    loop {
        let rows: Vec<(Uuid, String, String, Option<String>)> = sqlx::query_as(
            "SELECT r.rectification_id, r.state, d.agency_area_code, d.letter -> 'unit' ->> 'county_name'
             FROM rectifications r JOIN dossiers d USING (rectification_id)
             WHERE r.next_timer_at IS NOT NULL AND ($1::uuid IS NULL OR r.rectification_id > $1)
             ORDER BY r.rectification_id LIMIT $2",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *connection)
        .await?;
        let Some((last, ..)) = rows.last() else { return Ok(cases) };
        after = Some(*last);
        for (rectification_id, state, agency_area_code, county_name) in rows {
            let rectification = serde_json::from_str(&state).map_err(|error| {
                sqlx::Error::Decode(
                    format!("the state of rectification {rectification_id} cannot be read: {error}").into(),
                )
            })?;
            cases.push(ArmedCase { rectification, agency_area_code, county_name });
        }
    }
}
