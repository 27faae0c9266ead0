//! The conditions of readiness of a service with a database.

use std::sync::Arc;

use postgres::Database;
use problem::Text;
use sqlx::migrate::Migrator;

use crate::Kit;
use crate::clock_watch::{CLOCK_LIMIT, ClockWatch};
use crate::health::Check;

/// The conditions of readiness that every service with a database has.
pub(crate) fn of_service(kit: &Kit, own: &'static Migrator, allow_rehearsal: bool) -> Vec<Check> {
    let (for_database, for_migrations, for_clock) = (kit.database.clone(), kit.database.clone(), kit.database.clone());
    let (broker, watch) = (kit.broker.clone(), ClockWatch::new(kit.database.clone(), Arc::clone(&kit.clock)));
    vec![
        Check::new("database", move || {
            let database = for_database.clone();
            async move {
                match sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(database.pool()).await {
                    Ok(_) => Ok(Text::new("数据库连接正常", "the database answers")),
                    Err(error) => Err(Text::new(
                        format!("数据库无法访问：{error}"),
                        format!("the database does not answer: {error}"),
                    )),
                }
            }
        }),
        Check::new("migrations", move || {
            let database = for_migrations.clone();
            async move { migrations_applied(&database, own).await }
        }),
        Check::new("broker", move || {
            let (connected, trouble) = (broker.is_connected(), broker.trouble().unwrap_or_default());
            async move {
                if connected {
                    Ok(Text::new("消息服务连接正常", "the broker is connected"))
                } else {
                    Err(Text::new(
                        format!("消息服务未连接，正在重连：{trouble}"),
                        format!("the broker is not connected; reconnecting: {trouble}"),
                    ))
                }
            }
        }),
        Check::new("clock", move || {
            let (database, watch) = (for_clock.clone(), watch.clone());
            async move { clocks_agree(&database, &watch, allow_rehearsal).await }
        }),
    ]
}

async fn migrations_applied(database: &Database, own: &Migrator) -> Result<Text, Text> {
    let unknown = |error: sqlx::Error| {
        Text::new(format!("无法读取迁移记录：{error}"), format!("the migrations cannot be read: {error}"))
    };
    let applied = |statement: &'static str| async move {
        sqlx::query_scalar::<_, i64>(statement).fetch_all(database.pool()).await
    };
    let messaging = applied("SELECT version FROM messaging._sqlx_migrations WHERE success").await.map_err(unknown)?;
    let service = applied("SELECT version FROM _sqlx_migrations WHERE success").await.map_err(unknown)?;
    let missing = |migrator: &Migrator, applied: &[i64]| {
        migrator
            .iter()
            .filter(|migration| !migration.migration_type.is_down_migration() && !applied.contains(&migration.version))
            .count()
    };
    let missing = missing(&messaging::MIGRATOR, &messaging) + missing(own, &service);
    if missing == 0 {
        Ok(Text::new("数据库结构为最新", "all migrations are applied"))
    } else {
        Err(Text::new(format!("有 {missing} 个数据库迁移尚未执行"), format!("{missing} migrations are not applied")))
    }
}

async fn clocks_agree(database: &Database, watch: &ClockWatch, allow_rehearsal: bool) -> Result<Text, Text> {
    let unknown = |error: sqlx::Error| {
        Text::new(format!("无法读取数据库时间：{error}"), format!("the database's clock cannot be read: {error}"))
    };
    let moved = rehearsal_clock_exists(database).await.map_err(unknown)?;
    if moved && !allow_rehearsal {
        return Err(Text::new(
            "数据库存在演练时钟，但配置不允许",
            "the database has a rehearsal clock, which the configuration does not allow",
        ));
    }
    let offset = watch.offset().await.map_err(unknown)?;
    if offset.abs() > CLOCK_LIMIT {
        let seconds = offset.as_secs_f64();
        return Err(Text::new(
            format!("本机时钟比数据库时钟快 {seconds:.1} 秒（负数为慢）；请校准本机或数据库所在节点的时钟（NTP）"),
            format!(
                "this machine's clock is {seconds:+.1} s ahead of the database's; set the clock of this node or of the database's by NTP"
            ),
        ));
    }
    if moved {
        Ok(Text::new("演练时钟生效中", "a rehearsal clock is in force"))
    } else {
        Ok(Text::new("时钟一致", "the clocks agree"))
    }
}

/// Refuses to start on a moved clock that the configuration does not allow.
pub(crate) async fn refuse_moved_clock(database: &Database, allowed: bool) -> anyhow::Result<()> {
    if !allowed && rehearsal_clock_exists(database).await? {
        anyhow::bail!(
            "the database has a rehearsal clock and clock.allow_rehearsal is false; \
             legal time would not be real: remove schema rehearsal or allow it for a demonstration"
        );
    }
    Ok(())
}

async fn rehearsal_clock_exists(database: &Database) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT to_regclass('rehearsal.clock') IS NOT NULL").fetch_one(database.pool()).await
}
