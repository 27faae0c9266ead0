//! The conditions of a close-out, and what an acceptance counts.

use super::*;

fn met(item: &Item, wanted: u8) -> [bool; 5] {
    item.close_out_conditions(wanted).map(|(_, met)| met)
}

/// Each condition is met by the act that brings it, and by no earlier one.
#[test]
fn the_conditions_of_a_close_out_are_met_one_by_one() {
    let world = World::new();
    let state = opened(&world, &[Severity::Serious], morning(date(2026, 3, 2)));
    let id = state.items[0].item_id;
    let at = morning(date(2026, 3, 10));
    assert_eq!(met(&state.items[0], 2), [false; 5]);
    let reported = state.report(id, report_by(REPORTER), at, world.rules()).unwrap().into_state();
    assert_eq!(met(&reported.items[0], 2), [true, true, false, false, false]);
    let returned =
        reported.clone().verify(id, inspector(INSPECTOR), send_back(), at, world.rules()).unwrap().into_state();
    assert_eq!(met(&returned.items[0], 2), [true, true, false, false, false], "a return verifies nothing");
    let verified = reported.verify(id, inspector(INSPECTOR), accept(), at, world.rules()).unwrap().into_state();
    assert_eq!(met(&verified.items[0], 2), [true, true, true, false, false]);
    let once = verified.close_out(id, approval(OFFICER, at), None, world.rules()).unwrap().into_state();
    assert_eq!(met(&once.items[0], 2), [true, true, true, false, true]);
    assert_eq!(once.items[0].accepted(), Accepted::Open);
    let closed = once.close_out(id, approval(DIRECTOR, at), None, world.rules()).unwrap().into_state();
    assert_eq!(met(&closed.items[0], 2), [true; 5]);
    assert_eq!(closed.items[0].accepted(), Accepted::Closed);
    assert_eq!(closed.last_verified_at(), Some(at));
}

#[test]
fn an_acceptance_counts_what_is_closed_of_what_had_to_be_done() {
    for (total, closed, waived, rate) in [
        (1, 1, 0, Some("100%")),
        (3, 2, 0, Some("66.6%")),
        (3, 0, 0, Some("0%")),
        (8, 1, 0, Some("12.5%")),
        (3, 2, 1, Some("100%")),
        (2, 0, 2, None),
        (0, 0, 0, None),
    ] {
        let count = AcceptanceCount { total, closed, waived };
        assert_eq!(count.completion_rate().as_deref(), rate, "{count:?}");
    }
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Minor], morning(date(2026, 3, 2)));
    let item_id = state.items[1].item_id;
    let (waived, _) = granted(state, RequestSubject::Waiver { item_id }, morning(date(2026, 3, 9)), &world).unwrap();
    assert_eq!(waived.acceptance_count(), AcceptanceCount { total: 2, closed: 0, waived: 1 });
    assert_eq!(waived.last_verified_at(), None);
}
