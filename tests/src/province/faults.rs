//! Spoilt rows, and what an import must say about each.

use std::collections::BTreeSet;

use super::{Cell, Chance, Province, Table, Tables};

/// What is wrong with a spoilt row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The check character of a school's credit code fails: a warning, the row may be taken
    /// over with a reason (domain.md m.3).
    CreditCheck,
    /// A school lies in a division that the tree lacks.
    UnknownDivision,
    /// A school has the identifier of an earlier row; the later row is the bad one.
    DuplicateCode,
    /// A school has no name.
    MissingName,
    /// The kind of a school is no word that exists.
    UnknownKind,
    /// The kind of a school exists but contradicts the first two digits of its identifier.
    KindContradictsCode,
    /// A school identifier lost its last digit.
    ShortSchoolCode,
    /// The number of students is a formula with an error.
    FormulaError,
    /// The competent department of a school is a key that does not exist.
    UnknownCompetent,
    /// The first day of an inspector's term is a day that the calendar lacks (2026年9月31日).
    NoDate,
    /// An inspector is neither full nor part time.
    UnknownEmployment,
    /// An account has a role that does not exist.
    UnknownRole,
}

impl FaultKind {
    /// Every kind, in the order in which rows are spoilt.
    pub const ALL: [Self; 12] = [
        Self::CreditCheck,
        Self::UnknownDivision,
        Self::DuplicateCode,
        Self::MissingName,
        Self::UnknownKind,
        Self::KindContradictsCode,
        Self::ShortSchoolCode,
        Self::FormulaError,
        Self::UnknownCompetent,
        Self::NoDate,
        Self::UnknownEmployment,
        Self::UnknownRole,
    ];

    /// Whether the row must stay out; otherwise it is a warning.
    pub const fn blocks(self) -> bool {
        match self {
            Self::CreditCheck => false,
            Self::UnknownDivision
            | Self::DuplicateCode
            | Self::MissingName
            | Self::UnknownKind
            | Self::KindContradictsCode
            | Self::ShortSchoolCode
            | Self::FormulaError
            | Self::UnknownCompetent
            | Self::NoDate
            | Self::UnknownEmployment
            | Self::UnknownRole => true,
        }
    }

    const fn header(self) -> &'static str {
        match self {
            Self::CreditCheck => "统一社会信用代码",
            Self::UnknownDivision => "所在区划代码",
            Self::DuplicateCode | Self::ShortSchoolCode => "学校标识码",
            Self::MissingName => "名称",
            Self::UnknownKind | Self::KindContradictsCode => "学校类别",
            Self::FormulaError => "在校生数",
            Self::UnknownCompetent => "主管单位键",
            Self::NoDate => "聘期起",
            Self::UnknownEmployment => "专兼职",
            Self::UnknownRole => "角色",
        }
    }
}

/// What an import must report about one spoilt row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedFault {
    /// Sheet, or `accounts.csv`.
    pub sheet: &'static str,
    /// Row as a spreadsheet program counts: the headers are row 1.
    pub row: usize,
    /// Header of the column.
    pub column: &'static str,
    /// What is wrong.
    pub kind: FaultKind,
}

pub(super) fn spoil(province: &Province, seed: u64, faults: usize) -> (Tables, Vec<ExpectedFault>) {
    let mut tables = province.tables();
    let mut chance = Chance::new(seed);
    let mut free = Free::of(province);
    let mut expected = Vec::new();
    for kind in FaultKind::ALL.into_iter().cycle().take(faults) {
        if let Some(fault) = spoil_one(kind, province, &mut tables, &mut free, &mut chance) {
            expected.push(fault);
        }
    }
    (tables, expected)
}

/// Rows that nothing refers to and that are not yet spoilt.
struct Free {
    schools: BTreeSet<usize>,
    inspectors: BTreeSet<usize>,
    accounts: BTreeSet<usize>,
}

