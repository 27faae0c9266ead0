//! What lies around the content of every page: title, navigation by permission, language, dates in words.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use access::{Action, Caller, Policies, PolicyError, Role};
use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::api::{Failure, percent};
use crate::form::{Forms, Posted};
use crate::session::Ctx;
use crate::texts::{Catalogue, Lang, Texts};

/// An entry of the menu: a page, or several under one word.
#[derive(Debug, Clone)]
pub struct NavGroup {
    /// Key of its word.
    pub key: &'static str,
    /// Whether the page lies under one of its pages.
    pub current: bool,
    /// Its pages; the only one stands for itself.
    pub items: Vec<NavItem>,
}

/// A line of the navigation.
#[derive(Debug, Clone)]
pub struct NavItem {
    /// Address.
    pub href: &'static str,
    /// Key of its word.
    pub key: &'static str,
    /// Whether the page lies under it.
    pub current: bool,
}

/// The navigation: address, word, and the actions of which one must be possible.
const NAVIGATION: &[(&str, &str, &[Action])] = &[
    ("/", "nav.home", &[]),
    ("/plans", "nav.plans", &[Action::TasksPlanRead]),
    ("/cases", "nav.cases", &[Action::TasksCaseRead]),
    ("/receipts", "nav.receipts", &[Action::NotificationsReceiptSign]),
    ("/deliveries", "nav.deliveries", &[Action::NotificationsDeliveryRead]),
    ("/sweep", "nav.sweep", &[Action::NotificationsSweepRead]),
    ("/rectifications", "nav.rectifications", &[Action::DeadlinesRectificationRead]),
    ("/assignments", "nav.assignments", &[Action::TasksAssignmentRead]),
    ("/register", "nav.register", &[Action::PublicationRegisterRead]),
    ("/timers", "nav.timers", &[Action::DeadlinesTimerRead]),
    ("/proofs", "nav.proofs", &[Action::DeadlinesTimerRead]),
    ("/ledger", "nav.ledger", &[Action::ReportingLedgerRead]),
    ("/statistics", "nav.statistics", &[Action::ReportingStatisticsRead]),
    ("/drafts", "nav.drafts", &[Action::PublicationDraftRead]),
    ("/exchange", "nav.exchange", &[Action::ExchangeMessageRead]),
    ("/measures", "nav.measures", &[Action::TasksDutyRead]),
    ("/rule-changes", "nav.rule_changes", &[Action::DeadlinesRuleChangeRead]),
    ("/templates", "nav.templates", &[Action::DeadlinesRuleChangePropose]),
    ("/imports", "nav.imports", &[Action::RegistryImportRun]),
    ("/area-mergers", "nav.mergers", &[Action::RegistryImportRun]),
    ("/accounts", "nav.accounts", &[Action::RegistryAccountManage]),
    ("/inbox", "nav.inbox", &[Action::NotificationsInboxRead]),
];

/// The groups of a long menu: word and addresses. What no group names stands for itself.
const GROUPS: &[(&str, &[&str])] = &[
    ("nav_group.supervise", &["/plans", "/cases", "/measures"]),
    ("nav_group.papers", &["/receipts", "/register", "/deliveries", "/sweep"]),
    ("nav_group.rectify", &["/rectifications", "/assignments", "/timers", "/proofs", "/ledger", "/statistics"]),
    ("nav_group.show", &["/drafts", "/exchange"]),
    ("nav_group.manage", &["/rule-changes", "/templates", "/imports", "/area-mergers", "/accounts"]),
];

/// A menu of so many pages at most needs no groups.
const SHORT_MENU: usize = 8;

/// The menu of the pages, in their order; a group stands where its first page does.
fn menu(items: Vec<NavItem>) -> Vec<NavGroup> {
    let short = items.len() <= SHORT_MENU;
    let mut menu: Vec<NavGroup> = Vec::new();
    for item in items {
        let group = GROUPS.iter().find(|(_, pages)| !short && pages.contains(&item.href)).map(|(key, _)| *key);
        match menu.iter_mut().find(|known| Some(known.key) == group) {
            Some(known) => {
                known.current |= item.current;
                known.items.push(item);
            }
            None => menu.push(NavGroup { key: group.unwrap_or(item.key), current: item.current, items: vec![item] }),
        }
    }
    menu
}

