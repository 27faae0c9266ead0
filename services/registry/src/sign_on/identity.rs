//! Binds an identity to an account (绑定统一身份), and ends that.

use contracts::Actor;
use domain::local_time::local_date;
use postgres::Tx;
use problem::{Problem, Text};
use service_kit::ids::Ids;
use uuid::Uuid;

use super::store::{self, Binding};
use crate::account::{self, Account, recorded, refuse_built_in, state_of, unknown_account};

/// Whom an identity shall be bound to, and by whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub account: &'a Account,
    pub issuer: &'a str,
    pub subject: &'a str,
    pub actor: &'a Actor,
    pub by: Uuid,
}

/// Binds an identity to an account that has none; the caller has locked the account. The event says that there is one, and
/// not whose.
pub(super) async fn bind(tx: &mut Tx, ids: &dyn Ids, wish: Wish<'_>) -> Result<Account, Problem> {
    let Wish { account, issuer, subject, actor, by } = wish;
    refuse_built_in(account)?;
    if !account.active {
        return Err(Problem::state_refuses(
            Text::new("账号已停用，请先恢复。", "The account is out of use; reactivate it first."),
            state_of(account),
        ));
    }
    if account.identity_bound {
        return Err(Problem::state_refuses(
            Text::new("该账号已绑定统一身份，请先解除。", "The account has an identity; unbind that first."),
            "bound",
        ));
    }
    let at = tx.at();
    let binding = Binding { identity_id: ids.new_id(), account_id: account.account_id, issuer, subject, by, at };
    if !store::bind(tx, &binding).await? {
        return Err(Problem::state_refuses(
            Text::new(
                "该统一身份已绑定另一个账号；一个身份只能登录一个账号，请先在那个账号上解除。",
                "The identity is bound to another account; one identity signs in to one account. Unbind it there first.",
            ),
            "bound_elsewhere",
        ));
    }
    changed(tx, actor, account.account_id).await
}

/// Ends the binding of an account; the caller has locked the account.
pub(super) async fn unbind(tx: &mut Tx, account: &Account, actor: &Actor, by: Uuid) -> Result<Account, Problem> {
    let at = tx.at();
    if !store::end(tx, account.account_id, by, at).await? {
        return Err(Problem::state_refuses(
            Text::new("该账号没有绑定统一身份。", "The account has no identity."),
            "unbound",
        ));
    }
    changed(tx, actor, account.account_id).await
}

async fn changed(tx: &mut Tx, actor: &Actor, account_id: Uuid) -> Result<Account, Problem> {
    let today = local_date(tx.at());
    let account = account::store::next_version(tx, account_id, today).await?.ok_or_else(unknown_account)?;
    messaging::append(tx, actor, &recorded(&account)).await?;
    Ok(account)
}
