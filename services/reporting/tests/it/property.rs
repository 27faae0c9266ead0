//! Whatever the rectifications are and in whatever order their events come: the counties add up to the province, and
//! every figure equals a count made from the newest snapshots by a second, plain program.

use contracts::deadlines::{ItemSnapshot, ItemState, RectificationSnapshot};
use http::StatusCode;
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{App, item, office, rectification, urging_order};

const CODES: [&str; 4] = ["460100", "460200", "469021", "469022"];

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
struct Fate {
    state: u8,
    due_in: i32,
    first_due_in: i32,
    reported_before: bool,
    late: bool,
    urged: bool,
    paused: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    let (seldom, sometimes) = (prop::bool::weighted(0.2), prop::bool::weighted(0.3));
    (0_u8..5, -20_i32..20, -40_i32..20, any::<bool>(), any::<bool>(), sometimes, seldom).prop_map(
        |(state, due_in, first_due_in, reported_before, late, urged, paused)| Fate {
            state,
            due_in,
            first_due_in,
            reported_before,
            late,
            urged,
            paused,
        },
    )
}

fn history(name: &str, code: Option<&str>, versions: &[Vec<Fate>], today: Date) -> Vec<RectificationSnapshot> {
    versions
        .iter()
        .enumerate()
        .map(|(n, fates)| {
            let items = fates.iter().enumerate().map(|(k, fate)| made(name, k, fate, today)).collect();
            let mut snapshot = rectification(name, code, i64::try_from(n).unwrap() + 1, items);
            // Some orders came before the report of 10 September, some after it.
            let urged = snapshot.items.iter().filter(|item| item.urging_order_no.is_some());
            snapshot.paused_until =
                fates.iter().any(|fate| fate.paused).then(|| "2026-11-30T16:00:00Z".parse().unwrap());
            snapshot.urging_orders = urged
                .map(|item| {
                    let mut order = urging_order(&snapshot, item.urging_order_no.as_deref().unwrap());
                    order.items.retain(|listed| listed.item_id == item.item_id);
                    let day = if item.number % 2 == 0 { "2026-09-05T01:00:00Z" } else { "2026-09-15T01:00:00Z" };
                    order.document.issued_at = day.parse().unwrap();
                    order
                })
                .collect();
            snapshot
        })
        .collect()
}

fn made(name: &str, k: usize, fate: &Fate, today: Date) -> ItemSnapshot {
    let state = [ItemState::InProgress, ItemState::Reported, ItemState::Verified, ItemState::Closed, ItemState::Waived]
        [usize::from(fate.state)];
    let due_on = today.checked_add(i64::from(fate.due_in).days()).unwrap();
    let mut item = item(name, i32::try_from(k).unwrap() + 1, state, due_on);
    item.first_due_on = today.checked_add(i64::from(fate.first_due_in).days()).unwrap();
    item.late = fate.late;
    if state == ItemState::InProgress && fate.reported_before {
        item.reported_at = Some("2026-09-10T02:00:00Z".parse().unwrap());
    }
    item.urging_order_no = fate.urged.then(|| format!("{name}督〔2026〕{k}号"));
    item
}

