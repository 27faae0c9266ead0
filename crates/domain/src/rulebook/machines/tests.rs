//! The machines of the province hold, and every kind of hole in one is found.

use super::*;

const HAINAN: &str = include_str!("../../../../../rulebook/hainan-2021/rulebook.toml");
const MACHINES: &str = include_str!("../../../../../rulebook/hainan-2021/machines.toml");

fn hainan() -> Rulebook {
    crate::rulebook::parse("hainan-2021/rulebook.toml", HAINAN).unwrap()
}

fn faults(old: &str, new: &str) -> Vec<String> {
    assert!(MACHINES.contains(old), "{old}");
    parse("m.toml", &MACHINES.replacen(old, new, 1), &hainan()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_machines_of_the_province_hold() {
    let machines = parse("m.toml", MACHINES, &hainan()).unwrap();
    let item = machines.machine("rectification_item").unwrap();
    let keys: Vec<&str> = item.states.iter().map(|state| state.key.as_str()).collect();
    for key in [
        "in_progress",
        "plan_submitted",
        "plan_returned",
        "reported",
        "returned",
        "verified",
        "closed",
        "waived",
        "consulting",
        "paused",
        "reopened",
        "lookback_due",
    ] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(keys.len(), 12);
    assert!(item.state("closed").unwrap().terminal);
}

#[test]
fn every_state_of_the_case_in_code_is_described() {
    let machines = parse("m.toml", MACHINES, &hainan()).unwrap();
    let case = machines.machine("case").unwrap();
    for key in ["planned", "notified", "on_site", "deliberating", "feedback", "pleading", "lettered"] {
        assert!(case.state(key).is_some(), "{key}");
    }
}

#[test]
fn a_wait_without_owner_or_clock_is_found() {
    let found = faults(r#"title = "待核查", owner = "agency", "#, r#"title = "待核查", "#);
    assert_eq!(found, ["m.toml: rectification_item.reported: waits for nobody: it has no owner"]);
    let found = faults(r#"owner = "agency", clock = "severity.*.verification" }"#, r#"owner = "agency" }"#);
    assert_eq!(found, ["m.toml: rectification_item.reported: waits without end: it has no clock"]);
}

#[test]
fn a_clock_that_is_not_there_or_runs_for_another_is_found() {
    let found = faults("waiting.close_out", "waiting.closing");
    assert_eq!(found, ["m.toml: rectification_item.verified: no rule has the key waiting.closing"]);
    let found = faults("waiting.close_out", "procedure.plea");
    assert_eq!(found, ["m.toml: rectification_item.verified: the clock procedure.plea runs for 被督导单位"]);
}

#[test]
fn dead_ends_and_states_out_of_reach_are_found() {
    let found = faults(r#"from = ["published"], to = "archived""#, r#"from = ["published"], to = "published""#);
    let dead_end = |state: &str| format!("m.toml: case.{state}: is a dead end: no act leads on to a terminal state");
    let states = [
        "planned",
        "notified",
        "self_evaluating",
        "on_site",
        "deliberating",
        "feedback",
        "pleading",
        "lettered",
        "rectifying",
        "verified",
        "reported",
        "published",
    ];
    let mut expected: Vec<String> = states.into_iter().map(dead_end).collect();
    expected.push("m.toml: case.archived: cannot be reached".to_owned());
    assert_eq!(found, expected);
    let found = faults(r#"from = ["verified"], to = "closed""#, r#"from = ["verified"], to = "verified""#);
    // What is opened anew can be stopped and run again, which the way through the stop does not tell apart.
    assert_eq!(
        found,
        [
            "m.toml: rectification_item.closed: cannot be reached",
            "m.toml: rectification_item.lookback_due: cannot be reached",
        ]
    );
    let found = faults(r#"from = ["verified"], to = "closed""#, r#"from = ["verified"], to = "clozed""#);
    assert_eq!(found.first().unwrap(), "m.toml: rectification_item.close: there is no state clozed");
}

#[test]
fn an_owner_who_cannot_act_and_a_terminal_state_that_waits_are_found() {
    let found = faults(
        r#"from = ["published"], to = "archived", by = "agency""#,
        r#"from = ["published"], to = "archived", by = "inspector""#,
    );
    assert_eq!(found, ["m.toml: case.published: waits for 督导机构, who has no act in it"]);
    let found =
        faults(r#"title = "免于整改", terminal = true"#, r#"title = "免于整改", owner = "unit", terminal = true"#);
    assert_eq!(found, ["m.toml: rectification_item.waived: is terminal, so nobody is waited for and no clock runs"]);
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let found = faults(r#"title = "待核查", owner"#, r#"title = "待核查", ovner"#);
    let line = MACHINES.lines().position(|line| line.contains("待核查")).unwrap() + 1;
    assert!(found[0].starts_with("m.toml: TOML parse error at line "), "{found:?}");
    assert!(found[0].contains(&format!("line {line},")) && found[0].contains("ovner"), "{found:?}");
}

#[test]
fn a_missing_machine_is_found() {
    let found = faults(
        r#"key = "accountability"
title"#,
        r#"key = "blame"
title"#,
    );
    assert_eq!(found, ["m.toml: accountability: the machine is missing"]);
}
