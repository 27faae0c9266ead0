//! Part of step 10: every document that was issued, saved from its page as PDF, DOCX and plain text, and verified on the
//! portal; one is replaced on purpose.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use contracts::shared::DocumentKind;
use documents::VerificationCode;
use local_stack::workspace_root;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::story::browser::{Browser, Download};
use crate::story::cast::account;
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::{PUNCTUAL, Story};
use crate::story::wait::{LIMIT, until_true};
use crate::story::world::PASSWORD;

/// The documents of each service, with the folder of their pages.
const KEPT: [(&str, &str, &str); 3] = [
    (
        "tasks",
        "/documents",
        "SELECT document_id::text AS id, doc_no, title, sha256, case_id::text AS case_id, kind FROM documents
         ORDER BY issued_at, doc_no",
    ),
    (
        "deadlines",
        "/urging-orders",
        "SELECT urging_order_id::text AS id, 'urging_order' AS kind, doc_no, content::json #>> '{head,title}' AS title, content_sha256 AS sha256
         FROM urging_orders ORDER BY issued_at, doc_no",
    ),
    (
        "deadlines",
        "/rectification-papers",
        "SELECT document_id::text AS id, kind, doc_no, title, content_sha256 AS sha256 FROM documents
         ORDER BY issued_at, doc_no",
    ),
];

/// A document as it was saved.
struct Saved {
    /// Its page in the console.
    page: String,
    number: String,
    content_sha256: String,
    code: VerificationCode,
    /// SHA-256 of its files.
    files: Vec<String>,
}

/// Saves them in `target/story/documents`, signed in as the province's office, which may read them all, and verifies each on the
/// portal, as anyone does.
pub async fn save_all(story: &Story, facts: &mut Facts, base: &str) -> anyhow::Result<()> {
    story.show.now("控制台：文书下载 · documents");
    let folder = workspace_root().join("target/story/documents");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("removing the documents of an earlier run")?;
    }
    std::fs::create_dir_all(&folder).context("making the folder of the documents")?;
    let browser = Browser::sign_in(base, account::PROVINCE, PASSWORD).await?;
    let (mut saved, mut notice, mut kinds) = (Vec::new(), None, BTreeSet::new());
    for (service, address, query) in KEPT {
        for row in story.db().rows(service, query, &[]).await? {
            let one = save(&browser, &folder, address, &row).await?;
            if row["kind"] == "supervision_notification" && row["case_id"] == story.case(PUNCTUAL)?.case_id.as_str() {
                notice = Some((one.page.clone(), saved.len()));
            }
            saved.push(one);
            kinds.insert(row.text("/kind")?.to_owned());
        }
    }
    // Three plans, four notices, five preliminary opinions, four letters and a rectification notice; the order, the interview
    // notice and the circular of the school that is late; four closings, two acceptances; a report.
    facts.holds("documents_saved_as_pdf_docx_and_txt", saved.len() >= 27, saved.len())?;
    let all: BTreeSet<String> = DocumentKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    facts.same("kinds_of_document", kinds, all)?;
    facts.set("documents", saved.len());
    story.show.now("门户：文书核验 · verification");
    let mut verified = 0;
    for one in &saved {
        verify(story, one, "有效文书").await?;
        verified += 1;
    }
    facts.same("documents_verified_on_the_portal", verified, saved.len())?;
    let unknown = story.api().public("publication", "/verify/0000-0000-0000").await?;
    facts.same("status_of_an_unknown_code", unknown.status, 404)?;
    texts(story, facts, &saved).await?;
    let (page, place) = notice.context("the school's notice is among the documents")?;
    let before = saved.get(place).context("the notice was saved")?;
    replace(story, facts, base, &folder, &page, before).await?;
    register(story, facts, base).await
}

