//! A sheet can be computed again to the byte, and read.

use jiff::civil::{date, time};
use proptest::prelude::*;

use super::*;
use crate::calendar::CalendarSet;
use crate::local_time::at_local;

fn national() -> Calendar {
    CalendarSet::load_from_texts([
        ("2026", include_str!("../../../../rulebook/calendars/national-2026.toml")),
        ("2027", include_str!("../../../../rulebook/calendars/national-2027.toml")),
    ])
    .unwrap()
    .national()
}

fn sheet(start: Date, period: Period) -> ProofSheet {
    let rule = AppliedRule {
        article: "教育督导条例第二十二条".to_owned(),
        rule_id: "severity.minor.finish".to_owned(),
        rulebook_version: "2021.1".to_owned(),
        period,
    };
    let anchor = at_local(start, time(9, 0, 0, 0)).unwrap();
    ProofSheet::derive(rule, AnchorEvent::LetterReceived, anchor, &national()).unwrap()
}

#[test]
fn the_explanation_names_rule_days_and_end() {
    assert_eq!(
        sheet(date(2026, 9, 29), Period::working_days(5)).explain_zh(),
        "依据：教育督导条例第二十二条（规则 severity.minor.finish，规则库版本 2021.1）。\
         起算：督导意见书或整改通知书签收，2026年9月29日09时00分，当日不计入。期限：5个工作日。\
         自2026年9月30日起计5个工作日，跳过休息日8天（10月1日至10月7日国庆节、10月11日公休日）。\
         调休上班日按工作日计（10月10日国庆节调休）。\
         届满日：2026年10月12日（当日24时前为按期）。日历版本："
            .to_owned()
            + national().version()
            + "。"
    );
    let rolled = sheet(date(2026, 9, 2), Period::calendar_days(30)).explain_zh();
    assert!(rolled.contains("届满日为休息日，顺延6天（10月2日至10月7日国庆节）"), "{rolled}");
    let provisional = sheet(date(2026, 12, 20), Period::months(1)).explain_zh();
    assert!(provisional.contains("本期限为暂定"), "{provisional}");
    let hours = sheet(date(2026, 10, 1), Period::hours(24)).explain_zh();
    assert!(hours.contains("届满时刻：2026年10月2日09时00分"), "{hours}");
}

#[test]
fn a_forged_sheet_or_another_calendar_is_found() {
    let good = sheet(date(2026, 9, 29), Period::working_days(5));
    let mut forged = good.clone();
    forged.due_on = date(2026, 10, 11);
    assert!(matches!(recompute(&forged, &national()), Err(RecomputeError::Differs { .. })));
    let other =
        CalendarSet::load_from_texts([("2027", include_str!("../../../../rulebook/calendars/national-2027.toml"))])
            .unwrap()
            .national();
    assert!(matches!(recompute(&good, &other), Err(RecomputeError::OtherCalendar { .. })));
}

#[test]
fn a_paused_sheet_says_so_and_computes_again() {
    let rule = sheet(date(2026, 9, 22), Period::working_days(5)).rule;
    let at = |day, hour| at_local(day, time(hour, 0, 0, 0)).unwrap();
    let anchor = at(date(2026, 9, 22), 9);
    let pauses = vec![Pause {
        from: at(date(2026, 9, 23), 10),
        until: Some(at(date(2026, 9, 28), 9)),
        reason: "等待上级协商答复".to_owned(),
    }];
    let derive = |pauses: &[Pause]| {
        ProofSheet::derive_paused(rule.clone(), AnchorEvent::LetterReceived, anchor, pauses.to_vec(), &national())
            .unwrap()
    };
    let found = derive(&pauses).unwrap();
    // 23 and 24 September are lost; 25 to 27 is the Mid-Autumn Festival and would not have counted anyway.
    assert_eq!(found.due_on, date(2026, 10, 9));
    assert_eq!(found.days.iter().filter(|mark| mark.used == DayUse::Paused).count(), 5);
    let text = found.explain_zh();
    assert!(
        text.contains(
            "期限中止：2026年9月23日10时00分至2026年9月28日09时00分（等待上级协商答复）；\
             当日24时处于中止的日期不计入，共5天。"
        ),
        "{text}"
    );
    assert_eq!(recompute(&found, &national()).unwrap(), found);
    let mut forged = found.clone();
    forged.pauses.clear();
    assert!(matches!(recompute(&forged, &national()), Err(RecomputeError::Differs { .. })));
    let open = [Pause { until: None, ..pauses[0].clone() }];
    assert_eq!(derive(&open), None);
    forged.pauses = open.to_vec();
    assert!(matches!(recompute(&forged, &national()), Err(RecomputeError::StandsStill { .. })));
}

#[test]
fn a_sheet_without_pauses_keeps_its_bytes() {
    let plain = sheet(date(2026, 9, 29), Period::working_days(5));
    let same =
        ProofSheet::derive_paused(plain.rule.clone(), plain.anchor_event, plain.anchor_at, Vec::new(), &national());
    assert_eq!(same.unwrap().as_ref(), Some(&plain));
    let json = plain.canonical_json().unwrap();
    assert!(!json.contains("pauses"), "{json}");
    assert!(json.contains(r#""anchor_on":"2026-09-29","calendar_area":"000000""#), "{json}");
}

proptest! {
    #[test]
    fn recomputing_gives_the_same_bytes(days in 0..360_i32, unit in 0..4_usize, amount in 1..60_u16) {
        let units = ["working_days", "calendar_days", "months", "hours"];
        let start = date(2026, 1, 1) + jiff::Span::new().days(days);
        let first = sheet(start, Period::from_parts(units[unit], amount % 13 + 1).unwrap());
        let json = first.canonical_json().unwrap();
        let read: ProofSheet = serde_json::from_str(&json).unwrap();
        let again = recompute(&read, &national()).unwrap();
        prop_assert_eq!(again.canonical_json().unwrap(), json);
    }
}
