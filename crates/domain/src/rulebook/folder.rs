//! A whole `rulebook/` folder: every rulebook with its counties and machines, and every calendar.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::machines::{self, Machines};
use super::{CountyRules, Rulebook, RulebookFault, parse};
use crate::calendar::{CalendarFault, CalendarSet};

/// Rulebooks and calendars, read and checked together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFolder {
    rulebooks: Vec<Rulebook>,
    machines: BTreeMap<String, Machines>,
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
    /// A rulebook says nothing about the state machines, or a file belongs to no rulebook.
    #[error("{file}: {detail}")]
    Beside {
        /// The file.
        file: String,
        /// What is wrong.
        detail: &'static str,
    },
}

/// The files of one rulebook's folder, as (file name, text).
#[derive(Default)]
struct BookFiles<'a> {
    rulebook: Option<(&'a str, &'a str)>,
    machines: Option<(&'a str, &'a str)>,
    counties: Vec<(&'a str, &'a str)>,
}

impl BookFiles<'_> {
    /// The rulebook with its counties, and its machines; every fault of every file.
    fn read(&self, folder: &str) -> Result<(Rulebook, Machines), Vec<RuleFolderFault>> {
        let all = |found: Vec<RulebookFault>| found.into_iter().map(Into::into).collect::<Vec<RuleFolderFault>>();
        let Some((file, text)) = self.rulebook else {
            let file = self.machines.or_else(|| self.counties.first().copied()).map_or(folder, |(file, _)| file);
            let detail = "there is no rulebook.toml that it belongs to";
            return Err(vec![RuleFolderFault::Beside { file: file.to_owned(), detail }]);
        };
        let mut faults = Vec::new();
        let mut counties = Vec::new();
        for (file, text) in &self.counties {
            match CountyRules::parse(file, text) {
                Ok(rules) => counties.push(((*file).to_owned(), rules)),
                Err(fault) => faults.push(fault.into()),
            }
        }
        // Without the province's rules nothing that refers to them can be judged.
        let rulebook = match parse(file, text) {
            Ok(rulebook) => rulebook,
            Err(found) => return Err(all(found).into_iter().chain(faults).collect()),
        };
        let machines = if let Some((file, text)) = self.machines {
            machines::parse(file, text, &rulebook).map_err(all)
        } else {
            let file = format!("{folder}/machines.toml");
            Err(vec![RuleFolderFault::Beside { file, detail: "is missing: every wait must name its owner" }])
        };
        match (rulebook.with_counties(counties).map_err(all), machines) {
            (Ok(rulebook), Ok(machines)) if faults.is_empty() => Ok((rulebook, machines)),
            (rulebook, machines) => {
                faults.extend(rulebook.err().into_iter().flatten());
                faults.extend(machines.err().into_iter().flatten());
                Err(faults)
            }
        }
    }
}

impl RuleFolder {
    /// Takes (file name, text) pairs, names relative to the folder with `/`: `calendars/*.toml` are calendars,
    /// `*/rulebook.toml` are rulebooks with `machines.toml` and `counties/*.toml` beside them, other files belong to
    /// other readers and are left alone.
    pub fn load_from_texts<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<RuleFolderFault>> {
        let mut faults: Vec<RuleFolderFault> = Vec::new();
        let mut books: BTreeMap<&str, BookFiles<'_>> = BTreeMap::new();
        let mut calendar_texts = Vec::new();
        for (name, text) in files {
            let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
            if name.contains("calendars/") && name.strip_suffix(".toml").is_some() {
                calendar_texts.push((name, text));
            } else if file == "rulebook.toml" {
                books.entry(folder).or_default().rulebook = Some((name, text));
            } else if file == "machines.toml" {
                books.entry(folder).or_default().machines = Some((name, text));
            } else if let Some(book) = folder.strip_suffix("/counties").filter(|_| name.strip_suffix(".toml").is_some())
            {
                books.entry(book).or_default().counties.push((name, text));
            }
        }
        let no_rulebook = books.values().all(|files| files.rulebook.is_none());
        let mut rulebooks: Vec<Rulebook> = Vec::new();
        let mut machines = BTreeMap::new();
        for (folder, files) in &books {
            match files.read(folder) {
                Ok((rulebook, _)) if rulebooks.iter().any(|old| old.version == rulebook.version) => {
                    faults.push(RuleFolderFault::VersionTwice(rulebook.version));
                }
                Ok((rulebook, found)) => {
                    machines.insert(rulebook.version.clone(), found);
                    rulebooks.push(rulebook);
                }
                Err(found) => faults.extend(found),
            }
        }
        if no_rulebook {
            faults.push(RuleFolderFault::NoRulebook);
        }
        let calendars = CalendarSet::load_from_texts(calendar_texts);
        match calendars {
            Ok(calendars) if faults.is_empty() => {
                rulebooks.sort_by(|a, b| (a.effective_from, &a.version).cmp(&(b.effective_from, &b.version)));
                Ok(Self { rulebooks, machines, calendars })
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

    /// The state machines that a rulebook of that version describes.
    pub fn machines(&self, version: &str) -> Option<&Machines> {
        self.machines.get(version)
    }

    /// The calendars.
    pub fn calendars(&self) -> &CalendarSet {
        &self.calendars
    }
}
