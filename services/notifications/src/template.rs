//! The kinds of message.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! templates {
    ($($(#[$doc:meta])+ $name:ident = $text:literal, $event:literal, $zh:literal;)+) => {
        /// A kind of message (消息种类), each for one event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum Template { $($(#[$doc])+ #[serde(rename = $text)] $name,)+ }

        impl Template {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in data.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The event that it tells of.
            pub fn event(self) -> &'static str {
                match self { $(Self::$name => $event,)+ }
            }

            /// The title in Chinese.
            pub fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }
        }

        impl FromStr for Template {
            type Err = UnknownTemplate;

            fn from_str(text: &str) -> Result<Self, UnknownTemplate> {
                match text { $($text => Ok(Self::$name),)+ _ => Err(UnknownTemplate(text.to_owned())) }
            }
        }
    };
}

templates! {
    /// The notice before a supervision.
    SupervisionNotification = "supervision_notification", "tasks.case.notified.v1", "督导通知书";
    /// The opinion before the unit has pleaded.
    PreliminaryOpinion = "preliminary_opinion", "tasks.case.fed_back.v1", "初步督导意见";
    /// The opinion letter with its findings.
    OpinionLetter = "opinion_letter", "tasks.letter.issued.v1", "督导意见书";
    /// The limits that began with the letter's receipt.
    RectificationOpened = "rectification_opened", "deadlines.rectification.opened.v1", "整改期限告知";
    /// A limit comes near.
    Reminder = "reminder", "deadlines.reminder.due.v1", "整改期限提醒";
    /// A limit passed.
    UrgingOrder = "urging_order", "deadlines.urging_order.issued.v1", "督办单";
    /// The unit reported; somebody has to verify.
    ItemReported = "item_reported", "deadlines.item.reported.v1", "整改待核查";
    /// Verification sent an item back.
    ItemReturned = "item_returned", "deadlines.item.returned.v1", "整改退回";
    /// An item is verified; somebody has to close it.
    ItemVerified = "item_verified", "deadlines.item.verified.v1", "整改待销号";
    /// An item is closed.
    ItemClosed = "item_closed", "deadlines.item.closed.v1", "整改事项销号";
    /// All items are closed.
    RectificationClosed = "rectification_closed", "deadlines.rectification.closed.v1", "整改办结";
    /// A step of the ladder waits for a decision.
    StepProposed = "step_proposed", "deadlines.step.proposed.v1", "升级措施建议";
}

/// A text that names no kind of message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no message template {0:?}")]
pub struct UnknownTemplate(pub String);
