//! Making key pairs, for installations and tests.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::KeyError;

/// What precedes the 32 bytes of an Ed25519 public key in its DER form (RFC 8410).
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 key pair as PEM texts (密钥对): the private one for the registry alone, the public one
/// for every service. The same form as `openssl genpkey -algorithm ed25519`.
#[derive(Clone)]
pub struct KeyPair {
    /// PKCS #8; write it to a file that only the registry reads.
    pub private_pem: String,
    /// SubjectPublicKeyInfo.
    pub public_pem: String,
}

impl KeyPair {
    /// A new pair from the machine's source of randomness.
    pub fn try_generate() -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Generate)?;
        let private = pair.to_pkcs8v1().map_err(|_| KeyError::Generate)?;
        let mut public = PUBLIC_PREFIX.to_vec();
        public.extend_from_slice(pair.public_key().as_ref());
        Ok(Self { private_pem: pem("PRIVATE KEY", private.as_ref()), public_pem: pem("PUBLIC KEY", &public) })
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPair").field("private_pem", &"[hidden]").field("public_pem", &self.public_pem).finish()
    }
}

/// The armour of RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    // An Ed25519 key of either kind is at most 64 characters long, one line of PEM.
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
