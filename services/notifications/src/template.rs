//! The kinds of message.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::language::Language;

macro_rules! change {
    () => {
        None
    };
    ($change:literal) => {
        Some($change)
    };
}

macro_rules! templates {
    ($($(#[$doc:meta])+ $name:ident = $text:literal, $event:literal $(/ $change:literal)?, $zh:literal, $hant:literal, $en:literal;)+) => {
        /// A kind of message (消息种类), each for one event, or for one kind of change of a rectification.
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

            /// The kind of change that it tells of, when its event tells of several.
            pub fn change(self) -> Option<&'static str> {
                match self { $(Self::$name => change!($($change)?),)+ }
            }

            /// The title in Chinese.
            pub fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }

            /// The title in a language.
            pub fn title(self, language: Language) -> &'static str {
                match self { $(Self::$name => language.pick($zh, $hant, $en),)+ }
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
    SupervisionNotification = "supervision_notification", "tasks.case.notified.v1", "督导通知书", "督導通知書", "Notice of supervision";
    /// The opinion before the unit has pleaded.
    PreliminaryOpinion = "preliminary_opinion", "tasks.case.fed_back.v1", "初步督导意见", "初步督導意見", "Preliminary opinion";
    /// The opinion letter with its findings.
    OpinionLetter = "opinion_letter", "tasks.letter.issued.v1", "督导意见书", "督導意見書", "Opinion letter";
    /// The rectification notice of a regular supervision with its findings.
    RectificationNotice = "rectification_notice", "tasks.letter.issued.v1", "整改通知书", "整改通知書", "Rectification notice";
    /// The unit is invited to an interview.
    InterviewNotice = "interview_notice", "tasks.interview.notified.v1", "约谈通知书", "約談通知書", "Interview notice";
    /// A circular names the unit.
    Circular = "circular", "tasks.circular.issued.v1", "通报", "通報", "Circular";
    /// The limits that began with the letter's receipt.
    RectificationOpened = "rectification_opened", "deadlines.rectification.opened.v1", "整改期限告知", "整改期限告知", "Limits for rectification";
    /// A limit comes near.
    Reminder = "reminder", "deadlines.reminder.due.v1", "整改期限提醒", "整改期限提醒", "Limit comes near";
    /// A limit passed.
    UrgingOrder = "urging_order", "deadlines.urging_order.issued.v1", "督办单", "督辦單", "Supervision notice";
    /// The unit reported; somebody has to verify.
    ItemReported = "item_reported", "deadlines.item.reported.v1", "整改待核查", "整改待核查", "Report waits for verification";
    /// Verification sent an item back.
    ItemReturned = "item_returned", "deadlines.item.returned.v1", "整改退回", "整改退回", "Item returned";
    /// An item is verified; somebody has to close it.
    ItemVerified = "item_verified", "deadlines.item.verified.v1", "整改待销号", "整改待銷號", "Item waits for close-out";
    /// An item is closed.
    ItemClosed = "item_closed", "deadlines.item.closed.v1", "整改事项销号", "整改事項銷號", "Item closed";
    /// All items are closed.
    RectificationClosed = "rectification_closed", "deadlines.rectification.closed.v1", "整改办结", "整改辦結", "Rectification closed";
    /// A step of the ladder waits for a decision.
    StepProposed = "step_proposed", "deadlines.step.proposed.v1", "升级措施建议", "升級措施建議", "Step proposed";
    /// A plan waits for the agency.
    PlanSubmitted = "plan_submitted", "deadlines.rectification.changed.v1" / "plan_submitted", "整改方案待审核", "整改方案待審核", "Plan waits for judgement";
    /// A plan was accepted or returned.
    PlanJudged = "plan_judged", "deadlines.rectification.changed.v1" / "plan_judged", "整改方案审核结果", "整改方案審核結果", "Plan judged";
    /// The plan is late.
    PlanOverdue = "plan_overdue", "deadlines.rectification.changed.v1" / "plan_overdue", "整改方案逾期", "整改方案逾期", "Plan overdue";
    /// A limit was extended.
    ItemExtended = "item_extended", "deadlines.rectification.changed.v1" / "item_extended", "整改延期", "整改延期", "Limit extended";
    /// A request waits for a decision.
    RequestMade = "request_made", "deadlines.rectification.changed.v1" / "request_made", "申请待审批", "申請待審批", "Request waits for a decision";
    /// A request was granted or refused.
    RequestDecided = "request_decided", "deadlines.rectification.changed.v1" / "request_decided", "申请审批结果", "申請審批結果", "Request decided";
    /// The clock was stopped.
    Paused = "paused", "deadlines.rectification.changed.v1" / "paused", "整改期限中止", "整改期限中止", "Limits stand still";
    /// The clock runs again.
    Resumed = "resumed", "deadlines.rectification.changed.v1" / "resumed", "整改期限恢复", "整改期限恢復", "Limits run again";
    /// A calendar or a rule moved a limit.
    Recounted = "recounted", "deadlines.rectification.changed.v1" / "recounted", "整改期限重新计算", "整改期限重新計算", "Limits counted again";
    /// A step of the ladder was taken.
    StepTaken = "step_taken", "deadlines.rectification.changed.v1" / "step_taken", "升级措施实施", "升級措施實施", "Step taken";
    /// A step of the ladder was lifted.
    StepLifted = "step_lifted", "deadlines.rectification.changed.v1" / "step_lifted", "升级措施解除", "升級措施解除", "Step lifted";
    /// Another office was asked for help.
    ConsultationSent = "consultation_sent", "deadlines.rectification.changed.v1" / "consultation_sent", "协商意见书", "協商意見書", "Consultation letter";
    /// An item need not be rectified.
    ItemWaived = "item_waived", "deadlines.rectification.changed.v1" / "item_waived", "免于整改", "免於整改", "Item waived";
    /// One of several approvals of a close-out was given.
    CloseOutApproved = "close_out_approved", "deadlines.rectification.changed.v1" / "close_out_approved", "销号待复批", "銷號待複批", "Close-out waits for another approval";
    /// A close-out was refused.
    CloseOutRefused = "close_out_refused", "deadlines.rectification.changed.v1" / "close_out_refused", "销号退回", "銷號退回", "Close-out refused";
    /// A look-back is due.
    LookBackDue = "look_back_due", "deadlines.rectification.changed.v1" / "look_back_due", "回头看到期", "回頭看到期", "Look-back due";
    /// A look-back found the problem back.
    ItemReopened = "item_reopened", "deadlines.rectification.changed.v1" / "item_reopened", "整改反弹", "整改反彈", "Item reopened";
    /// Somebody has not done what is owed in its own limit.
    DutyOverdue = "duty_overdue", "deadlines.rectification.changed.v1" / "duty_overdue", "办理超时", "辦理超時", "Duty overdue";
    /// The county became a part of another one, whose office is in charge from now on.
    HandedOver = "handed_over", "deadlines.rectification.changed.v1" / "handed_over", "整改移交", "整改移交", "Handed over to another office";
    /// A document was not acknowledged within its limit: the unit is called to mind.
    ReceiptReminder = "receipt_reminder", "notifications.receipt.reminded", "签收催告", "簽收催告", "Receipt not acknowledged";
    /// It was not acknowledged after that either: the office is told, to serve it in another way.
    ReceiptOverdue = "receipt_overdue", "notifications.receipt.overdue", "逾期未签收", "逾期未簽收", "Document not received";
}

impl Template {
    /// Whether it tells of an event of another service, and not of what this one's own clock did.
    pub fn is_heard(self) -> bool {
        !self.event().starts_with("notifications.")
    }
}

/// A text that names no kind of message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no message template {0:?}")]
pub struct UnknownTemplate(pub String);
