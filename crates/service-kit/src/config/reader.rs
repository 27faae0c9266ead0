//! Reads a TOML document and the environment key by key and keeps count of what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::faults::Faults;

/// Prefix of every environment variable of the system.
pub(super) const PREFIX: &str = "DUDAO_";

/// A section of a configuration, read key by key. Made by [`section!`](crate::section!).
pub trait ConfigSection: Sized {
    /// Reads the section; `None` when a fault was recorded.
    fn read(reader: &mut SectionReader<'_>) -> Option<Self>;
}

/// A section that may be left out as a whole: `None` when neither the file nor the environment speaks of it.
impl<S: ConfigSection> ConfigSection for Option<S> {
    fn read(reader: &mut SectionReader<'_>) -> Option<Self> {
        if reader.root.has(&reader.section) { S::read(reader).map(Some) } else { Some(None) }
    }
}

/// A group of sections that stand at the top of the file, such as [`super::Common`].
pub trait ConfigGroup: Sized {
    /// Reads the sections; `None` when a fault was recorded.
    fn read(root: &mut RootReader) -> Option<Self>;
}

/// The whole configuration of a service. Made by [`config!`](crate::config!).
pub trait ConfigRoot: Sized {
    /// The sections shared with other services.
    type Common: ConfigGroup;
    /// The sections shared with other services.
    fn common(&self) -> &Self::Common;
    /// Reads everything; `None` when a fault was recorded.
    fn read(root: &mut RootReader) -> Option<Self>;
}

struct Entry {
    value: toml::Value,
    line: usize,
}

/// The parsed file with the environment beside it.
pub struct RootReader {
    file: String,
    sections: BTreeMap<String, (usize, BTreeMap<String, Entry>)>,
    /// (section, key) in lower case → (variable, text).
    environment: BTreeMap<(String, String), (String, String)>,
    asked: BTreeSet<(String, String)>,
    faults: Faults,
}

impl RootReader {
    /// Parses the text of a file; `file` is its name in the faults.
    pub fn parse(file: &str, text: &str, environment: &[(String, String)]) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let (spans, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            faults.add_at(
                &format!("{file}:{line}"),
                "",
                &format!("不是正确的 TOML：{}", error.message()),
                &format!("not valid TOML: {}", error.message()),
            );
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut values: toml::Table = match toml::from_str(text) {
            Ok(values) => values,
            Err(error) => {
                return Err(Faults::single(file, "不是正确的 TOML", error.message()));
            }
        };
        let mut sections = BTreeMap::new();
        for (name, item) in spans.get_ref() {
            let line = line_of(text, name.span().start);
            let name: &str = name.get_ref();
            let (DeValue::Table(keys), Some(toml::Value::Table(mut table))) = (item.get_ref(), values.remove(name))
            else {
                faults.add_at(
                    &format!("{file}:{line}"),
                    name,
                    "键必须写在一个节（[节名]）里面",
                    "a key must stand in a [section]",
                );
                continue;
            };
            let mut entries = BTreeMap::new();
            for key in keys.keys() {
                let line = line_of(text, key.span().start);
                let key: &str = key.get_ref();
                if let Some(value) = table.remove(key) {
                    entries.insert(key.to_owned(), Entry { value, line });
                }
            }
            sections.insert(name.to_owned(), (line, entries));
        }
        let environment = environment
            .iter()
            .filter_map(|(name, value)| {
                let (section, key) = name.strip_prefix(PREFIX)?.split_once("__")?;
                Some(((section.to_lowercase(), key.to_lowercase()), (name.clone(), value.clone())))
            })
            .collect();
        Ok(Self { file: file.to_owned(), sections, environment, asked: BTreeSet::new(), faults })
    }

    /// Reads one section.
    pub fn section<S: ConfigSection>(&mut self, name: &str) -> Option<S> {
        S::read(&mut SectionReader { root: self, section: name.to_owned() })
    }

    /// Whether the file or the environment says anything about a section.
    pub fn has(&self, name: &str) -> bool {
        self.sections.contains_key(name) || self.environment.keys().any(|(section, _)| section == name)
    }

