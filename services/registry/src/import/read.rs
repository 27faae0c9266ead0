//! From sheets to typed rows. What a single row can say about itself is checked here; whether what it refers to exists is
//! checked when it is resolved against the register.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use access::Role;
use contracts::registry::{AreaLevel, UnitKind};
use domain::code::{CheckState, CodeError, CreditCode, DivisionCode, SchoolCode, SchoolKind};
use jiff::civil::Date;
use problem::Text;

use super::{
    ImportKind,
    cell::{Cell, fold},
    file::{Row, Sheet},
    report::Remark,
    table::{Found, Match, Table, missing_column, recognise},
};

/// Longest name, in characters.
const MAX_NAME: usize = 200;

/// Where a row stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The sheet.
    pub sheet: Arc<str>,
    /// The row.
    pub row: u32,
}

impl Place {
    /// A remark about a column of this row.
    pub(crate) fn remark(&self, column: &str, reason: Text) -> Remark {
        Remark { sheet: self.sheet.to_string(), row: self.row, column: column.to_owned(), reason: reason.into() }
    }
}

/// A row that is right in itself.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    /// Where it stands.
    pub at: Place,
    /// What it says.
    pub data: T,
}

/// A row of 行政区划.
#[derive(Debug, Clone)]
pub(crate) struct AreaRow {
    pub code: String,
    pub name: String,
    pub parent: Option<String>,
    pub level: AreaLevel,
    pub effective_on: Option<Date>,
}

/// A row of 部门 or 学校.
#[derive(Debug, Clone)]
pub(crate) struct UnitRow {
    pub key: String,
    pub school: Option<(SchoolCode, SchoolKind)>,
    pub name: String,
    pub kind: UnitKind,
    pub area: String,
    pub competent: Option<String>,
    pub private: bool,
    pub students: Option<i32>,
    pub credit: Option<String>,
    pub valid_from: Option<Date>,
}

/// A row of 督学.
#[derive(Debug, Clone)]
pub(crate) struct InspectorRow {
    pub number: String,
    pub name: String,
    pub area: String,
    pub full_time: bool,
    pub grade: Option<String>,
    pub term_from: Date,
    pub term_to: Date,
    pub training_hours: Option<i32>,
    pub valid_from: Option<Date>,
}

/// A row of the accounts.
#[derive(Debug, Clone)]
pub(crate) struct AccountRow {
    pub login: String,
    pub display_name: String,
    pub roles: Vec<Role>,
    pub area: Option<String>,
    pub unit: Option<String>,
    pub inspector: Option<String>,
    pub email: Option<String>,
    pub language: Option<&'static str>,
    pub valid_from: Option<Date>,
}

/// The rows of one table and which optional columns its sheet has.
#[derive(Debug, Clone)]
pub(crate) struct Rows<T> {
    /// Rows that are right in themselves.
    pub good: Vec<Placed<T>>,
    /// Optional columns that are there; what a missing one would say stays as the register has it.
    pub columns: HashSet<&'static str>,
    /// Rows read, right or wrong.
    pub read: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { good: Vec::new(), columns: HashSet::new(), read: 0 }
    }
}

/// A file as far as it can be understood by itself.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub areas: Rows<AreaRow>,
    pub units: Rows<UnitRow>,
    pub schools: Rows<UnitRow>,
    pub inspectors: Rows<InspectorRow>,
    pub accounts: Rows<AccountRow>,
    /// Tables found, complete or not.
    pub tables: Vec<Table>,
    pub rejected: Vec<Remark>,
    pub warnings: Vec<Remark>,
    pub ignored_sheets: Vec<String>,
}

/// Reads the tables of one kind of import out of the sheets.
pub(crate) fn parse(sheets: &[Sheet], kind: ImportKind) -> Parsed {
    let mut parsed = Parsed::default();
    for sheet in sheets {
        match recognise(sheet, kind.tables()) {
            Match::Foreign => parsed.ignored_sheets.push(sheet.name.clone()),
            Match::Incomplete(table, row, missing) => {
                parsed.tables.push(table);
                let at = Place { sheet: Arc::from(sheet.name.as_str()), row };
                for header in missing {
                    parsed.rejected.push(at.remark(header, missing_column(table, header)));
                }
            }
            // Two sheets that look alike: the first is meant, the other would only contradict it.
            Match::Table(table, _) if parsed.tables.contains(&table) => parsed.ignored_sheets.push(sheet.name.clone()),
            Match::Table(table, found) => {
                parsed.tables.push(table);
                parsed.read_table(table, &found);
            }
        }
    }
    parsed
}

