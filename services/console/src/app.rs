//! The parts of the console and its only list of routes.
//!
//! Every page but signing in and on, activation, the one-time link, the change of language and the style sheet asks for a session
//! ([`crate::session::Ctx`]); what its caller may do is decided by the services.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;
use axum::routing::{any, get, post};
use http::{HeaderValue, StatusCode};
use service_kit::client::Network;
use service_kit::clock::Clock;
use service_kit::ids::Ids;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;

use crate::api::{Api, Failure};
use crate::errors;
use crate::page::Permissions;
use crate::rooms::{
    accounts, assignments, cases, deadlines, deliveries, documents, drafts, exchange, home, imports, inbox, ledger,
    measures, mergers, papers, plans, preferences, proofs, receipt_link, receipts, rectifications, register,
    rule_changes, sign_in, sign_on, statistics, templates, timers,
};
use crate::session::Sealer;
use crate::texts::Catalogue;

/// The parts of the console; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The way to the services.
    pub api: Api,
    /// The cookie's seal.
    pub sealer: Arc<Sealer>,
    /// The policies, for the navigation.
    pub permissions: Arc<Permissions>,
    /// The words.
    pub catalogue: &'static Catalogue,
    /// Machine time, for the end of sessions.
    pub clock: Arc<dyn Clock>,
    /// Maker of the forms' keys.
    pub ids: Arc<dyn Ids>,
    /// Whose word on where a request comes from is believed.
    pub trusted_proxies: Arc<[Network]>,
    /// Address of the public portal; may be empty.
    pub portal: Arc<str>,
}

/// The routes.
pub fn routes(state: AppState) -> Router {
    let pages = Router::new()
        // Anyone.
        .route("/sign-in", get(sign_in::form).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/sign-on", get(sign_on::start))
        .route("/sign-on/callback", get(sign_on::callback))
        .route("/activate", get(sign_in::activation).post(sign_in::activate))
        .route("/language", get(sign_in::language))
        .route("/assets/console.css", get(style))
        // Whoever has the one-time link of a mail.
        .route("/receipts/link", get(receipt_link::show).post(receipt_link::sign))
        // Whoever is signed in.
        .route("/", get(home::show))
        .route("/plans", get(plans::list).post(plans::create))
        .route("/plans/new", get(plans::new))
        .route("/plans/{plan_id}", get(plans::show))
        .route("/plans/{plan_id}/issue", post(plans::issue))
        .route("/cases", get(cases::list).post(cases::create))
        .route("/cases/new", get(cases::new))
        .route("/cases/{case_id}", get(cases::show))
        .route("/cases/{case_id}/team", get(cases::team).post(cases::save_team))
        .route("/cases/{case_id}/notify", post(cases::notify))
        .route("/cases/{case_id}/self-evaluation", post(cases::self_evaluation))
        .route("/cases/{case_id}/review", post(cases::review))
        .route("/cases/{case_id}/visits", post(cases::visit))
        .route("/cases/{case_id}/hearings", post(cases::hearing))
        .route("/cases/{case_id}/findings", post(cases::add_finding))
        .route("/cases/{case_id}/findings/{finding_id}", get(cases::finding).post(cases::change_finding))
        .route("/cases/{case_id}/findings/{finding_id}/delete", post(cases::delete_finding))
        .route("/cases/{case_id}/feedback", post(cases::feedback))
        .route("/cases/{case_id}/plea", post(cases::plea))
        .route("/cases/{case_id}/plea-decision", post(cases::plea_decision))
        .route("/cases/{case_id}/letter", post(cases::letter))
        .route("/cases/{case_id}/report", get(papers::report).post(papers::issue_report))
        .route("/assignments/{assignment_id}/paper", get(papers::step))
        .route("/assignments/{assignment_id}/interview", post(papers::interview))
        .route("/assignments/{assignment_id}/circular", post(papers::circular))
        .route("/evidence/cases/{sha256}", get(documents::case_evidence))
        .route("/evidence/rectifications/{file_id}", get(documents::rectification_evidence))
        .route("/documents/{document_id}", get(documents::show))
        .route("/documents/{document_id}/void", post(documents::void))
        .route("/documents/{document_id}/{format}", get(documents::file))
        .route("/urging-orders/{urging_order_id}", get(documents::urging_order))
        .route("/urging-orders/{urging_order_id}/void", post(documents::void_urging_order))
        .route("/urging-orders/{urging_order_id}/{format}", get(documents::urging_order_file))
        .route("/rectification-papers/{document_id}", get(documents::rectification_paper))
        .route("/rectification-papers/{document_id}/{format}", get(documents::rectification_paper_file))
        .route("/register", get(register::list))
        .route("/receipts", get(receipts::list))
        .route("/receipts/{document_id}", get(receipts::show))
        .route("/receipts/{document_id}/sign", post(receipts::sign))
        .route("/receipts/{document_id}/paper", post(receipts::record_paper))
        .route("/preferences", get(preferences::show).post(preferences::save))
        .route("/rectifications", get(rectifications::list))
        .route("/rectifications/{rectification_id}", get(rectifications::show))
        .route("/rectifications/{rectification_id}/items/{item_id}/report", post(rectifications::report))
        .route("/rectifications/{rectification_id}/items/{item_id}/verify", post(rectifications::verify))
        .route("/rectifications/{rectification_id}/items/{item_id}/close-out", post(rectifications::close_out))
        .route(
            "/rectifications/{rectification_id}/items/{item_id}/close-out/refusal",
            post(rectifications::refuse_close_out),
        )
        .route("/rectifications/{rectification_id}/items/{item_id}/plan", post(rectifications::submit_plan))
        .route("/rectifications/{rectification_id}/items/{item_id}/plan/judgement", post(rectifications::judge_plan))
        .route("/rectifications/{rectification_id}/items/{item_id}/progress", post(rectifications::note_progress))
        .route("/rectifications/{rectification_id}/items/{item_id}/consultation", post(rectifications::consult))
        .route(
            "/rectifications/{rectification_id}/items/{item_id}/consultation/answer",
            post(rectifications::answer_consultation),
        )
        .route("/rectifications/{rectification_id}/items/{item_id}/look-back", post(rectifications::look_back))
        .route("/rectifications/{rectification_id}/requests", post(rectifications::ask))
        .route(
            "/rectifications/{rectification_id}/requests/{request_id}/decision",
            post(rectifications::decide_request),
        )
        .route("/rectifications/{rectification_id}/steps/{proposal_id}/decision", post(rectifications::decide_step))
        .route("/timers", get(timers::list))
        .route("/deadlines/{deadline_id}", get(deadlines::show))
        .route("/inbox", get(inbox::list))
        .route("/inbox/{message_id}/read", post(inbox::read))
        .route("/ledger", get(ledger::list))
        .route("/ledger.xlsx", get(ledger::workbook))
        .route("/statistics", get(statistics::show))
        .route("/drafts", get(drafts::list))
        .route("/drafts/{publication_id}", get(drafts::show))
        .route("/drafts/{publication_id}/approve", post(drafts::approve))
        .route("/drafts/{publication_id}/withdraw", post(drafts::withdraw))
        .route("/exchange", get(exchange::list))
        .route("/exchange/{message_id}", get(exchange::show))
        .route("/exchange/{message_id}/resend", post(exchange::resend))
        .route("/measures", get(measures::show))
        .merge(people())
        .merge(offices())
        // Unknown addresses get a page too, not the problem document of the services.
        .route("/{*rest}", any(unknown))
        .with_state(state.clone());
    pages
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CsrfLayer::new())
        .layer(from_fn_with_state(state, errors::dress))
}

