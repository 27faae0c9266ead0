//! What a document says: the common head and the fields of each kind (domain handbook i.2).
//!
//! Fields stand in the order of their names, see [`crate::Frozen`]. Every name is also a placeholder of the templates.

mod inspection;
mod letters;
mod rectification;
mod shared;
#[cfg(test)]
pub(crate) mod tests;

use domain::doc_number::DocNumber;
use domain::ids::{CaseId, FindingId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::record::{Field, FieldSpec, Lookup, Record, Shape, Value, record};

pub use inspection::{AnnualPlan, PlanItem, Score, SupervisionNotification, SupervisionReport, Topic};
pub use letters::{Bar, Circular, InterviewNotice, OpinionLetter, PreliminaryOpinion};
pub use rectification::{
    AcceptanceItem, AcceptanceOpinion, Approval, ClosingApproval, Condition, LateItem, NoticedProblem,
    RectificationNotice, UrgingOrder, UrgingOrderFacts,
};
pub use shared::{Finding, Member, ServiceRecord, Visit};

/// How far a document is open to the public (公开属性, Disclosure Regulation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Publication {
    /// Open on the agency's own initiative (主动公开).
    Open,
    /// Open on request (依申请公开).
    OnRequest,
    /// Not open (不予公开).
    Closed,
}

impl Publication {
    /// Official words.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Open => "主动公开",
            Self::OnRequest => "依申请公开",
            Self::Closed => "不予公开",
        }
    }
}

impl Field for Publication {
    const SHAPE: Shape = Shape::Text;

    fn value(&self) -> Value<'_> {
        Value::Text(self.zh().into())
    }
}

macro_rules! id_field {
    ($($id:ty),+) => {$(
        impl Field for $id {
            const SHAPE: Shape = Shape::Text;
            fn value(&self) -> Value<'_> { Value::Text(self.to_string().into()) }
        }
    )+};
}
id_field!(CaseId, FindingId);

impl Field for Vec<FindingId> {
    const SHAPE: Shape = Shape::Text;

