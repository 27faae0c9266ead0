//! Choosing what comes by which way.

use domain::ids::AccountId;
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};
use service_kit::etag::IfMatch;

use super::store::{self, Preferences};
use crate::{rules::Rules, template::Template};

/// What an account wants.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Kinds that are not wanted by mail.
    pub mail_off: &'a [Template],
    /// Kinds that are not wanted as short messages.
    pub sms_off: &'a [Template],
    /// Mobile number for short messages.
    pub phone: Option<&'a str>,
    /// What has no legal effect comes as one mail a day.
    pub daily_digest: bool,
}

/// Replaces what the account wants.
pub async fn set(
    tx: &mut Tx,
    rules: &Rules,
    account: AccountId,
    wanted: Wanted<'_>,
    based_on: IfMatch,
) -> Result<Preferences, Problem> {
    let known = store::lock(tx, account).await?;
    based_on.check(known.version)?;
    let mut problem = Problem::of(ProblemKind::InvalidFields);
    for (list, kinds, zh, en) in
        [("mail_off", wanted.mail_off, "邮件", "mail"), ("sms_off", wanted.sms_off, "短信", "short message")]
    {
        for (index, template) in kinds.iter().enumerate() {
            if rules.of(*template).is_none_or(|rule| rule.legal) {
                problem = problem.field(
                    format!("/{list}/{index}"),
                    Text::new(
                        format!("“{}”具有法定效力，不能关闭{zh}通知。", template.zh()),
                        format!("{} has legal effect and cannot be switched off by {en}.", template.as_str()),
                    ),
                );
            }
        }
    }
    let phone = wanted.phone.map(normal);
    if phone.as_ref().is_some_and(Option::is_none) {
        let text =
            Text::new("请填写手机号码，可带国家代码。", "Give a mobile number, with the country code if it is abroad.");
        problem = problem.field("/phone", text);
    }
    if !problem.errors().is_empty() {
        return Err(problem);
    }
    let names = |kinds: &[Template]| kinds.iter().map(|template| template.as_str().to_owned()).collect();
    let next = Preferences {
        version: known.version + 1,
        mail_off: names(wanted.mail_off),
        sms_off: names(wanted.sms_off),
        phone: phone.flatten(),
        daily_digest: wanted.daily_digest,
    };
    store::save(tx, account, &next).await?;
    Ok(next)
}

/// A mobile number in the form of E.164; eleven digits are one of the mainland.
fn normal(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let (digits, abroad) = match compact.strip_prefix('+') {
        Some(digits) => (digits, true),
        None => (compact.as_str(), false),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) || digits.starts_with('0') {
        return None;
    }
    match (abroad, digits.len()) {
        (false, 11) if digits.starts_with('1') => Some(format!("+86{digits}")),
        (true, 8..=15) => Some(format!("+{digits}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_one_form() {
        assert_eq!(normal("138 0000 0000").as_deref(), Some("+8613800000000"));
        assert_eq!(normal("+86-13800000000").as_deref(), Some("+8613800000000"));
        assert_eq!(normal("+85291234567").as_deref(), Some("+85291234567"));
        for wrong in ["", "12345", "0898-66666666", "+0123456789", "1380000000x"] {
            assert_eq!(normal(wrong), None, "{wrong}");
        }
    }
}
