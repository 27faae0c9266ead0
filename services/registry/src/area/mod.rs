//! Areas: the administrative tree (行政区划), one province per installation. Division codes are attributes with dates, never keys.

pub(crate) mod http;
pub(crate) mod store;
pub(crate) mod tree;

use contracts::registry::{AreaLevel, AreaRecorded};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::corrupt::corrupt;

/// An area as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the interface")]
pub struct Area {
    /// The area.
    pub area_id: Uuid,
    /// Version of the record.
    pub version: i64,
    /// Division code (行政区划代码).
    pub code: String,
    /// Official name.
    pub name: String,
    /// `province`, `county_unit` or `district`.
    pub level: String,
    /// The area above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    /// From the province down to this one.
    pub path: Vec<Uuid>,
    /// First day on which the record holds.
    pub effective_on: Date,
}

/// A level as the database and the interface write it.
pub(crate) fn level_word(level: AreaLevel) -> &'static str {
    match level {
        AreaLevel::Province => "province",
        AreaLevel::CountyUnit => "county_unit",
        AreaLevel::District => "district",
    }
}

/// The level of a word.
pub(crate) fn level_of(word: &str) -> Option<AreaLevel> {
    [AreaLevel::Province, AreaLevel::CountyUnit, AreaLevel::District]
        .into_iter()
        .find(|level| level_word(*level) == word)
}

/// The public event of an area.
pub(crate) fn recorded(area: &Area) -> Result<AreaRecorded, sqlx::Error> {
    Ok(AreaRecorded {
        area_id: area.area_id.into(),
        version: area.version,
        code: area.code.clone(),
        name: area.name.clone(),
        level: level_of(&area.level).ok_or_else(|| corrupt("areas", "level", area.area_id))?,
        path: area.path.iter().copied().map(Into::into).collect(),
        effective_on: area.effective_on,
    })
}
