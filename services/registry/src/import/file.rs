//! From an uploaded file to sheets of cells, without trusting it.
//!
//! An XLSX file is a ZIP archive of XML. Before the parser sees it, the directory is checked (entries, sizes, ratio) and every
//! entry is unpacked once into nothing, because a directory may lie. Cells are then streamed: a far-away cell must not make
//! anyone allocate the rectangle up to it.

use std::io::{self, Cursor, Read as _};

use calamine::{DataRef, Reader as _, Xlsx};
use jiff::civil::Date;
use problem::{Problem, ProblemKind, Text};
use zip::ZipArchive;

use super::cell::Cell;

/// What an upload may be at most.
#[derive(Debug, Clone, Copy)]
pub struct FileLimits {
    /// Largest file, in bytes.
    pub file_bytes: usize,
    /// Largest size of all entries of an XLSX file together when unpacked, in bytes.
    pub unpacked_bytes: u64,
    /// Largest ratio of unpacked to packed size.
    pub ratio: u64,
    /// Most entries of an XLSX file.
    pub entries: usize,
    /// Most rows of one sheet.
    pub rows: u32,
    /// Columns that are read; others are passed over.
    pub columns: u32,
    /// Most text of all cells together, in bytes: one long shared text may be referred to by every cell.
    pub text_bytes: usize,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self {
            file_bytes: 15 * 1024 * 1024,
            unpacked_bytes: 512 * 1024 * 1024,
            ratio: 200,
            entries: 1_000,
            rows: 200_000,
            columns: 64,
            text_bytes: 256 * 1024 * 1024,
        }
    }
}

/// One sheet: its rows that are not blank.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sheet {
    /// Name of the sheet, or of a CSV file.
    pub name: String,
    /// Whether the name was chosen by whoever made the workbook; the name of a CSV file says nothing.
    pub named: bool,
    /// Rows in order.
    pub rows: Vec<Row>,
}

/// One row: its cells that are not blank.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Number as a spreadsheet program shows it, from 1.
    pub number: u32,
    /// Columns from 0, in order.
    pub cells: Vec<(u32, Cell)>,
}

impl Row {
    /// The cell of a column.
    pub(crate) fn cell(&self, column: u32) -> Option<&Cell> {
        self.cells
            .binary_search_by_key(&column, |(column, _)| *column)
            .ok()
            .and_then(|index| self.cells.get(index))
            .map(|(_, cell)| cell)
    }
}

/// Why a file as a whole is refused.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Neither XLSX nor text.
    #[error("the file is neither XLSX nor CSV")]
    WrongType,
    /// A text, but not in UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Too many entries, too large or too strongly packed.
    #[error("the archive unpacks to more than is allowed ({0})")]
    Bomb(&'static str),
    /// Damaged.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// Too many rows.
    #[error("sheet {sheet} has more than {limit} rows")]
    TooManyRows {
        /// The sheet.
        sheet: String,
        /// The limit.
        limit: u32,
    },
    /// Too much text.
    #[error("the cells hold too much text")]
    TooMuchText,
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        let text = match &error {
            FileError::Empty => Text::new("文件是空的。", "The file is empty."),
            FileError::WrongType => Text::new(
                "只接受 XLSX 或 CSV 文件；旧版 .xls 请另存为 .xlsx。",
                "Only XLSX and CSV files are accepted; save an old .xls as .xlsx.",
            ),
            FileError::NotUtf8 => Text::new(
                "CSV 文件不是 UTF-8 编码；请在表格软件中另存为“CSV UTF-8”。",
                "The CSV file is not UTF-8; save it as \"CSV UTF-8\" in your spreadsheet program.",
            ),
            FileError::Bomb(_) => Text::new(
                "文件解压后超出允许的大小；请只保留需要导入的工作表。",
                "The file unpacks to more than is allowed; keep only the sheets to be imported.",
            ),
            FileError::Unreadable(_) => Text::new(
                "文件已损坏或不是有效的表格；请重新保存后再上传。",
                "The file is damaged or no valid spreadsheet; save it again and upload it.",
            ),
            FileError::TooManyRows { sheet, limit } => Text::new(
                format!("工作表“{sheet}”超过 {limit} 行；请分批导入。"),
                format!("Sheet \"{sheet}\" has more than {limit} rows; import it in parts."),
            ),
            FileError::TooMuchText => Text::new(
                "单元格文字总量过大；请删除与导入无关的内容。",
                "The cells hold too much text; remove what does not belong to the import.",
            ),
        };
        tracing::info!(%error, "an import file was refused");
        Self::new(ProblemKind::RejectedFile, text)
    }
}

