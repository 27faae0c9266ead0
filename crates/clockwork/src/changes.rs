//! The changes of calendars and rules that are in effect, over the folder of rules that an installation began with.

use sqlx::PgConnection;

/// What a change changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A layer of the calendar.
    Calendar,
    /// A version of a rulebook.
    Rulebook,
}

impl ChangeKind {
    /// The key in the table.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Rulebook => "rulebook",
        }
    }

    /// The kind of a key.
    pub fn of(key: &str) -> Option<Self> {
        [Self::Calendar, Self::Rulebook].into_iter().find(|kind| kind.key() == key)
    }
}

/// A change in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InEffect {
    /// Its place in the order in which changes took effect, from 1: the version of the rules.
    pub sequence: i64,
    /// What it changes.
    pub kind: ChangeKind,
    /// The name of the calendar's layer, or the version of the rulebook.
    pub subject: String,
    /// The text.
    pub content: String,
}

/// Every change in effect, in the order in which they took effect.
pub async fn in_effect(connection: &mut PgConnection) -> Result<Vec<InEffect>, sqlx::Error> {
    let rows: Vec<(i64, String, String, String)> = sqlx::query_as(
        "SELECT sequence, kind, subject, content FROM rule_changes WHERE sequence IS NOT NULL ORDER BY sequence",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(sequence, kind, subject, content)| {
            Some(InEffect { sequence, kind: ChangeKind::of(&kind)?, subject, content })
        })
        .collect())
}
