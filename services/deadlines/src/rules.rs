//! The rules as this service reads them: rulebooks, calendars, the agencies' code words.
//!
//! An installation begins with a folder. Changes that are in effect lie over it, in the order in which they took effect; how
//! many there are is the version of the rules. Whoever decides about cases takes the rules of his own transaction
//! ([`RuleSet::in_force`]), so that nothing is decided by two versions at once, on whatever replica.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use clockwork::changes::{self, ChangeKind, InEffect};
use contracts::shared::DocumentKind;
use documents::{Template, Templates};
use domain::agencies::AgencyWords;
use domain::calendar::Calendar;
use domain::local_time::local_date;
use domain::rulebook::{RuleFolder, Rulebook};
use jiff::Timestamp;
use jiff::civil::Date;
use service_kit::rule_texts::RuleTexts;
use sqlx::PgConnection;

use crate::change::store;
use crate::config::RulebookSection;

/// Everything that is data and not code.
#[derive(Debug)]
pub struct RuleSet {
    folder: RuleTexts,
    province: String,
    words: AgencyWords,
    templates: Arc<Templates>,
    current: RwLock<Arc<Ruling>>,
}

/// The rules of one moment; whoever works holds one from beginning to end.
#[derive(Debug)]
pub struct Ruling {
    /// How many changes are in it.
    version: i64,
    texts: RuleTexts,
    folder: RuleFolder,
    province: String,
    words: AgencyWords,
    templates: Arc<Templates>,
    /// Which change brought a version of a rulebook; of two that begin on one day the later change holds.
    brought_by: HashMap<String, i64>,
    /// Calendars that were merged already: there are as many as divisions.
    calendars: RwLock<HashMap<String, Arc<Calendar>>>,
}

/// The rules in force cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The database cannot be asked.
    #[error("the version of the rules cannot be read")]
    Storage(#[from] sqlx::Error),
    /// The changes in effect do not fit the folder.
    #[error("the changes in effect do not fit the rulebook folder: {0:#}")]
    Faulty(anyhow::Error),
}

impl From<RulesError> for problem::Problem {
    fn from(error: RulesError) -> Self {
        match error {
            RulesError::Storage(error) => error.into(),
            faulty @ RulesError::Faulty(_) => Self::internal(&faulty),
        }
    }
}

impl From<RulesError> for messaging::ApplyError {
    fn from(error: RulesError) -> Self {
        match error {
            RulesError::Storage(error) => error.into(),
            faulty @ RulesError::Faulty(_) => Self::NotYet(faulty.to_string()),
        }
    }
}

impl RuleSet {
    /// Reads and checks the folder; the service does not start with a fault in it.
    pub fn load(section: &RulebookSection) -> anyhow::Result<Self> {
        let texts = RuleTexts::read(&section.folder)?;
        let folder = texts.rules()?;
        let province = folder
            .rulebooks()
            .iter()
            .find(|rulebook| rulebook.id == section.policy)
            .map(|rulebook| rulebook.province.clone())
            .with_context(|| format!("rulebook.policy: the folder has no rulebook {}", section.policy))?;
        let file = format!("{}/agencies.toml", section.policy);
        let words = AgencyWords::parse(texts.text(&file)?).with_context(|| file.clone())?;
        for kind in DocumentKind::ALL.iter().filter(|kind| kind.is_of_deadlines()) {
            let kind = kind.as_str();
            let own = words.kind(kind).filter(|word| !word.is_empty());
            // The series with this word is this service's alone, so nobody else may count by it.
            let shared = own.is_some_and(|word| {
                DocumentKind::ALL.iter().any(|other| other.as_str() != kind && words.kind(other.as_str()) == Some(word))
            });
            anyhow::ensure!(
                own.is_some() && !shared,
                "{file}: kind_words.{kind} is missing, or another kind has the same"
            );
        }
        let templates = Arc::new(Templates::load(&section.folder.join("documents"))?);
        let first = Ruling {
            version: 0,
            texts: texts.clone(),
            folder,
            province: province.clone(),
            words: words.clone(),
            templates: Arc::clone(&templates),
            brought_by: HashMap::new(),
            calendars: RwLock::default(),
        };
        Ok(Self { folder: texts, province, words, templates, current: RwLock::new(Arc::new(first)) })
    }

