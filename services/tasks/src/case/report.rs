//! The supervision report to the agency's own government (督导报告, Regulation art. 23, measure 8).

use access::Permit;
use contracts::shared::{DocumentKind, DocumentRef};
use contracts::tasks::ReportIssued;
use documents::content::{Publication, Score, SupervisionReport, Topic};
use domain::ids::{DocumentId, LetterId};
use domain::local_time::{date_zh, local_date};
use domain::period::count;
use domain::rulebook::ProcedureClock;
use jiff::Timestamp;
use jiff::civil::Date;
use postgres::Tx;
use problem::{Problem, Text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::feedback::rulebook_of;
use super::refuse::{refuse, refuse_for};
use super::{Case, Record, standing, store, words};
use crate::app::AppState;
use crate::bodies::{Seat, higher_agency};
use crate::checks::{Fields, LONG_TEXT, SHORT_TEXT};
use crate::document::{self, Draft};
use crate::office::actor;
use crate::registry::store as copies;

/// A part of the report: its heading and its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportTopic)]
pub(crate) struct NewTopic {
    /// The heading.
    pub title: String,
    /// The text; paragraphs are separated by line breaks.
    pub text: String,
}

/// The score of an indicator (指标得分).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportScore)]
pub(crate) struct NewScore {
    /// The indicator.
    pub indicator: String,
    /// The score, as printed.
    pub score: String,
    /// Full score, as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// The report as written; its findings are those of the letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReport {
    /// Who, when, what, how (基本情况).
    pub situation: String,
    /// Results (主要成效).
    #[serde(default)]
    pub results: Vec<NewTopic>,
    /// Good practice (典型做法).
    #[serde(default)]
    pub practices: Vec<NewTopic>,
    /// Problems (存在的问题), at least one.
    pub problems: Vec<NewTopic>,
    /// Causes (原因分析).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causes: Option<String>,
    /// Advice (意见建议).
    #[serde(default)]
    pub advice: Vec<NewTopic>,
    /// Demands of rectification (整改要求), at least one.
    pub demands: Vec<String>,
    /// Scores, as an annexe.
    #[serde(default)]
    pub scores: Vec<NewScore>,
    /// Who signed it for issue (签发人): a report goes upward, where the name stands beside the number.
    pub signer: String,
    /// Contact at the agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// What the case itself says for the report, to be worked over by people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportDraft {
    /// The government that gets it.
    addressee: String,
    /// Who gets a copy: the next higher agency keeps it on file.
    copies: Vec<String>,
    /// Last day for handing it in (报送).
    #[schema(value_type = String, format = Date)]
    due_on: Date,
    /// The article that says so.
    due_article: String,
    /// Whether that day has passed.
    late: bool,
    /// The draft.
    draft: NewReport,
}

/// Refuses a second report.
pub(super) fn check_first(record: &Record) -> Result<(), (&'static str, Text)> {
    match &record.report {
        None => Ok(()),
        Some(report) => Err((
            "reported",
            Text::new(
                format!("督导报告（{}）已经印发", report.doc_no),
                format!("the report {} is issued already", report.doc_no),
            ),
        )),
    }
}

fn check(record: &Record) -> problem::Result<()> {
    record.machine.check_report().map_err(|refusal| refuse(&refusal, record.state()))?;
    check_first(record).map_err(|(guard, text)| refuse_for(record, guard, text))
}

/// When the supervision ended: with the last visit.
fn ended_at(record: &Record, otherwise: Timestamp) -> Timestamp {
    record.visit_records.iter().map(|visit| visit.left_at).max().unwrap_or(otherwise)
}

/// Addressee and copies.
async fn addressed(tx: &mut Tx, state: &AppState, record: &Record) -> problem::Result<(String, Vec<String>)> {
    let agency = copies::unit(tx, record.agency.unit_id).await?.ok_or_else(standing::unknown)?;
    let seat = Seat::of(agency.county_code.as_deref(), agency.county_name.as_deref());
    let government = seat.government(tx, &state.rules).await?;
    let above = higher_agency(tx, agency.unit_id, &agency.area_path).await?;
    Ok((government, vec![above]))
}

/// What the case says so far: the office begins its report with it.
pub(super) async fn draft(tx: &mut Tx, state: &AppState, permit: &Permit, case: &Case) -> problem::Result<ReportDraft> {
    standing::office(permit, &case.record)?;
    let record = &case.record;
    check(record)?;
    let rule = rulebook_of(state, record)?.procedure_rule(ProcedureClock::ReportToGovernment);
    let agency = copies::unit(tx, record.agency.unit_id).await?.ok_or_else(standing::unknown)?;
    let calendar = state.rules.calendar(agency.county_code.as_deref());
    let at = tx.at();
    let due =
        count(ended_at(record, case.created_at), rule.period, &calendar).map_err(|error| Problem::internal(&error))?;
    let (addressee, copies) = addressed(tx, state, record).await?;
    Ok(ReportDraft {
        addressee,
        copies,
        due_on: due.due_on,
        due_article: rule.article,
        late: at >= due.due_at,
        draft: begun(record),
    })
}

fn begun(record: &Record) -> NewReport {
    let first = record.visit_records.iter().map(|visit| local_date(visit.arrived_at)).min();
    let last = local_date(ended_at(record, Timestamp::UNIX_EPOCH));
    let when = match first {
        Some(first) if first == last => date_zh(first),
        Some(first) => format!("{}至{}", date_zh(first), date_zh(last)),
        None => date_zh(record.visit_on),
    };
    let heard: u32 = record.hearings.iter().map(|hearing| hearing.participants).sum();
    let returned: u32 = record.hearings.iter().map(|hearing| hearing.questionnaires).sum();
    let held = format!(
        "{when}，{}组织督导小组共{}人，围绕{}，对{}开展了{}，现场督导{}次。",
        record.agency.name,
        record.team.len(),
        record.machine.matters.join("、"),
        record.unit.name,
        record.kind.zh(),
        record.visit_records.len(),
    );
    let asked = match (heard, returned) {
        (0, 0) => String::new(),
        (0, _) => format!("回收问卷{returned}份。"),
        (_, 0) => format!("座谈{heard}人。"),
        _ => format!("座谈{heard}人，回收问卷{returned}份。"),
    };
    let told = record.letter.as_ref().map_or_else(String::new, |letter| {
        format!(
            "督导情况已于{}以{}书面反馈，列明问题{}项。",
            date_zh(local_date(letter.document.issued_at)),
            letter.document.doc_no,
            record.findings.len(),
        )
    });
    let situation = [held, asked, told].concat();
    let highlights: Vec<NewTopic> = record
        .visit_records
        .iter()
        .filter(|visit| !visit.highlights.trim().is_empty())
        .map(|visit| NewTopic { title: visit.matters.join("、"), text: visit.highlights.clone() })
        .collect();
    let advice = record
        .findings
        .iter()
        .filter(|finding| !finding.advice.trim().is_empty())
        .map(|finding| NewTopic { title: finding.category.clone(), text: finding.advice.clone() });
    NewReport {
        situation,
        results: highlights,
        practices: Vec::new(),
        problems: record
            .findings
            .iter()
            .map(|finding| NewTopic { title: finding.category.clone(), text: finding.description.clone() })
            .collect(),
        causes: None,
        advice: advice.collect(),
        demands: record.findings.iter().map(|finding| finding.demand.clone()).collect(),
        scores: Vec::new(),
        signer: String::new(),
        contact: None,
    }
}

fn topics(fields: &mut Fields, pointer: &str, topics: &[NewTopic]) {
    for (n, topic) in topics.iter().enumerate() {
        fields.text(format!("{pointer}/{n}/title"), &topic.title, SHORT_TEXT);
        fields.text(format!("{pointer}/{n}/text"), &topic.text, LONG_TEXT);
    }
}

fn check_fields(new: &NewReport) -> problem::Result<()> {
    let mut fields = Fields::default();
    fields.text("/situation", &new.situation, LONG_TEXT);
    topics(&mut fields, "/results", &new.results);
    topics(&mut fields, "/practices", &new.practices);
    if new.problems.is_empty() {
        fields.add("/problems", Text::new("至少填写一项", "needs at least one entry"));
    }
    topics(&mut fields, "/problems", &new.problems);
    fields.optional_text("/causes", new.causes.as_deref().unwrap_or_default(), LONG_TEXT);
    topics(&mut fields, "/advice", &new.advice);
    fields.texts("/demands", &new.demands, LONG_TEXT);
    for (n, score) in new.scores.iter().enumerate() {
        fields.text(format!("/scores/{n}/indicator"), &score.indicator, SHORT_TEXT);
        fields.text(format!("/scores/{n}/score"), &score.score, SHORT_TEXT);
        fields.optional_text(format!("/scores/{n}/full"), score.full.as_deref().unwrap_or_default(), SHORT_TEXT);
        fields.optional_text(format!("/scores/{n}/remark"), score.remark.as_deref().unwrap_or_default(), SHORT_TEXT);
    }
    fields.text("/signer", &new.signer, SHORT_TEXT);
    fields.optional_text("/contact", new.contact.as_deref().unwrap_or_default(), SHORT_TEXT);
    fields.check()
}

/// Issues the report: number, frozen text, event.
pub(super) async fn issue(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    case: &mut Case,
    new: NewReport,
) -> problem::Result<()> {
    standing::office(permit, &case.record)?;
    check_fields(&new)?;
    check(&case.record)?;
    let record = &case.record;
    let letter = record.letter.as_ref().ok_or_else(standing::unknown)?;
    let letter_id = LetterId::new(letter.document.document_id.as_uuid());
    let (addressee, copies) = addressed(tx, state, record).await?;
    let agency = copies::unit(tx, record.agency.unit_id).await?.ok_or_else(standing::unknown)?;
    let actor = actor(permit.caller());
    let document = document::issue(
        tx,
        &state.rules,
        &actor,
        Draft {
            document_id: DocumentId::new(state.ids.new_id()),
            kind: DocumentKind::SupervisionReport,
            title: format!("关于{}情况的报告", words::about(record)),
            agency: &agency,
            addressee: addressee.clone(),
            copies: copies.clone(),
            case_id: Some(case.case_id),
            plan_id: None,
            assignment_id: None,
            finding_ids: words::finding_ids(record),
            legal_basis: &["《教育督导条例》第二十三条", "琼办发〔2021〕13号第8项"],
            contact: new.contact.clone(),
            phone: None,
            signer: Some(new.signer.clone()),
            // Regulation art. 23: it must be made public.
            publication: Some(Publication::Open),
            body: body(state, record, new)?.into(),
        },
    )
    .await?
    .document;
    let event = event(case, letter_id, document.clone(), addressee, copies);
    case.record.report = Some(document);
    let note = json!({"event": "report_issued", "document": case.record.report});
    store::save_noted(tx, case, note, &actor).await?;
    messaging::append(tx, &actor, &event).await?;
    Ok(())
}

fn event(
    case: &Case,
    letter_id: LetterId,
    document: DocumentRef,
    addressee: String,
    copies: Vec<String>,
) -> ReportIssued {
    let record = &case.record;
    ReportIssued {
        version: 1,
        document,
        case_id: case.case_id,
        case_title: record.title.clone(),
        supervision_kind: record.kind,
        unit: record.unit.clone(),
        letter_id,
        addressee,
        copies,
    }
}

fn body(state: &AppState, record: &Record, new: NewReport) -> problem::Result<SupervisionReport> {
    let topics = |topics: Vec<NewTopic>| {
        topics.into_iter().map(|NewTopic { title, text }| Topic { text, title }).collect::<Vec<_>>()
    };
    Ok(SupervisionReport {
        advice: topics(new.advice),
        causes: new.causes,
        demands: new.demands,
        findings: words::findings(record, Some(rulebook_of(state, record)?)),
        practices: topics(new.practices),
        problems: topics(new.problems),
        results: topics(new.results),
        scores: new
            .scores
            .into_iter()
            .map(|NewScore { indicator, score, full, remark }| Score { full, indicator, remark, score })
            .collect(),
        situation: new.situation,
        unit: record.unit.name.clone(),
    })
}
