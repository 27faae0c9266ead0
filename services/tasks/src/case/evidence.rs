//! Evidence (佐证材料): photos and papers, kept by the hash of their content with time and author.

use access::Permit;
use axum::extract::Multipart;
use domain::ids::CaseId;
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};
use service_kit::files::{EVIDENCE, FileRef, Files};

use super::standing::{office_or_team, reading, unknown};
use super::store::{self, EvidenceRow};
use crate::app::AppState;
use crate::checks::SHORT_TEXT;

/// Most files of one upload.
const MOST_FILES: usize = 20;

/// A file that was stored, with the name it came under.
pub(crate) struct Uploaded {
    pub file: FileRef,
    pub name: String,
}

/// Refuses before a byte is stored: no such case, or not the caller's.
pub(super) async fn may_upload(state: &AppState, permit: &Permit, case_id: CaseId) -> problem::Result<()> {
    let mut tx = state.database.begin().await?;
    let case = store::find(&mut tx, case_id).await?.ok_or_else(unknown)?;
    office_or_team(permit, &case.record)?;
    Ok(())
}

/// Checks and stores every part named `file`. What is stored but belongs to no case is nobody's evidence.
pub(super) async fn store_files(files: &Files, mut parts: Multipart) -> problem::Result<Vec<Uploaded>> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        tracing::debug!(%error, "an upload could not be read");
        Problem::of(ProblemKind::MalformedBody)
    };
    let mut uploaded = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        if part.name() != Some("file") {
            continue;
        }
        if uploaded.len() == MOST_FILES {
            return Err(Problem::invalid_field(
                "/file",
                Text::new(format!("一次最多上传 {MOST_FILES} 个文件"), format!("at most {MOST_FILES} files at once")),
            ));
        }
        let name = part.file_name().unwrap_or("未命名").chars().filter(|c| !c.is_control()).take(SHORT_TEXT).collect();
        let file = files.accept(part, EVIDENCE).await?;
        uploaded.push(Uploaded { file, name });
    }
    if uploaded.is_empty() {
        return Err(Problem::invalid_field("/file", Text::new("请选择要上传的文件", "choose a file to upload")));
    }
    Ok(uploaded)
}

/// Makes the stored files evidence of the case, until the letter is issued.
pub(super) async fn add(
    tx: &mut Tx,
    permit: &Permit,
    case_id: CaseId,
    uploaded: Vec<Uploaded>,
) -> problem::Result<Vec<EvidenceRow>> {
    let case = store::find_for_update(tx, case_id).await?.ok_or_else(unknown)?;
    office_or_team(permit, &case.record)?;
    if case.record.is_lettered() {
        return Err(super::refuse::refuse_for(
            &case.record,
            "lettered",
            Text::new("整改决定已下达，不再增加佐证材料", "the letter is issued; no evidence can be added"),
        ));
    }
    let mut rows = Vec::new();
    for Uploaded { file, name } in uploaded {
        let row = EvidenceRow {
            sha256: file.sha256,
            bytes: i64::try_from(file.bytes).unwrap_or(i64::MAX),
            media_type: file.media_type,
            name,
            uploaded_at: tx.at(),
            uploader_name: permit.caller().display_name.clone(),
        };
        store::add_evidence(tx, case_id, &row, permit.caller().account_id).await?;
        rows.push(row);
    }
    Ok(rows)
}

/// The media type of a file that the caller may read through one of its cases; 404 otherwise.
pub(super) async fn readable(tx: &mut Tx, permit: &Permit, sha256: &str) -> problem::Result<String> {
    for (case_id, media_type) in store::cases_of_evidence(tx, sha256).await? {
        if let Some(case) = store::find(tx, case_id).await?
            && reading(permit, &case.record).is_ok_and(super::Standing::sees_working_papers)
        {
            return Ok(media_type);
        }
    }
    Err(Problem::unknown_resource(Text::new("文件不存在。", "There is no such file.")))
}