/// The definitions once more, in another language than the one that is tested.
fn expected(newest: &[&RectificationSnapshot], now: Timestamp, today: Date) -> Value {
    let items: Vec<&ItemSnapshot> = newest.iter().flat_map(|snapshot| &snapshot.items).collect();
    let count = |test: &dyn Fn(&ItemSnapshot) -> bool| items.iter().filter(|item| test(item)).count();
    let state = |state: ItemState| count(&|item| item.state == state);
    let urged_at = |item: &ItemSnapshot| {
        let orders = newest.iter().flat_map(|snapshot| &snapshot.urging_orders);
        orders
            .filter(|order| order.items.iter().any(|listed| listed.item_id == item.item_id))
            .map(|order| order.document.issued_at)
            .max()
    };
    let paused = |item: &ItemSnapshot| {
        let of_it = newest.iter().find(|snapshot| snapshot.items.iter().any(|one| one.item_id == item.item_id));
        of_it.is_some_and(|snapshot| snapshot.paused_until.is_some())
    };
    let late = |item: &ItemSnapshot| {
        let unanswered = urged_at(item).is_some_and(|urged| item.reported_at.is_none_or(|reported| reported < urged));
        item.state == ItemState::InProgress && !paused(item) && (item.due_at <= now || unanswered)
    };
    let soon = today.checked_add(i64::from(reporting::DUE_SOON_DAYS).days()).unwrap();
    json!({
        "items": items.len(),
        "open": items.len() - state(ItemState::Closed) - state(ItemState::Waived),
        "in_progress": state(ItemState::InProgress),
        "reported": state(ItemState::Reported),
        "verified": state(ItemState::Verified),
        "closed": state(ItemState::Closed),
        "waived": state(ItemState::Waived),
        "paused": count(&|item| item.state == ItemState::InProgress && paused(item)),
        "reopened": 0,
        "late": count(&late),
        "due_soon": count(&|item| {
            item.state == ItemState::InProgress && !paused(item) && !late(item) && item.due_on <= soon
        }),
        "on_time": count(&|item| item.reported_at.is_some() && !item.late),
        "on_time_base": count(&|item| item.late || item.reported_at.is_some() || late(item)),
        "rectifications": newest.len(),
        "urging_orders": newest.iter().map(|snapshot| snapshot.urging_orders.len()).sum::<usize>(),
    })
}

fn figures(found: &Value) -> Value {
    let mut found = found.clone();
    found.as_object_mut().unwrap().remove("on_time_rate");
    found
}

#[tokio::test]
async fn counties_add_up_and_any_order_of_events_gives_the_same_figures() {
    let app = App::new().await;
    app.counties(&CODES).await;
    let now: Timestamp = "2026-10-15T02:00:00Z".parse().unwrap();
    let today = date(2026, 10, 15);
    let rectification = (0_usize..=CODES.len(), prop::collection::vec(prop::collection::vec(fate(), 1..4), 1..4));
    let strategy = prop::collection::vec(rectification, 1..12);
    let mut runner = TestRunner::new(Config::default());
    for round in 0..12 {
        let world = strategy.new_tree(&mut runner).unwrap().current();
        // The last number stands for a provincial unit.
        let histories: Vec<_> = world
            .iter()
            .enumerate()
            .map(|(n, (county, versions))| {
                history(&format!("校{round}-{n}"), CODES.get(*county).copied(), versions, today)
            })
            .collect();
        let events: Vec<RectificationSnapshot> = histories.iter().flatten().cloned().collect();
        let newest: Vec<&RectificationSnapshot> = histories.iter().map(|history| history.last().unwrap()).collect();
        for _ in 0..2 {
            start_over(&app).await;
            app.database.set_clock(now).await;
            let shuffled = Just(events.clone()).prop_shuffle().new_tree(&mut runner).unwrap().current();
            for snapshot in &shuffled {
                app.feed(snapshot).await;
            }
            let answer = app.get("/v1/statistics/rectifications", &office()).await.expect(StatusCode::OK).json;
            assert_eq!(figures(&answer["total"]), expected(&newest, now, today), "{shuffled:#?}");
            let provincial: Vec<_> = newest.iter().copied().filter(|s| s.unit.county_code.is_none()).collect();
            assert_eq!(figures(&answer["provincial"]), expected(&provincial, now, today));
            let counties = answer["counties"].as_array().unwrap();
            assert_eq!(counties.len(), CODES.len());
            for county in counties {
                let of_it: Vec<_> = newest
                    .iter()
                    .copied()
                    .filter(|s| s.unit.county_code.as_deref() == county["county_code"].as_str())
                    .collect();
                assert_eq!(figures(&county["figures"]), expected(&of_it, now, today));
            }
        }
    }
}

async fn start_over(app: &App) {
    let mut tx = app.database.begin().await.unwrap();
    sqlx::query("TRUNCATE rectifications, ledger_rows, look_backs").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}
