//! The programs of the image in one file (合一程序): eight services and the tool `dudao`. It is whichever it is called.
//!
//! The services share most of their code. As nine files that code would lie in the image nine times, and in the memory of
//! a node nine times; as one file it is there once. Its links have the programs' names, so the chart knows nothing of it.
//! `documents` stays a file of its own: the typesetter's crates do not belong into the process of anyone else.
//!
//! ```text
//! /usr/local/bin/programs
//! /usr/local/bin/tasks -> programs
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may"))]

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use service_kit::{Service, StatelessService, run, run_stateless};

/// A name and the main function that goes by it.
type Program = (&'static str, fn() -> ExitCode);

/// Every program of this file.
const PROGRAMS: [Program; 9] = [
    (<console::Console as StatelessService>::NAME, run_stateless::<console::Console>),
    (<deadlines::Deadlines as Service>::NAME, run::<deadlines::Deadlines>),
    ("dudao", dudao::cli::run),
    (<exchange::Exchange as Service>::NAME, run::<exchange::Exchange>),
    (<notifications::Notifications as Service>::NAME, run::<notifications::Notifications>),
    (<publication::PublicationService as Service>::NAME, run::<publication::PublicationService>),
    (<registry::Registry as Service>::NAME, run::<registry::Registry>),
    (<reporting::Reporting as Service>::NAME, run::<reporting::Reporting>),
    (<tasks::Tasks as Service>::NAME, run::<tasks::Tasks>),
];

/// The exit code of a call that makes no sense (`EX_USAGE` of sysexits.h).
const EX_USAGE: u8 = 64;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_default();
    if let Some((_, main)) = program(&called) {
        return main();
    }
    let names = PROGRAMS.map(|(name, _)| name).join("\n");
    if arguments.next().is_some_and(|argument| argument == "--list") {
        let written = writeln!(std::io::stdout(), "{names}");
        return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let _ = write!(
        std::io::stderr(),
        "请以其中一个程序的名称调用本文件（符号链接），--list 列出名称：\n\
         Call this file by the name of one of its programs (a symbolic link); --list prints them:\n{names}\n"
    );
    ExitCode::from(EX_USAGE)
}

/// The program of a path, by its last part.
fn program(called: &OsStr) -> Option<&'static Program> {
    let name = Path::new(called).file_name()?;
    PROGRAMS.iter().find(|(known, _)| name == *known)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A new service is in the image: here, or in a file of its own as the typesetter is.
    #[test]
    fn every_service_is_here_but_the_typesetter() {
        let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
        let mut expected: BTreeSet<String> = std::fs::read_dir(services)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(expected.remove("documents"));
        expected.insert("dudao".to_owned());
        let here: BTreeSet<String> = PROGRAMS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(here, expected);
    }

    #[test]
    fn the_last_part_of_the_path_decides() {
        let named = |path: &str| program(OsStr::new(path)).map(|(name, _)| *name);
        assert_eq!(named("tasks"), Some("tasks"));
        assert_eq!(named("/usr/local/bin/tasks"), Some("tasks"));
        for stranger in ["/usr/local/bin/programs", "documents", "tasks.old", "", "/"] {
            assert_eq!(named(stranger), None, "{stranger}");
        }
    }
}