impl Parsed {
    fn read_table(&mut self, table: Table, found: &Found<'_>) {
        let said = &mut Said { rejected: &mut self.rejected, warnings: &mut self.warnings };
        match table {
            Table::Areas => self.areas = read_rows(found, table, said, "代码", area),
            Table::Units => self.units = read_rows(found, table, said, "单位键", unit),
            Table::Schools => self.schools = read_rows(found, table, said, "学校标识码", school),
            Table::Inspectors => self.inspectors = read_rows(found, table, said, "督学编号", inspector),
            Table::Accounts => self.accounts = read_rows(found, table, said, "账号", account),
        }
    }
}

/// Where faults and warnings go.
struct Said<'a> {
    rejected: &'a mut Vec<Remark>,
    warnings: &'a mut Vec<Remark>,
}

/// Reads every row; `identity` is the column whose value may occur only once.
fn read_rows<T>(
    found: &Found<'_>,
    table: Table,
    said: &mut Said<'_>,
    identity: &'static str,
    read: impl Fn(&mut RowReader<'_>) -> (Option<String>, Option<T>),
) -> Rows<T> {
    let columns = table.optional().iter().copied().filter(|header| found.columns.contains_key(header)).collect();
    let mut rows = Rows { columns, ..Rows::default() };
    let sheet: Arc<str> = Arc::from(found.sheet);
    let mut seen: HashMap<String, u32> = HashMap::new();
    for row in found.rows {
        let at = Place { sheet: Arc::clone(&sheet), row: row.number };
        let mut reader = RowReader { row, columns: &found.columns, at: &at, faults: Vec::new(), warnings: Vec::new() };
        // A row whose known columns are all blank (a remark at the side) is no row of the table.
        if !found.columns.values().any(|column| row.cell(*column).is_some()) {
            continue;
        }
        rows.read += 1;
        let (key, data) = read(&mut reader);
        if let Some(key) = key {
            match seen.get(&key) {
                Some(first) => {
                    let text = Text::new(
                        format!("“{key}”与第 {first} 行重复；请只保留一行"),
                        format!("\"{key}\" stands in row {first} already; keep one of them"),
                    );
                    reader.fault(identity, text);
                }
                None => {
                    seen.insert(key, row.number);
                }
            }
        }
        let RowReader { faults, warnings, .. } = reader;
        match data {
            Some(data) if faults.is_empty() => {
                said.warnings.extend(warnings);
                rows.good.push(Placed { at, data });
            }
            Some(_) | None => said.rejected.extend(faults),
        }
    }
    rows
}

/// Reads the cells of one row and remembers every fault, so that one upload tells all of them.
struct RowReader<'a> {
    row: &'a Row,
    columns: &'a HashMap<&'static str, u32>,
    at: &'a Place,
    faults: Vec<Remark>,
    warnings: Vec<Remark>,
}

impl RowReader<'_> {
    fn fault(&mut self, column: &'static str, reason: Text) {
        self.faults.push(self.at.remark(column, reason));
    }

    /// A value that may be blank; `None` also after a fault.
    fn optional<T>(&mut self, column: &'static str, read: impl FnOnce(&Cell) -> Result<T, Text>) -> Option<T> {
        let cell = self.row.cell(*self.columns.get(column)?)?;
        match read(cell) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.fault(column, reason);
                None
            }
        }
    }

    /// A value that must be there.
    fn required<T>(&mut self, column: &'static str, read: impl FnOnce(&Cell) -> Result<T, Text>) -> Option<T> {
        let blank = self.columns.get(column).is_none_or(|column| self.row.cell(*column).is_none());
        if blank {
            self.fault(
                column,
                Text::new(format!("“{column}”为空；请填写"), format!("\"{column}\" is blank; fill it in")),
            );
            return None;
        }
        self.optional(column, read)
    }

    fn name(&mut self, column: &'static str) -> Option<String> {
        self.required(column, name_of)
    }

    fn valid_from(&mut self) -> Option<Date> {
        self.optional("生效日期", Cell::as_day)
    }

    /// A credit code; a failing check character is a warning (GB 32100-2015; such codes are in real use).
    fn credit(&mut self) -> Option<String> {
        let code = self.optional("统一社会信用代码", coded::<CreditCode>)?;
        if let CheckState::Failed(fault) = code.check() {
            self.warnings.push(self.at.remark("统一社会信用代码", Text::new(fault.zh(), fault.en())));
        }
        Some(code.to_string())
    }
}