/// A kind of caller: roles, each with whether it has an area and a unit in scope.
type Kind = Vec<(Role, bool, bool)>;

/// What a role may do at all, from the same policies that the services judge by.
pub struct Permissions {
    policies: Policies,
    known: Mutex<HashMap<Kind, Arc<BTreeSet<Action>>>>,
}

impl std::fmt::Debug for Permissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Permissions")
    }
}

impl Permissions {
    /// The policies of this build.
    pub fn load() -> Result<Self, PolicyError> {
        Ok(Self { policies: Policies::load()?, known: Mutex::default() })
    }

    /// The actions that some grant of the caller admits somewhere.
    pub fn of(&self, caller: &Caller) -> Arc<BTreeSet<Action>> {
        // Which things are in a grant's scope does not matter here, only whether there is a scope.
        let mut key: Vec<_> =
            caller.grants.iter().map(|grant| (grant.role, grant.area_id.is_some(), grant.unit_id.is_some())).collect();
        key.sort_unstable();
        key.dedup();
        key.push((Role::Operator, caller.unit_id.is_some(), caller.person_id.is_some()));
        if let Some(actions) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(actions);
        }
        let admitted = Action::ALL.iter().copied().filter(|action| self.policies.admit(caller, *action));
        let actions = Arc::new(admitted.collect::<BTreeSet<_>>());
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&actions));
        actions
    }
}

/// The surroundings of a page.
#[derive(Debug)]
pub struct Page {
    texts: &'static Texts,
    /// Title in words.
    pub title: String,
    /// Name of whoever is signed in.
    pub name: Option<String>,
    /// Roles in words.
    pub roles: String,
    /// Navigation.
    pub nav: Vec<NavGroup>,
    /// Key of what to say first.
    pub done: Option<Arc<str>>,
    /// Path and query, for the change of language.
    path: String,
    /// The public portal; empty when there is none.
    pub portal: Arc<str>,
    may: Arc<BTreeSet<Action>>,
}

impl Page {
    /// A page for whoever is not signed in.
    pub fn outside(lang: Lang, title: &str, path: &str) -> Self {
        let texts = Catalogue::load().texts(lang);
        Self {
            texts,
            title: texts.t(title).to_owned(),
            name: None,
            roles: String::new(),
            nav: Vec::new(),
            done: None,
            path: path.to_owned(),
            portal: "".into(),
            may: Arc::default(),
        }
    }

