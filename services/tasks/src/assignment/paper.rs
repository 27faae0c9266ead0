//! The papers of a proposed or taken step: the interview notice (约谈通知书, measure 13) and the circular (通报, measure 14).
//!
//! Whether the step is taken is recorded in `deadlines`; the paper is the agency's, in whose name the letter was issued.

use access::{Permit, Resource};
use contracts::shared::{DocumentKind, UnitRef};
use contracts::tasks::{CircularIssued, InterviewNotified, StepOfPaper};
use documents::Body;
use documents::content::{Bar, Circular, InterviewNotice, Member, Publication};
use domain::ids::{AssignmentId, DocumentId, ProposalId};
use domain::local_time::{date_zh, local_date};
use domain::period::count;
use domain::rulebook::{Clock, ProcedureClock, Rulebook};
use domain::step_paper::{StepPaper, StepStanding};
use jiff::Timestamp;
use jiff::civil::Date;
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Assignment, State, Subject, http::without_inspector, store};
use crate::app::AppState;
use crate::bodies::Seat;
use crate::case;
use crate::checks::{Fields, LONG_TEXT, SHORT_TEXT};
use crate::document::{self, Draft};
use crate::office::{actor, require_office};
use crate::registry::{Unit, store as copies};

/// The article that interviews rest on, where the proposal names none.
const INTERVIEW: &str = "琼办发〔2021〕13号第13项";
/// The same of circulars.
const CIRCULAR: &str = "琼办发〔2021〕13号第14项";
/// What measure 14 bars the leading group from.
const BAR: &str = "不得评优评先、提拔使用或者转任重要职务";

/// A participant of an interview (参加人员).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attendant {
    /// Role: 主谈, 记录.
    #[serde(default)]
    pub duty: Option<String>,
    /// Name, or who it is by post.
    pub name: String,
    /// Unit and post.
    #[serde(default)]
    pub post: Option<String>,
}

/// An interview notice as written (约谈通知书).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInterviewNotice {
    /// When the interview is; not sooner than the rules allow, three working days ahead.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Where.
    pub place: String,
    /// Why; drafted from the step when absent.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who attends for the agencies (约谈方): for a school the supervision agency and the education department, for a government
    /// or department the supervision agency, the organisation department and the departments concerned (measure 13).
    pub hosts: Vec<Attendant>,
    /// Who attends for the unit (被约谈方).
    pub interviewees: Vec<Attendant>,
    /// Material to bring.
    #[serde(default)]
    pub materials: Vec<String>,
    /// Who gets a copy; the Party committee and government of the unit's place and the department above it when absent.
    #[serde(default)]
    pub copies: Option<Vec<String>>,
    /// Contact at the agency.
    pub contact: String,
    /// Telephone of the contact.
    pub phone: String,
}

/// A bar (限制措施).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBar {
    /// Whom it concerns; the unit's leading group when absent.
    #[serde(default)]
    pub unit: Option<String>,
    /// What is barred.
    pub measure: String,
    /// Last day; the shortest that the rules allow when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<Date>,
}

/// A circular as written (通报).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCircular {
    /// The facts (基本事实).
    pub facts: String,
    /// How the unit behaved (工作表现).
    #[serde(default)]
    pub attitude: Option<String>,
    /// How far rectification is (整改情况).
    pub rectification_state: String,
    /// What is decided (处理结果).
    pub result: String,
    /// What is demanded, at least one.
    pub demands: Vec<String>,
    /// The bars; measure 14's own, on the unit's leading group, when empty.
    #[serde(default)]
    pub bars: Vec<NewBar>,
    /// Main addressees; the Party committee and government of the unit's place when absent.
    #[serde(default)]
    pub addressees: Option<Vec<String>>,
    /// Who gets a copy; the organisation department and the department above the unit when absent.
    #[serde(default)]
    pub copies: Option<Vec<String>>,
    /// Open to the public on the agency's own initiative; otherwise on request.
    #[serde(default)]
    pub open: bool,
    /// Contact at the agency.
    #[serde(default)]
    pub contact: Option<String>,
    /// Telephone of the contact.
    #[serde(default)]
    pub phone: Option<String>,
}

