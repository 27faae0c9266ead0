//! HTTP message signatures (RFC 9421) with Ed25519, and `Content-Digest` (RFC 9530) with SHA-256.
//!
//! Only what an exchange between two known partners needs: one signature a request, components without parameters,
//! a fixed list of components that must be covered. Both sides use it: the sender here, the receiver in the simulator
//! of the national platform. The examples of the RFC are the tests.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Uri};
use messaging::{JournalKey, JournalPublicKey};
use sha2::{Digest as _, Sha256};

/// Name of our signature in the two headers.
pub const LABEL: &str = "dudao";

/// What every signature must cover.
pub const COVERED: [&str; 7] =
    ["@method", "@target-uri", "content-digest", "content-type", "idempotency-key", "dudao-case", "dudao-sequence"];

/// Why a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing or cannot be read.
    #[error("the header {0} is missing or malformed")]
    Header(&'static str),
    /// A component that must be covered is not.
    #[error("the signature does not cover {0:?}")]
    NotCovered(&'static str),
    /// A component has no value in this request, or is not supported.
    #[error("the component {0:?} has no value")]
    NoValue(String),
    /// The moment of signing is missing or too far from now.
    #[error("the signature was made too long ago, or in the future")]
    Stale,
    /// Nobody knows the key.
    #[error("the key {0:?} is not known")]
    UnknownKey(String),
    /// The signature does not fit the request.
    #[error("the signature does not fit the request")]
    Wrong,
    /// The body is not the one that the digest was made of.
    #[error("the content digest does not fit the body")]
    Digest,
}

/// The parts of a request that can be signed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The absolute address.
    pub target_uri: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// The two headers of a signature: `Signature-Input` and `Signature`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHeaders {
    /// `dudao=("@method" …);created=…;keyid="…"`.
    pub input: String,
    /// `dudao=:…:`.
    pub signature: String,
}

/// `Content-Digest` of a body.
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

/// Whether the `Content-Digest` of a request fits its body; other algorithms beside SHA-256 are passed over.
pub fn check_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureError> {
    let header = single(headers, "content-digest")?;
    let found = header.split(',').any(|member| member.trim() == content_digest(body));
    if found { Ok(()) } else { Err(SignatureError::Digest) }
}

/// Signs a request; its headers must be complete.
pub fn sign(key: &JournalKey, request: Request<'_>, created: i64) -> Result<SignatureHeaders, SignatureError> {
    sign_components(key, request, &COVERED, created, LABEL, key.id())
}

fn sign_components(
    key: &JournalKey,
    request: Request<'_>,
    components: &[&str],
    created: i64,
    label: &str,
    key_id: &str,
) -> Result<SignatureHeaders, SignatureError> {
    let quoted: Vec<String> = components.iter().map(|name| format!("\"{name}\"")).collect();
    let params = format!("({});created={created};keyid=\"{key_id}\"", quoted.join(" "));
    let base = base(request, components, &params)?;
    let signature = STANDARD.encode(key.sign(base.as_bytes()));
    Ok(SignatureHeaders { input: format!("{label}={params}"), signature: format!("{label}=:{signature}:") })
}

/// Checks the signature of a request and says whose it is.
///
/// `now` and `created` are seconds since 1970; `tolerance` is the longest distance between them in seconds.
pub fn verify<'k>(
    key_of: impl Fn(&str) -> Option<&'k JournalPublicKey>,
    request: Request<'_>,
    now: i64,
    tolerance: i64,
) -> Result<String, SignatureError> {
    let input = Input::parse(single(request.headers, "signature-input")?, LABEL)
        .ok_or(SignatureError::Header("signature-input"))?;
    if let Some(missing) = COVERED.into_iter().find(|name| !input.components.contains(name)) {
        return Err(SignatureError::NotCovered(missing));
    }
    if input.created.is_none_or(|created| now.abs_diff(created) > tolerance.unsigned_abs()) {
        return Err(SignatureError::Stale);
    }
    let key_id = input.key_id.ok_or(SignatureError::Header("signature-input"))?;
    let key = key_of(key_id).ok_or_else(|| SignatureError::UnknownKey(key_id.to_owned()))?;
    let signature = signature_bytes(single(request.headers, "signature")?, LABEL)?;
    let base = base(request, &input.components, input.params)?;
    if key.verifies(base.as_bytes(), &signature) { Ok(key_id.to_owned()) } else { Err(SignatureError::Wrong) }
}

