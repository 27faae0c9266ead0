//! School identifiers (学校(机构)标识码), domain.md m.2.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CodeError, CodeKind,
    text::{PROVINCES, clean, number, require_digits, serde_as_text},
};

/// Type of a school: the first two digits of its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchoolKind {
    /// 11, 幼儿园.
    Kindergarten,
    /// 21, 小学.
    Primary,
    /// 22, 成人小学.
    AdultPrimary,
    /// 31, 初级中学.
    Junior,
    /// 32, 职业初中.
    VocationalJunior,
    /// 33, 成人初中.
    AdultJunior,
    /// 34, 高级中学; complete secondary schools (完全中学) as well.
    Senior,
    /// 35, 成人高中.
    AdultSenior,
    /// 36, 中等职业学校.
    SecondaryVocational,
    /// 37, 工读学校.
    WorkStudy,
    /// 41, 普通高等学校.
    RegularHigher,
    /// 42, 成人高等学校.
    AdultHigher,
    /// 51, 特殊教育学校.
    Special,
    /// 91, 培养研究生的科研机构.
    ResearchBody,
    /// 92, 民办的其他高等教育机构.
    OtherPrivateHigher,
    /// 93, 中等职业培训机构.
    SecondaryVocationalTraining,
}

impl SchoolKind {
    /// Every kind, in the order of its type digits.
    pub const ALL: [Self; 16] = [
        Self::Kindergarten,
        Self::Primary,
        Self::AdultPrimary,
        Self::Junior,
        Self::VocationalJunior,
        Self::AdultJunior,
        Self::Senior,
        Self::AdultSenior,
        Self::SecondaryVocational,
        Self::WorkStudy,
        Self::RegularHigher,
        Self::AdultHigher,
        Self::Special,
        Self::ResearchBody,
        Self::OtherPrivateHigher,
        Self::SecondaryVocationalTraining,
    ];

    /// The two type digits.
    pub const fn type_code(self) -> u8 {
        match self {
            Self::Kindergarten => 11,
            Self::Primary => 21,
            Self::AdultPrimary => 22,
            Self::Junior => 31,
            Self::VocationalJunior => 32,
            Self::AdultJunior => 33,
            Self::Senior => 34,
            Self::AdultSenior => 35,
            Self::SecondaryVocational => 36,
            Self::WorkStudy => 37,
            Self::RegularHigher => 41,
            Self::AdultHigher => 42,
            Self::Special => 51,
            Self::ResearchBody => 91,
            Self::OtherPrivateHigher => 92,
            Self::SecondaryVocationalTraining => 93,
        }
    }

    /// The kind with these type digits.
    pub fn from_type_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_code() == code)
    }

    /// Official Chinese name, as in the column 学校类别 of an import.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Kindergarten => "幼儿园",
            Self::Primary => "小学",
            Self::AdultPrimary => "成人小学",
            Self::Junior => "初级中学",
            Self::VocationalJunior => "职业初中",
            Self::AdultJunior => "成人初中",
            Self::Senior => "高级中学",
            Self::AdultSenior => "成人高中",
            Self::SecondaryVocational => "中等职业学校",
            Self::WorkStudy => "工读学校",
            Self::RegularHigher => "普通高等学校",
            Self::AdultHigher => "成人高等学校",
            Self::Special => "特殊教育学校",
            Self::ResearchBody => "培养研究生的科研机构",
            Self::OtherPrivateHigher => "民办的其他高等教育机构",
            Self::SecondaryVocationalTraining => "中等职业培训机构",
        }
    }

    /// The kind with this Chinese name; blanks around it do not matter.
    pub fn from_zh(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.zh() == name.trim())
    }

    /// English name.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Kindergarten => "kindergarten",
            Self::Primary => "primary school",
            Self::AdultPrimary => "adult primary school",
            Self::Junior => "junior middle school",
            Self::VocationalJunior => "vocational junior middle school",
            Self::AdultJunior => "adult junior middle school",
            Self::Senior => "senior middle school",
            Self::AdultSenior => "adult senior middle school",
            Self::SecondaryVocational => "secondary vocational school",
            Self::WorkStudy => "work-study school",
            Self::RegularHigher => "regular higher education institution",
            Self::AdultHigher => "adult higher education institution",
            Self::Special => "special education school",
            Self::ResearchBody => "research body training graduates",
            Self::OtherPrivateHigher => "other private higher education institution",
            Self::SecondaryVocationalTraining => "secondary vocational training institution",
        }
    }

    /// Whether the provincial agency supervises schools of this kind itself (高等院校及其他高等
    /// 教育机构, measure 2); all others are supervised by the county's agency.
    pub const fn is_higher(self) -> bool {
        match self {
            Self::RegularHigher | Self::AdultHigher | Self::ResearchBody | Self::OtherPrivateHigher => true,
            Self::Kindergarten
            | Self::Primary
            | Self::AdultPrimary
            | Self::Junior
            | Self::VocationalJunior
            | Self::AdultJunior
            | Self::Senior
            | Self::AdultSenior
            | Self::SecondaryVocational
            | Self::WorkStudy
            | Self::Special
            | Self::SecondaryVocationalTraining => false,
        }
    }
}