/// Saves a document in each format from its page.
async fn save(browser: &Browser, folder: &Path, address: &str, row: &Value) -> anyhow::Result<Saved> {
    let (number, title) = (row.text("/doc_no")?.to_owned(), row.text("/title")?);
    let content_sha256 = row.text("/sha256")?.to_owned();
    let mut digest = [0; 32];
    hex::decode_to_slice(&content_sha256, &mut digest).context("the hash of a content")?;
    let code = VerificationCode::of_digest(&digest);
    let address = format!("{address}/{}", row.text("/id")?);
    let page = browser.open(&address).await?;
    let mut files = Vec::new();
    for format in ["pdf", "docx", "txt"] {
        let link = page.link(&address, &format!("/{format}"))?;
        let file = browser.save(&link).await?;
        let path = folder.join(format!("{number}.{format}"));
        std::fs::write(&path, &file.bytes).with_context(|| format!("writing {}", path.display()))?;
        let words = [number.as_str(), title, &code.to_string()];
        check(format, &file, &path, &words).with_context(|| format!("{number} as {format}"))?;
        files.push(hex::encode(Sha256::digest(&file.bytes)));
    }
    Ok(Saved { page: address, number, content_sha256, code, files })
}

/// The portal's page says what is true of the document, and knows each of its files.
async fn verify(story: &Story, one: &Saved, state: &str) -> anyhow::Result<()> {
    let path = format!("/verify/{}", one.code);
    until_true(&format!("the portal says of {}: {state}", one.number), || async {
        let page = story.api().public("publication", &path).await?;
        let html = String::from_utf8_lossy(&page.bytes);
        let knows = |file: &String| html.contains(&format!("data-sha256=\"{file}\""));
        let says = [state, &one.number, &one.content_sha256].iter().all(|words| html.contains(*words));
        Ok(page.status == 200 && says && one.files.iter().all(knows))
    })
    .await
}

/// The national platform and, for what is open, the portal have the very text that the office saves.
async fn texts(story: &Story, facts: &mut Facts, saved: &[Saved]) -> anyhow::Result<()> {
    let sent = "SELECT doc_no, coalesce(payload::json #>> '{content,opinion_letter,document,text}',
                    payload::json #>> '{content,urging_order,document,text}') AS text
                FROM messages WHERE kind IN ('opinion_letter', 'urging_order') ORDER BY doc_no";
    let mut same = 0;
    let rows = story.db().rows("exchange", sent, &[]).await?;
    for row in &rows {
        let one = saved.iter().find(|one| one.number == row["doc_no"]).context("what was sent is a document")?;
        same += usize::from(one.files.last() == Some(&hex::encode(Sha256::digest(row.text("/text")?))));
    }
    facts.holds("documents_sent_to_the_platform_with_their_text", !rows.is_empty() && same == rows.len(), same)?;
    let list = story.api().public("publication", "/documents").await?;
    let list = String::from_utf8_lossy(&list.bytes).into_owned();
    let mut open = 0;
    for one in saved {
        let text = story.api().public("publication", &format!("/verify/{}/text", one.code)).await?;
        let listed = list.contains(&format!("/verify/{}\"", one.code));
        if text.status == 404 && !listed {
            continue;
        }
        ensure!(listed && one.files.last() == Some(&hex::encode(Sha256::digest(&text.bytes))), "{}", one.number);
        open += 1;
    }
    // The circular and the report; everything else says nothing to the public.
    facts.same("open_documents_with_their_text_on_the_portal", open, 2)
}

