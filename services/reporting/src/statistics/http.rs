//! The statistics over HTTP.

use std::collections::BTreeMap;

use access::Permit;
use axum::extract::State;
use problem::{Problem, Query, Text};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::store::{self, CountyCounts};
use crate::app::AppState;
use crate::area;
use crate::ledger::DEFINITIONS;

/// What is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatisticsQuery {
    /// Division code of a county, or `province` for provincial units (省本级).
    county: Option<String>,
}

/// The figures of a place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Figures {
    /// Items (整改事项).
    items: i64,
    /// Neither closed nor waived (未销号).
    open: i64,
    /// Rectifying (整改中).
    in_progress: i64,
    /// To be verified (待核查).
    reported: i64,
    /// To be closed (待销号).
    verified: i64,
    /// Due soon (临期).
    due_soon: i64,
    /// Late (逾期).
    late: i64,
    /// Closed (已销号).
    closed: i64,
    /// Need not be rectified (免于整改).
    waived: i64,
    /// The clock is stopped (期限中止).
    paused: i64,
    /// Opened anew after a look-back (反弹).
    reopened: i64,
    /// Reported in time (按期报告).
    on_time: i64,
    /// Of which it could be expected.
    on_time_base: i64,
    /// The quotient as a percentage with one decimal; absent without a base.
    on_time_rate: Option<String>,
    /// Rectifications (整改).
    rectifications: i64,
    /// Urging orders (督办单).
    urging_orders: i64,
}

/// The figures of a county.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CountyFigures {
    /// Code of the county.
    county_code: String,
    /// Its name.
    county_name: String,
    /// Its figures.
    figures: Figures,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Definition {
    /// Name of the figure.
    key: &'static str,
    /// Its title.
    title: &'static str,
    /// What it counts.
    text: &'static str,
}

/// The statistics of rectification.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// Legal time of the counting.
    #[schema(value_type = String, format = DateTime)]
    as_of: jiff::Timestamp,
    /// All of it: the province's, or what lies in the caller's scope.
    total: Figures,
    /// Provincial units (省本级).
    provincial: Figures,
    /// Each county, also those without any.
    counties: Vec<CountyFigures>,
    /// What each figure counts.
    definitions: Vec<Definition>,
}

impl Figures {
    fn plus(self, other: &Self) -> Self {
        Self {
            items: self.items + other.items,
            open: self.open + other.open,
            in_progress: self.in_progress + other.in_progress,
            reported: self.reported + other.reported,
            verified: self.verified + other.verified,
            due_soon: self.due_soon + other.due_soon,
            late: self.late + other.late,
            closed: self.closed + other.closed,
            waived: self.waived + other.waived,
            paused: self.paused + other.paused,
            reopened: self.reopened + other.reopened,
            on_time: self.on_time + other.on_time,
            on_time_base: self.on_time_base + other.on_time_base,
            on_time_rate: None,
            rectifications: self.rectifications + other.rectifications,
            urging_orders: self.urging_orders + other.urging_orders,
        }
        .with_rate()
    }

    fn with_rate(mut self) -> Self {
        self.on_time_rate = percentage(self.on_time, self.on_time_base);
        self
    }
}

impl From<&CountyCounts> for Figures {
    fn from(counts: &CountyCounts) -> Self {
        Self {
            items: counts.items,
            open: counts.items - counts.closed - counts.waived,
            in_progress: counts.in_progress,
            reported: counts.reported,
            verified: counts.verified,
            due_soon: counts.due_soon,
            late: counts.late,
            closed: counts.closed,
            waived: counts.waived,
            paused: counts.paused,
            reopened: counts.reopened,
            on_time: counts.on_time,
            on_time_base: counts.on_time_base,
            on_time_rate: None,
            rectifications: counts.rectifications,
            urging_orders: counts.urging_orders,
        }
        .with_rate()
    }
}

/// A percentage with one decimal, rounded half up, in whole numbers.
fn percentage(part: i64, whole: i64) -> Option<String> {
    if whole <= 0 {
        return None;
    }
    let tenths = (part * 2000 + whole) / (whole * 2);
    Some(format!("{}.{}%", tenths / 10, tenths % 10))
}

/// 整改统计
#[utoipa::path(get, path = "/v1/statistics/rectifications", tag = "统计", summary = "整改统计",
    params(StatisticsQuery), responses((status = 200, body = Statistics)))]
pub(crate) async fn rectifications(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<StatisticsQuery>,
) -> problem::Result<axum::Json<Statistics>> {
    let scope = permit.scope();
    let county = query.county.as_deref().map(str::trim).filter(|code| !code.is_empty());
    if county.is_some_and(|code| code.len() > 12 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        let text =
            Text::new("市县应为行政区划代码，例如 460100。", "The county must be a division code such as 460100.");
        return Err(Problem::invalid_field("query/county", text));
    }
    let mut tx = state.database.begin().await?;
    let as_of = tx.at();
    let counties = area::store::counties(&mut tx, &scope).await?;
    let counted = store::by_county(&mut tx, &scope, county, as_of).await?;

    let mut provincial = Figures::default();
    let mut listed: BTreeMap<String, CountyFigures> = counties
        .into_iter()
        .filter(|known| county.is_none_or(|code| code == known.code))
        .map(|known| {
            let empty =
                CountyFigures { county_code: known.code.clone(), county_name: known.name, figures: Figures::default() };
            (known.code, empty)
        })
        .collect();
    for counts in &counted {
        match &counts.county_code {
            None => provincial = counts.into(),
            Some(code) => {
                // A county that the register has not told us of yet has its name from the event.
                let line = listed.entry(code.clone()).or_insert_with(|| CountyFigures {
                    county_code: code.clone(),
                    county_name: counts.county_name.clone(),
                    figures: Figures::default(),
                });
                line.figures = counts.into();
            }
        }
    }
    let counties: Vec<CountyFigures> = listed.into_values().collect();
    let total = counties.iter().fold(provincial.clone(), |sum, county| sum.plus(&county.figures));
    let definitions = DEFINITIONS.map(|(key, title, text)| Definition { key, title, text }).to_vec();
    Ok(axum::Json(Statistics { as_of, total, provincial, counties, definitions }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_rounded_half_up_and_absent_without_a_base() {
        assert_eq!(percentage(0, 0), None);
        assert_eq!(percentage(15, 16).as_deref(), Some("93.8%"));
        assert_eq!(percentage(1, 3).as_deref(), Some("33.3%"));
        assert_eq!(percentage(7, 7).as_deref(), Some("100.0%"));
        assert_eq!(percentage(0, 9).as_deref(), Some("0.0%"));
    }

    #[test]
    fn the_definition_of_due_soon_names_the_number_that_is_counted_with() {
        let text = DEFINITIONS.iter().find(|(key, ..)| *key == "due_soon").unwrap().2;
        assert!(text.contains(&format!("{}个自然日", crate::ledger::DUE_SOON_DAYS)), "{text}");
    }
}
