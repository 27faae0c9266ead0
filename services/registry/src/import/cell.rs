//! Cells, and what people really type into them.

use jiff::civil::Date;
use problem::Text;

/// The content of one cell that is not blank.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Text as typed, without blanks around it.
    Text(String),
    /// A number.
    Number(f64),
    /// A day; a time of day is dropped.
    Day(Date),
    /// A formula that failed, as the spreadsheet shows it: `#DIV/0!`.
    Error(String),
}

impl Cell {
    /// A cell of text; `None` when there is nothing but blanks in it.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let text = trim(text);
        (!text.is_empty()).then(|| Self::Text(text.to_owned()))
    }

    /// The content as text: what a spreadsheet turned into a number is turned back.
    pub(crate) fn as_text(&self) -> Result<String, Text> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Number(number) => Ok(plain_number(*number)),
            Self::Day(day) => Ok(day.to_string()),
            Self::Error(shown) => Err(failed_formula(shown)),
        }
    }

    /// A whole number that is not negative, such as a count of pupils.
    pub(crate) fn as_count(&self) -> Result<i32, Text> {
        let text = fold(&self.as_text()?).replace([',', '，'], "");
        text.parse::<i32>().ok().filter(|count| *count >= 0).ok_or_else(|| {
            Text::new(
                format!("“{text}”不是非负整数；请填写如 1200 的数字"),
                format!("\"{text}\" is not a whole number of zero or more; enter a number such as 1200"),
            )
        })
    }

    /// A day: a date cell, or text such as `2026-09-01`, `2026/9/1`, `2026年9月1日` or `20260901`.
    pub(crate) fn as_day(&self) -> Result<Date, Text> {
        match self {
            Self::Day(day) => Ok(*day),
            Self::Error(shown) => Err(failed_formula(shown)),
            Self::Text(_) | Self::Number(_) => {
                let text = self.as_text()?;
                day_of(&fold(&text)).ok_or_else(|| {
                    Text::new(
                        format!("“{text}”不是有效日期；请填写如 2026-09-01 的日期"),
                        format!("\"{text}\" is not a date; enter a date such as 2026-09-01"),
                    )
                })
            }
        }
    }
}

fn failed_formula(shown: &str) -> Text {
    Text::new(
        format!("公式出错（{shown}）；请改填数值"),
        format!("the formula failed ({shown}); enter the value itself"),
    )
}

/// Blanks of every kind at both ends, the byte order mark included.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// Full-width letters, digits and signs become the narrow ones.
pub(crate) fn fold(text: &str) -> String {
    trim(text)
        .chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}

/// A number as one would type it: whole numbers without a point.
fn plain_number(number: f64) -> String {
    // Display of f64 never uses an exponent and drops `.0`.
    format!("{number}")
}

fn day_of(text: &str) -> Option<Date> {
    // A time of day behind the date is dropped.
    let text = text.split([' ', 'T']).next().unwrap_or(text);
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u32 = text.parse().ok()?;
        return date(number / 10_000, number / 100 % 100, number % 100);
    }
    let text = text.strip_suffix('日').unwrap_or(text);
    let mut parts = text.split(['-', '/', '.', '年', '月']).map(|part| part.trim().parse::<u32>());
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if parts.next().is_some() {
        return None;
    }
    date(year, month, day)
}

fn date(year: u32, month: u32, day: u32) -> Option<Date> {
    // A year of two digits could be any century.
    if !(1900..=2200).contains(&year) {
        return None;
    }
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_are_read_as_people_write_them() {
        for text in [
            "2026-09-01",
            "2026/9/1",
            "2026.9.1",
            "2026年9月1日",
            "20260901",
            "２０２６年９月１日",
            " 2026-09-01 00:00:00 ",
        ] {
            assert_eq!(Cell::from_text(text).unwrap().as_day(), Ok(date(2026, 9, 1)), "{text}");
        }
        assert_eq!(Cell::Number(20_260_901.0).as_day(), Ok(date(2026, 9, 1)));
        for text in ["2026年9月31日", "26-9-1", "2026-09", "2026-9-1-1", "明天", "46266"] {
            assert!(Cell::from_text(text).unwrap().as_day().is_err(), "{text}");
        }
    }

    #[test]
    fn codes_survive_being_numbers_and_full_width() {
        assert_eq!(Cell::Number(2_146_000_001.0).as_text().unwrap(), "2146000001");
        assert_eq!(fold("　４６０１００ "), "460100");
        assert_eq!(Cell::from_text("\u{feff} \u{3000}"), None);
        assert_eq!(Cell::from_text("１，２００").unwrap().as_count(), Ok(1200));
        for wrong in [Cell::Number(-1.0), Cell::Number(1.5), Cell::Error("#DIV/0!".to_owned())] {
            assert!(wrong.as_count().is_err(), "{wrong:?}");
        }
    }
}
