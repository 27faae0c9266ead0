//! Making keys.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use messaging::JournalKey;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyPurpose {
    /// Signs a service's journal, or what `exchange` sends: Ed25519, PKCS#8 in hexadecimal.
    Journal,
    /// Signs the tokens of `registry`: Ed25519, PEM.
    Token,
}

/// Why no key was made or read.
#[derive(Debug, thiserror::Error)]
pub enum MakeKeyError {
    /// The machine gave no randomness, or the key cannot be read back.
    #[error("the key could not be made")]
    Journal(#[from] messaging::KeyError),
    /// Likewise, for a token key.
    #[error("the key could not be made")]
    Token(#[from] access::KeyError),
    /// The file exists already, or cannot be written. A key is never written over.
    #[error("cannot write {0}")]
    File(PathBuf, #[source] std::io::Error),
    /// The private key cannot be read.
    #[error("cannot read the private key")]
    Input(#[source] std::io::Error),
}

/// The two texts of a new key: private, public.
pub fn texts(purpose: KeyPurpose) -> Result<(String, String), MakeKeyError> {
    match purpose {
        KeyPurpose::Journal => {
            let private = JournalKey::generate()?;
            let public = JournalKey::from_bytes(private.as_bytes())?.public().to_hex();
            Ok((private, public))
        }
        KeyPurpose::Token => {
            let pair = access::KeyPair::try_generate()?;
            Ok((pair.private_pem, pair.public_pem))
        }
    }
}

/// Makes a key: the private half in `path` (mode 600), the public half beside it with the ending `.pub`.
pub fn make(purpose: KeyPurpose, path: &Path) -> Result<PathBuf, MakeKeyError> {
    let (private, public) = texts(purpose)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    let beside = PathBuf::from(name);
    write(path, &private, 0o600)?;
    write(&beside, &public, 0o644)?;
    Ok(beside)
}

/// The public half of a journal key, read from a file, or from standard input without one.
pub fn public(path: Option<&Path>) -> Result<String, MakeKeyError> {
    let mut private = Vec::new();
    match path {
        Some(path) => private = std::fs::read(path).map_err(MakeKeyError::Input)?,
        None => {
            std::io::stdin().lock().read_to_end(&mut private).map_err(MakeKeyError::Input)?;
        }
    }
    Ok(JournalKey::from_bytes(&private)?.public().to_hex())
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), MakeKeyError> {
    let done = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.trim_end().as_bytes()).and_then(|()| file.write_all(b"\n")));
    done.map_err(|error| MakeKeyError::File(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_private_fits_its_public_half_and_is_never_written_over() {
        let folder = std::env::temp_dir().join(format!("dudao-keys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("tasks.key");
        let beside = make(KeyPurpose::Journal, &path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let key = JournalKey::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(std::fs::read_to_string(&beside).unwrap().trim(), key.public().to_hex());
        assert_eq!(public(Some(&path)).unwrap(), key.public().to_hex());
        assert!(matches!(public(Some(&beside)), Err(MakeKeyError::Journal(_))), "a public half has no other");
        assert!(matches!(make(KeyPurpose::Journal, &path), Err(MakeKeyError::File(..))));
        let kept = JournalKey::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(kept.public(), key.public());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
