//! What a process says of itself at `/metrics`.

use std::net::SocketAddr;

use anyhow::Context as _;

use crate::world::{World, http};

/// The value of a metric of a service's first process, of the series whose labels contain `labels`; nothing while there is none.
pub(super) async fn metric(world: &World, service: &str, name: &str, labels: &str) -> anyhow::Result<Option<f64>> {
    metric_at(world.stack().settings(service).second, name, labels).await
}

/// The same of the process whose operations are served there.
pub(super) async fn metric_at(operations: SocketAddr, name: &str, labels: &str) -> anyhow::Result<Option<f64>> {
    let text = http::client(false)?.get(format!("http://{operations}/metrics")).send().await?.text().await?;
    let series = text.lines().find(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(labels)
    });
    let value = series.and_then(|line| line.rsplit(' ').next());
    value.map(|value| value.parse().with_context(|| format!("{name} is no number: {value}"))).transpose()
}
