//! The bytes that are stored, hashed and verified.

use sha2::{Digest as _, Sha256};

use crate::code::VerificationCode;
use crate::content::Content;

/// A content with its canonical bytes.
///
/// The canonical form is RFC 8785 (JCS) for what contents hold: UTF-8, no blanks between tokens, the members of every
/// object in the order of their names, strings with the shortest escapes, whole numbers only. On top of that, members
/// that hold nothing (no value, an empty list) are not written. So equal contents have equal bytes, and anyone can form
/// them again in any language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    content: Content,
    text: String,
    digest: [u8; 32],
}

/// Why bytes are no frozen content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Not the JSON of a content; where, as a path, and why.
    #[error("at {path}: {reason}")]
    Unreadable {
        /// The member, such as `body.urging_order.late_items[0].problem`.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// Readable, but not the canonical bytes: their hash would not be the document's.
    #[error("the bytes are not in canonical form from byte {0} on")]
    NotCanonical(usize),
}

impl Frozen {
    /// Freezes a content. Costs one pass over it: fit for storms.
    pub fn new(content: Content) -> Self {
        // Structs of texts, whole numbers and dates always serialise.
        let text = serde_json::to_string(&content).unwrap_or_default();
        let digest = Sha256::digest(text.as_bytes()).into();
        Self { content, text, digest }
    }

    /// Reads bytes that were frozen before; other bytes than the canonical ones are refused.
    pub fn read(bytes: &[u8]) -> Result<Self, ContentError> {
        let frozen = Self::new(Content::from_json(bytes)?);
        if frozen.text.as_bytes() == bytes {
            return Ok(frozen);
        }
        let same = frozen.text.bytes().zip(bytes).take_while(|(one, other)| one == *other).count();
        Err(ContentError::NotCanonical(same))
    }

    /// The content.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the canonical text.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The same as 64 hexadecimal digits.
    pub fn sha256(&self) -> String {
        hex::encode(self.digest)
    }

    /// The code for verification.
    pub fn code(&self) -> VerificationCode {
        VerificationCode::of_digest(&self.digest)
    }

    /// Gives the canonical text away, to be stored.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl Content {
    /// Reads a content from JSON in any layout, for instance one that a person wrote.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ContentError> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let content: Self = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            ContentError::Unreadable { path: error.path().to_string(), reason: error.inner().to_string() }
        })?;
        reader.end().map_err(|error| ContentError::Unreadable { path: ".".to_owned(), reason: error.to_string() })?;
        Ok(content)
    }

    /// The same as [`Frozen::new`].
    pub fn freeze(self) -> Frozen {
        Frozen::new(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::content::tests::samples;

    /// RFC 8785 by the book, for comparison: members sorted, nothing that is null or an empty list.
    fn canonical(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let mut kept: Vec<(&String, &Value)> = members.iter().collect();
                kept.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
                let kept: Vec<String> = kept
                    .iter()
                    .filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()))
                    .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                    .collect();
                format!("{{{}}}", kept.join(","))
            }
            Value::Array(values) => format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(",")),
            other => other.to_string(),
        }
    }

    #[test]
    fn what_serde_writes_is_the_canonical_form_of_every_kind() {
        for (name, content) in samples() {
            let frozen = content.clone().freeze();
            let value: Value = serde_json::from_str(frozen.text()).unwrap();
            assert_eq!(frozen.text(), canonical(&value), "{name}");
            assert_eq!(Frozen::read(frozen.text().as_bytes()).unwrap(), frozen, "{name}");
            assert_eq!(frozen.sha256().len(), 64);
        }
    }

    #[test]
    fn other_bytes_of_the_same_content_are_refused() {
        let (_, content) = samples().remove(0);
        let frozen = content.freeze();
        let pretty = serde_json::to_vec_pretty(&serde_json::from_str::<Value>(frozen.text()).unwrap()).unwrap();
        assert_eq!(Content::from_json(&pretty).unwrap(), *frozen.content());
        assert_eq!(Frozen::read(&pretty), Err(ContentError::NotCanonical(1)));
        let trailing = format!("{} ", frozen.text());
        assert!(matches!(Frozen::read(trailing.as_bytes()), Err(ContentError::NotCanonical(_))));
    }

    #[test]
    fn unknown_members_and_wrong_values_are_named() {
        let (_, content) = samples().into_iter().find(|(name, _)| name == "urging_order").unwrap();
        let good: Value = serde_json::from_str(content.freeze().text()).unwrap();
        let path_of = |change: &dyn Fn(&mut Value)| {
            let mut value = good.clone();
            change(&mut value);
            match Content::from_json(value.to_string().as_bytes()) {
                Err(ContentError::Unreadable { path, .. }) => path,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(path_of(&|value| value["head"]["colour"] = "red".into()), "head.colour");
        assert_eq!(
            path_of(&|value| value["body"]["urging_order"]["late_items"][0]["due_on"] = "soon".into()),
            "body.urging_order.late_items[0].due_on"
        );
        assert_eq!(path_of(&|value| value["head"]["doc_no"] = "12".into()), "head.doc_no");
    }
}
