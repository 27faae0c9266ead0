//! The conditions of readiness of a service with a database.

use std::sync::Arc;

use postgres::Database;
use problem::Text;
use sqlx::migrate::Migrator;

use crate::Kit;
use crate::clock::Clock;
use crate::health::Check;

/// Largest difference between the clocks of the machine and of the database, in seconds.
const CLOCK_LIMIT_SECONDS: f64 = 5.0;

/// The conditions of readiness that every service with a database has.
pub(crate) fn of_service(kit: &Kit, own: &'static Migrator, allow_rehearsal: bool) -> Vec<Check> {
    let (for_database, for_migrations, for_clock) = (kit.database.clone(), kit.database.clone(), kit.database.clone());
    let (broker, clock) = (kit.broker.clone(), Arc::clone(&kit.clock));
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
            let (database, clock) = (for_clock.clone(), Arc::clone(&clock));
            async move { clocks_agree(&database, clock.as_ref(), allow_rehearsal).await }
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

async fn clocks_agree(database: &Database, clock: &dyn Clock, allow_rehearsal: bool) -> Result<Text, Text> {
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
    let theirs = sqlx::query_scalar::<_, f64>("SELECT extract(epoch FROM clock_timestamp())::float8")
        .fetch_one(database.pool())
        .await
        .map_err(unknown)?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century are far below 2^53")]
    let ours = clock.now().as_millisecond() as f64 / 1000.0;
    let apart = (ours - theirs).abs();
    if apart > CLOCK_LIMIT_SECONDS {
        return Err(Text::new(
            format!("本机与数据库的时间相差 {apart:.1} 秒"),
            format!("the clocks of this machine and of the database are {apart:.1} seconds apart"),
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
