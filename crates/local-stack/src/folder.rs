//! Folders: created, closed to others, handed to the user that PostgreSQL runs as.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::Error;

/// The user that a program runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunAs {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Creates a folder with its parents.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(Error::file("creating", path))
}

/// Creates a folder that only its owner can look into.
pub(crate) fn create_private(path: &Path) -> Result<(), Error> {
    create(path)?;
    restrict(path, 0o700)
}

/// Sets the mode of a file or folder.
pub(crate) fn restrict(path: &Path, mode: u32) -> Result<(), Error> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(Error::file("restricting", path))
}

/// Gives a file or folder to another user.
pub(crate) fn give(path: &Path, to: RunAs) -> Result<(), Error> {
    std::os::unix::fs::chown(path, Some(to.uid), Some(to.gid)).map_err(Error::file("changing the owner of", path))
}

/// The user that PostgreSQL must run as: `None` is ourselves, `postgres` when we are root.
pub(crate) fn postgres_user() -> Result<Option<RunAs>, Error> {
    let own = Path::new("/proc/self");
    let uid = std::fs::metadata(own).map_err(Error::file("looking at", own))?.uid();
    if uid != 0 {
        return Ok(None);
    }
    let users = Path::new("/etc/passwd");
    let text = std::fs::read_to_string(users).map_err(Error::file("reading", users))?;
    user_of(&text, "postgres").map(Some).ok_or(Error::NoPostgresUser)
}

fn user_of(passwd: &str, name: &str) -> Option<RunAs> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        Some(RunAs { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
    })
}

/// The folder for PostgreSQL's data, created: the wished one, or, when another user could not reach it there
/// (a checkout of root's under /root), one below /var/tmp named after the wished one.
pub(crate) fn for_postgres(wished: &Path, user: Option<RunAs>) -> Result<PathBuf, Error> {
    create(wished)?;
    let wished = wished.canonicalize().map_err(Error::file("resolving", wished))?;
    let Some(user) = user else {
        restrict(&wished, 0o700)?;
        return Ok(wished);
    };
    let folder = if reachable(&wished, user)? {
        wished
    } else {
        let other = PathBuf::from(format!("/var/tmp/dudao-{:016x}", fnv(wished.as_os_str().as_encoded_bytes())));
        tracing::warn!(wished = %wished.display(), taken = %other.display(), "the user postgres cannot reach the folder");
        create(&other)?;
        other
    };
    give(&folder, user)?;
    restrict(&folder, 0o700)?;
    Ok(folder)
}

/// A folder that PostgreSQL can reach and write into, created: the wished one, or one below /var/tmp in its place. For what
/// lies beside its data: an archive of its log, a copy.
pub fn for_server(wished: &Path) -> Result<PathBuf, Error> {
    for_postgres(wished, postgres_user()?)
}

/// A folder in the machine's temporary one that is gone when it is dropped: for tests with servers of their own.
#[derive(Debug)]
pub struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// Creates it; the name, and this process, tell it from others.
    pub fn new(name: &str) -> Result<Self, Error> {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        create(&path)?;
        // The user postgres has to pass through, whatever the umask.
        restrict(&path, 0o755)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether the user may pass through every folder above this one.
fn reachable(folder: &Path, user: RunAs) -> Result<bool, Error> {
    for parent in folder.ancestors().skip(1) {
        let metadata = std::fs::metadata(parent).map_err(Error::file("looking at", parent))?;
        let bit = match (metadata.uid() == user.uid, metadata.gid() == user.gid) {
            (true, _) => 0o100,
            (false, true) => 0o010,
            (false, false) => 0o001,
        };
        if metadata.mode() & bit == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// FNV-1a: a name that stays the same from run to run and from compiler to compiler.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres2:x:9:9::/:/bin/sh\npostgres:x:104:111:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(user_of(passwd, "postgres"), Some(RunAs { uid: 104, gid: 111 }));
        assert_eq!(user_of(passwd, "nobody"), None);
    }

    #[test]
    fn a_closed_folder_above_is_noticed() {
        let base = std::env::temp_dir().join(format!("local-stack-reach-{}", std::process::id()));
        let inner = base.join("inner");
        create(&inner).unwrap();
        let stranger = RunAs { uid: 65_000, gid: 65_000 };
        restrict(&base, 0o755).unwrap();
        assert!(reachable(&inner, stranger).unwrap());
        restrict(&base, 0o700).unwrap();
        assert!(!reachable(&inner, stranger).unwrap());
        std::fs::remove_dir_all(&base).unwrap();
    }
}
