//! Reading `template.toml`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::phrase::{Phrase, find};
use super::{
    Condition, Element, Form, FormCellTemplate, FormRow, KindTemplate, Page, Part, TableColumn, Template, TemplateFault,
};
use crate::content::{Head, Kind};
use crate::paper::Align;
use crate::record::{FieldSpec, Record as _, Shape};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<String>,
    effective_on: Date,
    title: String,
    page: Spanned<Page>,
    kinds: Vec<KindFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindFile {
    kind: Spanned<Kind>,
    form: Form,
    #[serde(default)]
    mark_suffix: String,
    #[serde(default)]
    upward: bool,
    body: Vec<Spanned<ElementFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElementFile {
    #[serde(default)]
    when: Vec<Spanned<String>>,
    #[serde(default)]
    unless: Vec<Spanned<String>>,
    text: Option<Spanned<String>>,
    heading: Option<Spanned<String>>,
    level: Option<u8>,
    each: Option<Spanned<String>>,
    body: Option<Vec<Spanned<ElementFile>>>,
    table: Option<Spanned<String>>,
    columns: Option<Vec<ColumnFile>>,
    widths: Option<Vec<u32>>,
    rows: Option<Vec<Spanned<RowFile>>>,
    caption: Option<Spanned<String>>,
    annotation: Option<Spanned<String>>,
    signature: Option<bool>,
    new_page: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    title: String,
    width: u32,
    #[serde(default)]
    align: Align,
    value: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowFile {
    #[serde(default)]
    when: Vec<Spanned<String>>,
    #[serde(default)]
    unless: Vec<Spanned<String>>,
    each: Option<Spanned<String>>,
    cells: Vec<CellFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CellFile {
    label: Option<Spanned<String>>,
    value: Option<Spanned<String>>,
    span: Option<u32>,
    lines: Option<u32>,
    #[serde(default)]
    align: Align,
}

/// The fields inside `each` of a list of texts.
const ITEM: &[FieldSpec] =
    &[FieldSpec { name: "item", shape: Shape::Text }, FieldSpec { name: "n", shape: Shape::Text }];
/// What `each` of a list of records adds to their fields.
const PLACE: &[FieldSpec] = &[FieldSpec { name: "n", shape: Shape::Text }];

pub(super) fn parse(file: &str, text: &str) -> Result<Template, Vec<TemplateFault>> {
    let parsed: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        vec![TemplateFault { file: file.to_owned(), line, reason: error.message().to_owned() }]
    })?;
    let mut check = Check { file, text, faults: Vec::new() };
    let version = parsed.version.get_ref();
    let plain =
        !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    if !plain {
        check.fault(&parsed.version, "a version is of letters, digits, hyphens and dots".to_owned());
    }
    check.page(&parsed.page);
    let mut kinds = BTreeMap::new();
    for kind in parsed.kinds {
        let name = *kind.kind.get_ref();
        let template = KindTemplate {
            form: kind.form,
            mark_suffix: kind.mark_suffix,
            upward: kind.upward,
            body: check.elements(&kind.body, &[Head::FIELDS, name.fields()]),
        };
        check.signature(&kind.body, &template);
        if kinds.insert(name, template).is_some() {
            check.fault(&kind.kind, format!("the kind {} is there twice", name.as_str()));
        }
    }
    for kind in Kind::ALL.iter().filter(|kind| !kinds.contains_key(kind)) {
        check.fault(&parsed.version, format!("the kind {} is missing", kind.as_str()));
    }
    if !check.faults.is_empty() {
        return Err(check.faults);
    }
    Ok(Template {
        version: parsed.version.into_inner(),
        effective_on: parsed.effective_on,
        title: parsed.title,
        page: parsed.page.into_inner(),
        kinds,
    })
}

struct Check<'a> {
    file: &'a str,
    text: &'a str,
    faults: Vec<TemplateFault>,
}

