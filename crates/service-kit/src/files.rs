//! Files by the SHA-256 of their content: evidence and generated documents.
//!
//! The same content is stored once and never overwritten. What comes from outside is distrusted:
//! its type is sniffed, its size limited, photos are decoded within limits and written anew, so that
//! neither a position nor a hostile structure of the original survives.

mod photo;
mod sniff;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{Certificate, ClientOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use problem::{Problem, ProblemKind, Text};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::{FilesSection, SecretFile};

pub use sniff::MediaKind;

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FileRef {
    /// SHA-256 of the stored content, 64 lower-case hexadecimal digits; its address.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Media type, as found in the content.
    pub media_type: String,
}

/// What an upload may be.
#[derive(Debug, Clone, Copy)]
pub struct UploadPolicy {
    /// Largest size, in bytes.
    pub max_bytes: usize,
    /// The admitted kinds.
    pub kinds: &'static [MediaKind],
}

/// Evidence (佐证材料): photos and documents up to 20 MiB.
pub const EVIDENCE: UploadPolicy = UploadPolicy {
    max_bytes: 20 * 1024 * 1024,
    kinds: &[MediaKind::Jpeg, MediaKind::Png, MediaKind::Webp, MediaKind::Pdf, MediaKind::Xlsx, MediaKind::Docx],
};

/// Tables to be imported, up to 50 MiB.
pub const TABLE: UploadPolicy = UploadPolicy { max_bytes: 50 * 1024 * 1024, kinds: &[MediaKind::Xlsx, MediaKind::Csv] };

/// Why a file was not stored or not given.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// More bytes than the policy admits.
    #[error("file larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Nothing in it.
    #[error("file is empty")]
    Empty,
    /// The content is of no admitted kind.
    #[error("file kind not admitted; found {found}")]
    Kind {
        /// What the content looks like.
        found: String,
        /// What is admitted.
        admitted: &'static [MediaKind],
    },
    /// The picture claims more pixels than anybody photographs.
    #[error("picture of {width} x {height} pixels is too large")]
    Pixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A packed file that would unpack to far more than it is.
    #[error("packed file unpacks to too much")]
    Bomb,
    /// The content contradicts its kind.
    #[error("file cannot be read as {kind}: {reason}")]
    Unreadable {
        /// The kind that it seemed to be.
        kind: &'static str,
        /// What the reader said.
        reason: String,
    },
    /// The upload broke off.
    #[error("reading the upload")]
    Upload(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No file with this address.
    #[error("no file {0}")]
    Unknown(String),
    /// The stored content no longer has its own SHA-256.
    #[error("stored file {0} is damaged")]
    Damaged(String),
    /// The store failed.
    #[error("file store")]
    Store(#[from] object_store::Error),
    /// The folder cannot be used.
    #[error("file folder")]
    Folder(#[from] std::io::Error),
}

/// How long a client shall wait when the store does not work.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(30);

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        let refused = |zh: String, en: String| Self::new(ProblemKind::RejectedFile, Text::new(zh, en));
        match error {
            FileError::TooLarge { limit } => Self::new(
                ProblemKind::BodyTooLarge,
                Text::new(
                    format!("文件不能超过 {} MB。", limit / 1024 / 1024),
                    format!("The file must not exceed {} MB.", limit / 1024 / 1024),
                ),
            ),
            FileError::Empty => refused("文件是空的。".to_owned(), "The file is empty.".to_owned()),
            FileError::Kind { found, admitted } => {
                let names = admitted.iter().map(|kind| kind.name()).collect::<Vec<_>>();
                refused(
                    format!("不接受这种文件（{found}），只接受：{}。", names.join("、")),
                    format!("This kind of file ({found}) is not accepted; accepted are: {}.", names.join(", ")),
                )
            }
            FileError::Pixels { width, height } => refused(
                format!("图片尺寸 {width}×{height} 过大。"),
                format!("The picture of {width} by {height} pixels is too large."),
            ),
            FileError::Bomb => refused(
                "压缩内容展开后过大，已拒绝。".to_owned(),
                "The packed content would unpack to too much.".to_owned(),
            ),
            FileError::Unreadable { kind, reason: _ } => refused(
                format!("文件已损坏或不是有效的 {kind} 文件。"),
                format!("The file is damaged or is not a valid {kind} file."),
            ),
            FileError::Upload(_) => Self::new(
                ProblemKind::MalformedBody,
                Text::new("上传中断，请重试。", "The upload broke off; try again."),
            ),
            FileError::Unknown(_) => {
                Self::new(ProblemKind::UnknownResource, Text::new("文件不存在。", "There is no such file."))
            }
            // The disk is full, the volume is away, the bucket does not answer or does not let us in: waiting helps once somebody
            // has seen to it.
            FileError::Store(_) | FileError::Folder(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the file store does not work");
                Self::unavailable(
                    Text::new(
                        "文件存储暂不可用（空间可能已满），文件未保存；请通知运维人员，稍后重试。",
                        "The file store is not available (it may be full), and no file was saved; tell the operators, and try \
                         again later.",
                    ),
                    STORE_RETRY_AFTER,
                )
            }
            error @ FileError::Damaged(_) => Self::internal(&error),
        }
    }
}

/// The store.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
}