impl Free {
    fn of(province: &Province) -> Self {
        let named = |text: &str| {
            province.accounts.iter().any(|it| it.unit.as_deref() == Some(text) || it.inspector.as_deref() == Some(text))
        };
        let indices =
            |free: Vec<bool>| free.into_iter().enumerate().filter_map(|(index, free)| free.then_some(index)).collect();
        let schools = province.schools.iter();
        let inspectors = province.inspectors.iter();
        Self {
            schools: indices(schools.map(|it| !named(&it.code.to_string())).collect()),
            inspectors: indices(inspectors.map(|it| !named(&it.number)).collect()),
            accounts: (0..province.accounts.len()).collect(),
        }
    }
}

fn take(free: &mut BTreeSet<usize>, chance: &mut Chance, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let fitting: Vec<usize> = free.iter().copied().filter(|it| fits(*it)).collect();
    let taken = *fitting.get(chance.below(fitting.len()))?;
    free.remove(&taken);
    Some(taken)
}

fn spoil_one(
    kind: FaultKind,
    province: &Province,
    tables: &mut Tables,
    free: &mut Free,
    chance: &mut Chance,
) -> Option<ExpectedFault> {
    let schools = &province.schools;
    let (table, index, cell): (&mut Table, usize, Cell) = match kind {
        FaultKind::CreditCheck => {
            let index = take(&mut free.schools, chance, |it| schools[it].credit.is_some())?;
            let code = schools[index].credit.as_ref()?.as_str();
            let (body, check) = code.split_at_checked(17)?;
            let wrong = if check == "0" { '1' } else { '0' };
            (&mut tables.schools, index, Cell::Text(format!("{body}{wrong}")))
        }
        FaultKind::DuplicateCode => {
            // The row before, of the same kind and unspoilt, lends its identifier and stays clean.
            let clean = free.schools.clone();
            let index = take(&mut free.schools, chance, |it| {
                it > 0 && clean.contains(&(it - 1)) && schools[it - 1].kind == schools[it].kind
            })?;
            free.schools.remove(&(index - 1));
            let code = schools[index - 1].code.to_string();
            (&mut tables.schools, index, Cell::Text(code))
        }
        FaultKind::UnknownDivision
        | FaultKind::MissingName
        | FaultKind::UnknownKind
        | FaultKind::KindContradictsCode
        | FaultKind::ShortSchoolCode
        | FaultKind::FormulaError
        | FaultKind::UnknownCompetent => {
            let index = take(&mut free.schools, chance, |_| true)?;
            let school = &schools[index];
            let cell = match kind {
                FaultKind::UnknownDivision => Cell::Text("469099".to_owned()),
                FaultKind::MissingName => Cell::Empty,
                FaultKind::UnknownKind => Cell::Text("大学堂".to_owned()),
                FaultKind::KindContradictsCode => Cell::Text("工读学校".to_owned()),
                FaultKind::ShortSchoolCode => Cell::Text(school.code.to_string().chars().take(9).collect()),
                FaultKind::UnknownCompetent => Cell::Text("edu-469099".to_owned()),
                _ => Cell::FormulaError,
            };
            (&mut tables.schools, index, cell)
        }
        FaultKind::NoDate => {
            let index = take(&mut free.inspectors, chance, |_| true)?;
            (&mut tables.inspectors, index, Cell::Text("2026年9月31日".to_owned()))
        }
        FaultKind::UnknownEmployment => {
            let index = take(&mut free.inspectors, chance, |_| true)?;
            (&mut tables.inspectors, index, Cell::Text("临时".to_owned()))
        }
        FaultKind::UnknownRole => {
            let index = take(&mut free.accounts, chance, |_| true)?;
            (&mut tables.accounts, index, Cell::Text("headmaster".to_owned()))
        }
    };
    let column = table.column(kind.header());
    table.rows[index][column] = cell;
    Some(ExpectedFault { sheet: table.name, row: index + 2, column: kind.header(), kind })
}