    fn value(&self) -> Value<'_> {
        if self.is_empty() {
            return Value::Absent;
        }
        Value::Text(self.iter().map(ToString::to_string).collect::<Vec<_>>().join("、").into())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

record! {
    /// What every document has (公文要素, GB/T 9704-2012 and domain handbook i.2).
    pub struct Head {
        /// Main addressee (主送机关), without the colon; forms that stay in the office have none.
        pub addressee: Option<String>,
        /// The agency mark (发文机关标志) where it is not the agency's full name.
        pub agency_mark: Option<String>,
        /// Titles of the attachments (附件).
        #[serde(default)]
        pub attachments: Vec<String>,
        /// The supervision case that it belongs to.
        pub case_id: Option<CaseId>,
        /// Contact for questions (联系人): an office or a post.
        pub contact: Option<String>,
        /// Copies (抄送机关).
        #[serde(default)]
        pub copies: Vec<String>,
        /// Serial of a classified copy (份号), six digits.
        pub copy_no: Option<String>,
        /// Who countersigned (会签).
        #[serde(default)]
        pub countersigners: Vec<String>,
        /// Number (发文字号).
        pub doc_no: DocNumber,
        /// Who drafted it (拟稿).
        pub drafter: Option<String>,
        /// The findings that it is about.
        #[serde(default)]
        pub finding_ids: Vec<FindingId>,
        /// The office that prints and sends it (印发机关).
        pub issue_office: Option<String>,
        /// Date of issue (成文日期).
        pub issued_on: Date,
        /// Full name of the issuing agency (发文机关署名).
        pub issuing_agency: String,
        /// Articles that it rests on (依据).
        #[serde(default)]
        pub legal_basis: Vec<String>,
        /// Telephone of the contact.
        pub phone: Option<String>,
        /// Date of printing (印发日期), where it is another day.
        pub printed_on: Option<Date>,
        /// How far it is open to the public (公开属性).
        pub publication: Option<Publication>,
        /// Who reviewed it (审核).
        pub reviewer: Option<String>,
        /// The seal that it bears (印章), for instance of which agency.
        pub seal: Option<String>,
        /// Secrecy and its term (密级和保密期限), as printed.
        pub secrecy: Option<String>,
        /// How it was served, as far as that is known when it is frozen (送达记录).
        #[serde(default)]
        pub service: Vec<ServiceRecord>,
        /// Who signed it for issue (签发人); printed on papers that go upward.
        pub signer: Option<String>,
        /// Title (标题).
        pub title: String,
        /// Urgency (紧急程度), as printed: 特急, 加急.
        pub urgency: Option<String>,
    }
}

impl Head {
    /// A head that has what every document must have, and nothing else.
    pub fn new(doc_no: DocNumber, title: String, issuing_agency: String, issued_on: Date) -> Self {
        Self {
            addressee: None,
            agency_mark: None,
            attachments: Vec::new(),
            case_id: None,
            contact: None,
            copies: Vec::new(),
            copy_no: None,
            countersigners: Vec::new(),
            doc_no,
            drafter: None,
            finding_ids: Vec::new(),
            issue_office: None,
            issued_on,
            issuing_agency,
            legal_basis: Vec::new(),
            phone: None,
            printed_on: None,
            publication: None,
            reviewer: None,
            seal: None,
            secrecy: None,
            service: Vec::new(),
            signer: None,
            title,
            urgency: None,
        }
    }
}

/// A document's whole content: what is frozen, hashed and rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The fields of its kind.
    pub body: Body,
    /// What every document has.
    pub head: Head,
    /// Version of the templates that it was issued with, and is rendered with for ever.
    pub template: String,
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident($record:ty) = $text:literal, $zh:literal;)+) => {
        /// The fields of one kind of document.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Body { $($(#[$doc])+ #[serde(rename = $text)] $name(Box<$record>),)+ }

        /// A kind of document (文书种类).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind { $($(#[$doc])+ #[serde(rename = $text)] $name,)+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in data.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Official name.
            pub fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }

            /// The fields that a template of this kind may ask for, besides those of the head.
            pub fn fields(self) -> &'static [FieldSpec] {
                match self { $(Self::$name => <$record as Record>::FIELDS,)+ }
            }
        }

        impl Body {
            /// The kind.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name,)+ }
            }

            /// The fields by name.
            pub fn record(&self) -> &dyn Lookup {
                match self { $(Self::$name(record) => record.as_ref(),)+ }
            }
        }

        $(impl From<$record> for Body {
            fn from(record: $record) -> Self { Self::$name(Box::new(record)) }
        })+
    };
}

kinds! {
    /// Annual supervision plan (年度督导计划).
    Plan(AnnualPlan) = "plan", "年度督导计划";
    /// Notice of supervision (督导通知书, Regulation art. 17).
    SupervisionNotification(SupervisionNotification) = "supervision_notification", "督导通知书";
    /// Preliminary opinion (初步督导意见, Regulation art. 20).
    PreliminaryOpinion(PreliminaryOpinion) = "preliminary_opinion", "初步督导意见";
    /// Opinion letter (督导意见书, Regulation art. 21).
    OpinionLetter(OpinionLetter) = "opinion_letter", "督导意见书";
    /// Rectification notice (整改通知书).
    RectificationNotice(RectificationNotice) = "rectification_notice", "整改通知书";
    /// Supervision notice (督办单, measure 10).
    UrgingOrder(UrgingOrder) = "urging_order", "督办单";
    /// Interview notice (约谈通知书, measure 13).
    InterviewNotice(InterviewNotice) = "interview_notice", "约谈通知书";
    /// Circular (通报, measure 14).
    Circular(Circular) = "circular", "通报";
    /// Opinion on acceptance or verification (整改验收意见、核查意见).
    AcceptanceOpinion(AcceptanceOpinion) = "acceptance_opinion", "整改验收意见";
    /// Approval of closing (销号审批表).
    ClosingApproval(ClosingApproval) = "closing_approval", "销号审批表";
    /// Supervision report (督导报告, Regulation art. 23, measure 8).
    SupervisionReport(SupervisionReport) = "supervision_report", "督导报告";
}

impl Content {
    /// The kind.
    pub fn kind(&self) -> Kind {
        self.body.kind()
    }
}
