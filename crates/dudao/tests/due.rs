//! `dudao due` as a process: output, exit codes, and where the rules come from.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Runs the tool in a folder that has no rules, in a zone whose clocks jump.
fn dudao(words: &[&str], rulebook: Option<&str>, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dudao"));
    command.args(words).current_dir(std::env::temp_dir()).env("TZ", "America/New_York").env_remove("DUDAO_RULEBOOK");
    if let Some(folder) = rulebook {
        command.env("DUDAO_RULEBOOK", folder);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn one_question_is_answered_with_its_sheet_wherever_the_tool_runs() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rulebook");
    let asked = ["due", "2026-09-29", "5wd", "--county", "469028"];
    let inside = dudao(&asked, None, "");
    assert!(inside.status.success(), "{}", text(&inside.stderr));
    assert!(text(&inside.stdout).starts_with("2026-10-12\n\n依据："), "{}", text(&inside.stdout));
    let by_environment = dudao(&asked, Some(folder), "");
    assert_eq!(by_environment.stdout, inside.stdout);
    let by_option = dudao(&["due", "2026-09-29", "5", "wd", "--county", "469028", "--rulebook", folder], None, "");
    assert_eq!(by_option.stdout, inside.stdout);
}

#[test]
fn a_batch_with_a_bad_line_ends_with_one() {
    let good = dudao(&["due", "--batch"], None, "2026-09-29 5 wd\n# none\n2026-12-30 5 wd 469028\n");
    assert_eq!((text(&good.stdout).as_str(), good.status.code()), ("2026-10-12\n2027-01-06 provisional\n", Some(0)));
    let bad = dudao(&["due", "--batch"], None, "2026-09-29 5 wd\nnonsense\n2026-09-24 10 wd\n");
    let lines = text(&bad.stdout);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[2]), (3, "2026-10-12", "2026-10-15"));
    assert!(lines[1].starts_with("error "), "{lines:?}");
    assert!(text(&bad.stderr).contains("line 2: "), "{}", text(&bad.stderr));
    assert_eq!(bad.status.code(), Some(1));
}

#[test]
fn what_cannot_be_done_ends_with_two() {
    for words in [
        &["due", "2026-09-31", "5wd"][..],
        &["due", "2026-09-29", "5wk"],
        &["due", "2026-09-29"],
        &["due", "2026-09-29", "5wd", "--batch"],
        &["due", "2026-09-29", "5wd", "--rulebook", "/nowhere"],
    ] {
        let found = dudao(words, None, "");
        assert_eq!(found.status.code(), Some(2), "{words:?}");
        assert!(!found.stderr.is_empty() && found.stdout.is_empty(), "{words:?}");
    }
}
