//! Papers: every kind in the templates of the rulebook, and whatever people may write into a content.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use std::path::{Path, PathBuf};

use documents::{Block, Content, Kind, PaperState, Template, Templates};
use proptest::prelude::*;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn template_text() -> String {
    std::fs::read_to_string(root().join("rulebook/documents/2026-1/template.toml")).unwrap()
}

fn template() -> Template {
    Template::parse("template.toml", &template_text()).unwrap()
}

fn samples() -> Vec<Content> {
    Kind::ALL
        .iter()
        .map(|kind| {
            let file = root().join(format!("crates/documents/samples/{}.json", kind.as_str()));
            Content::from_json(&std::fs::read(file).unwrap()).unwrap()
        })
        .collect()
}

#[test]
fn every_kind_becomes_a_paper_that_says_what_the_content_says() {
    let template = template();
    for content in samples() {
        let (kind, frozen) = (content.kind(), content.freeze());
        let paper = template.compose(&frozen, PaperState::Genuine, Some("https://portal.example")).unwrap();
        let text = paper.to_text();
        let head = &frozen.content().head;
        for said in [head.title.as_str(), &head.doc_no.to_string(), &frozen.code().to_string()] {
            assert!(text.contains(said), "{}: {said}", kind.as_str());
        }
        assert!(!text.contains(['{', '}']), "{text}");
        assert!(!text.contains("。。") && !text.contains("，，"), "{text}");
        let signed = paper.blocks.iter().any(|block| matches!(block, Block::Signature { .. }));
        assert_eq!(signed, kind != Kind::ClosingApproval);
    }
}

#[test]
fn what_holds_nothing_is_left_out() {
    let mut content = samples().remove(1);
    content.head.copies.clear();
    content.head.contact = None;
    content.head.attachments.clear();
    let paper = template().compose(&content.freeze(), PaperState::Void, None).unwrap();
    assert!(!paper.blocks.iter().any(|block| matches!(block, Block::Annotation { .. } | Block::Attachments { .. })));
    assert!(paper.blocks.iter().any(|block| matches!(block, Block::Imprint { copies: None, .. })));
    assert!(paper.to_text().starts_with("【作废】"));
    assert!(!paper.to_text().contains("http"));
}

#[test]
fn faults_of_a_template_are_named_with_file_and_line() {
    let faults = |from: &str, to: &str| {
        let text = template_text();
        assert!(text.contains(from), "{from}");
        let line = text[..text.find(from).unwrap()].lines().count();
        let faults = Template::parse("t.toml", &text.replacen(from, to, 1)).unwrap_err();
        (line, faults.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    for (from, to, said) in [
        ("{ text = \"{aim}\" }", "{ text = \"{aims}\" }", "no field aims"),
        ("{ text = \"{aim}\" }", "{ text = \"{aim\" }", "placeholder"),
        ("{ text = \"{aim}\" }", "{ txt = \"{aim}\" }", "unknown field `txt`"),
        ("{ text = \"{aim}\" }", "{ text = \"{items}\" }", "no field items"),
        ("{ text = \"{aim}\" }", "{ text = \"{aim}\", new_page = true }", "exactly one of"),
        ("{ text = \"{aim}\" }", "{ signature = true }", "must follow a text"),
        ("table = \"items\"", "table = \"matters\"", "no list matters"),
        ("when = [\"items\"]", "when = [\"things\"]", "no field things"),
        ("area_width = 156.0", "area_width = 256.0", "does not lie on the paper"),
        ("kind = \"circular\"", "kind = \"letter\"", "unknown variant"),
        ("{ label = \"督办事项\" }, { value = \"{subject}\", span = 3 }", "{ label = \"督办事项\" }", "span 4 columns"),
    ] {
        let (line, found) = faults(from, to);
        assert!(found.iter().any(|fault| fault.contains(said)), "{to}: {found:?}");
        let place = found.iter().find(|fault| fault.contains(said)).unwrap();
        let at: usize = place.split(':').nth(1).unwrap().parse().unwrap();
        assert!(place.starts_with("t.toml:") && at.abs_diff(line) <= 5, "{place}, expected near line {line}");
    }
    let (_, missing) = faults("kind = \"circular\"", "kind = \"plan\"");
    assert!(missing.iter().any(|fault| fault.contains("plan is there twice")));
    assert!(missing.iter().any(|fault| fault.contains("circular is missing")));
}

#[test]
fn the_version_in_force_is_that_of_the_day() {
    let later =
        Template::parse("t", &template_text().replace("2026-01-01", "2027-07-01").replace("\"2026-1\"", "\"2027-1\""));
    let templates = Templates::new(vec![later.unwrap(), template()]).unwrap();
    let on = |day: &str| templates.in_force(day.parse().unwrap()).map(Template::version);
    assert_eq!(on("2025-12-31"), None);
    assert_eq!(on("2027-06-30"), Some("2026-1"));
    assert_eq!(on("2027-07-01"), Some("2027-1"));
    assert!(Templates::new(vec![template(), template()]).is_err());
}

/// Replaces every free text of a content, in turn.
fn rewrite(value: &mut Value, texts: &mut impl Iterator<Item = String>) {
    const FIXED: [&str; 6] = ["doc_no", "template", "publication", "case_id", "finding_ids", "issued_on"];
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let fixed = FIXED.contains(&name.as_str()) || name.ends_with("_on") || name.ends_with("_at");
                if !fixed && !["at", "until", "visit_to", "window_from", "window_to"].contains(&name.as_str()) {
                    rewrite(value, texts);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rewrite(value, texts)),
        Value::String(text) => {
            if let Some(new) = texts.next() {
                *text = new;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

proptest! {
    /// Whatever stands in a content, it freezes, reads back and becomes a paper whose text has it.
    #[test]
    fn any_content_becomes_a_paper(kind in 0..Kind::ALL.len(), texts in prop::collection::vec(any::<String>(), 1..12)) {
        let content = samples().remove(kind);
        let mut value: Value = serde_json::from_str(content.freeze().text()).unwrap();
        rewrite(&mut value, &mut texts.iter().cloned().cycle());
        let frozen = Content::from_json(value.to_string().as_bytes()).unwrap().freeze();
        prop_assert_eq!(&documents::Frozen::read(frozen.text().as_bytes()).unwrap(), &frozen);
        let paper = template().compose(&frozen, PaperState::Genuine, None).unwrap();
        prop_assert!(paper.to_text().contains(&frozen.code().to_string()));
    }
}
