//! At the unit: self-evaluation and its review, visit records, hearings (Regulation art. 18 and 19).

use access::Permit;
use domain::case::{Hearing, HearingGroup, HearingMethod, Visit};
use domain::ids::{PersonId, VisitId};
use domain::local_time::local_date;
use jiff::Timestamp;
use postgres::Tx;
use problem::{Problem, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::record::{HeardGroup, HearingRecord, SelfEvaluationEntry, VisitRecord, file_id, member_id};
use super::standing::{Standing, office_or_team};
use super::{Case, store};
use crate::app::AppState;
use crate::checks::{Fields, LONG_TEXT, SHORT_TEXT};
use crate::office::actor;

/// A visit to be recorded (督导纪实).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVisit {
    /// Arrival.
    #[schema(value_type = String, format = DateTime)]
    pub arrived_at: Timestamp,
    /// Departure.
    #[schema(value_type = String, format = DateTime)]
    pub left_at: Timestamp,
    /// Place.
    pub place: String,
    /// Matters looked at, at least one.
    pub matters: Vec<String>,
    /// Methods used, at least one.
    pub methods: Vec<String>,
    /// Highlights.
    #[serde(default)]
    pub highlights: String,
    /// Problems seen.
    #[serde(default)]
    pub problems: String,
    /// Evidence of this case, by hash.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Inspectors present; when absent the caller, or for an office the whole group.
    pub inspectors: Option<Vec<PersonId>>,
}

/// A hearing to be recorded (听取意见).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHearing {
    /// The group.
    pub group: HeardGroup,
    /// How the participants were drawn; they are drawn, not appointed.
    pub how_drawn: String,
    /// The points made.
    #[serde(default)]
    pub points: Vec<String>,
    /// People at the meeting.
    #[serde(default)]
    pub participants: u32,
    /// Questionnaires returned.
    #[serde(default)]
    pub questionnaires: u32,
}

/// A self-evaluation that was handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSelfEvaluation {
    /// The report, as evidence of this case, by hash.
    pub files: Vec<String>,
}

/// The review of the self-evaluation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReview {
    /// What it found.
    pub result: String,
}

async fn check_evidence(
    tx: &mut Tx,
    case: &Case,
    fields: &mut Fields,
    pointer: &str,
    files: &[String],
) -> problem::Result<()> {
    let known = store::evidence(tx, case.case_id).await?;
    for (n, sha256) in files.iter().enumerate() {
        if !known.iter().any(|row| row.sha256 == *sha256) {
            fields.add(
                format!("{pointer}/{n}"),
                Text::new("请先上传该文件作为本项督导的佐证材料", "upload this file as evidence of the case first"),
            );
        }
    }
    Ok(())
}

/// Records a visit; the inspectors present must be of the group and count on that day.
pub(super) async fn record_visit(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    case: &mut Case,
    new: NewVisit,
) -> problem::Result<()> {
    let standing = office_or_team(permit, &case.record)?;
    let mut fields = Fields::default();
    fields.text("/place", &new.place, SHORT_TEXT);
    fields.texts("/matters", &new.matters, SHORT_TEXT);
    fields.texts("/methods", &new.methods, SHORT_TEXT);
    fields.optional_text("/highlights", &new.highlights, LONG_TEXT);
    fields.optional_text("/problems", &new.problems, LONG_TEXT);
    if new.left_at > tx.at() {
        fields.add("/left_at", Text::new("不得晚于现在", "must not be in the future"));
    }
    if new.left_at < new.arrived_at {
        fields.add("/left_at", Text::new("不得早于到达时间", "must not be before the arrival"));
    }
    check_evidence(tx, case, &mut fields, "/evidence", &new.evidence).await?;
    fields.check()?;
    let day = local_date(new.arrived_at);
    let present = match (new.inspectors, standing, permit.caller().person_id) {
        (Some(named), _, _) => named,
        (None, Standing::Team, Some(person)) => vec![person],
        (None, _, _) => {
            let fit = |person: &PersonId| case.record.machine.team.is_fit(member_id(*person), day);
            case.record.team_ids().into_iter().filter(fit).collect()
        }
    };
    let visit_id = VisitId::new(state.ids.new_id());
    let visit = Visit {
        visit_id,
        arrived_at: new.arrived_at,
        left_at: new.left_at,
        inspectors: present.iter().map(|person| member_id(*person)).collect(),
        record: format!("{}：{}", new.place, new.matters.join("；")),
        evidence: new.evidence.iter().map(|sha256| file_id(sha256)).collect(),
    };
    let mut history = Vec::new();
    case.act(&mut history, |machine| machine.record_visit(visit))?;
    case.record.visit_records.push(VisitRecord {
        visit_id,
        arrived_at: new.arrived_at,
        left_at: new.left_at,
        place: new.place,
        matters: new.matters,
        methods: new.methods,
        highlights: new.highlights,
        problems: new.problems,
        inspectors: present,
        evidence: new.evidence,
        recorded_by: permit.caller().display_name.clone(),
        recorded_at: tx.at(),
    });
    store::save(tx, case, &history, &actor(permit.caller())).await?;
    Ok(())
}

