//! A plausible province as spreadsheets: what the import of `registry` is fed with.
//!
//! The generator is deterministic: the same seed gives the same rows. It knows the rules of the
//! codes from `domain::code` and the real tree from `rulebook/hainan-2021/`; names of schools are
//! made up from place words and numbers, persons have labels only (督学0001). No passwords.
//!
//! # Files and columns
//!
//! The first row of each sheet holds the headers exactly as written here. All codes are text cells
//! (never numbers: leading zeros and fifteen-digit precision), counts and hours are number cells,
//! days are date cells (`yyyy-mm-dd`) in XLSX and ISO text in CSV. An empty cell means "none".
//!
//! ## `units.xlsx`, sheet `行政区划` (one row a division; parents before children)
//!
//! | column | meaning |
//! |---|---|
//! | `代码` | `DivisionCode`: six digits, or the nine of Yangpu, `460400499` |
//! | `名称` | official full name |
//! | `上级代码` | code of the parent; empty for the province (Yangpu hangs under `460000`, it is a county unit of its own) |
//! | `层级` | `province`, `county_unit` or `district` |
//! | `生效日期` | first day on which the row is in force |
//!
//! ## `units.xlsx`, sheet `部门` (departments, governments, supervision agencies, education bureaus)
//!
//! | column | meaning |
//! |---|---|
//! | `单位键` | stable key: `gov-<code>` (海口市人民政府), `office-<code>` (海口市人民政府教育督导委员会办公室), `edu-<code>` (海口市教育局; `edu-460000` = 海南省教育厅), or the key of a department in `rulebook/hainan-2021/units.toml` |
//! | `名称` | official full name |
//! | `类别` | `department`, `government`, `supervision_agency` or `education_bureau` |
//! | `所属区划代码` | division that the unit belongs to |
//! | `统一社会信用代码` | 18 characters or empty |
//! | `主管单位键` | unit key of the competent department (主管部门) above; empty at the top |
//!
//! ## `units.xlsx`, sheet `学校` (about 4,500 rows)
//!
//! | column | meaning |
//! |---|---|
//! | `学校标识码` | ten digits (domain.md m.2), the first two agree with `学校类别` |
//! | `名称` | full name |
//! | `学校类别` | `SchoolKind::zh()`: 幼儿园, 小学, 初级中学, 高级中学, 中等职业学校, 特殊教育学校, 普通高等学校, … |
//! | `所在区划代码` | the district where there is one, else the county unit |
//! | `举办者` | `公办` or `民办` |
//! | `统一社会信用代码` | 18 characters or empty |
//! | `在校生数` | number of students |
//! | `主管单位键` | unit key of the education bureau of the county unit, `edu-460000` for what the province administers |
//!
//! ## `inspectors.xlsx`, sheet `督学` (1,000 rows)
//!
//! | column | meaning |
//! |---|---|
//! | `督学编号` | stable number of the inspector, e.g. `HN-0001` |
//! | `姓名` | label, e.g. `督学0001` |
//! | `所属区划代码` | county unit (or the province) that appointed the inspector |
//! | `专兼职` | `专职` or `兼职` |
//! | `级别` | `省级` or `市县级` |
//! | `聘期起`, `聘期止` | first and last day of the term of appointment |
//! | `年度培训学时` | hours of training in this year |
//!
//! ## `accounts.csv` (UTF-8 with a byte order mark, comma, header line)
//!
//! | column | meaning |
//! |---|---|
//! | `账号` | account name, lower case ASCII, unique |
//! | `显示名` | the post, e.g. 海口市教育局督导室负责人 |
//! | `角色` | `province_office_admin`, `county_office_admin`, `desk_officer`, `inspector`, `committee_chair`, `unit_principal`, `unit_contact`, `competent_department_officer`, `publicity_officer`, `auditor`, `operator` |
//! | `区划代码` | scope: the division and all below it |
//! | `单位` | unit key or school code that the account belongs to; may be empty |
//! | `督学编号` | number in the sheet 督学, for `inspector` only |
//! | `邮箱` | address under `hainan.example` |
//! | `语言` | `zh-CN` or `en` |

mod chance;
mod faults;
mod people;
mod schools;
mod table;

use std::path::Path;

use domain::{
    code::{CodeError, CreditCode, DivisionCode, SchoolCode, SchoolKind},
    policy::{Division, DivisionLevel, Policy, PolicyError, Unit, UnitKey},
};
use jiff::civil::Date;

use chance::Chance;
pub use faults::{ExpectedFault, FaultKind};
pub use table::{Cell, Table, Tables};

/// The plan of Hainan, whose tree and departments the generated province uses.
pub const MEASURES_TOML: &str = include_str!("../../rulebook/hainan-2021/measures.toml");
/// The units of Hainan.
pub const UNITS_TOML: &str = include_str!("../../rulebook/hainan-2021/units.toml");
/// The divisions of Hainan.
pub const DIVISIONS_TOML: &str = include_str!("../../rulebook/hainan-2021/divisions.toml");

