//! Mergers (区划并入): a county unit becomes a part of another one on a day that was announced.
//!
//! Until that day nothing changes. From its first moment on the area is a district of the county that takes it in: whoever has
//! a grant over that county may act there, units and inspectors lie there, its schools have the county's bureau as competent
//! department, and the grants of the offices that end are gone. Everything about what these units have open follows by one
//! event ([`contracts::registry::AreaMerged`]).

mod announce;
mod carry_out;
pub(crate) mod http;
pub(crate) mod store;

pub(crate) use announce::{Wish, announce, withdraw};
pub(crate) use carry_out::carry_out_due;

use contracts::registry::{AreaMergerRecorded, MergerState};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::corrupt::corrupt;

/// A merger as it stands.
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Merger {
    /// The merger.
    pub merger_id: Uuid,
    /// Version of the record.
    pub version: i64,
    /// The county unit that ends as one.
    pub area_id: Uuid,
    /// Its division code.
    pub area_code: String,
    /// Its name.
    pub area_name: String,
    /// The county unit that takes it in.
    pub into_area_id: Uuid,
    /// Its division code.
    pub into_code: String,
    /// Its name.
    pub into_name: String,
    /// The first day on which it is so.
    pub effective_on: Date,
    /// The document that decided it.
    pub ground: String,
    /// `announced`, `withdrawn` or `carried_out`.
    pub state: String,
    /// Who announced it.
    pub announced_by: String,
}

/// A state as the database and the interface write it.
pub(crate) fn state_word(state: MergerState) -> &'static str {
    match state {
        MergerState::Announced => "announced",
        MergerState::Withdrawn => "withdrawn",
        MergerState::CarriedOut => "carried_out",
    }
}

/// The public event of a merger that was announced or taken back.
pub(crate) fn recorded(merger: &Merger) -> Result<AreaMergerRecorded, sqlx::Error> {
    let states = [MergerState::Announced, MergerState::Withdrawn, MergerState::CarriedOut];
    let state = states.into_iter().find(|state| state_word(*state) == merger.state);
    Ok(AreaMergerRecorded {
        merger_id: merger.merger_id,
        version: merger.version,
        area_id: merger.area_id.into(),
        into_area_id: merger.into_area_id.into(),
        effective_on: merger.effective_on,
        ground: merger.ground.clone(),
        state: state.ok_or_else(|| corrupt("area_mergers", "state", merger.merger_id))?,
    })
}
