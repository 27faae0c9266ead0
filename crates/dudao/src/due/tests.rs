//! The tool answers what the domain counts, one question or many.

use super::*;
use crate::rules::COPIES;

fn folder() -> RuleFolder {
    RuleFolder::load_from_texts(COPIES.iter().copied()).unwrap()
}

fn answers(questions: &str) -> (Answered, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let answered = batch(&folder(), questions.as_bytes(), &mut out, &mut err).unwrap();
    (answered, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// The vectors of the handbook.
const VECTORS: [(&str, &str, &str); 12] = [
    ("2026-09-29", "5 wd", "2026-10-12"),
    ("2026-09-24", "10 wd", "2026-10-15"),
    ("2026-02-06", "15 wd", "2026-03-05"),
    ("2025-01-24", "10 wd", "2025-02-13"),
    ("2024-04-30", "3 wd", "2024-05-08"),
    ("2026-09-02", "30 cd", "2026-10-08"),
    ("2026-04-01", "30 cd", "2026-05-06"),
    ("2024-01-11", "30 cd", "2024-02-18"),
    ("2025-08-02", "60 cd", "2025-10-09"),
    ("2026-09-20", "15 cd", "2026-10-08"),
    ("2026-01-31", "1 month", "2026-02-28"),
    ("2025-11-30", "3 months", "2026-02-28"),
];

#[test]
fn the_vectors_come_out_one_by_one_and_in_a_batch() {
    let folder = folder();
    let mut questions = String::new();
    for (start, words, due) in VECTORS {
        let in_two: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let in_one = [in_two.concat()];
        for words in [&in_two[..], &in_one[..]] {
            let sheet = sheet(&folder, start, words, None).unwrap();
            assert_eq!(sheet.due_on.to_string(), due, "{start} {words:?}");
            assert_eq!(written(&sheet).lines().next(), Some(due));
        }
        questions = format!("{questions}{start} {words}\n{start}\t{}  460100\r\n", in_two.concat());
    }
    let (answered, out, err) = answers(&questions);
    assert_eq!((answered, err.as_str()), (Answered { questions: 24, refused: 0 }, ""));
    let expected: Vec<&str> = VECTORS.iter().flat_map(|(_, _, due)| [*due, *due]).collect();
    assert_eq!(out.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_sheet_is_written_day_by_day() {
    let words = ["5wd".to_owned()];
    let text = written(&sheet(&folder(), "2026-09-29", &words, Some("469028")).unwrap());
    assert!(text.starts_with("2026-10-12\n\n依据：民法典第二百条至第二百零四条"), "{text}");
    assert!(text.contains("日历版本：469028@"), "{text}");
    let row = |date: &str| text.lines().find(|line| line.contains(date)).unwrap().to_owned();
    assert!(row("2026-09-29").contains("起算日"), "{text}");
    assert!(row("2026-10-01").contains("跳过") && row("2026-10-01").contains("国庆节"), "{text}");
    assert!(row("2026-10-10").contains("周六") && row("2026-10-10").contains("调休上班"), "{text}");
    let hours = written(&sheet(&folder(), "2026-09-29", &["24h".to_owned()], None).unwrap());
    assert!(hours.starts_with("2026-09-30 00:00\n"), "{hours}");
}

#[test]
fn the_county_s_calendar_counts() {
    let (_, out, _) =
        answers("2023-04-19 1 wd 469028\n2023-04-19 1 wd 460100\n2023-04-19 1 wd\n2023-04-19 1wd 000000\n");
    // No national notice of 2023 is known, so all of them are provisional.
    assert_eq!(out, "2023-04-24 provisional\n2023-04-20 provisional\n2023-04-20 provisional\n2023-04-20 provisional\n");
}

#[test]
fn a_year_without_notice_is_provisional() {
    let (_, out, _) = answers("2026-12-30 5 wd\n2026-12-01 5 wd\n2026-12-01 2 months\n2026-12-31 24h\n");
    assert_eq!(out, "2027-01-06 provisional\n2026-12-08\n2027-02-01 provisional\n2027-01-01\n");
}

#[test]
fn a_bad_line_is_named_and_the_others_are_answered() {
    let (answered, out, err) = answers(
        "# questions\n\n2026-09-29 5 wd # the first\n2026-13-29 5 wd\n2026-09-29 5 weeks\n2026-09-29 5\n\
         2026-09-29 -5 wd\n2026-09-29 5 wd 999999\n2026-09-29 5 wd 460100 x\n2026-09-29 2501 wd\n\
         2026-09-29T10:00 5 wd\n2026-09-24 10 wd",
    );
    assert_eq!(answered, Answered { questions: 10, refused: 8 });
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 10);
    assert_eq!((lines[0], lines[9]), ("2026-10-12", "2026-10-15"));
    assert!(lines[1..9].iter().all(|line| line.starts_with("error ")), "{out}");
    let numbers: Vec<&str> = err.lines().filter_map(|line| line.split(" line ").nth(1)?.split(':').next()).collect();
    assert_eq!(numbers, ["4", "5", "6", "7", "8", "9", "10", "11"]);
}

#[test]
fn the_batch_counts_as_the_sheet_does() {
    let folder = folder();
    let mut questions = String::new();
    let mut expected = String::new();
    for (index, start) in jiff::civil::date(2024, 1, 1).series(jiff::Span::new().days(11)).take(100).enumerate() {
        let words = [["1wd", "45wd", "61cd", "7months"][index % 4].to_owned()];
        let county = ["469028", "460000", "460400499"][index % 3];
        let sheet = sheet(&folder, &start.to_string(), &words, Some(county)).unwrap();
        questions = format!("{questions}{start} {} {county}\n", words[0]);
        expected = format!("{expected}{}{}\n", sheet.due_on, if sheet.provisional { " provisional" } else { "" });
    }
    assert_eq!(answers(&questions).1, expected);
}
