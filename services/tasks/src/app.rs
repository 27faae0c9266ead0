//! The state that handlers share, and the only list of routes, each with its permission.

use std::sync::Arc;

use access::{Access, Action, GuardedRouter};
use postgres::Database;
use service_kit::Kit;
use service_kit::files::Files;
use service_kit::ids::Ids;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};
use utoipa_axum::routes;

use crate::rules::Rules;
use crate::{assignment, case, document, plan, policy};

/// What handlers share.
#[derive(Debug, Clone)]
pub struct AppState {
    pub(crate) database: Database,
    pub(crate) rules: Arc<Rules>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) files: Files,
}

impl AppState {
    /// The state over the parts of the process.
    pub fn new(kit: &Kit, rules: Arc<Rules>) -> Self {
        Self { database: kit.database.clone(), rules, ids: Arc::clone(&kit.ids), files: kit.files.clone() }
    }
}

/// Every route of the service.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    let info = InfoBuilder::new()
        .title("督导任务")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("督导计划、实施方案任务分工、督导立项至督导意见书、整改通知书和督导报告全过程，升级措施及其文书，回头看待办事项"))
        .build();
    GuardedRouter::with_openapi(access, OpenApiBuilder::new().info(info).build())
        .route(Action::TasksDutyRead, routes!(policy::http::implementation_plan))
        .route(Action::TasksDutyRead, routes!(policy::http::duties))
        .route(Action::TasksPlanWrite, routes!(plan::http::create_plan))
        .route(Action::TasksPlanRead, routes!(plan::http::list_plans))
        .route(Action::TasksPlanRead, routes!(plan::http::get_plan))
        .route(Action::TasksPlanIssue, routes!(plan::http::issue_plan))
        .route(Action::TasksCaseWrite, routes!(case::http::create_case))
        .route(Action::TasksCaseRead, routes!(case::http::list_cases))
        .route(Action::TasksCaseRead, routes!(case::http::get_case))
        .route(Action::TasksCaseWrite, routes!(case::http::form_team))
        .route(Action::TasksCaseWrite, routes!(case::http::notify_unit))
        .route(Action::TasksCaseWrite, routes!(case::http::receive_self_evaluation))
        .route(Action::TasksCaseWrite, routes!(case::http::review_self_evaluation))
        .route(Action::TasksCaseWrite, routes!(case::http::record_visit))
        .route(Action::TasksEvidenceWrite, routes!(case::http::add_evidence))
        .route(Action::TasksCaseRead, routes!(case::http::get_evidence))
        .route(Action::TasksCaseWrite, routes!(case::http::hear))
        .route(Action::TasksCaseWrite, routes!(case::http::add_finding))
        .route(Action::TasksCaseWrite, routes!(case::http::edit_finding, case::http::remove_finding))
        .route(Action::TasksCaseWrite, routes!(case::http::feed_back))
        .route(Action::TasksPleaWrite, routes!(case::http::plead))
        .route(Action::TasksCaseWrite, routes!(case::http::decide_plea))
        .route(Action::TasksLetterIssue, routes!(case::http::issue_letter))
        .route(Action::TasksReportIssue, routes!(case::http::draft_report))
        .route(Action::TasksReportIssue, routes!(case::http::issue_report))
        .route(Action::TasksCaseRead, routes!(document::http::get_document))
        .route(Action::TasksDocumentVoid, routes!(document::http::void_document))
        .route(Action::TasksAssignmentRead, routes!(assignment::http::list_assignments))
        .route(Action::TasksAssignmentRead, routes!(assignment::http::get_assignment))
        .route(Action::TasksStepPaperIssue, routes!(assignment::http::issue_interview_notice))
        .route(Action::TasksStepPaperIssue, routes!(assignment::http::issue_circular))
}
