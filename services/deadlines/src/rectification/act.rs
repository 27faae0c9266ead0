//! What people do with a rectification. One shape for all: lock, permit, decide, save, journal.

use access::{Caller, Permit, Role};
use contracts::Actor;
use domain::ids::{AccountId, FileId, ItemId, ProposalId, RectificationId, RequestId, UnitId};
use domain::outcome::Outcome;
use domain::rectification::{
    Approval, Decider, Decision, Link, PlannedMeasure, Progress, Rectification, RectificationEvent, ReportFacts,
    RequestSubject, Ruling as RequestRuling, Submission, Verification, Verifier, Workbook,
};
use jiff::Timestamp;
use postgres::Tx;
use problem::{Problem, Text};
use service_kit::etag::IfMatch;

use super::dossier::{Dossier, Held};
use super::publish::{self, Change};
use super::refusal::{self, Asked};
use super::store::{self, Save, Stored};
use super::{evidence, sides};
use crate::change::recount::Recount;
use crate::document::{self, Ended};
use crate::rules::RuleSet;

/// An act on a rectification.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Something done with one item.
    Item(ItemId, ItemAct),
    /// Somebody asks for what another person decides.
    Ask {
        /// What.
        subject: RequestSubject,
        /// Why.
        reason: String,
    },
    /// A request is granted or refused.
    DecideRequest {
        /// The request.
        request_id: RequestId,
        /// Whether granted.
        granted: bool,
        /// Why.
        note: String,
    },
    /// A proposed step was taken.
    TakeStep {
        /// The proposal.
        proposal_id: ProposalId,
        /// What was done.
        note: String,
    },
}

/// An act on an item.
#[derive(Debug, Clone)]
pub(crate) enum ItemAct {
    /// The unit hands in its plan (整改方案).
    SubmitPlan {
        /// The goal and the way.
        text: String,
        /// The measures.
        measures: Vec<PlannedMeasure>,
    },
    /// The agency accepts or returns a plan.
    JudgePlan(Decision),
    /// The unit notes its progress.
    NoteProgress(String),
    /// The unit reports (Regulation art. 22).
    Report {
        /// What was done.
        text: String,
        /// Evidence uploaded before.
        evidence: Vec<FileId>,
    },
    /// Another person verifies (核查).
    Verify(Decision),
    /// One approval of the close-out (销号审批).
    CloseOut {
        /// The opinion.
        opinion: String,
    },
    /// The close-out is refused.
    RefuseCloseOut {
        /// Why.
        reason: String,
    },
    /// Another office is asked for help (协商).
    Consult {
        /// The office.
        office: String,
        /// The question.
        question: String,
    },
    /// The consulted office has answered.
    AnswerConsultation(String),
    /// What a look-back found (回头看).
    LookBack(Decision),
}

impl Act {
    /// Whether the act may complete the case, so that a counterpart under joint liability has to be looked at.
    fn may_complete(&self) -> bool {
        matches!(self, Self::Item(_, ItemAct::CloseOut { .. }) | Self::DecideRequest { granted: true, .. })
    }
}

