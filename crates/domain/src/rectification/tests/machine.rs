//! What the code allows in each phase is what `machines.toml` lists. Every history is walked that an item can have, alone in its
//! case or beside one that nobody touches, until nothing is new that makes a difference to what may be done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::period::Period;
use crate::rulebook::PauseReason;

const MACHINES: &str = include_str!("../../../../../rulebook/hainan-2021/machines.toml");
/// After so many instants at which nothing new happens, nothing new is awaited.
const PATIENCE: usize = 60;

/// Act, phase before, phase after.
type Edge = (String, String, String);

type Act = fn(Rectification, Timestamp, &World) -> Tried;

/// What people do with an item, by the names of `machines.toml`; who may do it does it.
const ACTS: [(&str, Act); 16] = [
    ("submit_plan", |state, at, world| {
        let id = item_id(&state, 0);
        state.submit_plan(id, submission(REPORTER, "方案", at), at, world.rules())
    }),
    ("accept_plan", |state, at, world| {
        let id = item_id(&state, 0);
        state.judge_plan(id, OFFICER, &accept(), at, world.rules())
    }),
    ("return_plan", |state, at, world| {
        let id = item_id(&state, 0);
        state.judge_plan(id, OFFICER, &send_back(), at, world.rules())
    }),
    ("note_progress", |state, at, _| {
        let id = item_id(&state, 0);
        state.note_progress(id, Progress { by: REPORTER, at, text: "过半".to_owned() })
    }),
    ("extend", |state, at, world| {
        let subject = RequestSubject::Extension { item_id: item_id(&state, 0), period: Period::working_days(5) };
        asked_and_granted(state, subject, at, world)
    }),
    ("consult", |state, at, world| {
        let id = item_id(&state, 0);
        state.consult(id, ("住建局".to_owned(), "请出具意见".to_owned()), OFFICER, at, world.rules())
    }),
    ("answer", |state, at, _| {
        let id = item_id(&state, 0);
        state.answer_consultation(id, Verification { by: OFFICER, at, note: "同意".to_owned() })
    }),
    ("pause", |state, at, world| {
        let until = crate::local_time::local_date(at).checked_add(jiff::Span::new().days(3)).unwrap();
        asked_and_granted(state, RequestSubject::Pause { pause: PauseReason::Disaster, until }, at, world)
    }),
    ("resume", |state, at, world| asked_and_granted(state, RequestSubject::Resume, at, world)),
    ("report", |state, at, world| {
        let id = item_id(&state, 0);
        state.report(id, report_by(REPORTER), at, world.rules())
    }),
    ("return", |state, at, world| {
        let id = item_id(&state, 0);
        state.verify(id, inspector(INSPECTOR), send_back(), at, world.rules())
    }),
    ("verify", |state, at, world| {
        let id = item_id(&state, 0);
        state.verify(id, inspector(INSPECTOR), accept(), at, world.rules())
    }),
    ("refuse_close_out", |state, at, world| {
        let id = item_id(&state, 0);
        state.refuse_close_out(id, DIRECTOR, "现场未见".to_owned(), at, world.rules())
    }),
    ("look_back_passed", |state, at, world| {
        let id = item_id(&state, 0);
        state.look_back(id, inspector(INSPECTOR), &accept(), at, world.rules())
    }),
    ("reopen", |state, at, world| {
        let id = item_id(&state, 0);
        state.look_back(id, inspector(INSPECTOR), &send_back(), at, world.rules())
    }),
    ("waive", |state, at, world| {
        let subject = RequestSubject::Waiver { item_id: item_id(&state, 0) };
        asked_and_granted(state, subject, at, world)
    }),
];

/// Who may approve a close-out, one after the other.
const APPROVERS: [AccountId; 2] = [OFFICER, DIRECTOR];

fn asked_and_granted(state: Rectification, subject: RequestSubject, at: Timestamp, world: &World) -> Tried {
    let (next, events) = granted(state, subject, at, world)?;
    Ok(Outcome::Changed { next, events })
}

fn phase(state: &Rectification) -> String {
    state.phase(&state.items[0]).key().to_owned()
}

/// Everything about an item that may decide on what can be done with it.
fn standing(state: &Rectification, at: Timestamp) -> String {
    let item = &state.items[0];
    let approvals = match &item.state {
        ItemState::Verified { approvals, .. } | ItemState::Closed { approvals, .. } => approvals.len(),
        ItemState::InProgress | ItemState::Reported { .. } | ItemState::Returned { .. } | ItemState::Waived { .. } => 0,
    };
    let plan = item.plan.as_ref().map(|plan| (plan.state.key(), plan.late));
    let limit = item.limit().map(|limit| (limit.basis.key(), at < limit.due_at()));
    let looks = [LookBackState::Armed, LookBackState::Due]
        .map(|wanted| item.look_backs.iter().any(|look| look.state == wanted));
    let marks =
        (item.is_consulting(), state.is_paused(), item.reopened > 0, item.extensions, item.overdue_at.is_some());
    // Beside another item whose limit runs, the clock of the case can be stopped whatever this one is about.
    let others: Vec<bool> =
        state.items.iter().skip(1).filter_map(Item::limit).map(|limit| at < limit.due_at()).collect();
    format!("{} {} {approvals} {plan:?} {limit:?} {marks:?} {looks:?} {others:?}", phase(state), item.state.key())
}

