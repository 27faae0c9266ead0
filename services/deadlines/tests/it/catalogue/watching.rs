//! What others see: how late it is, what was published, what a metric says and does not say.

use contracts::subjects;
use deadlines::prove::Prover;
use domain::severity::Severity;
use http::StatusCode;
use jiff::SignedDuration;
use messaging::Relay;
use service_kit::config::{LogFormat, TelemetrySection};
use service_kit::health::Health;
use service_kit::telemetry::Metrics;
use testkit::Call;
use uuid::Uuid;

use super::{RECEIVED, URGED, due_cases, fire_all, in_a_process_of_its_own};
use crate::support::{World, at};

/// The metrics of this process, as the service has them; once in a process.
fn metrics_of_the_process() -> Metrics {
    let section = TelemetrySection {
        otlp_endpoint: None,
        trace_ratio: 1.0,
        log_level: "off".to_owned(),
        log_format: LogFormat::Text,
    };
    service_kit::telemetry::start("deadlines", &section).unwrap().metrics().clone()
}

/// What the endpoint says of a metric with those labels: nothing when it does not know it.
async fn scraped(metrics: &Metrics, name: &str, labels: &[&str]) -> Option<f64> {
    let operations = Health::new("deadlines", Vec::new()).routes(metrics.clone());
    let answer = Call::get("/metrics").send(&operations).await.expect(StatusCode::OK);
    let text = String::from_utf8(answer.bytes).unwrap();
    let named = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    let line = text.lines().find(named)?;
    Some(line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// Nobody could see how overdue timers were. While the firing stands still, the list of clocks says which are late and by how
/// much; when it goes on, a histogram with a boundary at the alert's sixty seconds keeps how late each one was.
#[test]
fn catalogue_17_how_late_timers_are_can_be_seen() {
    in_a_process_of_its_own("catalogue::watching::lateness_is_listed_and_measured", &[]);
}

#[tokio::test]
#[ignore = "catalogue_17 runs it in a process of its own, for the metrics are the process's"]
async fn lateness_is_listed_and_measured() {
    let metrics = metrics_of_the_process();
    let world = World::new().await;
    due_cases(&world, 30).await;
    world.freeze(at(URGED) + SignedDuration::from_secs(90)).await;
    let operator = testkit::caller(access::Role::Operator, None, None);
    let page = Call::get("/v1/timers?state=late&kind=urge&limit=200").by(&operator).send(&world.router).await;
    let page = page.expect(StatusCode::OK).json;
    let late: Vec<i64> =
        page["items"].as_array().unwrap().iter().map(|row| row["late_seconds"].as_i64().unwrap()).collect();
    assert_eq!(late, [90; 30]);
    let prover = Prover::new(world.database.handle(), &metrics.meter());
    prover.clone().take_pulse().await.unwrap();
    for (bound, count) in [("60", 0.0), ("600", 30.0), ("+Inf", 30.0)] {
        let labels = [format!("le=\"{bound}\"")];
        let age = scraped(&metrics, "dudao_overdue_age_seconds_bucket", &[labels[0].as_str()]).await;
        assert_eq!(age, Some(count), "overdue for at most {bound} s");
    }

    let bucket = async |bound: &str| {
        let labels = ["kind=\"urge\"", &format!("le=\"{bound}\"")];
        scraped(&metrics, "dudao_timer_lateness_seconds_bucket", &labels).await
    };
    assert_eq!(bucket("60").await, None, "nothing has been measured yet, and nothing is made up");
    assert_eq!(world.firing().fire_batch().await.unwrap(), 30);
    assert_eq!((bucket("60").await, bucket("600").await), (Some(0.0), Some(30.0)));
    assert_eq!(scraped(&metrics, "dudao_timer_lateness_seconds_sum", &["kind=\"urge\""]).await, Some(2_700.0));
    assert_eq!(scraped(&metrics, "dudao_timers_fired_total", &["kind=\"urge\""]).await, Some(30.0));
}

/// The broker lost what it had acknowledged. The journal is the truth: after the loss of the whole stream, what was published
/// before and after is there again, each event once, in the journal's order, below the same signed chain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catalogue_18_a_broker_that_loses_everything_is_filled_again() {
    let world = World::new().await;
    due_cases(&world, 25).await;
    fire_all(&world, URGED).await;
    let (broker, key) = (testkit::broker().await, testkit::journal_key());
    let relay = Relay::new(world.database.handle(), broker.clone(), "deadlines", std::sync::Arc::clone(&key));
    let name = subjects::stream(broker.prefix(), "deadlines");
    let jetstream = async_nats::jetstream::new(async_nats::connect(testkit::broker_options().url).await.unwrap());
    let publish = async || testkit::publish(&relay, &world.database).await;
    let held = async || {
        let mut stream = jetstream.get_stream(&name).await.unwrap();
        let last = stream.info().await.unwrap().state.last_sequence;
        let mut events = Vec::new();
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await.unwrap();
            let envelope: contracts::Envelope = serde_json::from_slice(&message.payload).unwrap();
            events.push(envelope.event_id);
        }
        events
    };
    let journalled = async || {
        let events = testkit::events(&world.database).await;
        events.into_iter().map(|event| event.event_id).collect::<Vec<_>>()
    };
    publish().await;
    assert_eq!(held().await, journalled().await);

    jetstream.delete_stream(&name).await.unwrap();
    fire_all(&world, "2026-03-13T16:00:00Z").await;
    publish().await;
    let all = journalled().await;
    assert!(all.len() >= 75, "{}", all.len());
    assert_eq!(held().await, all);
    let report = messaging::verify::chain(&world.database, &[key.public()]).await.unwrap();
    assert_eq!((report.faults, usize::try_from(report.events).unwrap()), (Vec::<String>::new(), all.len()));
}

