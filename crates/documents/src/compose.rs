//! Composing: content and template become a paper.

use std::borrow::Cow;

use domain::local_time::date_zh;

use crate::content::{Content, Head};
use crate::frozen::Frozen;
use crate::numerals::heading_mark;
use crate::paper::{Block, Column, FormCell, Paper, PaperState};
use crate::record::{Lookup, Value};
use crate::template::{Condition, Element, Form, FormRow, KindTemplate, Part, Phrase, Piece, TableColumn, Template};
use crate::title::break_title;

/// Why a paper cannot be composed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the templates of version {version} have no kind {kind}")]
pub struct NoTemplate {
    version: String,
    kind: &'static str,
}

impl Template {
    /// The paper of a content in this version's words, whatever version the content names: the caller compares them,
    /// except for a preview. `portal` is the address behind which documents are verified, without a slash at the end.
    pub fn compose(&self, frozen: &Frozen, state: PaperState, portal: Option<&str>) -> Result<Paper, NoTemplate> {
        let content = frozen.content();
        let kind = content.kind();
        let template =
            self.kind(kind).ok_or_else(|| NoTemplate { version: self.version().to_owned(), kind: kind.as_str() })?;
        let mut composer = Composer {
            content,
            scopes: vec![&content.head, content.body.record()],
            blocks: Vec::new(),
            counters: [0; 4],
        };
        composer.head(template);
        composer.elements(&template.body);
        if template.form == Form::RedHead {
            composer.imprint();
        }
        composer.verification(frozen, portal);
        Ok(Paper {
            blocks: composer.blocks,
            sha256: frozen.sha256(),
            code: frozen.code(),
            kind,
            template: self.version().to_owned(),
            title: clean(&content.head.title).replace('\n', ""),
            agency: clean(&content.head.issuing_agency).replace('\n', ""),
            issued_on: content.head.issued_on,
            state,
            watermark: state.watermark(),
        })
    }
}

struct Composer<'a> {
    content: &'a Content,
    /// Where placeholders are looked up, the innermost last.
    scopes: Vec<&'a dyn Lookup>,
    blocks: Vec<Block>,
    counters: [u32; 4],
}

/// An entry of a list of texts, or the place within a list.
struct Entry<'a> {
    item: Option<&'a str>,
    place: usize,
}

impl Lookup for Entry<'_> {
    fn value(&self, name: &str) -> Option<Value<'_>> {
        match (name, self.item) {
            ("item", Some(item)) if item.trim().is_empty() => Some(Value::Absent),
            ("item", Some(item)) => Some(Value::Text(Cow::Borrowed(item))),
            ("n", _) => Some(Value::Text(Cow::Owned((self.place + 1).to_string()))),
            _ => None,
        }
    }
}

