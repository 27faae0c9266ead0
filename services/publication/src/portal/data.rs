//! Open data (开放数据): everything that is public, for machines.

use serde::Serialize;
use serde_json::value::RawValue;

use super::PortalError;
use super::store::PublicPage;
use crate::config::PortalSection;

#[derive(Serialize)]
struct Entry<'a> {
    url: String,
    version: i64,
    published_at: jiff::Timestamp,
    /// SHA-256 of the bytes of `content`, hexadecimal.
    content_sha256: &'a str,
    content: &'a RawValue,
}

#[derive(Serialize)]
struct Set<'a> {
    title: &'a str,
    publisher: &'a str,
    homepage: &'a str,
    count: usize,
    items: Vec<Entry<'a>>,
}

/// All pages with their hashes; `content` is byte for byte what was hashed.
pub(super) fn json(site: &PortalSection, pages: &[PublicPage]) -> Result<String, PortalError> {
    let raw = pages.iter().map(|page| RawValue::from_string(page.text.clone())).collect::<Result<Vec<_>, _>>()?;
    let items = pages
        .iter()
        .zip(&raw)
        .map(|(page, content)| Entry {
            url: format!("{}/rectifications/{}", site.address, page.content.publication_id),
            version: page.version,
            published_at: page.published_at,
            content_sha256: &page.sha256,
            content,
        })
        .collect();
    let set = Set { title: &site.title, publisher: &site.operator, homepage: &site.address, count: pages.len(), items };
    Ok(serde_json::to_string(&set)?)
}

/// One row per finding; with a byte order mark, without which spreadsheets take UTF-8 for something else.
pub(super) fn csv(site: &PortalSection, pages: &[PublicPage]) -> Result<Vec<u8>, PortalError> {
    let failed = |error: csv::Error| PortalError::Table(error.to_string());
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer("\u{feff}".as_bytes().to_vec());
    writer
        .write_record([
            "公开编号",
            "市县",
            "被督导单位",
            "督导项目",
            "督导类型",
            "整改依据文号",
            "下达日期",
            "问题序号",
            "问题",
            "严重程度",
            "责任单位",
            "首次整改时限",
            "现行整改时限",
            "整改状态",
            "报告日期",
            "核查日期",
            "销号日期",
            "督办单号",
            "页面地址",
        ])
        .map_err(failed)?;
    for page in pages {
        let content = &page.content;
        for finding in &content.findings {
            let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
            let record = [
                content.publication_id.to_string(),
                content.county_name.clone(),
                content.unit_name.clone(),
                content.title.clone(),
                content.supervision_kind.clone(),
                content.letter_no.clone(),
                content.letter_issued_on.to_string(),
                finding.number.to_string(),
                finding.text.clone(),
                finding.severity.clone(),
                finding.responsible_unit.clone(),
                finding.first_due_on.to_string(),
                finding.due_on.to_string(),
                finding.state_zh.clone(),
                day(finding.reported_on),
                day(finding.verified_on),
                day(finding.closed_on),
                finding.urging_order_no.clone().unwrap_or_default(),
                format!("{}/rectifications/{}", site.address, content.publication_id),
            ];
            writer.write_record(record.iter().map(|field| harmless(field))).map_err(failed)?;
        }
    }
    writer.into_inner().map_err(|error| PortalError::Table(error.to_string()))
}

/// A text that a spreadsheet would take for a formula gets an apostrophe before it.
fn harmless(field: &str) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field.to_owned() }
}
