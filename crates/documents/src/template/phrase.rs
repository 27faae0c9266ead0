//! Phrases with placeholders.

use crate::record::{FieldSpec, Shape};

/// A piece of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Words that stand in every document.
    Words(String),
    /// A field of the content.
    Field(String),
}

/// A phrase: words and `{fields}`. Double braces stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Phrase(Vec<Piece>);

impl Phrase {
    /// Reads a phrase; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut words = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '{' | '}' if letters.peek() == Some(&letter) => {
                    letters.next();
                    words.push(letter);
                }
                '{' => {
                    let mut name = String::new();
                    loop {
                        match letters.next() {
                            Some('}') => break,
                            Some(letter) if letter.is_ascii_lowercase() || letter == '_' => name.push(letter),
                            _ => return Err(format!("a placeholder that does not end or is no name: {{{name}")),
                        }
                    }
                    if !words.is_empty() {
                        pieces.push(Piece::Words(std::mem::take(&mut words)));
                    }
                    pieces.push(Piece::Field(name));
                }
                '}' => return Err("a closing brace without an opening one".to_owned()),
                other => words.push(other),
            }
        }
        if !words.is_empty() {
            pieces.push(Piece::Words(words));
        }
        Ok(Self(pieces))
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The first placeholder that no scope knows, or that holds records.
    pub(crate) fn unknown(&self, scopes: &[&[FieldSpec]]) -> Option<&str> {
        self.0.iter().find_map(|piece| match piece {
            Piece::Words(_) => None,
            Piece::Field(name) => match find(scopes, name) {
                Some(Shape::Text | Shape::Texts) => None,
                Some(Shape::Records(_)) | None => Some(name.as_str()),
            },
        })
    }
}

/// The field of that name, the innermost scope first.
pub(crate) fn find(scopes: &[&[FieldSpec]], name: &str) -> Option<Shape> {
    scopes.iter().rev().find_map(|fields| fields.iter().find(|field| field.name == name)).map(|field| field.shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_words_and_fields() {
        let phrase = Phrase::parse("关于{unit}的{{问题}}").unwrap();
        assert_eq!(
            phrase.pieces(),
            [Piece::Words("关于".to_owned()), Piece::Field("unit".to_owned()), Piece::Words("的{问题}".to_owned())]
        );
        for wrong in ["{unit", "unit}", "{Unit}", "{}}"] {
            assert!(Phrase::parse(wrong).is_err(), "{wrong}");
        }
    }
}
