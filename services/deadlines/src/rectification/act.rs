//! What people do with an item: report, verify, close out. One shape for all: lock, permit, decide, save, journal.

use access::{Caller, Permit, Role};
use contracts::Actor;
use domain::ids::{FileId, ItemId, RectificationId};
use domain::outcome::Outcome;
use domain::rectification::{Decision, Rectification, RectificationEvent, ReportFacts, Verifier};
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};
use service_kit::etag::IfMatch;

use super::dossier::Held;
use super::publish::{self, Change};
use super::store::{self, Save, Stored};
use super::{evidence, refusal};
use crate::rules::RuleSet;

/// An act on an item.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// The unit reports (Regulation art. 22).
    Report {
        /// What was done.
        text: String,
        /// Evidence uploaded before.
        evidence: Vec<FileId>,
    },
    /// Another person verifies (核查).
    Verify(Decision),
    /// The office closes (销号).
    CloseOut,
}

/// Performs an act and returns the dossier after it.
pub(crate) async fn perform(
    tx: &mut Tx,
    rules: &RuleSet,
    permit: &Permit,
    if_match: IfMatch,
    (rectification_id, item_id): (RectificationId, ItemId),
    act: Act,
) -> Result<Stored, Problem> {
    let stored = store::lock(tx, rectification_id).await?.ok_or_else(unknown)?;
    permit.on(&stored.dossier.resource())?;
    let caller = permit.caller();
    if let Act::Report { evidence: files, .. } = &act {
        check_acting_unit(&stored, item_id, caller)?;
        evidence::check_known(tx, rectification_id, files).await?;
    }
    let held = stored.dossier.hold(rules)?;
    let before = stored.dossier.rectification.clone();
    let outcome = decide(stored.dossier.rectification.clone(), &held, caller, item_id, act, tx.at())
        .map_err(|error| refusal::problem(&error))?;
    let (rectification, events) = match outcome {
        // The same act again: nobody's version is stale when nothing changes.
        Outcome::Unchanged(_) => return Ok(stored),
        Outcome::Changed { next, events } => (next, events),
    };
    if_match.check(stored.version)?;
    let mut dossier = stored.dossier;
    dossier.rectification = rectification;
    dossier.people.insert(caller.account_id, caller.display_name.clone());
    if events.iter().any(|event| matches!(event, RectificationEvent::Completed { .. })) {
        dossier.closed_at = Some(tx.at());
    }
    let version = stored.version + 1;
    let at = tx.at();
    store::save(tx, &[Save { before: &before, after: &dossier, version, fired: &[] }], at).await?;
    let actor = Actor::Person { account_id: caller.account_id, name: caller.display_name.clone() };
    let change = Change { dossier: &dossier, version, events: &events, calendar: held.unit_calendar() };
    publish::publish(tx, &actor, &[change]).await?;
    Ok(Stored { version, dossier })
}

type Decided = Result<Outcome<Rectification, RectificationEvent>, domain::rectification::RectificationRefusal>;

fn decide(
    rectification: Rectification,
    held: &Held<'_>,
    caller: &Caller,
    item_id: ItemId,
    act: Act,
    at: jiff::Timestamp,
) -> Decided {
    match act {
        Act::Report { text, evidence } => {
            rectification.report(item_id, ReportFacts { by: caller.account_id, text, evidence }, at, held.rules())
        }
        Act::Verify(decision) => {
            let verifier = Verifier {
                account: caller.account_id,
                unit: caller.unit_id,
                is_inspector: caller.has_role(Role::Inspector),
            };
            rectification.verify(item_id, verifier, decision, at, held.rules())
        }
        Act::CloseOut => rectification.close_out(item_id, caller.account_id, at),
    }
}

/// A unit reports its own items: the supervised unit any, a unit named responsible only those.
fn check_acting_unit(stored: &Stored, item_id: ItemId, caller: &Caller) -> Result<(), Problem> {
    let units: Vec<_> = caller.grants.iter().filter_map(|grant| grant.unit_id).chain(caller.unit_id).collect();
    let responsible = stored.dossier.rectification.item(item_id).map(|item| item.responsible_unit);
    let supervised = stored.dossier.letter.unit.unit_id;
    if responsible.is_none_or(|responsible| units.contains(&responsible)) || units.contains(&supervised) {
        Ok(())
    } else {
        Err(Problem::new(
            ProblemKind::Forbidden,
            Text::new(
                "只有被督导单位或该问题的责任单位可以报告整改结果。",
                "Only the supervised unit or the unit responsible for the finding may report it.",
            ),
        ))
    }
}

pub(crate) fn unknown() -> Problem {
    Problem::unknown_resource(Text::new(
        "没有这项整改，或您无权查看。",
        "There is no such rectification, or you may not see it.",
    ))
}