/// Ten digits: type, province, serial. There is no check digit; a void code is never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchoolCode {
    kind: SchoolKind,
    province: u8,
    serial: u32,
}

impl SchoolCode {
    /// Puts a code together.
    ///
    /// # Errors
    /// The province does not exist, or the serial has more than six digits.
    pub fn try_new(kind: SchoolKind, province: u8, serial: u32) -> Result<Self, CodeError> {
        if !PROVINCES.contains(&province) {
            return Err(CodeError::UnknownProvince { kind: CodeKind::School, position: 3, found: province });
        }
        if serial > 999_999 {
            return Err(CodeError::SerialTooLarge { found: serial });
        }
        Ok(Self { kind, province, serial })
    }

    /// Type of the school.
    pub const fn kind(self) -> SchoolKind {
        self.kind
    }

    /// The two digits of the province that gave the code.
    pub const fn province(self) -> u8 {
        self.province
    }

    /// Serial within type and province; no ranking. For a university it is its old five-digit code.
    pub const fn serial(self) -> u32 {
        self.serial
    }
}

impl FromStr for SchoolCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let kind = CodeKind::School;
        let text = clean(kind, text)?;
        require_digits(kind, &text, 1)?;
        let wrong_length = CodeError::Length { kind, found: text.len() };
        if text.len() != 10 {
            return Err(wrong_length);
        }
        let (types, rest) = text.split_at(2);
        let (province, serial) = rest.split_at(2);
        let found = u8::try_from(number(types)).map_err(|_| wrong_length.clone())?;
        let school = SchoolKind::from_type_code(found).ok_or(CodeError::UnknownSchoolType { found })?;
        let province = u8::try_from(number(province)).map_err(|_| wrong_length)?;
        Self::try_new(school, province, number(serial))
    }
}

impl fmt::Display for SchoolCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}{:02}{:06}", self.kind.type_code(), self.province, self.serial)
    }
}

serde_as_text!(SchoolCode, "a school identifier of ten digits", "2146000001");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hainan_university_is_type_41_of_province_46() {
        let code: SchoolCode = "4146010589".parse().unwrap();
        assert_eq!(code.kind(), SchoolKind::RegularHigher);
        assert_eq!((code.province(), code.serial()), (46, 10_589));
        assert!(code.kind().is_higher());
        assert_eq!(code.to_string(), "4146010589");
    }

    #[test]
    fn every_kind_is_found_by_digits_and_by_name() {
        for kind in SchoolKind::ALL {
            assert_eq!(SchoolKind::from_type_code(kind.type_code()), Some(kind));
            assert_eq!(SchoolKind::from_zh(&format!(" {} ", kind.zh())), Some(kind));
        }
        assert_eq!(SchoolKind::from_type_code(12), None);
        assert_eq!(SchoolKind::from_zh("大学堂"), None);
    }

    #[test]
    fn each_fault_says_where_and_what_to_do() {
        let kind = CodeKind::School;
        for (text, error) in [
            ("", CodeError::Empty { kind }),
            ("214600001", CodeError::Length { kind, found: 9 }),
            ("21460000x1", CodeError::NotADigit { kind, position: 9, found: 'X' }),
            ("2046000001", CodeError::UnknownSchoolType { found: 20 }),
            ("2199000001", CodeError::UnknownProvince { kind, position: 3, found: 99 }),
        ] {
            assert_eq!(text.parse::<SchoolCode>(), Err(error), "{text}");
        }
        assert_eq!(
            SchoolCode::try_new(SchoolKind::Primary, 46, 1_000_000),
            Err(CodeError::SerialTooLarge { found: 1_000_000 })
        );
        let error = "2099000001".parse::<SchoolCode>().unwrap_err();
        assert!(error.zh().contains("小学为21"), "{}", error.zh());
    }

    proptest! {
        /// The parser accepts exactly what the pattern of domain.md m.2 accepts.
        #[test]
        fn ten_digits_are_a_code_when_type_and_province_exist(
            types in 0u8..100, province in 0u8..100, serial in 0u32..1_000_000,
        ) {
            let text = format!("{types:02}{province:02}{serial:06}");
            let type_known = matches!(types, 11 | 21 | 22 | 31..=37 | 41 | 42 | 51 | 91..=93);
            let province_known = matches!(
                province,
                11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81 | 82
            );
            let parsed = text.parse::<SchoolCode>();
            prop_assert_eq!(parsed.is_ok(), type_known && province_known);
            if let Ok(code) = parsed {
                prop_assert_eq!(code.to_string(), text);
                let json = serde_json::to_string(&code).unwrap();
                prop_assert_eq!(serde_json::from_str::<SchoolCode>(&json).unwrap(), code);
            }
        }
    }
}