/// Reads an upload; `name` is the name of the file.
pub(crate) fn read(bytes: &[u8], name: &str, limits: &FileLimits) -> Result<Vec<Sheet>, FileError> {
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        check_archive(bytes, limits)?;
        return read_xlsx(bytes, limits);
    }
    // A text holds no NUL; this also keeps UTF-16 and the old binary formats out.
    if bytes.contains(&0) {
        return Err(FileError::WrongType);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| FileError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.starts_with('<') || text.starts_with("%PDF") {
        return Err(FileError::WrongType);
    }
    Ok(vec![read_csv(text, name, limits)?])
}

fn check_archive(bytes: &[u8], limits: &FileLimits) -> Result<(), FileError> {
    let unreadable = |error: zip::result::ZipError| FileError::Unreadable(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if archive.len() > limits.entries {
        return Err(FileError::Bomb("entries"));
    }
    let mut declared = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(unreadable)?;
        declared = declared.saturating_add(entry.size());
    }
    let packed = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if declared > limits.unpacked_bytes {
        return Err(FileError::Bomb("declared size"));
    }
    // Small files may pack well; a megabyte harms nobody.
    if declared > 1024 * 1024 && declared / packed.max(1) > limits.ratio {
        return Err(FileError::Bomb("ratio"));
    }
    if archive.index_for_name("xl/workbook.xml").is_none() {
        return Err(FileError::WrongType);
    }
    let mut left = limits.unpacked_bytes.min(packed.saturating_mul(limits.ratio).max(1024 * 1024));
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(unreadable)?;
        let found = io::copy(&mut entry.take(left.saturating_add(1)), &mut io::sink())
            .map_err(|error| FileError::Unreadable(error.to_string()))?;
        left = left.checked_sub(found).ok_or(FileError::Bomb("true size"))?;
    }
    Ok(())
}

fn read_xlsx(bytes: &[u8], limits: &FileLimits) -> Result<Vec<Sheet>, FileError> {
    let unreadable = |error: calamine::XlsxError| FileError::Unreadable(error.to_string());
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let mut text_left = limits.text_bytes;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        let mut cells: Vec<(u32, u32, Cell)> = Vec::new();
        // Sheets that are charts or macros have no cells.
        let Ok(mut reader) = workbook.worksheet_cells_reader(&name) else { continue };
        while let Some(found) = reader.next_cell().map_err(unreadable)? {
            let (row, column) = found.get_position();
            if column >= limits.columns {
                continue;
            }
            let Some(cell) = cell_of(found.get_value()) else { continue };
            if row >= limits.rows.saturating_add(HEADER_ROWS) {
                return Err(FileError::TooManyRows { sheet: name, limit: limits.rows });
            }
            if let Cell::Text(text) = &cell {
                text_left = text_left.checked_sub(text.len()).ok_or(FileError::TooMuchText)?;
            }
            cells.push((row, column, cell));
        }
        sheets.push(Sheet { rows: rows_of(cells), name, named: true });
    }
    Ok(sheets)
}

/// Rows that a title and the headers may take before the data.
pub(super) const HEADER_ROWS: u32 = 10;

/// Gathers cells into rows. A file may hold its cells in any order, even one twice: the last counts, as in spreadsheet programs.
fn rows_of(mut cells: Vec<(u32, u32, Cell)>) -> Vec<Row> {
    cells.sort_by_key(|(row, column, _)| (*row, *column));
    let mut rows: Vec<Row> = Vec::new();
    for (row, column, cell) in cells {
        let number = row.saturating_add(1);
        match rows.last_mut() {
            Some(last) if last.number == number => match last.cells.last_mut() {
                Some((known, old)) if *known == column => *old = cell,
                Some(_) | None => last.cells.push((column, cell)),
            },
            Some(_) | None => rows.push(Row { number, cells: vec![(column, cell)] }),
        }
    }
    rows
}