/// The county's administrator replaces the notice that the desk issued, by the form on its page; both papers are saved and
/// verified as they now stand.
async fn replace(
    story: &Story,
    facts: &mut Facts,
    base: &str,
    folder: &Path,
    page: &str,
    before: &Saved,
) -> anyhow::Result<()> {
    story.show.now("控制台：更正并替换文书 · replacement");
    let chief = Browser::sign_in(base, account::COUNTY, PASSWORD).await?;
    let form = chief.open(page).await?.form("/void")?;
    let form = form.set("cause", "wrong_content")?.set("reason", "标题缺少督导名称")?.set("field", "title")?;
    let now = chief.send(form.set("text", "关于开展校园安全与规范办学专项督导的通知书")?).await?;
    ensure!(now.url.path() != page && now.says("关于开展校园安全与规范办学专项督导的通知书"), "{}", now.words());
    let browser = Browser::sign_in(base, account::PROVINCE, PASSWORD).await?;
    let id = now.url.path().rsplit('/').next().context("the new document's page")?;
    let query =
        "SELECT document_id::text AS id, doc_no, title, sha256 FROM documents WHERE document_id = $1::text::uuid";
    let row = story.db().rows("tasks", query, &[id]).await?;
    let after = save(&browser, folder, "/documents", row.first().context("the new document")?).await?;
    verify(story, &after, "有效文书").await?;
    let row = serde_json::json!({
        "id": before.page.rsplit('/').next(), "doc_no": before.number, "title": "督导", "sha256": before.content_sha256,
    });
    let again = save(&browser, folder, "/documents", &row).await?;
    let marked = String::from_utf8_lossy(&std::fs::read(file_of(folder, &before.number))?).contains("已被替代");
    facts.holds("the_replaced_paper_says_so", marked, &before.number)?;
    facts.holds("its_files_are_others", again.files.iter().all(|file| !before.files.contains(file)), &again.files)?;
    // What was handed out before is still known, as a file of a document that holds no more.
    let all = Saved { files: [before.files.clone(), again.files].concat(), ..again };
    verify(story, &all, "文书已被替代").await?;
    let html = story.api().public("publication", &format!("/verify/{}", all.code)).await?;
    let linked = String::from_utf8_lossy(&html.bytes).contains(&format!("/verify/{}", after.code));
    facts.holds("the_replaced_paper_leads_to_the_one_that_holds", linked, &after.number)?;
    facts.set("document_replaced", &before.number);
    facts.set("document_in_its_place", &after.number);
    Ok(())
}

fn file_of(folder: &Path, number: &str) -> PathBuf {
    folder.join(format!("{number}.txt"))
}

/// The register of the offices has every document, and every series is whole.
async fn register(story: &Story, facts: &mut Facts, base: &str) -> anyhow::Result<()> {
    let mut issued = 0;
    for (service, _, query) in KEPT {
        issued += story.db().rows(service, query, &[]).await?.len();
    }
    let path = "/v1/document-register?limit=200";
    crate::story::wait::until("the register is complete", LIMIT, || async {
        let register = story.api().get(account::PROVINCE, "publication", path).await?;
        Ok((register.list("/items")?.len() == issued).then_some(()))
    })
    .await?;
    let register = story.api().get(account::PROVINCE, "publication", path).await?;
    let series = register.list("/series")?;
    let whole = !series.is_empty() && series.iter().all(|one| one["whole"] == true);
    facts.holds("every_series_of_numbers_is_whole", whole, series)?;
    facts.set("documents_registered", issued);
    let browser = Browser::sign_in(base, account::PROVINCE, PASSWORD).await?;
    let page = browser.open("/register").await?;
    facts.holds("the_register_shows_the_proof", page.says("连续无缺号") && page.says("已被替代"), page.words())
}

fn check(format: &str, file: &Download, path: &Path, words: &[&str]) -> anyhow::Result<()> {
    ensure!(file.disposition.starts_with("attachment; filename*=UTF-8''"), "{}", file.disposition);
    ensure!(file.etag.len() > 2, "it has no entity tag");
    match format {
        "pdf" => {
            ensure!(file.media_type == "application/pdf" && file.bytes.starts_with(b"%PDF"), "{}", file.media_type);
            let output = Command::new("pdftotext").arg(path).arg("-").output().context("pdftotext (poppler-utils)")?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            // A title is broken into lines by its sense, between other things on the page.
            words
                .iter()
                .filter(|words| words.is_ascii() || words.ends_with('号'))
                .try_for_each(|words| says(&output.stdout, words))
        }
        "txt" => words.iter().try_for_each(|words| says(&file.bytes, words)),
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
