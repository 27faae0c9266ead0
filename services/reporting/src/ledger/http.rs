//! The ledger over HTTP.

use access::Permit;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures_util::TryStreamExt as _;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use problem::{Problem, Query, Text};
use serde::{Deserialize, Serialize};
use service_kit::page::{Page, PageQuery};
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};

use super::export::{self, Provenance};
use super::row::Key;
use super::{LedgerFilter, LedgerRow, LedgerState, store};
use crate::app::AppState;

/// Longest words to look for.
const MAX_WORDS: usize = 100;

/// What rows are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerQuery {
    /// Division code of a county, or `province` for provincial units (省本级).
    county: Option<String>,
    /// State of the items.
    state: Option<LedgerState>,
    /// Words in the unit's name, the problem, the supervision, the letter's or the urging order's number.
    q: Option<String>,
    /// Rows of the page, 1 to 200; 50 when absent. Not for the workbook.
    limit: Option<u16>,
    /// The `next` of the page before. Not for the workbook.
    after: Option<String>,
}

impl LedgerQuery {
    fn filter(&self) -> Result<LedgerFilter, Problem> {
        let given =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let words = given(&self.q);
        if words.as_ref().is_some_and(|words| words.chars().count() > MAX_WORDS || words.contains('\0')) {
            let text =
                Text::new("查找内容不得超过 100 个字。", "The words to look for must not exceed 100 characters.");
            return Err(Problem::invalid_field("query/q", text));
        }
        let county = given(&self.county);
        if county.as_ref().is_some_and(|code| code.len() > 12 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        {
            let text =
                Text::new("市县应为行政区划代码，例如 460100。", "The county must be a division code such as 460100.");
            return Err(Problem::invalid_field("query/county", text));
        }
        Ok(LedgerFilter { county, state: self.state, words })
    }
}

/// A page of the ledger with the instant that it shows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerPage {
    /// Legal time of the answer: what is late is late at this instant.
    #[schema(value_type = String, format = DateTime)]
    as_of: jiff::Timestamp,
    /// The rows.
    #[serde(flatten)]
    page: Page<LedgerRow>,
}

/// 整改台账
#[utoipa::path(get, path = "/v1/ledger", tag = "台账", summary = "整改台账", params(LedgerQuery),
    responses((status = 200, body = LedgerPage)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<LedgerQuery>,
) -> problem::Result<axum::Json<LedgerPage>> {
    let filter = query.filter()?;
    let request = PageQuery { limit: query.limit, after: query.after }.request::<Key>()?;
    let mut tx = state.database.begin().await?;
    let as_of = tx.at();
    let rows = store::rows(&mut tx, &permit.scope(), &filter, as_of, request.after, Some(request.fetch()))
        .try_collect()
        .await?;
    let page = Page::new(rows, &request, LedgerRow::key);
    Ok(axum::Json(LedgerPage { as_of, page }))
}

/// 导出整改台账
#[utoipa::path(get, path = "/v1/ledger.xlsx", tag = "台账", summary = "导出整改台账", params(LedgerQuery),
    responses((status = 200, description = "整改台账（Excel 工作簿）",
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
pub(crate) async fn export(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<LedgerQuery>,
) -> problem::Result<Response> {
    let filter = query.filter()?;
    let _turn = state.exports.acquire().await.map_err(|error| Problem::internal(&error))?;
    let mut tx = state.database.begin().await?;
    let as_of = tx.at();
    let provenance = Provenance {
        as_of,
        filter: filter.zh(),
        by: permit.caller().display_name.clone(),
        portal: state.portal.to_string(),
    };
    let rows = store::rows(&mut tx, &permit.scope(), &filter, as_of, None, None);
    let (file, bytes) = export::write(rows, provenance, state.ids.new_id()).await?;
    drop(tx);
    let mut response = Response::new(Body::from_stream(ReaderStream::new(file)));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    );
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let day = domain::local_time::local_date(as_of).strftime("%Y%m%d");
    // The second name is 整改台账 in UTF-8, for every browser of this century.
    let names = format!(
        "attachment; filename=\"ledger-{day}.xlsx\"; filename*=UTF-8''%E6%95%B4%E6%94%B9%E5%8F%B0%E8%B4%A6-{day}.xlsx"
    );
    if let Ok(names) = HeaderValue::from_str(&names) {
        headers.insert(CONTENT_DISPOSITION, names);
    }
    Ok(response)
}
