//! Standard Webhooks signatures (symmetric, `v1`): HMAC-SHA256 over `id.timestamp.body`. While a key is being changed, two are
//! live and both sign, so that the receiver may change over when it likes.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

const PREFIX: &str = "whsec_";

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a webhook key is whsec_ and 24 to 64 bytes in Base64")]
pub struct BadKey;

/// A signing key; its content is never shown.
#[derive(Clone)]
pub struct WebhookKey(hmac::Key);

impl std::fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookKey(hidden)")
    }
}

impl WebhookKey {
    /// Reads `whsec_…`.
    pub fn try_new(text: &str) -> Result<Self, BadKey> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX).ok_or(BadKey)?).map_err(|_| BadKey)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(BadKey);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

/// The value of `webhook-signature`: one signature for each live key.
pub fn header(keys: &[WebhookKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    keys.iter().map(|key| key.sign(id, timestamp, body)).collect::<Vec<_>>().join(" ")
}

/// DingTalk's signature of a robot's call (加签): HMAC-SHA256 over the time in milliseconds and the secret, in Base64.
pub fn dingtalk(secret: &str, milliseconds: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{milliseconds}\n{secret}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    #[test]
    fn the_vector_of_the_specification() {
        let key = WebhookKey::try_new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(header(&[key], ID, 1_614_265_330, BODY), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_live_keys_sign_both() {
        let old = WebhookKey::try_new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let new = WebhookKey::try_new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let both = header(&[old.clone(), new.clone()], ID, 1, BODY);
        assert_eq!(both, format!("{} {}", header(&[old], ID, 1, BODY), header(&[new], ID, 1, BODY)));
        assert_eq!(both.split(' ').count(), 2);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_!", "whsec_AAAA"] {
            assert!(WebhookKey::try_new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dingtalk_signs_time_and_secret() {
        // Computed with another implementation of HMAC-SHA256.
        assert_eq!(dingtalk("SECtest", 1_700_000_000_000), "aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g=");
    }
}
