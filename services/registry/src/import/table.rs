//! The tables of an import: their sheets and columns, and how a sheet's headers are found.

use std::collections::HashMap;

use problem::Text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    cell::{Cell, fold},
    file::{HEADER_ROWS, Row, Sheet},
};

/// A table that an import fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Sheet 行政区划.
    Areas,
    /// Sheet 部门.
    Units,
    /// Sheet 学校.
    Schools,
    /// Sheet 督学.
    Inspectors,
    /// Accounts (账号).
    Accounts,
}

impl Table {
    /// Name of its sheet.
    pub(crate) const fn sheet(self) -> &'static str {
        match self {
            Self::Areas => "行政区划",
            Self::Units => "部门",
            Self::Schools => "学校",
            Self::Inspectors => "督学",
            Self::Accounts => "账号",
        }
    }

    /// Columns without which the sheet cannot be read.
    pub(crate) const fn required(self) -> &'static [&'static str] {
        match self {
            Self::Areas => &["代码", "名称", "上级代码", "层级"],
            Self::Units => &["单位键", "名称", "类别", "所属区划代码"],
            Self::Schools => &["学校标识码", "名称", "所在区划代码"],
            Self::Inspectors => &["督学编号", "姓名", "所属区划代码", "专兼职", "聘期起", "聘期止"],
            Self::Accounts => &["账号", "显示名", "角色"],
        }
    }

    /// Columns that may be missing: what the register has stays as it is.
    pub(crate) const fn optional(self) -> &'static [&'static str] {
        match self {
            Self::Areas => &["生效日期"],
            Self::Units => &["统一社会信用代码", "主管单位键", "生效日期"],
            Self::Schools => &["学校类别", "举办者", "统一社会信用代码", "在校生数", "主管单位键", "生效日期"],
            Self::Inspectors => &["级别", "年度培训学时", "生效日期"],
            Self::Accounts => &["区划代码", "单位", "督学编号", "邮箱", "语言", "生效日期"],
        }
    }
}

/// A sheet whose table and columns are known.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// Its name.
    pub sheet: &'a str,
    /// Column numbers by header.
    pub columns: HashMap<&'static str, u32>,
    /// The rows below the headers.
    pub rows: &'a [Row],
}

/// What a sheet is.
#[derive(Debug)]
pub(crate) enum Match<'a> {
    /// A table with all required columns.
    Table(Table, Found<'a>),
    /// Named like a table, but columns are missing: at which row the headers were looked for, and which are missing.
    Incomplete(Table, u32, Vec<&'static str>),
    /// None of ours.
    Foreign,
}

/// Recognises a sheet by its name, or where the name says nothing by its headers.
pub(crate) fn recognise<'a>(sheet: &'a Sheet, tables: &[Table]) -> Match<'a> {
    let name = fold(&sheet.name);
    if let Some(table) = tables.iter().copied().find(|table| sheet.named && table.sheet() == name) {
        return match headers(sheet, table) {
            Ok(found) => Match::Table(table, found),
            Err((row, missing)) => Match::Incomplete(table, row, missing),
        };
    }
    for table in tables.iter().copied() {
        if let Ok(found) = headers(sheet, table) {
            return Match::Table(table, found);
        }
    }
    match tables {
        // Only one table can be meant, so say what it lacks.
        [table] if !sheet.named => match headers(sheet, *table) {
            Ok(found) => Match::Table(*table, found),
            Err((row, missing)) => Match::Incomplete(*table, row, missing),
        },
        _ => Match::Foreign,
    }
}