/// The step for which a paper may go out, with what the paper needs.
struct Ground {
    assignment: Assignment,
    proposal_id: ProposalId,
    agency: Unit,
    /// The case as it was judged; its rules hold.
    case: case::Case,
}

/// Locks the assignment and asks everything that has nothing to do with what was written.
async fn ground(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    id: AssignmentId,
    paper: StepPaper,
) -> problem::Result<Ground> {
    let assignment = store::find_for_update(tx, id).await?.ok_or_else(super::http::unknown)?;
    let area = Resource::in_area(assignment.unit.area_path.iter().copied());
    permit
        .access()
        .permits(&without_inspector(permit.caller()), permit.action(), &area)
        .map_err(|_| super::http::unknown())?;
    let Subject::Step { proposal_id, level, kind: _ } = assignment.subject else {
        return Err(refused(domain::step_paper::StepPaperRefusal::OtherStep, &assignment));
    };
    let case = case::store::find(tx, assignment.case_id).await?.ok_or_else(super::http::unknown)?;
    require_office(permit, &case.record.agency.area_path)?;
    for_the_office(permit, &assignment)?;
    let decided_by = u8::try_from(level)
        .ok()
        .and_then(|level| case::rulebook_of(state, &case.record).ok()?.ladder_step(level))
        .map(|step| step.decided_by);
    paper
        .check(u8::try_from(level).unwrap_or_default(), standing(assignment.standing.state), decided_by)
        .map_err(|refusal| refused(refusal, &assignment))?;
    if let Some(known) = document::store::of_assignment(tx, id).await? {
        return Err(Problem::state_refuses(
            Text::new(
                format!("这项升级措施的文书（{}）已经印发。", known.doc_no),
                format!("The paper of this step, {}, is issued already.", known.doc_no),
            ),
            assignment.standing.state.as_str(),
        )
        .with("guard", "paper_issued"));
    }
    let agency = copies::unit(tx, case.record.agency.unit_id).await?.ok_or_else(super::http::unknown)?;
    Ok(Ground { assignment, proposal_id, agency, case })
}

fn standing(state: State) -> StepStanding {
    match state {
        State::Open => StepStanding::Proposed,
        State::Done => StepStanding::Taken,
        State::Lifted => StepStanding::Lifted,
        State::Moot => StepStanding::Moot,
    }
}

fn refused(refusal: domain::step_paper::StepPaperRefusal, assignment: &Assignment) -> Problem {
    let text = Text::new(format!("{}。", refusal.zh()), format!("{refusal}."));
    Problem::state_refuses(text, assignment.standing.state.as_str()).with("guard", refusal.key())
}

/// Who belongs to the unit does not act for the office in its case.
fn for_the_office(permit: &Permit, assignment: &Assignment) -> problem::Result<()> {
    let caller = permit.caller();
    let own = caller.grants.iter().filter_map(|grant| grant.unit_id).chain(caller.unit_id);
    if own.into_iter().any(|unit| unit == assignment.unit.unit_id) {
        return Err(Problem::new(
            ProblemKind::SeparationOfDuties,
            Text::new(
                "本单位人员不得代督导机构对本单位印发文书。请由督导机构的其他人员办理。",
                "Who belongs to the unit does not issue papers about it for the office; let someone else of the office do it.",
            ),
        ));
    }
    Ok(())
}

fn attendants(fields: &mut Fields, pointer: &str, people: &[Attendant]) {
    if people.is_empty() {
        fields.add(pointer, Text::new("至少填写一人", "needs at least one person"));
    }
    for (n, person) in people.iter().enumerate() {
        fields.text(format!("{pointer}/{n}/name"), &person.name, SHORT_TEXT);
        fields.optional_text(format!("{pointer}/{n}/duty"), person.duty.as_deref().unwrap_or_default(), SHORT_TEXT);
        fields.optional_text(format!("{pointer}/{n}/post"), person.post.as_deref().unwrap_or_default(), SHORT_TEXT);
    }
}

