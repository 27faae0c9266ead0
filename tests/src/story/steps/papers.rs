//! Part of step 10: every document that was issued, saved from its page as PDF, DOCX and plain text.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use contracts::shared::DocumentKind;
use local_stack::workspace_root;

use crate::story::browser::{Browser, Download};
use crate::story::cast::account;
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::Story;
use crate::story::world::PASSWORD;

/// Saves them in `target/story/documents`, signed in as the province's office, which may read them all.
pub async fn save_all(story: &Story, facts: &mut Facts, base: &str) -> anyhow::Result<()> {
    story.show.now("控制台：文书下载 · documents");
    let folder = workspace_root().join("target/story/documents");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("removing the documents of an earlier run")?;
    }
    std::fs::create_dir_all(&folder).context("making the folder of the documents")?;
    let browser = Browser::sign_in(base, account::PROVINCE, PASSWORD).await?;
    let (mut saved, mut kinds) = (0, BTreeSet::new());
    for (service, address, query) in [
        (
            "tasks",
            "/documents",
            "SELECT document_id::text AS id, kind, doc_no, title FROM documents ORDER BY issued_at, doc_no",
        ),
        (
            "deadlines",
            "/urging-orders",
            "SELECT urging_order_id::text AS id, 'urging_order' AS kind, doc_no, content::json #>> '{head,title}' AS title FROM urging_orders
             ORDER BY issued_at, doc_no",
        ),
        (
            "deadlines",
            "/rectification-papers",
            "SELECT document_id::text AS id, kind, doc_no, title FROM documents ORDER BY issued_at, doc_no",
        ),
    ] {
        for row in story.db().rows(service, query, &[]).await? {
            let (number, title) = (row.text("/doc_no")?, row.text("/title")?);
            let page = browser.open(&format!("{address}/{}", row.text("/id")?)).await?;
            for format in ["pdf", "docx", "txt"] {
                let link = page.link(&format!("{address}/"), &format!("/{format}"))?;
                let file = browser.save(&link).await?;
                let path = folder.join(format!("{number}.{format}"));
                std::fs::write(&path, &file.bytes).with_context(|| format!("writing {}", path.display()))?;
                check(format, &file, &path, number, title).with_context(|| format!("{number} as {format}"))?;
            }
            saved += 1;
            kinds.insert(row.text("/kind")?.to_owned());
        }
    }
    // Three plans, four notices, five preliminary opinions, four letters and a rectification notice; the order, the interview
    // notice and the circular of the school that is late; four closings, two acceptances; a report.
    facts.holds("documents_saved_as_pdf_docx_and_txt", saved >= 27, saved)?;
    let all: BTreeSet<String> = DocumentKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    facts.same("kinds_of_document", kinds, all)?;
    facts.set("documents", saved);
    Ok(())
}

fn check(format: &str, file: &Download, path: &Path, number: &str, title: &str) -> anyhow::Result<()> {
    ensure!(file.disposition.starts_with("attachment; filename*=UTF-8''"), "{}", file.disposition);
    ensure!(file.etag.len() > 2, "it has no entity tag");
    match format {
        "pdf" => {
            ensure!(file.media_type == "application/pdf" && file.bytes.starts_with(b"%PDF"), "{}", file.media_type);
            let output = Command::new("pdftotext").arg(path).arg("-").output().context("pdftotext (poppler-utils)")?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            says(&output.stdout, number)
        }
        "txt" => {
            says(&file.bytes, number)?;
            says(&file.bytes, title)
        }
        // A Word document is a zip archive.
        _ => {
            ensure!(file.bytes.starts_with(b"PK"), "{}", file.media_type);
            Ok(())
        }
    }
}

/// Lines break where the page ends: blanks do not count.
fn says(bytes: &[u8], words: &str) -> anyhow::Result<()> {
    let plain = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    let text = plain(&String::from_utf8_lossy(bytes));
    ensure!(text.contains(&plain(words)), "it does not say {words}");
    Ok(())
}
