//! A proof sheet computed again: from its own rule, anchor and pauses, on the very calendar version that it names.

use domain::calendar::{Calendar, KeptCalendarFault};
use domain::period::CountError;
use domain::proof::ProofSheet;
use sqlx::PgConnection;
use uuid::Uuid;

/// A limit with the text of its sheet and of the calendar that the sheet names.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KeptSheet {
    /// The case.
    pub rectification_id: Uuid,
    /// The item.
    pub item_id: Uuid,
    /// 0 for the first limit of the item.
    pub round: i32,
    /// What set it.
    pub basis: String,
    /// The sheet, byte for byte as it was told.
    pub proof: String,
    /// The kept calendar; nothing when none is kept.
    pub calendar: Option<String>,
}

/// A sheet that was computed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recomputed {
    /// The sheet as it is computed now.
    pub sheet: ProofSheet,
    /// Its canonical text.
    pub text: String,
    /// Whether the text is the told one to the byte.
    pub identical: bool,
}

/// Why a sheet cannot be computed again.
#[derive(Debug, thiserror::Error)]
pub enum RecomputeFault {
    /// The kept text is no sheet.
    #[error("the kept sheet cannot be read")]
    Unreadable(#[from] serde_json::Error),
    /// Its calendar is not kept.
    #[error("the calendar {0} is not kept")]
    NoCalendar(String),
    /// Its calendar is not what it was.
    #[error(transparent)]
    Calendar(#[from] KeptCalendarFault),
    /// The period cannot be counted.
    #[error(transparent)]
    Count(#[from] CountError),
    /// By its pauses the clock stands still.
    #[error("by its pauses the clock stands still")]
    StandsStill,
}

/// The limit of an identifier.
pub async fn find(connection: &mut PgConnection, deadline_id: Uuid) -> Result<Option<KeptSheet>, sqlx::Error> {
    sqlx::query_as(
        "SELECT d.rectification_id, d.item_id, d.round, d.basis, s.proof, c.content::text AS calendar
         FROM deadlines d JOIN sheets s USING (sheet_id)
         LEFT JOIN calendars c ON c.version = s.proof::json ->> 'calendar_version'
         WHERE d.deadline_id = $1",
    )
    .bind(deadline_id)
    .fetch_optional(connection)
    .await
}

/// Reads the kept sheet.
pub fn read(kept: &KeptSheet) -> Result<ProofSheet, RecomputeFault> {
    Ok(serde_json::from_str(&kept.proof)?)
}

/// Computes a kept sheet again.
pub fn recompute(kept: &KeptSheet) -> Result<Recomputed, RecomputeFault> {
    let told = read(kept)?;
    let version = &told.calendar_version;
    let content = kept.calendar.as_deref().ok_or_else(|| RecomputeFault::NoCalendar(version.clone()))?;
    let calendar = Calendar::from_kept(version, content)?;
    let sheet = told.derive_again(&calendar)?.ok_or(RecomputeFault::StandsStill)?;
    let text = sheet.canonical_json()?;
    let identical = text == kept.proof;
    Ok(Recomputed { sheet, text, identical })
}