    /// The word of a key.
    pub fn t<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.t(key)
    }

    /// The word of a value of a list.
    pub fn word<'a>(&'a self, list: &str, value: &'a str) -> &'a str {
        self.texts.word(list, value)
    }

    /// A text with one value filled in.
    pub fn fill(&self, key: &str, value: impl std::fmt::Display) -> String {
        self.texts.fill(key, &[&value.to_string()])
    }

    /// A text with two values filled in.
    pub fn fill2(&self, key: &str, first: impl std::fmt::Display, second: impl std::fmt::Display) -> String {
        self.texts.fill(key, &[&first.to_string(), &second.to_string()])
    }

    /// The language tag.
    pub fn lang(&self) -> &'static str {
        self.texts.lang().tag()
    }

    /// The words.
    pub fn texts(&self) -> &'static Texts {
        self.texts
    }

    /// Tag, name and address of the other languages.
    pub fn languages(&self) -> Vec<(&'static str, &'static str, String)> {
        Lang::ALL
            .into_iter()
            .filter(|lang| *lang != self.texts.lang())
            .map(|lang| (lang.tag(), lang.name(), format!("/language?tag={}&back={}", lang.tag(), percent(&self.path))))
            .collect()
    }

    /// Whether the caller could do an action at all, by its dotted name.
    pub fn may(&self, action: &str) -> bool {
        action.parse().is_ok_and(|action: Action| self.may.contains(&action))
    }

    /// The value of a list as options of a choice, in the order given.
    pub fn options(&self, list: &str, values: &[&str]) -> Vec<(String, String)> {
        values.iter().map(|value| ((*value).to_owned(), self.word(list, value).to_owned())).collect()
    }

    /// The same with an empty choice first.
    pub fn options_any(&self, list: &str, values: &[&str]) -> Vec<(String, String)> {
        let mut options = vec![(String::new(), self.t("form.any").to_owned())];
        options.extend(self.options(list, values));
        options
    }

    /// A day (`2026-03-05`) in words.
    pub fn date(&self, text: impl AsRef<str>) -> String {
        let text = text.as_ref();
        text.parse::<Date>().map_or_else(|_| text.to_owned(), |date| self.date_words(date))
    }

    /// A day that may be missing.
    pub fn date_of(&self, text: &Option<String>) -> String {
        text.as_deref().map_or_else(|| "—".to_owned(), |text| self.date(text))
    }

    /// An instant in local words, to the minute.
    pub fn moment(&self, text: impl AsRef<str>) -> String {
        let text = text.as_ref();
        let Ok(at) = text.parse::<Timestamp>() else { return text.to_owned() };
        let local = local(at);
        format!("{} {:02}:{:02}", self.date_words(local.date()), local.hour(), local.minute())
    }

    /// An instant that may be missing.
    pub fn moment_of(&self, text: &Option<String>) -> String {
        text.as_deref().map_or_else(|| "—".to_owned(), |text| self.moment(text))
    }

    /// A size in bytes, in the unit that people read.
    pub fn size(&self, bytes: impl std::borrow::Borrow<i64>) -> String {
        let bytes = *bytes.borrow();
        match bytes {
            ..1024 => format!("{bytes} B"),
            1024..1_048_576 => format!("{} KB", bytes / 1024),
            1_048_576.. => format!("{}.{} MB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
        }
    }

    fn date_words(&self, date: Date) -> String {
        match self.texts.lang() {
            Lang::ZhHans | Lang::ZhHant => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
            Lang::En => date.to_string(),
        }
    }
}

/// China's one time zone. The database of zones is part of the program; without it UTC+8 is the same.
fn local(at: Timestamp) -> Zoned {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(8)));
    at.to_zoned(zone)
}

/// The instant of a local day and time of day as a form sends it (`2026-03-05T09:30`).
pub fn instant_of_local(text: &str) -> Option<String> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(8)));
    Some(civil.to_zoned(zone).ok()?.timestamp().to_string())
}

impl Ctx {
    /// The surroundings of a page with the title of a key.
    pub fn page(&self, title: &str) -> Page {
        let title = self.texts().t(title).to_owned();
        self.titled(title)
    }

    /// The surroundings of a page with a title in words.
    pub fn titled(&self, title: String) -> Page {
        let caller = &self.session.caller;
        let may = self.app.permissions.of(caller);
        let path = self.path.split('?').next().unwrap_or("/");
        let nav = NAVIGATION
            .iter()
            .filter(|(_, _, actions)| actions.is_empty() || actions.iter().any(|action| may.contains(action)))
            .map(|(href, key, _)| NavItem {
                href,
                key,
                current: if *href == "/" {
                    path == "/"
                } else {
                    path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                },
            })
            .collect();
        let texts = self.texts();
        let mut roles: Vec<&str> = Vec::new();
        for grant in &caller.grants {
            let word = texts.word("role", grant.role.as_str());
            if !roles.contains(&word) {
                roles.push(word);
            }
        }
        Page {
            texts,
            title,
            name: Some(caller.display_name.clone()),
            roles: roles.join("、"),
            nav: menu(nav),
            done: self.done.clone(),
            path: self.path.to_string(),
            portal: Arc::clone(&self.app.portal),
            may,
        }
    }

    /// The forms of a page.
    pub fn forms(&self, posted: Option<(Posted, crate::api::Refusal)>) -> Forms {
        // Version 7 begins with the time; version 4's worth of chance is in its end, which nobody guesses or repeats.
        Forms::new(self.texts(), self.app.ids.new_id().simple().to_string(), posted)
    }
}

