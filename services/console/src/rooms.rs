//! The pages, by subject: one folder or file for each.

pub(crate) mod accounts;
pub(crate) mod assignments;
pub(crate) mod cases;
pub(crate) mod deadlines;
pub(crate) mod deliveries;
pub(crate) mod documents;
pub(crate) mod drafts;
pub(crate) mod exchange;
pub(crate) mod home;
pub(crate) mod imports;
pub(crate) mod inbox;
pub(crate) mod ledger;
mod lines;
pub(crate) mod measures;
pub(crate) mod mergers;
pub(crate) mod papers;
pub(crate) mod plans;
pub(crate) mod preferences;
pub(crate) mod proofs;
pub(crate) mod receipt_link;
pub(crate) mod receipts;
pub(crate) mod rectifications;
pub(crate) mod register;
pub(crate) mod rule_changes;
pub(crate) mod sign_in;
pub(crate) mod sign_on;
pub(crate) mod statistics;
pub(crate) mod templates;
pub(crate) mod timers;
mod units;

use serde::Deserialize;

use crate::api::percent;

/// A page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// A unit or an agency as pages name it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) unit_id: String,
    pub(crate) name: String,
    pub(crate) competent_unit_name: Option<String>,
    pub(crate) county_name: Option<String>,
}

/// An issued document.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Document {
    pub(crate) document_id: String,
    pub(crate) kind: String,
    pub(crate) doc_no: String,
    pub(crate) title: String,
    pub(crate) issuing_unit_name: String,
    pub(crate) issued_at: String,
}

/// The query of an address.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// Whether the address names it, be it empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The named parameters, for a call.
    pub(crate) fn pick<'a>(&self, names: &[&'a str]) -> Vec<(&'a str, String)> {
        names.iter().map(|name| (*name, self.get(name).to_owned())).collect()
    }

    /// The address of the next page: the same filters, behind the cursor.
    pub(crate) fn next(&self, path: &str, cursor: Option<&str>) -> Option<String> {
        let kept = self.0.iter().filter(|(key, value)| !matches!(key.as_str(), "after" | "done") && !value.is_empty());
        let mut query: Vec<String> = kept.map(|(key, value)| format!("{}={}", percent(key), percent(value))).collect();
        query.push(format!("after={}", percent(cursor?)));
        Some(format!("{path}?{}", query.join("&")))
    }

    /// The filters as they stand, for a link to the same rows in another form.
    pub(crate) fn same(&self, path: &str, names: &[&str]) -> String {
        let query: Vec<String> = self
            .pick(names)
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{}={}", percent(key), percent(value)))
            .collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }
}

/// Divisions that the rulebook's province has as counties, code and name, for filters.
pub(crate) async fn counties(ctx: &crate::session::Ctx) -> Vec<(String, String)> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Area {
        code: String,
        name: String,
        level: String,
    }
    let query = vec![("limit", "200".to_owned())];
    let Ok(areas) = ctx.line().find::<List<Area>>(crate::api::Room::Registry, "/v1/areas", query).await else {
        // A filter less is no reason to show nothing.
        return Vec::new();
    };
    areas.items.into_iter().filter(|area| area.level == "county_unit").map(|area| (area.code, area.name)).collect()
}
