//! The public portal (公开平台): pages and open data without sign-in or cookies, and without scripts but for the one that
//! computes a file's hash on the page of verification.
//!
//! Everything shown of a rectification is read from the published bytes. Rendered answers are kept in memory and checked against the
//! version in the database at most once a second, so that a withdrawal shows within a second on every replica (and the lag that is
//! admitted, where a standby is read), and the pages outlive a short absence of the database.

mod answer;
mod cache;
mod data;
mod documents;
mod limit;
mod reads;
mod store;
mod verify;
mod view;
mod words;

use std::sync::Arc;

use ::documents::Templates;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, Uri};
use postgres::{Database, Standby};
use problem::{Problem, ProblemKind};
use serde::Deserialize;
use uuid::Uuid;

use crate::config::PortalSection;
use crate::publication::PublicStatus;
use answer::Answer;
use cache::{Cache, Key};
pub(crate) use reads::watch;

/// Entries of a page of the list.
const PER_PAGE: i64 = 20;
/// Entries of the feed.
const FEED: i64 = 50;

/// What the handlers of the portal share.
#[derive(Debug, Clone)]
struct Portal {
    /// The writer.
    database: Database,
    /// What may answer in its place.
    standby: Option<Arc<Standby>>,
    cache: Arc<Cache>,
    site: Arc<PortalSection>,
    /// What open documents are shown with.
    templates: Arc<Templates>,
}

/// The routes of the portal, and the page for every address that does not exist.
pub(crate) fn routes(
    site: &PortalSection,
    templates: Templates,
    database: Database,
    standby: Option<Arc<Standby>>,
) -> Router {
    let portal = Portal {
        database,
        standby,
        cache: Arc::new(Cache::default()),
        site: Arc::new(site.clone()),
        templates: Arc::new(templates),
    };
    let limiter = limit::Limiter::of(site);
    let pages = Router::new()
        .route("/", get(index))
        .route("/rectifications/{name}", get(page))
        .route("/open-data/rectifications.json", get(open_json))
        .route("/open-data/rectifications.csv", get(open_csv))
        .route("/feed.atom", get(feed))
        .route("/about", get(about))
        .route(view::STYLE_PATH, get(style))
        .merge(verify::routes())
        .merge(documents::routes())
        .route("/{*path}", get(elsewhere))
        .with_state(portal);
    match limiter {
        Some(limiter) => pages.layer(from_fn_with_state(limiter, limit::limit)),
        None => pages,
    }
}

/// The filter of the list.
#[derive(Debug, Clone, Default, Deserialize)]
struct IndexQuery {
    county: Option<String>,
    status: Option<String>,
    page: Option<String>,
}