fn members(people: Vec<Attendant>) -> Vec<Member> {
    people.into_iter().map(|Attendant { duty, name, post }| Member { duty, name, post }).collect()
}

fn rules_of<'a>(state: &'a AppState, ground: &Ground) -> problem::Result<&'a Rulebook> {
    case::rulebook_of(state, &ground.case.record)
}

/// Refuses an interview that the unit could not prepare for.
fn check_ahead(state: &AppState, ground: &Ground, at: Timestamp, interview_at: Timestamp) -> problem::Result<()> {
    let rule = rules_of(state, ground)?.procedure_rule(ProcedureClock::InterviewNoticeAhead);
    let calendar = state.rules.calendar(ground.assignment.unit.county_code.as_deref());
    let earliest = count(at, rule.period, &calendar).map_err(|error| Problem::internal(&error))?.due_on;
    if local_date(interview_at) >= earliest {
        return Ok(());
    }
    Err(Problem::state_refuses(
        Text::new(
            format!(
                "约谈通知应提前{}送达（{}）：现在印发的，约谈不得早于{}，请调整约谈时间。",
                rule.period.zh(),
                rule.article,
                date_zh(earliest)
            ),
            format!("A notice served now allows an interview from {earliest} on ({}); change its time.", rule.article),
        ),
        ground.assignment.standing.state.as_str(),
    )
    .with("guard", "interview_too_soon")
    .with("earliest_on", earliest.to_string()))
}

/// The items by their numbers: 第1、2项.
fn numbers(assignment: &Assignment) -> String {
    let numbers: Vec<String> = assignment.item_numbers.iter().map(ToString::to_string).collect();
    format!("第{}项", numbers.join("、"))
}

/// What everybody hears of the step.
async fn step(tx: &mut Tx, ground: &Ground) -> problem::Result<StepOfPaper> {
    let assignment = &ground.assignment;
    let unit = copies::unit(tx, assignment.unit.unit_id).await?;
    let place = &assignment.unit;
    Ok(StepOfPaper {
        proposal_id: ground.proposal_id,
        rectification_id: assignment.rectification_id,
        case_id: assignment.case_id,
        case_title: assignment.case_title.clone(),
        letter_no: assignment.letter_no.clone(),
        unit: UnitRef {
            unit_id: place.unit_id,
            name: place.name.clone(),
            code: unit.as_ref().map(|unit| unit.school_code.clone().unwrap_or_else(|| unit.key.clone())),
            area_path: place.area_path.clone(),
            county_code: place.county_code.clone(),
            county_name: place.county_name.clone(),
            competent_unit_id: unit.as_ref().and_then(|unit| unit.competent_unit_id),
            competent_unit_name: unit.and_then(|unit| unit.competent_unit_name),
        },
    })
}

/// Who stands above the unit: its competent department, else the government one level up.
fn above(state: &AppState, step: &StepOfPaper) -> String {
    step.unit.competent_unit_name.clone().unwrap_or_else(|| format!("{}人民政府", state.rules.province_name()))
}

async fn issue(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    ground: &Ground,
    paper: Paper,
) -> problem::Result<document::Issued> {
    let record = &ground.case.record;
    let numbers = &ground.assignment.item_numbers;
    let finding_ids = record
        .findings
        .iter()
        .filter(|finding| numbers.contains(&finding.number))
        .map(|finding| finding.finding_id)
        .collect();
    document::issue(
        tx,
        &state.rules,
        &actor(permit.caller()),
        Draft {
            document_id: DocumentId::new(state.ids.new_id()),
            kind: paper.kind,
            title: paper.title,
            agency: &ground.agency,
            addressee: paper.addressee,
            copies: paper.copies,
            case_id: Some(ground.assignment.case_id),
            plan_id: None,
            assignment_id: Some(ground.assignment.assignment_id),
            finding_ids,
            legal_basis: &[paper.basis],
            contact: paper.contact,
            phone: paper.phone,
            signer: None,
            publication: paper.publication,
            body: paper.body,
        },
    )
    .await
}

