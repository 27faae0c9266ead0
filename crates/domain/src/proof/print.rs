//! The proof sheet on paper: plain text for the unit, the console's print view and the operator's tool.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};

use super::ProofSheet;
use crate::local_time::moment_zh;
use crate::period::{DayMark, DayUse};

impl ProofSheet {
    /// The whole sheet as plain Chinese text: the derivation in sentences, then every day.
    pub fn print_zh(&self) -> String {
        let mut text = String::from("期限计算书\n\n");
        for sentence in self.explain_zh().split_inclusive('。') {
            let _ = writeln!(text, "{sentence}");
        }
        text.push_str("\n逐日计算\n");
        let mut counted = 0_u32;
        for mark in &self.days {
            if mark.used == DayUse::Counted {
                counted += 1;
            }
            let _ = writeln!(text, "{}", line(mark, counted));
        }
        let _ = write!(text, "\n逾期起算时刻：{}\n", moment_zh(self.due_at));
        text
    }
}

/// One day: date, weekday, kind, what it did, why.
fn line(mark: &DayMark, counted: u32) -> String {
    let used = match mark.used {
        DayUse::Start => "起算日，不计入".to_owned(),
        DayUse::Counted => format!("计入，第{counted}日"),
        DayUse::Skipped => "休息日，不计入".to_owned(),
        DayUse::RolledOver => "休息日，顺延".to_owned(),
        DayUse::RolledTo => "顺延至此".to_owned(),
        DayUse::Paused => "期限中止，不计入".to_owned(),
    };
    let reason = mark.reason.as_deref().map(|reason| format!("（{reason}）")).unwrap_or_default();
    format!("{}  {}  {}  {used}{reason}", mark.date, weekday_zh(mark.date), mark.class.zh())
}

fn weekday_zh(date: Date) -> &'static str {
    match date.weekday() {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    }
}
