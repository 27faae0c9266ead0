//! The rehearsal clock (演练时钟): a shift that the services' legal time adds to the database's clock.
//!
//! `rehearsal.clock` belongs to the superuser; a service's role may read it and nothing else, so no service can move
//! its own clock. In production the table does not exist, and legal time is the database's clock.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

use crate::{Error, Postgres};

/// Creates the table with its one row, not shifted. Repeating it changes nothing.
pub(crate) async fn create(superuser: &mut PgConnection) -> Result<(), Error> {
    let statements = "
        SET client_min_messages = warning;
        CREATE SCHEMA IF NOT EXISTS rehearsal;
        CREATE TABLE IF NOT EXISTS rehearsal.clock (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            shift interval NOT NULL
        );
        INSERT INTO rehearsal.clock (shift) VALUES ('0') ON CONFLICT DO NOTHING;
        RESET client_min_messages";
    sqlx::raw_sql(statements).execute(superuser).await.map_err(Error::database("creating the rehearsal clock"))?;
    Ok(())
}

/// Moves the clock of one database forward.
pub(crate) async fn advance(server: &Postgres, database: &str, by: Duration) -> Result<(), Error> {
    let mut connection = server.connect(database).await?;
    // Exact up to 285 years: below 2^53 a double holds every whole microsecond.
    let microseconds = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    sqlx::query("UPDATE rehearsal.clock SET shift = shift + $1::bigint::double precision * interval '1 microsecond'")
        .bind(microseconds)
        .execute(&mut connection)
        .await
        .map_err(Error::database("moving the rehearsal clock"))?;
    connection.close().await.map_err(Error::database("closing the connection"))
}

/// How far the clock of one database is shifted.
pub(crate) async fn shift(server: &Postgres, database: &str) -> Result<Duration, Error> {
    let mut connection = server.connect(database).await?;
    let microseconds: i64 =
        sqlx::query_scalar("SELECT (extract(epoch FROM shift) * 1000000)::bigint FROM rehearsal.clock")
            .fetch_one(&mut connection)
            .await
            .map_err(Error::database("reading the rehearsal clock"))?;
    connection.close().await.map_err(Error::database("closing the connection"))?;
    Ok(Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)))
}
