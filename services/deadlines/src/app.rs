//! The state of the service and the only list of its routes, each with the permission that it takes.

use std::sync::Arc;

use access::{Access, Action, GuardedRouter, public};
use postgres::Database;
use service_kit::files::Files;
use utoipa_axum::routes;

use crate::rules::RuleSet;
use crate::{change, deadline, document, prove, rectification, timer, urging_order};

/// What handlers work with.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The service's database.
    pub database: Database,
    /// Store of evidence.
    pub files: Files,
    /// Rules and calendars.
    pub rules: Arc<RuleSet>,
}

/// Every route.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    use change::http as changes;
    use rectification::http::{evidence, item, read, request, step};
    GuardedRouter::new(access)
        .route(Action::DeadlinesRectificationRead, routes!(read::list))
        .route(Action::DeadlinesRectificationRead, routes!(read::show))
        .route(Action::DeadlinesEvidenceWrite, routes!(evidence::upload))
        .route(Action::DeadlinesRectificationRead, routes!(evidence::download))
        .route(Action::DeadlinesPlanSubmit, routes!(item::submit_plan))
        .route(Action::DeadlinesPlanJudge, routes!(item::judge_plan))
        .route(Action::DeadlinesItemReport, routes!(item::note_progress))
        .route(Action::DeadlinesItemReport, routes!(item::report))
        .route(Action::DeadlinesItemVerify, routes!(item::verify))
        .route(Action::DeadlinesItemClose, routes!(item::close_out))
        .route(Action::DeadlinesItemClose, routes!(item::refuse_close_out))
        .route(Action::DeadlinesConsultationWrite, routes!(item::consult))
        .route(Action::DeadlinesConsultationWrite, routes!(item::answer_consultation))
        .route(Action::DeadlinesLookBackRecord, routes!(item::look_back))
        .route(Action::DeadlinesRequestMake, routes!(request::ask))
        .route(Action::DeadlinesRequestDecide, routes!(request::decide))
        .route(Action::DeadlinesStepDecide, routes!(step::decide))
        .route(Action::DeadlinesRectificationRead, routes!(deadline::http::show))
        .public(routes!(deadline::http::proof), public())
        .route(Action::DeadlinesUrgingOrderRead, routes!(urging_order::http::show))
        .route(Action::DeadlinesRectificationRead, routes!(document::http::show))
        .route(Action::DeadlinesUrgingOrderVoid, routes!(urging_order::http::void_order))
        .route(Action::DeadlinesTimerRead, routes!(timer::http::list))
        .route(Action::DeadlinesTimerRead, routes!(prove::http::pulse))
        .route(Action::DeadlinesRuleChangePropose, routes!(changes::propose))
        .route(Action::DeadlinesRuleChangeRead, routes!(changes::list))
        .route(Action::DeadlinesRuleChangeRead, routes!(changes::show))
        .route(Action::DeadlinesRuleChangeRead, routes!(changes::cases))
        .route(Action::DeadlinesRuleChangeApprove, routes!(changes::approve))
        .route(Action::DeadlinesRuleChangePropose, routes!(changes::withdraw))
        .route(Action::DeadlinesRuleChangePropose, routes!(changes::roll_back))
        .public(routes!(deadline::http::recomputed), public())
        .public(routes!(deadline::http::sheet), public())
        .public(routes!(prove::http::latest), public())
}