/// Performs an act and returns the dossier after it.
pub(crate) async fn perform(
    tx: &mut Tx,
    rules: &RuleSet,
    permit: &Permit,
    if_match: IfMatch,
    rectification_id: RectificationId,
    act: Act,
) -> Result<Stored, Problem> {
    // Before any row is locked: a change of the rules that takes effect waits for this transaction.
    let ruling = rules.in_force(tx).await?;
    let (locked, counterpart) = lock(tx, rectification_id, act.may_complete()).await?;
    permit.on(&locked.dossier.resource())?;
    let caller = permit.caller();
    sides::check(permit, &locked.dossier, &act)?;
    if let Act::Item(_, ItemAct::Report { evidence: files, .. }) = &act {
        evidence::check_known(tx, rectification_id, files).await?;
    }
    let (workbook, at) = (Workbook::new(), tx.at());
    let recount = Recount::of(tx, &locked, &ruling, &workbook).await?;
    let stored = recount.as_ref().and_then(Recount::stored).unwrap_or(&locked);
    let held = stored.dossier.hold(&ruling, &workbook)?;
    let before = &stored.dossier.rectification;
    let other = counterpart.as_ref().map(|other| &other.dossier.rectification);
    let by = Acting::of(caller, &stored.dossier);
    let outcome = decide(before.clone(), &held, by, act.clone(), at, other)
        .map_err(|error| refusal::problem(&error, &Asked { act: &act, of: before, rulebook: held.rules().rulebook }))?;
    let (rectification, events) = match outcome {
        // The same act again: nobody's version is stale when nothing changes, and the worker counts the case if need be.
        Outcome::Unchanged(_) => return Ok(locked),
        Outcome::Changed { next, events } => (next, events),
    };
    check_version(tx, if_match, &locked).await?;
    if let Some(recount) = &recount {
        recount.write(tx).await?;
    }
    let mut dossier = Dossier { rectification, ..stored.dossier.clone() };
    dossier.people.insert(caller.account_id, caller.display_name.clone());
    let completed = events.iter().any(|event| matches!(event, RectificationEvent::Completed { .. }));
    if completed {
        dossier.closed_at = Some(at);
    } else if !dossier.rectification.is_complete() {
        // A look-back may have opened it anew.
        dossier.closed_at = None;
    }
    let version = stored.version + 1;
    let concluded = if completed { counterpart.and_then(|other| conclude(other, at)) } else { None };
    let mut saves = vec![Save { before: Some(&locked.dossier.rectification), after: &dossier, version }];
    saves.extend(concluded.iter().map(|other| Save {
        before: Some(&other.before),
        after: &other.after,
        version: other.version,
    }));
    store::save(tx, &saves, &workbook, at).await?;
    store::note_acted(tx, &saves).await?;
    let mut ended = vec![Ended { dossier: &dossier, version, events: &events }];
    ended.extend(concluded.iter().map(|other| Ended {
        dossier: &other.after,
        version: other.version,
        events: &other.events,
    }));
    let actor = Actor::Person { account_id: caller.account_id, name: caller.display_name.clone() };
    let papers = document::conclude(tx, &ruling, held.rules().rulebook, &actor, &ended).await?;
    let mut changes = vec![Change { dossier: &dossier, version, events: &events, calendar: held.unit_calendar() }];
    changes.extend(concluded.iter().map(|other| Change {
        dossier: &other.after,
        version: other.version,
        events: &other.events,
        calendar: held.unit_calendar(),
    }));
    publish::publish_with(tx, &actor, &changes, &papers).await?;
    Ok(Stored { version, dossier })
}

/// Refuses an act that was decided on what other people have changed since. What only the clock has changed since is no
/// reason: each act is judged by the state that it meets, and nobody is to be late because a reminder came between.
async fn check_version(tx: &mut Tx, if_match: IfMatch, stored: &Stored) -> Result<(), Problem> {
    let IfMatch(seen) = if_match;
    let by_the_clock_alone = seen < stored.version
        && seen >= store::acted_version(tx, stored.dossier.rectification.rectification_id).await?;
    if by_the_clock_alone { Ok(()) } else { if_match.check(stored.version) }
}

/// Locks the case, and its counterpart where the act may complete both: always in the order of their names, so that two
/// people at once wait for each other instead of locking up.
async fn lock(
    tx: &mut Tx,
    rectification_id: RectificationId,
    with_counterpart: bool,
) -> Result<(Stored, Option<Stored>), Problem> {
    let linked = if with_counterpart {
        let seen = store::find(tx, rectification_id).await?.ok_or_else(unknown)?;
        seen.dossier.rectification.link.map(Link::rectification_id)
    } else {
        None
    };
    let mut ids: Vec<RectificationId> = linked.into_iter().chain([rectification_id]).collect();
    ids.sort_unstable();
    let (mut own, mut other) = (None, None);
    for id in ids {
        let stored = store::lock(tx, id).await?;
        if id == rectification_id {
            own = stored;
        } else {
            other = stored;
        }
    }
    Ok((own.ok_or_else(unknown)?, other))
}