/// What differs between the papers of the ladder.
struct Paper {
    kind: DocumentKind,
    title: String,
    addressee: String,
    copies: Vec<String>,
    basis: &'static str,
    contact: Option<String>,
    phone: Option<String>,
    publication: Option<Publication>,
    body: Body,
}

/// Issues the interview notice: guards, number, frozen text, event.
pub(super) async fn invite(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    id: AssignmentId,
    new: NewInterviewNotice,
) -> problem::Result<Assignment> {
    let ground = ground(tx, state, permit, id, StepPaper::InterviewNotice).await?;
    let mut fields = Fields::default();
    fields.text("/place", &new.place, SHORT_TEXT);
    fields.optional_text("/reason", new.reason.as_deref().unwrap_or_default(), LONG_TEXT);
    attendants(&mut fields, "/hosts", &new.hosts);
    attendants(&mut fields, "/interviewees", &new.interviewees);
    for (n, material) in new.materials.iter().enumerate() {
        fields.text(format!("/materials/{n}"), material, SHORT_TEXT);
    }
    if let Some(copies) = &new.copies {
        fields.texts("/copies", copies, SHORT_TEXT);
    }
    fields.text("/contact", &new.contact, SHORT_TEXT);
    fields.text("/phone", &new.phone, SHORT_TEXT);
    fields.check()?;
    check_ahead(state, &ground, tx.at(), new.at)?;
    let step = step(tx, &ground).await?;
    let seat = Seat::of(step.unit.county_code.as_deref(), step.unit.county_name.as_deref());
    let copies = if let Some(copies) = new.copies {
        copies
    } else {
        // Measure 13: reported for filing to the Party committee and government of the place and to the department above.
        let government = seat.government(tx, &state.rules).await?;
        let mut bodies = vec![seat.party_committee(&state.rules), government, above(state, &step)];
        bodies.retain(|body| *body != step.unit.name);
        bodies
    };
    let assignment = &ground.assignment;
    let reason = new
        .reason
        .unwrap_or_else(|| format!("{}所列问题{}经督办仍未按期完成整改", assignment.letter_no, numbers(assignment)));
    let body = InterviewNotice {
        at: new.at,
        basis: INTERVIEW.to_owned(),
        hosts: members(new.hosts),
        interviewee: format!("{}有关负责人", step.unit.name),
        interviewees: members(new.interviewees),
        materials: new.materials,
        place: new.place.clone(),
        reason: reason.clone(),
    };
    let paper = Paper {
        kind: DocumentKind::InterviewNotice,
        title: format!("关于约谈{}有关负责人的通知书", step.unit.name),
        addressee: step.unit.name.clone(),
        copies,
        basis: INTERVIEW,
        contact: Some(new.contact),
        phone: Some(new.phone),
        publication: None,
        body: body.into(),
    };
    let document = issue(tx, state, permit, &ground, paper).await?.document;
    let event = InterviewNotified { version: 1, document, step, reason, at: new.at, place: new.place };
    messaging::append(tx, &actor(permit.caller()), &event).await?;
    Ok(ground.assignment)
}

