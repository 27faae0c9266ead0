//! Kinds around a supervision: plan, notice, report.

use jiff::civil::Date;

use super::shared::{Finding, Member};
use crate::record::record;

record! {
    /// An item of an annual plan (计划事项).
    pub struct PlanItem {
        /// Who leads (牵头).
        pub lead: Option<String>,
        /// The matter (督导事项).
        pub matter: String,
        /// Method (方式).
        pub method: Option<String>,
        /// Number within the plan.
        pub number: u32,
        /// Partners (配合).
        #[serde(default)]
        pub partners: Vec<String>,
        /// Kind of supervision in words: 综合督导, 专项督导.
        pub supervision_kind: String,
        /// The units (督导对象).
        #[serde(default)]
        pub targets: Vec<String>,
        /// First day of the time window.
        pub window_from: Date,
        /// Last day.
        pub window_to: Date,
    }
}

record! {
    /// Annual supervision plan (年度督导计划, measures 3 and 7).
    pub struct AnnualPlan {
        /// What is wanted.
        pub aim: Option<String>,
        /// The approvals that it has (批准).
        #[serde(default)]
        pub approvals: Vec<String>,
        /// The items.
        #[serde(default)]
        pub items: Vec<PlanItem>,
        /// Demands on those who carry it out.
        #[serde(default)]
        pub requirements: Vec<String>,
        /// Where it is filed upward (备案).
        pub upward_report: Option<String>,
        /// The year.
        pub year: i16,
    }
}

record! {
    /// Notice of supervision (督导通知书, Regulation art. 17).
    pub struct SupervisionNotification {
        /// Title of the case.
        pub case_title: String,
        /// Papers to prepare (备查材料).
        #[serde(default)]
        pub materials: Vec<String>,
        /// The matters (督导事项).
        #[serde(default)]
        pub matters: Vec<String>,
        /// Method (督导方式).
        pub method: Option<String>,
        /// Place.
        pub place: Option<String>,
        /// The right to ask for recusal (回避申请权), in words.
        pub recusal_right: Option<String>,
        /// What is demanded of the self-evaluation (自评要求), Regulation art. 18.
        pub self_evaluation_demand: Option<String>,
        /// When it is due.
        pub self_evaluation_due_on: Option<Date>,
        /// Its template.
        pub self_evaluation_template: Option<String>,
        /// Kind of supervision in words.
        pub supervision_kind: String,
        /// The group (督导小组).
        #[serde(default)]
        pub team: Vec<Member>,
        /// The supervised unit.
        pub unit: String,
        /// First day of the visit.
        pub visit_on: Date,
        /// Last day, where it takes more than one.
        pub visit_to: Option<Date>,
    }
}

record! {
    /// A part of a report: its heading and its text.
    pub struct Topic {
        /// The text; paragraphs are separated by line breaks.
        pub text: String,
        /// The heading.
        pub title: String,
    }
}

record! {
    /// The score of an indicator (指标得分).
    pub struct Score {
        /// Full score, as printed.
        pub full: Option<String>,
        /// The indicator.
        pub indicator: String,
        /// A remark.
        pub remark: Option<String>,
        /// The score, as printed.
        pub score: String,
    }
}

record! {
    /// Supervision report (督导报告, Regulation art. 23, measure 8).
    pub struct SupervisionReport {
        /// Advice (意见建议).
        #[serde(default)]
        pub advice: Vec<Topic>,
        /// Causes (原因分析).
        pub causes: Option<String>,
        /// Demands of rectification (整改要求).
        #[serde(default)]
        pub demands: Vec<String>,
        /// The findings, as an annexe.
        #[serde(default)]
        pub findings: Vec<Finding>,
        /// Good practice (典型做法).
        #[serde(default)]
        pub practices: Vec<Topic>,
        /// Problems (存在问题).
        #[serde(default)]
        pub problems: Vec<Topic>,
        /// Results (主要成效).
        #[serde(default)]
        pub results: Vec<Topic>,
        /// Scores, as an annexe.
        #[serde(default)]
        pub scores: Vec<Score>,
        /// Who, when, what, how (基本情况).
        pub situation: String,
        /// The supervised unit or units.
        pub unit: String,
    }
}