/// The text that is signed (section 2.5).
fn base(request: Request<'_>, components: &[&str], params: &str) -> Result<String, SignatureError> {
    let mut text = String::new();
    for name in components {
        let value = component(request, name).ok_or_else(|| SignatureError::NoValue((*name).to_owned()))?;
        let _ = writeln!(text, "\"{name}\": {value}");
    }
    let _ = write!(text, "\"@signature-params\": {params}");
    Ok(text)
}

/// The value of a component (sections 2.1 and 2.2).
fn component(request: Request<'_>, name: &str) -> Option<String> {
    let uri = || request.target_uri.parse::<Uri>().ok();
    match name {
        "@method" => Some(request.method.to_owned()),
        "@target-uri" => Some(request.target_uri.to_owned()),
        "@authority" => Some(uri()?.authority()?.as_str().to_lowercase()),
        "@path" => Some(uri()?.path().to_owned()),
        derived if derived.starts_with('@') => None,
        header => {
            let mut values = Vec::new();
            for value in request.headers.get_all(header) {
                values.push(value.to_str().ok()?.trim().to_owned());
            }
            (!values.is_empty()).then(|| values.join(", "))
        }
    }
}

fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, SignatureError> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or(SignatureError::Header(name))
}

fn signature_bytes(header: &str, label: &str) -> Result<Vec<u8>, SignatureError> {
    header
        .split(',')
        .find_map(|member| member.trim().strip_prefix(label)?.strip_prefix("=:")?.strip_suffix(':'))
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or(SignatureError::Header("signature"))
}

/// One member of `Signature-Input`.
struct Input<'a> {
    /// As received: it is signed too.
    params: &'a str,
    components: Vec<&'a str>,
    created: Option<i64>,
    key_id: Option<&'a str>,
}

