//! A whole `rulebook/` folder: every rulebook and every calendar.

use jiff::civil::Date;

use super::{Rulebook, RulebookFault, parse};
use crate::calendar::{CalendarFault, CalendarSet};

/// Rulebooks and calendars, read and checked together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFolder {
    rulebooks: Vec<Rulebook>,
    calendars: CalendarSet,
}

/// What is wrong with the folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleFolderFault {
    /// A rulebook is wrong.
    #[error(transparent)]
    Rulebook(#[from] RulebookFault),
    /// A calendar is wrong.
    #[error(transparent)]
    Calendar(#[from] CalendarFault),
    /// Two rulebooks have one version.
    #[error("the rulebook version {0} is given twice")]
    VersionTwice(String),
    /// There is no rulebook at all.
    #[error("no file named rulebook.toml was given")]
    NoRulebook,
}

impl RuleFolder {
    /// Takes (file name, text) pairs, names relative to the folder with `/`: `calendars/*.toml` are calendars,
    /// `*/rulebook.toml` are rulebooks, other files belong to other readers and are left alone.
    pub fn load_from_texts<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<RuleFolderFault>> {
        let mut faults: Vec<RuleFolderFault> = Vec::new();
        let mut rulebooks: Vec<Rulebook> = Vec::new();
        let mut calendar_texts = Vec::new();
        let mut seen = 0_usize;
        for (name, text) in files {
            if name.contains("calendars/") && name.strip_suffix(".toml").is_some() {
                calendar_texts.push((name, text));
            } else if name.rsplit('/').next() == Some("rulebook.toml") {
                seen += 1;
                match parse(name, text) {
                    Ok(rulebook) if rulebooks.iter().any(|old| old.version == rulebook.version) => {
                        faults.push(RuleFolderFault::VersionTwice(rulebook.version));
                    }
                    Ok(rulebook) => rulebooks.push(rulebook),
                    Err(found) => faults.extend(found.into_iter().map(Into::into)),
                }
            }
        }
        if seen == 0 {
            faults.push(RuleFolderFault::NoRulebook);
        }
        let calendars = CalendarSet::load_from_texts(calendar_texts);
        match calendars {
            Ok(calendars) if faults.is_empty() => {
                rulebooks.sort_by(|a, b| (a.effective_from, &a.version).cmp(&(b.effective_from, &b.version)));
                Ok(Self { rulebooks, calendars })
            }
            Ok(_) => Err(faults),
            Err(found) => {
                faults.extend(found.into_iter().map(Into::into));
                Err(faults)
            }
        }
    }

    /// Every rulebook, the oldest first.
    pub fn rulebooks(&self) -> &[Rulebook] {
        &self.rulebooks
    }

    /// The newest rulebook of a province that applies on that day: for what begins on it.
    pub fn rulebook_on(&self, province: &str, date: Date) -> Option<&Rulebook> {
        self.rulebooks.iter().rev().find(|rulebook| rulebook.province == province && rulebook.is_effective_on(date))
    }

    /// The rulebook of a version: for what began with it.
    pub fn rulebook(&self, version: &str) -> Option<&Rulebook> {
        self.rulebooks.iter().find(|rulebook| rulebook.version == version)
    }

    /// The calendars.
    pub fn calendars(&self) -> &CalendarSet {
        &self.calendars
    }
}
