//! A database and a role for each service. The one module that writes SQL from parts: DDL takes no parameters.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::{Error, Postgres, clock, secret};

/// How a service reaches its own database.
#[derive(Debug, Clone)]
pub struct DatabaseAccess {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database; it belongs to the role.
    pub name: String,
    /// Role.
    pub user: String,
    /// File with the role's password, mode 600.
    pub password_file: PathBuf,
}

/// Sees to it that the service's role and database exist, that its password is the file's, that no other service can
/// connect to it, and that its rehearsal clock exists. Repeating it changes nothing.
pub(crate) async fn ensure(server: &Postgres, service: &str, password_file: &Path) -> Result<DatabaseAccess, Error> {
    let name = database_name(service)?;
    let password = secret::kept(password_file, secret::password)?;
    // Both come into the text below; a password is hexadecimal unless somebody edited the file.
    if !password.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Error::Name(format!("the password in {}", password_file.display())));
    }
    let mut admin = server.connect("postgres").await?;
    let role_exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await
        .map_err(Error::database("looking for a role"))?;
    let verb = if role_exists { "ALTER" } else { "CREATE" };
    run(&mut admin, format!("{verb} ROLE \"{name}\" LOGIN PASSWORD '{password}'"), "creating a role").await?;
    let database_exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await
        .map_err(Error::database("looking for a database"))?;
    if !database_exists {
        run(&mut admin, format!("CREATE DATABASE \"{name}\" OWNER \"{name}\""), "creating a database").await?;
    }
    run(&mut admin, format!("REVOKE CONNECT ON DATABASE \"{name}\" FROM PUBLIC"), "closing a database").await?;
    admin.close().await.map_err(Error::database("closing the connection"))?;

    let mut inside = server.connect(&name).await?;
    clock::create(&mut inside).await?;
    let grants = [
        format!("GRANT USAGE ON SCHEMA rehearsal TO \"{name}\""),
        format!("GRANT SELECT ON rehearsal.clock TO \"{name}\""),
    ];
    for grant in grants {
        run(&mut inside, grant, "granting a look at the rehearsal clock").await?;
    }
    inside.close().await.map_err(Error::database("closing the connection"))?;
    Ok(DatabaseAccess {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        user: name.clone(),
        name,
        password_file: password_file.to_owned(),
    })
}

/// The name of a service's database and role.
pub(crate) fn database_name(service: &str) -> Result<String, Error> {
    let name = service.replace('-', "_");
    let starts_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let reads_well = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if starts_well && reads_well && name.len() <= 63 { Ok(name) } else { Err(Error::Name(service.to_owned())) }
}

async fn run(connection: &mut PgConnection, statement: String, action: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map_err(Error::database(action))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_databases() {
        assert_eq!(database_name("mail-sink").unwrap(), "mail_sink");
        for bad in ["", "1st", "Tasks", "a\"b", "a b", "a;b", "任务"] {
            assert!(matches!(database_name(bad), Err(Error::Name(_))), "{bad}");
        }
    }
}
