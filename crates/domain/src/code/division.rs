//! Administrative divisions (行政区划代码), domain.md m.1.

use std::{fmt, str::FromStr};

use super::{
    CodeError, CodeKind,
    text::{PROVINCES, clean, number, require_digits, serde_as_text},
};

/// Six digits of GB/T 2260, or the nine of Yangpu, which counts as a county unit of its own but
/// has only a statistical township-level code under Danzhou.
///
/// Which division lies in which is data (`rulebook/*/divisions.toml` and the register), because it
/// does not follow from the digits: Yangpu is no part of Danzhou here, and 4690 is a
/// pseudo-prefecture (省直辖县级行政区划).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DivisionCode(u32);

/// What the digits alone say about a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DivisionShape {
    /// `PP0000`.
    Province,
    /// `PPCC00`.
    Prefecture,
    /// `PPCCDD`.
    County,
    /// Nine digits: the zone of Yangpu.
    Zone,
}

impl DivisionCode {
    /// Hainan (海南省).
    pub const HAINAN: Self = Self(460_000);
    /// Yangpu Economic Development Zone (洋浦经济开发区).
    pub const YANGPU: Self = Self(460_400_499);

    /// The province that the division lies in.
    #[must_use]
    pub const fn province(self) -> Self {
        Self(self.six_digits() / 10_000 * 10_000)
    }

    /// The first six digits: the division code of the registering office in a credit code.
    pub const fn six_digits(self) -> u32 {
        if self.0 > 999_999 { self.0 / 1_000 } else { self.0 }
    }

    /// What the digits alone say.
    pub const fn shape(self) -> DivisionShape {
        if self.0 > 999_999 {
            DivisionShape::Zone
        } else if self.0.is_multiple_of(10_000) {
            DivisionShape::Province
        } else if self.0.is_multiple_of(100) {
            DivisionShape::Prefecture
        } else {
            DivisionShape::County
        }
    }
}

impl FromStr for DivisionCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let kind = CodeKind::Division;
        let text = clean(kind, text)?;
        require_digits(kind, &text, 1)?;
        if text.len() != 6 && text.len() != 9 {
            return Err(CodeError::Length { kind, found: text.len() });
        }
        let code = Self(number(&text));
        if text.len() == 9 && code != Self::YANGPU {
            return Err(CodeError::UnknownNineDigits { found: code.0 });
        }
        let province = number(text.get(..2).unwrap_or_default());
        match u8::try_from(province) {
            Ok(found) if PROVINCES.contains(&found) => Ok(code),
            Ok(found) => Err(CodeError::UnknownProvince { kind, position: 1, found }),
            Err(_) => Err(CodeError::Length { kind, found: text.len() }),
        }
    }
}

impl fmt::Display for DivisionCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:06}", self.0)
    }
}

serde_as_text!(DivisionCode, "a division code of six digits, or 460400499 for Yangpu", "460100");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_codes_of_hainan_have_their_shapes() {
        for (text, shape) in [
            ("460000", DivisionShape::Province),
            ("460100", DivisionShape::Prefecture),
            ("460400", DivisionShape::Prefecture),
            ("460105", DivisionShape::County),
            ("469030", DivisionShape::County),
            ("460400499", DivisionShape::Zone),
        ] {
            let code: DivisionCode = text.parse().unwrap();
            assert_eq!(code.shape(), shape, "{text}");
            assert_eq!(code.to_string(), text);
            assert_eq!(code.province(), DivisionCode::HAINAN);
        }
        assert_eq!(DivisionCode::YANGPU.six_digits(), 460_400);
    }

    #[test]
    fn what_spreadsheets_do_to_a_code_is_forgiven() {
        for text in [" 460100", "460100\u{3000}", "４６０１００", "\u{feff}460100\r\n"] {
            assert_eq!(text.parse::<DivisionCode>().unwrap().to_string(), "460100");
        }
    }

    #[test]
    fn each_fault_says_where_and_what_to_do() {
        let kind = CodeKind::Division;
        for (text, error) in [
            ("  ", CodeError::Empty { kind }),
            ("46010", CodeError::Length { kind, found: 5 }),
            ("4601000", CodeError::Length { kind, found: 7 }),
            ("4601O0", CodeError::NotADigit { kind, position: 5, found: 'O' }),
            ("990100", CodeError::UnknownProvince { kind, position: 1, found: 99 }),
            ("460400498", CodeError::UnknownNineDigits { found: 460_400_498 }),
        ] {
            assert_eq!(text.parse::<DivisionCode>(), Err(error), "{text}");
        }
        let error = "4601海0".parse::<DivisionCode>().unwrap_err();
        assert_eq!(error.zh(), "行政区划代码第5位应为数字，现为“海”；请改为0至9的数字");
        assert!(error.en().starts_with("character 5 of the division code"));
    }

    #[test]
    fn json_is_the_text() {
        let json = serde_json::to_string(&DivisionCode::YANGPU).unwrap();
        assert_eq!(json, "\"460400499\"");
        assert_eq!(serde_json::from_str::<DivisionCode>(&json).unwrap(), DivisionCode::YANGPU);
        let error = serde_json::from_str::<DivisionCode>("\"46\"").unwrap_err();
        assert!(error.to_string().contains("6 digits"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_or_a_fault_with_both_texts(text in "\\PC{0,12}") {
            match text.parse::<DivisionCode>() {
                Ok(code) => prop_assert_eq!(code.to_string().parse::<DivisionCode>(), Ok(code)),
                Err(error) => prop_assert!(!error.zh().is_empty() && !error.en().is_empty()),
            }
        }
    }
}
