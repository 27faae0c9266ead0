//! Who plays, and the texts they write. Posts and generated labels only, no persons.

use anyhow::Context as _;
use domain::code::DivisionCode;
use serde_json::{Value, json};
use tests::province::{Province, Role};

/// The county unit of the story: Haikou (海口市).
pub const COUNTY: &str = "460100";

/// A unit that is supervised.
#[derive(Debug, Clone)]
pub struct Supervised {
    /// Key in the register: the school's identifier or `gov-460100`.
    pub key: String,
    /// Account of its head.
    pub principal: String,
    /// Account of its contact.
    pub contact: String,
}

/// The people of the story, by account.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The school that reports in time.
    pub punctual: Supervised,
    /// The school that does not.
    pub late: Supervised,
    /// The school whose case is played in the browser.
    pub browser: Supervised,
    /// The county government.
    pub government: Supervised,
    /// The county's inspectors: account and number.
    pub county_inspectors: Vec<(String, String)>,
    /// The province's inspectors.
    pub province_inspectors: Vec<(String, String)>,
}

/// Accounts of offices and departments.
pub mod account {
    /// The first account of the installation.
    pub const OPERATOR: &str = "operator";
    /// Administrator of the province's office.
    pub const PROVINCE: &str = "admin.460000";
    /// Desk officer there.
    pub const PROVINCE_DESK: &str = "desk1.460000";
    /// Administrator of the county's office.
    pub const COUNTY: &str = "admin.460100";
    /// Desk officer there.
    pub const COUNTY_DESK: &str = "desk.460100";
    /// The county's education bureau, the schools' competent department.
    pub const BUREAU: &str = "edu.460100";
    /// Who approves publication.
    pub const PUBLICITY: &str = "publicity.460000";
    /// The Committee's chair.
    pub const CHAIR: &str = "chair.460000";
    /// The auditor.
    pub const AUDITOR: &str = "auditor.460000";
    /// The province's department of education.
    pub const DEPARTMENT: &str = "edu.460000";
}

impl Cast {
    /// Finds the players among the accounts of a province.
    pub fn of(province: &Province) -> anyhow::Result<Self> {
        let county: DivisionCode = COUNTY.parse().context("the county's code")?;
        let mut schools = province.schools.iter().filter(|school| school.county == county).filter_map(|school| {
            let key = school.code.to_string();
            let principal = format!("principal.{key}");
            let known = province.accounts.iter().any(|account| account.account == principal);
            known.then(|| Supervised { contact: format!("contact.{key}"), principal, key })
        });
        let mut school = || schools.next().context("the province has too few schools with accounts");
        let inspectors = |division: DivisionCode| -> Vec<(String, String)> {
            province
                .accounts
                .iter()
                .filter(|account| account.role == Role::Inspector && account.division == division)
                .filter_map(|account| Some((account.account.clone(), account.inspector.clone()?)))
                .collect()
        };
        Ok(Self {
            punctual: school()?,
            late: school()?,
            browser: school()?,
            government: Supervised {
                key: format!("gov-{COUNTY}"),
                principal: format!("principal.{COUNTY}"),
                contact: format!("contact.{COUNTY}"),
            },
            county_inspectors: inspectors(county),
            province_inspectors: inspectors(DivisionCode::HAINAN),
        })
    }

    /// Every account that signs in.
    pub fn accounts(&self) -> Vec<String> {
        let offices = [
            account::PROVINCE,
            account::PROVINCE_DESK,
            account::COUNTY,
            account::COUNTY_DESK,
            account::BUREAU,
            account::PUBLICITY,
            account::CHAIR,
            account::AUDITOR,
            account::DEPARTMENT,
        ];
        let mut all: Vec<String> = offices.map(str::to_owned).to_vec();
        for unit in [&self.punctual, &self.late, &self.browser, &self.government] {
            all.extend([unit.principal.clone(), unit.contact.clone()]);
        }
        for (account, _) in self.county_inspectors.iter().take(4).chain(self.province_inspectors.iter().take(4)) {
            all.push(account.clone());
        }
        all
    }
}

/// A finding as it is written.
pub fn finding(severity: &str, category: &str, description: &str, demand: &str, unit_id: &str) -> Value {
    json!({
        "severity": severity,
        "category": category,
        "description": description,
        "basis": "《教育督导条例》第十一条；《中小学（幼儿园）安全工作专项督导暂行办法》",
        "demand": demand,
        "advice": "建议由分管负责人牵头，逐项建立整改台账。",
        "responsible_unit_id": unit_id,
    })
}
