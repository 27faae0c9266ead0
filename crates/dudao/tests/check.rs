//! `dudao check` as a process, as the Job on a cluster runs it.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::Path;
use std::process::{Command, Output};

fn dudao(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dudao")).args(words).output().unwrap()
}

/// A description of one service, of which nothing answers.
fn describe(folder: &Path) -> String {
    let stack = folder.join("stack.toml");
    // Port 1 is never served.
    let text = format!(
        "[broker]\nurl = \"nats://127.0.0.1:1\"\n\n[[service]]\nname = \"deadlines\"\noperations = \"http://127.0.0.1:1\"\n\
         journal_public_keys_file = \"{folder}/deadlines.pub\"\n[service.database]\nhost = \"127.0.0.1\"\nport = 1\n\
         name = \"deadlines\"\nuser = \"deadlines\"\npassword_file = \"{folder}/password\"\n",
        folder = folder.display()
    );
    std::fs::write(&stack, text).unwrap();
    std::fs::write(folder.join("password"), "a password\n").unwrap();
    std::fs::write(folder.join("deadlines.pub"), format!("{}\n", "ab".repeat(32))).unwrap();
    format!("--stack={}", stack.display())
}

#[test]
fn each_part_is_run_whatever_the_others_found_and_all_of_it_is_said() {
    let folder = std::env::temp_dir().join(format!("dudao-check-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let stack = describe(&folder);

    let read = dudao(&["check", &stack, "--check-config"]);
    assert_eq!(read.status.code(), Some(0), "{read:?}");

    // Not one that does not answer: that is waited for.
    std::fs::remove_file(folder.join("password")).unwrap();
    let checked = dudao(&["check", &stack]);
    let text = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(1), "{text}");
    for part in ["doctor", "prove", "verify"] {
        assert!(
            text.contains(&format!("== dudao {part}\n")) && text.contains(&format!("== dudao {part}: 1\n")),
            "{text}"
        );
    }
    assert_eq!(text.matches(&format!("cannot read {}", folder.join("password").display())).count(), 4, "{text}");
    let read = dudao(&["check", &stack, "--check-config"]);
    assert_eq!(read.status.code(), Some(2), "{read:?}");
    assert!(String::from_utf8(read.stderr).unwrap().contains("password"));
    std::fs::remove_dir_all(&folder).unwrap();
}
