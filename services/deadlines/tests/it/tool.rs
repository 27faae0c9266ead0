//! The operator's tool on the database of this service: the two agree on what the tables say.

use std::path::Path;
use std::str::FromStr as _;

use domain::severity::Severity;
use dudao::{DatabaseEntry, ServiceEntry};
use sqlx::postgres::PgConnectOptions;

use crate::support::World;

impl World {
    async fn entry(&self) -> ServiceEntry {
        #[expect(clippy::disallowed_methods, reason = "the test's own server")]
        let server = PgConnectOptions::from_str(&std::env::var("DATABASE_URL").unwrap()).unwrap();
        let name: String =
            sqlx::query_scalar("SELECT current_database()::text").fetch_one(self.database.pool()).await.unwrap();
        let password_file = std::env::temp_dir().join(format!("dudao-tool-{name}"));
        std::fs::write(&password_file, "unused").unwrap();
        ServiceEntry {
            name: "deadlines".to_owned(),
            operations: "http://127.0.0.1:1".to_owned(),
            journal_public_keys: Vec::new(),
            journal_public_keys_file: None,
            database: Some(DatabaseEntry {
                host: server.get_host().to_owned(),
                port: server.get_port(),
                name,
                user: server.get_username().to_owned(),
                password_file,
                authority_file: None,
            }),
        }
    }
}

#[tokio::test]
async fn the_tool_proves_explains_and_rehearses() {
    let world = World::new().await;
    world.database.set_clock("2026-02-06T03:00:00Z".parse().unwrap()).await;
    world.open(1, &[Severity::Minor, Severity::Major], "2026-02-06T02:00:00Z").await;
    let entry = world.entry().await;

    let proof = dudao::prove::prove(&entry).await.unwrap();
    assert!(proof.holds(), "{:?}", proof.findings);
    assert_eq!((proof.extent.open_cases, proof.extent.limits), (1, 2));

    let deadline: uuid::Uuid = sqlx::query_scalar("SELECT deadline_id FROM deadlines ORDER BY due_on LIMIT 1")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    let (kept, recomputed) = dudao::explain::explain(&entry, deadline).await.unwrap();
    assert!(recomputed.identical);
    assert_eq!((kept.round, recomputed.sheet.due_on.to_string().as_str()), (0, "2026-03-05"));
    assert!(dudao::explain::explain(&entry, uuid::Uuid::now_v7()).await.is_err());

    // What the tool foresees is what the clock then does.
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
    let report = dudao::rehearse::rehearse(&entry, &rules, 40).await.unwrap();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    let foreseen: u64 = report.months.iter().map(|month| month.notices.urging_orders).sum();
    assert_eq!(report.weeks[0].county, "海口市");
    for day in 0..40 {
        let instant = jiff::SignedDuration::from_hours(24 * day + 13);
        world.database.set_clock("2026-02-06T03:00:00Z".parse::<jiff::Timestamp>().unwrap() + instant).await;
        while world.firing().fire_batch().await.unwrap() > 0 {}
    }
    let issued: i64 =
        sqlx::query_scalar("SELECT count(*) FROM urging_orders").fetch_one(world.database.pool()).await.unwrap();
    assert_eq!((foreseen, issued), (2, 2));
}