async fn index(State(portal): State<Portal>, headers: HeaderMap, Query(query): Query<IndexQuery>) -> Response {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let county = given(query.county);
    let status = given(query.status);
    let number =
        given(query.page).map_or(Some(1), |page| page.parse::<i64>().ok().filter(|page| (1..=100_000).contains(page)));
    let known = status.as_deref().is_none_or(|text| PublicStatus::ALL.iter().any(|status| status.as_str() == text))
        && county
            .as_deref()
            .is_none_or(|code| code.len() <= 12 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let Some(number) = number.filter(|_| known) else { return portal.not_found(&headers) };
    let key = Key::Index { county: county.clone(), status: status.clone(), page: number };
    let made = portal
        .answer(
            &key,
            |database| async move { store::portal_version(&database).await },
            |database, version| {
                let portal = portal.clone();
                let filter = store::Filter { county: county.clone(), status: status.clone() };
                async move {
                    let list = store::list(&database, &filter, PER_PAGE, (number - 1) * PER_PAGE).await?;
                    if number > 1 && list.lines.is_empty() {
                        return Ok(None);
                    }
                    view::index(&portal.site, &filter, &list, number, PER_PAGE).map(|body| {
                        // What nobody has published cannot fill the memory: empty lists are made anew.
                        Some(
                            Answer::html(body, version, list.newest)
                                .kept(!list.lines.is_empty() || key_is_plain(&filter)),
                        )
                    })
                }
            },
        )
        .await;
    portal.respond(made, &headers)
}

fn key_is_plain(filter: &store::Filter) -> bool {
    filter.county.is_none() && filter.status.is_none()
}

async fn page(State(portal): State<Portal>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    let (text, raw) = name.strip_suffix(".json").map_or((name.as_str(), false), |text| (text, true));
    let Ok(id) = text.parse::<Uuid>() else { return portal.not_found(&headers) };
    let key = if raw { Key::PageJson(id) } else { Key::Page(id) };
    let made = portal
        .answer(
            &key,
            |database| async move { Ok(store::page_version(&database, id).await?.unwrap_or_default()) },
            |database, version| {
                let portal = portal.clone();
                async move {
                    let answer = match store::page(&database, id).await? {
                        None => return Ok(None),
                        Some(store::Found::Withdrawn(at)) if raw => Answer::gone(view::withdrawn(&portal.site, at)?),
                        Some(store::Found::Withdrawn(at)) => Answer::gone(view::withdrawn(&portal.site, at)?),
                        Some(store::Found::Published(page)) if raw => {
                            Answer::json(page.text, version, Some(page.published_at))
                        }
                        Some(store::Found::Published(page)) => {
                            let published_at = page.published_at;
                            Answer::html(view::page(&portal.site, &page)?, version, Some(published_at))
                        }
                    };
                    Ok(Some(answer))
                }
            },
        )
        .await;
    portal.respond(made, &headers)
}

async fn open_json(State(portal): State<Portal>, headers: HeaderMap) -> Response {
    let made = portal
        .answer(
            &Key::OpenJson,
            |database| async move { store::portal_version(&database).await },
            |database, version| {
                let portal = portal.clone();
                async move {
                    let pages = store::all(&database, None).await?;
                    let newest = pages.iter().map(|page| page.published_at).max();
                    Ok(Some(Answer::json(data::json(&portal.site, &pages)?, version, newest)))
                }
            },
        )
        .await;
    portal.respond(made, &headers)
}

async fn open_csv(State(portal): State<Portal>, headers: HeaderMap) -> Response {
    let made = portal
        .answer(
            &Key::OpenCsv,
            |database| async move { store::portal_version(&database).await },
            |database, version| {
                let portal = portal.clone();
                async move {
                    let pages = store::all(&database, None).await?;
                    let newest = pages.iter().map(|page| page.published_at).max();
                    Ok(Some(Answer::csv(data::csv(&portal.site, &pages)?, version, newest)))
                }
            },
        )
        .await;
    portal.respond(made, &headers)
}

async fn feed(State(portal): State<Portal>, headers: HeaderMap) -> Response {
    let made = portal
        .answer(
            &Key::Feed,
            |database| async move { store::portal_version(&database).await },
            |database, version| {
                let portal = portal.clone();
                async move {
                    let pages = store::all(&database, Some(FEED)).await?;
                    let newest = pages.iter().map(|page| page.published_at).max();
                    Ok(Some(Answer::atom(view::feed(&portal.site, &pages)?, version, newest)))
                }
            },
        )
        .await;
    portal.respond(made, &headers)
}

async fn about(State(portal): State<Portal>, headers: HeaderMap) -> Response {
    match view::about(&portal.site) {
        Ok(body) => Answer::html(body, view::STYLE_VERSION.clone(), None).respond(&headers),
        Err(error) => portal.failed(&error),
    }
}

async fn style(headers: HeaderMap) -> Response {
    Answer::style(view::STYLE, view::STYLE_VERSION.clone()).respond(&headers)
}

/// What no route knows: a page for people, a problem for programs.
async fn elsewhere(State(portal): State<Portal>, headers: HeaderMap, uri: Uri) -> Response {
    let for_people = headers
        .get(http::header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if for_people && !uri.path().starts_with("/v1/") {
        return portal.not_found(&headers);
    }
    Problem::of(ProblemKind::UnknownResource).into_response()
}

impl Portal {
    fn respond(&self, made: Result<Option<Arc<Answer>>, PortalError>, headers: &HeaderMap) -> Response {
        match made {
            Ok(Some(answer)) => answer.respond(headers),
            Ok(None) => self.not_found(headers),
            Err(error) => self.failed(&error),
        }
    }

    fn not_found(&self, headers: &HeaderMap) -> Response {
        match view::not_found(&self.site) {
            Ok(body) => Answer::missing(body, StatusCode::NOT_FOUND).respond(headers),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &(impl std::error::Error + 'static)) -> Response {
        tracing::error!(error = error as &dyn std::error::Error, "a public page could not be made");
        match view::unavailable(&self.site) {
            Ok(body) => Answer::missing(body, StatusCode::SERVICE_UNAVAILABLE).respond(&HeaderMap::new()),
            Err(_) => Problem::of(ProblemKind::Unavailable).into_response(),
        }
    }
}

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
enum PortalError {
    /// The database is away.
    #[error("the published pages could not be read")]
    Storage(#[from] sqlx::Error),
    /// A template failed.
    #[error("the template failed")]
    Template(#[from] askama::Error),
    /// The published bytes do not parse.
    #[error("the published content is not what it should be")]
    Content(#[from] serde_json::Error),
    /// The table could not be written.
    #[error("the table could not be written")]
    Table(String),
}
