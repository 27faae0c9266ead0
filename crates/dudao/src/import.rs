//! Sending a spreadsheet to `registry`, and showing what it said.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use service_kit::http_client::{self, HttpClientOptions, OutboundError};
use uuid::Uuid;

/// The largest import may take a while.
const LIMIT: Duration = Duration::from_mins(10);

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ImportKind {
    /// Divisions, departments, schools, inspectors.
    Province,
    /// Accounts.
    Accounts,
}

impl ImportKind {
    fn word(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::Accounts => "accounts",
        }
    }
}

/// What became of an import.
#[derive(Debug, Clone, Deserialize)]
pub struct ImportReport {
    /// The import.
    pub import_id: Uuid,
    /// Rows read.
    pub rows: u64,
    /// Rows that made something new.
    pub created: u64,
    /// Rows that changed something.
    pub changed: u64,
    /// Rows that said what was known.
    pub unchanged: u64,
    /// Rows that were refused.
    pub rejected_rows: u64,
    /// Why, one entry a fault.
    pub rejected: Vec<RowFault>,
    /// What was taken over but looks wrong.
    pub warnings: Vec<RowFault>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Deserialize)]
pub struct RowFault {
    /// Sheet, or the file.
    pub sheet: String,
    /// Row as a spreadsheet program counts.
    pub row: u64,
    /// Header of the column.
    pub column: Option<String>,
    /// The reason.
    pub reason: Reason,
}

/// A reason in two languages.
#[derive(Debug, Clone, Deserialize)]
pub struct Reason {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Why an import did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("cannot read {0}")]
    File(PathBuf, #[source] std::io::Error),
    /// The address cannot be used.
    #[error("the registry's address cannot be used")]
    Address(#[from] OutboundError),
    /// No answer came. Sending the file again is harmless.
    #[error("the registry did not answer")]
    Connection(#[from] reqwest::Error),
    /// The registry refused the file.
    #[error("the registry refused the file ({status}): {text}")]
    Refused {
        /// Status.
        status: u16,
        /// The problem document.
        text: String,
    },
}

/// Sends the file. Without a kind, a `.csv` is taken for accounts and a workbook for a province.
pub async fn import(
    file: &Path,
    kind: Option<ImportKind>,
    registry: &str,
    token: &str,
    key: Uuid,
) -> Result<ImportReport, ImportError> {
    let content = std::fs::read(file).map_err(|error| ImportError::File(file.to_owned(), error))?;
    let csv = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let kind = kind.unwrap_or(if csv { ImportKind::Accounts } else { ImportKind::Province });
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let url = reqwest::Url::parse(registry).map_err(|error| OutboundError::Address(format!("{registry}: {error}")))?;
    let http = http_client::client(&HttpClientOptions {
        allowed_hosts: url.host_str().map(str::to_owned).into_iter().collect(),
        allow_private_addresses: true,
        connect_timeout: Duration::from_secs(10),
        timeout: LIMIT,
        authority_file: None,
    })?;
    let form = Form::new().text("kind", kind.word()).part("file", Part::bytes(content).file_name(name));
    let answer = http
        .request(Method::POST, &format!("{}/v1/imports", registry.trim_end_matches('/')))?
        .bearer_auth(token)
        .header("Idempotency-Key", key.to_string())
        .multipart(form)
        .send()
        .await?;
    let status = answer.status();
    if !status.is_success() {
        return Err(ImportError::Refused { status: status.as_u16(), text: answer.text().await.unwrap_or_default() });
    }
    Ok(answer.json().await?)
}