fn lists_it(event: &RectificationEvent) -> bool {
    let RectificationEvent::UrgingOrderIssued { order } = event else { return false };
    order.items.iter().any(|item| item.number == 1)
}

/// What the clock does at its next instants, until the standing is another one.
fn clock(
    mut state: Rectification,
    mut at: Timestamp,
    world: &World,
    edges: &mut BTreeSet<Edge>,
) -> (Rectification, Timestamp) {
    let before = standing(&state, at);
    for _ in 0..PATIENCE {
        let Some(next) = state.next_timer_at() else { break };
        let from = phase(&state);
        let (after, events) = fired(state, next.max(at), world);
        (state, at) = (after, next.max(at));
        let to = phase(&state);
        for event in &events {
            let act = match event.key() {
                "urging_order_issued" if lists_it(event) => "urge",
                "look_back_due" => "look_back",
                "resumed" => "resume",
                _ => continue,
            };
            // What a limit that passed during a stop brings about comes when the clock runs again.
            let resumed = act != "resume" && from == "paused";
            edges.insert((act.to_owned(), if resumed { to.clone() } else { from.clone() }, to.clone()));
        }
        if standing(&state, at) != before {
            break;
        }
    }
    (state, at)
}

/// Every edge that some history of an item takes.
fn allowed(world: &World) -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open: VecDeque<(Rectification, Timestamp)> = VecDeque::new();
    let alone = Severity::ALL.map(|severity| vec![severity]);
    let beside = Severity::ALL.map(|severity| vec![severity, Severity::Serious]);
    for severities in alone.into_iter().chain(beside) {
        let facts = LetterFacts { competent_department: None, ..letter(&severities) };
        let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
        open.push_back((state, received()));
    }
    while let Some((state, at)) = open.pop_front() {
        if !seen.insert(format!("{:?} {}", state.items[0].severity, standing(&state, at))) {
            continue;
        }
        let from = phase(&state);
        for (act, does) in ACTS {
            if let Ok(Outcome::Changed { next, .. }) = does(state.clone(), at, world) {
                edges.insert((act.to_owned(), from.clone(), phase(&next)));
                open.push_back((next, at));
            }
        }
        for by in APPROVERS {
            let id = item_id(&state, 0);
            if let Ok(Outcome::Changed { next, events }) =
                state.clone().close_out(id, approval(by, at), None, world.rules())
            {
                let act = if keys(&events).contains(&"item_closed_out") { "close" } else { "approve" };
                edges.insert((act.to_owned(), from.clone(), phase(&next)));
                open.push_back((next, at));
            }
        }
        open.push_back(clock(state, at, world, &mut edges));
    }
    edges
}

/// As in the file: one line for each act and the phase that it leads to.
fn lines<'e>(edges: impl Iterator<Item = &'e Edge>) -> Vec<String> {
    let mut grouped: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (act, from, to) in edges {
        grouped.entry((act, to)).or_default().push(from);
    }
    grouped.into_iter().map(|((act, to), from)| format!("{act}: {from:?} to {to}")).collect()
}

#[test]
fn the_code_allows_what_the_machine_of_the_rulebook_lists() {
    let world = World::new();
    let machines = crate::rulebook::machines::parse("machines.toml", MACHINES, &world.rulebook).unwrap();
    let machine = machines.machine("rectification_item").unwrap();
    let mut listed = BTreeSet::new();
    for transition in &machine.transitions {
        for from in &transition.from {
            let edge = (transition.act.clone(), from.clone(), transition.to.clone());
            assert!(listed.insert(edge.clone()), "{edge:?} is listed twice");
        }
    }
    let allowed = allowed(&world);
    let (missing, surplus) = (lines(allowed.difference(&listed)), lines(listed.difference(&allowed)));
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "allowed, not listed: {missing:#?}\nlisted, not allowed: {surplus:#?}"
    );
    let reached: BTreeSet<&str> = allowed.iter().map(|(_, _, to)| to.as_str()).collect();
    assert!(Phase::ALL.iter().all(|phase| reached.contains(phase.key())), "{reached:?}");
    let states: BTreeSet<&str> = machine.states.iter().map(|state| state.key.as_str()).collect();
    assert_eq!(states, Phase::ALL.iter().map(|phase| phase.key()).collect());
}
