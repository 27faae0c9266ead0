//! Templates (文书模板): versioned data that says how each kind of document reads. See `rulebook/documents/`.
//!
//! A template is a list of elements for each kind. Phrases ask for fields by `{name}`; an element whose phrase asks for
//! a field that holds nothing is left out, so that optional fields need no second template. Everything is checked when
//! it is loaded: unknown keys, kinds and fields, with file and line.

mod file;
mod phrase;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::content::Kind;
use crate::paper::Align;

pub use phrase::Phrase;
pub(crate) use phrase::Piece;

/// What is wrong in a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct TemplateFault {
    /// The file, as it was named to the loader.
    pub file: String,
    /// The line, from 1; 0 when the fault is the file's as a whole.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// Everything that is wrong in a folder of templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFaults(pub Vec<TemplateFault>);

impl std::fmt::Display for TemplateFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for TemplateFaults {}

/// The measures of the page (GB/T 9704-2012, 5), in millimetres.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Width of the paper.
    pub width: f64,
    /// Height of the paper.
    pub height: f64,
    /// Margin above the type area (天头).
    pub top: f64,
    /// Margin at the binding (订口).
    pub left: f64,
    /// Width of the type area (版心).
    pub area_width: f64,
    /// Height of the type area.
    pub area_height: f64,
    /// Lines on a page.
    pub lines: u32,
    /// Characters on a line.
    pub characters: u32,
    /// From the upper edge of the type area to the agency mark.
    pub mark_below_top: f64,
    /// From the number to the red rule.
    pub rule_below_number: f64,
    /// From the type area to the page number.
    pub page_number_below: f64,
}

/// The outer form of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// With red head and imprint (文件格式).
    RedHead,
    /// A form for use in the office: title, number, grid (表格).
    Sheet,
}

/// When an element stands on the paper.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Condition {
    /// Fields that must hold something.
    pub(crate) when: Vec<String>,
    /// Fields that must hold nothing.
    pub(crate) unless: Vec<String>,
}

/// An element with its condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) condition: Condition,
    pub(crate) part: Part,
}

/// What an element makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(Phrase),
    Heading { level: u8, phrase: Phrase },
    Each { list: String, body: Vec<Element> },
    Table { list: String, columns: Vec<TableColumn> },
    Form { widths: Vec<u32>, rows: Vec<FormRow> },
    Caption(Phrase),
    Signature,
    Annotation(Phrase),
    NewPage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableColumn {
    pub(crate) title: String,
    pub(crate) width: u32,
    pub(crate) align: Align,
    pub(crate) value: Phrase,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormRow {
    pub(crate) condition: Condition,
    pub(crate) each: Option<String>,
    pub(crate) cells: Vec<FormCellTemplate>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormCellTemplate {
    pub(crate) phrase: Phrase,
    pub(crate) label: bool,
    pub(crate) span: u32,
    pub(crate) lines: u32,
    pub(crate) align: Align,
}

/// The template of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KindTemplate {
    pub(crate) form: Form,
    /// Put behind the agency's name in the mark: 文件.
    pub(crate) mark_suffix: String,
    /// Whether it goes upward: the signer is printed.
    pub(crate) upward: bool,
    pub(crate) body: Vec<Element>,
}

/// One version of the templates.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    version: String,
    effective_on: Date,
    title: String,
    page: Page,
    kinds: BTreeMap<Kind, KindTemplate>,
}

impl Template {
    /// Reads a `template.toml`; every fault is reported.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<TemplateFault>> {
        file::parse(file, text)
    }

    /// The version, which contents name.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The first day on which documents are issued with it.
    pub fn effective_on(&self) -> Date {
        self.effective_on
    }

    /// What changed, in words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The measures of the page.
    pub fn page(&self) -> &Page {
        &self.page
    }

    pub(crate) fn kind(&self, kind: Kind) -> Option<&KindTemplate> {
        self.kinds.get(&kind)
    }
}

