//! Changes of calendars and rules (日历、规则变更), as a matter of its own: proposed, tried out on every live case, approved by a
//! second person, in effect by date, and, if need be, rolled back by another change.
//!
//! ```mermaid
//! stateDiagram-v2
//!     [*] --> proposed: propose (the text is checked)
//!     proposed --> proposed: dry run, by the worker
//!     proposed --> approved: another person, after the dry run
//!     proposed --> withdrawn
//!     approved --> withdrawn
//!     approved --> in_effect: by date, by the worker
//!     in_effect --> in_effect: every open case is counted again, once
//! ```
//!
//! Between the moment at which a change takes effect and the moment at which a case is counted by it, nothing else happens to
//! that case: it does not fire, and whoever acts on it first has it counted in the transaction of the act, at the act's own
//! instant. The cases with the nearest clocks are counted first. A roll-back is a new change that restores the former text; what a unit was told never moves
//! earlier, by neither.

mod dry_run;
mod effect;
pub(crate) mod http;
pub(crate) mod recount;
pub(crate) mod store;
mod text;
mod tonight;

use std::sync::Arc;

use domain::rectification::{RecountEffect, Recounted};
use postgres::Database;
use service_kit::Round;

use crate::rules::RuleSet;

/// Cases in one transaction of the recount, and in one page of the dry run.
const BATCH: i64 = 500;
/// Who acts when a change takes effect.
const WORKER: &str = "deadlines.change";

/// The worker's hands: tries out what is proposed, puts in effect what is due, counts the cases again.
#[derive(Debug, Clone)]
pub struct Changes {
    database: Database,
    rules: Arc<RuleSet>,
}

impl Changes {
    /// A worker over the service's database.
    pub fn new(database: Database, rules: Arc<RuleSet>) -> Self {
        Self { database, rules }
    }

    /// One round of the worker.
    pub async fn round(self) -> anyhow::Result<Round> {
        // What holds up the clocks of cases goes first.
        if self.recount_batch().await? > 0 || self.take_effect().await? {
            return Ok(Round::More);
        }
        Ok(if self.dry_run().await? { Round::More } else { Round::Done })
    }
}

/// How many items an effect met; of a dry run or of the real one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub(crate) struct Effects {
    /// The last day moves later.
    pub(crate) later: u64,
    /// Late, and no longer.
    pub(crate) freed: u64,
    /// Counted earlier; the told day stays.
    pub(crate) kept: u64,
    /// The day stays and is no longer provisional.
    #[serde(rename = "final")]
    pub(crate) final_now: u64,
    /// The day stays and has become provisional.
    pub(crate) provisional: u64,
}

impl Effects {
    fn add(&mut self, items: &[Recounted]) {
        for item in items {
            let count = match item.effect {
                RecountEffect::Later => &mut self.later,
                RecountEffect::Freed => &mut self.freed,
                RecountEffect::Kept => &mut self.kept,
                RecountEffect::Final => &mut self.final_now,
                RecountEffect::Provisional => &mut self.provisional,
            };
            *count += 1;
        }
    }
}

/// The key of an effect, as in JSON.
pub(crate) fn effect_key(effect: RecountEffect) -> &'static str {
    match effect {
        RecountEffect::Later => "later",
        RecountEffect::Freed => "freed",
        RecountEffect::Kept => "kept",
        RecountEffect::Final => "final",
        RecountEffect::Provisional => "provisional",
    }
}
