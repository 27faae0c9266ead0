//! Takes an account out of use (停用) or back into it (恢复).

use access::Permit;
use contracts::Actor;
use domain::local_time::local_date;
use postgres::Tx;
use problem::{Problem, Text};
use service_kit::etag::IfMatch;
use uuid::Uuid;

use super::{Account, recorded, store};

/// Switches an account on or off. Doing again what is done changes nothing.
///
/// Tokens that were issued already hold until they expire, eight hours at most: no service asks back.
pub(crate) async fn switch(
    tx: &mut Tx,
    permit: &Permit,
    actor: &Actor,
    account_id: Uuid,
    version: IfMatch,
    active: bool,
) -> Result<Account, Problem> {
    let account = store::lock(tx, account_id).await?.ok_or_else(unknown_account)?;
    permit.on(&account.resource())?;
    version.check(account.version)?;
    refuse_built_in(&account)?;
    if permit.caller().account_id.as_uuid() == account_id {
        return Err(Problem::state_refuses(
            Text::new(
                "不能停用或恢复本人账号，请由其他管理员办理。",
                "You cannot switch your own account; another administrator must.",
            ),
            state_of(&account),
        ));
    }
    if account.active == active {
        return Ok(account);
    }
    let today = local_date(tx.at());
    let account = store::set_active(tx, account_id, active, today).await?.ok_or_else(unknown_account)?;
    messaging::append(tx, actor, &recorded(&account)).await?;
    Ok(account)
}

/// 404 for an account.
pub(crate) fn unknown_account() -> Problem {
    Problem::unknown_resource(Text::new("没有这个账号。", "There is no such account."))
}

/// The account that the installation made belongs to nobody's office.
pub(crate) fn refuse_built_in(account: &Account) -> Result<(), Problem> {
    if account.built_in {
        return Err(Problem::state_refuses(
            Text::new(
                "系统初始账号不能在此更改；其密码由运维人员在部署时设置。",
                "The account of the installation cannot be changed here; its password is set at deployment.",
            ),
            "built_in",
        ));
    }
    Ok(())
}

/// The state of an account in a word.
pub(crate) fn state_of(account: &Account) -> &'static str {
    if account.active { "active" } else { "inactive" }
}
