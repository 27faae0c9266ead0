//! Kinds around rectification: notice, urging order, acceptance, closing.

use domain::doc_number::DocNumber;
use domain::ids::{CaseId, FindingId};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Content, Head};
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

/// What is particular to one urging order. Whoever knows these facts can form its content again and compare the hash.
#[derive(Debug, Clone)]
pub struct UrgingOrderFacts<'a> {
    /// Its number.
    pub number: DocNumber,
    /// Day of issue.
    pub issued_on: Date,
    /// Version of the templates in force on that day.
    pub template: &'a str,
    /// Full name of the issuing agency.
    pub agency: &'a str,
    /// The unit that is urged.
    pub unit: &'a str,
    /// Its competent department, which gets a copy.
    pub competent_department: Option<&'a str>,
    /// The supervision case.
    pub case_id: CaseId,
    /// Its title.
    pub case_title: &'a str,
    /// Number of the letter.
    pub letter_no: &'a str,
    /// Day of the letter.
    pub letter_issued_on: Date,
    /// Which order of the case it is, from 1.
    pub sequence: u32,
    /// The late items, each with the finding that it answers.
    pub items: Vec<(FindingId, LateItem)>,
}

impl Content {
    /// The title of an urging order for a letter.
    pub fn urging_order_title(letter_no: &str) -> String {
        format!("关于限期整改《{letter_no}》所列问题的督办单")
    }

    /// The content of an urging order, as the clock issues it (measure 10).
    pub fn urging_order(facts: UrgingOrderFacts<'_>) -> Self {
        let (finding_ids, late_items): (Vec<_>, Vec<_>) = facts.items.into_iter().unzip();
        let body = UrgingOrder {
            assisting_units: Vec::new(),
            content: None,
            demand: "请于上述新的期限内完成整改，并向本督导机构报告整改结果。逾期仍未完成的，将按规定提请约谈。"
                .to_owned(),
            feedback_cycle: None,
            limit_on: late_items.iter().map(|item| item.due_on).max(),
            late_items,
            lead_leader: None,
            lead_unit: facts.unit.to_owned(),
            letter_issued_on: Some(facts.letter_issued_on),
            letter_no: facts.letter_no.to_owned(),
            reply_progress: None,
            reply_result: None,
            sequence: Some(facts.sequence),
            subject: format!("《{}》所列问题限期整改", facts.letter_no),
            supervision: facts.case_title.to_owned(),
        };
        let head = Head {
            addressee: Some(facts.unit.to_owned()),
            case_id: Some(facts.case_id),
            copies: facts.competent_department.map(str::to_owned).into_iter().collect(),
            finding_ids,
            issue_office: Some(facts.agency.to_owned()),
            legal_basis: vec!["《教育督导条例》第二十二条".to_owned(), "琼办发〔2021〕13号第10项".to_owned()],
            ..Head::new(
                facts.number,
                Self::urging_order_title(facts.letter_no),
                facts.agency.to_owned(),
                facts.issued_on,
            )
        };
        Self { body: body.into(), head, template: facts.template.to_owned() }
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
