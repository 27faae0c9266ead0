//! Which step may come next, and what stands in the way: the machine is asked, not a second list of rules.

use domain::case::{
    CaseRefusal, Deliberation, Hearing, HearingGroup, HearingMethod, Notice, PleaAnswer, PreliminaryOpinion, Visit,
};
use domain::ids::{AccountId, LetterId, NoticeId, OpinionId, VisitId};
use domain::local_time::local_date;
use jiff::Timestamp;
use problem::Text;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::letter::{draft, standing_in};
use super::refuse::guard;
use super::{Record, Standing};

/// A step of the procedure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NextStep {
    /// Key, the last part of the route: `team`, `notify`, `visit-records`, …
    step: &'static str,
    /// The step in words.
    title: String,
    /// Whether it may be taken now.
    allowed: bool,
    /// The guard that refuses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    guard: Option<&'static str>,
    /// Why not, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The steps as the case stands, for who reads it: the unit sees its own only.
pub(super) fn next_steps(record: &Record, standing: Standing, at: Timestamp) -> Vec<NextStep> {
    let machine = || record.machine.clone();
    let nobody = AccountId::new(Uuid::nil());
    let today = local_date(at);
    let step = |step, title: &str, result: Result<(), (&'static str, Text)>| {
        let title = title.to_owned();
        let (guard, reason) = result.err().map(|(key, text)| (key, text.zh.into_owned())).unzip();
        NextStep { step, title, allowed: guard.is_none(), guard, reason }
    };
    let asked = |result: Result<(), CaseRefusal>| result.map_err(|refusal| guard(&refusal));
    let plea = step("plea", "提出申辩", asked(machine().plead(nobody, "申辩".to_owned(), at).map(drop)));
    match standing {
        Standing::Bystander => return Vec::new(),
        Standing::Unit => return vec![plea],
        Standing::Office | Standing::Team => {}
    }
    // A number that never leaves this function.
    let Ok(number) = standing_in(at) else { return Vec::new() };
    let team = if record.state() == "planned" {
        Ok(())
    } else {
        let zh = format!("督导当前为“{}”，督导小组不可再变更", record.machine.state.zh());
        Err(("state", Text::new(zh, "the notice is out, so the group can no longer be changed")))
    };
    let notice = Notice {
        notice_id: NoticeId::new(Uuid::nil()),
        number: number.clone(),
        served_at: at,
        earliest_visit_on: None,
    };
    let fit = record.machine.team.members.iter().find(|member| member.unfit_on(today).is_none());
    let visit = Visit {
        visit_id: VisitId::new(Uuid::nil()),
        arrived_at: at,
        left_at: at,
        inspectors: vec![fit.map_or(nobody, |member| member.account)],
        record: "现场考察".to_owned(),
        evidence: Vec::new(),
    };
    let hearing = Hearing {
        group: HearingGroup::Public,
        method: HearingMethod::Meeting,
        at,
        participants: 1,
        minutes: "听取意见".to_owned(),
    };
    let deliberation = Deliberation { at, minutes: "评议".to_owned() };
    let opinion = PreliminaryOpinion {
        opinion_id: OpinionId::new(Uuid::nil()),
        evaluation: "评价".to_owned(),
        findings: Vec::new(),
        fed_back_at: at,
    };
    let answer = PleaAnswer { by: nobody, at, text: "处理意见".to_owned() };
    let report = asked(machine().check_report()).and_then(|()| super::report::check_first(record));
    let letter = draft(record, LetterId::new(Uuid::nil()), number, "评价", nobody, at);
    vec![
        step("team", "组成督导小组", team),
        step("notify", "印发督导通知书", asked(machine().notify(notice).map(drop))),
        step("visit-records", "填写督导纪实", asked(machine().record_visit(visit).map(drop))),
        step("hearings", "听取意见", asked(machine().hear_public(hearing).map(drop))),
        step(
            "feedback",
            "反馈初步督导意见",
            asked(
                machine()
                    .deliberate(deliberation)
                    .and_then(|outcome| outcome.into_state().feed_back(opinion))
                    .map(drop),
            ),
        ),
        plea,
        step("plea-decision", "处理申辩", asked(machine().answer_plea(answer).map(drop))),
        step("letter", &format!("印发{}", record.letter_kind().zh()), asked(machine().issue_letter(letter).map(drop))),
        step("report", "印发督导报告", report),
    ]
}