fn name_of(cell: &Cell) -> Result<String, Text> {
    let text = cell.as_text()?;
    if text.chars().count() > MAX_NAME {
        return Err(Text::new(
            format!("超过 {MAX_NAME} 个字；请缩短"),
            format!("longer than {MAX_NAME} characters; shorten it"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Text::new(
            "含有换行或不可见的控制字符；请删除",
            "contains a line break or an invisible control character; remove it",
        ));
    }
    Ok(text)
}

fn coded<T: std::str::FromStr<Err = CodeError>>(cell: &Cell) -> Result<T, Text> {
    cell.as_text()?.parse::<T>().map_err(|error| Text::new(error.zh(), error.en()))
}

fn division(cell: &Cell) -> Result<String, Text> {
    coded::<DivisionCode>(cell).map(|code| code.to_string())
}

/// One of a few words; the remedy names them.
fn word<T: Copy>(cell: &Cell, words: &[(&str, T)]) -> Result<T, Text> {
    let text = fold(&cell.as_text()?).to_lowercase();
    words
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
        .ok_or_else(|| not_a_word(&text, words.iter().map(|(word, _)| *word)))
}

fn not_a_word<'w>(text: impl Display, words: impl Iterator<Item = &'w str> + Clone) -> Text {
    fn joined<'a>(words: impl Iterator<Item = &'a str>, with: &str) -> String {
        words.collect::<Vec<_>>().join(with)
    }
    Text::new(
        format!("“{text}”不在允许的取值内；请填写：{}", joined(words.clone(), "、")),
        format!("\"{text}\" is not one of the words allowed here: {}", joined(words, ", ")),
    )
}

/// A key of a unit or a number of an inspector: visible ASCII characters without blanks.
fn key(cell: &Cell) -> Result<String, Text> {
    let text = fold(&cell.as_text()?);
    if text.len() > 64
        || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@'))
    {
        return Err(Text::new(
            format!("“{text}”只能由字母、数字和 - _ . @ 组成，最多 64 个字符"),
            format!("\"{text}\" may have letters, digits and - _ . @ only, 64 characters at most"),
        ));
    }
    Ok(text)
}

fn unit_key(cell: &Cell) -> Result<String, Text> {
    let text = key(cell)?.to_lowercase();
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err(Text::new(
            format!("单位键“{text}”须以字母开头，例如 edu-460100"),
            format!("the unit key \"{text}\" must begin with a letter, such as edu-460100"),
        ));
    }
    Ok(text)
}

/// A unit named by its key or by its school identifier.
fn unit_or_school(cell: &Cell) -> Result<String, Text> {
    let text = key(cell)?;
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return coded::<SchoolCode>(cell).map(|code| code.to_string());
    }
    Ok(text.to_lowercase())
}

