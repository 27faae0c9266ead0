//! Looking fields up by name, so that a template can ask for `{problem}` and be checked before any document exists.

use std::borrow::Cow;

use domain::doc_number::DocNumber;
use domain::local_time::{date_zh, moment_zh};
use jiff::Timestamp;
use jiff::civil::Date;

/// What a field holds, for the check of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One text.
    Text,
    /// Several texts.
    Texts,
    /// Several records with these fields.
    Records(&'static [FieldSpec]),
}

/// A field by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// Name in JSON and in templates.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
}

/// The value of a field, ready to be printed.
#[derive(Clone)]
pub enum Value<'a> {
    /// Not there.
    Absent,
    /// One text.
    Text(Cow<'a, str>),
    /// Several texts.
    Texts(&'a [String]),
    /// Several records.
    Records(Vec<&'a dyn Lookup>),
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Texts(texts) => f.debug_tuple("Texts").field(texts).finish(),
            Self::Records(records) => f.debug_tuple("Records").field(&records.len()).finish(),
        }
    }
}

/// Something whose fields can be looked up.
pub trait Lookup {
    /// The field of that name; `None` when there is no such field at all.
    fn value(&self, name: &str) -> Option<Value<'_>>;
}

/// A struct declared with `record!`.
pub trait Record: Lookup {
    /// Its fields in the order of their names.
    const FIELDS: &'static [FieldSpec];
}

/// A type that a field may have.
pub trait Field {
    /// What it holds.
    const SHAPE: Shape;
    /// The value.
    fn value(&self) -> Value<'_>;
    /// Whether it is left out of the frozen content.
    fn is_absent(&self) -> bool {
        false
    }
}

macro_rules! printed {
    ($($type:ty: $this:ident => $text:expr;)+) => {$(
        impl Field for $type {
            const SHAPE: Shape = Shape::Text;
            fn value(&self) -> Value<'_> {
                let $this = self;
                Value::Text(Cow::Owned($text))
            }
        }
    )+};
}

printed! {
    Date: date => date_zh(*date);
    Timestamp: at => moment_zh(*at);
    DocNumber: number => number.to_string();
    u32: number => number.to_string();
    i16: number => number.to_string();
    bool: yes => if *yes { "是".to_owned() } else { "否".to_owned() };
}

impl Field for String {
    const SHAPE: Shape = Shape::Text;

    fn value(&self) -> Value<'_> {
        if self.trim().is_empty() { Value::Absent } else { Value::Text(Cow::Borrowed(self)) }
    }
}

impl<T: Field> Field for Option<T> {
    const SHAPE: Shape = T::SHAPE;

    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Absent, Field::value)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl Field for Vec<String> {
    const SHAPE: Shape = Shape::Texts;

    fn value(&self) -> Value<'_> {
        if self.is_empty() { Value::Absent } else { Value::Texts(self) }
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<R: Record> Field for Vec<R> {
    const SHAPE: Shape = Shape::Records(R::FIELDS);

    fn value(&self) -> Value<'_> {
        if self.is_empty() { Value::Absent } else { Value::Records(self.iter().map(|record| record as _).collect()) }
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Declares a record. Fields stand in the order of their names, so that what serde writes is canonical (see
/// [`crate::Frozen`]); options and lists that hold nothing are not written; unknown members are refused. A list needs
/// `#[serde(default)]`.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident : $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])*
            #[serde(skip_serializing_if = "crate::record::Field::is_absent")]
            pub $field: $type,)*
        }

        impl crate::record::Lookup for $name {
            fn value(&self, name: &str) -> Option<crate::record::Value<'_>> {
                $(if name == stringify!($field) {
                    return Some(crate::record::Field::value(&self.$field));
                })*
                None
            }
        }

        impl crate::record::Record for $name {
            const FIELDS: &'static [crate::record::FieldSpec] = &[
                $(crate::record::FieldSpec {
                    name: stringify!($field),
                    shape: <$type as crate::record::Field>::SHAPE,
                },)*
            ];
        }
    };
}
pub(crate) use record;