/// Accounts, one's own and those of one's office, and the register's data.
fn people() -> Router<AppState> {
    Router::new()
        .route("/imports", get(imports::list).post(imports::run))
        .route("/imports/{import_id}", get(imports::show))
        .route("/area-mergers", get(mergers::list).post(mergers::announce))
        .route("/area-mergers/{merger_id}/withdrawal", post(mergers::withdraw))
        .route("/account", get(sign_on::account))
        .route("/account/identity", post(sign_on::bind))
        .route("/account/identity/removal", post(sign_on::unbind))
        .route("/accounts", get(accounts::list))
        .route("/accounts/{account_id}/identity", post(accounts::bind))
        .route("/accounts/{account_id}/identity/removal", post(accounts::unbind))
        .route("/accounts/{account_id}/activation", post(accounts::activation))
        .route("/accounts/{account_id}/deactivation", post(accounts::deactivation))
        .route("/accounts/{account_id}/reactivation", post(accounts::reactivation))
}

/// What the offices see to: messages on their way, what the clock hands to people, rules and templates.
fn offices() -> Router<AppState> {
    Router::new()
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/redrive", post(deliveries::redrive_all))
        .route("/deliveries/{delivery_id}/redrive", post(deliveries::redrive))
        .route("/deliveries/{delivery_id}/discard", post(deliveries::discard))
        .route("/sweep", get(deliveries::sweep))
        .route("/message-preview", get(preferences::preview))
        .route("/assignments", get(assignments::list))
        .route("/assignments/{assignment_id}", get(assignments::show))
        .route("/proofs", get(proofs::show))
        .route("/rule-changes", get(rule_changes::list).post(rule_changes::propose))
        .route("/rule-changes/new", get(rule_changes::new))
        .route("/rule-changes/{change_id}", get(rule_changes::show))
        .route("/rule-changes/{change_id}/approval", post(rule_changes::approve))
        .route("/rule-changes/{change_id}/withdrawal", post(rule_changes::withdraw))
        .route("/rule-changes/{change_id}/roll-back", post(rule_changes::roll_back))
        .route("/templates", get(templates::show).post(templates::preview))
}

async fn unknown() -> Failure {
    Failure::NotFound
}

/// Caught here so that also this answer is a page.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
fn panicked(payload: Box<dyn std::any::Any + Send + 'static>) -> axum::response::Response {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("(no message)");
    tracing::error!(panic = text, "a page's handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

async fn style() -> axum::response::Response {
    let headers = [
        (http::header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (http::header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    (headers, include_str!("../assets/console.css")).into_response()
}
