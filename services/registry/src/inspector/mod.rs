//! Inspectors (督学): who is appointed, until when, and trained how much.

pub(crate) mod http;
pub(crate) mod store;

use access::Resource;
use contracts::registry::InspectorRecorded;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An inspector as the register has him or her.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the interface")]
pub struct Inspector {
    /// The person.
    pub person_id: Uuid,
    /// Version of the record.
    pub version: i64,
    /// Number of the inspector's card (督学编号).
    pub inspector_no: String,
    /// Name.
    pub name: String,
    /// Area of the appointing agency.
    pub area_id: Uuid,
    /// From the province down to it.
    pub area_path: Vec<Uuid>,
    /// Its division code.
    pub area_code: String,
    /// Full-time (专职).
    pub full_time: bool,
    /// Grade, as the register has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
    /// First day of the term (聘期起).
    pub term_from: Date,
    /// Last day of the term (聘期止).
    pub term_to: Date,
    /// Class hours of training in the year; 40 are required.
    pub training_hours: i32,
    /// Suspended from duty.
    pub suspended: bool,
    /// First day on which this version holds.
    pub valid_from: Date,
}

impl Inspector {
    /// What decides who may read it.
    pub(crate) fn resource(&self) -> Resource {
        Resource::in_area(self.area_path.iter().copied().map(Into::into))
    }
}

/// The public event of an inspector.
pub(crate) fn recorded(inspector: &Inspector) -> InspectorRecorded {
    InspectorRecorded {
        person_id: inspector.person_id.into(),
        version: inspector.version,
        inspector_no: inspector.inspector_no.clone(),
        name: inspector.name.clone(),
        area_path: inspector.area_path.iter().copied().map(Into::into).collect(),
        full_time: inspector.full_time,
        grade: inspector.grade.clone(),
        term_from: inspector.term_from,
        term_to: inspector.term_to,
        training_hours: inspector.training_hours,
        suspended: inspector.suspended,
    }
}
