//! Reading the services' databases, each as the service's own role.

use std::collections::BTreeMap;

use anyhow::Context as _;
use dudao::{DatabaseEntry, Installation};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

/// The databases by service.
#[derive(Debug)]
pub struct Databases(BTreeMap<String, PgPool>);

impl Databases {
    /// Connects when first asked.
    pub fn of(installation: &Installation) -> anyhow::Result<Self> {
        let mut pools = BTreeMap::new();
        for service in installation.journals() {
            let Some(entry) = &service.database else { continue };
            let pool = PgPoolOptions::new().max_connections(2).connect_lazy_with(options(entry)?);
            pools.insert(service.name.clone(), pool);
        }
        Ok(Self(pools))
    }

    /// Reads the passwords again, for connections that are made from now on.
    pub fn read_passwords(&self, installation: &Installation) -> anyhow::Result<()> {
        for service in installation.journals() {
            if let (Some(entry), Some(pool)) = (&service.database, self.0.get(&service.name)) {
                pool.set_connect_options(options(entry)?);
            }
        }
        Ok(())
    }

    /// The rows of a query as JSON objects. Parameters are texts; the query casts them.
    pub async fn rows(&self, service: &str, query: &str, parameters: &[&str]) -> anyhow::Result<Vec<Value>> {
        let pool = self.0.get(service).with_context(|| format!("{service} has no database"))?;
        // The queries stand in this program; nothing of them comes from outside.
        let text = format!("SELECT to_jsonb(q) FROM ({query}) q");
        let mut found = sqlx::query_scalar::<_, Value>(AssertSqlSafe(text));
        for parameter in parameters {
            found = found.bind(*parameter);
        }
        found.fetch_all(pool).await.with_context(|| format!("asking the database of {service}: {query}"))
    }

    /// The one value of a query with one row and one column, `NULL` when there is no row.
    pub async fn value(&self, service: &str, query: &str, parameters: &[&str]) -> anyhow::Result<Value> {
        let rows = self.rows(service, query, parameters).await?;
        let first = rows.into_iter().next().and_then(|row| match row {
            Value::Object(columns) => columns.into_iter().next().map(|(_, value)| value),
            other => Some(other),
        });
        Ok(first.unwrap_or(Value::Null))
    }

    /// A count.
    pub async fn count(&self, service: &str, query: &str, parameters: &[&str]) -> anyhow::Result<i64> {
        let value = self.value(service, query, parameters).await?;
        value.as_i64().with_context(|| format!("no number: {query}"))
    }
}

fn options(entry: &DatabaseEntry) -> anyhow::Result<PgConnectOptions> {
    let password = std::fs::read_to_string(&entry.password_file).context("reading a database password")?;
    Ok(PgConnectOptions::new()
        .host(&entry.host)
        .port(entry.port)
        .database(&entry.name)
        .username(&entry.user)
        .password(password.trim_end())
        .application_name("story"))
}
