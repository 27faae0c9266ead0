//! Kinds around rectification: notice, urging order, acceptance, closing.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::record::record;

record! {
    /// A problem in a rectification notice.
    pub struct NoticedProblem {
        /// The standard breached.
        pub basis: Option<String>,
        /// The demand.
        pub demand: Option<String>,
        /// The limit in words, where each problem has its own.
        pub limit: Option<String>,
        /// Number within the notice.
        pub number: u32,
        /// What was found.
        pub problem: String,
    }
}

record! {
    /// Rectification notice (整改通知书).
    pub struct RectificationNotice {
        /// The office that gets the copy (抄报).
        pub copy_office: Option<String>,
        /// Last day of the limit.
        pub due_on: Option<Date>,
        /// The evaluation of what was seen.
        pub evaluation: Option<String>,
        /// When it was found.
        pub found_on: Date,
        /// The inspector who found it (责任督学).
        pub inspector: Option<String>,
        /// The limit in days.
        pub limit_days: Option<u32>,
        /// The right to object (异议权), in words.
        pub objection_right: Option<String>,
        /// What the unit pleaded (申辩意见).
        pub plea: Option<String>,
        /// How the plea was treated (申辩处理).
        pub plea_treatment: Option<String>,
        /// The problems; at most 4,000 characters together in practice.
        #[serde(default)]
        pub problems: Vec<NoticedProblem>,
        /// How to report.
        pub report_how: Option<String>,
        /// To whom to report.
        pub report_to: String,
        /// How it was found (问题来源): 经常性督导, 投诉, 专项督导.
        pub source: String,
        /// The unit.
        pub unit: String,
    }
}

record! {
    /// An item that is late (逾期事项).
    pub struct LateItem {
        /// Days late.
        pub days_late: u32,
        /// The demand.
        pub demand: Option<String>,
        /// Last day of the new limit.
        pub due_on: Date,
        /// Number within the letter.
        pub number: u32,
        /// What was found.
        pub problem: String,
        /// The article that sets the new limit.
        pub rule: Option<String>,
        /// Severity in words.
        pub severity: Option<String>,
        /// Last day of the old limit.
        pub was_due_on: Date,
    }
}

record! {
    /// Supervision notice, urging order (督办单, measure 10). Its reply part (办理情况回执) stays empty until the unit
    /// answers on paper.
    pub struct UrgingOrder {
        /// Who assists (协办单位).
        #[serde(default)]
        pub assisting_units: Vec<String>,
        /// What is urged, beyond the items (督办内容).
        pub content: Option<String>,
        /// What is demanded, and what follows otherwise (督办要求).
        pub demand: String,
        /// Once or periodic (反馈周期), in words.
        pub feedback_cycle: Option<String>,
        /// The late items.
        #[serde(default)]
        pub late_items: Vec<LateItem>,
        /// The leading leader, by post (牵头领导).
        pub lead_leader: Option<String>,
        /// Who must do it (主办单位).
        pub lead_unit: String,
        /// Day of the letter.
        pub letter_issued_on: Option<Date>,
        /// Number of the letter whose items are late.
        pub letter_no: String,
        /// Last day of the new limit, of all items.
        pub limit_on: Option<Date>,
        /// The reply: progress (办理进展), when known.
        pub reply_progress: Option<String>,
        /// The reply: result (办理结果), when known.
        pub reply_result: Option<String>,
        /// Which order for this letter, from 1.
        pub sequence: Option<u32>,
        /// The subject (督办事项).
        pub subject: String,
        /// Title of the supervision.
        pub supervision: String,
    }
}

record! {
    /// An item that was verified (核查事项).
    pub struct AcceptanceItem {
        /// Whether the unit gave feedback (是否反馈).
        pub feedback_given: bool,
        /// Number within the letter.
        pub number: u32,
        /// The opinion (验收意见): 同意销号, 继续整改.
        pub opinion: String,
        /// What was found.
        pub problem: String,
        /// What the re-check saw (复核结果).
        pub result: String,
    }
}

record! {
    /// Opinion on acceptance or verification (整改验收意见、核查意见).
    pub struct AcceptanceOpinion {
        /// Items that are closed.
        pub closed: u32,
        /// The rate of completion, as printed, for instance 80%.
        pub completion_rate: Option<String>,
        /// The overall conclusion.
        pub conclusion: String,
        /// The items.
        #[serde(default)]
        pub items: Vec<AcceptanceItem>,
        /// Number of the letter.
        pub letter_no: String,
        /// The reminder of the look-back (回头看).
        pub look_back: Option<String>,
        /// How it was verified.
        pub method: Option<String>,
        /// Items in all.
        pub total: u32,
        /// The unit.
        pub unit: String,
        /// When it was verified.
        pub verified_on: Date,
    }
}

record! {
    /// A condition of closing (销号条件).
    pub struct Condition {
        /// What shows it (佐证材料).
        pub evidence: Option<String>,
        /// Whether it is met.
        pub met: bool,
        /// The condition.
        pub text: String,
    }
}

record! {
    /// A step of the approval chain (审批).
    pub struct Approval {
        /// When.
        pub at: Option<Timestamp>,
        /// The name or post.
        pub name: Option<String>,
        /// The opinion.
        pub opinion: Option<String>,
        /// The result: 同意, 不同意.
        pub result: Option<String>,
        /// The role: 核查督学, 督导机构负责人.
        pub role: String,
    }
}

record! {
    /// Approval of closing (销号审批表).
    pub struct ClosingApproval {
        /// The chain.
        #[serde(default)]
        pub approvals: Vec<Approval>,
        /// When it was closed.
        pub closed_on: Option<Date>,
        /// The number of the closing (销号编号).
        pub closing_no: Option<String>,
        /// The conditions, one by one.
        #[serde(default)]
        pub conditions: Vec<Condition>,
        /// The demand.
        pub demand: Option<String>,
        /// The evidence.
        #[serde(default)]
        pub evidence: Vec<String>,
        /// Number of the letter.
        pub letter_no: String,
        /// Number of the item within the letter.
        pub number: u32,
        /// What was found.
        pub problem: String,
        /// What was done (整改情况).
        pub rectified: Option<String>,
        /// Severity in words.
        pub severity: Option<String>,
        /// The unit.
        pub unit: String,
    }
}
