//! The words of the pages: one file per language, `texts/*.toml`.
//!
//! Simplified Chinese is complete and is what every other language falls back to. What services say (documents,
//! problems, names of states that they send) comes in their own words.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Simplified Chinese (简体中文), the default.
    #[default]
    ZhHans,
    /// Traditional Chinese (繁體中文).
    ZhHant,
    /// English.
    En,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::ZhHans, Self::ZhHant, Self::En];

    /// The tag for the `lang` attribute.
    pub fn tag(self) -> &'static str {
        match self {
            Self::ZhHans => "zh-Hans",
            Self::ZhHant => "zh-Hant",
            Self::En => "en",
        }
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ZhHans => "简体中文",
            Self::ZhHant => "繁體中文",
            Self::En => "English",
        }
    }

    /// What the services are told, who speak two languages.
    pub fn accept_language(self) -> &'static str {
        match self {
            Self::ZhHans | Self::ZhHant => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language of a tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.tag() == tag)
    }

    fn source(self) -> &'static str {
        match self {
            Self::ZhHans => include_str!("texts/zh-Hans.toml"),
            Self::ZhHant => include_str!("texts/zh-Hant.toml"),
            Self::En => include_str!("texts/en.toml"),
        }
    }
}

/// The words of one language.
#[derive(Debug)]
pub struct Texts {
    lang: Lang,
    words: HashMap<String, String>,
}

/// The words of every language.
#[derive(Debug)]
pub struct Catalogue([Texts; 3]);

impl Catalogue {
    /// The words of this build.
    pub fn load() -> &'static Self {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue(Lang::ALL.map(Texts::of)));
        &CATALOGUE
    }

    /// The words of a language.
    pub fn texts(&self, lang: Lang) -> &Texts {
        let [simplified, traditional, english] = &self.0;
        match lang {
            Lang::ZhHans => simplified,
            Lang::ZhHant => traditional,
            Lang::En => english,
        }
    }
}

impl Texts {
    fn of(lang: Lang) -> Self {
        let mut words = parse(Lang::ZhHans.source());
        if lang != Lang::ZhHans {
            words.extend(parse(lang.source()));
        }
        Self { lang, words }
    }

    /// The language.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The word of a key. A key that has none shows itself, so that the page is still of use; a test finds it.
    pub fn t<'a>(&'a self, key: &'a str) -> &'a str {
        self.words.get(key).map_or(key, String::as_str)
    }

    /// The word of a value of a list, such as `severity` and `minor`; a value unknown here shows itself.
    pub fn word<'a>(&'a self, list: &str, value: &'a str) -> &'a str {
        self.words.get(&format!("{list}.{value}")).map_or(value, String::as_str)
    }

    /// The word of a key with its `{}` filled in, one after the other.
    pub fn fill(&self, key: &str, values: &[&str]) -> String {
        let mut text = self.t(key).to_owned();
        for value in values {
            text = text.replacen("{}", value, 1);
        }
        text
    }

    /// Every key.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.words.keys().map(String::as_str)
    }
}

/// Flattens `[section] key = "…"` to `section.key`. A file that does not parse gives no words; a test reads them all.
fn parse(source: &str) -> HashMap<String, String> {
    let sections: HashMap<String, HashMap<String, String>> = toml::from_str(source).unwrap_or_default();
    sections
        .into_iter()
        .flat_map(|(section, words)| words.into_iter().map(move |(key, word)| (format!("{section}.{key}"), word)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_parses_and_adds_no_key_of_its_own() {
        let all = |lang: Lang| -> BTreeSet<String> {
            let sections: HashMap<String, HashMap<String, String>> = toml::from_str(lang.source()).unwrap();
            sections.iter().flat_map(|(s, words)| words.keys().map(move |k| format!("{s}.{k}"))).collect()
        };
        let hans = all(Lang::ZhHans);
        assert!(hans.len() > 300, "{}", hans.len());
        for lang in Lang::ALL {
            let unknown: Vec<String> = all(lang).difference(&hans).cloned().collect();
            assert!(unknown.is_empty(), "{lang:?} has keys that zh-Hans lacks: {unknown:?}");
        }
    }

    /// Every `t("…")` in templates and sources has its word.
    #[test]
    fn every_key_in_use_has_its_word() {
        let texts = Catalogue::load().texts(Lang::ZhHans);
        let mut missing = BTreeSet::new();
        let mut seen = 0;
        for file in files(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"))
            .into_iter()
            .chain(files(concat!(env!("CARGO_MANIFEST_DIR"), "/src")))
        {
            let text = std::fs::read_to_string(&file).unwrap();
            for start in [".t(\"", ".fill(\"", ".page(\"", ".done(\"", "say(\""] {
                for part in text.split(start).skip(1) {
                    let key = part.split('"').next().unwrap();
                    let shaped = key.contains('.')
                        && key.bytes().all(|b| b.is_ascii_lowercase() || b".-_0123456789".contains(&b));
                    if shaped {
                        seen += 1;
                        if texts.t(key) == key {
                            missing.insert(key.to_owned());
                        }
                    }
                }
            }
        }
        assert!(seen > 200, "{seen}");
        assert!(missing.is_empty(), "no word for {missing:#?}");
    }

    /// Lists of words for values that the domain has.
    #[test]
    fn every_phase_and_every_kind_of_timer_has_its_word_in_every_language() {
        let phases = domain::rectification::Phase::ALL.map(|phase| format!("phase.{}", phase.key()));
        let kinds = domain::rectification::TimerKind::ALL.map(|kind| format!("timer_kind.{}", kind.key()));
        for lang in Lang::ALL {
            let own = parse(lang.source());
            for key in phases.iter().chain(&kinds) {
                assert!(own.contains_key(key), "{lang:?} has no word for {key}");
            }
        }
    }

    fn files(folder: &str) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(path.to_str().unwrap()));
            } else if path.extension().is_some_and(|end| end == "rs" || end == "html") {
                found.push(path);
            }
        }
        found
    }

    #[test]
    fn placeholders_are_filled_in_order() {
        let texts = Texts { lang: Lang::En, words: HashMap::from([("a.b".to_owned(), "{} of {}".to_owned())]) };
        let key = String::from("a.b");
        assert_eq!(texts.fill(&key, &["1", "2"]), "1 of 2");
        assert_eq!(texts.word("severity", "new"), "new");
    }
}
