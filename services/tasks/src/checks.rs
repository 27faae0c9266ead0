//! Checking what people hand in: every wrong field is named at once.

use problem::{FieldError, Problem, ProblemKind, Text};

/// Longest text of one field, in characters (the limit of the rectification notice in use, domain handbook i.2).
pub(crate) const LONG_TEXT: usize = 4000;
/// Longest title or name, in characters.
pub(crate) const SHORT_TEXT: usize = 200;

/// Collects refused fields.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<FieldError>);

impl Fields {
    /// Refuses a field.
    pub(crate) fn add(&mut self, pointer: impl Into<String>, detail: Text) {
        self.0.push(FieldError { pointer: pointer.into(), detail });
    }

    /// A text that must be given.
    pub(crate) fn text(&mut self, pointer: impl Into<String>, text: &str, longest: usize) {
        if text.trim().is_empty() {
            self.add(pointer, Text::new("不能为空", "must not be empty"));
        } else {
            self.optional_text(pointer, text, longest);
        }
    }

    /// A text that may be empty.
    pub(crate) fn optional_text(&mut self, pointer: impl Into<String>, text: &str, longest: usize) {
        if text.chars().count() > longest {
            self.add(
                pointer,
                Text::new(format!("不得超过 {longest} 字"), format!("must have at most {longest} characters")),
            );
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
            self.add(pointer, Text::new("含有不可见的控制字符", "contains control characters"));
        }
    }

    /// A list of texts with at least one.
    pub(crate) fn texts(&mut self, pointer: &str, texts: &[String], longest: usize) {
        if texts.is_empty() {
            self.add(pointer, Text::new("至少填写一项", "needs at least one entry"));
        }
        if texts.len() > 200 {
            self.add(pointer, Text::new("不得超过 200 项", "must have at most 200 entries"));
        }
        for (n, text) in texts.iter().enumerate() {
            self.text(format!("{pointer}/{n}"), text, longest);
        }
    }

    /// 422 with all fields, or nothing.
    pub(crate) fn check(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::of(ProblemKind::InvalidFields).fields(self.0)) }
    }
}
