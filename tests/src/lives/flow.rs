//! Which consumer wants which events, written down from the sources of the services, and what each journal and inbox holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::World;
use uuid::Uuid;

use super::people;

/// A durable consumer.
#[derive(Debug)]
pub struct Consumer {
    /// The service that it belongs to.
    pub service: &'static str,
    /// Its durable name.
    pub name: &'static str,
    /// The event types that it wants.
    pub wants: &'static [&'static str],
}

/// Everything that reporting and publication follow of a rectification.
const RECTIFICATION: &[&str] = &[
    "deadlines.rectification.opened.v1",
    "deadlines.item.reported.v1",
    "deadlines.item.returned.v1",
    "deadlines.item.verified.v1",
    "deadlines.item.closed.v1",
    "deadlines.rectification.closed.v1",
    "deadlines.reminder.due.v1",
    "deadlines.item.overdue.v1",
    "deadlines.verification.overdue.v1",
    "deadlines.urging_order.issued.v1",
    "deadlines.step.proposed.v1",
    "deadlines.rectification.changed.v1",
];

/// Every consumer of the system.
pub const CONSUMERS: &[Consumer] = &[
    Consumer {
        service: "tasks",
        name: "tasks-registry",
        wants: &[
            "registry.area.recorded.v1",
            "registry.unit.recorded.v1",
            "registry.inspector.recorded.v1",
            "registry.account.recorded.v1",
            "registry.area.merged.v1",
        ],
    },
    Consumer { service: "tasks", name: "tasks-receipts", wants: &["notifications.receipt.signed.v1"] },
    Consumer {
        service: "tasks",
        name: "tasks-assignments",
        wants: &[
            "deadlines.step.proposed.v1",
            "deadlines.rectification.changed.v1",
            "deadlines.rectification.closed.v1",
        ],
    },
    Consumer {
        service: "deadlines",
        name: "deadlines-intake",
        wants: &[
            "registry.unit.recorded.v1",
            "registry.area.merged.v1",
            "tasks.letter.issued.v1",
            "notifications.receipt.signed.v1",
        ],
    },
    Consumer {
        service: "notifications",
        name: "notifications-directory",
        wants: &["registry.account.recorded.v1", "registry.unit.recorded.v1", "registry.area.merged.v1"],
    },
    Consumer {
        service: "notifications",
        name: "notifications-matters",
        wants: &[
            "tasks.case.notified.v1",
            "tasks.case.fed_back.v1",
            "tasks.letter.issued.v1",
            "deadlines.rectification.opened.v1",
            "deadlines.item.reported.v1",
            "deadlines.item.returned.v1",
            "deadlines.item.verified.v1",
            "deadlines.item.closed.v1",
            "deadlines.rectification.closed.v1",
            "deadlines.reminder.due.v1",
            "deadlines.urging_order.issued.v1",
            "deadlines.step.proposed.v1",
            "deadlines.verification.overdue.v1",
            "deadlines.rectification.changed.v1",
        ],
    },
    Consumer {
        service: "exchange",
        name: "exchange-facts",
        wants: &[
            "tasks.letter.issued.v1",
            "deadlines.rectification.opened.v1",
            "deadlines.urging_order.issued.v1",
            "deadlines.rectification.closed.v1",
            "registry.area.merged.v1",
        ],
    },
    Consumer { service: "reporting", name: "reporting-rectifications", wants: RECTIFICATION },
    Consumer { service: "reporting", name: "reporting-areas", wants: &["registry.area.recorded.v1"] },
    Consumer { service: "reporting", name: "reporting-pages", wants: &["publication.page.published.v1"] },
    Consumer { service: "publication", name: "publication-rectifications", wants: RECTIFICATION },
    Consumer {
        service: "publication",
        name: "publication-documents",
        wants: &[
            "tasks.document.issued.v1",
            "tasks.document.voided.v1",
            "deadlines.document.issued.v1",
            "deadlines.document.voided.v1",
            "deadlines.urging_order.issued.v1",
            "registry.area.merged.v1",
        ],
    },
];

/// The services with a journal.
pub const JOURNALS: [&str; 7] =
    ["registry", "tasks", "deadlines", "notifications", "exchange", "reporting", "publication"];

/// The identifiers of all journalled events by type.
pub async fn journalled(world: &World) -> anyhow::Result<BTreeMap<String, BTreeSet<Uuid>>> {
    let mut events: BTreeMap<String, BTreeSet<Uuid>> = BTreeMap::new();
    for service in JOURNALS {
        let database = people::connect(world, service).await?;
        let rows: Vec<(String, Uuid)> =
            sqlx::query_as("SELECT event_type, event_id FROM messaging.journal").fetch_all(database.pool()).await?;
        for (event_type, event_id) in rows {
            events.entry(event_type).or_default().insert(event_id);
        }
        database.pool().close().await;
    }
    Ok(events)
}

impl Consumer {
    /// What it wants of these events.
    pub fn wanted(&self, events: &BTreeMap<String, BTreeSet<Uuid>>) -> BTreeSet<Uuid> {
        self.wants.iter().filter_map(|event_type| events.get(*event_type)).flatten().copied().collect()
    }

    /// What it has applied.
    pub async fn applied(&self, world: &World) -> anyhow::Result<BTreeSet<Uuid>> {
        let database = people::connect(world, self.service).await?;
        let ids: Vec<Uuid> = sqlx::query_scalar("SELECT event_id FROM messaging.inbox WHERE consumer = $1")
            .bind(self.name)
            .fetch_all(database.pool())
            .await?;
        database.pool().close().await;
        Ok(ids.into_iter().collect())
    }
}
