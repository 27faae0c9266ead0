//! Where the servers' programs are.

use std::path::{Path, PathBuf};

use crate::Error;

/// The programs that a stack is made of, besides our own.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Folder with `initdb` and `postgres`.
    pub pg_bin: PathBuf,
    /// `nats-server`, 2.10 or newer.
    pub nats_server: PathBuf,
    /// `versitygw`; only tests of object stores need it.
    pub object_store: PathBuf,
}

impl Tools {
    /// Looks where deploy/dev/install.sh puts things: `PG_BIN` and `NATS_SERVER` of the environment first, else the newest
    /// PostgreSQL of Debian and the nats-server in `.tools` below the workspace. Errors name the remedy.
    #[expect(clippy::disallowed_methods, reason = "a tool of developers; the two variables are install.sh's interface")]
    pub fn find(workspace: &Path) -> Result<Self, Error> {
        let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let pg_bin = named("PG_BIN").or_else(|| newest_pg_bin(Path::new("/usr/lib/postgresql")));
        let pg_bin = pg_bin.filter(|folder| folder.join("initdb").is_file()).ok_or_else(|| Error::Missing {
            what: "PostgreSQL",
            remedy: "run deploy/dev/install.sh, or set PG_BIN to the folder of its programs".to_owned(),
        })?;
        let nats_server = named("NATS_SERVER").unwrap_or_else(|| workspace.join(".tools/venv/bin/nats-server"));
        if !nats_server.is_file() {
            return Err(Error::Missing {
                what: "nats-server",
                remedy: "run deploy/dev/install.sh, or set NATS_SERVER to version 2.10 or newer".to_owned(),
            });
        }
        Ok(Self { pg_bin, nats_server, object_store: workspace.join(".tools/bin/versitygw") })
    }
}

fn newest_pg_bin(base: &Path) -> Option<PathBuf> {
    std::fs::read_dir(base)
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max_by_key(|(version, _)| *version)
        .map(|(_, folder)| folder)
}

/// The root of the workspace that this crate was compiled in.
pub fn workspace_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let base = std::env::temp_dir().join(format!("local-stack-pg-{}", std::process::id()));
        for version in ["9", "15", "18", "common"] {
            std::fs::create_dir_all(base.join(version).join("bin")).unwrap();
        }
        for version in ["9", "15"] {
            std::fs::write(base.join(version).join("bin/initdb"), "").unwrap();
        }
        assert_eq!(newest_pg_bin(&base), Some(base.join("15/bin")), "18 has no initdb, and 15 is newer than 9");
        std::fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn the_workspace_has_a_manifest() {
        assert!(workspace_root().join("Cargo.toml").is_file());
    }
}