impl Files {
    /// The store of the configuration: a folder, or a bucket.
    pub fn open(section: &FilesSection) -> Result<Self, FileError> {
        match (&section.folder, &section.bucket) {
            (Some(folder), _) => Self::in_folder(folder),
            (None, Some(bucket)) => Self::in_bucket(bucket, section),
            (None, None) => {
                Err(std::io::Error::new(ErrorKind::InvalidInput, "neither a folder nor a bucket is given").into())
            }
        }
    }

    /// A store in a bucket of an object store. It is not asked before the first file: whether it answers is no condition of
    /// starting.
    fn in_bucket(bucket: &str, section: &FilesSection) -> Result<Self, FileError> {
        let secret = |file: &Option<SecretFile>| file.as_ref().map_or("", SecretFile::expose).to_owned();
        let endpoint = section.endpoint.as_deref().unwrap_or_default().trim_end_matches('/');
        let mut options = ClientOptions::new().with_allow_http(endpoint.starts_with("http://"));
        if let Some(file) = &section.authority_file {
            for certificate in Certificate::from_pem_bundle(&std::fs::read(file)?)? {
                options = options.with_root_certificate(certificate);
            }
        }
        let store = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_endpoint(endpoint)
            .with_region(&section.region)
            .with_access_key_id(secret(&section.access_key_id_file))
            .with_secret_access_key(secret(&section.secret_access_key_file))
            // The bucket in the path: names of buckets are seldom names of hosts in a private network.
            .with_virtual_hosted_style_request(false)
            .with_client_options(options)
            .build()?;
        Ok(Self::over(Arc::new(store)))
    }

    /// A store in a local folder, which is made if it is missing.
    pub fn in_folder(folder: &Path) -> Result<Self, FileError> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { store: Arc::new(LocalFileSystem::new_with_prefix(folder)?) })
    }

    /// A store over any object store.
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Stores content of our own making, as it is.
    pub async fn put(&self, content: Bytes, media_type: &str) -> Result<FileRef, FileError> {
        let sha256 = hex::encode(Sha256::digest(&content));
        let bytes = content.len() as u64;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&address(&sha256)?, PutPayload::from(content), options).await {
            // The same content is there already: that is the same file.
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(FileRef { sha256, bytes, media_type: media_type.to_owned() })
    }

    /// Checks an upload against the policy, cleans photos, stores what remains.
    pub async fn accept<E>(
        &self,
        upload: impl Stream<Item = Result<Bytes, E>> + Send,
        policy: UploadPolicy,
    ) -> Result<FileRef, FileError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let content = collect(upload, policy.max_bytes).await?;
        self.accept_bytes(content, policy).await
    }

    /// [`Files::accept`] for content that is in memory already.
    pub async fn accept_bytes(&self, content: Bytes, policy: UploadPolicy) -> Result<FileRef, FileError> {
        let (content, kind) = cleaned(content, policy).await?;
        self.put(content, kind.media_type()).await
    }

    /// The content of a file, checked against its address.
    pub async fn get(&self, sha256: &str) -> Result<Bytes, FileError> {
        let found = match self.store.get(&address(sha256)?).await {
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Err(FileError::Unknown(sha256.to_owned())),
            Err(error) => return Err(error.into()),
        };
        if hex::encode(Sha256::digest(&found)) == sha256 {
            Ok(found)
        } else {
            Err(FileError::Damaged(sha256.to_owned()))
        }
    }
}

/// Reads an upload to its end or to the limit.
pub async fn collect<E>(
    upload: impl Stream<Item = Result<Bytes, E>> + Send,
    max_bytes: usize,
) -> Result<Bytes, FileError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut upload = std::pin::pin!(upload);
    let mut content = Vec::new();
    while let Some(chunk) = upload.next().await {
        let chunk = chunk.map_err(|error| FileError::Upload(error.into()))?;
        if content.len() + chunk.len() > max_bytes {
            return Err(FileError::TooLarge { limit: max_bytes });
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content.into())
}

/// The content as it may be stored, with its kind: sniffed, limited, photos written anew.
pub async fn cleaned(content: Bytes, policy: UploadPolicy) -> Result<(Bytes, MediaKind), FileError> {
    if content.is_empty() {
        return Err(FileError::Empty);
    }
    if content.len() > policy.max_bytes {
        return Err(FileError::TooLarge { limit: policy.max_bytes });
    }
    let kind = sniff::admitted(&content, policy.kinds)?;
    match kind {
        MediaKind::Jpeg | MediaKind::Png | MediaKind::Webp => {
            // Decoding takes the processor for up to a second: not on the threads that answer requests.
            tokio::task::spawn_blocking(move || photo::rewritten(&content, kind))
                .await
                .map_err(|error| FileError::Unreadable { kind: kind.name(), reason: error.to_string() })?
        }
        MediaKind::Xlsx | MediaKind::Docx => {
            sniff::refuse_bomb(&content)?;
            Ok((content, kind))
        }
        MediaKind::Pdf | MediaKind::Csv => Ok((content, kind)),
    }
}

fn address(sha256: &str) -> Result<ObjectPath, FileError> {
    let well_formed = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match (well_formed, sha256.get(..2), sha256.get(2..4)) {
        (true, Some(first), Some(second)) => Ok(ObjectPath::from(format!("sha256/{first}/{second}/{sha256}"))),
        (true | false, _, _) => Err(FileError::Unknown(sha256.to_owned())),
    }
}
