//! Opinions, the interview notice, the circular.

use jiff::Timestamp;
use jiff::civil::Date;

use super::shared::{Finding, Member, Visit};
use crate::record::record;

record! {
    /// Preliminary opinion (初步督导意见, Regulation art. 20).
    pub struct PreliminaryOpinion {
        /// Title of the case.
        pub case_title: String,
        /// Overall evaluation.
        pub evaluation: String,
        /// The findings.
        #[serde(default)]
        pub findings: Vec<Finding>,
        /// Where to plead.
        pub plea_address: Option<String>,
        /// The limit of the plea in words.
        pub plea_limit: Option<String>,
        /// The right to plead (申辩权), in words.
        pub plea_right: Option<String>,
        /// The supervised unit.
        pub unit: String,
    }
}

record! {
    /// Opinion letter (督导意见书, Regulation art. 21).
    pub struct OpinionLetter {
        /// Advice beyond single findings.
        pub advice: Option<String>,
        /// Title of the case.
        pub case_title: String,
        /// What is demanded on the whole, and from when the limits run.
        pub demand: Option<String>,
        /// Overall evaluation (总体评价).
        pub evaluation: String,
        /// The facts (事实).
        pub facts: Option<String>,
        /// The findings.
        #[serde(default)]
        pub findings: Vec<Finding>,
        /// The right to object (异议权), in words.
        pub objection_right: Option<String>,
        /// What the unit pleaded (申辩意见).
        pub plea: Option<String>,
        /// How the plea was treated (申辩处理).
        pub plea_treatment: Option<String>,
        /// The reasons (理由).
        pub reasons: Option<String>,
        /// Kind of supervision in words.
        pub supervision_kind: Option<String>,
        /// The group.
        #[serde(default)]
        pub team: Vec<Member>,
        /// The supervised unit.
        pub unit: String,
        /// The visits.
        #[serde(default)]
        pub visits: Vec<Visit>,
        /// Members in favour, of the vote of the group (表决).
        pub votes_for: Option<u32>,
        /// Members who voted.
        pub votes_total: Option<u32>,
    }
}

record! {
    /// Interview notice (约谈通知书, measure 13).
    pub struct InterviewNotice {
        /// When.
        pub at: Timestamp,
        /// The article or measure.
        pub basis: String,
        /// Who attends for the agencies (约谈方).
        #[serde(default)]
        pub hosts: Vec<Member>,
        /// Who is interviewed (约谈对象): a unit, or a person by post.
        pub interviewee: String,
        /// Who attends for the interviewed side (被约谈方).
        #[serde(default)]
        pub interviewees: Vec<Member>,
        /// Papers to bring.
        #[serde(default)]
        pub materials: Vec<String>,
        /// Place.
        pub place: String,
        /// The reason (约谈事由).
        pub reason: String,
    }
}

record! {
    /// A bar (限制措施): what a unit or its leading group may not have, and until when.
    pub struct Bar {
        /// The measure.
        pub measure: String,
        /// The unit.
        pub unit: String,
        /// Last day; without it, until the circular is lifted.
        pub until: Option<Date>,
    }
}

record! {
    /// Circular (通报, measure 14).
    pub struct Circular {
        /// The attitude of the unit (态度).
        pub attitude: Option<String>,
        /// The bars.
        #[serde(default)]
        pub bars: Vec<Bar>,
        /// The demands.
        #[serde(default)]
        pub demands: Vec<String>,
        /// The facts.
        pub facts: String,
        /// The state of rectification (整改情况).
        pub rectification_state: Option<String>,
        /// The result: what is decided (处理结果).
        pub result: String,
        /// The units that it names (被通报单位).
        #[serde(default)]
        pub units: Vec<String>,
    }
}
