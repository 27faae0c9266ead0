//! A calendar as it is kept with the sheets that name its version, so that they can be computed again when the calendars have
//! long changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Calendar, MergedEntry, content_version};

/// What a calendar is made of; the version follows from it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    area: String,
    noticed_years: BTreeSet<i16>,
    days: BTreeMap<Date, MergedEntry>,
}

/// Why a kept calendar cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptCalendarFault {
    /// It is no calendar.
    #[error("the kept calendar {version} cannot be read")]
    Unreadable {
        /// The version wanted.
        version: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Its content has another version: it was changed.
    #[error("the kept calendar {version} has the content of {found}")]
    Changed {
        /// The version wanted.
        version: String,
        /// The version of the content.
        found: String,
    },
}

impl Calendar {
    /// The whole content as JSON, for keeping.
    pub fn to_kept(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Content {
            area: self.area.clone(),
            noticed_years: self.noticed_years.clone(),
            days: self.days.clone(),
        })
    }

    /// Reads what [`Calendar::to_kept`] wrote; refuses a content that does not have that version.
    pub fn from_kept(version: &str, text: &str) -> Result<Self, KeptCalendarFault> {
        let Content { area, noticed_years, days } = serde_json::from_str(text)
            .map_err(|source| KeptCalendarFault::Unreadable { version: version.to_owned(), source })?;
        let found = content_version(&area, &days, &noticed_years);
        if found != version {
            return Err(KeptCalendarFault::Changed { version: version.to_owned(), found });
        }
        Ok(Self { area, version: found, days, noticed_years })
    }
}
