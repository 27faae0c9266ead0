//! The rules as this service reads them: rulebooks and calendars, the implementation plan, the agencies' code words, the
//! templates of documents.

use anyhow::Context as _;
use contracts::shared::DocumentKind;
use documents::{Template, Templates};
use domain::agencies::AgencyWords;
use domain::calendar::Calendar;
use domain::policy::Policy;
use domain::rulebook::{RuleFolder, Rulebook};
use jiff::civil::Date;
use service_kit::rule_texts::RuleTexts;

use crate::config::RulebookSection;

/// Everything that is data and not code.
#[derive(Debug)]
pub struct Rules {
    folder: RuleFolder,
    province: String,
    province_name: String,
    /// The implementation plan with units and divisions.
    pub policy: Policy,
    words: AgencyWords,
    templates: Templates,
}

impl Rules {
    /// Reads and checks the folder; the service does not start with a fault in it.
    pub fn load(section: &RulebookSection) -> anyhow::Result<Self> {
        let texts = RuleTexts::read(&section.folder)?;
        let folder = texts.rules()?;
        let text = |name: &str| texts.text(&format!("{}/{name}", section.policy));
        let policy = Policy::parse(text("measures.toml")?, text("units.toml")?, text("divisions.toml")?)
            .context("the implementation plan")?;
        let words = AgencyWords::parse(text("agencies.toml")?).context("agencies.toml")?;
        let (province, province_name) = policy
            .divisions
            .iter()
            .find(|division| division.parent.is_none())
            .map(|division| (division.code.to_string(), division.name.clone()))
            .context("divisions.toml has no province")?;
        for key in words.agencies() {
            anyhow::ensure!(policy.unit(key).is_some(), "agencies.toml: {key} is no unit of units.toml");
        }
        for kind in DocumentKind::ALL {
            anyhow::ensure!(
                words.kind(kind.as_str()).is_some(),
                "agencies.toml: kind_words.{} is missing",
                kind.as_str()
            );
        }
        let templates = Templates::load(&section.folder.join("documents"))?;
        Ok(Self { folder, province, province_name, policy, words, templates })
    }

    /// Official name of the province.
    pub fn province_name(&self) -> &str {
        &self.province_name
    }

    /// The rulebook for what begins on that day.
    pub fn rulebook_on(&self, date: Date) -> Option<&Rulebook> {
        self.folder.rulebook_on(&self.province, date)
    }

    /// The rulebook that a case began with.
    pub fn rulebook(&self, version: &str) -> Option<&Rulebook> {
        self.folder.rulebook(version)
    }

    /// The calendar of the place where a body that must act is located.
    pub fn calendar(&self, county_code: Option<&str>) -> Calendar {
        self.folder.calendars().for_division(county_code.unwrap_or(&self.province))
    }

    /// The agency's code word (机关代字) by its unit key.
    pub fn agency_word(&self, unit_key: &str) -> Option<&str> {
        self.words.agency(unit_key)
    }

    /// The version of the templates that documents of that day are issued with.
    pub fn template(&self, on: Date) -> Option<&str> {
        self.templates.in_force(on).map(Template::version)
    }

    /// The word of a kind of paper; empty for papers that share the agency's main series.
    pub fn kind_word(&self, kind: DocumentKind) -> Option<&str> {
        self.words.kind(kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_rules_of_this_tree_load_and_every_county_agency_has_a_word() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
        let rules = Rules::load(&RulebookSection { folder, policy: "hainan-2021".to_owned() }).unwrap();
        for unit in &rules.policy.units {
            if unit.kind == domain::policy::UnitKind::SupervisionAgency {
                assert!(rules.agency_word(unit.key.as_str()).is_some(), "{}", unit.key);
            }
        }
        assert_eq!(rules.agency_word("office-460000"), Some("琼教督委"));
    }
}
