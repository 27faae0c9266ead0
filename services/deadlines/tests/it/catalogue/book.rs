//! The rules of the province on their own, for what is proved about the rules and not about the service.

use std::path::Path;

use domain::calendar::{Calendar, CalendarSet};
use domain::ids::{AccountId, FileId, UnitId};
use domain::period::Period;
use domain::rectification::{FindingFacts, LetterFacts, Rectification, Rules, Workbook};
use domain::rulebook::{Rulebook, parse};
use domain::severity::Severity;
use jiff::Timestamp;
use uuid::Uuid;

use crate::support::World;

pub const RULEBOOK: &str = include_str!("../../../../../rulebook/hainan-2021/rulebook.toml");

pub const SCHOOL: UnitId = UnitId::new(Uuid::from_u128(1));
pub const OFFICE: UnitId = UnitId::new(Uuid::from_u128(2));
pub const PRINCIPAL: AccountId = AccountId::new(Uuid::from_u128(11));
pub const INSPECTOR: AccountId = AccountId::new(Uuid::from_u128(12));
pub const OFFICER: AccountId = AccountId::new(Uuid::from_u128(13));
pub const DIRECTOR: AccountId = AccountId::new(Uuid::from_u128(14));
pub const EVIDENCE: FileId = FileId::new(Uuid::from_u128(31));

/// A rulebook and the calendars of 海口 and of the province.
pub struct Book {
    pub rulebook: Rulebook,
    pub unit: Calendar,
    pub agency: Calendar,
    pub workbook: Workbook,
}

impl Book {
    /// What the service itself loads.
    pub fn new() -> Self {
        Self::with("nothing", "")
    }

    /// The same with one calendar file in the place of the one of that name, or beside the others.
    pub fn with(name: &str, text: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook/calendars");
        let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
            })
            .filter(|(known, _)| known != name)
            .collect();
        if !text.is_empty() {
            files.push((name.to_owned(), text.to_owned()));
        }
        let texts = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let calendars = CalendarSet::load_from_texts(texts).unwrap();
        Self {
            rulebook: parse("rulebook.toml", RULEBOOK).unwrap(),
            unit: calendars.for_division("460100"),
            agency: calendars.for_division("460100"),
            workbook: Workbook::new(),
        }
    }

    /// With a notice for 2027, which is not out: the days given, as `(from, to, rest or work)`.
    pub fn with_notice_of_2027(days: &[(&str, &str, &str)]) -> Self {
        let head =
            "id = \"national-2027\"\nlevel = \"national\"\nyear = 2027\nstatus = \"published\"\nsource = \"通知\"\n";
        let days: Vec<String> = days
            .iter()
            .map(|(from, to, kind)| {
                format!("[[day]]\nfrom = \"{from}\"\nto = \"{to}\"\nkind = \"{kind}\"\nname = \"元旦\"\n")
            })
            .collect();
        Self::with("national-2027", &format!("{head}{}", days.concat()))
    }

    /// With a day of the county's own.
    pub fn with_county_day(day: &str, kind: &str) -> Self {
        let text = format!(
            "id = \"county-460100\"\nlevel = \"county\"\narea = \"460100\"\nstatus = \"published\"\nsource = \"市政府通知\"\n\
             [[day]]\nfrom = \"{day}\"\nkind = \"{kind}\"\nname = \"台风\"\n"
        );
        Self::with("county-460100", &text)
    }

    pub fn rules(&self) -> Rules<'_> {
        Rules {
            rulebook: &self.rulebook,
            unit_calendar: &self.unit,
            agency_calendar: &self.agency,
            workbook: &self.workbook,
        }
    }

    /// A rectification with an item of each severity, received at the instant.
    pub fn opened(&self, severities: &[Severity], received_at: Timestamp) -> Rectification {
        self.open(Self::letter(severities), received_at)
    }

    pub fn open(&self, letter: LetterFacts, received_at: Timestamp) -> Rectification {
        Rectification::open(None, letter, received_at, self.rules()).unwrap().into_state()
    }

    /// A letter with a finding of each severity, to a school that no department answers for.
    pub fn letter(severities: &[Severity]) -> LetterFacts {
        LetterFacts {
            letter_id: Uuid::from_u128(21).into(),
            case_id: Uuid::from_u128(22).into(),
            letter_number: "海口教督委意〔2026〕1号".parse().unwrap(),
            issuing_agency: OFFICE,
            supervised_unit: SCHOOL,
            competent_department: None,
            division: "460100".to_owned(),
            findings: (1..)
                .zip(severities)
                .map(|(number, severity)| FindingFacts {
                    finding_id: Uuid::from_u128(100 + u128::from(number)).into(),
                    number,
                    severity: *severity,
                    responsible_unit: SCHOOL,
                    limit: None::<Period>,
                })
                .collect(),
        }
    }
}

/// What the service has stored of a case, as the domain reads it.
pub async fn stored(world: &World, rectification_id: domain::ids::RectificationId) -> Rectification {
    let text: String = sqlx::query_scalar("SELECT state FROM rectifications WHERE rectification_id = $1")
        .bind(Uuid::from(rectification_id))
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    serde_json::from_str(&text).unwrap()
}
