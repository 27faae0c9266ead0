//! What serde says, in both languages.

use crate::Text;

/// A serde message as a text, and the name of the field inside it that the path does not contain
/// (a missing field is reported at its parent).
pub(crate) struct Explained {
    pub(crate) text: Text,
    pub(crate) missing: Option<String>,
}

/// Reads the fixed sentences of serde's derive and data model. Anything else comes from a type's own
/// `Deserialize`, which writes `中文 | English`.
pub(crate) fn explain(message: &str) -> Explained {
    let message = without_position(message);
    let text = |zh: String| Explained { text: Text::new(zh, message.to_owned()), missing: None };
    if message.contains(" | ") {
        return Explained { text: Text::bilingual(message), missing: None };
    }
    if let Some(name) = quoted_after(message, "missing field ") {
        return Explained { text: Text::new("缺少此项", "is missing"), missing: Some(name.to_owned()) };
    }
    if let Some(name) = quoted_after(message, "unknown field ") {
        return text(format!("不认识的项“{name}”"));
    }
    if let Some(name) = quoted_after(message, "duplicate field ") {
        return text(format!("“{name}”重复出现"));
    }
    if let Some(name) = quoted_after(message, "unknown variant ") {
        let allowed = message.split_once("expected ").map_or("", |(_, rest)| rest);
        let allowed: Vec<&str> = allowed.split('`').skip(1).step_by(2).collect();
        return text(format!("“{name}”不在允许的取值之内，可取：{}", allowed.join("、")));
    }
    if message.starts_with("UUID parsing failed") {
        return text("不是有效的标识（UUID）".to_owned());
    }
    for (start, zh) in
        [("invalid type: ", "类型不正确"), ("invalid value: ", "取值不正确"), ("invalid length ", "长度不正确")]
    {
        if message.starts_with(start) {
            let expected = message.rsplit_once("expected ").map(|(_, what)| what);
            return text(match expected {
                Some(expected) => format!("{zh}，应为 {expected}"),
                None => zh.to_owned(),
            });
        }
    }
    text(format!("取值不正确：{message}"))
}

/// serde_json appends where it stood; the pointer says it better.
fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(text, _)| text)
}

fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.strip_prefix('`')?.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_sentences_are_translated() {
        let table = [
            ("missing field `title` at line 1 column 2", "缺少此项", "is missing"),
            (
                "unknown variant `x`, expected one of `minor`, `major`",
                "“x”不在允许的取值之内，可取：minor、major",
                "unknown variant `x`, expected one of `minor`, `major`",
            ),
            (
                "invalid type: string \"a\", expected u32 at line 3 column 9",
                "类型不正确，应为 u32",
                "invalid type: string \"a\", expected u32",
            ),
            (
                "校验码不符 | the check character does not fit at line 1 column 9",
                "校验码不符",
                "the check character does not fit",
            ),
            ("odd", "取值不正确：odd", "odd"),
        ];
        for (message, zh, en) in table {
            assert_eq!(explain(message).text, Text::new(zh, en), "{message}");
        }
        assert_eq!(explain("missing field `title`").missing.as_deref(), Some("title"));
    }
}
