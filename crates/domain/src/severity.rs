//! How grave a finding is (严重程度): it decides the periods of `rulebook`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The severity of a finding, from light to grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 一般.
    Minor,
    /// 较大.
    Major,
    /// 重大.
    Serious,
    /// 危及生命安全: handled at once (条例第十四条).
    Immediate,
}

/// The text named no severity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown severity {0:?}")]
pub struct UnknownSeverity(pub String);

impl Severity {
    /// Every severity, from light to grave.
    pub const ALL: [Self; 4] = [Self::Minor, Self::Major, Self::Serious, Self::Immediate];

    /// The stable key in data, events and columns.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Serious => "serious",
            Self::Immediate => "immediate",
        }
    }

    /// The official Chinese term.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Minor => "一般",
            Self::Major => "较大",
            Self::Serious => "重大",
            Self::Immediate => "危及生命安全",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key())
    }
}

impl std::str::FromStr for Severity {
    type Err = UnknownSeverity;

    /// Accepts the key and the Chinese term.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.key() == text || severity.zh() == text)
            .ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_term_and_json_name_the_same_severity() {
        for severity in Severity::ALL {
            assert_eq!(severity.key().parse(), Ok(severity));
            assert_eq!(severity.zh().parse(), Ok(severity));
            assert_eq!(serde_json::to_string(&severity).unwrap(), format!("\"{}\"", severity.key()));
        }
        assert!("轻微".parse::<Severity>().is_err());
    }
}