/// All versions that there are.
#[derive(Debug, Clone, Default)]
pub struct Templates(Vec<Template>);

impl Templates {
    /// Reads `<folder>/<version>/template.toml` of every version that there is; every fault of every file is reported.
    pub fn load(folder: &Path) -> Result<Self, TemplateFaults> {
        let fault = |path: &Path, reason: String| TemplateFault { file: path.display().to_string(), line: 0, reason };
        let of_folder = |error: std::io::Error| TemplateFaults(vec![fault(folder, error.to_string())]);
        let entries =
            std::fs::read_dir(folder).map_err(of_folder)?.collect::<Result<Vec<_>, _>>().map_err(of_folder)?;
        let mut versions: Vec<_> = entries.iter().map(std::fs::DirEntry::path).filter(|path| path.is_dir()).collect();
        versions.sort();
        let (mut templates, mut faults) = (Vec::new(), Vec::new());
        for version in versions {
            let file = version.join("template.toml");
            let parsed = std::fs::read_to_string(&file)
                .map_err(|error| vec![fault(&file, error.to_string())])
                .and_then(|text| Template::parse(&file.display().to_string(), &text));
            match parsed {
                Ok(template) if version.file_name().is_some_and(|name| name == template.version()) => {
                    templates.push(template);
                }
                Ok(template) => {
                    let reason = format!("the version is {} and must be the folder's name", template.version());
                    faults.push(fault(&file, reason));
                }
                Err(more) => faults.extend(more),
            }
        }
        if templates.is_empty() && faults.is_empty() {
            faults.push(fault(folder, "there are no templates".to_owned()));
        }
        if !faults.is_empty() {
            return Err(TemplateFaults(faults));
        }
        Self::new(templates).map_err(|fault| TemplateFaults(vec![fault]))
    }

    /// Puts versions together; two of one name are refused.
    pub fn new(templates: Vec<Template>) -> Result<Self, TemplateFault> {
        let mut sorted = templates;
        sorted.sort_by(|one, other| (one.effective_on, &one.version).cmp(&(other.effective_on, &other.version)));
        for (place, template) in sorted.iter().enumerate() {
            if sorted.iter().skip(place + 1).any(|other| other.version == template.version) {
                let reason = format!("version {} is there twice", template.version);
                return Err(TemplateFault { file: "template.toml".to_owned(), line: 0, reason });
            }
        }
        Ok(Self(sorted))
    }

    /// The version of that name.
    pub fn version(&self, version: &str) -> Option<&Template> {
        self.0.iter().find(|template| template.version == version)
    }

    /// The version that documents of this day are issued with.
    pub fn in_force(&self, on: Date) -> Option<&Template> {
        self.0.iter().rev().find(|template| template.effective_on <= on)
    }

    /// Every version, the oldest first.
    pub fn all(&self) -> &[Template] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_loaded_or_every_fault_in_it_named() {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook/documents");
        let templates = Templates::load(&tree).unwrap();
        let first = templates.all().first().unwrap();
        assert_eq!(templates.in_force(first.effective_on()).unwrap(), first);
        assert_eq!(templates.in_force(first.effective_on().yesterday().unwrap()), None);

        let folder = std::env::temp_dir().join(format!("dudao-templates-{}", std::process::id()));
        assert!(Templates::load(&folder).unwrap_err().to_string().contains("dudao-templates"));
        let text = std::fs::read_to_string(tree.join(first.version()).join("template.toml")).unwrap();
        for (name, text) in [("other", text.as_str()), ("wrong", "version = 1")] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(folder.join(name).join("template.toml"), text).unwrap();
        }
        std::fs::create_dir_all(folder.join("without")).unwrap();
        let faults = Templates::load(&folder).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        let files: Vec<_> = faults.0.iter().map(|fault| fault.file.rsplit('/').nth(1).unwrap()).collect();
        assert_eq!(files, ["other", "without", "wrong"]);
    }
}
