//! Who there is: two counties with office, bureau and schools, in the journal of `registry` as its imports would put them,
//! and a token for everyone who acts.

use crate::world::World;
use access::{Caller, Grant, Role, TokenIssuer};
use anyhow::Context as _;
use contracts::registry::{AccountRecorded, AreaLevel, AreaRecorded, GrantRecord, UnitKind, UnitRecorded};
use contracts::shared::UnitRef;
use contracts::{Actor, Event};
use domain::code::{SchoolCode, SchoolKind};
use domain::ids::{AccountId, AreaId, PersonId, UnitId};
use postgres::Database;
use service_kit::clock::{Clock as _, SystemClock};
use uuid::Uuid;

use super::Size;

/// Schools of each county.
const SCHOOLS: usize = 20;
/// Every n-th account has a mail address; mail costs more than anything else here.
const MAILED: usize = 10;

const COUNTIES: [(&str, &str); 2] = [("460100", "海口市"), ("460200", "三亚市")];

/// A county with its office and bureau.
#[derive(Debug, Clone)]
pub struct County {
    /// Name of the office.
    pub office_name: String,
    /// The office.
    pub office: UnitId,
    /// Code word of its documents, as in agencies.toml.
    pub word: &'static str,
    /// Token of an inspector.
    pub inspector: String,
    /// Token of an administrator of the office.
    pub admin: String,
}

/// A school with the account that acts for it.
#[derive(Debug, Clone)]
pub struct School {
    /// As a case names it.
    pub unit: UnitRef,
    /// Place of its county in [`People::counties`].
    pub county: usize,
    /// Token of its principal.
    pub principal: String,
}

/// Everyone.
#[derive(Debug)]
pub struct People {
    /// The counties.
    pub counties: Vec<County>,
    /// The schools, of both counties.
    pub schools: Vec<School>,
}

/// An identifier that follows from the seed and a name.
pub fn id<T: From<Uuid>>(size: &Size, name: &str) -> T {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("faults/{}/{name}", size.seed).as_bytes()).into()
}

struct Makers<'a> {
    size: &'a Size,
    issuer: TokenIssuer,
    accounts: Vec<AccountRecorded>,
}

impl Makers<'_> {
    /// An account with a token.
    fn account(
        &mut self,
        name: &str,
        role: Role,
        area_id: Option<AreaId>,
        unit_id: Option<UnitId>,
    ) -> anyhow::Result<String> {
        let account_id: AccountId = id(self.size, &format!("account {name}"));
        let person_id = (role == Role::Inspector).then(|| id::<PersonId>(self.size, &format!("person {name}")));
        let caller = Caller {
            account_id,
            display_name: name.to_owned(),
            person_id,
            unit_id,
            grants: vec![Grant { role, area_id, unit_id }],
        };
        let n = self.accounts.len();
        self.accounts.push(AccountRecorded {
            account_id,
            version: 1,
            login: format!("account{n}"),
            display_name: name.to_owned(),
            email: n.is_multiple_of(MAILED).then(|| format!("account{n}@hainan.example")),
            language: "zh-Hans".to_owned(),
            grants: vec![GrantRecord { role: role.as_str().to_owned(), area_id, unit_id }],
            unit_id,
            person_id,
            active: true,
            identity_bound: false,
        });
        Ok(self.issuer.issue(&caller, id(self.size, &format!("token {name}")), SystemClock.now())?.token)
    }
}

impl People {
    /// Journals everyone in `registry`.
    pub async fn settle(world: &World, size: &Size) -> anyhow::Result<Self> {
        let registry = world.stack().settings("registry");
        let database = connect(world, "registry").await?;
        let province: Uuid = sqlx::query_scalar("SELECT area_id FROM areas WHERE level = 'province'")
            .fetch_one(database.pool())
            .await
            .context("the province of the first start")?;
        let province = AreaId::new(province);
        let mut makers = Makers { size, issuer: TokenIssuer::load(&registry.token_key)?, accounts: Vec::new() };
        let (mut areas, mut units) = (Vec::new(), Vec::new());
        let mut people = Self { counties: Vec::new(), schools: Vec::new() };
        for (index, (code, name)) in COUNTIES.into_iter().enumerate() {
            let area_id: AreaId = id(size, code);
            let path = vec![province, area_id];
            areas.push(AreaRecorded {
                area_id,
                version: 1,
                code: code.to_owned(),
                name: name.to_owned(),
                level: AreaLevel::CountyUnit,
                path: path.clone(),
                effective_on: "2021-01-01".parse()?,
            });
            let unit = |key: String, full_name: String, kind, competent_unit_id, school_code| UnitRecorded {
                unit_id: id(size, &key),
                version: 1,
                key,
                school_code,
                name: full_name,
                kind,
                area_path: path.clone(),
                area_code: code.to_owned(),
                county_code: Some(code.to_owned()),
                county_name: Some(name.to_owned()),
                competent_unit_id,
                private: false,
                students: None,
            };
            let office_name = format!("{name}人民政府教育督导委员会办公室");
            let office = unit(format!("office-{code}"), office_name.clone(), UnitKind::SupervisionAgency, None, None);
            let bureau = unit(format!("edu-{code}"), format!("{name}教育局"), UnitKind::EducationBureau, None, None);
            let admin = format!("{name}教育局督导室负责人");
            people.counties.push(County {
                office_name,
                office: office.unit_id,
                word: if index == 0 { "海口教督委" } else { "三亚教督委" },
                inspector: makers.account(&format!("{name}督学0001"), Role::Inspector, Some(area_id), None)?,
                admin: makers.account(&admin, Role::CountyOfficeAdmin, Some(area_id), Some(office.unit_id))?,
            });
            makers.account(
                &format!("{name}教育局经办人"),
                Role::CompetentDepartmentOfficer,
                None,
                Some(bureau.unit_id),
            )?;
            for number in 1..=SCHOOLS {
                let serial = u32::try_from(index * SCHOOLS + number)?;
                let school_code = SchoolCode::try_new(SchoolKind::Primary, 46, serial)?.to_string();
                let school_name = format!("{name}第{number}小学");
                let school = unit(
                    school_code.clone(),
                    school_name.clone(),
                    UnitKind::School,
                    Some(bureau.unit_id),
                    Some(school_code.clone()),
                );
                let principal =
                    makers.account(&format!("{school_name}校长"), Role::UnitPrincipal, None, Some(school.unit_id))?;
                let unit = UnitRef {
                    unit_id: school.unit_id,
                    name: school_name,
                    code: Some(school_code),
                    area_path: path.clone(),
                    county_code: Some(code.to_owned()),
                    county_name: Some(name.to_owned()),
                    competent_unit_id: Some(bureau.unit_id),
                    competent_unit_name: Some(bureau.name.clone()),
                };
                people.schools.push(School { unit, county: index, principal });
                units.push(school);
            }
            units.extend([office, bureau]);
        }
        journal(&database, &areas).await?;
        journal(&database, &units).await?;
        journal(&database, &makers.accounts).await?;
        Ok(people)
    }
}

async fn journal<E: Event>(database: &Database, events: &[E]) -> anyhow::Result<()> {
    let mut tx = database.begin().await?;
    messaging::append_all(&mut tx, &Actor::system("registry.import"), events).await?;
    tx.commit().await?;
    Ok(())
}

/// A connection to a service's database as its role.
pub async fn connect(world: &World, service: &str) -> anyhow::Result<Database> {
    let chosen = world.installation.chosen(service)?;
    Ok(chosen.first().context("no such service")?.connect().await?)
}