impl<'a> Input<'a> {
    /// Reads `label=("a" "b");created=1;keyid="k"`; other members of the dictionary are not expected.
    fn parse(header: &'a str, label: &str) -> Option<Self> {
        let params = header.trim().strip_prefix(label)?.strip_prefix('=')?;
        let (list, rest) = params.strip_prefix('(')?.split_once(')')?;
        let mut components = Vec::new();
        for item in list.split(' ').filter(|item| !item.is_empty()) {
            components.push(item.strip_prefix('"')?.strip_suffix('"')?);
        }
        let (mut created, mut key_id) = (None, None);
        for parameter in rest.split(';').skip(1) {
            let (name, value) = parameter.split_once('=')?;
            match name {
                "created" => created = Some(value.parse().ok()?),
                "keyid" => key_id = Some(value.strip_prefix('"')?.strip_suffix('"')?),
                // They are part of what is signed, but decide nothing here.
                _ => {}
            }
        }
        Some(Self { params, components, created, key_id })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    /// `test-key-ed25519` of RFC 9421 appendix B.1.4.
    fn rfc_key() -> JournalKey {
        let der = STANDARD.decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF").unwrap();
        JournalKey::from_bytes(&der).unwrap()
    }

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn the_key_of_the_rfc_is_read() {
        let der = STANDARD.decode("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").unwrap();
        assert_eq!(rfc_key().public().to_hex(), hex::encode(&der[12..]));
    }

    #[test]
    fn example_b_2_6_of_the_rfc_is_signed_to_the_byte() {
        let headers = headers(&[
            ("host", "example.com"),
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ]);
        let request =
            Request { method: "POST", target_uri: "https://example.com/foo?param=Value&Pet=dog", headers: &headers };
        let components = ["date", "@method", "@path", "@authority", "content-type", "content-length"];
        let made =
            sign_components(&rfc_key(), request, &components, 1_618_884_473, "sig-b26", "test-key-ed25519").unwrap();
        assert_eq!(
            made.input,
            "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
             ;created=1618884473;keyid=\"test-key-ed25519\""
        );
        assert_eq!(
            made.signature,
            "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
        );
    }

    #[test]
    fn the_digest_of_the_standard() {
        let body = br#"{"hello": "world"}"#;
        assert_eq!(content_digest(body), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
        let both =
            headers(&[("content-digest", "sha-512=:AAAA:, sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:")]);
        assert_eq!(check_digest(&both, body), Ok(()));
        assert_eq!(check_digest(&both, b"{}"), Err(SignatureError::Digest));
    }

    const ADDRESS: &str = "https://platform.example/v1/messages";

    fn signed() -> HeaderMap {
        let mut headers = headers(&[
            ("content-digest", &content_digest(b"{}")),
            ("content-type", "application/json"),
            ("idempotency-key", "0198"),
            ("dudao-case", "c"),
            ("dudao-sequence", "1"),
        ]);
        let request = Request { method: "POST", target_uri: ADDRESS, headers: &headers };
        let made = sign(&rfc_key(), request, 1_000).unwrap();
        headers.insert("signature-input", HeaderValue::from_str(&made.input).unwrap());
        headers.insert("signature", HeaderValue::from_str(&made.signature).unwrap());
        headers
    }

    fn verdict(headers: &HeaderMap, address: &str, now: i64) -> Result<String, SignatureError> {
        let public = rfc_key().public();
        let request = Request { method: "POST", target_uri: address, headers };
        verify(|id| (id == public.id()).then_some(&public), request, now, 300)
    }

    #[test]
    fn a_changed_component_an_old_moment_or_a_foreign_key_are_refused() {
        assert_eq!(verdict(&signed(), ADDRESS, 1_200), Ok(rfc_key().id().to_owned()));
        assert_eq!(verdict(&signed(), ADDRESS, 1_301), Err(SignatureError::Stale));
        assert_eq!(verdict(&signed(), ADDRESS, 699), Err(SignatureError::Stale));
        assert_eq!(verdict(&signed(), "https://platform.example/v1/other", 1_000), Err(SignatureError::Wrong));
        for (name, value) in [
            ("content-digest", content_digest(b"{ }")),
            ("dudao-sequence", "2".to_owned()),
            ("idempotency-key", "0199".to_owned()),
        ] {
            let mut changed = signed();
            changed.insert(name, HeaderValue::from_str(&value).unwrap());
            assert_eq!(verdict(&changed, ADDRESS, 1_000), Err(SignatureError::Wrong), "{name}");
        }
        let mut missing = signed();
        missing.remove("dudao-case");
        assert_eq!(verdict(&missing, ADDRESS, 1_000), Err(SignatureError::NoValue("dudao-case".to_owned())));
        let request = Request { method: "POST", target_uri: ADDRESS, headers: &signed() };
        assert!(matches!(verify(|_| None, request, 1_000, 300), Err(SignatureError::UnknownKey(_))));
    }

    #[test]
    fn a_signature_that_leaves_something_out_is_refused() {
        let mut headers = signed();
        let input = headers["signature-input"].to_str().unwrap().replace(" \"content-digest\"", "");
        headers.insert("signature-input", HeaderValue::from_str(&input).unwrap());
        assert_eq!(verdict(&headers, ADDRESS, 1_000), Err(SignatureError::NotCovered("content-digest")));
        headers.insert("signature-input", HeaderValue::from_static("dudao=("));
        assert_eq!(verdict(&headers, ADDRESS, 1_000), Err(SignatureError::Header("signature-input")));
    }
}
