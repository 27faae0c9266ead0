//! Finding units in the register by what people type.

use serde::Deserialize;

use super::List;
use crate::api::{Failure, Room};
use crate::session::Ctx;

/// A unit of the register.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Unit {
    pub(crate) unit_id: String,
    pub(crate) key: String,
    pub(crate) school_code: Option<String>,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) county_name: Option<String>,
    pub(crate) version: i64,
}

/// Units whose name or key contains the words.
pub(crate) async fn search(ctx: &Ctx, words: &str, county: &str, limit: usize) -> Result<Vec<Unit>, Failure> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let query = vec![("q", words.to_owned()), ("area", county.to_owned()), ("limit", limit.to_string())];
    Ok(ctx.line().find::<List<Unit>>(Room::Registry, "/v1/units", query).await?.items)
}

/// One unit.
pub(crate) async fn one(ctx: &Ctx, unit_id: uuid::Uuid) -> Result<Unit, Failure> {
    ctx.line().get(Room::Registry, &format!("/v1/units/{unit_id}")).await
}

/// What a typed name turned out to be.
#[derive(Debug)]
pub(crate) enum Found {
    /// Exactly this unit.
    One(Unit),
    /// Nothing.
    None,
    /// Several; the first of them.
    Several(Vec<Unit>),
}

/// The unit that a line of text names: its id, key, school code, whole name, or a part of the name that only one has.
pub(crate) async fn resolve(ctx: &Ctx, text: &str) -> Result<Found, Failure> {
    if let Ok(id) = text.parse::<uuid::Uuid>() {
        return match one(ctx, id).await {
            Ok(unit) => Ok(Found::One(unit)),
            Err(Failure::Refused(_) | Failure::NotFound) => Ok(Found::None),
            Err(failure) => Err(failure),
        };
    }
    let mut found = search(ctx, text, "", 50).await?;
    let exact = |unit: &Unit| unit.name == text || unit.key == text || unit.school_code.as_deref() == Some(text);
    if let Some(position) = found.iter().position(exact) {
        return Ok(Found::One(found.swap_remove(position)));
    }
    Ok(match found.len() {
        0 => Found::None,
        1 => found.pop().map_or(Found::None, Found::One),
        _ => Found::Several(found),
    })
}
