//! Texts in the two languages of the interface, and the choice between them.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// The separator of [`Text::bilingual`].
const SEPARATOR: &str = " | ";

/// A sentence for the reader in Simplified Chinese and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Simplified Chinese, the language of the law and the default.
    pub zh: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

impl Text {
    /// A text from its two versions.
    pub fn new(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// Takes apart a single string of the form `中文 | English`, the form in which our own messages
    /// travel through libraries that know one language. A string without the separator serves both.
    pub fn bilingual(message: &str) -> Self {
        match message.split_once(SEPARATOR) {
            Some((zh, en)) => Self::new(zh.to_owned(), en.to_owned()),
            None => Self::new(message.to_owned(), message.to_owned()),
        }
    }

    /// The version in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Simplified Chinese (简体中文), the default.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The language tag for `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language a request prefers by its `Accept-Language` (RFC 9110 section 12.5.4): English
    /// only when it ranks strictly above Chinese, or comes first at equal rank; else Chinese.
    pub fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        let mut best: Option<(Self, f32)> = None;
        for range in ranges.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let Some(lang) = parts.next().and_then(Self::of_tag) else {
                continue;
            };
            let quality = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(Some(1.0), |q| q.parse::<f32>().ok())
                .filter(|q| *q > 0.0 && *q <= 1.0);
            let Some(quality) = quality else { continue };
            if best.is_none_or(|(_, known)| quality > known) {
                best = Some((lang, quality));
            }
        }
        best.map_or_else(Self::default, |(lang, _)| lang)
    }

    /// The language of one range; `*` is ours to choose, so Chinese.
    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or(tag);
        if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else if primary.eq_ignore_ascii_case("zh") || primary == "*" {
            Some(Self::Zh)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn language_negotiation_table() {
        let table = [
            (None, Lang::Zh),
            (Some(""), Lang::Zh),
            (Some("zh-CN"), Lang::Zh),
            (Some("en"), Lang::En),
            (Some("EN-us"), Lang::En),
            (Some("en-US,en;q=0.9,zh;q=0.8"), Lang::En),
            (Some("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh),
            (Some("zh;q=0.3, en;q=0.7"), Lang::En),
            (Some("en;q=0, zh;q=0.1"), Lang::Zh),
            (Some("en;q=0"), Lang::Zh),
            (Some("fr, en;q=0.5"), Lang::En),
            (Some("fr, de"), Lang::Zh),
            (Some("*"), Lang::Zh),
            (Some("*;q=0.1, en;q=0.2"), Lang::En),
            (Some("en;q=nonsense, zh;q=0.1"), Lang::Zh),
            (Some("en;q=NaN"), Lang::Zh),
            (Some("english"), Lang::Zh),
        ];
        for (header, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(header));
            }
            assert_eq!(Lang::of(&headers), expected, "{header:?}");
        }
    }

    #[test]
    fn one_string_carries_both_languages() {
        assert_eq!(Text::bilingual("不能为空 | must not be empty"), Text::new("不能为空", "must not be empty"));
        assert_eq!(Text::bilingual("plain"), Text::new("plain", "plain"));
    }
}
