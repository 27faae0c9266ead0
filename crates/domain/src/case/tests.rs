//! The machine of the case, guard by guard and at random.

mod guards;
mod jurisdiction;
mod walk;

use jiff::Timestamp;
use jiff::civil::{Date, date, time};
use uuid::Uuid;

use super::*;
use crate::ids::{AccountId, CaseId, FileId, FindingId, LetterId, NoticeId, OpinionId, UnitId, VisitId};
use crate::local_time::at_local;
use crate::outcome::Outcome;
use crate::period::Period;
use crate::severity::Severity;

type Acted = Result<Outcome<Case, CaseEvent>, CaseRefusal>;

const HEAD: AccountId = AccountId::new(Uuid::from_u128(50));
const OFFICER: AccountId = AccountId::new(Uuid::from_u128(51));

fn account(number: u128) -> AccountId {
    AccountId::new(Uuid::from_u128(number))
}

fn file() -> FileId {
    FileId::new(Uuid::from_u128(70))
}

fn at(day: Date, hour: i8) -> Timestamp {
    at_local(day, time(hour, 0, 0, 0)).unwrap()
}

fn province() -> Agency {
    Agency { unit_id: UnitId::new(Uuid::from_u128(1)), level: AgencyLevel::Province, division: "460000".to_owned() }
}

fn unit(class: UnitClass, administered_by: &str) -> SupervisedUnit {
    SupervisedUnit {
        unit_id: UnitId::new(Uuid::from_u128(9)),
        class,
        located_in: "460100".to_owned(),
        administered_by: administered_by.to_owned(),
    }
}

fn plan_facts(kind: SupervisionKind) -> PlanFacts {
    PlanFacts {
        case_id: CaseId::new(Uuid::from_u128(20)),
        plan_item: None,
        kind,
        agency: province(),
        unit: unit(UnitClass::School, "460100"),
        matters: vec!["校园安全".to_owned()],
        self_evaluation_required: true,
    }
}

fn planned(kind: SupervisionKind) -> Case {
    Case::plan(plan_facts(kind)).unwrap().into_state()
}

fn member(number: u128) -> Member {
    Member {
        account: account(number),
        leader: number == 1,
        appointment: Appointment { from: date(2025, 1, 1), to: date(2027, 12, 31), suspended: false, trained: true },
        recusal: Recusal::NoConflict,
    }
}

fn team() -> Team {
    Team { members: (1..=3).map(member).collect(), experts: Vec::new() }
}

fn notice() -> Notice {
    Notice {
        notice_id: NoticeId::new(Uuid::from_u128(21)),
        number: "琼教督委〔2026〕3号".parse().unwrap(),
        served_at: at(date(2026, 3, 2), 9),
        earliest_visit_on: Some(date(2026, 3, 9)),
    }
}

fn visit() -> Visit {
    Visit {
        visit_id: VisitId::new(Uuid::from_u128(22)),
        arrived_at: at(date(2026, 3, 10), 9),
        left_at: at(date(2026, 3, 10), 16),
        inspectors: vec![account(1), account(2)],
        record: "查看食堂、宿舍".to_owned(),
        evidence: vec![file()],
    }
}

fn hearing(group: HearingGroup) -> Hearing {
    Hearing {
        group,
        method: HearingMethod::Meeting,
        at: at(date(2026, 3, 10), 14),
        participants: 8,
        minutes: "座谈要点".to_owned(),
    }
}

fn deliberation() -> Deliberation {
    Deliberation { at: at(date(2026, 3, 12), 9), minutes: "评议纪要".to_owned() }
}

fn opinion() -> PreliminaryOpinion {
    PreliminaryOpinion {
        opinion_id: OpinionId::new(Uuid::from_u128(23)),
        evaluation: "总体良好".to_owned(),
        findings: Vec::new(),
        fed_back_at: at(date(2026, 3, 13), 9),
    }
}

fn plea_until() -> Timestamp {
    at(date(2026, 3, 28), 0)
}

fn letter(issued_at: Timestamp) -> LetterDraft {
    LetterDraft {
        letter_id: LetterId::new(Uuid::from_u128(24)),
        number: "琼教督委〔2026〕12号".parse().unwrap(),
        evaluation: "总体良好".to_owned(),
        findings: vec![LetterFinding {
            finding_id: FindingId::new(Uuid::from_u128(25)),
            number: 1,
            severity: Severity::Major,
            problem: "消防通道堵塞".to_owned(),
            demand: "清理并建立巡查制度".to_owned(),
            responsible_unit: UnitId::new(Uuid::from_u128(9)),
            limit: None,
        }],
        signed_by: OFFICER,
        issued_at,
    }
}

fn done(outcome: Acted) -> Case {
    match outcome.unwrap() {
        Outcome::Changed { next, events } => {
            assert_eq!(events.len(), 1);
            next
        }
        Outcome::Unchanged(state) => panic!("nothing changed in {state:?}"),
    }
}

fn notified() -> Case {
    let case = done(planned(SupervisionKind::Special).form_team(team(), date(2026, 3, 1)));
    done(case.notify(notice()))
}

/// A case on site with everything that the deliberation needs.
fn ready() -> Case {
    let mut case = done(notified().submit_self_evaluation(HEAD, vec![file()], at(date(2026, 3, 6), 9)));
    case = done(case.review_self_evaluation(account(1), "属实".to_owned(), at(date(2026, 3, 7), 9)));
    case = done(case.record_visit(visit()));
    for group in [HearingGroup::Students, HearingGroup::Parents, HearingGroup::Teachers] {
        case = done(case.hear_public(hearing(group)));
    }
    case
}

fn pleading() -> Case {
    let case = done(ready().deliberate(deliberation()));
    let case = done(case.feed_back(opinion()));
    done(case.receive_opinion(at(date(2026, 3, 13), 10), plea_until()))
}
