//! Identities: a type for each kind of thing, a UUID inside.
//!
//! New things get a UUID of version 7 from the service's id source; things that follow from others without a choice
//! (the item of a finding, a timer) get one of version 5, so that the same cause always names the same thing.
//! Official codes (divisions, schools) change with every reform and are never identities.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The name space of every derived (version 5) identity of this system.
const DERIVED: Uuid = Uuid::from_u128(0x8d0c_6f0e_5a41_4d0b_9a35_7a1e_6d64_7564);

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident,)+) => {$(
        $(#[$doc])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to name such a thing.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// The identity that follows from its cause: the same parts always give the same identity.
            pub fn derived(parts: &[&str]) -> Self {
                Self(derive_uuid(stringify!($name), parts))
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A body in the register: government, department, agency or school (单位).
    UnitId,
    /// A node of the administrative tree (行政区划).
    AreaId,
    /// An account that signs in (账号); the actor of every act.
    AccountId,
    /// A natural person (人员).
    PersonId,
    /// An inspector's appointment (督学).
    InspectorId,
    /// A responsibility zone (督学责任区).
    ZoneId,
    /// A supervision plan (督导计划).
    PlanId,
    /// One item of a supervision plan (计划事项).
    PlanItemId,
    /// A supervision case (督导).
    CaseId,
    /// A written notice of supervision (督导通知书).
    NoticeId,
    /// A visit to the supervised unit (现场考察).
    VisitId,
    /// A preliminary opinion (初步督导意见).
    OpinionId,
    /// An opinion letter (督导意见书).
    LetterId,
    /// A finding of an opinion letter (问题).
    FindingId,
    /// The rectification of one received opinion letter (整改).
    RectificationId,
    /// One item of a rectification, for one finding (整改事项).
    ItemId,
    /// A deadline of any clock (期限).
    DeadlineId,
    /// A proof sheet (期限计算书), named by its content.
    SheetId,
    /// A request that another person decides: extension, waiver, pause, lift.
    RequestId,
    /// An urging order (督办单).
    UrgingOrderId,
    /// A proposal to climb the ladder: interview, circular, accountability.
    ProposalId,
    /// What people must do because a clock said so (待办事项).
    AssignmentId,
    /// An event of a journal.
    EventId,
    /// A generated official document (文书).
    DocumentId,
    /// A stored file (附件).
    FileId,
    /// An acknowledged receipt (签收).
    ReceiptId,
    /// An import of a spreadsheet (导入批次).
    ImportId,
    /// A message to a person or unit (消息).
    MessageId,
    /// A public page or entry (公开事项).
    PublicationId,
    /// A report (督导报告).
    ReportId,
    /// A signed-in session.
    SessionId,
    /// A change of calendars or rules (日历或规则变更).
    RuleChangeId,
}

/// A version 5 UUID over the kind and the parts, each part with its length so that no two lists collide.
fn derive_uuid(kind: &str, parts: &[&str]) -> Uuid {
    let mut name = String::from(kind);
    for part in parts {
        name.push('\u{1f}');
        name.push_str(&part.len().to_string());
        name.push(':');
        name.push_str(part);
    }
    Uuid::new_v5(&DERIVED, name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_uuid_in_text_and_json() {
        let id = UnitId::new(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "00000000-0000-0000-0000-000000000007");
        assert_eq!(id.to_string().parse::<UnitId>(), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"00000000-0000-0000-0000-000000000007\"");
    }

    #[test]
    fn derived_ids_repeat_and_never_collide_across_kinds_or_splits() {
        assert_eq!(ItemId::derived(&["a", "b"]), ItemId::derived(&["a", "b"]));
        assert_ne!(ItemId::derived(&["a", "b"]), ItemId::derived(&["ab"]));
        assert_ne!(ItemId::derived(&["a"]).as_uuid(), SheetId::derived(&["a"]).as_uuid());
    }
}
