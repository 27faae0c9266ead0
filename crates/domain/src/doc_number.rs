//! Numbers of official documents (发文字号), e.g. `琼教督委〔2026〕12号`.
//!
//! Hexagonal brackets, no `第`, no leading zeros (GB/T 9704-2012, 7.2.5). The serial is gap-free per agency word,
//! kind word and year; giving it out is the service's work, this type only writes and reads it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// The number of one official document (发文字号).
///
/// Two numbers are equal when they read the same, wherever the agency word ends and the kind word begins.
#[derive(Clone, Debug)]
pub struct DocNumber {
    agency_word: String,
    kind_word: Option<String>,
    year: i16,
    serial: u32,
}

/// Why a text is no document number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocNumberError {
    /// The agency word or the kind word is empty or holds brackets, digits, blanks or 第.
    #[error("the word {0:?} may hold Chinese characters only, and not 第")]
    Word(String),
    /// The year is not between 1949 and 9999.
    #[error("the year {0:?} is not a year of four digits from 1949 on")]
    Year(String),
    /// The serial is zero, padded with zeros or no number.
    #[error("the serial {0:?} is not a number from 1 on without leading zeros")]
    Serial(String),
    /// The brackets are not 〔 and 〕, or 号 is missing.
    #[error("{0:?} is not of the form word〔year〕serial号 with hexagonal brackets")]
    Form(String),
}

impl DocNumber {
    /// Builds a number from its parts, checking each.
    pub fn try_new(agency_word: &str, kind_word: Option<&str>, year: i16, serial: u32) -> Result<Self, DocNumberError> {
        check_word(agency_word)?;
        if let Some(word) = kind_word {
            check_word(word)?;
        }
        if !(1949..=9999).contains(&year) {
            return Err(DocNumberError::Year(year.to_string()));
        }
        if serial == 0 {
            return Err(DocNumberError::Serial(serial.to_string()));
        }
        Ok(Self { agency_word: agency_word.to_owned(), kind_word: kind_word.map(str::to_owned), year, serial })
    }

    /// The agency's code word (机关代字); for a parsed number the whole word before the bracket.
    pub fn agency_word(&self) -> &str {
        &self.agency_word
    }

    /// The word of the kind of paper, such as 督 for an urging order, where the number was built with one.
    pub fn kind_word(&self) -> Option<&str> {
        self.kind_word.as_deref()
    }

    /// The year in the brackets.
    pub const fn year(&self) -> i16 {
        self.year
    }

    /// The serial, from 1 on.
    pub const fn serial(&self) -> u32 {
        self.serial
    }

    fn key(&self) -> (String, i16, u32) {
        let mut word = self.agency_word.clone();
        word.push_str(self.kind_word.as_deref().unwrap_or_default());
        (word, self.year, self.serial)
    }
}

fn check_word(word: &str) -> Result<(), DocNumberError> {
    let good = !word.is_empty() && word.chars().all(|c| ('\u{4e00}'..='\u{9fff}').contains(&c) && c != '第');
    if good { Ok(()) } else { Err(DocNumberError::Word(word.to_owned())) }
}

impl fmt::Display for DocNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind_word.as_deref().unwrap_or_default();
        write!(f, "{}{kind}〔{}〕{}号", self.agency_word, self.year, self.serial)
    }
}

impl FromStr for DocNumber {
    type Err = DocNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || DocNumberError::Form(text.to_owned());
        let (word, rest) = text.split_once('〔').ok_or_else(form)?;
        let (year, rest) = rest.split_once('〕').ok_or_else(form)?;
        let serial = rest.strip_suffix('号').ok_or_else(form)?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if year.len() != 4 || !digits(year) {
            return Err(DocNumberError::Year(year.to_owned()));
        }
        if !digits(serial) || serial.starts_with('0') {
            return Err(DocNumberError::Serial(serial.to_owned()));
        }
        let year_number = year.parse().map_err(|_| DocNumberError::Year(year.to_owned()))?;
        let serial_number = serial.parse().map_err(|_| DocNumberError::Serial(serial.to_owned()))?;
        Self::try_new(word, None, year_number, serial_number)
    }
}

impl utoipa::PartialSchema for DocNumber {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .examples(["琼教督委〔2026〕12号"])
            .into()
    }
}

impl ToSchema for DocNumber {}

impl PartialEq for DocNumber {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for DocNumber {}

impl PartialOrd for DocNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DocNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl std::hash::Hash for DocNumber {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Serialize for DocNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_hexagonal_brackets_and_no_padding() {
        let number = DocNumber::try_new("琼教督委", None, 2026, 12).unwrap();
        assert_eq!(number.to_string(), "琼教督委〔2026〕12号");
        let order = DocNumber::try_new("琼教督委", Some("督"), 2026, 1).unwrap();
        assert_eq!(order.to_string(), "琼教督委督〔2026〕1号");
        assert_eq!(order.to_string().parse(), Ok(order));
    }

    #[test]
    fn real_numbers_parse_and_print_the_same() {
        for text in ["国教督〔2021〕2号", "苏教督委〔2022〕4号", "琼办发〔2021〕13号", "国教督办函〔2018〕16号"]
        {
            assert_eq!(text.parse::<DocNumber>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn wrong_forms_are_refused_for_their_reason() {
        let reason = |text: &str| text.parse::<DocNumber>().unwrap_err();
        assert!(matches!(reason("琼教督委〔2026〕012号"), DocNumberError::Serial(_)));
        assert!(matches!(reason("琼教督委〔2026〕第12号"), DocNumberError::Serial(_)));
        assert!(matches!(reason("琼教督委[2026]12号"), DocNumberError::Form(_)));
        assert!(matches!(reason("琼教督委（2026）12号"), DocNumberError::Form(_)));
        assert!(matches!(reason("琼教督委〔26〕12号"), DocNumberError::Year(_)));
        assert!(matches!(reason("〔2026〕12号"), DocNumberError::Word(_)));
        assert!(matches!(reason("琼教督委〔2026〕0号"), DocNumberError::Serial(_)));
    }
}
