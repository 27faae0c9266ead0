//! What is wrong with a configuration, collected instead of stopping at the first fault.

use std::fmt;

/// One fault: where it stands and what is wrong, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `file:line`, the environment variable, or empty for a rule between keys.
    pub place: String,
    /// The key, `section.key`.
    pub key: String,
    /// What is wrong, Simplified Chinese.
    pub zh: String,
    /// What is wrong, English.
    pub en: String,
}

/// Every fault of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    list: Vec<Fault>,
}

impl Faults {
    /// Adds a broken rule between keys.
    pub fn add(&mut self, key: &str, zh: &str, en: &str) {
        self.add_at("", key, zh, en);
    }

    /// Adds a fault with its place.
    pub fn add_at(&mut self, place: &str, key: &str, zh: &str, en: &str) {
        self.list.push(Fault { place: place.to_owned(), key: key.to_owned(), zh: zh.to_owned(), en: en.to_owned() });
    }

    /// A list with one fault.
    pub fn single(key: &str, zh: &str, en: &str) -> Self {
        let mut faults = Self::default();
        faults.add(key, zh, en);
        faults
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The faults in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter()
    }

    /// Takes over the faults of another list.
    pub fn extend(&mut self, other: Self) {
        self.list.extend(other.list);
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "配置有 {count} 处错误，服务未启动。\nThe configuration has {count} fault(s); the service was not started.",
            count = self.list.len()
        )?;
        for fault in &self.list {
            let place = if fault.place.is_empty() { "-" } else { &fault.place };
            writeln!(f, "  {place}  {key}\n    {zh}\n    {en}", key = fault.key, zh = fault.zh, en = fault.en)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
