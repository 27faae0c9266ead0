//! The bodies that papers of consequence go to: the local Party committee and government, and who stands above (measures 8, 13
//! and 14; Regulation art. 23). Names as they are written on paper; the register's own name goes first.

use domain::ids::{AreaId, UnitId};
use sqlx::PgConnection;

use crate::registry::store;
use crate::rules::Rules;

/// The agency above a provincial one.
const NATION: &str = "国务院教育督导委员会办公室";

/// A place as papers address it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat<'a> {
    /// Its county unit (市县), code and name; nothing for the province itself.
    pub county: Option<(&'a str, &'a str)>,
}

impl<'a> Seat<'a> {
    /// The seat of a county, or of the province.
    pub(crate) fn of(code: Option<&'a str>, name: Option<&'a str>) -> Self {
        Self { county: code.zip(name) }
    }

    fn name(self, rules: &'a Rules) -> &'a str {
        self.county.map_or_else(|| rules.province_name(), |(_, name)| name)
    }

    /// The Party committee of the place (地方党委).
    pub(crate) fn party_committee(self, rules: &Rules) -> String {
        format!("中共{}委员会", self.name(rules))
    }

    /// Its organisation department (组织部), which the bars of measure 14 concern.
    pub(crate) fn organisation_department(self, rules: &Rules) -> String {
        format!("{}组织部", self.party_committee(rules))
    }

    /// The people's government of the place (地方政府).
    pub(crate) async fn government(self, tx: &mut PgConnection, rules: &Rules) -> sqlx::Result<String> {
        if let Some((code, _)) = self.county {
            let known = store::unit_ids_by_key(tx, &[format!("gov-{code}")]).await?;
            if let Some((_, unit_id)) = known.first()
                && let Some(unit) = store::unit(tx, *unit_id).await?
            {
                return Ok(unit.name);
            }
        }
        Ok(format!("{}人民政府", self.name(rules)))
    }
}

/// The next higher supervision agency, with which a report is filed (报上一级教育督导机构备案).
pub(crate) async fn higher_agency(tx: &mut PgConnection, agency: UnitId, area_path: &[AreaId]) -> sqlx::Result<String> {
    for area in area_path.iter().rev().skip(1) {
        if let Some(above) = store::agency_of_area(tx, *area).await?.filter(|above| above.unit_id != agency) {
            return Ok(above.name);
        }
    }
    Ok(NATION.to_owned())
}
