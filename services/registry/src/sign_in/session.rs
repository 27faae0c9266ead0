//! Signs an account in.

use access::{Caller, IssuedToken, Role, TOKEN_LIFE};
use domain::local_time::start_of_day;
use jiff::{SignedDuration, Timestamp};
use postgres::Database;
use problem::{Problem, Text};
use uuid::Uuid;

use super::{
    store,
    throttle::{self, Subject},
};
use crate::{
    account::{self, Account},
    app::AppState,
    merger,
};

/// A token of an office whose last moment has come: until the register has been changed, a moment later.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(1);

/// Whom a request says it comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The login as typed, brought into the form of the register.
    pub login: String,
    /// The address, where it is known.
    pub address: Option<String>,
}

impl Origin {
    pub(crate) fn new(login: &str, address: Option<String>) -> Self {
        // What no login can contain must not reach the database either.
        let login = login.trim().chars().filter(|c| !c.is_control()).take(64).collect::<String>().to_lowercase();
        Self { login, address }
    }

    /// What is counted. The address comes first: it pays for everything that is tried from it.
    pub(crate) fn subjects(&self) -> Vec<Subject<'_>> {
        let address = self.address.as_deref().map(Subject::Address);
        address.into_iter().chain([Subject::Login(&self.login)]).collect()
    }
}

/// The way somebody came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Login and password.
    Password,
    /// The government's sign-on.
    SignOn,
}

impl Way {
    fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::SignOn => "sign_on",
        }
    }
}

/// Issues a token for login and password. The answer to a wrong login, a wrong password and an account out of use is one
/// and the same, and takes the same time.
pub(crate) async fn sign_in(
    state: &AppState,
    origin: &Origin,
    password: &str,
) -> Result<(IssuedToken, Caller), Problem> {
    let now = state.clock.now();
    let account = password_fits(state, origin, password).await?.filter(|account| account.active).ok_or_else(refused)?;
    open_session(state, &account, &origin.subjects(), origin.address.as_deref(), Way::Password, now).await
}

/// The account of a login when the password fits, and `None` otherwise. The attempt counts whatever becomes of it.
pub(crate) async fn password_fits(
    state: &AppState,
    origin: &Origin,
    password: &str,
) -> Result<Option<Account>, Problem> {
    count(&state.database, &origin.subjects(), state.clock.now()).await?;
    let (account, known) = {
        let mut connection = state.database.pool().acquire().await?;
        let account = account::store::by_login(&mut connection, &origin.login).await?;
        let known = match &account {
            Some(account) => store::password_hash(&mut connection, account.account_id).await?,
            None => None,
        };
        (account, known)
    };
    let fits = state.hasher.verify(password, known).await?;
    Ok(account.filter(|_| fits))
}

/// Issues a token to an account, notes it, and takes the counted attempt back.
pub(crate) async fn open_session(
    state: &AppState,
    account: &Account,
    subjects: &[Subject<'_>],
    address: Option<&str>,
    way: Way,
    now: Timestamp,
) -> Result<(IssuedToken, Caller), Problem> {
    let session = state.ids.new_id();
    let caller = account.caller();
    let mut tx = state.database.begin().await?;
    let life = match merger::store::ends_on(&mut tx, &offices(&caller)).await? {
        Some(day) => start_of_day(day)
            .map_or(SHORTEST_LIFE, |start| start.duration_since(tx.at()))
            .clamp(SHORTEST_LIFE, TOKEN_LIFE),
        None => TOKEN_LIFE,
    };
    let issued = state.issuer.issue_for(&caller, session, now, life).map_err(|error| Problem::internal(&error))?;
    throttle::succeeded(&mut tx, subjects).await?;
    let noted = store::Noted {
        session_id: session,
        account_id: account.account_id,
        issued_at: now,
        expires_at: issued.expires_at,
        address,
        way: way.as_str(),
    };
    store::put_session(&mut tx, &noted).await?;
    tx.commit().await?;
    Ok((issued, caller))
}

/// The areas that the account has an office in. When one of them ends, so do its tokens.
fn offices(caller: &Caller) -> Vec<Uuid> {
    caller
        .grants
        .iter()
        .filter(|grant| grant.role != Role::Inspector)
        .filter_map(|grant| grant.area_id)
        .map(Into::into)
        .collect()
}

/// Counts the attempt and commits: it counts whatever becomes of the rest.
pub(crate) async fn count(database: &Database, subjects: &[Subject<'_>], now: Timestamp) -> Result<(), Problem> {
    let mut tx = database.begin().await?;
    throttle::attempt(&mut tx, subjects, now).await?;
    tx.commit().await?;
    Ok(())
}

fn refused() -> Problem {
    Problem::unauthenticated(Text::new("账号或密码不正确。", "The login or the password is wrong."))
}
