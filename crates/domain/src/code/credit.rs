//! Unified social credit codes (统一社会信用代码, GB 32100-2015), domain.md m.3.

use std::{fmt, str::FromStr};

use super::{
    CodeError, CodeKind, DivisionCode,
    text::{clean, require_digits, serde_as_text},
};

/// The 31 characters of the code; the place of each is its value. I, O, S, V, Z are left out.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/// 3^i mod 31 for the first 17 characters.
const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Weights of the organisation code (GB 11714) for its first 8 characters.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// Eighteen characters of the right form, and whether the two check characters agree.
///
/// A failing check is no reason to refuse: codes that fail are in real use (domain.md m.3). Whoever
/// stores one asks for a reason first, see [`CreditCode::accept`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreditCode {
    text: String,
    check: CheckState,
}

/// Whether the check characters of a credit code agree with the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckState {
    /// Both agree.
    Passed,
    /// At least one does not: probably a typing error, to be confirmed with a reason.
    Failed(CheckFault),
}

/// Which check characters disagree; at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CheckFault {
    /// Character 17, the check of the organisation code in characters 9 to 16.
    pub organisation: Option<Mismatch>,
    /// Character 18, the check of the whole code.
    pub total: Option<Mismatch>,
}

/// A check character as found and as computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mismatch {
    /// The character that stands in the code.
    pub found: char,
    /// The character that the others ask for.
    pub expected: char,
}

impl CheckFault {
    /// The warning in Simplified Chinese.
    pub fn zh(&self) -> String {
        let part = |position: u8, name: &str, mismatch: &Mismatch| {
            format!("统一社会信用代码第{position}位{name}为“{}”，按规则应为“{}”", mismatch.found, mismatch.expected)
        };
        let parts: Vec<String> = [
            self.organisation.as_ref().map(|it| part(17, "（组织机构代码校验码）", it)),
            self.total.as_ref().map(|it| part(18, "（校验码）", it)),
        ]
        .into_iter()
        .flatten()
        .collect();
        format!("{}；请逐位核对原始证件", parts.join("；"))
    }

    /// The warning in English.
    pub fn en(&self) -> String {
        let part = |position: u8, name: &str, mismatch: &Mismatch| {
            format!(
                "character {position} of the unified social credit code ({name}) is '{}' but should be '{}'",
                mismatch.found, mismatch.expected
            )
        };
        let parts: Vec<String> = [
            self.organisation.as_ref().map(|it| part(17, "check of the organisation code", it)),
            self.total.as_ref().map(|it| part(18, "check of the whole", it)),
        ]
        .into_iter()
        .flatten()
        .collect();
        format!("{}; compare each character with the certificate", parts.join("; "))
    }
}

/// The registering department: the first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registrar {
    /// 1, staffing office (机构编制): state bodies and public institutions.
    StaffingOffice,
    /// 5, civil affairs (民政): private non-enterprise schools among others.
    CivilAffairs,
    /// 9, market regulation (市场监管): companies, for-profit schools.
    MarketRegulation,
    /// Any other department.
    Other(char),
}

/// A credit code that may be stored: its checks agree, or someone has given a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedCreditCode {
    /// The code.
    pub code: CreditCode,
    /// Why a code with a failing check is accepted; `None` when the checks agree.
    pub override_reason: Option<String>,
}

