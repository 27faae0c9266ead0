//! The actions: one name for each thing that a route lets someone do.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! actions {
    ($($name:ident = $text:literal, $zh:literal, $en:literal;)+) => {
        /// An action (操作), named `<service>.<thing>.<verb>`; every route names exactly one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum Action { $(#[doc = $zh] #[doc = concat!("(", $en, ").")] #[serde(rename = $text)] $name,)+ }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The dotted name, as in the policies.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The label in Chinese.
            pub fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }

            /// The label in English.
            pub fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)+ }
            }
        }

        impl FromStr for Action {
            type Err = UnknownAction;

            fn from_str(text: &str) -> Result<Self, UnknownAction> {
                match text { $($text => Ok(Self::$name),)+ _ => Err(UnknownAction(text.to_owned())) }
            }
        }
    };
}

actions! {
    RegistryImportRun = "registry.import.run", "导入基础数据", "import register data";
    RegistryUnitRead = "registry.unit.read", "查看单位", "read units";
    RegistryInspectorRead = "registry.inspector.read", "查看督学", "read inspectors";
    RegistryAccountManage = "registry.account.manage", "管理账号", "manage accounts";
    RegistryIdentityManage = "registry.identity.manage", "为账号绑定、解除统一身份", "bind identities of the sign-on to accounts";
    TasksPlanWrite = "tasks.plan.write", "编制督导计划", "write supervision plans";
    TasksPlanIssue = "tasks.plan.issue", "印发督导计划", "issue supervision plans";
    TasksPlanRead = "tasks.plan.read", "查看督导计划", "read supervision plans";
    TasksCaseWrite = "tasks.case.write", "办理督导", "conduct supervision cases";
    TasksCaseRead = "tasks.case.read", "查看督导", "read supervision cases";
    TasksEvidenceWrite = "tasks.evidence.write", "上传督导证据", "add evidence to supervision cases";
    TasksPleaWrite = "tasks.plea.write", "提交申辩", "submit pleas";
    TasksLetterIssue = "tasks.letter.issue", "印发督导意见书、整改通知书", "issue opinion letters and rectification notices";
    TasksReportIssue = "tasks.report.issue", "印发督导报告", "issue supervision reports";
    TasksStepPaperIssue = "tasks.step_paper.issue", "印发约谈通知书、通报", "issue interview notices and circulars";
    TasksDocumentVoid = "tasks.document.void", "作废或者替换文书", "void or replace documents";
    TasksDutyRead = "tasks.duty.read", "查看任务分工", "read duties";
    TasksAssignmentRead = "tasks.assignment.read", "查看待办事项", "read assignments";
    DeadlinesRectificationRead = "deadlines.rectification.read", "查看整改", "read rectifications";
    DeadlinesPlanSubmit = "deadlines.plan.submit", "提交整改方案", "submit rectification plans";
    DeadlinesPlanJudge = "deadlines.plan.judge", "审核整改方案", "judge rectification plans";
    DeadlinesItemReport = "deadlines.item.report", "报告整改情况", "report on rectification items";
    DeadlinesItemVerify = "deadlines.item.verify", "核验整改", "verify rectification items";
    DeadlinesItemClose = "deadlines.item.close", "整改销号", "close rectification items";
    DeadlinesLookBackRecord = "deadlines.look_back.record", "记录回头看", "record look-backs";
    DeadlinesConsultationWrite = "deadlines.consultation.write", "发起协商", "consult other offices";
    DeadlinesRequestMake = "deadlines.request.make", "提出申请", "make requests";
    DeadlinesRequestDecide = "deadlines.request.decide", "审批申请", "decide requests";
    DeadlinesStepDecide = "deadlines.step.decide", "决定升级措施", "decide steps of the ladder";
    DeadlinesEvidenceWrite = "deadlines.evidence.write", "上传整改证据", "add evidence of rectification";
    DeadlinesUrgingOrderRead = "deadlines.urging_order.read", "查看督办单", "read urging orders";
    DeadlinesUrgingOrderVoid = "deadlines.urging_order.void", "作废督办单", "void urging orders";
    DeadlinesTimerRead = "deadlines.timer.read", "查看时钟", "read timers";
    NotificationsInboxRead = "notifications.inbox.read", "查看消息", "read messages";
    NotificationsReceiptSign = "notifications.receipt.sign", "签收文书", "sign for documents";
    NotificationsDeliveryRead = "notifications.delivery.read", "查看送达情况", "read delivery states";
    NotificationsDeliveryManage = "notifications.delivery.manage", "处置未送达消息", "decide about failed deliveries";
    NotificationsReceiptRecord = "notifications.receipt.record", "登记纸质签收", "record receipts on paper";
    NotificationsSweepRead = "notifications.sweep.read", "查看送达核对", "read the proof of deliveries";
    ReportingLedgerRead = "reporting.ledger.read", "查看整改台账", "read the ledger";
    ReportingStatisticsRead = "reporting.statistics.read", "查看统计", "read statistics";
    PublicationDraftRead = "publication.draft.read", "查看待公开内容", "read drafts for publication";
    PublicationDraftApprove = "publication.draft.approve", "批准公开", "approve publication";
    PublicationRegisterRead = "publication.register.read", "查看发文登记簿", "read the register of issued documents";
    ExchangeMessageRead = "exchange.message.read", "查看上报数据", "read messages to the national platform";
    ExchangeMessageResend = "exchange.message.resend", "重新上报", "resend messages to the national platform";
    ServiceDeadLettersManage = "service.dead_letters.manage", "处理死信", "manage dead letters";
    ServiceReplayRun = "service.replay.run", "重放事件", "replay events";
    ServiceJournalVerify = "service.journal.verify", "校验日志链", "verify the journal";
    DeadlinesRuleChangePropose = "deadlines.rule_change.propose", "提出日历和规则变更", "propose changes of calendars and rules";
    DeadlinesRuleChangeApprove = "deadlines.rule_change.approve", "批准日历和规则变更", "approve changes of calendars and rules";
    DeadlinesRuleChangeRead = "deadlines.rule_change.read", "查看日历和规则变更", "read changes of calendars and rules";
    AccountSelfRead = "account.self.read", "查看本人账号", "read one's own account";
    AccountIdentityBind = "account.identity.bind", "绑定、解除本人统一身份", "bind one's own identity of the sign-on";
}

/// A text that names no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("没有操作“{0}” | there is no action \"{0}\"")]
pub struct UnknownAction(pub String);

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
