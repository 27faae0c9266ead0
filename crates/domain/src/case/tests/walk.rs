//! The table of states and acts, and random walks.

use proptest::prelude::*;

use super::*;

const ACTS: usize = 14;

fn act(case: Case, index: usize, now: Timestamp) -> Acted {
    match index {
        0 => case.form_team(team(), date(2026, 3, 1)),
        1 => case.notify(notice()),
        2 => case.submit_self_evaluation(HEAD, vec![file()], now),
        3 => case.review_self_evaluation(account(1), "属实".to_owned(), now),
        4 => case.record_visit(visit()),
        5 => case.hear_public(hearing(HearingGroup::Students)),
        6 => case.deliberate(deliberation()),
        7 => case.feed_back(opinion()),
        8 => case.receive_opinion(at(date(2026, 3, 13), 10), plea_until()),
        9 => case.plead(HEAD, "不实".to_owned(), now),
        10 => case.waive_plea(HEAD, file(), now),
        11 => {
            case.answer_plea(PleaAnswer { by: OFFICER, at: at(date(2026, 3, 16), 9), text: "不予采纳".to_owned() })
        }
        12 => case.issue_letter(letter(now)),
        _ => case.receive_letter(HEAD, now),
    }
}

#[test]
fn the_table_of_states_and_acts() {
    let now = at(date(2026, 3, 20), 9);
    let deliberating = done(ready().deliberate(deliberation()));
    let fed_back = done(deliberating.clone().feed_back(opinion()));
    let lettered = done(pleading().issue_letter(letter(plea_until())));
    let states = [planned(SupervisionKind::Special), notified(), ready(), deliberating, fed_back, pleading(), lettered];
    // One letter an act: Changes, Unchanged, Refused.
    let expected = [
        ("planned", "CRRRRRRRRRRRRR"),
        ("notified", "UUCRCCRRRRRRRR"),
        ("on_site", "UUUUUUCRRRRRRR"),
        ("deliberating", "UURRUUUCRRRRRR"),
        ("feedback", "UURRUURUCRRRRR"),
        ("pleading", "UURRUURRUCCRRR"),
        ("lettered", "UURRUURRRRRRUC"),
    ];
    let mut found = Vec::new();
    for case in &states {
        let row: String = (0..ACTS)
            .map(|index| match act(case.clone(), index, now) {
                Ok(Outcome::Changed { .. }) => 'C',
                Ok(Outcome::Unchanged(_)) => 'U',
                Err(_) => 'R',
            })
            .collect();
        found.push((case.state.key(), row));
    }
    let expected: Vec<(&str, String)> = expected.into_iter().map(|(state, row)| (state, row.to_owned())).collect();
    assert_eq!(found, expected);
}

fn check(case: &Case) {
    let past_deliberation = match case.state {
        CaseState::Planned | CaseState::Notified | CaseState::OnSite => false,
        CaseState::Deliberating { .. }
        | CaseState::Feedback { .. }
        | CaseState::Pleading { .. }
        | CaseState::Lettered { .. } => true,
    };
    if !matches!(case.state, CaseState::Planned) {
        assert!(case.notice.is_some());
        assert!(case.team.members.len() >= TEAM_MINIMUM);
    }
    if past_deliberation {
        assert!(!case.visits.is_empty());
        assert!(case.missing_hearings().is_empty());
        assert!(case.self_evaluation.as_ref().unwrap().review.is_some());
    }
    if let CaseState::Lettered { plea, letter, .. } = &case.state {
        assert!(!letter.findings.is_empty());
        assert!(!matches!(plea, Plea::Filed { .. }));
        assert!(*plea != Plea::None || letter.issued_at >= plea_until());
    }
}

/// One act, or, when pushed, the first act from there on that changes something.
fn step(case: &Case, from: usize, push: bool, now: Timestamp) -> Acted {
    let one = |index: usize| match index.checked_sub(ACTS) {
        None => act(case.clone(), index, now),
        Some(0) => case.clone().hear_public(hearing(HearingGroup::Parents)),
        Some(_) => case.clone().hear_public(hearing(HearingGroup::Teachers)),
    };
    let all = ACTS + 2;
    let first = one(from);
    if !push {
        return first;
    }
    (from..from + all)
        .map(|index| one(index % all))
        .find(|outcome| outcome.as_ref().is_ok_and(Outcome::is_changed))
        .unwrap_or(first)
}

proptest! {
    #[test]
    fn no_walk_skips_a_guard(
        acts in proptest::collection::vec((0..ACTS + 2, any::<bool>(), 0..40_i32), 1..80),
    ) {
        let mut case = planned(SupervisionKind::Special);
        for (from, push, day) in acts {
            let now = at(date(2026, 3, 2) + jiff::Span::new().days(day), 9);
            if let Ok(outcome) = step(&case, from, push, now) {
                let (next, events) = outcome.into_parts();
                prop_assert_eq!(events.is_empty(), next == case);
                check(&next);
                case = next;
            }
        }
    }
}
