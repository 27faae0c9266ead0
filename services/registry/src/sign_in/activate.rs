//! One-time codes: an office hands one out, the person sets a password with it (激活). Also the way back in when a
//! password is forgotten.

use access::Permit;
use jiff::{SignedDuration, Timestamp};
use postgres::Tx;
use problem::{FieldError, Problem, ProblemKind, Text};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    broken_rules,
    password::random,
    session::{Origin, count},
    store, throttle,
};
use crate::{
    account::{self, Account},
    app::AppState,
};

/// How long a code holds.
const CODE_LIFE: SignedDuration = SignedDuration::from_hours(72);
/// Wrong codes after which the right one does not help any more.
const CODE_TRIES: i32 = 5;
/// Crockford's alphabet: nothing that is read for something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A fresh code.
#[derive(Debug)]
pub(crate) struct Code {
    /// As it is handed over: `ABCD-EFGH-JKMN`. 60 bits.
    pub shown: String,
    /// Machine time from which on it does not hold.
    pub expires_at: Timestamp,
}

/// Makes a code for an account; an earlier one is void.
pub(crate) async fn issue_code(
    tx: &mut Tx,
    permit: &Permit,
    account_id: Uuid,
    now: Timestamp,
) -> Result<(Account, Code), Problem> {
    let account = account::store::lock(tx, account_id).await?.ok_or_else(account::unknown_account)?;
    permit.on(&account.resource())?;
    account::refuse_built_in(&account)?;
    if !account.active {
        return Err(Problem::state_refuses(
            Text::new("账号已停用，请先恢复。", "The account is out of use; reactivate it first."),
            account::state_of(&account),
        ));
    }
    let mut bytes = [0_u8; 12];
    random(&mut bytes)?;
    let letters: Vec<char> =
        bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied().map(char::from)).collect();
    let shown = letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-");
    let expires_at = now.checked_add(CODE_LIFE).map_err(|error| Problem::internal(&error))?;
    let issued_by = permit.caller().account_id.into();
    store::put_activation(tx, account_id, &digest(&shown), issued_by, now, expires_at).await?;
    tracing::info!(account.id = %account_id, issued_by = %issued_by, "a one-time code was issued for the account");
    Ok((account, Code { shown, expires_at }))
}

/// Sets a password with a code, once.
pub(crate) async fn activate(state: &AppState, origin: &Origin, code: &str, password: &str) -> Result<(), Problem> {
    let broken = broken_rules(password, &origin.login);
    if !broken.is_empty() {
        let errors = broken.into_iter().map(|detail| FieldError { pointer: "/password".to_owned(), detail });
        return Err(Problem::new(
            ProblemKind::InvalidFields,
            Text::new("密码不符合要求。", "The password does not keep the rules."),
        )
        .fields(errors));
    }
    let now = state.clock.now();
    let subjects = origin.subjects();
    count(&state.database, &subjects, now).await?;
    // Before anything is known about the login, so that the time tells nothing.
    let hash = state.hasher.hash(password).await?;
    let mut tx = state.database.begin().await?;
    let account =
        account::store::by_login(&mut tx, &origin.login).await?.filter(|account| account.active).ok_or_else(refused)?;
    let waiting = store::lock_activation(&mut tx, account.account_id).await?.ok_or_else(refused)?;
    let holds = now < waiting.expires_at.to_jiff() && waiting.failures < CODE_TRIES;
    let fits = aws_lc_rs::constant_time::verify_slices_are_equal(&digest(code), &waiting.code_sha256).is_ok();
    if !(holds && fits) {
        store::count_wrong_code(&mut tx, account.account_id).await?;
        tx.commit().await?;
        return Err(refused());
    }
    store::remove_activation(&mut tx, account.account_id).await?;
    store::set_password(&mut tx, account.account_id, &hash, now).await?;
    throttle::succeeded(&mut tx, &subjects).await?;
    tx.commit().await?;
    tracing::info!(account.id = %account.account_id, "a password was set by a one-time code");
    Ok(())
}

/// The digest of a code as typed: hyphens, blanks and letter case do not matter, and O, I, L are read as the digits they
/// are taken for.
fn digest(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    Sha256::digest(plain.as_bytes()).into()
}

fn refused() -> Problem {
    Problem::unauthenticated(Text::new(
        "账号或激活码不正确，或激活码已使用、已过期；请向管理员重新领取。",
        "The login or the code is wrong, or the code was used or has expired; ask the administrator for a new one.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_typed_as_people_type() {
        assert_eq!(digest("AB01-EFGH-JKMN"), digest(" abo1efgh jkmn "));
        assert_eq!(digest("AB01-EFGH-JKMN"), digest("ABOL-EFGH-JKMN"));
        assert_ne!(digest("AB01-EFGH-JKMN"), digest("AB01-EFGH-JKMP"));
    }
}
