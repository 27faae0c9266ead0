//! Reading the folder of rules (`rulebook/`) as texts. What stands in them is the domain's business; a service does not
//! start with a fault in any.

use std::path::Path;

use anyhow::Context as _;
use domain::rulebook::RuleFolder;

/// Every TOML text below a folder, by its path with `/` as separator, e.g. `calendars/national-2026.toml`.
#[derive(Debug)]
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

    /// The rulebooks and calendars among the texts; the error lists every fault.
    pub fn rules(&self) -> anyhow::Result<RuleFolder> {
        let texts = self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        RuleFolder::load_from_texts(texts).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("the rulebook folder has faults:\n{}", faults.join("\n"))
        })
    }
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
