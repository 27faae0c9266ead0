//! The register over HTTP, for the offices.

use access::Permit;
use axum::extract::State;
use contracts::shared::DocumentKind;
use domain::ids::UnitId;
use jiff::Timestamp;
use problem::{Problem, Query};
use serde::{Deserialize, Serialize};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::store::{self, Line, Series};
use crate::app::AppState;

/// Missing numbers that a series names at most.
const MOST_MISSING: i64 = 100;

/// Whether a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Validity {
    /// It holds (有效).
    Genuine,
    /// It was voided (作废).
    Void,
    /// Another one stands in its place (已被替代).
    Replaced,
}

impl Validity {
    fn key(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Void => "void",
            Self::Replaced => "replaced",
        }
    }
}

/// The query of the register.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegisterQuery {
    /// The issuing agency.
    agency: Option<UnitId>,
    /// Kind of document.
    kind: Option<DocumentKind>,
    /// Year of the number.
    year: Option<i16>,
    /// Whether the document holds.
    state: Option<Validity>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A line of the register (发文登记).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisterLine {
    document_id: Uuid,
    /// The service that serves the paper.
    keeper: String,
    /// The identifier under which it does.
    kept_as: Uuid,
    kind: String,
    /// The code for verification (核验码).
    code: String,
    doc_no: String,
    title: String,
    issuing_unit_id: Uuid,
    issuing_unit_name: String,
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
    content_sha256: String,
    state: Validity,
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<VoidedLine>,
}

/// That a document no longer holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VoidedLine {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    cause: String,
    reason: String,
    by: String,
    /// The document in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<Uuid>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by_no: Option<String>,
}

/// A series of numbers with the proof that it is whole (编号连续).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeriesView {
    /// The words before the brackets.
    word: String,
    year: i16,
    /// The last serial.
    last: i32,
    /// How many serials have an entry, voided ones included.
    entries: i64,
    /// How many of them are voided.
    voided: i64,
    /// Serials up to the last that have no entry, at most 100 of them; none when the series is whole.
    missing: Vec<i32>,
    /// Entries beyond one for each serial; none when the series is whole.
    twice: i64,
    /// Every serial from 1 to the last has exactly one entry.
    whole: bool,
}

/// An agency that issued something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgencyView {
    unit_id: Uuid,
    name: String,
}

/// The register: a page of its lines; with the first page, the proof and the agencies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Register {
    items: Vec<RegisterLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The series of the documents asked for, each as a whole. With the first page only.
    series: Vec<SeriesView>,
    /// The agencies whose documents the caller may see. With the first page only.
    agencies: Vec<AgencyView>,
    /// The kinds of documents that the caller may see. With the first page only.
    kinds: Vec<String>,
}

impl From<Line> for RegisterLine {
    fn from(line: Line) -> Self {
        let state = match (&line.voided_at, &line.replaced_by_id) {
            (None, _) => Validity::Genuine,
            (Some(_), None) => Validity::Void,
            (Some(_), Some(_)) => Validity::Replaced,
        };
        let voided = line.voided_at.map(|at| VoidedLine {
            at: at.to_jiff(),
            cause: line.void_cause.unwrap_or_default(),
            reason: line.void_reason.unwrap_or_default(),
            by: line.voided_by.unwrap_or_default(),
            replaced_by: line.replaced_by_id,
            replaced_by_no: line.replaced_by_no,
        });
        Self {
            document_id: line.document_id,
            keeper: line.keeper,
            kept_as: line.kept_as,
            kind: line.kind,
            code: line.code,
            doc_no: line.doc_no,
            title: line.title,
            issuing_unit_id: line.issuing_unit_id,
            issuing_unit_name: line.issuing_unit_name,
            issued_at: line.issued_at.to_jiff(),
            content_sha256: line.content_sha256,
            state,
            voided,
        }
    }
}

async fn proven(tx: &mut sqlx::PgConnection, series: Series) -> sqlx::Result<SeriesView> {
    let whole = series.distinct == i64::from(series.last) && series.entries == series.distinct;
    let missing = if series.distinct == i64::from(series.last) {
        Vec::new()
    } else {
        store::missing(tx, &series, MOST_MISSING).await?
    };
    Ok(SeriesView {
        word: series.word,
        year: series.year,
        last: series.last,
        entries: series.distinct,
        voided: series.voided,
        missing,
        twice: series.entries - series.distinct,
        whole,
    })
}

/// 发文登记簿
#[utoipa::path(get, path = "/v1/document-register", tag = "文书", summary = "发文登记簿", params(RegisterQuery),
    responses((status = 200, body = Register)))]
pub(crate) async fn document_register(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<RegisterQuery>,
) -> problem::Result<axum::Json<Register>> {
    let request = PageQuery { limit: query.limit, after: query.after }.request::<(Timestamp, Uuid)>()?;
    let kind = query.kind.map(|kind| store::key(&kind)).transpose();
    let kind = kind.map_err(|error| Problem::internal(&std::io::Error::other(error)))?;
    let filter = store::Filter {
        agency: query.agency.map(Uuid::from),
        kind: kind.as_deref(),
        year: query.year,
        state: query.state.map(Validity::key),
    };
    let scope = permit.scope();
    let mut tx = state.database.begin().await?;
    let rows = store::list(&mut tx, &scope, filter, request.after, request.fetch()).await?;
    let (mut series, mut agencies, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    if request.after.is_none() {
        for one in store::series(&mut tx, &scope, filter).await? {
            series.push(proven(&mut tx, one).await?);
        }
        let known = store::agencies(&mut tx, &scope).await?;
        kinds = store::kinds(&mut tx, &scope).await?;
        agencies = known.into_iter().map(|(unit_id, name)| AgencyView { unit_id, name }).collect();
    }
    let page = Page::new(rows, &request, |line| (line.issued_at.to_jiff(), line.document_id));
    let Page { items, next } = page.map(RegisterLine::from);
    Ok(axum::Json(Register { items, next, series, agencies, kinds }))
}
