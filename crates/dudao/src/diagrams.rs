//! `dudao diagrams`: pictures of the state machines and of the ladder, drawn from the rulebook (状态图).
//!
//! The data decide everything: the order of the states in `machines.toml` is the order on paper. Equal data give equal
//! bytes, so that a test can tell whether the committed pictures are current.

mod canvas;
mod machine;
mod steps;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::rulebook::RuleFolder;

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// The file's name, e.g. `case.svg`.
    pub file: String,
    /// The SVG text.
    pub svg: String,
}

/// The folder of the newest rulebook's pictures, below the folder of rules.
pub fn usual_folder(rules: &Path, folder: &RuleFolder) -> anyhow::Result<PathBuf> {
    let newest = folder.rulebooks().last().context("there is no rulebook")?;
    Ok(rules.join(&newest.id).join("diagrams"))
}

/// The pictures of the newest rulebook: each state machine, and the steps of the ladder.
pub fn draw(folder: &RuleFolder) -> anyhow::Result<Vec<Diagram>> {
    let newest = folder.rulebooks().last().context("there is no rulebook")?;
    let machines = folder.machines(&newest.version).context("the rulebook has no machines")?;
    let mut diagrams: Vec<Diagram> = machines
        .machines
        .iter()
        .map(|machine| Diagram { file: format!("{}.svg", machine.key), svg: machine::draw(machine, newest) })
        .collect();
    diagrams.push(Diagram { file: "ladder-steps.svg".to_owned(), svg: steps::draw(newest) });
    Ok(diagrams)
}

/// Writes the pictures; gives their paths.
pub fn write(diagrams: &[Diagram], out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    diagrams
        .iter()
        .map(|Diagram { file, svg }| {
            let path = out.join(file);
            std::fs::write(&path, svg).with_context(|| path.display().to_string())?;
            Ok(path)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    /// After a change of the rulebook: `cargo run -p dudao -- diagrams`.
    #[test]
    fn the_committed_pictures_are_current() {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
        let folder = rules::load(Some(&rules)).unwrap();
        let out = usual_folder(&rules, &folder).unwrap();
        let diagrams = draw(&folder).unwrap();
        for Diagram { file, svg } in &diagrams {
            let committed = std::fs::read_to_string(out.join(file)).unwrap_or_default();
            assert!(committed == *svg, "{file} is not current: run `cargo run -p dudao -- diagrams` and commit");
        }
        let files = std::fs::read_dir(&out).unwrap().count();
        assert_eq!(files, diagrams.len(), "a picture of something that is no more");
    }

    #[test]
    fn every_state_and_act_is_on_its_picture() {
        let folder = RuleFolder::load_from_texts(rules::COPIES.iter().copied()).unwrap();
        let machines = folder.machines(&folder.rulebooks()[0].version).unwrap();
        for diagram in draw(&folder).unwrap() {
            let Some(machine) = machines.machine(diagram.file.trim_end_matches(".svg")) else { continue };
            for state in &machine.states {
                assert!(diagram.svg.contains(&state.title), "{}: {}", diagram.file, state.key);
            }
            for act in &machine.transitions {
                assert!(diagram.svg.contains(&act.title), "{}: {}", diagram.file, act.act);
            }
        }
    }
}
