//! Signs on.

use access::{Caller, IssuedToken};
use jiff::{SignedDuration, Timestamp};
use problem::{Problem, Text};
use uuid::Uuid;

use super::{Attempt, Provider, SignOnError, identity, store};
use crate::account;
use crate::app::AppState;
use crate::sign_in::{Origin, Way, count, open_session, throttle::Subject};

/// How long somebody has from giving the password to coming back from the provider.
const PERMIT_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// What came back from the provider, with what only the browser that began the attempt has.
#[derive(Debug)]
pub(super) struct Return {
    pub code: String,
    pub nonce: String,
    pub verifier: String,
}

impl Return {
    async fn subject(&self, provider: &Provider, now: Timestamp) -> Result<String, SignOnError> {
        provider.subject(&self.code, &self.nonce, &self.verifier, now).await
    }
}

/// Issues a token to whoever the provider says it is, when that identity is bound to an account in use. Attempts are counted by
/// address, as those with a password are.
pub(super) async fn sign_on(
    state: &AppState,
    provider: &Provider,
    address: Option<&str>,
    back: &Return,
) -> Result<(IssuedToken, Caller), Problem> {
    let now = state.clock.now();
    let subjects: Vec<Subject<'_>> = address.map(Subject::Address).into_iter().collect();
    count(&state.database, &subjects, now).await?;
    let subject = back.subject(provider, now).await?;
    let account = {
        let mut connection = state.database.pool().acquire().await?;
        let found = store::account_of(&mut connection, &provider.settings().issuer, &subject).await?;
        match found {
            Some(account_id) => account::store::get(&mut connection, account_id).await?,
            None => None,
        }
    };
    let account = account.ok_or_else(unknown_identity)?;
    if !account.active {
        return Err(Problem::forbidden(Text::new(
            "您的账号已停用。如有疑问，请联系账号管理员。",
            "Your account is out of use. Ask the administrator of accounts.",
        )));
    }
    open_session(state, &account, &subjects, address, Way::SignOn, now).await
}

/// Begins to bind the own identity: the password once more, since whoever has only the open browser must not leave a way in.
pub(super) async fn begin_own(
    state: &AppState,
    provider: &Provider,
    account_id: Uuid,
    address: Option<String>,
    password: &str,
) -> Result<Attempt, Problem> {
    check_password(state, account_id, address, password).await?;
    let now = state.clock.now();
    let attempt = provider.begin(now).await?;
    let expires_at = now.checked_add(PERMIT_LIFE).map_err(|error| Problem::internal(&error))?;
    let mut tx = state.database.begin().await?;
    store::put_permit(&mut tx, account_id, expires_at).await?;
    tx.commit().await?;
    Ok(attempt)
}

/// Binds the own identity that came back.
pub(super) async fn bind_own(
    state: &AppState,
    provider: &Provider,
    actor: &contracts::Actor,
    account_id: Uuid,
    back: &Return,
) -> Result<(), Problem> {
    let now = state.clock.now();
    let mut tx = state.database.begin().await?;
    let permitted = store::take_permit(&mut tx, account_id, now).await?;
    tx.commit().await?;
    if !permitted {
        return Err(Problem::state_refuses(
            Text::new(
                "绑定须从“统一身份”页面输入密码开始，并在十分钟内完成，请重新操作。",
                "Binding begins with the password on the page of the identity and must end within ten minutes; begin again.",
            ),
            "no_permit",
        ));
    }
    let subject = match back.subject(provider, now).await {
        Ok(subject) => subject,
        // Not 401, which would say that the token does not hold.
        Err(error @ SignOnError::Refused(_)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "an identity was not bound");
            return Err(Problem::state_refuses(
                Text::new(
                    "统一身份认证的应答无效或已过期，没有绑定，请重新操作。",
                    "The answer of the sign-on is not valid or has expired; nothing was bound. Begin again.",
                ),
                "refused",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let mut tx = state.database.begin().await?;
    let account = account::store::lock(&mut tx, account_id).await?.ok_or_else(account::unknown_account)?;
    let wish = identity::Wish {
        account: &account,
        issuer: &provider.settings().issuer,
        subject: &subject,
        actor,
        by: account_id,
    };
    identity::bind(&mut tx, state.ids.as_ref(), wish).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends the own binding, with the password once more.
pub(super) async fn unbind_own(
    state: &AppState,
    actor: &contracts::Actor,
    account_id: Uuid,
    address: Option<String>,
    password: &str,
) -> Result<(), Problem> {
    check_password(state, account_id, address, password).await?;
    let mut tx = state.database.begin().await?;
    let account = account::store::lock(&mut tx, account_id).await?.ok_or_else(account::unknown_account)?;
    identity::unbind(&mut tx, &account, actor, account_id).await?;
    tx.commit().await?;
    Ok(())
}

/// The password of somebody who is signed in; a wrong one counts as one at the door does.
async fn check_password(
    state: &AppState,
    account_id: Uuid,
    address: Option<String>,
    password: &str,
) -> Result<(), Problem> {
    let login = {
        let mut connection = state.database.pool().acquire().await?;
        account::store::get(&mut connection, account_id).await?.ok_or_else(account::unknown_account)?.login
    };
    let origin = Origin::new(&login, address);
    if crate::sign_in::password_fits(state, &origin, password).await?.is_some() {
        return Ok(());
    }
    // Not 401, which would say that the token does not hold.
    Err(Problem::invalid_field("/password", Text::new("密码不正确", "is wrong")))
}

fn unknown_identity() -> Problem {
    Problem::forbidden(Text::new(
        "统一身份认证已通过，但该身份没有绑定本系统的账号。请用账号和密码登录后自行绑定，或者请账号管理员绑定。",
        "The sign-on knows you, but your identity is bound to no account here. Sign in with account and password and bind it, or ask the administrator of accounts to bind it.",
    ))
}
