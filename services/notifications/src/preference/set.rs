//! Switching mail off.

use domain::ids::AccountId;
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};
use service_kit::etag::IfMatch;

use super::store::{self, Preferences};
use crate::{rules::Rules, template::Template};

/// Replaces the list of kinds that the account does not want by mail.
pub async fn set(
    tx: &mut Tx,
    rules: &Rules,
    account: AccountId,
    mail_off: &[Template],
    based_on: IfMatch,
) -> Result<Preferences, Problem> {
    let known = store::lock(tx, account).await?;
    based_on.check(known.version)?;
    let mut problem = Problem::of(ProblemKind::InvalidFields);
    for (index, template) in mail_off.iter().enumerate() {
        if rules.of(*template).is_none_or(|rule| rule.legal) {
            problem = problem.field(
                format!("/mail_off/{index}"),
                Text::new(
                    format!("“{}”具有法定效力，不能关闭邮件通知。", template.zh()),
                    format!("{} has legal effect and cannot be switched off.", template.as_str()),
                ),
            );
        }
    }
    if !problem.errors().is_empty() {
        return Err(problem);
    }
    let next = Preferences {
        version: known.version + 1,
        mail_off: mail_off.iter().map(|template| template.as_str().to_owned()).collect(),
    };
    store::save(tx, account, &next).await?;
    Ok(next)
}