    /// The rules that this replica saw last; for what has no effect on a case.
    pub fn current(&self) -> Arc<Ruling> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rules in force, and they stay so until the end of the caller's transaction: a change that takes effect waits for
    /// it. Take them before any row is locked.
    pub async fn in_force(&self, connection: &mut PgConnection) -> Result<Arc<Ruling>, RulesError> {
        let version = store::hold_rules(connection).await?;
        let known = self.current();
        if known.version == version {
            return Ok(known);
        }
        let ruling = Arc::new(self.overlaid(&changes::in_effect(connection).await?)?);
        tracing::info!(from = known.version, to = ruling.version, "the rules in force have changed");
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ruling);
        Ok(ruling)
    }

    /// The folder with changes over it.
    fn overlaid(&self, changes: &[InEffect]) -> Result<Ruling, RulesError> {
        let mut texts = self.folder.clone();
        let mut brought_by = HashMap::new();
        for change in changes {
            put(&mut texts, change.kind, &change.content).map_err(RulesError::Faulty)?;
            if change.kind == ChangeKind::Rulebook {
                brought_by.insert(change.subject.clone(), change.sequence);
            }
        }
        let folder = texts.rules().map_err(RulesError::Faulty)?;
        Ok(Ruling {
            version: changes.last().map_or(0, |change| change.sequence),
            texts,
            folder,
            province: self.province.clone(),
            words: self.words.clone(),
            templates: Arc::clone(&self.templates),
            brought_by,
            calendars: RwLock::default(),
        })
    }
}

fn put(texts: &mut RuleTexts, kind: ChangeKind, content: &str) -> anyhow::Result<Option<String>> {
    match kind {
        ChangeKind::Calendar => texts.put_calendar(content),
        ChangeKind::Rulebook => texts.add_rulebook(content),
    }
}

impl Ruling {
    /// The version: how many changes are in effect.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The rules as they would be with one more change, and the text that it takes the place of; the error lists every
    /// fault. The result has no version of its own and decides nothing.
    pub(crate) fn with(&self, kind: ChangeKind, content: &str) -> anyhow::Result<(Self, Option<String>)> {
        let mut texts = self.texts.clone();
        let former = put(&mut texts, kind, content)?;
        let folder = texts.rules()?;
        let ruling = Self {
            version: self.version,
            texts,
            folder,
            province: self.province.clone(),
            words: self.words.clone(),
            templates: Arc::clone(&self.templates),
            brought_by: self.brought_by.clone(),
            calendars: RwLock::default(),
        };
        Ok((ruling, former))
    }

    /// The rulebook for what begins at that instant.
    pub fn rulebook_at(&self, at: Timestamp) -> Option<&Rulebook> {
        let on = local_date(at);
        let brought_by = |rulebook: &Rulebook| self.brought_by.get(&rulebook.version).copied().unwrap_or_default();
        self.folder
            .rulebooks()
            .iter()
            .filter(|rulebook| rulebook.province == self.province && rulebook.is_effective_on(on))
            .max_by_key(|rulebook| (rulebook.effective_from, brought_by(rulebook)))
    }

    /// The rulebook that a rectification lives by.
    pub fn rulebook(&self, version: &str) -> Option<&Rulebook> {
        self.folder.rulebook(version)
    }

    /// The division whose calendar counts for a unit: its county's, or the province's for provincial units.
    pub fn division<'a>(&'a self, county_code: Option<&'a str>) -> &'a str {
        county_code.unwrap_or(&self.province)
    }

    /// The province, by its division code.
    pub fn province(&self) -> &str {
        &self.province
    }

    /// The calendar of a division.
    pub fn calendar(&self, division: &str) -> Arc<Calendar> {
        if let Some(known) = self.calendars.read().unwrap_or_else(PoisonError::into_inner).get(division) {
            return Arc::clone(known);
        }
        let calendar = Arc::new(self.folder.calendars().for_division(division));
        self.calendars
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(division.to_owned(), Arc::clone(&calendar));
        calendar
    }

    /// The code word of an agency by its unit key.
    pub fn agency_word(&self, unit_key: &str) -> Option<&str> {
        self.words.agency(unit_key)
    }

    /// The version of the templates that documents of this day are issued with.
    pub fn template(&self, on: Date) -> Option<&str> {
        self.templates.in_force(on).map(Template::version)
    }

    /// The kind word of urging orders.
    pub fn urging_word(&self) -> &str {
        self.kind_word(DocumentKind::UrgingOrder)
    }

    /// The word of a kind of paper that this service issues; checked at start.
    pub fn kind_word(&self, kind: DocumentKind) -> &str {
        self.words.kind(kind.as_str()).unwrap_or_default()
    }
}
