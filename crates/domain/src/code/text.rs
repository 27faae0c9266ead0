//! What the three codes share: cleaning a cell's text, finding the wrong character, serde.

use super::{CodeError, CodeKind};

/// First two digits of the provinces (domain.md m.2). The Xinjiang Production and Construction
/// Corps may have 66 of its own; no source confirms it, so it is not listed.
pub(super) const PROVINCES: [u8; 34] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71, 81, 82,
];

/// Removes blanks at both ends, folds full-width forms and lower case.
pub(super) fn clean(kind: CodeKind, text: &str) -> Result<String, CodeError> {
    let cleaned: String = text
        .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
        .chars()
        .map(|c| match c {
            // Full-width ASCII (U+FF01 to U+FF5E) lies a fixed distance above ASCII.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            other => other,
        })
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if cleaned.is_empty() {
        return Err(CodeError::Empty { kind });
    }
    Ok(cleaned)
}

/// Refuses the first character that is no digit; positions count from `first_position`.
pub(super) fn require_digits(kind: CodeKind, text: &str, first_position: usize) -> Result<(), CodeError> {
    match text.chars().enumerate().find(|(_, c)| !c.is_ascii_digit()) {
        Some((index, found)) => Err(CodeError::NotADigit { kind, position: first_position + index, found }),
        None => Ok(()),
    }
}

/// The number that a run of digits spells; only called after [`require_digits`].
pub(super) fn number(digits: &str) -> u32 {
    digits.bytes().fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')))
}

/// Serialises a code as its text, reads it back through `FromStr`, and describes it as a string in
/// OpenAPI documents.
macro_rules! serde_as_text {
    ($type:ty, $expecting:literal, $example:literal) => {
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($expecting))
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $type {}

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str($expecting)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
pub(super) use serde_as_text;
