//! The file by its links, as the image has them.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

/// Calls the file by another name; a link comes to the same, and the kernel passes the name on in both cases.
fn called(name: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_programs")).arg0(name).args(arguments).output().unwrap()
}

#[test]
fn each_name_is_a_program_of_its_own() {
    let list = String::from_utf8(called("programs", &["--list"]).stdout).unwrap();
    assert!(list.lines().count() > 1, "{list}");
    for name in list.lines() {
        let help = called(&format!("/usr/local/bin/{name}"), &["--help"]);
        let text = String::from_utf8(help.stdout).unwrap();
        assert!(help.status.success(), "{name}");
        assert!(text.contains(&format!("Usage: {name}")), "{name} says\n{text}");
    }
}

#[test]
fn a_strange_name_is_told_the_right_ones() {
    let refused = called("nonsense", &[]);
    assert_eq!(refused.status.code(), Some(64));
    assert!(refused.stdout.is_empty());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("\ntasks\n"));
}