/// The group as the machine names it.
pub(super) fn machine_group(group: HeardGroup) -> HearingGroup {
    match group {
        HeardGroup::Students => HearingGroup::Students,
        HeardGroup::Parents => HearingGroup::Parents,
        HeardGroup::Teachers => HearingGroup::Teachers,
        HeardGroup::Community => HearingGroup::Public,
    }
}

/// Records what a group of the public said.
pub(super) async fn hear(tx: &mut Tx, permit: &Permit, case: &mut Case, new: NewHearing) -> problem::Result<()> {
    office_or_team(permit, &case.record)?;
    let mut fields = Fields::default();
    fields.text("/how_drawn", &new.how_drawn, SHORT_TEXT);
    if new.questionnaires == 0 || !new.points.is_empty() {
        fields.texts("/points", &new.points, LONG_TEXT);
    }
    fields.check()?;
    // A meeting with points but without a head count had at least one participant.
    let participants = new.participants.saturating_add(new.questionnaires).max(u32::from(!new.points.is_empty()));
    let hearing = Hearing {
        group: machine_group(new.group),
        method: if new.points.is_empty() { HearingMethod::Questionnaire } else { HearingMethod::Meeting },
        at: tx.at(),
        participants,
        minutes: if new.points.is_empty() {
            format!("收回问卷{}份", new.questionnaires)
        } else {
            new.points.join("\n")
        },
    };
    let mut history = Vec::new();
    case.act(&mut history, |machine| machine.hear_public(hearing))?;
    case.record.hearings.push(HearingRecord {
        group: new.group,
        how_drawn: new.how_drawn,
        points: new.points,
        participants: new.participants,
        questionnaires: new.questionnaires,
        recorded_by: permit.caller().display_name.clone(),
        recorded_at: tx.at(),
    });
    store::save(tx, case, &history, &actor(permit.caller())).await?;
    Ok(())
}

/// Records that the unit handed in its self-evaluation (自评报告).
pub(super) async fn receive_self_evaluation(
    tx: &mut Tx,
    permit: &Permit,
    case: &mut Case,
    new: NewSelfEvaluation,
) -> problem::Result<()> {
    office_or_team(permit, &case.record)?;
    let mut fields = Fields::default();
    fields.texts("/files", &new.files, SHORT_TEXT);
    check_evidence(tx, case, &mut fields, "/files", &new.files).await?;
    fields.check()?;
    let files = new.files.iter().map(|sha256| file_id(sha256)).collect();
    let (by, at) = (permit.caller().account_id, tx.at());
    let mut history = Vec::new();
    case.act(&mut history, |machine| machine.submit_self_evaluation(by, files, at))?;
    case.record.self_evaluation =
        Some(SelfEvaluationEntry { files: new.files, received_at: at, review: None, reviewed_by: None });
    store::save(tx, case, &history, &actor(permit.caller())).await?;
    Ok(())
}

/// A member of the group reviews the self-evaluation.
pub(super) async fn review_self_evaluation(
    tx: &mut Tx,
    permit: &Permit,
    case: &mut Case,
    new: NewReview,
) -> problem::Result<()> {
    office_or_team(permit, &case.record)?;
    let mut fields = Fields::default();
    fields.text("/result", &new.result, LONG_TEXT);
    fields.check()?;
    let at = tx.at();
    // Someone of the office who is not of the group cannot review in its place: the machine refuses the account.
    let by = permit.caller().person_id.map_or(permit.caller().account_id, member_id);
    let mut history = Vec::new();
    case.act(&mut history, |machine| machine.review_self_evaluation(by, new.result.clone(), at))?;
    let Some(entry) = &mut case.record.self_evaluation else {
        return Err(Problem::internal(&Missing));
    };
    entry.review = Some(new.result);
    entry.reviewed_by = Some(permit.caller().display_name.clone());
    store::save(tx, case, &history, &actor(permit.caller())).await?;
    Ok(())
}

/// Record and machine disagree.
#[derive(Debug)]
struct Missing;

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the record lacks a self-evaluation that the machine has")
    }
}

impl std::error::Error for Missing {}