impl CreditCode {
    /// Reads a code. A failing check character is not an error but stands in [`Self::check`].
    ///
    /// # Errors
    /// Wrong length, a character outside the alphabet, or no digits where the division stands.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let kind = CodeKind::Credit;
        let text = clean(kind, text)?;
        let found = text.chars().count();
        if found != 18 {
            return Err(CodeError::Length { kind, found });
        }
        values(kind, &text, 1)?;
        let part = |range| text.get(range).unwrap_or_default();
        require_digits(kind, part(2..8), 3)?;
        let organisation = mismatch(part(16..17), organisation_check_character(part(8..16))?);
        let total = mismatch(part(17..18), credit_check_character(part(0..17))?);
        let check = if organisation.is_none() && total.is_none() {
            CheckState::Passed
        } else {
            CheckState::Failed(CheckFault { organisation, total })
        };
        Ok(Self { text, check })
    }

    /// Puts a valid code together: computes both check characters.
    ///
    /// `department` and `kind` are the first two characters, `organisation` the eight before the
    /// organisation code's check character.
    ///
    /// # Errors
    /// A character outside the alphabet, or an organisation code that has not eight of them.
    pub fn compose(
        department: char,
        kind: char,
        division: DivisionCode,
        organisation: &str,
    ) -> Result<Self, CodeError> {
        let check = organisation_check_character(organisation)?;
        let body = format!("{department}{kind}{:06}{organisation}{check}", division.six_digits());
        let check = credit_check_character(&body)?;
        Self::parse(&format!("{body}{check}"))
    }

    /// Whether the check characters agree.
    pub const fn check(&self) -> CheckState {
        self.check
    }

    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The registering department.
    pub fn registrar(&self) -> Registrar {
        match self.text.chars().next().unwrap_or_default() {
            '1' => Registrar::StaffingOffice,
            '5' => Registrar::CivilAffairs,
            '9' => Registrar::MarketRegulation,
            other => Registrar::Other(other),
        }
    }

    /// Admits the code for storing: as it is when its checks agree, else only with a reason.
    ///
    /// # Errors
    /// [`CodeError::CheckNeedsReason`] when a check fails and the reason is missing or blank.
    pub fn accept(self, reason: Option<&str>) -> Result<AcceptedCreditCode, CodeError> {
        match self.check {
            CheckState::Passed => Ok(AcceptedCreditCode { code: self, override_reason: None }),
            CheckState::Failed(fault) => match reason.map(str::trim) {
                Some(reason) if !reason.is_empty() => {
                    Ok(AcceptedCreditCode { code: self, override_reason: Some(reason.to_owned()) })
                }
                Some(_) | None => Err(CodeError::CheckNeedsReason { fault }),
            },
        }
    }
}

/// The 18th character for the first 17.
///
/// # Errors
/// Not 17 characters, or one outside the alphabet.
pub fn credit_check_character(first_17: &str) -> Result<char, CodeError> {
    let kind = CodeKind::Credit;
    let values = values(kind, first_17, 1)?;
    if values.len() != WEIGHTS.len() {
        return Err(CodeError::Length { kind, found: values.len() });
    }
    let sum: u32 = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    Ok(character((31 - sum % 31) % 31))
}

/// The 9th character of an organisation code (GB 11714) for its first 8: digits count as
/// themselves, letters from A = 10 to Z = 35.
///
/// # Errors
/// Not eight characters, or one that is neither digit nor capital letter.
pub fn organisation_check_character(first_8: &str) -> Result<char, CodeError> {
    let kind = CodeKind::Organisation;
    let found = first_8.chars().count();
    if found != ORGANISATION_WEIGHTS.len() {
        return Err(CodeError::Length { kind, found });
    }
    let mut sum = 0;
    for ((index, found), weight) in first_8.chars().enumerate().zip(ORGANISATION_WEIGHTS) {
        let value = match found {
            '0'..='9' | 'A'..='Z' => found.to_digit(36).unwrap_or_default(),
            _ => {
                return Err(CodeError::NotInAlphabet { kind, position: index + 1, found });
            }
        };
        sum += value * weight;
    }
    Ok(match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => character(digit),
    })
}

fn values(kind: CodeKind, text: &str, first_position: usize) -> Result<Vec<u32>, CodeError> {
    text.chars()
        .enumerate()
        .map(|(index, found)| {
            ALPHABET.find(found).and_then(|value| u32::try_from(value).ok()).ok_or(CodeError::NotInAlphabet {
                kind,
                position: first_position + index,
                found,
            })
        })
        .collect()
}

fn character(value: u32) -> char {
    usize::try_from(value).ok().and_then(|value| ALPHABET.chars().nth(value)).unwrap_or_default()
}

fn mismatch(found: &str, expected: char) -> Option<Mismatch> {
    let found = found.chars().next().unwrap_or_default();
    (found != expected).then_some(Mismatch { found, expected })
}

impl FromStr for CreditCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::parse(text)
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

serde_as_text!(CreditCode, "a unified social credit code of 18 characters", "1246000042800001XA");

#[cfg(test)]
mod tests;
