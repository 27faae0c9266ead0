//! Each guard of the Regulation.

use super::*;

const ON: Date = date(2026, 3, 1);

fn key(outcome: Acted) -> &'static str {
    outcome.unwrap_err().key()
}

#[test]
fn the_whole_way_to_the_received_letter() {
    let case = done(pleading().waive_plea(HEAD, file(), at(date(2026, 3, 16), 9)));
    let case = done(case.issue_letter(letter(at(date(2026, 3, 17), 9))));
    let (case, events) = case.receive_letter(HEAD, at(date(2026, 3, 18), 9)).unwrap().into_parts();
    assert!(matches!(events.as_slice(), [CaseEvent::LetterReceived { .. }]));
    let again = case.clone().receive_letter(HEAD, at(date(2026, 3, 20), 9));
    assert_eq!(again, Ok(Outcome::Unchanged(case.clone())));
    let json = serde_json::to_string(&case).unwrap();
    assert_eq!(serde_json::from_str::<Case>(&json).unwrap(), case);
}

#[test]
fn the_team_has_three_inspectors_who_count_on_the_day() {
    let form = |change: fn(&mut Team)| {
        let mut team = team();
        change(&mut team);
        planned(SupervisionKind::Special).form_team(team, ON)
    };
    let unfit = |outcome: Acted| {
        let Err(CaseRefusal::Team { fit, unfit, .. }) = outcome else { panic!("{outcome:?}") };
        let reasons: Vec<Unfit> = unfit.into_iter().map(|(_, reason)| reason).collect();
        (fit, reasons)
    };
    assert!(form(|_| ()).is_ok());
    assert_eq!(
        unfit(form(|team| {
            team.members.pop();
        })),
        (2, vec![])
    );
    assert_eq!(unfit(form(|team| team.members[0].appointment.to = date(2026, 2, 28))), (2, vec![Unfit::OutOfTerm]));
    assert_eq!(unfit(form(|team| team.members[1].appointment.suspended = true)), (2, vec![Unfit::Suspended]));
    assert_eq!(unfit(form(|team| team.members[1].appointment.trained = false)), (2, vec![Unfit::Untrained]));
    // The same person twice counts once; experts do not count.
    assert_eq!(unfit(form(|team| team.members[2] = member(1))), (2, vec![]));
    // A fourth who does not count does no harm, but one who must withdraw or has not declared does.
    assert!(
        form(|team| {
            team.members.push(member(4));
            team.members[3].appointment.trained = false;
        })
        .is_ok()
    );
    assert_eq!(
        unfit(form(|team| {
            team.members.push(member(4));
            team.members[3].recusal = Recusal::Conflict { reason: "近亲属".to_owned() };
        })),
        (3, vec![Unfit::Recused])
    );
    assert_eq!(
        unfit(form(|team| {
            team.members.push(member(4));
            team.members[3].recusal = Recusal::Undeclared;
        })),
        (3, vec![Unfit::Undeclared])
    );
    let one = Team { members: vec![member(1)], experts: Vec::new() };
    assert!(planned(SupervisionKind::Regular).form_team(one, ON).is_ok());
}

#[test]
fn a_notice_needs_a_team_and_comes_before_the_visit() {
    assert_eq!(key(planned(SupervisionKind::Special).notify(notice())), "team");
    let teamed = done(planned(SupervisionKind::Special).form_team(team(), ON));
    assert_eq!(key(teamed.record_visit(visit())), "no_notice");
    let mut early = visit();
    early.arrived_at = at(date(2026, 3, 6), 9);
    assert_eq!(key(notified().record_visit(early.clone())), "visit_too_soon");
    early.arrived_at = at(date(2026, 3, 1), 9);
    assert_eq!(key(notified().record_visit(early)), "no_notice");
    // Regular supervision needs neither.
    let one = Team { members: vec![member(1)], experts: Vec::new() };
    let regular = done(planned(SupervisionKind::Regular).form_team(one, ON));
    let mut alone = visit();
    alone.inspectors = vec![account(1)];
    assert_eq!(done(regular.record_visit(alone)).state.key(), "on_site");
}

#[test]
fn the_team_must_still_count_on_the_day_of_the_visit() {
    let mut case = notified();
    case.team.members[0].appointment.to = date(2026, 3, 9);
    assert_eq!(key(case.record_visit(visit())), "team");
    let mut stranger = visit();
    stranger.inspectors.push(account(40));
    assert_eq!(key(notified().record_visit(stranger)), "not_on_team");
    let mut empty = visit();
    empty.record = String::new();
    assert_eq!(key(notified().record_visit(empty)), "missing");
    let mut backwards = visit();
    backwards.left_at = at(date(2026, 3, 10), 8);
    assert_eq!(key(notified().record_visit(backwards)), "visit_times");
}

