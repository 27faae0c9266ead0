//! The workbook: rows stream out of the database into a temporary file; memory does not grow with their number.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom};

use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use problem::Problem;
use rust_xlsxwriter::XlsxError;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::LedgerRow;
use super::sheet::Ledger;

/// Rows on their way between the database and the writer.
const ON_THE_WAY: usize = 256;

/// Where a workbook comes from; printed on its second sheet.
#[derive(Debug, Clone)]
pub(crate) struct Provenance {
    /// Legal time of the export.
    pub as_of: Timestamp,
    /// The filter in words.
    pub filter: String,
    /// Who exported it.
    pub by: String,
    /// Address of the public portal.
    pub portal: String,
}

/// Why no workbook came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// A row could not be read.
    #[error("a row could not be read")]
    Storage(#[from] sqlx::Error),
    /// The temporary file failed.
    #[error("the temporary file of an export")]
    File(#[from] std::io::Error),
    /// The writer failed.
    #[error("the workbook could not be written")]
    Workbook(#[from] XlsxError),
    /// The writer ended before its time.
    #[error("the writer of the workbook was lost")]
    Lost,
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Storage(error) => error.into(),
            ExportError::File(_) | ExportError::Workbook(_) | ExportError::Lost => Self::internal(&error),
        }
    }
}

/// Writes the rows into a file without a name; gives it back at its beginning, with its size in bytes.
pub(crate) async fn write(
    mut rows: BoxStream<'_, sqlx::Result<LedgerRow>>,
    provenance: Provenance,
    name: Uuid,
) -> Result<(tokio::fs::File, u64), ExportError> {
    let (sender, mut receiver) = mpsc::channel::<LedgerRow>(ON_THE_WAY);
    let writer = tokio::task::spawn_blocking(move || -> Result<(File, u64), ExportError> {
        let mut ledger = Ledger::begin(&provenance)?;
        while let Some(row) = receiver.blocking_recv() {
            ledger.add(&row)?;
        }
        let mut file = nameless(name)?;
        ledger.finish(&mut file)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        Ok((file, bytes))
    });
    while let Some(row) = rows.try_next().await? {
        // The receiver goes away only when the writer failed; its own error says more.
        if sender.send(row).await.is_err() {
            break;
        }
    }
    drop(sender);
    let (file, bytes) = writer.await.map_err(|_| ExportError::Lost)??;
    Ok((tokio::fs::File::from_std(file), bytes))
}

/// A file that goes away with its handle, whatever happens: its name is removed as soon as it is open.
fn nameless(name: Uuid) -> std::io::Result<File> {
    let path = std::env::temp_dir().join(format!("dudao-ledger-{name}.xlsx"));
    let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
