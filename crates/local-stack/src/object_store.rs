//! An object store of our own (versitygw): S3 over a folder, with the conditional writes that files rely on.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, json};

use crate::{Certificate, Error, Process, Program, Ready, StopSignal, folder, free_port, secret};

/// The one bucket.
const BUCKET: &str = "evidence";

/// A key by which somebody may read and write the bucket.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its id.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

impl AccessKey {
    /// A new one.
    pub fn new(id: &str) -> Result<Self, Error> {
        Ok(Self { id: id.to_owned(), secret: secret::password()? })
    }
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).field("secret", &"[hidden]").finish()
    }
}

/// A running store, listening on 127.0.0.1 only.
#[derive(Debug)]
pub struct ObjectStore {
    process: Process,
    endpoint: String,
    folder: PathBuf,
}

impl ObjectStore {
    /// Starts the store on the folder's data and waits until it listens. With a certificate, clients have to come by TLS.
    pub async fn start(
        dir: &Path,
        binary: &Path,
        keys: &[AccessKey],
        certificate: Option<&Certificate>,
    ) -> Result<Self, Error> {
        if !binary.is_file() {
            return Err(Error::Missing {
                what: "versitygw",
                remedy: "run deploy/dev/install.sh test (it needs Go)".to_owned(),
            });
        }
        let (data, about) = (dir.join("data"), dir.join("about"));
        for folder in [dir, &dir.join("keys"), &data.join(BUCKET), &about] {
            folder::create_private(folder)?;
        }
        write_keys(dir, keys)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        // It wants an administrator as well; nobody is that one.
        let administrator =
            [("ROOT_ACCESS_KEY_ID", "nobody".to_owned()), ("ROOT_SECRET_ACCESS_KEY", secret::password()?)];
        let mut program = Program::new("object-store", binary, dir.join("object-store.log"), Ready::Listens(address))
            .environment(administrator.map(|(name, value)| (name.to_owned(), value)))
            .arguments(["--port", &address.to_string(), "--quiet", "--iam-cache-disable", "--iam-dir"])
            .arguments([dir.join("keys").as_os_str()])
            .stopped_by(StopSignal::Terminate, Duration::from_secs(10))
            .ready_within(Duration::from_secs(30));
        let mut scheme = "http";
        if let Some(certificate) = certificate {
            let (chain, key) = certificate.write(dir, None)?;
            program = program.arguments(["--cert".as_ref(), chain.as_os_str(), "--key".as_ref(), key.as_os_str()]);
            scheme = "https";
        }
        // What it notes about objects lies in files as well: not every file system has extended attributes.
        let program = program.arguments(["posix".as_ref(), "--sidecar".as_ref(), about.as_os_str(), data.as_os_str()]);
        let process = Process::spawn(program)?;
        process.ready().await?;
        let endpoint = format!("{scheme}://localhost:{}", address.port());
        Ok(Self { process, endpoint, folder: dir.to_owned() })
    }

    /// Its address, by the name `localhost`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The bucket that is there.
    pub fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// The store's process, to kill or restart it.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Changes the keys that open the bucket; from the next request on.
    pub fn set_keys(&self, keys: &[AccessKey]) -> Result<(), Error> {
        write_keys(&self.folder, keys)
    }

    /// Where the content of an object lies.
    pub fn object(&self, name: &str) -> PathBuf {
        self.folder.join("data").join(BUCKET).join(name)
    }
}

fn write_keys(dir: &Path, keys: &[AccessKey]) -> Result<(), Error> {
    let accounts: Map<_, _> = keys
        .iter()
        .map(|key| (key.id.clone(), json!({ "access": key.id, "secret": key.secret, "role": "admin" })))
        .collect();
    secret::write(&dir.join("keys/users.json"), &json!({ "accessAccounts": accounts }).to_string(), 0o600)
}