/// A counterpart that is completed together with the case.
struct Concluded {
    before: Rectification,
    after: Dossier,
    version: i64,
    events: Vec<RectificationEvent>,
}

fn conclude(other: Stored, at: Timestamp) -> Option<Concluded> {
    let before = other.dossier.rectification.clone();
    let (next, events) = match before.clone().conclude(at) {
        Outcome::Changed { next, events } => (next, events),
        Outcome::Unchanged(_) => return None,
    };
    let after = Dossier { rectification: next, closed_at: Some(at), ..other.dossier };
    Some(Concluded { before, after, version: other.version + 1, events })
}

/// Who acts, and in which capacity in this case.
#[derive(Clone, Copy)]
struct Acting {
    account: AccountId,
    unit: Option<UnitId>,
    is_inspector: bool,
    is_leader: bool,
}

impl Acting {
    fn of(caller: &Caller, dossier: &Dossier) -> Self {
        Self {
            account: caller.account_id,
            unit: caller.unit_id,
            is_inspector: sides::holds(caller, Role::Inspector, dossier),
            is_leader: sides::holds(caller, Role::CommitteeChair, dossier),
        }
    }
}

type Decided = Result<Outcome<Rectification, RectificationEvent>, domain::rectification::RectificationRefusal>;

fn decide(
    rectification: Rectification,
    held: &Held<'_>,
    acting: Acting,
    act: Act,
    at: Timestamp,
    counterpart: Option<&Rectification>,
) -> Decided {
    let (by, rules) = (acting.account, held.rules());
    let decider = Decider { account: by, is_leader: acting.is_leader };
    match act {
        Act::Item(item_id, act) => decide_item(rectification, held, acting, (item_id, act), at, counterpart),
        Act::Ask { subject, reason } => rectification.ask(subject, reason, by, at, rules),
        Act::DecideRequest { request_id, granted, note } => {
            let ruling = RequestRuling { by: decider, granted, note };
            rectification.decide_request(request_id, ruling, at, counterpart, rules)
        }
        Act::TakeStep { proposal_id, note } => rectification.take_step(proposal_id, decider, note, at, rules),
    }
}

fn decide_item(
    rectification: Rectification,
    held: &Held<'_>,
    acting: Acting,
    (item_id, act): (ItemId, ItemAct),
    at: Timestamp,
    counterpart: Option<&Rectification>,
) -> Decided {
    let (by, rules) = (acting.account, held.rules());
    let verifier = Verifier { account: by, unit: acting.unit, is_inspector: acting.is_inspector };
    match act {
        ItemAct::SubmitPlan { text, measures } => {
            rectification.submit_plan(item_id, Submission { by, at, text, measures }, at, rules)
        }
        ItemAct::JudgePlan(decision) => rectification.judge_plan(item_id, by, &decision, at, rules),
        ItemAct::NoteProgress(text) => rectification.note_progress(item_id, Progress { by, at, text }),
        ItemAct::Report { text, evidence } => {
            rectification.report(item_id, ReportFacts { by, text, evidence }, at, rules)
        }
        ItemAct::Verify(decision) => rectification.verify(item_id, verifier, decision, at, rules),
        ItemAct::CloseOut { opinion } => {
            rectification.close_out(item_id, Approval { by, at, opinion }, counterpart, rules)
        }
        ItemAct::RefuseCloseOut { reason } => rectification.refuse_close_out(item_id, by, reason, at, rules),
        ItemAct::Consult { office, question } => rectification.consult(item_id, (office, question), by, at, rules),
        ItemAct::AnswerConsultation(text) => {
            rectification.answer_consultation(item_id, Verification { by, at, note: text })
        }
        ItemAct::LookBack(decision) => rectification.look_back(item_id, verifier, &decision, at, rules),
    }
}

pub(crate) fn unknown() -> Problem {
    Problem::unknown_resource(Text::new(
        "没有这项整改，或您无权查看。",
        "There is no such rectification, or you may not see it.",
    ))
}
