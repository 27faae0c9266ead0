//! The press: templates and fonts of this installation, and a frozen content put through them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use documents::{Content, ContentError, Frozen, Paper, PaperState, Rendition, Template, TemplateFault, Templates};
use messaging::JournalKey;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::config::{FontsSection, RenderingSection};
use crate::docx::{DocxError, docx};
use crate::fonts::{FontError, Fonts};
use crate::typeset::{PageSource, TypesetError, pdf};

/// Changes when this code sets the same paper differently; part of every ETag.
const EDITION: &str = "1";

/// What a document is made as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// PDF/A-2b.
    Pdf,
    /// Word.
    Docx,
    /// Plain text (UTF-8).
    Txt,
}

impl Format {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Txt => "text/plain; charset=utf-8",
        }
    }

    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Txt => "txt",
        }
    }
}

/// A document as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they are.
    pub format: Format,
    /// Names exactly these bytes: derived from content, templates, state, format and fonts.
    pub etag: String,
    /// A name for the file: number and title.
    pub file_name: String,
    /// Which file this is, signed; without a key, and for a trial, nothing is stated.
    pub statement: Option<String>,
}

/// Why a document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The content.
    #[error("the content is refused")]
    Content(#[from] ContentError),
    /// The content names templates that are not here.
    #[error("there are no templates of version {0}")]
    UnknownTemplate(String),
    /// The templates to try are wrong.
    #[error("the templates are refused")]
    Template(Vec<TemplateFault>),
    /// Typesetting.
    #[error(transparent)]
    Typeset(#[from] TypesetError),
    /// Fonts.
    #[error("fonts")]
    Fonts(#[from] FontError),
    /// Word.
    #[error("the Word document cannot be written")]
    Docx(#[from] DocxError),
}

/// Templates, page sources and fonts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Press(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    templates: Templates,
    sources: BTreeMap<String, PageSource>,
    portal: String,
    key: Option<JournalKey>,
    section: FontsSection,
    /// Looked for when the first document asks, so that an idle room stays small; tried again when it failed.
    fonts: Mutex<Option<Arc<Fonts>>>,
}

impl Press {
    /// Reads the templates; fonts wait for the first document.
    pub fn load(rendering: &RenderingSection, fonts: &FontsSection) -> anyhow::Result<Self> {
        let templates = Templates::load(&rendering.templates)?;
        let mut sources = BTreeMap::new();
        for template in templates.all() {
            let page = rendering.templates.join(template.version()).join("page.typ");
            let source = std::fs::read_to_string(&page).with_context(|| page.display().to_string())?;
            sources.insert(template.version().to_owned(), PageSource::new(source));
        }
        let key = rendering.signing_key_file.as_ref().map(|file| JournalKey::from_bytes(file.expose().as_bytes()));
        Ok(Self(Arc::new(Parts {
            key: key.transpose().context("rendering.signing_key_file")?,
            templates,
            sources,
            portal: rendering.portal.clone(),
            section: fonts.clone(),
            fonts: Mutex::new(None),
        })))
    }

    /// The templates that there are.
    pub fn templates(&self) -> &Templates {
        &self.0.templates
    }

    /// Makes a document of frozen bytes, with the templates that they name.
    pub fn render(&self, bytes: &[u8], format: Format, state: PaperState) -> Result<Rendered, PressError> {
        let frozen = Frozen::read(bytes)?;
        let version = frozen.content().template.clone();
        let template =
            self.0.templates.version(&version).ok_or_else(|| PressError::UnknownTemplate(version.clone()))?;
        self.make(&frozen, template, &version, format, state)
    }

    /// Shows a content in other templates than its own: those of a version that is here, or the text of a
    /// `template.toml` over the page of that version. Marked as a trial on every page.
    pub fn preview(
        &self,
        content: &[u8],
        version: &str,
        template: Option<&str>,
        format: Format,
    ) -> Result<Rendered, PressError> {
        let frozen = Content::from_json(content)?.freeze();
        let known = self.0.templates.version(version).ok_or_else(|| PressError::UnknownTemplate(version.to_owned()))?;
        let tried =
            template.map(|text| Template::parse("template.toml", text)).transpose().map_err(PressError::Template)?;
        self.make(&frozen, tried.as_ref().unwrap_or(known), version, format, PaperState::Preview)
    }

    /// The paper of a content, for those who want its blocks.
    pub fn paper(&self, frozen: &Frozen, template: &Template, state: PaperState) -> Result<Paper, PressError> {
        let portal = Some(self.0.portal.as_str());
        template.compose(frozen, state, portal).map_err(|_| PressError::UnknownTemplate(template.version().to_owned()))
    }

    fn make(
        &self,
        frozen: &Frozen,
        template: &Template,
        page: &str,
        format: Format,
        state: PaperState,
    ) -> Result<Rendered, PressError> {
        let paper = self.paper(frozen, template, state)?;
        let mut name = Sha256::new();
        for part in [EDITION, &self.0.portal, format.extension(), page, &paper.to_text(), &paper.sha256] {
            name.update(part.as_bytes());
            name.update([0]);
        }
        name.update(format!("{state:?}{:?}", template.page()));
        let bytes = match format {
            Format::Txt => paper.to_text().into_bytes(),
            Format::Docx => docx(&paper, template.page())?,
            Format::Pdf => {
                let fonts = self.fonts()?;
                name.update(fonts.fingerprint());
                let source = self.0.sources.get(page).ok_or_else(|| PressError::UnknownTemplate(page.to_owned()))?;
                pdf(&paper, template.page(), source, &fonts)?
            }
        };
        let head = &frozen.content().head;
        let statement = match state {
            PaperState::Genuine | PaperState::Void | PaperState::Replaced => self.state(frozen, format, state, &bytes),
            PaperState::Preview => None,
        };
        Ok(Rendered {
            statement,
            bytes,
            format,
            etag: hex::encode(name.finalize()),
            file_name: format!("{}_{}.{}", head.doc_no, paper.title, format.extension()),
        })
    }

    /// What the room states about a file: the statement, a blank, its signature.
    fn state(&self, frozen: &Frozen, format: Format, state: PaperState, bytes: &[u8]) -> Option<String> {
        let key = self.0.key.as_ref()?;
        let rendition = Rendition {
            content_sha256: frozen.sha256(),
            format: format.extension().to_owned(),
            state,
            file_sha256: hex::encode(Sha256::digest(bytes)),
        };
        let statement = rendition.to_string();
        Some(format!("{statement} {}", hex::encode(key.sign(statement.as_bytes()))))
    }

    fn fonts(&self) -> Result<Arc<Fonts>, PressError> {
        let mut slot = self.0.fonts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fonts) = slot.as_ref() {
            return Ok(Arc::clone(fonts));
        }
        let section = &self.0.section;
        let fonts = Arc::new(Fonts::find(&section.folders, &section.families(), &section.fallback)?);
        tracing::info!(fonts = fonts.fingerprint(), "fonts found");
        *slot = Some(Arc::clone(&fonts));
        Ok(fonts)
    }
}
