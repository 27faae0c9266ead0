//! Events of `publication`: what the public may see.

use domain::ids::{PublicationId, RectificationId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Event;

/// A public page was approved by a person and published, or its newer state was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PagePublished {
    /// The publication.
    pub publication_id: PublicationId,
    /// Version of the publication.
    pub version: i64,
    /// The rectification shown.
    pub rectification_id: RectificationId,
    /// Path below the portal's address.
    pub path: String,
    /// SHA-256 of the published content, hexadecimal.
    pub content_sha256: String,
    /// Legal time.
    pub published_at: Timestamp,
}

impl Event for PagePublished {
    const TYPE: &'static str = "publication.page.published.v1";
    fn aggregate_id(&self) -> Uuid {
        self.publication_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}