fn cell_of(value: &DataRef<'_>) -> Option<Cell> {
    match value {
        DataRef::Empty => None,
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::from_text(text),
        DataRef::SharedString(text) => Cell::from_text(text),
        #[expect(clippy::cast_precision_loss, reason = "no count or code of this system has more than fifteen digits")]
        DataRef::Int(number) => Some(Cell::Number(*number as f64)),
        DataRef::Float(number) => Some(Cell::Number(*number)),
        DataRef::Bool(value) => Cell::from_text(if *value { "TRUE" } else { "FALSE" }),
        DataRef::DateTime(moment) => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            let day = || Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok();
            Some(day().map_or(Cell::Number(moment.as_f64()), Cell::Day))
        }
        DataRef::Error(error) => Some(Cell::Error(error.to_string())),
    }
}

fn read_csv(text: &str, name: &str, limits: &FileLimits) -> Result<Sheet, FileError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    let (mut number, mut end) = (0_u32, 0_usize);
    loop {
        if !reader.read_record(&mut record).map_err(|error| FileError::Unreadable(error.to_string()))? {
            break;
        }
        // The reader passes over blank lines, a spreadsheet program counts them.
        let begin = std::mem::replace(&mut end, usize::try_from(reader.position().byte()).unwrap_or(usize::MAX));
        let blank = blank_lines(text, begin, end);
        number = number.saturating_add(1).saturating_add(blank);
        let cells: Vec<(u32, Cell)> = (0..limits.columns)
            .zip(record.iter())
            .filter_map(|(column, field)| Some((column, Cell::from_text(field)?)))
            .collect();
        if cells.is_empty() {
            continue;
        }
        if number > limits.rows.saturating_add(HEADER_ROWS) {
            return Err(FileError::TooManyRows { sheet: name.to_owned(), limit: limits.rows });
        }
        rows.push(Row { number, cells });
    }
    Ok(Sheet { name: name.to_owned(), named: false, rows })
}

/// Blank lines at the beginning of what the reader took for one record.
fn blank_lines(text: &str, begin: usize, end: usize) -> u32 {
    let taken = text.get(begin..end).unwrap_or_default();
    // The second half of the line break before may still be here.
    let split = text.get(..begin).is_some_and(|before| before.ends_with('\r')) && taken.starts_with('\n');
    let mut rest = if split { taken.strip_prefix('\n').unwrap_or(taken) } else { taken };
    let mut blank = 0;
    while let Some(next) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n'])) {
        blank += 1;
        rest = next;
    }
    blank
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u32, usize)> {
        let sheets = read(text.as_bytes(), "x.csv", &FileLimits::default()).unwrap();
        sheets[0].rows.iter().map(|row| (row.number, row.cells.len())).collect()
    }

    #[test]
    fn csv_rows_have_the_numbers_that_a_spreadsheet_shows() {
        assert_eq!(rows("\u{feff}a,b\n1,2\n"), [(1, 2), (2, 2)]);
        assert_eq!(rows("a,b\r\n\r\n1,2\r\n,,\r\n3,\r\n"), [(1, 2), (3, 2), (5, 1)]);
        assert_eq!(rows("a,b\n\"x\ny\",2\n3,4\n"), [(1, 2), (2, 2), (3, 2)]);
    }

    #[test]
    fn other_files_are_refused_by_their_kind() {
        let read = |bytes: &[u8]| read(bytes, "x", &FileLimits::default()).unwrap_err();
        assert!(matches!(read(b""), FileError::Empty));
        assert!(matches!(read(b"%PDF-1.7 ..."), FileError::WrongType));
        assert!(matches!(read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"), FileError::WrongType));
        assert!(matches!(read(b"<html>"), FileError::WrongType));
        // 账号 in GBK.
        assert!(matches!(read(b"\xd5\xcb\xba\xc5,a\n"), FileError::NotUtf8));
        assert!(matches!(read(b"PK\x03\x04broken"), FileError::Unreadable(_)));
    }

    #[test]
    fn too_many_rows_are_refused() {
        let limits = FileLimits { rows: 3, ..FileLimits::default() };
        let text = "a\n".repeat(3 + 10);
        assert!(read_csv(&text, "x", &limits).is_ok());
        let text = "a\n".repeat(3 + 11);
        assert!(matches!(read_csv(&text, "x", &limits), Err(FileError::TooManyRows { .. })));
    }
}
