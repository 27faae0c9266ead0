//! The two sheets of the workbook: 整改台账 and 说明.

use std::fs::File;

use contracts::deadlines::{StepFact, StepState};
use domain::local_time::{local_date, moment_zh};
use jiff::civil::Date;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::export::Provenance;
use super::{DEFINITIONS, LedgerRow};

/// The columns of the ledger in their order (handbook i.3), with their widths in characters.
pub const COLUMNS: [(&str, u16); 35] = [
    ("序号", 6),
    ("问题编号", 26),
    ("督导项目", 28),
    ("督导类型", 11),
    ("督导时间", 12),
    ("市县", 16),
    ("学校/单位", 28),
    ("学校标识码", 14),
    ("问题描述", 48),
    ("问题类别", 14),
    ("严重程度", 10),
    ("依据标准", 32),
    ("整改要求", 36),
    ("整改措施", 24),
    ("责任单位", 24),
    ("责任人", 12),
    ("主管部门", 24),
    ("下达文号", 24),
    ("下达日期", 12),
    ("整改时限", 12),
    ("完成日期", 12),
    ("整改情况", 48),
    ("佐证材料", 16),
    ("核查人", 14),
    ("核查日期", 12),
    ("核查结论", 14),
    ("销号日期", 12),
    ("督办单号", 24),
    ("约谈", 18),
    ("通报", 18),
    ("回头看日期", 12),
    ("回头看结论", 14),
    ("反弹次数", 10),
    ("公开链接", 40),
    ("备注", 28),
];

/// The longest text that the format allows in a cell is 32,767; the rest is for our own mark.
const LONGEST: usize = 32_700;

/// A workbook in the making. In constant-memory mode rows go to disk as they come, top to bottom.
pub(super) struct Ledger {
    workbook: Workbook,
    provenance: Provenance,
    row: u32,
    formats: Formats,
}

struct Formats {
    text: Format,
    /// For texts that begin like a formula: marked as text for good, also when someone edits the cell.
    quoted: Format,
    date: Format,
    number: Format,
}

/// What a cell holds.
enum Cell {
    Text(String),
    Day(Date),
    Number(u32),
    Nothing,
}

impl Cell {
    fn text(text: &str) -> Self {
        if text.is_empty() { Self::Nothing } else { Self::Text(text.to_owned()) }
    }

    fn optional(text: Option<&str>) -> Self {
        text.map_or(Self::Nothing, Self::text)
    }

    fn local_day(at: Option<jiff_sqlx::Timestamp>) -> Self {
        at.map_or(Self::Nothing, |at| Self::Day(local_date(at.to_jiff())))
    }
}

impl Ledger {
    pub(super) fn begin(provenance: &Provenance) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        let cell = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_border(FormatBorder::Thin);
        let formats = Formats {
            quoted: cell.clone().set_num_format("@").set_quote_prefix(),
            date: cell.clone().set_num_format("yyyy-mm-dd"),
            number: cell.clone().set_num_format("0"),
            text: cell,
        };
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name("整改台账")?;
        sheet.set_freeze_panes(1, 0)?;
        sheet.set_landscape();
        let header = Format::new()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter)
            .set_border(FormatBorder::Thin)
            .set_background_color(Color::RGB(0x00DC_E6F1));
        for (column, (title, width)) in (0_u16..).zip(COLUMNS) {
            sheet.set_column_width(column, f64::from(width))?;
            sheet.write_string_with_format(0, column, title, &header)?;
        }
        Ok(Self { workbook, provenance: provenance.clone(), row: 0, formats })
    }

    pub(super) fn add(&mut self, row: &LedgerRow) -> Result<(), XlsxError> {
        self.row += 1;
        let cells = cells(self.row, row, &self.provenance.portal);
        let sheet = self.workbook.worksheet_from_index(0)?;
        for (column, cell) in (0_u16..).zip(cells) {
            write(sheet, self.row, column, &cell, &self.formats)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, file: &mut File) -> Result<(), XlsxError> {
        let bold = Format::new().set_bold().set_align(FormatAlign::Top);
        let facts = [
            ("统计时点", format!("{}（北京时间，{}）", moment_zh(self.provenance.as_of), self.provenance.as_of)),
            ("筛选条件", self.provenance.filter.clone()),
            ("件数", self.row.to_string()),
            ("导出人", self.provenance.by.clone()),
            ("来源", "省级教育督导平台整改台账；仅包括导出人权限范围内的整改事项。".to_owned()),
            (
                "空白列",
                "整改措施、责任人和佐证材料以整改方案和整改报告为准，本表不列；尚未回头看的，回头看和反弹次数留空。"
                    .to_owned(),
            ),
        ];
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name("说明")?;
        sheet.set_column_width(0, 18)?;
        sheet.set_column_width(1, 100)?;
        let mut line = 0;
        let mut put = |title: &str, text: &str| -> Result<(), XlsxError> {
            sheet.write_string_with_format(line, 0, title, &bold)?;
            write(sheet, line, 1, &Cell::text(text), &self.formats)?;
            line += 1;
            Ok(())
        };
        for (title, text) in &facts {
            put(title, text)?;
        }
        for (_, title, text) in DEFINITIONS {
            put(title, text)?;
        }
        self.workbook.save_to_writer(file)
    }
}