/// A page as an answer.
pub fn html(status: StatusCode, template: &impl Template) -> Result<Response, Failure> {
    match template.render() {
        Ok(text) => Ok((status, Html(text)).into_response()),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

/// A page that was asked for.
pub fn ok(template: &impl Template) -> Result<Response, Failure> {
    html(StatusCode::OK, template)
}

/// The way to another page after a form was accepted; `done` says so there (`done.<key>` in the catalogue).
pub fn done(address: &str, key: &str) -> Response {
    let key = key.strip_prefix("done.").unwrap_or(key);
    let (address, anchor) = address.split_once('#').map_or((address, String::new()), |(a, b)| (a, format!("#{b}")));
    let mark = if address.contains('?') { '&' } else { '?' };
    axum::response::Redirect::to(&format!("{address}{mark}done={key}{anchor}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lang: Lang) -> Page {
        Page::outside(lang, "nav.home", "/cases?state=a&b=1")
    }

    #[test]
    fn days_and_moments_are_told_in_local_words() {
        let zh = page(Lang::ZhHans);
        assert_eq!(zh.date("2026-03-05"), "2026年3月5日");
        assert_eq!(zh.moment("2026-03-05T16:30:00Z"), "2026年3月6日 00:30");
        assert_eq!(zh.date("<b>"), "<b>", "what is no date is left to the escaping of the template");
        assert_eq!(zh.date_of(&None), "—");
        assert_eq!([zh.size(999), zh.size(20_480), zh.size(1_572_864)], ["999 B", "20 KB", "1.5 MB"]);
        assert_eq!(page(Lang::En).date("2026-03-05"), "2026-03-05");
        assert_eq!(instant_of_local("2026-03-06T00:30").unwrap(), "2026-03-05T16:30:00Z");
        assert_eq!(instant_of_local("yesterday"), None);
    }

    #[test]
    fn the_change_of_language_comes_back_to_the_page() {
        let languages = page(Lang::ZhHans).languages();
        assert_eq!(languages.len(), 2);
        assert_eq!(languages[1].2, "/language?tag=en&back=%2Fcases%3Fstate%3Da%26b%3D1");
    }

    #[test]
    fn a_long_menu_is_grouped_and_a_short_one_is_not() {
        let items = |pages: &[&'static str]| -> Vec<NavItem> {
            pages.iter().map(|href| NavItem { href, key: href, current: *href == "/cases" }).collect()
        };
        let words = |menu: &[NavGroup]| menu.iter().map(|group| (group.key, group.items.len())).collect::<Vec<_>>();
        let short = menu(items(&["/", "/plans", "/cases", "/receipts"]));
        assert_eq!(words(&short), [("/", 1), ("/plans", 1), ("/cases", 1), ("/receipts", 1)]);
        let long = ["/", "/plans", "/cases", "/sweep", "/ledger", "/timers", "/new-page", "/measures", "/imports"];
        let long = menu(items(&long));
        let expected =
            [("/", 1), ("nav_group.supervise", 3), ("nav_group.papers", 1), ("nav_group.rectify", 2), ("/new-page", 1)];
        assert_eq!(words(&long)[..5], expected);
        assert!(long[1].current && !long[0].current);
        let known: Vec<&str> = NAVIGATION.iter().map(|(href, ..)| *href).collect();
        assert!(GROUPS.iter().flat_map(|(_, pages)| *pages).all(|page| known.contains(page)));
    }

    #[test]
    fn navigation_follows_the_policies() {
        let permissions = Permissions::load().unwrap();
        let area = Some(domain::ids::AreaId::new(uuid::Uuid::from_u128(1)));
        let unit = Some(domain::ids::UnitId::new(uuid::Uuid::from_u128(2)));
        let office = permissions.of(&testkit::caller(Role::ProvinceOfficeAdmin, area, None));
        assert!(office.contains(&Action::RegistryImportRun) && office.contains(&Action::TasksLetterIssue));
        let school = permissions.of(&testkit::caller(Role::UnitPrincipal, None, unit));
        assert!(school.contains(&Action::DeadlinesItemReport) && !school.contains(&Action::TasksCaseWrite));
        let operator = permissions.of(&testkit::caller(Role::Operator, None, None));
        assert!(!operator.contains(&Action::TasksCaseRead));
        let again = permissions.of(&testkit::caller(Role::UnitPrincipal, None, unit));
        assert!(Arc::ptr_eq(&school, &again), "asked once per kind of caller");
    }
}
