//! The samples of `samples/`, and that they use every field.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;

/// Every sample with the name of its file.
pub(crate) fn samples() -> Vec<(String, Content)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let content = Content::from_json(&std::fs::read(&file).unwrap());
            (name.clone(), content.unwrap_or_else(|error| panic!("{name}: {error}")))
        })
        .collect()
}

#[test]
fn fields_stand_in_the_order_of_their_names() {
    fn check(name: &str, fields: &[FieldSpec]) {
        assert!(fields.is_sorted_by_key(|field| field.name), "{name}");
        for field in fields {
            if let Shape::Records(fields) = field.shape {
                check(field.name, fields);
            }
        }
    }
    check("head", Head::FIELDS);
    for kind in Kind::ALL {
        check(kind.as_str(), kind.fields());
        for field in kind.fields() {
            // A placeholder must mean one thing.
            assert!(Head::FIELDS.iter().all(|head| head.name != field.name), "{}.{}", kind.as_str(), field.name);
        }
    }
}

#[test]
fn the_samples_show_every_kind_and_every_field() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (_, content) in samples() {
        let value: Value = serde_json::from_str(content.freeze().text()).unwrap();
        collect("", &value, &mut seen);
    }
    let mut missing = Vec::new();
    expect(&mut missing, &seen, "/head", Head::FIELDS);
    for kind in Kind::ALL {
        expect(&mut missing, &seen, &format!("/body/{}", kind.as_str()), kind.fields());
    }
    assert!(missing.is_empty(), "no sample has {missing:?}");
}

fn collect(at: &str, value: &Value, seen: &mut BTreeSet<String>) {
    seen.insert(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| collect(&format!("{at}/{name}"), value, seen));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(at, value, seen)),
        _ => {}
    }
}

fn expect(missing: &mut Vec<String>, seen: &BTreeSet<String>, at: &str, fields: &[FieldSpec]) {
    for field in fields {
        let path = format!("{at}/{}", field.name);
        if !seen.contains(&path) {
            missing.push(path.clone());
        }
        if let Shape::Records(fields) = field.shape {
            expect(missing, seen, &path, fields);
        }
    }
}
