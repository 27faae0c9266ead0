//! The code words of document numbers (发文机关代字), as data of a province.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The text `agencies.toml`: the agency's word by its unit key, and the word of each kind of paper.
///
/// A serial runs without gap for each agency word, kind word and year; kinds with the same word share one series.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyWords {
    kind_words: BTreeMap<String, String>,
    agency_words: BTreeMap<String, String>,
}

impl AgencyWords {
    /// Reads the text; the error names line and key.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The word of the agency with this unit key, e.g. `琼教督委`.
    pub fn agency(&self, unit_key: &str) -> Option<&str> {
        self.agency_words.get(unit_key).map(String::as_str)
    }

    /// The word of a kind of paper by its key, e.g. `urging_order`; `Some("")` for kinds of the main series.
    pub fn kind(&self, kind_key: &str) -> Option<&str> {
        self.kind_words.get(kind_key).map(String::as_str)
    }

    /// The unit keys that have a word.
    pub fn agencies(&self) -> impl Iterator<Item = &str> {
        self.agency_words.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_other_keys_refused() {
        let words = AgencyWords::parse(
            "[kind_words]\nplan = \"\"\nurging_order = \"督\"\n[agency_words]\noffice-460000 = \"琼教督委\"\n",
        )
        .unwrap();
        assert_eq!(words.agency("office-460000"), Some("琼教督委"));
        assert_eq!(words.kind("plan"), Some(""));
        assert_eq!(words.kind("urging_order"), Some("督"));
        assert_eq!(words.kind("other"), None);
        let error = AgencyWords::parse("[kind_words]\n[agency_words]\n[agencies]\n").unwrap_err();
        assert!(error.to_string().contains("agencies"), "{error}");
    }
}