/// Issues the circular: guards, number, frozen text, event.
pub(super) async fn name(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    id: AssignmentId,
    new: NewCircular,
) -> problem::Result<Assignment> {
    let ground = ground(tx, state, permit, id, StepPaper::Circular).await?;
    let shortest = shortest_bar(state, &ground, tx.at())?;
    check_circular(&new, shortest)?;
    let step = step(tx, &ground).await?;
    let seat = Seat::of(step.unit.county_code.as_deref(), step.unit.county_name.as_deref());
    let addressees = match new.addressees {
        Some(addressees) => addressees,
        None => vec![seat.party_committee(&state.rules), seat.government(tx, &state.rules).await?],
    };
    let copies = match new.copies {
        Some(copies) => copies,
        None => vec![seat.organisation_department(&state.rules), above(state, &step), step.unit.name.clone()],
    };
    let leaders = format!("{}领导班子成员", step.unit.name);
    let mut bars: Vec<Bar> = new
        .bars
        .into_iter()
        .map(|NewBar { unit, measure, until }| Bar {
            measure,
            unit: unit.unwrap_or_else(|| leaders.clone()),
            until: until.or(Some(shortest)),
        })
        .collect();
    if bars.is_empty() {
        bars.push(Bar { measure: BAR.to_owned(), unit: leaders, until: Some(shortest) });
    }
    let barred_until = bars.iter().filter_map(|bar| bar.until).max();
    let body = Circular {
        attitude: new.attitude,
        bars,
        demands: new.demands,
        facts: new.facts,
        rectification_state: Some(new.rectification_state),
        result: new.result.clone(),
        units: vec![step.unit.name.clone()],
    };
    let paper = Paper {
        kind: DocumentKind::Circular,
        title: format!("关于{}整改不力情况的通报", step.unit.name),
        addressee: addressees.join("，"),
        copies,
        basis: CIRCULAR,
        contact: new.contact,
        phone: new.phone,
        publication: Some(if new.open { Publication::Open } else { Publication::OnRequest }),
        body: body.into(),
    };
    let document = issue(tx, state, permit, &ground, paper).await?.document;
    let event = CircularIssued { version: 1, document, step, result: new.result, barred_until };
    messaging::append(tx, &actor(permit.caller()), &event).await?;
    Ok(ground.assignment)
}

/// The first day on which a bar that begins now may end.
fn shortest_bar(state: &AppState, ground: &Ground, at: Timestamp) -> problem::Result<Date> {
    let rule = rules_of(state, ground)?.clock_rule(Clock::CircularBar).ok_or_else(|| {
        Problem::state_refuses(
            Text::new("规则库没有通报限制的最短期限。", "The rulebook has no shortest term of a circular's bars."),
            "no_rule",
        )
    })?;
    let calendar = state.rules.calendar(ground.agency.county_code.as_deref());
    Ok(count(at, rule.period, &calendar).map_err(|error| Problem::internal(&error))?.due_on)
}

fn check_circular(new: &NewCircular, shortest: Date) -> problem::Result<()> {
    let mut fields = Fields::default();
    fields.text("/facts", &new.facts, LONG_TEXT);
    fields.optional_text("/attitude", new.attitude.as_deref().unwrap_or_default(), LONG_TEXT);
    fields.text("/rectification_state", &new.rectification_state, LONG_TEXT);
    fields.text("/result", &new.result, LONG_TEXT);
    fields.texts("/demands", &new.demands, LONG_TEXT);
    for (n, bar) in new.bars.iter().enumerate() {
        fields.text(format!("/bars/{n}/measure"), &bar.measure, SHORT_TEXT);
        fields.optional_text(format!("/bars/{n}/unit"), bar.unit.as_deref().unwrap_or_default(), SHORT_TEXT);
        if bar.until.is_some_and(|until| until < shortest) {
            fields.add(
                format!("/bars/{n}/until"),
                Text::new(
                    format!("限制措施的截止日期不得早于{}", date_zh(shortest)),
                    format!("a bar may not end before {shortest}"),
                ),
            );
        }
    }
    if let Some(addressees) = &new.addressees {
        fields.texts("/addressees", addressees, SHORT_TEXT);
    }
    if let Some(copies) = &new.copies {
        fields.texts("/copies", copies, SHORT_TEXT);
    }
    fields.optional_text("/contact", new.contact.as_deref().unwrap_or_default(), SHORT_TEXT);
    fields.optional_text("/phone", new.phone.as_deref().unwrap_or_default(), SHORT_TEXT);
    fields.check()
}
