//! The state of a publication and its transitions: pure, with the time as a value.

use contracts::deadlines::{ItemSnapshot, RectificationSnapshot};
use domain::ids::{AccountId, ItemId, PublicationId};
use domain::proof::ProofSheet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::content::{PageContent, sha256};
use crate::redact::{Mark, redact};

/// The wording of a finding that a person approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApprovedFinding {
    /// The item.
    pub item_id: ItemId,
    /// The letter's wording that it stands for.
    pub original: String,
    /// The public wording.
    pub text: String,
    /// A person wrote it; otherwise it is the letter's own, masked.
    pub edited: bool,
}

/// The approval (批准公开): who, when, and exactly which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Approval {
    /// The account.
    pub by: AccountId,
    /// Its name.
    pub by_name: String,
    /// Legal time.
    pub at: Timestamp,
    /// Version of the publication that came of it.
    pub version: i64,
    /// The supervision's own title that it stands for.
    pub original_title: String,
    /// The public title.
    pub title: String,
    /// The findings.
    pub findings: Vec<ApprovedFinding>,
}

/// The withdrawal (撤回).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Withdrawal {
    /// The account.
    pub by: AccountId,
    /// Its name.
    pub by_name: String,
    /// Legal time.
    pub at: Timestamp,
    /// Why; not public.
    pub reason: String,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// What is shown.
    pub content: PageContent,
    /// The same as bytes.
    pub text: String,
    /// Their hash.
    pub sha256: String,
    /// Since when.
    pub published_at: Timestamp,
}

/// Where a publication stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, never in a collection")]
pub(crate) enum State {
    /// Nobody has decided yet.
    Draft,
    /// Public.
    Published {
        /// Whose wording.
        approval: Approval,
        /// What is public.
        page: Page,
    },
    /// Not public, by decision.
    Withdrawn {
        /// The decision.
        withdrawal: Withdrawal,
        /// The wording approved before, as a beginning for the next time.
        approval: Option<Approval>,
    },
}

impl State {
    /// The name in data.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published { .. } => "published",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    /// In words.
    pub(crate) fn zh(&self) -> &'static str {
        match self {
            Self::Draft => "待审批",
            Self::Published { .. } => "已公开",
            Self::Withdrawn { .. } => "已撤回",
        }
    }
}

/// A publication, whole.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the identity is called so everywhere")]
pub(crate) struct Publication {
    /// Its identity.
    pub publication_id: PublicationId,
    /// Its version.
    pub version: i64,
    /// Where it stands.
    pub state: State,
    /// The newest snapshot of the rectification.
    pub snapshot: RectificationSnapshot,
    /// By when it is to be public.
    pub due: ProofSheet,
}

/// The public wording of a finding as it would be published now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wording {
    /// The finding.
    pub approved: ApprovedFinding,
    /// What was masked; empty for words that a person wrote.
    pub marks: Vec<Mark>,
}

impl Publication {
    /// The approval whose wording stands, if any.
    pub(crate) fn approval(&self) -> Option<&Approval> {
        match &self.state {
            State::Draft => None,
            State::Published { approval, .. } => Some(approval),
            State::Withdrawn { approval, .. } => approval.as_ref(),
        }
    }

    /// What is public.
    pub(crate) fn page(&self) -> Option<&Page> {
        match &self.state {
            State::Published { page, .. } => Some(page),
            State::Draft | State::Withdrawn { .. } => None,
        }
    }

    /// The wording of an item: what a person wrote for this very original, else the original masked.
    pub(crate) fn wording(&self, item: &ItemSnapshot) -> Wording {
        let written = self
            .approval()
            .and_then(|approval| approval.findings.iter().find(|finding| finding.item_id == item.item_id))
            .filter(|finding| finding.edited && finding.original == item.description);
        if let Some(approved) = written {
            return Wording { approved: approved.clone(), marks: Vec::new() };
        }
        let redacted = redact(&item.description);
        let approved = ApprovedFinding {
            item_id: item.item_id,
            original: item.description.clone(),
            text: redacted.text,
            edited: false,
        };
        Wording { approved, marks: redacted.marks }
    }

    /// The approval that would come of agreeing to the present wording.
    pub(crate) fn proposed(&self) -> Approval {
        Approval {
            by: AccountId::new(uuid::Uuid::nil()),
            by_name: String::new(),
            at: self.due.anchor_at,
            version: self.version,
            original_title: self.snapshot.case_title.clone(),
            title: redact(&self.snapshot.case_title).text,
            findings: self.snapshot.items.iter().map(|item| self.wording(item).approved).collect(),
        }
    }

    /// The page as it would be published now.
    pub(crate) fn preview(&self) -> PageContent {
        PageContent::of(self.publication_id, &self.snapshot, &self.proposed())
    }

    /// How many passages the machine masked.
    pub(crate) fn marks(&self) -> usize {
        self.snapshot.items.iter().map(|item| self.wording(item).marks.len()).sum::<usize>()
            + redact(&self.snapshot.case_title).marks.len()
    }

    /// Whether a person must decide: nobody has, or the letter's words are others than those approved.
    pub(crate) fn needs_approval(&self) -> bool {
        match &self.state {
            State::Draft => true,
            State::Withdrawn { .. } => false,
            State::Published { approval, .. } => {
                approval.original_title != self.snapshot.case_title
                    || self.snapshot.items.iter().any(|item| {
                        !approval
                            .findings
                            .iter()
                            .any(|finding| finding.item_id == item.item_id && finding.original == item.description)
                    })
            }
        }
    }

    /// The page in the approved wording with the present status.
    pub(crate) fn page_of(&self, approval: &Approval, at: Timestamp) -> Result<Page, serde_json::Error> {
        let content = PageContent::of(self.publication_id, &self.snapshot, approval);
        let text = content.canonical()?;
        Ok(Page { sha256: sha256(&text), text, content, published_at: at })
    }
}