    /// Records broken rules between keys of sections that could be read.
    pub fn check(&mut self, rules: impl FnOnce(&mut Faults)) {
        rules(&mut self.faults);
    }

    /// All faults: those recorded, and every key that nobody asked for.
    pub fn finish(mut self) -> Faults {
        let known_sections: BTreeSet<&str> = self.asked.iter().map(|(section, _)| section.as_str()).collect();
        for (section, (line, entries)) in &self.sections {
            if !known_sections.contains(section.as_str()) {
                self.faults.add_at(&format!("{}:{line}", self.file), section, "未知的节", "unknown section");
                continue;
            }
            for (key, entry) in entries {
                if !self.asked.contains(&(section.clone(), key.clone())) {
                    self.faults.add_at(
                        &format!("{}:{}", self.file, entry.line),
                        &format!("{section}.{key}"),
                        "未知的配置项",
                        "unknown key",
                    );
                }
            }
        }
        for ((section, key), (variable, _)) in &self.environment {
            if !self.asked.contains(&(section.clone(), key.clone())) {
                self.faults.add_at(
                    &format!("${variable}"),
                    &format!("{section}.{key}"),
                    "未知的配置项（环境变量）",
                    "unknown key (environment variable)",
                );
            }
        }
        self.faults
    }
}

/// Reads the keys of one section.
pub struct SectionReader<'a> {
    root: &'a mut RootReader,
    section: String,
}

impl SectionReader<'_> {
    /// A key that must be given.
    pub fn required<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        match self.lookup(key) {
            Lookup::Found(value) => Some(value),
            Lookup::Wrong => None,
            Lookup::Absent => {
                let (file, section) = (self.root.file.clone(), &self.section);
                let line = self.root.sections.get(section).map(|(line, _)| *line);
                let place = line.map_or(file.clone(), |line| format!("{file}:{line}"));
                let variable = format!("{PREFIX}{}__{}", section.to_uppercase(), key.to_uppercase());
                self.root.faults.add_at(
                    &place,
                    &format!("{section}.{key}"),
                    &format!("缺少必填配置项（也可以用环境变量 {variable}）"),
                    &format!("missing key (or set {variable})"),
                );
                None
            }
        }
    }

    /// A key that may be left out.
    pub fn defaulted<T: DeserializeOwned>(&mut self, key: &str, default: impl FnOnce() -> T) -> Option<T> {
        match self.lookup(key) {
            Lookup::Found(value) => Some(value),
            Lookup::Wrong => None,
            Lookup::Absent => Some(default()),
        }
    }

    fn lookup<T: DeserializeOwned>(&mut self, key: &str) -> Lookup<T> {
        let address = (self.section.clone(), key.to_owned());
        self.root.asked.insert(address.clone());
        let (place, result) = if let Some((variable, text)) = self.root.environment.get(&address) {
            (format!("${variable}"), from_text(text))
        } else if let Some(entry) = self.root.sections.get(&self.section).and_then(|(_, entries)| entries.get(key)) {
            (format!("{}:{}", self.root.file, entry.line), entry.value.clone().try_into::<T>())
        } else {
            return Lookup::Absent;
        };
        match result {
            Ok(value) => Lookup::Found(value),
            Err(error) => {
                let message = error.message().to_owned();
                self.root.faults.add_at(
                    &place,
                    &format!("{}.{key}", self.section),
                    &format!("值不正确：{message}"),
                    &format!("wrong value: {message}"),
                );
                Lookup::Wrong
            }
        }
    }
}

enum Lookup<T> {
    Found(T),
    Wrong,
    Absent,
}

/// A variable is a text; where the key wants something else, it is read as a TOML value.
fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, toml::de::Error> {
    let as_text = toml::Value::String(text.to_owned()).try_into::<T>();
    match as_text {
        Ok(value) => Ok(value),
        Err(error) => match toml::from_str::<toml::Table>(&format!("value = {text}")) {
            Ok(mut table) => match table.remove("value") {
                Some(value) => value.try_into::<T>(),
                None => Err(error),
            },
            Err(_) => Err(error),
        },
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