/// Everything the import of a province needs, as typed rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Province {
    /// Sheet 行政区划.
    pub divisions: Vec<Division>,
    /// Sheet 部门.
    pub units: Vec<UnitRow>,
    /// Sheet 学校.
    pub schools: Vec<SchoolRow>,
    /// Sheet 督学.
    pub inspectors: Vec<InspectorRow>,
    /// `accounts.csv`.
    pub accounts: Vec<AccountRow>,
}

/// A row of the sheet 部门.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// The unit.
    pub unit: Unit,
    /// Its credit code.
    pub credit: Option<CreditCode>,
}

/// A row of the sheet 学校.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolRow {
    /// Identifier; its first two digits are the kind.
    pub code: SchoolCode,
    /// Full name, unique in the province.
    pub name: String,
    /// Kind.
    pub kind: SchoolKind,
    /// County unit that the school lies in.
    pub county: DivisionCode,
    /// District, or the county unit where there is none: the column 所在区划代码.
    pub division: DivisionCode,
    /// Whether the school is public (公办).
    pub public: bool,
    /// Credit code, for about three in four.
    pub credit: Option<CreditCode>,
    /// Number of students.
    pub students: u32,
    /// Key of the competent department.
    pub competent: UnitKey,
}

/// A row of the sheet 督学.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectorRow {
    /// Number, `HN-0001`.
    pub number: String,
    /// Label, 督学0001.
    pub name: String,
    /// Division that appointed the inspector.
    pub division: DivisionCode,
    /// Full time (专职) or part time (兼职).
    pub full_time: bool,
    /// Appointed by the province (省级).
    pub provincial: bool,
    /// First day of the term.
    pub term_from: Date,
    /// Last day of the term.
    pub term_to: Date,
    /// Hours of training this year; 40 are asked for (domain.md f).
    pub training_hours: u32,
}

impl InspectorRow {
    /// Whether the term covers a day.
    pub fn in_term_on(&self, day: Date) -> bool {
        self.term_from <= day && day <= self.term_to
    }
}

/// A row of `accounts.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Account name.
    pub account: String,
    /// The post.
    pub display_name: String,
    /// Role.
    pub role: Role,
    /// Scope.
    pub division: DivisionCode,
    /// Unit key or school code.
    pub unit: Option<String>,
    /// Number of the inspector.
    pub inspector: Option<String>,
    /// Mail address.
    pub mail: String,
    /// `zh-CN` or `en`.
    pub language: &'static str,
}

/// Role of an account in the import (domain.md b.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Administrator of the province's committee office.
    ProvinceOfficeAdmin,
    /// Administrator of a county's committee office.
    CountyOfficeAdmin,
    /// Desk officer (督管员) of an office.
    DeskOfficer,
    /// Inspector (督学).
    Inspector,
    /// Chair of the Committee.
    CommitteeChair,
    /// Principal of a supervised unit.
    UnitPrincipal,
    /// Contact of a supervised unit.
    UnitContact,
    /// Officer of a competent department (主管部门).
    CompetentDepartmentOfficer,
    /// Officer who approves publication.
    PublicityOfficer,
    /// Auditor, reads only.
    Auditor,
    /// Operator of the installation.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 11] = [
        Self::ProvinceOfficeAdmin,
        Self::CountyOfficeAdmin,
        Self::DeskOfficer,
        Self::Inspector,
        Self::CommitteeChair,
        Self::UnitPrincipal,
        Self::UnitContact,
        Self::CompetentDepartmentOfficer,
        Self::PublicityOfficer,
        Self::Auditor,
        Self::Operator,
    ];

    /// The word in the column 角色.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ProvinceOfficeAdmin => "province_office_admin",
            Self::CountyOfficeAdmin => "county_office_admin",
            Self::DeskOfficer => "desk_officer",
            Self::Inspector => "inspector",
            Self::CommitteeChair => "committee_chair",
            Self::UnitPrincipal => "unit_principal",
            Self::UnitContact => "unit_contact",
            Self::CompetentDepartmentOfficer => "competent_department_officer",
            Self::PublicityOfficer => "publicity_officer",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}

