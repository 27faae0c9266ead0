//! The first start (系统初始化): the province's root area and the account of the installation, once.
//!
//! An operator alone may not import, by the policies. The account of the installation therefore carries two grants: operator,
//! and administrator of the province's office over the root area, which is recorded here so that the grant has a scope. Both
//! are journalled like everything else. Whoever has handed the province over to its own administrator keeps the password locked away.

use access::{Grant, Role};
use contracts::Actor;
use domain::local_time::local_date;
use jiff::Timestamp;
use postgres::Tx;
use problem::Problem;
use service_kit::ids::Ids;
use uuid::Uuid;

use crate::{account, area, config::BootstrapSection, sign_in};

/// Whether the first start has still to happen.
pub(crate) async fn is_due(tx: &mut Tx) -> Result<bool, sqlx::Error> {
    Ok(!account::store::has_built_in(tx).await?)
}

/// The account of the installation and its password's hash, once both are there.
pub(crate) async fn password(tx: &mut Tx) -> Result<Option<(Uuid, String)>, sqlx::Error> {
    let Some(account) = account::store::built_in(tx).await? else { return Ok(None) };
    Ok(sign_in::store::password_hash(tx, account).await?.map(|hash| (account, hash)))
}

/// Records what is missing; does nothing at every later start. `now` is machine time, for the password.
pub(crate) async fn ensure(
    tx: &mut Tx,
    ids: &dyn Ids,
    section: &BootstrapSection,
    password_hash: &str,
    now: Timestamp,
) -> Result<(), Problem> {
    // Replicas may start at the same time.
    account::store::lock_bootstrap(tx).await?;
    if !is_due(tx).await? {
        return Ok(());
    }
    let actor = Actor::system("registry.bootstrap");
    let today = local_date(tx.at());
    let root = if let Some(root) = area::store::root(tx).await? {
        root
    } else {
        let area_id = ids.new_id();
        let draft = area::store::Draft {
            area_id,
            code: section.province_code.clone(),
            name: section.province_name.clone(),
            level: area::level_word(contracts::registry::AreaLevel::Province),
            parent_id: None,
            path: vec![area_id],
            county_id: None,
            effective_on: today,
        };
        let recorded = area::store::upsert(tx, &[draft]).await?;
        let root = recorded.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
        messaging::append(tx, &actor, &area::recorded(&root)?).await?;
        root
    };
    let draft = account::store::Draft {
        account_id: ids.new_id(),
        login: section.login.clone(),
        display_name: section.display_name.clone(),
        email: None,
        language: None,
        grants: vec![
            Grant { role: Role::ProvinceOfficeAdmin, area_id: Some(root.area_id.into()), unit_id: None },
            Grant { role: Role::Operator, area_id: None, unit_id: None },
        ],
        unit_id: None,
        person_id: None,
        area_id: root.area_id,
        built_in: true,
        valid_from: None,
    };
    let recorded = account::store::upsert(tx, &[draft], false, false, today).await?;
    let account = recorded.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    sign_in::store::set_password(tx, account.account_id, password_hash, now).await?;
    messaging::append(tx, &actor, &account::recorded(&account)).await?;
    tracing::info!(account.login = account.login, "first start: the account of the installation was made");
    Ok(())
}
