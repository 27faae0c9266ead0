//! The storm as people are told of it: very many urging orders issued at one instant become messages and deliveries, through the
//! very handler and tellers of the service, and leave through an SMTP sink of this machine over kept connections.
//!
//! The readers are a province's: 4,500 schools with a head and a contact, 20 competent departments, 20 offices. Each order is told
//! to four people and makes eight deliveries. Prints figures with their goals and appends them to `target/bench/results.jsonl`;
//! asserts only that nothing was lost or doubled. `DUDAO_BENCH_NOTICES` (default 100000), `DUDAO_BENCH_MAILS` (default 30000).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::wildcard_imports,
    dead_code,
    reason = "a benchmark: figures for people, and more in the shared support than it needs"
)]

#[path = "../../../tests/src/mail_sink.rs"]
mod mail_sink;
#[path = "../tests/it/world.rs"]
mod world;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use contracts::Envelope;
use domain::ids::*;
use notifications::{
    consume::Matters,
    delivery::{Mailer, Patience, Relays, Sender},
};
use testkit::bench::{Goal, Results};
use uuid::Uuid;
use world::*;

const SCHOOLS: u128 = 4_500;
const COUNTIES: u128 = 20;
const SENDERS: usize = 8;
/// Events in one transaction, as the consumer takes them.
const BATCH: usize = 500;

