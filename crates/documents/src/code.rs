//! The code for verification (核验码): short enough to type, derived from the content's hash.

use std::fmt;
use std::str::FromStr;

/// Crockford's base 32: no I, L, O and U.
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
    'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];
/// Characters of a code; five bits each.
const LENGTH: usize = 12;

/// The first 60 bits of the SHA-256 of a frozen content, written `XXXX-XXXX-XXXX`.
///
/// It finds a document; that the document is the right one is said by the whole hash. Among a hundred million
/// documents, the chance that any two share a code is below one in two hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerificationCode(u64);

/// Why a text is no verification code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not twelve characters beside hyphens and blanks.
    #[error("核验码应为12个字符 | a code has 12 characters")]
    Length,
    /// A character that codes do not have.
    #[error("核验码中没有字符“{0}” | codes do not have the character '{0}'")]
    Character(char),
}

impl VerificationCode {
    /// The code of a SHA-256 digest.
    pub fn of_digest(digest: &[u8; 32]) -> Self {
        let first = digest.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        Self(first >> 4)
    }
}

impl fmt::Display for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..LENGTH).rev() {
            let digit = (self.0 >> (place * 5)) & 31;
            let letter = usize::try_from(digit).ok().and_then(|digit| ALPHABET.get(digit)).unwrap_or(&'0');
            write!(f, "{letter}")?;
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
        }
        Ok(())
    }
}

impl FromStr for VerificationCode {
    type Err = CodeError;

    /// Tolerant of what people type: small letters, missing or other hyphens, blanks, full-width forms, O for 0, I and L
    /// for 1.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut bits = 0_u64;
        let mut length = 0;
        for original in text.chars() {
            if original.is_whitespace() || ['-', '_', '.', '—', '–', '－', '‐', '‑'].contains(&original) {
                continue;
            }
            let letter = match half_width(original).to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let digit = ALPHABET.iter().position(|known| *known == letter).ok_or(CodeError::Character(original))?;
            length += 1;
            if length > LENGTH {
                return Err(CodeError::Length);
            }
            bits = (bits << 5) | u64::try_from(digit).unwrap_or_default();
        }
        if length == LENGTH { Ok(Self(bits)) } else { Err(CodeError::Length) }
    }
}

/// Chinese input methods write full-width letters and digits.
fn half_width(letter: char) -> char {
    match u32::from(letter) {
        full @ 0xFF01..=0xFF5E => char::from_u32(full - 0xFEE0).unwrap_or(letter),
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = VerificationCode::of_digest(&[0x08; 32]);
        assert_eq!(code.to_string(), "1040-G208-1040");
        for typed in ["1040-G208-1040", "1040g2081040", " lo4O g2o8 IO4o ", "１０４０—G208_1040"] {
            assert_eq!(typed.parse(), Ok(code), "{typed}");
        }
        assert_eq!("1040-G208-104".parse::<VerificationCode>(), Err(CodeError::Length));
        assert_eq!("1040-G208-10400".parse::<VerificationCode>(), Err(CodeError::Length));
        assert_eq!("1040-G208-104U".parse::<VerificationCode>(), Err(CodeError::Character('U')));
        assert_eq!("督办".parse::<VerificationCode>(), Err(CodeError::Character('督')));
    }

    #[test]
    fn writing_and_reading_are_inverse() {
        for seed in 0..=255_u8 {
            let digest: [u8; 32] = std::array::from_fn(|place| {
                seed.wrapping_mul(31).wrapping_add(u8::try_from(place).unwrap().wrapping_mul(97))
            });
            let code = VerificationCode::of_digest(&digest);
            assert_eq!(code.to_string().len(), 14);
            assert_eq!(code.to_string().to_lowercase().parse(), Ok(code));
        }
    }
}