impl Check<'_> {
    fn fault<T>(&mut self, at: &Spanned<T>, reason: String) {
        let line = line_of(self.text, at.span().start);
        self.faults.push(TemplateFault { file: self.file.to_owned(), line, reason });
    }

    fn page(&mut self, page: &Spanned<Page>) {
        let size = page.get_ref();
        let fits = size.left + size.area_width <= size.width && size.top + size.area_height <= size.height;
        if !fits || size.lines == 0 || size.characters == 0 || size.left <= 0.0 || size.top <= 0.0 {
            self.fault(page, "the type area does not lie on the paper, or has no lines".to_owned());
        }
    }

    /// The signature must follow a text: its last line goes with it to the next page.
    fn signature(&mut self, files: &[Spanned<ElementFile>], template: &KindTemplate) {
        for (place, element) in template.body.iter().enumerate() {
            if element.part != Part::Signature {
                continue;
            }
            let before = place.checked_sub(1).and_then(|place| template.body.get(place));
            let safe = before
                .is_some_and(|before| matches!(before.part, Part::Text(_)) && before.condition == Condition::default());
            if let (false, Some(file)) = (safe, files.get(place)) {
                self.fault(file, "a signature must follow a text that always stands there".to_owned());
            }
        }
    }

    fn elements(&mut self, files: &[Spanned<ElementFile>], scopes: &[&[FieldSpec]]) -> Vec<Element> {
        files.iter().filter_map(|file| self.element(file, scopes)).collect()
    }

    fn element(&mut self, file: &Spanned<ElementFile>, scopes: &[&[FieldSpec]]) -> Option<Element> {
        let element = file.get_ref();
        let condition = self.condition(&element.when, &element.unless, scopes);
        let mut parts = Vec::new();
        if let Some(text) = &element.text {
            parts.extend(self.phrase(text, scopes).map(Part::Text));
        }
        if let Some(heading) = &element.heading {
            let level = element.level.unwrap_or(1);
            if !(1..=4).contains(&level) {
                self.fault(heading, "a heading has a level from 1 to 4".to_owned());
            }
            parts.extend(self.phrase(heading, scopes).map(|phrase| Part::Heading { level, phrase }));
        }
        if let Some(list) = &element.each {
            let inner = self.scopes_of(list, scopes)?;
            let body = self.elements(element.body.as_deref().unwrap_or_default(), &inner);
            parts.push(Part::Each { list: list.get_ref().clone(), body });
        }
        if let Some(list) = &element.table {
            let inner = self.scopes_of(list, scopes)?;
            let columns = self.columns(list, element.columns.as_deref().unwrap_or_default(), &inner);
            parts.push(Part::Table { list: list.get_ref().clone(), columns });
        }
        if let Some(widths) = &element.widths {
            let rows = self.rows(element.rows.as_deref().unwrap_or_default(), widths, scopes);
            parts.push(Part::Form { widths: widths.clone(), rows });
        }
        if let Some(caption) = &element.caption {
            parts.extend(self.phrase(caption, scopes).map(Part::Caption));
        }
        if let Some(annotation) = &element.annotation {
            parts.extend(self.phrase(annotation, scopes).map(Part::Annotation));
        }
        if element.signature == Some(true) {
            parts.push(Part::Signature);
        }
        if element.new_page == Some(true) {
            parts.push(Part::NewPage);
        }
        if parts.len() != 1 {
            let reason = "an element is exactly one of text, heading, each, table, widths (a form), caption, annotation, \
                          signature, new_page, and its phrase must be right";
            self.fault(file, reason.to_owned());
        }
        parts.pop().map(|part| Element { condition, part })
    }

    fn phrase(&mut self, phrase: &Spanned<String>, scopes: &[&[FieldSpec]]) -> Option<Phrase> {
        match Phrase::parse(phrase.get_ref()) {
            Ok(read) => {
                if let Some(name) = read.unknown(scopes) {
                    let reason = format!("there is no field {name} here that can be printed");
                    self.fault(phrase, reason);
                }
                Some(read)
            }
            Err(reason) => {
                self.fault(phrase, reason);
                None
            }
        }
    }

    fn condition(
        &mut self,
        when: &[Spanned<String>],
        unless: &[Spanned<String>],
        scopes: &[&[FieldSpec]],
    ) -> Condition {
        for name in when.iter().chain(unless) {
            if find(scopes, name.get_ref()).is_none() {
                self.fault(name, format!("there is no field {} here", name.get_ref()));
            }
        }
        let names = |list: &[Spanned<String>]| list.iter().map(|name| name.get_ref().clone()).collect();
        Condition { when: names(when), unless: names(unless) }
    }

    /// The scopes inside a list.
    fn scopes_of<'s>(&mut self, list: &Spanned<String>, scopes: &[&'s [FieldSpec]]) -> Option<Vec<&'s [FieldSpec]>> {
        let mut inner = scopes.to_vec();
        match find(scopes, list.get_ref()) {
            Some(Shape::Records(fields)) => inner.extend([PLACE, fields]),
            Some(Shape::Texts) => inner.push(ITEM),
            Some(Shape::Text) | None => {
                self.fault(list, format!("there is no list {} here", list.get_ref()));
                return None;
            }
        }
        Some(inner)
    }

    fn columns(&mut self, at: &Spanned<String>, files: &[ColumnFile], scopes: &[&[FieldSpec]]) -> Vec<TableColumn> {
        if files.is_empty() || files.iter().any(|column| column.width == 0) {
            self.fault(at, "a table has columns, each with a width above 0".to_owned());
        }
        files
            .iter()
            .filter_map(|column| {
                let value = self.phrase(&column.value, scopes)?;
                Some(TableColumn { title: column.title.clone(), width: column.width, align: column.align, value })
            })
            .collect()
    }

    fn rows(&mut self, files: &[Spanned<RowFile>], widths: &[u32], scopes: &[&[FieldSpec]]) -> Vec<FormRow> {
        files.iter().filter_map(|file| self.row(file, widths, scopes)).collect()
    }

    fn row(&mut self, file: &Spanned<RowFile>, widths: &[u32], scopes: &[&[FieldSpec]]) -> Option<FormRow> {
        let row = file.get_ref();
        let condition = self.condition(&row.when, &row.unless, scopes);
        let inner = match &row.each {
            Some(list) => self.scopes_of(list, scopes)?,
            None => scopes.to_vec(),
        };
        let mut cells = Vec::new();
        for cell in &row.cells {
            let (label, phrase) = match (&cell.label, &cell.value) {
                (Some(label), None) => (true, label),
                (None, Some(value)) => (false, value),
                (Some(_), Some(_)) | (None, None) => {
                    self.fault(file, "a cell is a label or a value".to_owned());
                    continue;
                }
            };
            let Some(phrase) = self.phrase(phrase, &inner) else { continue };
            let align = if label { Align::Center } else { cell.align };
            let (span, lines) = (cell.span.unwrap_or(1), cell.lines.unwrap_or(1));
            cells.push(FormCellTemplate { phrase, label, span, lines, align });
        }
        let span: u32 = cells.iter().map(|cell| cell.span).fold(0, u32::saturating_add);
        if usize::try_from(span) != Ok(widths.len()) || cells.iter().any(|cell| cell.span == 0) || widths.contains(&0) {
            self.fault(file, format!("the cells of a row span {} columns, not {span}", widths.len()));
        }
        Some(FormRow { condition, each: row.each.as_ref().map(|list| list.get_ref().clone()), cells })
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
