//! The rules that the tool works with: a folder that is named or stands here, else the copies inside the tool.

use std::path::Path;

use domain::rulebook::RuleFolder;
use service_kit::rule_texts::RuleTexts;

/// The folder that is taken when none is named and it exists.
const HERE: &str = "rulebook";

macro_rules! copies {
    ($($file:literal,)+) => {
        /// The rules as they stood when the tool was built, so that it works anywhere.
        pub const COPIES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../../../rulebook/", $file))),)+];
    };
}

copies! {
    "calendars/county-469028.toml",
    "calendars/hainan.toml",
    "calendars/national-2024.toml",
    "calendars/national-2025.toml",
    "calendars/national-2026.toml",
    "calendars/national-2027.toml",
    "hainan-2021/counties/469028.toml",
    "hainan-2021/machines.toml",
    "hainan-2021/rulebook.toml",
}

/// Reads the rules: from the folder when one is named, from `./rulebook` when that has calendars, else the copies.
pub fn load(folder: Option<&Path>) -> anyhow::Result<RuleFolder> {
    let here = Path::new(HERE);
    match folder {
        Some(folder) => RuleTexts::read(folder)?.rules(),
        None if here.join("calendars").is_dir() => RuleTexts::read(here)?.rules(),
        None => RuleFolder::load_from_texts(COPIES.iter().copied()).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("the rules inside the tool have faults:\n{}", faults.join("\n"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A calendar or a county that is added to the folder must be added to the copies.
    #[test]
    fn the_copies_are_all_that_the_folder_has() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
        let from_disk = load(Some(&folder)).unwrap();
        let copies = RuleFolder::load_from_texts(COPIES.iter().copied()).unwrap();
        assert_eq!(from_disk, copies);
    }
}
