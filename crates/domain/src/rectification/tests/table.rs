//! Every state against every act.

use super::*;

/// What an act does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Changes,
    Nothing,
    Refuses(&'static str),
}

type Act = fn(Rectification, &World) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal>;

fn later() -> Timestamp {
    morning(date(2026, 3, 12))
}

fn do_report(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    let mut facts = report_by(REPORTER);
    facts.text = "再次报告".to_owned();
    state.report(id, facts, later(), world.rules())
}

fn repeat_report(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    state.report(id, report_by(REPORTER), later(), world.rules())
}

fn do_accept(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    state.verify(id, inspector(INSPECTOR), accept(), later(), world.rules())
}

fn do_return(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    state.verify(id, inspector(INSPECTOR), send_back(), later(), world.rules())
}

fn do_close(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    state.close_out(id, approval(OFFICER, later()), None, world.rules())
}

fn do_extend(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let item_id = item_id(&state, 0);
    let period = crate::period::Period::working_days(5);
    let (next, events) = granted(state, RequestSubject::Extension { item_id, period }, later(), world)?;
    Ok(Outcome::Changed { next, events })
}

fn do_waive(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let item_id = item_id(&state, 0);
    let (next, events) = granted(state, RequestSubject::Waiver { item_id }, later(), world)?;
    Ok(Outcome::Changed { next, events })
}

fn do_refuse(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    state.refuse_close_out(id, OFFICER, "现场未见".to_owned(), later(), world.rules())
}

fn do_consult(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    state.consult(id, ("消防救援支队".to_owned(), "请出具意见".to_owned()), OFFICER, later(), world.rules())
}

fn do_progress(
    state: Rectification,
    _: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    state.note_progress(id, Progress { by: REPORTER, at: later(), text: "已完成一半".to_owned() })
}

fn do_look_back(
    state: Rectification,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = item_id(&state, 0);
    state.look_back(id, inspector(INSPECTOR), &accept(), later(), world.rules())
}

fn states(world: &World) -> Vec<Rectification> {
    let open = opened(world, &[Severity::Minor], received());
    let reported = repeat_report(open.clone(), world).unwrap().into_state();
    let returned = do_return(reported.clone(), world).unwrap().into_state();
    let verified = do_accept(reported.clone(), world).unwrap().into_state();
    let closed = do_close(verified.clone(), world).unwrap().into_state();
    let waived = do_waive(open.clone(), world).unwrap().into_state();
    vec![open, reported, returned, verified, closed, waived]
}

#[test]
fn the_table_of_states_and_acts() {
    use Does::{Changes, Nothing, Refuses};
    let world = World::new();
    let acts: [Act; 11] = [
        do_report,
        repeat_report,
        do_accept,
        do_return,
        do_close,
        do_extend,
        do_waive,
        do_refuse,
        do_consult,
        do_progress,
        do_look_back,
    ];
    let no = Refuses("state");
    let none = Refuses("no_look_back");
    let expected = [
        ("in_progress", [Changes, Changes, no, no, no, Changes, Changes, no, Changes, Changes, none]),
        ("reported", [no, Nothing, Changes, Changes, no, no, Changes, no, Changes, no, none]),
        ("returned", [Changes, Changes, no, Nothing, no, Changes, Changes, no, Changes, Changes, none]),
        ("verified", [no, no, Nothing, no, Changes, no, Changes, Changes, Changes, no, none]),
        ("closed", [no, no, no, no, Nothing, no, no, no, no, no, none]),
        ("waived", [no, no, no, no, no, no, no, no, no, no, none]),
    ];
    assert_eq!(states(&world).len(), expected.len());
    for (state, (key, row)) in states(&world).into_iter().zip(expected) {
        assert_eq!(state.items[0].state.key(), key);
        for (index, (act, does)) in acts.iter().zip(row).enumerate() {
            let found = match act(state.clone(), &world) {
                Ok(Outcome::Changed { .. }) => Changes,
                Ok(Outcome::Unchanged(same)) => {
                    assert_eq!(same, state);
                    Nothing
                }
                Err(refusal) => Refuses(refusal.key()),
            };
            assert_eq!(found, does, "{key}, act {index}");
        }
    }
}

#[test]
fn four_eyes_and_the_inspectors_capacity() {
    let world = World::new();
    let open = opened(&world, &[Severity::Minor], received());
    let id = item_id(&open, 0);
    let reported = repeat_report(open, &world).unwrap().into_state();
    let verify = |verifier| reported.clone().verify(id, verifier, accept(), later(), world.rules());
    assert_eq!(verify(inspector(REPORTER)), Err(RectificationRefusal::SamePerson));
    let mut officer = inspector(OFFICER);
    officer.is_inspector = false;
    assert_eq!(verify(officer), Err(RectificationRefusal::NotInspector));
    let mut colleague = inspector(OFFICER);
    colleague.unit = Some(UNIT);
    assert_eq!(verify(colleague), Err(RectificationRefusal::OwnUnit));
    let verified = verify(inspector(INSPECTOR)).unwrap().into_state();
    assert_eq!(
        verified.clone().close_out(id, approval(REPORTER, later()), None, world.rules()),
        Err(RectificationRefusal::SamePerson)
    );
    let (_, events) = verified.close_out(id, approval(INSPECTOR, later()), None, world.rules()).unwrap().into_parts();
    assert_eq!(keys(&events), ["item_closed_out", "completed"]);
}

#[test]
fn a_report_needs_text_and_evidence_and_a_return_a_reason() {
    let world = World::new();
    let open = opened(&world, &[Severity::Minor], received());
    let id = item_id(&open, 0);
    let mut bare = report_by(REPORTER);
    bare.evidence.clear();
    assert_eq!(open.clone().report(id, bare, later(), world.rules()), Err(RectificationRefusal::NoEvidence));
    let mut silent = report_by(REPORTER);
    silent.text = " ".to_owned();
    assert_eq!(open.clone().report(id, silent, later(), world.rules()), Err(RectificationRefusal::EmptyText));
    let nobody = ItemId::new(Uuid::from_u128(5));
    assert_eq!(
        open.clone().close_out(nobody, approval(OFFICER, later()), None, world.rules()),
        Err(RectificationRefusal::UnknownItem(nobody))
    );
    let reported = repeat_report(open, &world).unwrap().into_state();
    let silent = Decision::Return { reason: String::new() };
    assert_eq!(
        reported.verify(id, inspector(INSPECTOR), silent, later(), world.rules()),
        Err(RectificationRefusal::EmptyText)
    );
}

#[test]
fn a_rectification_keeps_the_rules_that_it_began_with() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let mut newer = World::new();
    newer.rulebook.version = "hainan-2027.1".to_owned();
    assert!(matches!(state.fire_due(later(), newer.rules()), Err(RectificationRefusal::OtherRulebook { .. })));
}