fn area(row: &mut RowReader<'_>) -> (Option<String>, Option<AreaRow>) {
    let code = row.required("代码", division);
    let name = row.name("名称");
    let levels = [
        ("province", AreaLevel::Province),
        ("county_unit", AreaLevel::CountyUnit),
        ("district", AreaLevel::District),
        ("省", AreaLevel::Province),
        ("市县", AreaLevel::CountyUnit),
        ("区", AreaLevel::District),
    ];
    let level = row.required("层级", |cell| word(cell, &levels));
    let parent = row.optional("上级代码", division);
    let effective_on = row.optional("生效日期", Cell::as_day);
    match level {
        Some(AreaLevel::Province) if parent.is_some() => {
            row.fault("上级代码", Text::new("省级区划没有上级；请清空", "the province has no parent; leave it blank"));
        }
        // A parent that was refused has its fault already.
        Some(AreaLevel::CountyUnit | AreaLevel::District)
            if parent.is_none() && !row.faults.iter().any(|fault| fault.column == "上级代码") =>
        {
            row.fault("上级代码", Text::new("“上级代码”为空；请填写", "\"上级代码\" is blank; fill it in"));
        }
        Some(AreaLevel::Province | AreaLevel::CountyUnit | AreaLevel::District) | None => {}
    }
    let data = (|| Some(AreaRow { code: code.clone()?, name: name?, parent, level: level?, effective_on }))();
    (code, data)
}

fn unit(row: &mut RowReader<'_>) -> (Option<String>, Option<UnitRow>) {
    let key = row.required("单位键", unit_key);
    let name = row.name("名称");
    let kinds = [
        ("department", UnitKind::Department),
        ("government", UnitKind::Government),
        ("supervision_agency", UnitKind::SupervisionAgency),
        ("education_bureau", UnitKind::EducationBureau),
        ("部门", UnitKind::Department),
        ("政府", UnitKind::Government),
        ("教育督导机构", UnitKind::SupervisionAgency),
        ("教育行政部门", UnitKind::EducationBureau),
    ];
    let kind = row.required("类别", |cell| word(cell, &kinds));
    let area = row.required("所属区划代码", division);
    let credit = row.credit();
    let competent = row.optional("主管单位键", unit_key);
    let valid_from = row.valid_from();
    let data = (|| {
        Some(UnitRow {
            key: key.clone()?,
            school: None,
            name: name?,
            kind: kind?,
            area: area?,
            competent,
            private: false,
            students: None,
            credit,
            valid_from,
        })
    })();
    (key, data)
}

fn school(row: &mut RowReader<'_>) -> (Option<String>, Option<UnitRow>) {
    let code = row.required("学校标识码", coded::<SchoolCode>);
    let name = row.name("名称");
    let kind = row.optional("学校类别", |cell| {
        let text = fold(&cell.as_text()?);
        SchoolKind::from_zh(&text).ok_or_else(|| not_a_word(&text, SchoolKind::ALL.into_iter().map(SchoolKind::zh)))
    });
    if let (Some(code), Some(kind)) = (code, kind)
        && code.kind() != kind
    {
        row.fault(
            "学校类别",
            Text::new(
                format!("“{}”与学校标识码第1至2位不符，按标识码应为“{}”", kind.zh(), code.kind().zh()),
                format!(
                    "\"{}\" contradicts the first two digits of the school identifier, which say {}",
                    kind.zh(),
                    code.kind().en()
                ),
            ),
        );
    }
    let area = row.required("所在区划代码", division);
    let private = row.optional("举办者", |cell| word(cell, &[("公办", false), ("民办", true)]));
    let credit = row.credit();
    let students = row.optional("在校生数", Cell::as_count);
    let competent = row.optional("主管单位键", unit_key);
    let valid_from = row.valid_from();
    let key = code.map(|code| code.to_string());
    let data = (|| {
        let code = code?;
        Some(UnitRow {
            key: code.to_string(),
            school: Some((code, code.kind())),
            name: name?,
            kind: UnitKind::School,
            area: area?,
            competent,
            private: private.unwrap_or_default(),
            students,
            credit,
            valid_from,
        })
    })();
    (key, data)
}

fn inspector(row: &mut RowReader<'_>) -> (Option<String>, Option<InspectorRow>) {
    let number = row.required("督学编号", key);
    let name = row.name("姓名");
    let area = row.required("所属区划代码", division);
    let full_time = row.required("专兼职", |cell| word(cell, &[("专职", true), ("兼职", false)]));
    let grade = row.optional("级别", name_of);
    let term_from = row.required("聘期起", Cell::as_day);
    let term_to = row.required("聘期止", Cell::as_day);
    if let (Some(from), Some(to)) = (term_from, term_to)
        && from > to
    {
        row.fault(
            "聘期止",
            Text::new(format!("聘期止早于聘期起（{from}）"), format!("the term ends before it begins ({from})")),
        );
    }
    let training_hours = row.optional("年度培训学时", Cell::as_count);
    let valid_from = row.valid_from();
    let data = (|| {
        Some(InspectorRow {
            number: number.clone()?,
            name: name?,
            area: area?,
            full_time: full_time?,
            grade,
            term_from: term_from?,
            term_to: term_to?,
            training_hours,
            valid_from,
        })
    })();
    (number, data)
}

