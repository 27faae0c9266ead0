//! The standing invariants: each one, broken by hand, is found, and no other one with it.

use access::Role;
use clockwork::invariants;
use deadlines::prove::Prover;
use domain::severity::Severity;
use http::StatusCode;
use service_kit::telemetry::Metrics;
use sqlx::AssertSqlSafe;
use testkit::Call;

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";

impl World {
    async fn broken(&self) -> Vec<&'static str> {
        let mut tx = self.database.begin().await.unwrap();
        let at = tx.at();
        let proof = invariants::prove(&mut tx, at).await.unwrap();
        let found: Vec<_> = proof.findings.into_iter().filter(|finding| finding.violations > 0).collect();
        assert!(found.iter().all(|finding| !finding.offenders.is_empty()));
        found.into_iter().map(|finding| finding.invariant.name).collect()
    }

    async fn by_hand(&self, statements: &[&str]) {
        for statement in statements {
            let done = sqlx::query(AssertSqlSafe((*statement).to_owned())).execute(self.database.pool()).await.unwrap();
            assert!(statement.starts_with("ALTER") || done.rows_affected() > 0, "{statement}");
        }
    }

    /// A case that was urged and whose department is held liable, one that is on time, and a closed one.
    async fn grown() -> Self {
        let world = Self::new().await;
        world.open(1, &[Severity::Minor, Severity::Minor], RECEIVED).await;
        world.open(2, &[Severity::Serious], RECEIVED).await;
        for instant in [
            "2026-03-02T00:30:00Z",
            "2026-03-04T00:30:00Z",
            "2026-03-05T16:00:00Z",
            "2026-03-06T16:00:00Z",
            "2026-03-13T16:00:00Z",
        ] {
            world.fire_at(instant).await;
        }
        world
    }
}

#[tokio::test]
async fn what_the_clock_did_proves_itself() {
    let world = World::grown().await;
    let linked: i64 = sqlx::query_scalar("SELECT count(*) FROM dossiers WHERE liable_for IS NOT NULL")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    assert_eq!(linked, 1, "the story holds a case under joint liability");
    assert_eq!(world.broken().await, [""; 0]);
}

#[tokio::test]
async fn each_invariant_broken_by_hand_is_reported_and_only_that_one() {
    let unjournal = "ALTER TABLE messaging.journal DISABLE TRIGGER USER";
    let cases: &[(&str, &[&str])] = &[
        ("armed", &["UPDATE rectifications SET next_timer_at = next_timer_at + interval '1 day'"]),
        ("urged_listed", &["UPDATE urging_orders SET content = replace(content, '\"number\"', '\"item\"')"]),
        (
            "order_journalled",
            &["INSERT INTO messaging.journal
                   (event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor, payload)
               SELECT gen_random_uuid(), event_type, aggregate_id, aggregate_version, occurred_at, actor, payload
               FROM messaging.journal WHERE event_type = 'deadlines.urging_order.issued.v1'"],
        ),
        (
            "order_count",
            &["UPDATE rectifications SET state = replace(state, '\"urging_orders\":1', '\"urging_orders\":2')
               WHERE strpos(state, '\"urging_orders\":1') > 0"],
        ),
        ("numbers", &["UPDATE number_series SET last = last + 1"]),
        (
            "versions",
            &[
                unjournal,
                "DELETE FROM messaging.journal WHERE event_type = 'deadlines.reminder.due.v1' AND aggregate_version = 2",
            ],
        ),
        (
            "never_earlier",
            // The second limit of the register and of the state moves a year back, with the timers' earliest untouched.
            &[
                "UPDATE rectifications SET state = replace(state, '\"round\":1,\"basis\":\"urging_order\"',
                     '\"round\":1,\"basis\":\"returned\"') WHERE strpos(state, '\"urging_order\"') > 0",
                "UPDATE rectifications SET state = replace(state, '2026-03-13T16:00:00Z\",\"sheet\"', '2025-03-13T16:00:00Z\",\"sheet\"')
                 WHERE strpos(state, '2026-03-13T16:00:00Z\",\"sheet\"') > 0",
                "UPDATE deadlines SET due_at = '2025-03-13T16:00:00Z' WHERE due_at = '2026-03-13T16:00:00Z'",
            ],
        ),
        ("sheets", &["DELETE FROM deadlines WHERE round = 0"]),
        ("calendars", &["DELETE FROM calendars"]),
        ("linked", &["UPDATE dossiers SET liable_for = gen_random_uuid() WHERE liable_for IS NOT NULL"]),
        (
            "counted",
            &[
                "INSERT INTO rule_changes (change_id, version, kind, subject, reason, content, live_cases, effective_on,
                     effective_at, state, proposed_at, proposed_by, proposer_name, approved_by, sequence, took_effect_at)
                 VALUES (gen_random_uuid(), 1, 'calendar', 'x', 'x', 'x', true, now(), now(), 'in_effect', now(),
                     gen_random_uuid(), 'x', gen_random_uuid(), 1, messaging.legal_now() - interval '1 hour')",
                "UPDATE rules_in_force SET version = 1",
            ],
        ),
        (
            "moot",
            &["UPDATE rectifications SET state = replace(state, '\"timers\":', '\"requests\":[{\"subject\":\"waiver\",
                   \"item_id\":\"00000000-0000-0000-0000-000000000000\"}],\"timers\":')"],
        ),
        ("closed", &["UPDATE rectifications SET closed_at = now()"]),
        ("set_aside", &["UPDATE rectifications SET stuck_since = messaging.legal_now() - interval '2 hours'"]),
    ];
    for (name, statements) in cases {
        let world = World::grown().await;
        world.by_hand(statements).await;
        assert_eq!(world.broken().await, [*name]);
    }
    let world = World::grown().await;
    world.database.set_clock("2026-05-01T00:00:00Z".parse().unwrap()).await;
    assert_eq!(world.broken().await, ["fired"]);
    let tried: Vec<&str> = cases.iter().map(|(name, _)| *name).chain(["fired"]).collect();
    assert!(invariants::ALL.iter().all(|invariant| tried.contains(&invariant.name)), "one is not tried");
}

