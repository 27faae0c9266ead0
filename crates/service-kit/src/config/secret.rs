//! Secrets come as paths of files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, de};

/// A secret that stands in a file: the configuration names the path, loading reads it.
///
/// `Debug` shows the path and never the content. A trailing line break of the file is not part of the secret.
#[derive(Clone)]
pub struct SecretFile {
    path: PathBuf,
    secret: Arc<SecretString>,
}

impl SecretFile {
    /// Reads the secret. An empty file is an error: an empty password is a mistake in a deployment.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "the file is empty"));
        }
        Ok(Self { path: path.to_owned(), secret: Arc::new(SecretString::from(text.to_owned())) })
    }

    /// The secret itself: to be handed on, never to be logged.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The file that it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretFile({}, hidden)", self.path.display())
    }
}

impl<'de> Deserialize<'de> for SecretFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = PathBuf::deserialize(deserializer)?;
        Self::read(&path).map_err(|error| de::Error::custom(format!("cannot read {}: {error}", path.display())))
    }
}