fn account(row: &mut RowReader<'_>) -> (Option<String>, Option<AccountRow>) {
    let login = row.required("账号", |cell| key(cell).map(|text| text.to_lowercase()));
    let display_name = row.name("显示名");
    let roles = row.required("角色", roles_of);
    let area = row.optional("区划代码", division);
    let unit = row.optional("单位", unit_or_school);
    let inspector = row.optional("督学编号", key);
    let email = row.optional("邮箱", email_of);
    let language = row.optional("语言", |cell| {
        let words = [
            ("zh-cn", "zh-Hans"),
            ("zh-hans", "zh-Hans"),
            ("zh", "zh-Hans"),
            ("zh-tw", "zh-Hant"),
            ("zh-hk", "zh-Hant"),
            ("zh-mo", "zh-Hant"),
            ("zh-hant", "zh-Hant"),
            ("en", "en"),
        ];
        word(cell, &words)
    });
    let valid_from = row.valid_from();
    let missing = roles
        .iter()
        .flatten()
        .filter_map(|role| missing_scope(*role, area.as_ref(), unit.as_ref(), inspector.as_ref()));
    let missing: Vec<(&'static str, Role)> = missing.collect();
    for (column, role) in missing {
        if row.faults.iter().all(|fault| fault.column != column) {
            row.fault(
                column,
                Text::new(
                    format!("角色“{}”须填写“{column}”", role.zh()),
                    format!("the role {role} needs the column \"{column}\""),
                ),
            );
        }
    }
    let data = (|| {
        Some(AccountRow {
            login: login.clone()?,
            display_name: display_name?,
            roles: roles?,
            area,
            unit,
            inspector,
            email,
            language,
            valid_from,
        })
    })();
    (login, data)
}

/// Whether a role's scope is a unit rather than an area.
pub(super) fn is_unit_role(role: Role) -> bool {
    match role {
        Role::UnitPrincipal | Role::UnitContact | Role::CompetentDepartmentOfficer => true,
        Role::ProvinceOfficeAdmin
        | Role::CountyOfficeAdmin
        | Role::DeskOfficer
        | Role::Inspector
        | Role::CommitteeChair
        | Role::PublicityOfficer
        | Role::Auditor
        | Role::Operator => false,
    }
}

/// The column that a role needs and that is blank.
fn missing_scope(
    role: Role,
    area: Option<&String>,
    unit: Option<&String>,
    inspector: Option<&String>,
) -> Option<(&'static str, Role)> {
    if is_unit_role(role) {
        return unit.is_none().then_some(("单位", role));
    }
    if role == Role::Inspector && inspector.is_none() {
        return Some(("督学编号", role));
    }
    (role != Role::Operator && area.is_none()).then_some(("区划代码", role))
}

fn roles_of(cell: &Cell) -> Result<Vec<Role>, Text> {
    let text = fold(&cell.as_text()?);
    let mut roles = Vec::new();
    for part in text.split(['、', ';', ',', '/', '，']).map(str::trim).filter(|part| !part.is_empty()) {
        let known = Role::ALL.iter().copied().find(|role| role.as_str() == part.to_lowercase() || role.zh() == part);
        let role = known.ok_or_else(|| not_a_word(part, Role::ALL.iter().map(|role| role.as_str())))?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles.sort();
    Ok(roles)
}

fn email_of(cell: &Cell) -> Result<String, Text> {
    let text = fold(&cell.as_text()?);
    let right = text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains('@')
    });
    if right && text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(text);
    }
    Err(Text::new(format!("“{text}”不是有效的电子邮箱地址"), format!("\"{text}\" is not a mail address")))
}
