//! The Ed25519 key that signs a service's journal, and its public half.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// Why a key could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file does not hold a PKCS#8 Ed25519 private key.
    #[error("not an Ed25519 private key in PKCS#8 form; make one with `dudao key new`")]
    NotAKey,
    /// The text is no hexadecimal Ed25519 public key.
    #[error("not an Ed25519 public key (64 hexadecimal digits)")]
    NotAPublicKey,
}

/// Private key of one service's journal.
#[derive(Debug)]
pub struct JournalKey {
    pair: Ed25519KeyPair,
    id: String,
}

impl JournalKey {
    /// Reads a key from its PKCS#8 bytes (DER) or their hexadecimal text.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let decoded = std::str::from_utf8(bytes).ok().and_then(|text| hex::decode(text.trim()).ok());
        let pair = Ed25519KeyPair::from_pkcs8(decoded.as_deref().unwrap_or(bytes)).map_err(|_| KeyError::NotAKey)?;
        let id = key_id(pair.public_key().as_ref());
        Ok(Self { pair, id })
    }

    /// Makes a new key, as hexadecimal PKCS#8 text for a file.
    pub fn generate() -> Result<String, KeyError> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).map_err(|_| KeyError::NotAKey)?;
        Ok(hex::encode(document.as_ref()))
    }

    /// Short name of the key: the start of its public half's SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs a batch's link.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The public half.
    pub fn public(&self) -> JournalPublicKey {
        JournalPublicKey { bytes: self.pair.public_key().as_ref().to_vec(), id: self.id.clone() }
    }
}

/// Public key of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalPublicKey {
    bytes: Vec<u8>,
    id: String,
}

impl JournalPublicKey {
    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let bytes = hex::decode(text.trim()).ok().filter(|bytes| bytes.len() == 32).ok_or(KeyError::NotAPublicKey)?;
        let id = key_id(&bytes);
        Ok(Self { bytes, id })
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(&self.bytes)
    }

    /// Short name of the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// True when the signature is this key's over the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message, signature).is_ok()
    }
}

fn key_id(public: &[u8]) -> String {
    hex::encode(Sha256::digest(public)).chars().take(16).collect()
}
