//! Tables of untyped cells, and how they become files.

use std::path::Path;

use jiff::civil::Date;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Formula, Workbook, Worksheet};

use super::{Province, ProvinceError};

/// A cell of a spreadsheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Text.
    Text(String),
    /// A whole number.
    Number(u32),
    /// A day.
    Date(Date),
    /// A formula whose result is an error (`#DIV/0!`).
    FormulaError,
}

/// A sheet: a header row and rows of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name of the sheet, or of the file for CSV.
    pub name: &'static str,
    /// The headers.
    pub headers: &'static [&'static str],
    /// The rows; the first stands in row 2 of the sheet.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Index of a column.
    ///
    /// # Panics
    /// If there is no such column.
    #[expect(clippy::panic, reason = "a fixture; a wrong header is a mistake in the test")]
    pub fn column(&self, header: &str) -> usize {
        self.headers
            .iter()
            .position(|it| *it == header)
            .unwrap_or_else(|| panic!("the sheet {} has no column {header}", self.name))
    }
}

/// All tables of a province.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Sheet 行政区划 of `units.xlsx`.
    pub divisions: Table,
    /// Sheet 部门 of `units.xlsx`.
    pub units: Table,
    /// Sheet 学校 of `units.xlsx`.
    pub schools: Table,
    /// Sheet 督学 of `inspectors.xlsx`.
    pub inspectors: Table,
    /// `accounts.csv`.
    pub accounts: Table,
}

fn text(value: &(impl ToString + ?Sized)) -> Cell {
    Cell::Text(value.to_string())
}

fn optional(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Empty, |it| text(&it))
}

impl Tables {
    pub(super) fn of(province: &Province) -> Self {
        Self {
            divisions: divisions(province),
            units: units(province),
            schools: schools(province),
            inspectors: inspectors(province),
            accounts: accounts(province),
        }
    }

    /// `units.xlsx`: the sheets 行政区划, 部门, 学校. The same tables give the same bytes.
    ///
    /// # Errors
    /// The workbook cannot be written.
    pub fn units_xlsx(&self) -> Result<Vec<u8>, ProvinceError> {
        workbook(&[&self.divisions, &self.units, &self.schools])
    }

    /// `inspectors.xlsx`: the sheet 督学.
    ///
    /// # Errors
    /// The workbook cannot be written.
    pub fn inspectors_xlsx(&self) -> Result<Vec<u8>, ProvinceError> {
        workbook(&[&self.inspectors])
    }

    /// `accounts.csv` with a byte order mark, as spreadsheet programs write it.
    ///
    /// # Errors
    /// The list cannot be written.
    pub fn accounts_csv(&self) -> Result<Vec<u8>, ProvinceError> {
        let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
        writer.write_record(self.accounts.headers)?;
        for row in &self.accounts.rows {
            writer.write_record(row.iter().map(plain))?;
        }
        Ok(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)
    }

    /// Writes the three files into a folder, which must exist.
    ///
    /// # Errors
    /// One of the files cannot be written.
    pub fn write_to(&self, folder: &Path) -> Result<(), ProvinceError> {
        std::fs::write(folder.join("units.xlsx"), self.units_xlsx()?)?;
        std::fs::write(folder.join("inspectors.xlsx"), self.inspectors_xlsx()?)?;
        std::fs::write(folder.join("accounts.csv"), self.accounts_csv()?)?;
        Ok(())
    }
}

fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Date(date) => date.to_string(),
        Cell::FormulaError => "#DIV/0!".to_owned(),
    }
}

fn workbook(tables: &[&Table]) -> Result<Vec<u8>, ProvinceError> {
    let mut workbook = Workbook::new();
    // A fixed moment of creation keeps the bytes equal from run to run.
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2026, 9, 1)?));
    for table in tables {
        sheet(workbook.add_worksheet(), table)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn sheet(sheet: &mut Worksheet, table: &Table) -> Result<(), ProvinceError> {
    let bold = Format::new().set_bold();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    sheet.set_name(table.name)?;
    sheet.set_freeze_panes(1, 0)?;
    for (column, header) in (0_u16..).zip(table.headers) {
        sheet.write_string_with_format(0, column, *header, &bold)?;
        sheet.set_column_width(column, 20)?;
    }
    for (row, cells) in (1_u32..).zip(&table.rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => {
                    sheet.write_string(row, column, text)?;
                }
                Cell::Number(number) => {
                    sheet.write_number(row, column, *number)?;
                }
                Cell::Date(date) => {
                    sheet.write_datetime_with_format(row, column, *date, &day)?;
                }
                Cell::FormulaError => {
                    sheet.write_formula(row, column, Formula::new("=1/0").set_result("#DIV/0!"))?;
                }
            }
        }
    }
    Ok(())
}

fn divisions(province: &Province) -> Table {
    Table {
        name: "行政区划",
        headers: &["代码", "名称", "上级代码", "层级", "生效日期"],
        rows: province
            .divisions
            .iter()
            .map(|it| {
                vec![
                    text(&it.code),
                    text(&it.name),
                    optional(it.parent),
                    text(it.level.word()),
                    Cell::Date(it.valid_from),
                ]
            })
            .collect(),
    }
}

fn units(province: &Province) -> Table {
    Table {
        name: "部门",
        headers: &["单位键", "名称", "类别", "所属区划代码", "统一社会信用代码", "主管单位键"],
        rows: province
            .units
            .iter()
            .map(|it| {
                vec![
                    text(&it.unit.key),
                    text(&it.unit.name),
                    text(it.unit.kind.word()),
                    text(&it.unit.division),
                    optional(it.credit.as_ref()),
                    optional(it.unit.competent.as_ref()),
                ]
            })
            .collect(),
    }
}

fn schools(province: &Province) -> Table {
    Table {
        name: "学校",
        headers: &[
            "学校标识码",
            "名称",
            "学校类别",
            "所在区划代码",
            "举办者",
            "统一社会信用代码",
            "在校生数",
            "主管单位键",
        ],
        rows: province
            .schools
            .iter()
            .map(|it| {
                vec![
                    text(&it.code),
                    text(&it.name),
                    text(it.kind.zh()),
                    text(&it.division),
                    text(if it.public { "公办" } else { "民办" }),
                    optional(it.credit.as_ref()),
                    Cell::Number(it.students),
                    text(&it.competent),
                ]
            })
            .collect(),
    }
}

fn inspectors(province: &Province) -> Table {
    Table {
        name: "督学",
        headers: &["督学编号", "姓名", "所属区划代码", "专兼职", "级别", "聘期起", "聘期止", "年度培训学时"],
        rows: province
            .inspectors
            .iter()
            .map(|it| {
                vec![
                    text(&it.number),
                    text(&it.name),
                    text(&it.division),
                    text(if it.full_time { "专职" } else { "兼职" }),
                    text(if it.provincial { "省级" } else { "市县级" }),
                    Cell::Date(it.term_from),
                    Cell::Date(it.term_to),
                    Cell::Number(it.training_hours),
                ]
            })
            .collect(),
    }
}

fn accounts(province: &Province) -> Table {
    Table {
        name: "accounts.csv",
        headers: &["账号", "显示名", "角色", "区划代码", "单位", "督学编号", "邮箱", "语言"],
        rows: province
            .accounts
            .iter()
            .map(|it| {
                vec![
                    text(&it.account),
                    text(&it.display_name),
                    text(it.role.word()),
                    text(&it.division),
                    optional(it.unit.as_ref()),
                    optional(it.inspector.as_ref()),
                    text(&it.mail),
                    text(&it.language),
                ]
            })
            .collect(),
    }
}
