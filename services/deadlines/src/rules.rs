//! The rules as this service reads them: rulebooks, calendars, the agencies' code words.

use anyhow::Context as _;
use domain::agencies::AgencyWords;
use domain::calendar::Calendar;
use domain::local_time::local_date;
use domain::rulebook::{RuleFolder, Rulebook};
use jiff::Timestamp;
use service_kit::rule_texts::RuleTexts;

use crate::config::RulebookSection;

/// The word of an urging order's number is looked up under this key.
const URGING_ORDER: &str = "urging_order";

/// Everything that is data and not code.
#[derive(Debug)]
pub struct RuleSet {
    folder: RuleFolder,
    province: String,
    words: AgencyWords,
}

impl RuleSet {
    /// Reads and checks the folder; the service does not start with a fault in it.
    pub fn load(section: &RulebookSection) -> anyhow::Result<Self> {
        let texts = RuleTexts::read(&section.folder)?;
        let folder = texts.rules()?;
        let province = folder
            .rulebooks()
            .iter()
            .find(|rulebook| rulebook.id == section.policy)
            .map(|rulebook| rulebook.province.clone())
            .with_context(|| format!("rulebook.policy: the folder has no rulebook {}", section.policy))?;
        let file = format!("{}/agencies.toml", section.policy);
        let words = AgencyWords::parse(texts.text(&file)?).with_context(|| file.clone())?;
        anyhow::ensure!(
            words.kind(URGING_ORDER).is_some_and(|word| !word.is_empty()),
            "{file}: kind_words.{URGING_ORDER} is missing"
        );
        Ok(Self { folder, province, words })
    }

    /// The rulebook for what begins at that instant.
    pub fn rulebook_at(&self, at: Timestamp) -> Option<&Rulebook> {
        self.folder.rulebook_on(&self.province, local_date(at))
    }

    /// The rulebook that a rectification began with.
    pub fn rulebook(&self, version: &str) -> Option<&Rulebook> {
        self.folder.rulebook(version)
    }

    /// The division whose calendar counts for a unit: its county's, or the province's for provincial units.
    pub fn division<'a>(&'a self, county_code: Option<&'a str>) -> &'a str {
        county_code.unwrap_or(&self.province)
    }

    /// The calendar of a division.
    pub fn calendar(&self, division: &str) -> Calendar {
        self.folder.calendars().for_division(division)
    }

    /// The code word of an agency by its unit key.
    pub fn agency_word(&self, unit_key: &str) -> Option<&str> {
        self.words.agency(unit_key)
    }

    /// The kind word of urging orders.
    pub fn urging_word(&self) -> &str {
        self.words.kind(URGING_ORDER).unwrap_or_default()
    }
}
