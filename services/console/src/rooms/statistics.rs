//! Statistics (统计) by county, with a bar for each.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

/// The figures of a county, of the provincial units, or of all.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Figures {
    pub(crate) items: u64,
    pub(crate) open: u64,
    pub(crate) in_progress: u64,
    pub(crate) reported: u64,
    pub(crate) verified: u64,
    pub(crate) due_soon: u64,
    pub(crate) late: u64,
    pub(crate) closed: u64,
    pub(crate) waived: u64,
    pub(crate) paused: u64,
    pub(crate) reopened: u64,
    pub(crate) on_time_rate: Option<String>,
    pub(crate) rectifications: u64,
    pub(crate) urging_orders: u64,
}

/// A county.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct County {
    pub(crate) county_code: String,
    pub(crate) county_name: String,
    pub(crate) figures: Figures,
}

/// What a figure means.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Definition {
    pub(crate) title: String,
    pub(crate) text: String,
}

/// The answer of `reporting`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Statistics {
    pub(crate) as_of: String,
    pub(crate) total: Figures,
    pub(crate) provincial: Figures,
    pub(crate) counties: Vec<County>,
    pub(crate) definitions: Vec<Definition>,
}

/// Lengths of the parts of a county's bar, in thousandths of the longest bar.
struct Bar {
    late: u64,
    open: u64,
    closed: u64,
}

impl Statistics {
    fn bar(&self, figures: &Figures) -> Bar {
        let longest = self
            .counties
            .iter()
            .map(|county| county.figures.items)
            .chain([self.provincial.items])
            .max()
            .unwrap_or_default()
            .max(1);
        let part = |count: u64| count.saturating_mul(1000) / longest;
        Bar {
            late: part(figures.late),
            open: part(figures.open.saturating_sub(figures.late)),
            closed: part(figures.closed + figures.waived),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "statistics.html")]
struct StatisticsPage {
    page: Page,
    statistics: Statistics,
}

/// The page.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Failure> {
    let statistics: Statistics = ctx.line().get(Room::Reporting, "/v1/statistics/rectifications").await?;
    ok(&StatisticsPage { page: ctx.page("nav.statistics"), statistics })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_share_one_scale() {
        let county = |items, open, late, closed| County {
            figures: Figures { items, open, late, closed, ..Figures::default() },
            ..County::default()
        };
        let statistics =
            Statistics { counties: vec![county(10, 6, 2, 4), county(5, 5, 5, 0)], ..Statistics::default() };
        let bar = statistics.bar(&statistics.counties[0].figures);
        assert_eq!((bar.late, bar.open, bar.closed), (200, 400, 400));
        let bar = statistics.bar(&statistics.counties[1].figures);
        assert_eq!((bar.late, bar.open, bar.closed), (500, 0, 0));
        assert_eq!(Statistics::default().bar(&Figures::default()).open, 0);
    }
}
