//! Tokens that hold and tokens that do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use access::{Caller, Grant, KeyError, KeyPair, Role, TOKEN_LIFE, TokenError, TokenIssuer, TokenVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{AccountId, AreaId, PersonId, UnitId};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

fn now() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

fn caller() -> Caller {
    Caller {
        account_id: AccountId::new(Uuid::from_u128(1)),
        display_name: "海口市教育局督导室负责人".to_owned(),
        person_id: Some(PersonId::new(Uuid::from_u128(2))),
        unit_id: Some(UnitId::new(Uuid::from_u128(3))),
        grants: vec![Grant {
            role: Role::CountyOfficeAdmin,
            area_id: Some(AreaId::new(Uuid::from_u128(4))),
            unit_id: None,
        }],
    }
}

fn pair() -> (KeyPair, TokenIssuer, TokenVerifier) {
    let keys = KeyPair::try_generate().unwrap();
    let issuer = TokenIssuer::from_pem("k1", &keys.private_pem).unwrap();
    let verifier = TokenVerifier::from_pem("k1", &keys.public_pem).unwrap();
    (keys, issuer, verifier)
}

fn issue(issuer: &TokenIssuer) -> String {
    issuer.issue(&caller(), Uuid::from_u128(9), now()).unwrap().token
}

/// A token with a changed part, the signature kept.
fn tampered(token: &str, part: usize, change: impl Fn(&mut Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&parts[part]).unwrap()).unwrap();
    change(&mut value);
    parts[part] = URL_SAFE_NO_PAD.encode(value.to_string());
    parts.join(".")
}

#[test]
fn a_token_brings_the_caller_back() {
    let (_, issuer, verifier) = pair();
    assert_eq!(verifier.verify(&issue(&issuer), now()), Ok(caller()));
}

#[test]
fn a_token_ends_after_eight_hours_to_the_second() {
    let (_, issuer, verifier) = pair();
    let fresh = issuer.issue(&caller(), Uuid::from_u128(9), now()).unwrap();
    assert_eq!(fresh.expires_at, now() + TOKEN_LIFE);
    let last = fresh.expires_at - SignedDuration::from_secs(1);
    assert!(verifier.verify(&fresh.token, last).is_ok());
    assert_eq!(verifier.verify(&fresh.token, fresh.expires_at), Err(TokenError::Expired));
}

#[test]
fn a_token_from_the_future_is_refused_beyond_the_clock_skew() {
    let (_, issuer, verifier) = pair();
    let token = issue(&issuer);
    let before = |seconds| now() - SignedDuration::from_secs(seconds);
    assert!(verifier.verify(&token, before(60)).is_ok());
    assert_eq!(verifier.verify(&token, before(61)), Err(TokenError::WrongClaims));
}

#[test]
fn a_tampered_token_is_refused() {
    let (_, issuer, verifier) = pair();
    let token = issue(&issuer);
    let promoted = tampered(&token, 1, |claims| {
        claims["grants"] = json!([{"role": "province_office_admin"}]);
    });
    assert_eq!(verifier.verify(&promoted, now()), Err(TokenError::WrongSignature));
    let longer = tampered(&token, 1, |claims| claims["exp"] = json!(4_000_000_000_u64));
    assert_eq!(verifier.verify(&longer, now()), Err(TokenError::WrongSignature));
    let cut = token.rsplit_once('.').unwrap().0.to_owned() + ".";
    assert!(verifier.verify(&cut, now()).is_err());
    for garbage in ["", "a", "a.b.c", "..", &"x".repeat(100_000)] {
        assert_eq!(verifier.verify(garbage, now()), Err(TokenError::Malformed));
    }
}

#[test]
fn only_ed25519_is_accepted() {
    let (keys, issuer, verifier) = pair();
    let token = issue(&issuer);
    for alg in ["none", "HS512/../none"] {
        let none = tampered(&token, 0, |header| header["alg"] = json!(alg));
        assert_eq!(verifier.verify(&none, now()), Err(TokenError::Malformed), "{alg}");
    }
    // The classic confusion: the public key, known to all, used as a shared secret.
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("k1".to_owned());
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let secret = EncodingKey::from_secret(keys.public_pem.as_bytes());
    let forged = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
    assert_eq!(verifier.verify(&forged, now()), Err(TokenError::WrongAlgorithm));
}

#[test]
fn an_unknown_or_a_foreign_key_is_refused() {
    let (_, issuer, _) = pair();
    let (other_keys, _, other) = pair();
    assert_eq!(other.verify(&issue(&issuer), now()), Err(TokenError::WrongSignature), "same key id, other key");
    let renamed = TokenVerifier::from_pem("k2", &other_keys.public_pem).unwrap();
    assert_eq!(renamed.verify(&issue(&issuer), now()), Err(TokenError::UnknownKey));
    let (_, issuer, verifier) = pair();
    let nameless = tampered(&issue(&issuer), 0, |header| {
        header.as_object_mut().unwrap().remove("kid");
    });
    assert_eq!(verifier.verify(&nameless, now()), Err(TokenError::UnknownKey));
}

