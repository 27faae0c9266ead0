//! Why a text is not a code, and what to do about it.

/// Which of the three codes was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeKind {
    /// Administrative division (行政区划代码).
    Division,
    /// School identifier (学校标识码).
    School,
    /// Unified social credit code (统一社会信用代码).
    Credit,
    /// Organisation code (组织机构代码), characters 9 to 17 of the credit code.
    Organisation,
}

impl CodeKind {
    /// Official Chinese name.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Division => "行政区划代码",
            Self::School => "学校标识码",
            Self::Credit => "统一社会信用代码",
            Self::Organisation => "组织机构代码",
        }
    }

    /// English name.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Division => "division code",
            Self::School => "school identifier",
            Self::Credit => "unified social credit code",
            Self::Organisation => "organisation code",
        }
    }

    const fn length_zh(self) -> &'static str {
        match self {
            Self::Division => "6位数字（洋浦经济开发区为9位：460400499）",
            Self::School => "10位数字",
            Self::Credit => "18位",
            Self::Organisation => "8位本体代码",
        }
    }

    const fn length_en(self) -> &'static str {
        match self {
            Self::Division => "6 digits (9 for Yangpu: 460400499)",
            Self::School => "10 digits",
            Self::Credit => "18 characters",
            Self::Organisation => "8 characters before the check character",
        }
    }
}

/// A text that is not the expected code. Positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.en())]
pub enum CodeError {
    /// Nothing but blanks.
    Empty {
        /// The code expected.
        kind: CodeKind,
    },
    /// Too short or too long; typical for a code that a spreadsheet turned into a number.
    Length {
        /// The code expected.
        kind: CodeKind,
        /// Number of characters found.
        found: usize,
    },
    /// A digit must stand here.
    NotADigit {
        /// The code expected.
        kind: CodeKind,
        /// Position of the character.
        position: usize,
        /// The character found.
        found: char,
    },
    /// A character outside the alphabet of the credit code (no I, O, S, V, Z).
    NotInAlphabet {
        /// The code expected.
        kind: CodeKind,
        /// Position of the character.
        position: usize,
        /// The character found.
        found: char,
    },
    /// The two digits of the province are none that exist.
    UnknownProvince {
        /// The code expected.
        kind: CodeKind,
        /// Position of the first of the two digits.
        position: usize,
        /// The two digits.
        found: u8,
    },
    /// The first two digits of a school identifier name no school type (domain.md m.2).
    UnknownSchoolType {
        /// The two digits.
        found: u8,
    },
    /// Nine digits that are not the one special code admitted.
    UnknownNineDigits {
        /// The number found.
        found: u32,
    },
    /// A serial number that does not fit into six digits.
    SerialTooLarge {
        /// The number given.
        found: u32,
    },
    /// A check character is wrong and nobody has given a reason to accept the code all the same.
    CheckNeedsReason {
        /// Which check failed.
        fault: super::CheckFault,
    },
}

/// What was probably meant by a letter that the credit code never uses.
const fn likely(found: char) -> Option<char> {
    match found {
        'O' => Some('0'),
        'I' => Some('1'),
        'S' => Some('5'),
        'Z' => Some('2'),
        'V' => Some('U'),
        _ => None,
    }
}

impl CodeError {
    /// What is wrong, where, and the remedy, in Simplified Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Empty { kind } => format!("{}为空，请填写{}", kind.zh(), kind.length_zh()),
            Self::Length { kind, found } => format!(
                "{}应为{}，现为{found}位；请核对原始证件，并将单元格设为文本格式以免丢失数字",
                kind.zh(),
                kind.length_zh()
            ),
            Self::NotADigit { kind, position, found } => {
                format!("{}第{position}位应为数字，现为“{found}”；请改为0至9的数字", kind.zh())
            }
            Self::NotInAlphabet { kind, position, found } => {
                let remedy = likely(*found)
                    .map_or_else(|| "请核对原始证件".to_owned(), |meant| format!("请核对是否应为“{meant}”"));
                format!(
                    "{}第{position}位“{found}”不是允许的字符（数字和除I、O、S、V、Z以外的大写字母）；{remedy}",
                    kind.zh()
                )
            }
            Self::UnknownProvince { kind, position, found } => {
                format!("{}第{position}至{}位“{found:02}”不是有效的省级代码；海南省为46", kind.zh(), position + 1)
            }
            Self::UnknownSchoolType { found } => {
                format!("学校标识码第1至2位“{found:02}”不是有效的学校类别代码；例如幼儿园为11、小学为21、初级中学为31")
            }
            Self::UnknownNineDigits { found } => {
                format!("9位行政区划代码仅限洋浦经济开发区460400499，现为{found}；请改填6位代码")
            }
            Self::SerialTooLarge { found } => {
                format!("学校标识码的顺序号最多6位，现为{found}；请改填000000至999999")
            }
            Self::CheckNeedsReason { fault } => {
                format!("{}；如确认代码无误，请填写采用理由", fault.zh())
            }
        }
    }

    /// What is wrong, where, and the remedy, in English.
    pub fn en(&self) -> String {
        match self {
            Self::Empty { kind } => {
                format!("the {} is empty; enter {}", kind.en(), kind.length_en())
            }
            Self::Length { kind, found } => format!(
                "the {} must have {}, found {found}; compare with the certificate and format the cell as text",
                kind.en(),
                kind.length_en()
            ),
            Self::NotADigit { kind, position, found } => {
                format!("character {position} of the {} must be a digit, found '{found}'; enter 0 to 9", kind.en())
            }
            Self::NotInAlphabet { kind, position, found } => {
                let remedy = likely(*found).map_or_else(
                    || "compare with the certificate".to_owned(),
                    |meant| format!("check whether '{meant}' is meant"),
                );
                format!(
                    "character {position} of the {}, '{found}', is not admitted (digits and capitals without I, O, S, V, Z); {remedy}",
                    kind.en()
                )
            }
            Self::UnknownProvince { kind, position, found } => format!(
                "characters {position} and {} of the {}, {found:02}, name no province; Hainan is 46",
                position + 1,
                kind.en()
            ),
            Self::UnknownSchoolType { found } => format!(
                "characters 1 and 2 of the school identifier, {found:02}, name no type of school; a kindergarten is 11, a primary school 21, a junior middle school 31"
            ),
            Self::UnknownNineDigits { found } => format!(
                "the only division code of nine digits is Yangpu's 460400499, found {found}; enter a code of six digits"
            ),
            Self::SerialTooLarge { found } => format!(
                "the serial of a school identifier has at most six digits, found {found}; enter 000000 to 999999"
            ),
            Self::CheckNeedsReason { fault } => {
                format!("{}; if the code is right all the same, give the reason for accepting it", fault.en())
            }
        }
    }
}
