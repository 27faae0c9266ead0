//! Parts that several kinds share.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::record::record;

record! {
    /// A finding (问题).
    pub struct Finding {
        /// Advice (整改建议).
        pub advice: Option<String>,
        /// The standard or article breached (依据标准).
        pub basis: Option<String>,
        /// Category, for instance 安全管理.
        pub category: Option<String>,
        /// The demand (整改要求).
        pub demand: Option<String>,
        /// Last day of the limit, where the day is known at issue.
        pub due_on: Option<Date>,
        /// The limit in words, for instance 自签收之日起15个工作日.
        pub limit: Option<String>,
        /// Number within the letter, from 1.
        pub number: u32,
        /// What was found.
        pub problem: String,
        /// The unit that must rectify (责任单位).
        pub responsible_unit: Option<String>,
        /// Severity in words: 一般, 较大, 重大.
        pub severity: Option<String>,
    }
}

record! {
    /// A member of a supervision group or a participant (人员).
    pub struct Member {
        /// Role: 组长, 组员.
        pub duty: Option<String>,
        /// Name.
        pub name: String,
        /// Unit and post.
        pub post: Option<String>,
    }
}

record! {
    /// A visit (现场督导).
    pub struct Visit {
        /// Arrival.
        pub arrived_at: Timestamp,
        /// Departure.
        pub left_at: Option<Timestamp>,
        /// Place.
        pub place: String,
    }
}

record! {
    /// One act of service (送达).
    pub struct ServiceRecord {
        /// Channel: 系统送达, 邮寄, 直接送达.
        pub channel: String,
        /// The receipt (回执).
        pub receipt: Option<String>,
        /// Who received it.
        pub receiver: Option<String>,
        /// When.
        pub served_at: Timestamp,
    }
}
