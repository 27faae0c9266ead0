//! Certificates for servers of our own, and who signs them.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

use crate::folder::{self, RunAs};
use crate::{Error, secret};

/// A certificate with its private key, both PEM.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate, and those of authorities between it and the named one.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

impl Certificate {
    /// Writes both files into a folder; for the user that the server runs as.
    pub(crate) fn write(&self, folder: &Path, user: Option<RunAs>) -> Result<(PathBuf, PathBuf), Error> {
        let (chain, key) = (folder.join("server.crt"), folder.join("server.key"));
        for (path, text) in [(&chain, &self.chain), (&key, &self.key)] {
            secret::write(path, text, 0o600)?;
            if let Some(user) = user {
                folder::give(path, user)?;
            }
        }
        Ok((chain, key))
    }
}

/// An authority of our own, which signs servers' certificates.
#[derive(Debug)]
pub struct Authority {
    name: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new one.
    pub fn new(name: &str) -> Result<Self, Error> {
        let make = || {
            let mut params = CertificateParams::new(Vec::<String>::new())?;
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            CertifiedIssuer::self_signed(params, KeyPair::generate()?)
        };
        Ok(Self { name: name.to_owned(), issuer: make().map_err(|error| failed(name, error))? })
    }

    /// A certificate for a server of that host name or address.
    pub fn certificate(&self, host: &str) -> Result<Certificate, Error> {
        let make = || {
            let key = KeyPair::generate()?;
            let signed = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &self.issuer)?;
            Ok(Certificate { chain: signed.pem(), key: key.serialize_pem() })
        };
        make().map_err(|error| failed(host, error))
    }

    /// Writes its own certificate (PEM) into a folder, for whoever shall believe it: `<name>.crt`.
    pub fn file(&self, folder: &Path) -> Result<PathBuf, Error> {
        let path = folder.join(&self.name).with_extension("crt");
        secret::write(&path, &self.issuer.pem(), 0o644)?;
        Ok(path)
    }
}

fn failed(name: &str, error: rcgen::Error) -> Error {
    Error::Key { name: name.to_owned(), source: Box::new(error) }
}
