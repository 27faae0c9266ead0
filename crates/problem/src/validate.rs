//! garde reports as fields of a problem.

use std::borrow::Cow;
use std::fmt::Display;

use garde::i18n::{I18n, InvalidCreditCard, InvalidEmail, InvalidPhoneNumber, InvalidUrl, IpKind, with_i18n};
use garde::{Report, Validate};
use serde_json::Value;

use crate::extract::pointer_segment;
use crate::{FieldError, Problem, ProblemKind, Text};

/// Checks a value by its garde rules; a refusal is 422 with a pointer for every field. Messages of
/// own rules are written `中文 | English`.
pub fn check<T>(value: &T) -> Result<(), Problem>
where
    T: Validate,
    T::Context: Default,
{
    match with_i18n(Bilingual, || value.validate()) {
        Ok(()) => Ok(()),
        Err(report) => Err(Problem::of(ProblemKind::InvalidFields).fields(field_errors(&report))),
    }
}

/// The fields of a garde report with their JSON pointers.
pub fn field_errors(report: &Report) -> Vec<FieldError> {
    report
        .iter()
        .map(|(path, error)| FieldError { pointer: pointer(path), detail: Text::bilingual(error.message()) })
        .collect()
}

/// garde keeps the parts of a path private except in serialised form: `[[kind, component], …]`.
fn pointer(path: &garde::Path) -> String {
    let Ok(Value::Array(parts)) = serde_json::to_value(path) else {
        return path.to_string();
    };
    parts
        .iter()
        .filter_map(|part| match part.get(0).and_then(Value::as_str) {
            Some("none") => None,
            Some(_) | None => part.get(1).and_then(Value::as_str),
        })
        .map(pointer_segment)
        .collect()
}

/// The messages of garde's own rules in both languages.
struct Bilingual;

macro_rules! say {
    ($zh:literal, $en:literal $(, $arg:ident)*) => {
        Cow::Owned(format!(concat!($zh, " | ", $en) $(, $arg = $arg)*))
    };
}

impl I18n for Bilingual {
    fn length_lower_than(&self, min: usize) -> Cow<'static, str> {
        say!("长度不得少于 {min}", "must have a length of at least {min}", min)
    }
    fn length_greater_than(&self, max: usize) -> Cow<'static, str> {
        say!("长度不得超过 {max}", "must have a length of at most {max}", max)
    }
    fn range_lower_than(&self, min: &dyn Display) -> Cow<'static, str> {
        say!("不得小于 {min}", "must be at least {min}", min)
    }
    fn range_greater_than(&self, max: &dyn Display) -> Cow<'static, str> {
        say!("不得大于 {max}", "must be at most {max}", max)
    }
    fn credit_card_invalid(&self, _: InvalidCreditCard) -> Cow<'static, str> {
        say!("卡号不正确", "is not a valid card number")
    }
    fn pattern_no_match(&self, pattern: &dyn Display) -> Cow<'static, str> {
        say!("格式不正确，应符合 {pattern}", "must match {pattern}", pattern)
    }
    fn contains_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        say!("应包含“{pattern}”", "must contain \"{pattern}\"", pattern)
    }
    fn url_invalid(&self, _: InvalidUrl) -> Cow<'static, str> {
        say!("网址不正确", "is not a valid address of a page")
    }
    fn prefix_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        say!("应以“{pattern}”开头", "must begin with \"{pattern}\"", pattern)
    }
    fn suffix_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        say!("应以“{pattern}”结尾", "must end with \"{pattern}\"", pattern)
    }
    fn phone_number_invalid(&self, _: InvalidPhoneNumber) -> Cow<'static, str> {
        say!("电话号码不正确", "is not a valid telephone number")
    }
    fn ip_invalid(&self, _: IpKind) -> Cow<'static, str> {
        say!("网络地址不正确", "is not a valid network address")
    }
    fn matches_field_mismatch(&self, field: &dyn Display) -> Cow<'static, str> {
        say!("与 {field} 不一致", "must be the same as {field}", field)
    }
    fn email_invalid(&self, _: InvalidEmail) -> Cow<'static, str> {
        say!("电子邮箱不正确", "is not a valid mail address")
    }
    fn ascii_invalid(&self) -> Cow<'static, str> {
        say!("只能使用英文字符", "must be ASCII text")
    }
    fn alphanumeric_invalid(&self) -> Cow<'static, str> {
        say!("只能使用字母和数字", "must consist of letters and digits")
    }
    fn required_not_set(&self) -> Cow<'static, str> {
        say!("必须填写", "is required")
    }
}