/// Finds the row with the headers among the first rows; above it there may be a title, and a header may be merged over two rows.
fn headers(sheet: &Sheet, table: Table) -> Result<Found<'_>, (u32, Vec<&'static str>)> {
    let mut best: Option<(u32, Vec<&'static str>)> = None;
    let mut above: Option<&Row> = None;
    for (index, row) in sheet.rows.iter().enumerate() {
        if row.number > HEADER_ROWS {
            break;
        }
        let mut columns = named_columns(row, table);
        // A cell merged over two rows keeps its text in the upper one.
        if let Some(above) = above.filter(|above| above.number + 1 == row.number) {
            for (header, column) in named_columns(above, table) {
                if row.cell(column).is_none() {
                    columns.entry(header).or_insert(column);
                }
            }
        }
        let missing: Vec<&'static str> =
            table.required().iter().copied().filter(|header| !columns.contains_key(header)).collect();
        if missing.is_empty() {
            let rows = sheet.rows.get(index + 1..).unwrap_or_default();
            return Ok(Found { sheet: &sheet.name, columns, rows });
        }
        if best.as_ref().is_none_or(|(_, fewest)| missing.len() < fewest.len()) {
            best = Some((row.number, missing));
        }
        above = Some(row);
    }
    Err(best.unwrap_or_else(|| (1, table.required().to_vec())))
}

fn named_columns(row: &Row, table: Table) -> HashMap<&'static str, u32> {
    let mut columns = HashMap::new();
    for (column, cell) in &row.cells {
        let Cell::Text(text) = cell else { continue };
        let text = plain_header(text);
        let known = table.required().iter().chain(table.optional()).copied().find(|header| *header == text);
        if let Some(header) = known {
            // Of two columns with one header the first counts.
            columns.entry(header).or_insert(*column);
        }
    }
    columns
}

/// A header without blanks, line breaks and marks such as `*` or `（必填）`.
fn plain_header(text: &str) -> String {
    let text: String = fold(text).chars().filter(|c| !c.is_whitespace() && *c != '*').collect();
    text.strip_suffix("(必填)").or_else(|| text.strip_suffix("(选填)")).unwrap_or(&text).to_owned()
}

/// What to say about a column that is not there.
pub(crate) fn missing_column(table: Table, header: &str) -> Text {
    Text::new(
        format!("工作表缺少“{header}”列；必需的列为：{}", table.required().join("、")),
        format!("the sheet has no column \"{header}\"; required are: {}", table.required().join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(name: &str, rows: &[&[&str]]) -> Sheet {
        let rows = (1..).zip(rows).map(|(number, cells)| Row {
            number,
            cells: (0..).zip(*cells).filter_map(|(column, text)| Some((column, Cell::from_text(text)?))).collect(),
        });
        Sheet { name: name.to_owned(), named: true, rows: rows.filter(|row| !row.cells.is_empty()).collect() }
    }

    const TABLES: &[Table] = &[Table::Areas, Table::Units, Table::Schools, Table::Inspectors];

    #[test]
    fn headers_may_stand_below_a_title_in_any_order_with_marks() {
        let sheet = sheet(
            " 学校 ",
            &[
                &["海南省学校名录"],
                &[],
                &["名 称*", "所在区划代码（必填）", "备注", "学校\n标识码"],
                &["甲", "460100", "", "2146000001"],
            ],
        );
        let Match::Table(Table::Schools, found) = recognise(&sheet, TABLES) else { panic!("not recognised") };
        assert_eq!(found.columns["学校标识码"], 3);
        assert_eq!(found.columns["名称"], 0);
        assert_eq!(found.rows.len(), 1);
        assert_eq!(found.rows[0].number, 4);
    }

    #[test]
    fn a_header_may_be_merged_over_two_rows() {
        let sheet = sheet(
            "督学",
            &[
                &["督学编号", "姓名", "所属区划代码", "专兼职", "聘期", ""],
                &["", "", "", "", "聘期起", "聘期止"],
                &["HN-1", "督学1"],
            ],
        );
        let Match::Table(Table::Inspectors, found) = recognise(&sheet, TABLES) else { panic!("not recognised") };
        assert_eq!(found.columns["督学编号"], 0);
        assert_eq!(found.columns["聘期止"], 5);
        assert_eq!(found.rows[0].number, 3);
    }

    #[test]
    fn a_missing_column_is_named_and_a_foreign_sheet_is_left() {
        let incomplete = sheet("部门", &[&["单位键", "名称", "类别"], &["gov-1", "甲", "government"]]);
        assert!(
            matches!(recognise(&incomplete, TABLES), Match::Incomplete(Table::Units, 1, missing) if missing == ["所属区划代码"])
        );
        assert!(matches!(recognise(&sheet("说明", &[&["填表说明"]]), TABLES), Match::Foreign));
    }
}