fn main() {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(bench());
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

async fn bench() {
    let mut results = Results::open("notifications");
    let (notices, mails) = (number("DUDAO_BENCH_NOTICES", 100_000), number("DUDAO_BENCH_MAILS", 30_000));
    let world = World::new().await;
    people(&world).await;
    let durable = world.text("SHOW fsync").await;
    println!("fsync {durable}, {SCHOOLS} schools, {notices} orders");
    let events: Vec<Envelope> = (0..notices).map(order).collect();
    tell(&world, &mut results, events).await;
    send(&world, &mut results, mails).await;
    results.print();
}

fn id(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128((kind << 64) | number)
}

async fn people(world: &World) {
    let pool = world.db.pool();
    let (mut ids, mut roles, mut units, mut homes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut add = |person: Uuid, role: &str, unit: Option<Uuid>, home: Option<Uuid>| {
        ids.push(person);
        roles.push(role.to_owned());
        units.push(unit);
        homes.push(home);
    };
    for school in 0..SCHOOLS {
        add(id(1, school), "unit_principal", Some(id(10, school)), Some(id(10, school)));
        add(id(2, school), "unit_contact", Some(id(10, school)), Some(id(10, school)));
    }
    for county in 0..COUNTIES {
        add(id(3, county), "competent_department_officer", Some(id(11, county)), Some(id(11, county)));
        add(id(4, county), "county_office_admin", None, Some(id(12, county)));
    }
    sqlx::query(
        "INSERT INTO accounts (account_id, version, display_name, email, language, unit_id, active)
         SELECT id, 1, 'somebody', replace(id::text, '-', '') || '@hainan.example', 'zh-Hans', home, true
         FROM unnest($1::uuid[], $2::uuid[]) AS a(id, home)",
    )
    .bind(&ids)
    .bind(&homes)
    .execute(pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO grants (account_id, role, unit_id) SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[])",
    )
    .bind(&ids)
    .bind(&roles)
    .bind(&units)
    .execute(pool)
    .await
    .unwrap();
    sqlx::query("ANALYZE").execute(pool).await.unwrap();
}

fn order(serial: usize) -> Envelope {
    let serial = u128::try_from(serial).unwrap();
    let (school, county) = (serial % SCHOOLS, serial % COUNTIES);
    let mut event = urged();
    let rectification = &mut event.rectification;
    rectification.rectification_id = RectificationId::new(id(20, serial));
    rectification.case_id = CaseId::new(id(21, serial));
    rectification.unit.unit_id = UnitId::new(id(10, school));
    rectification.unit.competent_unit_id = Some(UnitId::new(id(11, county)));
    let order = &mut rectification.urging_orders[0];
    order.urging_order_id = UrgingOrderId::new(id(22, serial));
    order.document.document_id = DocumentId::new(id(23, serial));
    order.document.issuing_unit_id = UnitId::new(id(12, county));
    order.document.doc_no = format!("海口教督办〔2026〕{}号", serial + 1);
    event.urging_order_id = order.urging_order_id;
    testkit::envelope(&event, at("2026-11-23T16:00:00Z"))
}

/// From events to deliveries: one consumer, two tellers.
async fn tell(world: &World, results: &mut Results, events: Vec<Envelope>) {
    let notices = events.len();
    let heard = Arc::new(AtomicBool::new(false));
    let tellers: Vec<_> = (0..2)
        .map(|_| {
            let (database, telling, heard) = (world.db.handle(), Arc::clone(&world.telling), Arc::clone(&heard));
            tokio::spawn(async move {
                loop {
                    let last = heard.load(Ordering::SeqCst);
                    let told = notifications::tell_due(&database, &telling).await.unwrap();
                    if told == 0 && last {
                        return;
                    }
                    if told == 0 {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            })
        })
        .collect();
    let started = Instant::now();
    let matters = Matters(Arc::clone(&world.telling));
    for batch in events.chunks(BATCH) {
        let mut tx = world.db.begin().await.unwrap();
        // What the consumer writes beside the effect.
        let ids: Vec<Uuid> = batch.iter().map(|event| event.event_id.into()).collect();
        sqlx::query(
            "INSERT INTO messaging.inbox (consumer, event_id) SELECT 'notifications-matters', unnest($1::uuid[])",
        )
        .bind(&ids)
        .execute(&mut *tx)
        .await
        .unwrap();
        matters.hear(&mut tx, &batch.iter().collect::<Vec<_>>()).await.unwrap();
        tx.commit().await.unwrap();
    }
    let hearing = started.elapsed();
    heard.store(true, Ordering::SeqCst);
    for teller in tellers {
        teller.await.unwrap();
    }
    let whole = started.elapsed();
    let deliveries = world.number("SELECT count(*) FROM deliveries").await;
    let messages = world.number("SELECT count(*) FROM messages").await;
    assert_eq!(messages, i64::try_from(notices * 4).unwrap(), "everybody is told of everything once");
    let name = if notices.is_multiple_of(1_000) { format!("{}k", notices / 1_000) } else { notices.to_string() };
    results.add(&format!("notices-to-deliveries-{name}"), whole.as_secs_f64(), "s", Goal::AtMost(30.0));
    results.add("notices-heard", notices as f64 / hearing.as_secs_f64(), "notices/s", Goal::None("beside the telling"));
    results.add(
        "deliveries-written",
        deliveries as f64 / whole.as_secs_f64(),
        "deliveries/s",
        Goal::None("4 readers each"),
    );
}

/// From deliveries to the sink.
async fn send(world: &World, results: &mut Results, mails: usize) {
    // Of the storm's mails so many; the others wait beyond the horizon, in the same table.
    let horizon =
        "UPDATE deliveries SET next_attempt_at = now() + interval '1 day' WHERE channel = 'mail' AND delivery_id NOT IN
                   (SELECT delivery_id FROM deliveries WHERE channel = 'mail' LIMIT $1)";
    sqlx::query(horizon).bind(i64::try_from(mails).unwrap()).execute(world.db.pool()).await.unwrap();
    sqlx::query("VACUUM ANALYZE deliveries").execute(world.db.pool()).await.unwrap();
    let due = world.number("SELECT count(*) FROM deliveries WHERE channel = 'mail' AND next_attempt_at <= now()").await;
    let section = notifications::config::MailSection { timeout_seconds: 30, ..world.mail().clone() };
    let relays = Relays::new(&section);
    let started = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let mailer = Mailer::try_new(section.clone(), relays.clone()).unwrap();
            let (database, telling) = (world.db.handle(), Arc::clone(&world.telling));
            let sender = Sender::new(database, telling, None, Arc::new(mailer), Patience::from(&section));
            tokio::spawn(async move { while sender.round().await.unwrap() > 0 {} })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let took = started.elapsed();
    let came = world.sink.mails();
    let different: BTreeSet<&str> = came.iter().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!((came.len(), different.len()), (usize::try_from(due).unwrap(), came.len()), "none lost, none doubled");
    assert_eq!(world.mails_in("delivered").await, due);
    results.add("mails-through-smtp", due as f64 / took.as_secs_f64(), "mails/s", Goal::AtLeast(1_000.0));
}