/// Why a province could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum ProvinceError {
    /// The data of the rulebook do not hold.
    #[error("the rulebook cannot be used")]
    Rulebook(#[from] PolicyError),
    /// A generated code breaks the rules of its kind.
    #[error("a generated code is wrong")]
    Code(#[from] CodeError),
    /// A workbook could not be written.
    #[error("the workbook cannot be written")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The list of accounts could not be written.
    #[error("the list of accounts cannot be written")]
    Csv(#[from] csv::Error),
    /// A file could not be written.
    #[error("the file cannot be written")]
    File(#[from] std::io::Error),
}

impl Province {
    /// Makes the province of a seed: the same seed, the same rows.
    ///
    /// # Errors
    /// Only if the rulebook's data are broken.
    pub fn try_generate(seed: u64) -> Result<Self, ProvinceError> {
        let policy = Policy::parse(MEASURES_TOML, UNITS_TOML, DIVISIONS_TOML)?;
        let mut chance = Chance::new(seed);
        let mut credits = Credits::default();
        let units = policy
            .units
            .iter()
            .map(|unit| {
                // Supervision agencies sit in the education bureau and have no code of their own.
                let credit = match unit.kind {
                    domain::policy::UnitKind::SupervisionAgency => None,
                    domain::policy::UnitKind::Department
                    | domain::policy::UnitKind::Government
                    | domain::policy::UnitKind::EducationBureau => Some(credits.state_body(unit.division)?),
                };
                Ok(UnitRow { unit: unit.clone(), credit })
            })
            .collect::<Result<Vec<_>, CodeError>>()?;
        let schools = schools::generate(&policy, &mut chance, &mut credits)?;
        let inspectors = people::inspectors(&policy, &schools, &mut chance);
        let accounts = people::accounts(&policy, &schools, &inspectors);
        Ok(Self { divisions: policy.divisions, units, schools, inspectors, accounts })
    }

    /// Makes the province of a seed.
    ///
    /// # Panics
    /// If the rulebook's data are broken, which the tests of `domain::policy` exclude.
    #[expect(clippy::panic, reason = "a fixture; callers are tests and the demo")]
    pub fn generate(seed: u64) -> Self {
        Self::try_generate(seed).unwrap_or_else(|error| panic!("no province: {error}"))
    }

    /// The county units (市县) of the tree.
    pub fn county_units(&self) -> impl Iterator<Item = &Division> {
        self.divisions.iter().filter(|it| it.level == DivisionLevel::CountyUnit)
    }

    /// The rows as tables with headers, ready to be written.
    pub fn tables(&self) -> Tables {
        Tables::of(self)
    }

    /// The tables with `faults` rows spoilt, no two in one row, and what is wrong where.
    ///
    /// The faults go round the kinds of [`FaultKind::ALL`] and touch no row that another row or an
    /// account refers to, so nothing else is wrong.
    pub fn tables_with_faults(&self, seed: u64, faults: usize) -> (Tables, Vec<ExpectedFault>) {
        faults::spoil(self, seed, faults)
    }

    /// Writes `units.xlsx` with the sheets 行政区划, 部门, 学校.
    ///
    /// # Errors
    /// The workbook or the file cannot be written.
    pub fn write_units_xlsx(&self, path: &Path) -> Result<(), ProvinceError> {
        Ok(std::fs::write(path, self.tables().units_xlsx()?)?)
    }

    /// Writes `inspectors.xlsx` with the sheet 督学.
    ///
    /// # Errors
    /// The workbook or the file cannot be written.
    pub fn write_inspectors_xlsx(&self, path: &Path) -> Result<(), ProvinceError> {
        Ok(std::fs::write(path, self.tables().inspectors_xlsx()?)?)
    }

    /// Writes `accounts.csv`.
    ///
    /// # Errors
    /// The list or the file cannot be written.
    pub fn write_accounts_csv(&self, path: &Path) -> Result<(), ProvinceError> {
        Ok(std::fs::write(path, self.tables().accounts_csv()?)?)
    }

    /// Writes the three files into a folder, which must exist.
    ///
    /// # Errors
    /// One of the files cannot be written.
    pub fn write_to(&self, folder: &Path) -> Result<(), ProvinceError> {
        self.tables().write_to(folder)
    }
}

/// Gives out credit codes, each once.
#[derive(Debug, Default)]
struct Credits {
    next: u32,
}

impl Credits {
    fn serial(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// A body of Party or government: staffing office, kind 1.
    fn state_body(&mut self, division: DivisionCode) -> Result<CreditCode, CodeError> {
        CreditCode::compose('1', '1', division, &format!("008{:05}", self.serial()))
    }

    /// A public institution: staffing office, kind 2.
    fn public_school(&mut self, division: DivisionCode) -> Result<CreditCode, CodeError> {
        CreditCode::compose('1', '2', division, &format!("428{:05}", self.serial()))
    }

    /// A private non-enterprise unit: civil affairs, kind 2.
    fn private_school(&mut self, division: DivisionCode) -> Result<CreditCode, CodeError> {
        CreditCode::compose('5', '2', division, &format!("MJY{:05}", self.serial()))
    }

    /// A company running a school for profit: market regulation, kind 1.
    fn for_profit_school(&mut self, division: DivisionCode) -> Result<CreditCode, CodeError> {
        CreditCode::compose('9', '1', division, &format!("MA5{:05}", self.serial()))
    }
}

#[cfg(test)]
mod tests;