fn write(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, formats: &Formats) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => {
            let format = if begins_like_a_formula(text) { &formats.quoted } else { &formats.text };
            // write_string never makes a formula of it; the format keeps it so when the cell is edited.
            sheet.write_string_with_format(row, column, fitting(text), format)?;
        }
        Cell::Day(day) => {
            sheet.write_datetime_with_format(row, column, day, &formats.date)?;
        }
        Cell::Number(number) => {
            sheet.write_number_with_format(row, column, *number, &formats.number)?;
        }
        Cell::Nothing => {
            sheet.write_blank(row, column, &formats.text)?;
        }
    }
    Ok(())
}

fn begins_like_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// The text as a cell may hold it: without control characters, and not longer than the format allows.
fn fitting(text: &str) -> String {
    let mut signs = text.chars().filter(|sign| !sign.is_control() || matches!(sign, '\n' | '\t'));
    let mut fitting: String = signs.by_ref().take(LONGEST).collect();
    if signs.next().is_some() {
        fitting.push_str("……（内容过长，以系统记录为准）");
    }
    fitting
}

/// A step of the ladder with what became of it and on which day.
fn step_zh(step: &StepFact, name: &str) -> String {
    let day = local_date(step.decided_at.unwrap_or(step.proposed_at));
    match step.state {
        StepState::Proposed => format!("{day}已提请{name}"),
        StepState::Taken => format!("{day}已{name}"),
        StepState::Lifted => format!("{day}已解除{name}"),
        StepState::Moot => format!("{day}已办结，提请的{name}终结"),
    }
}

/// The cells of a row in the order of [`COLUMNS`].
fn cells(number: u32, row: &LedgerRow, portal: &str) -> [Cell; 35] {
    let school_code =
        row.unit_code.as_deref().filter(|code| code.len() == 10 && code.bytes().all(|b| b.is_ascii_digit()));
    let state = if row.late {
        format!("{}（逾期）", row.state_zh)
    } else if row.paused && row.state == "in_progress" {
        format!("{}（期限中止）", row.state_zh)
    } else {
        row.state_zh.clone()
    };
    let progress = match &row.report {
        Some(report) => format!("{state}。{report}"),
        None => state,
    };
    let conclusion = if row.verified_at.is_some() {
        "核查通过"
    } else if row.returned > 0 && row.state == "in_progress" {
        "退回重新整改"
    } else {
        ""
    };
    let conclusion = if row.state == "waived" { "免于整改" } else { conclusion };
    let mut notes = Vec::new();
    if row.joint_liability {
        notes.push("主管部门因连带责任另立的整改".to_owned());
    }
    if row.extensions > 0 {
        notes.push(format!("延期{}次", row.extensions));
    }
    if let Some(step) = &row.accountability {
        notes.push(step_zh(step, "问责"));
    }
    if row.returned > 0 {
        notes.push(format!("核查退回{}次", row.returned));
    }
    if row.provisional {
        notes.push("时限跨入放假安排尚未公布的年度，可能顺延".to_owned());
    }
    if row.first_due_on.to_jiff() != row.due_on.to_jiff() {
        notes.push(format!("首次时限{}", row.first_due_on.to_jiff()));
    }
    [
        Cell::Number(number),
        Cell::text(&row.item_no),
        Cell::text(&row.case_title),
        Cell::text(&row.supervision_kind_zh),
        Cell::Day(row.visited_on.to_jiff()),
        Cell::text(&row.county_name),
        Cell::text(&row.unit_name),
        Cell::optional(school_code),
        Cell::text(&row.description),
        Cell::text(&row.category),
        Cell::text(&row.severity_zh),
        Cell::text(&row.basis),
        Cell::text(&row.demand),
        Cell::Nothing,
        Cell::text(&row.responsible_unit_name),
        Cell::Nothing,
        Cell::optional(row.competent_unit_name.as_deref()),
        Cell::text(&row.letter_no),
        Cell::Day(row.letter_issued_on.to_jiff()),
        Cell::Day(row.due_on.to_jiff()),
        Cell::local_day(row.reported_at),
        Cell::text(&progress),
        Cell::Nothing,
        Cell::optional(row.verified_by.as_deref()),
        Cell::local_day(row.verified_at),
        Cell::text(conclusion),
        Cell::local_day(row.closed_at),
        Cell::optional(row.urging_order_no.as_deref()),
        row.interview.as_ref().map_or(Cell::Nothing, |step| Cell::Text(step_zh(step, "约谈"))),
        row.circular.as_ref().map_or(Cell::Nothing, |step| Cell::Text(step_zh(step, "通报"))),
        Cell::local_day(row.looked_back_at),
        Cell::optional(row.look_back_passed.map(|passed| if passed { "问题已解决" } else { "问题反弹" })),
        if row.looked_back_at.is_some() || row.reopened > 0 {
            Cell::Number(u32::try_from(row.reopened).unwrap_or_default())
        } else {
            Cell::Nothing
        },
        row.public_path.as_ref().map_or(Cell::Nothing, |path| Cell::Text(format!("{portal}{path}"))),
        Cell::text(&notes.join("；")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_and_control_characters_fit_into_a_cell() {
        assert_eq!(fitting("甲\u{0}乙\n丙"), "甲乙\n丙");
        let long = "长".repeat(40_000);
        let cut = fitting(&long);
        assert!(cut.chars().count() < 32_767 && cut.ends_with("以系统记录为准）"));
        assert!(begins_like_a_formula("=1+1") && begins_like_a_formula("@SUM(A1)") && !begins_like_a_formula("1=1"));
    }
}
