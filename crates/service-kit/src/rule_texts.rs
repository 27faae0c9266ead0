//! Reading the folder of rules (`rulebook/`) as texts. What stands in them is the domain's business; a service does not
//! start with a fault in any.

use std::path::Path;

use anyhow::Context as _;
use domain::calendar::{CalendarLayer, CalendarSet, LayerLevel};
use domain::rulebook::{self, RuleFolder, Rulebook};

/// Every TOML text below a folder, by its path with `/` as separator, e.g. `calendars/national-2026.toml`.
#[derive(Debug, Clone)]
pub struct RuleTexts(Vec<(String, String)>);

impl RuleTexts {
    /// Reads the folder; an error names the path.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut texts = Vec::new();
        collect(folder, "", &mut texts)?;
        texts.sort();
        Ok(Self(texts))
    }

    /// The text at a path, which must be there.
    pub fn text(&self, path: &str) -> anyhow::Result<&str> {
        let found = self.0.iter().find(|(name, _)| name == path);
        found.map(|(_, text)| text.as_str()).with_context(|| format!("{path} is missing in rulebook.folder"))
    }

    /// Puts a layer of the calendar in the place of the one with its name, or, for the country, its year; gives that one.
    /// The text must be a layer.
    pub fn put_calendar(&mut self, text: &str) -> anyhow::Result<Option<String>> {
        let layer = layer_of(text).context("the text is no layer of a calendar")?;
        let same = |other: &CalendarLayer| {
            let national = other.level == LayerLevel::National && layer.level == LayerLevel::National;
            other.id == layer.id || (national && other.year == layer.year)
        };
        let is_same = |(name, text): &(String, String)| {
            name.contains("calendars/") && layer_of(text).is_some_and(|other| same(&other))
        };
        let former = self.0.iter().find(|entry| is_same(entry)).map(|(_, text)| text.clone());
        self.0.retain(|entry| !is_same(entry));
        self.0.push((format!("calendars/{}.toml", layer.id), text.to_owned()));
        Ok(former)
    }

    /// Adds a version of a rulebook, with the files that stand beside the newest one of its province; gives that one's
    /// text. A version that is there already stays as it is: cases live by it.
    pub fn add_rulebook(&mut self, text: &str) -> anyhow::Result<Option<String>> {
        let rulebook = rulebook_of(text).context("the text is no rulebook")?;
        let books = || {
            let read = |(name, text): &(String, String)| {
                let folder = name.strip_suffix("/rulebook.toml")?;
                Some((folder.to_owned(), text.clone(), rulebook_of(text)?))
            };
            self.0.iter().filter_map(read).filter(|(_, _, other)| other.province == rulebook.province)
        };
        let known = books().any(|(_, _, other)| other.version == rulebook.version);
        // Of two that begin on one day the one that was added later holds.
        let newest = books()
            .filter(|(_, _, other)| other.version != rulebook.version)
            .max_by_key(|(_, _, other)| other.effective_from);
        let (base, former) = newest.map(|(folder, text, _)| (folder, text)).unzip();
        if !known {
            let own = format!("changes/{}", rulebook.version);
            let beside: Vec<(String, String)> = self
                .0
                .iter()
                .filter_map(|(name, text)| {
                    let rest = name.strip_prefix(base.as_deref()?)?.strip_prefix('/')?;
                    (rest != "rulebook.toml").then(|| (format!("{own}/{rest}"), text.clone()))
                })
                .collect();
            self.0.extend(beside);
            self.0.push((format!("{own}/rulebook.toml"), text.to_owned()));
        }
        Ok(former)
    }

    /// The rulebooks and calendars among the texts; the error lists every fault.
    pub fn rules(&self) -> anyhow::Result<RuleFolder> {
        let texts = self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        RuleFolder::load_from_texts(texts).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("the rulebook folder has faults:\n{}", faults.join("\n"))
        })
    }
}

fn layer_of(text: &str) -> Option<CalendarLayer> {
    CalendarSet::load_from_texts([("calendars/one.toml", text)]).ok()?.layers().first().cloned()
}

fn rulebook_of(text: &str) -> Option<Rulebook> {
    rulebook::parse("rulebook.toml", text).ok()
}

fn collect(folder: &Path, prefix: &str, texts: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().map(|name| format!("{prefix}{}", name.to_string_lossy())) else { continue };
        if path.is_dir() {
            collect(&path, &format!("{name}/"), texts)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            texts.push((name, text));
        }
    }
    Ok(())
}
