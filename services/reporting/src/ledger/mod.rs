//! The ledger of rectification (整改台账): a row for each item, filtered by place, state and words, as pages of JSON and
//! as a workbook.

pub(crate) mod export;
pub(crate) mod http;
mod row;
mod sheet;
pub(crate) mod store;

pub(crate) use row::{LedgerFilter, LedgerRow, LedgerState};
pub use sheet::COLUMNS;

/// An item is due soon (临期) when its last day is today or one of so many calendar days after it.
pub const DUE_SOON_DAYS: i32 = 5;

/// The definitions that are printed with every account, key, title and text.
pub(crate) const DEFINITIONS: [(&str, &str, &str); 13] = [
    ("items", "整改事项", "督导意见书、整改通知书所列问题的件数，一个问题一件。"),
    ("open", "未销号", "尚未销号、也未免于整改的整改事项，包括整改中、待核查和待销号。"),
    ("in_progress", "整改中", "被督导单位尚未报告整改情况，或者报告经核查被退回的整改事项。"),
    ("reported", "待核查、待销号", "已报告整改情况、等待核查的为待核查；核查通过、等待销号的为待销号。"),
    ("due_soon", "临期", "整改中、期限未中止、未逾期，且期限最后一日为统计当日或其后5个自然日以内的整改事项。"),
    (
        "late",
        "逾期",
        "整改中，且现行期限已届满的整改事项；或者因逾期已下达督办单、此后仍未报告的整改事项。期限中止期间不计为逾期。",
    ),
    ("closed", "已销号", "经核查通过并销号的整改事项。"),
    ("waived", "免于整改", "经批准免于整改的整改事项，视为办结，不再计时。"),
    ("paused", "期限中止", "整改中，且经批准中止期限、尚未恢复的整改事项。"),
    ("reopened", "反弹", "回头看发现问题反弹、曾经重新整改的整改事项，不论现在是否再次销号。"),
    (
        "on_time_rate",
        "按期报告率",
        "按期报告件数除以应报告件数。应报告件数：已经报告的、曾经逾期的和现已逾期的整改事项；按期报告件数：其中已经报告且从未逾期的整改事项。没有应报告事项时不计算。",
    ),
    (
        "rectifications",
        "整改",
        "已签收督导意见书（整改通知书）、开始计算期限的整改，一份一项；主管部门因连带责任另立的整改另计一项。",
    ),
    ("urging_orders", "督办单", "因整改逾期由系统下达的督办单份数，包括此后已经整改的。"),
];