/// The autoscaler took a missing metric for a number. What has not been measured is absent from the endpoint, which is an error
/// to whoever scales by it and no zero; what is there is what the database says, also after people have mended it and
/// nothing else has fallen due since.
#[test]
fn catalogue_20_a_metric_is_the_truth_or_absent() {
    in_a_process_of_its_own("catalogue::watching::a_gauge_is_absent_right_or_mended", &[]);
}

#[tokio::test]
#[ignore = "catalogue_20 runs it in a process of its own, for the metrics are the process's"]
async fn a_gauge_is_absent_right_or_mended() {
    let metrics = metrics_of_the_process();
    let world = World::new().await;
    let gauge = async || scraped(&metrics, "dudao_rectifications_stuck", &[]).await;
    let stuck = async || super::count(&world, "SELECT count(*) FROM rectifications WHERE stuck_at IS NOT NULL").await;
    let due = async || scraped(&metrics, "dudao_timers_due_unfired", &[]).await;
    let prover = Prover::new(world.database.handle(), &metrics.meter());
    assert_eq!((gauge().await, due().await), (None, None));
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.open(2, &[Severity::Minor], RECEIVED).await;
    assert_eq!(world.fire_at("2026-02-10T00:00:00Z").await, 0);
    assert_eq!((gauge().await, stuck().await), (Some(0.0), 0));

    // An agency without a code word: its orders could not be numbered.
    sqlx::query("UPDATE dossiers SET agency_key = 'office-none' WHERE rectification_id = $1")
        .bind(Uuid::from(id))
        .execute(world.database.pool())
        .await
        .unwrap();
    world.database.set_clock(at("2026-03-02T00:30:00Z")).await;
    prover.clone().take_pulse().await.unwrap();
    assert_eq!(due().await, Some(2.0));
    assert_eq!(world.firing().fire_batch().await.unwrap(), 2);
    assert_eq!((gauge().await, stuck().await), (Some(1.0), 1));
    // The unit reports, and its clock is gone.
    world.report(id, 0).await;
    assert_eq!(world.firing().fire_batch().await.unwrap(), 0);
    prover.take_pulse().await.unwrap();
    assert_eq!((gauge().await, stuck().await, due().await), (Some(0.0), 0, Some(0.0)));
}
