//! Passwords: what is accepted, and Argon2id with bounded concurrency.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use problem::{Problem, Text};
use tokio::sync::Semaphore;

/// Fewest characters.
const MIN: usize = 10;
/// From here on the length alone is enough, so that a sentence may be used.
const LONG: usize = 20;
/// Most characters: hashing takes time by length.
const MAX: usize = 128;

/// What everyone tries first; whatever they are mixed with is no better.
const WELL_KNOWN: [&str; 12] = [
    "password", "passw0rd", "p@ssw0rd", "qwerty", "123456", "abcdef", "admin", "dudao", "iloveyou", "letmein",
    "111111", "000000",
];

/// The rules that a password breaks; none when it is accepted.
pub(crate) fn broken_rules(password: &str, login: &str) -> Vec<Text> {
    let length = password.chars().count();
    let lower = password.to_lowercase();
    let mut broken = Vec::new();
    if length < MIN {
        broken.push(Text::new(format!("至少 {MIN} 个字符"), format!("at least {MIN} characters")));
    }
    if length > MAX {
        broken.push(Text::new(format!("最多 {MAX} 个字符"), format!("at most {MAX} characters")));
    }
    if length < LONG && classes(password) < 3 {
        broken.push(Text::new(
            format!("须含大写字母、小写字母、数字、其他字符中的至少三种（{LONG} 个字符以上不限）"),
            format!(
                "three of capital letters, small letters, digits and others (not needed from {LONG} characters on)"
            ),
        ));
    }
    if login.len() >= 3 && lower.contains(&login.to_lowercase()) {
        broken.push(Text::new("不得包含账号", "must not contain the login"));
    }
    // A well-known word may be a small part of a long password, not the heart of a short one.
    if WELL_KNOWN.iter().any(|word| lower.contains(word) && length < word.len() + 8) {
        broken.push(Text::new("过于常见，容易被猜到", "too common, easily guessed"));
    }
    broken
}

fn classes(password: &str) -> usize {
    let tests: [fn(char) -> bool; 4] = [
        |c| c.is_uppercase(),
        |c| c.is_lowercase(),
        |c| c.is_ascii_digit(),
        |c| !c.is_uppercase() && !c.is_lowercase() && !c.is_ascii_digit(),
    ];
    tests.iter().filter(|test| password.chars().any(**test)).count()
}

/// Hashes and verifies off the runtime's threads, a few at a time: each takes 19 MiB and tens of milliseconds.
#[derive(Debug, Clone)]
pub struct Hasher {
    places: Arc<Semaphore>,
    /// The hash of a password that nobody has, for logins that do not exist.
    decoy: Arc<str>,
}

impl Hasher {
    /// A hasher for as many at a time as the machine has processors.
    pub fn try_new() -> Result<Self, Problem> {
        let places = std::thread::available_parallelism().map_or(1, usize::from);
        let mut nobody = [0_u8; 32];
        random(&mut nobody)?;
        Ok(Self { places: Arc::new(Semaphore::new(places)), decoy: hash(&nobody)?.into() })
    }

    /// The hash of a new password, in PHC form.
    pub async fn hash(&self, password: &str) -> Result<String, Problem> {
        let password = password.to_owned();
        self.work(move || hash(password.as_bytes())).await?
    }

    /// Whether the password fits; takes the same time when there is no account.
    pub async fn verify(&self, password: &str, known: Option<String>) -> Result<bool, Problem> {
        let exists = known.is_some();
        let known = known.unwrap_or_else(|| self.decoy.to_string());
        let password = password.to_owned();
        let fits = self
            .work(move || {
                let parsed = PasswordHash::new(&known).map_err(|error| Problem::internal(&error))?;
                Ok::<_, Problem>(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
            })
            .await??;
        Ok(fits && exists)
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
        tokio::task::spawn_blocking(move || {
            // The place is held until the work is done, also when the request has gone away.
            let _place = place;
            work()
        })
        .await
        .map_err(|error| Problem::internal(&error))
    }
}

fn hash(password: &[u8]) -> Result<String, Problem> {
    match Argon2::default().hash_password(password) {
        Ok(hash) => Ok(hash.to_string()),
        Err(error) => Err(Problem::internal(&error)),
    }
}

/// Random bytes of the machine.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Problem> {
    aws_lc_rs::rand::fill(bytes).map_err(|error| Problem::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_passwords() {
        for (password, login, broken) in [
            ("Haikou-2026!", "admin.460000", 0),
            ("correct horse battery staple", "x", 0),
            ("short1A", "x", 1),
            ("onlysmallletters", "x", 1),
            ("xAdmin.460000-9", "admin.460000", 1),
            ("Password1!", "x", 1),
            ("1234567890", "x", 2),
            ("", "x", 2),
        ] {
            assert_eq!(broken_rules(password, login).len(), broken, "{password}: {:?}", broken_rules(password, login));
        }
        assert_eq!(broken_rules(&"字Aa1".repeat(33), "x").len(), 1);
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_alone_and_nobody_has_the_decoy() {
        let hasher = Hasher::try_new().unwrap();
        let hash = hasher.hash("Haikou-2026!").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("Haikou-2026!", Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("haikou-2026!", Some(hash)).await.unwrap());
        assert!(!hasher.verify("Haikou-2026!", None).await.unwrap());
    }
}
