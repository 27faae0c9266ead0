//! Passwords and keys: made once, kept in files of mode 600, the same in the next run.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::Error;

/// A key as the two texts that go into files.
#[derive(Clone)]
pub struct KeyTexts {
    /// The private half; its file is readable by its owner alone.
    pub private: String,
    /// The public half.
    pub public: String,
}

impl std::fmt::Debug for KeyTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyTexts").field("private", &"[hidden]").field("public", &self.public).finish()
    }
}

/// Makes one key.
pub type MakeKey = fn() -> Result<KeyTexts, Box<dyn std::error::Error + Send + Sync>>;

/// How keys are made. The forms belong to the crates that read them (`messaging` for journals, `access` for tokens),
/// so the caller brings the makers.
#[derive(Debug, Clone, Copy)]
pub struct KeyMakers {
    /// The key with which a service signs its journal; one for each service with a database.
    pub journal: MakeKey,
    /// The key with which the registry signs tokens.
    pub token: MakeKey,
}

/// The content of the file; when there is none, it is made and written with mode 600.
pub(crate) fn kept(path: &Path, make: impl FnOnce() -> Result<String, Error>) -> Result<String, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text.trim_end().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::file("reading", path)(error)),
    }
    let text = make()?;
    write(path, &text, 0o600)?;
    Ok(text.trim_end().to_owned())
}

/// Writes a file whose mode is right from the first moment, whole or not at all.
pub(crate) fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let unfinished = path.with_extension("unfinished");
    let result = (|| {
        // One left by an interrupted run would keep its mode.
        match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(&unfinished, path)
    })();
    result.map_err(Error::file("writing", path))
}

/// The two files of a key, made together when the private one does not exist yet.
pub(crate) fn kept_key(private: &Path, public: &Path, name: &str, make: MakeKey) -> Result<(), Error> {
    if private.exists() && public.exists() {
        return Ok(());
    }
    let texts = make().map_err(|source| Error::Key { name: name.to_owned(), source })?;
    write(public, &texts.public, 0o644)?;
    // Last, because its presence says that the pair is complete.
    write(private, &texts.private, 0o600)
}

/// A password of 192 random bits, as hexadecimal digits (so it needs no quoting anywhere).
pub(crate) fn password() -> Result<String, Error> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 24];
    std::fs::File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(Error::file("reading", source))?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let path = std::env::temp_dir().join(format!("local-stack-secret-{}", std::process::id()));
        let first = kept(&path, password).unwrap();
        assert_eq!(first.len(), 48);
        assert_eq!(kept(&path, password).unwrap(), first);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_file(&path).unwrap();
        assert_ne!(kept(&path, password).unwrap(), first);
        std::fs::remove_file(&path).unwrap();
    }
}