type Change<'a> = &'a dyn Fn(&mut Value);

#[test]
fn claims_of_another_system_or_of_another_shape_are_refused() {
    let (keys, issuer, verifier) = pair();
    let key = EncodingKey::from_ed_pem(keys.private_pem.as_bytes()).unwrap();
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some("k1".to_owned());
    let token = issue(&issuer);
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let signed = |change: Change<'_>| {
        let mut claims = claims.clone();
        change(&mut claims);
        let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        verifier.verify(&token, now())
    };
    assert!(signed(&|_| {}).is_ok(), "the unchanged claims hold");
    let wrong: [(&str, Change<'_>); 7] = [
        ("issuer", &|c| c["iss"] = json!("other")),
        ("audience", &|c| c["aud"] = json!("other")),
        ("no audience", &|c| {
            c.as_object_mut().unwrap().remove("aud");
        }),
        ("no end", &|c| {
            c.as_object_mut().unwrap().remove("exp");
        }),
        ("too long a life", &|c| c["exp"] = json!(c["iat"].as_i64().unwrap() + 8 * 3600 + 1)),
        ("unknown role", &|c| c["grants"] = json!([{"role": "emperor"}])),
        ("subject", &|c| c["sub"] = json!("somebody")),
    ];
    for (what, change) in wrong {
        assert_eq!(signed(change), Err(TokenError::WrongClaims), "{what}");
    }
}

/// A folder of its own below the target folder, empty.
fn folder(name: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn keys_rotate_without_a_restart() {
    let keys = folder("rotation");
    let (old_keys, new_keys) = (KeyPair::try_generate().unwrap(), KeyPair::try_generate().unwrap());
    let private = folder("rotation-private");
    std::fs::write(private.join("2026-01.pem"), &old_keys.private_pem).unwrap();
    let old = TokenIssuer::load(&private.join("2026-01.pem")).unwrap();
    let new = TokenIssuer::from_pem("2026-02", &new_keys.private_pem).unwrap();

    std::fs::write(keys.join("2026-01.pem"), &old_keys.public_pem).unwrap();
    std::fs::write(keys.join("README"), "not a key").unwrap();
    let verifier = TokenVerifier::load(&keys).unwrap();
    assert_eq!(verifier.kids(), ["2026-01"]);
    assert_eq!(verifier.verify(&issue(&new), now()), Err(TokenError::UnknownKey));

    // The new key arrives as a JWK set; both hold side by side.
    let jwks = serde_json::to_string(&new.jwks().unwrap()).unwrap();
    std::fs::write(keys.join("jwks.json"), jwks).unwrap();
    verifier.reload().unwrap();
    assert_eq!(verifier.verify(&issue(&old), now()), Ok(caller()));
    assert_eq!(verifier.verify(&issue(&new), now()), Ok(caller()));

    // A broken file changes nothing; a removed key ends.
    std::fs::write(keys.join("broken.pem"), "no key").unwrap();
    assert!(matches!(verifier.reload(), Err(KeyError::Unusable(_))));
    assert_eq!(verifier.kids(), ["2026-01", "2026-02"]);
    std::fs::remove_file(keys.join("broken.pem")).unwrap();
    std::fs::remove_file(keys.join("2026-01.pem")).unwrap();
    verifier.reload().unwrap();
    assert_eq!(verifier.verify(&issue(&old), now()), Err(TokenError::UnknownKey));
}

#[test]
fn unusable_keys_are_found_at_start() {
    let empty = folder("empty");
    assert!(matches!(TokenVerifier::load(&empty), Err(KeyError::Empty(_))));
    assert!(matches!(TokenVerifier::load(&empty.join("absent")), Err(KeyError::Empty(_) | KeyError::Read { .. })));
    let (keys, issuer, _) = pair();
    let same = folder("same");
    std::fs::write(same.join("k1.pem"), &keys.public_pem).unwrap();
    std::fs::write(same.join("set.json"), serde_json::to_string(&issuer.jwks().unwrap()).unwrap()).unwrap();
    assert!(matches!(TokenVerifier::load(&same), Err(KeyError::Twice(kid)) if kid == "k1"));
    // The private and the public key exchanged.
    assert!(TokenIssuer::from_pem("k1", &keys.public_pem).is_err());
    assert!(TokenVerifier::from_pem("k1", &keys.private_pem).is_err());
    assert!(TokenIssuer::from_pem("k1", "").is_err());
    assert!(!format!("{keys:?}{issuer:?}").contains(keys.private_pem.lines().nth(1).unwrap()));
}