impl Composer<'_> {
    fn head(&mut self, template: &KindTemplate) {
        let head: &Head = &self.content.head;
        let number = head.doc_no.to_string();
        let title = clean(&head.title).replace('\n', "");
        if template.form == Form::Sheet {
            self.blocks.push(Block::Title { lines: break_title(&title) });
            self.blocks.push(Block::Reference { text: format!("编号：{number}") });
            return;
        }
        let marks: Vec<String> =
            [&head.copy_no, &head.secrecy, &head.urgency].into_iter().flatten().map(|mark| one_line(mark)).collect();
        if !marks.is_empty() {
            self.blocks.push(Block::Marks { lines: marks });
        }
        let mark = head.agency_mark.as_deref().unwrap_or(&head.issuing_agency);
        self.blocks.push(Block::Mark { text: format!("{}{}", one_line(mark), template.mark_suffix) });
        let signer = head.signer.as_deref().filter(|_| template.upward).map(one_line);
        self.blocks.push(Block::Number { number, signer });
        self.blocks.push(Block::Title { lines: break_title(&title) });
        if let Some(addressee) = &head.addressee {
            self.blocks.push(Block::Addressee { text: format!("{}：", one_line(addressee)) });
        }
    }

    fn elements(&mut self, elements: &[Element]) {
        for element in elements {
            if holds(&self.scopes, &element.condition) {
                self.part(&element.part);
            }
        }
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text(phrase) => {
                for text in paragraphs(self.filled(phrase)) {
                    self.blocks.push(Block::Paragraph { text });
                }
            }
            Part::Heading { level, phrase } => {
                if let Some(text) = self.filled(phrase) {
                    let mark = self.next_mark(*level);
                    self.blocks.push(Block::Heading { level: *level, text: format!("{mark}{}", one_line(&text)) });
                }
            }
            Part::Each { list, body } => {
                for_each(&self.scopes.clone(), list, &mut |scopes| {
                    let mut inner = Composer {
                        content: self.content,
                        scopes: scopes.to_vec(),
                        blocks: std::mem::take(&mut self.blocks),
                        counters: self.counters,
                    };
                    inner.elements(body);
                    (self.blocks, self.counters) = (inner.blocks, inner.counters);
                });
            }
            Part::Table { list, columns } => self.table(list, columns),
            Part::Form { widths, rows } => self.form(widths, rows),
            Part::Caption(phrase) => {
                if let Some(text) = self.filled(phrase) {
                    self.counters = [0; 4];
                    self.blocks.push(Block::Caption { text: one_line(&text) });
                }
            }
            Part::Annotation(phrase) => {
                if let Some(text) = self.filled(phrase) {
                    self.blocks.push(Block::Annotation { text: one_line(&text) });
                }
            }
            Part::Signature => self.signature(),
            Part::NewPage => self.blocks.push(Block::PageBreak),
        }
    }

    fn next_mark(&mut self, level: u8) -> String {
        let place = usize::from(level.clamp(1, 4)) - 1;
        for (at, counter) in self.counters.iter_mut().enumerate().skip(place) {
            *counter = if at == place { counter.saturating_add(1) } else { 0 };
        }
        heading_mark(level, self.counters.get(place).copied().unwrap_or(1))
    }

    fn signature(&mut self) {
        let head = &self.content.head;
        let items: Vec<String> = head.attachments.iter().map(|title| one_line(title)).collect();
        if !items.is_empty() {
            self.blocks.push(Block::Attachments { items });
        }
        let (agency, date) = (one_line(&head.issuing_agency), date_zh(head.issued_on));
        self.blocks.push(Block::Signature { agency, date });
    }

    fn table(&mut self, list: &str, columns: &[TableColumn]) {
        let mut rows = Vec::new();
        for_each(&self.scopes.clone(), list, &mut |scopes| {
            rows.push(columns.iter().map(|column| clean(&blanked(scopes, &column.value))).collect());
        });
        if rows.is_empty() {
            return;
        }
        let columns = columns
            .iter()
            .map(|column| Column { title: column.title.clone(), width: column.width, align: column.align })
            .collect();
        self.blocks.push(Block::Table { columns, rows });
    }

    fn form(&mut self, widths: &[u32], templates: &[FormRow]) {
        let mut rows = Vec::new();
        for template in templates {
            if !holds(&self.scopes, &template.condition) {
                continue;
            }
            let mut row = |scopes: &[&dyn Lookup]| {
                rows.push(
                    template
                        .cells
                        .iter()
                        .map(|cell| FormCell {
                            text: clean(&blanked(scopes, &cell.phrase)),
                            label: cell.label,
                            span: cell.span,
                            lines: cell.lines,
                            align: cell.align,
                        })
                        .collect(),
                );
            };
            match &template.each {
                Some(list) => for_each(&self.scopes.clone(), list, &mut row),
                None => row(&self.scopes),
            }
        }
        self.blocks.push(Block::Form { widths: widths.to_vec(), rows });
    }

    fn imprint(&mut self) {
        let head = &self.content.head;
        let copies: Vec<String> = head.copies.iter().map(|copy| one_line(copy)).collect();
        let copies = (!copies.is_empty()).then(|| format!("抄送：{}。", copies.join("，")));
        let office = one_line(head.issue_office.as_deref().unwrap_or(&head.issuing_agency));
        let date = format!("{}印发", date_zh(head.printed_on.unwrap_or(head.issued_on)));
        self.blocks.push(Block::Imprint { copies, office, date });
    }

    fn verification(&mut self, frozen: &Frozen, portal: Option<&str>) {
        let code = frozen.code().to_string();
        let portal = portal.filter(|portal| !portal.is_empty());
        let address = portal.map(|portal| format!("{portal}/verify/{code}"));
        let text = match portal {
            Some(portal) => format!("扫描二维码，或在{portal}/verify输入核验码，可核对本文书的真伪和效力。"),
            None => "凭核验码可向发文机关核对本文书的真伪和效力。".to_owned(),
        };
        self.blocks.push(Block::Verification { code, text, address });
    }

    /// The phrase with its fields; `None` when one of them holds nothing.
    fn filled(&self, phrase: &Phrase) -> Option<String> {
        let mut text = String::new();
        for piece in phrase.pieces() {
            match piece {
                Piece::Words(words) => text.push_str(words),
                Piece::Field(name) => text.push_str(&printed(&self.scopes, name)?),
            }
        }
        let text = clean(&text);
        (!text.trim().is_empty()).then_some(text)
    }
}