#[test]
fn the_deliberation_needs_visit_public_opinion_and_reviewed_self_evaluation() {
    assert_eq!(key(notified().deliberate(deliberation())), "no_visit");
    let mut unheard = ready();
    unheard.hearings.retain(|found| found.group == HearingGroup::Teachers);
    assert_eq!(
        unheard.deliberate(deliberation()),
        Err(CaseRefusal::NotHeard(vec![HearingGroup::Students, HearingGroup::Parents]))
    );
    let mut government = ready();
    government.unit.class = UnitClass::CountyGovernment;
    government.hearings.clear();
    assert_eq!(key(government.deliberate(deliberation())), "not_heard");
    let mut unreviewed = ready();
    unreviewed.self_evaluation.as_mut().unwrap().review = None;
    assert_eq!(key(unreviewed.clone().deliberate(deliberation())), "self_evaluation_not_reviewed");
    unreviewed.self_evaluation_required = false;
    assert!(unreviewed.deliberate(deliberation()).is_ok());
    let stranger = notified()
        .submit_self_evaluation(HEAD, vec![file()], at(date(2026, 3, 6), 9))
        .unwrap()
        .into_state()
        .review_self_evaluation(account(40), "属实".to_owned(), at(date(2026, 3, 7), 9));
    assert_eq!(key(stranger), "not_on_team");
}

#[test]
fn the_letter_waits_for_the_plea() {
    let inside = at(date(2026, 3, 20), 9);
    assert_eq!(key(pleading().issue_letter(letter(inside))), "plea_open");
    assert!(pleading().issue_letter(letter(plea_until())).is_ok());
    assert_eq!(key(pleading().plead(HEAD, "不实".to_owned(), plea_until())), "plea_too_late");
    let pleaded = done(pleading().plead(HEAD, "不实".to_owned(), inside));
    assert_eq!(key(pleaded.clone().issue_letter(letter(plea_until()))), "plea_unanswered");
    assert_eq!(key(pleaded.clone().waive_plea(HEAD, file(), inside)), "plea_done");
    let answered = done(pleaded.answer_plea(PleaAnswer { by: OFFICER, at: inside, text: "部分采纳".to_owned() }));
    assert!(answered.clone().issue_letter(letter(inside)).is_ok());
    assert_eq!(key(answered.plead(HEAD, "再次".to_owned(), inside)), "plea_done");
    let nothing = PleaAnswer { by: OFFICER, at: inside, text: "无".to_owned() };
    assert_eq!(key(pleading().answer_plea(nothing)), "no_plea");
    let early = ready().deliberate(deliberation()).unwrap().into_state();
    assert_eq!(key(early.issue_letter(letter(plea_until()))), "state");
}

#[test]
fn the_letter_has_findings_that_say_what_to_do() {
    let issue = |change: fn(&mut LetterDraft)| {
        let mut draft = letter(plea_until());
        change(&mut draft);
        pleading().issue_letter(draft)
    };
    assert_eq!(key(issue(|draft| draft.findings.clear())), "missing");
    assert_eq!(key(issue(|draft| draft.findings[0].demand = " ".to_owned())), "finding");
    assert_eq!(key(issue(|draft| draft.findings[0].problem.clear())), "finding");
    assert_eq!(key(issue(|draft| draft.findings.push(draft.findings[0].clone()))), "finding");
    assert_eq!(key(issue(|draft| draft.evaluation.clear())), "missing");
    let limited = |limit| {
        let mut draft = letter(plea_until());
        draft.findings[0].limit = Some(limit);
        pleading().issue_letter(draft)
    };
    assert!(limited(Period::SameDay).is_ok());
    assert!(limited(Period::working_days(15)).is_ok());
    for endless in [Period::working_days(0), Period::working_days(u16::MAX), Period::hours(0), Period::months(121)] {
        assert_eq!(key(limited(endless)), "finding");
    }
}

#[test]
fn every_refusal_has_a_chinese_text() {
    let refusal = planned(SupervisionKind::Special).notify(notice()).unwrap_err();
    assert_eq!(refusal.zh(), "督导小组须有3名以上符合条件的督学，现有0名（条例第十条、第十六条）");
    assert_eq!(
        ready()
            .notify({
                let mut other = notice();
                other.notice_id = NoticeId::new(Uuid::from_u128(99));
                other
            })
            .unwrap_err()
            .zh(),
        "督导当前为“现场督导”，不能进行此操作"
    );
}
