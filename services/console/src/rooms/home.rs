//! The first page: my work (我的工作).

use access::Action;
use askama::Template;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::ledger::Row;
use super::measures::Duty;
use super::{List, assignments, cases, drafts, inbox, receipts, rectifications, statistics};
use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

/// How many rows a card shows.
const SHOWN: &str = "8";

/// A card of the page: what it shows, or the service that is away.
#[derive(Debug)]
enum Card<T> {
    /// Not for this caller.
    Absent,
    /// What it shows.
    Of(T),
    /// The service did not answer; the key of its name.
    Away(&'static str),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Unread {
    items: Vec<inbox::Message>,
    unread: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Duties {
    unit_name: String,
    duties: Vec<Duty>,
}

#[derive(Debug, Template)]
#[template(path = "home.html")]
struct Home {
    page: Page,
    receipts: Card<List<receipts::Receipt>>,
    to_do: Card<List<assignments::Assignment>>,
    to_report: Card<List<rectifications::RowView>>,
    to_verify: Card<List<Row>>,
    to_close: Card<List<Row>>,
    late: Card<List<Row>>,
    cases: Card<List<cases::Row>>,
    drafts: Card<List<drafts::Row>>,
    unread: Card<Unread>,
    figures: Card<statistics::Statistics>,
    rejected: Card<List<Value>>,
    duties: Card<Duties>,
}

async fn card<T: serde::de::DeserializeOwned>(
    ctx: &Ctx,
    show: bool,
    room: Room,
    path: &str,
    query: &[(&str, &str)],
) -> Result<Card<T>, Failure> {
    if !show {
        return Ok(Card::Absent);
    }
    let query = query.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    match ctx.line().find(room, path, query).await {
        Ok(found) => Ok(Card::Of(found)),
        Err(Failure::SignedOut) => Err(Failure::SignedOut),
        // The roles would admit it, this account has nothing there.
        Err(Failure::Refused(_) | Failure::NotFound | Failure::Shown(..)) => Ok(Card::Absent),
        Err(Failure::Away(room) | Failure::Broken(room)) => Ok(Card::Away(room.key())),
    }
}

/// What waits for the caller, service by service; one that is away costs its card only.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Failure> {
    let ledger = |state: &'static str| [("state", state), ("limit", SHOWN)];
    let office = ctx.may(Action::NotificationsDeliveryRead);
    let (verifying, closing) = (ledger("reported"), ledger("verified"));
    let overdue = ledger("late");
    let query = [("state", "open"), ("limit", SHOWN)];
    let to_do = card(&ctx, ctx.may(Action::TasksAssignmentRead), Room::Tasks, "/v1/assignments", &query).await?;
    let (receipts, to_report, to_verify, to_close, late, cases, drafts, unread, figures, rejected, duties) = tokio::try_join!(
        card(
            &ctx,
            ctx.may(Action::NotificationsReceiptSign),
            Room::Notifications,
            "/v1/receipts",
            &[("state", "open"), ("limit", SHOWN)]
        ),
        card(
            &ctx,
            ctx.may(Action::DeadlinesItemReport),
            Room::Deadlines,
            "/v1/rectifications",
            &[("state", "open"), ("limit", SHOWN)]
        ),
        card(&ctx, ctx.may(Action::DeadlinesItemVerify), Room::Reporting, "/v1/ledger", &verifying),
        card(&ctx, ctx.may(Action::DeadlinesItemClose), Room::Reporting, "/v1/ledger", &closing),
        card(&ctx, ctx.may(Action::ReportingLedgerRead), Room::Reporting, "/v1/ledger", &overdue),
        card(&ctx, ctx.may(Action::TasksCaseWrite), Room::Tasks, "/v1/cases", &[("limit", SHOWN)]),
        card(
            &ctx,
            ctx.may(Action::PublicationDraftApprove),
            Room::Publication,
            "/v1/drafts",
            &[("state", "needs_approval"), ("limit", SHOWN)]
        ),
        card(
            &ctx,
            ctx.may(Action::NotificationsInboxRead),
            Room::Notifications,
            "/v1/inbox",
            &[("unread", "true"), ("limit", SHOWN)]
        ),
        card(
            &ctx,
            office && ctx.may(Action::ReportingStatisticsRead),
            Room::Reporting,
            "/v1/statistics/rectifications",
            &[]
        ),
        card(
            &ctx,
            ctx.may(Action::ExchangeMessageResend),
            Room::Exchange,
            "/v1/messages",
            &[("state", "rejected"), ("limit", SHOWN)]
        ),
        card(
            &ctx,
            ctx.may(Action::TasksDutyRead) && ctx.session.caller.unit_id.is_some(),
            Room::Tasks,
            "/v1/duties",
            &[]
        ),
    )?;
    let page = ctx.page("nav.home");
    ok(&Home {
        page,
        receipts,
        to_do,
        to_report,
        to_verify,
        to_close,
        late,
        cases,
        drafts,
        unread,
        figures,
        rejected,
        duties,
    })
}