/// The phrase with blanks where a field holds nothing.
fn blanked(scopes: &[&dyn Lookup], phrase: &Phrase) -> String {
    phrase
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Field(name) => printed(scopes, name).unwrap_or_default(),
        })
        .collect()
}

fn look_up<'s>(scopes: &[&'s dyn Lookup], name: &str) -> Value<'s> {
    scopes.iter().rev().find_map(|scope| scope.value(name)).unwrap_or(Value::Absent)
}

fn printed(scopes: &[&dyn Lookup], name: &str) -> Option<String> {
    match look_up(scopes, name) {
        Value::Text(text) => Some(text.into_owned()),
        Value::Texts(texts) => Some(texts.join("、")),
        Value::Records(_) | Value::Absent => None,
    }
}

fn holds(scopes: &[&dyn Lookup], condition: &Condition) -> bool {
    let there = |name: &String| !matches!(look_up(scopes, name), Value::Absent);
    condition.when.iter().all(there) && !condition.unless.iter().any(there)
}

/// Calls with the scopes of every entry of a list.
fn for_each(scopes: &[&dyn Lookup], list: &str, call: &mut dyn FnMut(&[&dyn Lookup])) {
    match look_up(scopes, list) {
        Value::Records(records) => {
            for (place, record) in records.into_iter().enumerate() {
                let entry = Entry { item: None, place };
                let mut inner: Vec<&dyn Lookup> = scopes.to_vec();
                inner.extend([&entry as &dyn Lookup, record]);
                call(&inner);
            }
        }
        Value::Texts(texts) => {
            for (place, item) in texts.iter().enumerate() {
                let entry = Entry { item: Some(item), place };
                let mut inner: Vec<&dyn Lookup> = scopes.to_vec();
                inner.push(&entry);
                call(&inner);
            }
        }
        Value::Text(_) | Value::Absent => {}
    }
}

/// What people wrote, without characters that no page can show: control characters go, a tab becomes a blank; line
/// breaks stay.
fn clean(text: &str) -> String {
    let shown = |letter: &char| *letter == '\n' || !(letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}'));
    text.replace("\r\n", "\n")
        .chars()
        .map(|letter| match letter {
            '\t' => ' ',
            '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
            other => other,
        })
        .filter(shown)
        .collect()
}

fn one_line(text: &str) -> String {
    clean(text).split('\n').map(str::trim).collect::<Vec<_>>().concat()
}

fn paragraphs(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