#[tokio::test]
async fn one_replica_proves_each_night_and_everyone_may_read_the_counts() {
    let world = World::grown().await;
    let latest = || Call::get("/v1/proofs/latest").send(&world.router);
    latest().await.expect(StatusCode::NOT_FOUND);
    let metrics = Metrics::new("deadlines").unwrap();
    let prover = Prover::new(world.database.handle(), &metrics.meter());
    world.database.set_clock("2026-03-13T17:00:00Z".parse().unwrap()).await; // One o'clock at night.
    let proofs = || async {
        prover.clone().prove_nightly().await.unwrap();
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM proofs").fetch_one(world.database.pool()).await.unwrap()
    };
    assert_eq!(proofs().await, 1, "there was none since yesterday's");
    assert_eq!(proofs().await, 1, "once is enough");
    world.database.set_clock("2026-03-13T18:00:00Z".parse().unwrap()).await;
    assert_eq!(proofs().await, 2, "tonight's");
    assert_eq!(proofs().await, 2);
    let view = latest().await.expect(StatusCode::OK).json;
    assert_eq!(view["holds"], true, "{view}");
    assert_eq!(view["statement_zh"], "自2026年3月14日01时00分起，每晚自证均成立，无一遗漏。");
    assert_eq!(view["invariants"].as_array().unwrap().len(), invariants::ALL.len());
    assert_eq!((view["open_cases"].as_i64(), view["urging_orders"].as_i64()), (Some(3), Some(1)));

    // A proof that fails is shown as it is, without any identifier, and the row begins anew.
    world.by_hand(&["UPDATE number_series SET last = last + 1"]).await;
    world.database.set_clock("2026-03-14T18:00:00Z".parse().unwrap()).await;
    while world.firing().fire_batch().await.unwrap() > 0 {}
    assert_eq!(proofs().await, 3);
    let view = latest().await.json;
    assert_eq!((view["holds"].as_bool(), view["none_missed_since"].as_str()), (Some(false), None));
    assert!(!view.to_string().contains("海口"), "{view}");
    // Six hours later, with nobody firing: the figures of the service say so.
    world.database.set_clock("2026-03-16T02:00:00Z".parse().unwrap()).await;
    prover.take_pulse().await.unwrap();
    let (_, text) = metrics.render();
    let figure = |of: &str| text.lines().find(|line| line.contains(of) && !line.starts_with('#')).unwrap().to_owned();
    assert!(figure("invariant=\"numbers\"").ends_with(" 1"), "{text}");
    assert!(figure("invariant=\"armed\"").ends_with(" 0"), "{text}");
    assert!(figure("dudao_timers_armed").ends_with(" 3"), "{text}");
    let age: f64 = figure("dudao_proof_age_seconds").rsplit(' ').next().unwrap().parse().unwrap();
    assert!((31.0 * 3600.0..33.0 * 3600.0).contains(&age), "{age}");
    let due = figure("dudao_timers_due_unfired");
    assert!(figure("le=\"+Inf\"").starts_with("dudao_overdue_age_seconds_bucket"), "{text}");
    assert_eq!(figure("le=\"+Inf\"").rsplit(' ').next(), due.rsplit(' ').next());
    let stranger = testkit::caller(Role::UnitContact, None, None);
    Call::get("/v1/proofs/latest").by(&stranger).send(&world.router).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn the_pulse_tells_what_is_due_by_its_age_to_those_who_watch_the_clock() {
    let world = World::new().await;
    world.database.set_clock(RECEIVED.parse().unwrap()).await;
    world.open(1, &[Severity::Minor], RECEIVED).await;
    world.open(2, &[Severity::Serious], RECEIVED).await;
    let operator = testkit::caller(Role::Operator, None, None);
    let pulse = Call::get("/v1/timers/pulse").by(&operator).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!((pulse["armed"].as_i64(), pulse["due_unfired"].as_i64()), (Some(2), Some(0)));
    world
        .by_hand(&[
            "ALTER TABLE rectifications DISABLE TRIGGER USER",
            "UPDATE rectifications SET next_timer_at = messaging.legal_now() - interval '30 seconds'
             WHERE rectification_id = (SELECT min(rectification_id::text)::uuid FROM rectifications)",
        ])
        .await;
    let pulse = Call::get("/v1/timers/pulse").by(&operator).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(pulse["due_unfired"], 1);
    let ages: Vec<(Option<i64>, i64)> = pulse["ages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|age| (age["up_to_seconds"].as_i64(), age["cases"].as_i64().unwrap()))
        .collect();
    assert_eq!(ages.iter().map(|(_, cases)| cases).sum::<i64>(), 1, "each case once: {ages:?}");
    assert!(ages.contains(&(Some(60), 1)) && ages.last() == Some(&(None, 0)), "{ages:?}");
    let principal = testkit::caller(Role::UnitPrincipal, None, None);
    Call::get("/v1/timers/pulse").by(&principal).send(&world.router).await.expect(StatusCode::FORBIDDEN);
}
