//! Telling. What has to be told is written down in the transaction of its event; a moment later the people are found and their
//! messages and deliveries written, for many notices at once, in one transaction with the end of the waiting.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use domain::ids::{AccountId, EventId, MessageId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use messaging::ApplyError;
use postgres::{Database, Tx};
use service_kit::{
    Round, Worker,
    ids::{Ids as _, SystemIds},
};
use uuid::Uuid;

use super::{
    Matter,
    store::{self, NewMessages, NewNotice, Open, Unreached},
    text::Head,
};
use crate::{
    config::Endpoint,
    delivery::{self, plan::Plan},
    directory::{Asked, Book, Person, audience},
    language::Language,
    receipt,
    rules::{Audience, Capacity, Channel, Rule, Rules},
};

/// How often the teller looks for notices; the waiting is part of how soon people know.
const PERIOD: Duration = Duration::from_millis(200);
/// Notices in one transaction.
const BATCH: i64 = 500;
/// Longest error text that is kept, in characters.
const LONGEST_ERROR: usize = 500;

/// What telling needs to know beside the matter.
#[derive(Debug)]
pub struct Telling {
    /// Who is told what.
    pub rules: Rules,
    /// Address of the console.
    pub console: String,
    /// Whom to ask about the system.
    pub support: String,
    /// Other systems and groups that units are told through.
    pub endpoints: Vec<Endpoint>,
}

/// What an event is about, with the items of its rectification that are open after it.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The event.
    pub event_id: EventId,
    /// What people have to be told.
    pub matter: Matter,
    /// The open items, unless they are kept already.
    pub open: Option<Open>,
}

/// Writes down what has to be told, of many events with one statement. Repeating it for the same events changes nothing.
pub async fn hear(tx: &mut Tx, telling: &Telling, heard: &[Heard]) -> Result<(), ApplyError> {
    if heard.is_empty() {
        return Ok(());
    }
    let mut notices = Vec::with_capacity(heard.len());
    for Heard { event_id, matter, .. } in heard {
        let template = matter.wording.template();
        let rule = telling
            .rules
            .of(template)
            .ok_or_else(|| ApplyError::Refused(format!("there is no rule for {}", template.as_str())))?;
        let (_, addressee) = rule.addressee(matter);
        let link = telling.link(matter);
        notices.push(NewNotice { notice_id: *event_id, template, legal: rule.legal, matter, addressee, link });
    }
    let open: Vec<Open> = heard.iter().filter_map(|heard| heard.open.clone()).collect();
    store::take_in(tx, &notices, &open).await?;
    Ok(())
}

impl Telling {
    /// Where to act on a matter.
    pub fn link(&self, matter: &Matter) -> String {
        matter.rectification_id.map_or_else(
            || format!("{}/cases/{}", self.console, matter.case_id),
            |rectification| format!("{}/rectifications/{rectification}", self.console),
        )
    }
}

/// The worker that tells what was heard.
pub fn teller(name: &'static str, database: Database, telling: Arc<Telling>) -> Worker {
    Worker::every(name, PERIOD, move || {
        let (database, telling) = (database.clone(), Arc::clone(&telling));
        async move {
            let told = tell_due(&database, &telling).await?;
            Ok(if told < usize::try_from(BATCH).unwrap_or(usize::MAX) { Round::Done } else { Round::More })
        }
    })
}

/// Why a set of notices could not be told.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// The database failed.
    #[error("the messages could not be stored")]
    Storage(#[from] sqlx::Error),
    /// The facts cannot be read, or there is no rule or text for them.
    #[error("a notice cannot be told: {0}")]
    Unfit(String),
}

/// Tells what is due, at most one batch; returns how many notices were taken.
pub async fn tell_due(database: &Database, telling: &Telling) -> Result<usize, sqlx::Error> {
    match tell_batch(database, telling, BATCH).await {
        Ok(told) => Ok(told),
        Err((_, TellError::Storage(error))) if postgres::is_transient(&error) => Err(error),
        // One of them is bad: one by one the good ones pass, the bad one waits with its cause.
        Err(_) => {
            let mut taken = 0;
            while taken < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                match tell_batch(database, telling, 1).await {
                    Ok(0) => break,
                    Ok(told) => taken += told,
                    Err((_, TellError::Storage(error))) if postgres::is_transient(&error) => return Err(error),
                    Err((notices, error)) => {
                        let text: String = chain(&error).chars().take(LONGEST_ERROR).collect();
                        let mut db = database.pool().acquire().await?;
                        for notice in notices {
                            tracing::error!(notice.id = %notice, error = text, "a notice cannot be told; it is tried again");
                            store::postpone(&mut db, notice, &text).await?;
                        }
                        taken += 1;
                    }
                }
            }
            Ok(taken)
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

async fn tell_batch(database: &Database, telling: &Telling, limit: i64) -> Result<usize, (Vec<Uuid>, TellError)> {
    let mut notices = Vec::new();
    match tell_some(database, telling, limit, &mut notices).await {
        Ok(()) => Ok(notices.len()),
        Err(error) => Err((notices, error)),
    }
}

async fn tell_some(database: &Database, telling: &Telling, limit: i64, taken: &mut Vec<Uuid>) -> Result<(), TellError> {
    let mut tx = database.begin().await?;
    match tell_in(&mut tx, telling, limit, taken).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) => {
            // At once, and not when the connection is used next: until then nobody else could take the good ones.
            tx.rollback().await?;
            Err(error)
        }
    }
}

async fn tell_in(tx: &mut Tx, telling: &Telling, limit: i64, taken: &mut Vec<Uuid>) -> Result<(), TellError> {
    let due = store::lock_untold(tx, limit).await?;
    if due.is_empty() {
        return Ok(());
    }
    taken.extend(due.iter().map(|notice| notice.notice_id));
    let mut read = Vec::with_capacity(due.len());
    let mut asked = Asked::default();
    for notice in &due {
        let matter = notice.matter.as_deref().ok_or_else(|| TellError::Unfit("it has no facts".to_owned()))?;
        let matter: Matter = serde_json::from_str(matter).map_err(|error| TellError::Unfit(error.to_string()))?;
        let template = matter.wording.template();
        let rule = telling.rules.of(template).ok_or_else(|| TellError::Unfit("it has no rule".to_owned()))?;
        audience::ask(rule, concern(&matter), &mut asked);
        read.push((notice.notice_id, notice.created_at.to_jiff(), rule, matter));
    }
    let book = Book::read(tx, asked).await?;
    let endpoints = endpoints(tx, telling).await?;
    let mut post = Post::new(telling, tx.at());
    let mut unreached = Vec::new();
    for (notice, created_at, rule, matter) in &read {
        let found = audience::resolve(rule, concern(matter), &book);
        let told = Notice { id: *notice, rule, matter: Some(matter), created_at: *created_at };
        for (person, capacity) in &found.told {
            post.add_person(&told, person, *capacity, rule.channels(*capacity))?;
        }
        for (unit, capacity) in &found.units {
            for endpoint in endpoints.get(unit).into_iter().flatten() {
                post.add_endpoint(&told, endpoint, *capacity)?;
            }
        }
        lost(*notice, rule, matter, &found, &mut unreached);
    }
    receipt::open(tx, read.iter().map(|(_, _, _, matter)| matter)).await?;
    post.send(tx).await?;
    for unreached in &unreached {
        tracing::warn!(
            template = unreached.template.as_str(),
            capacity = unreached.capacity.as_str(),
            unit.id = %unreached.awaited_unit_id,
            passed_to = unreached.passed_to,
            "nobody of a unit that must be told has an account"
        );
        store::insert_unreached(tx, unreached).await?;
    }
    store::delete_untold(tx, taken).await?;
    Ok(())
}

fn concern(matter: &Matter) -> audience::Concern<'_> {
    audience::Concern {
        unit_id: matter.unit.unit_id,
        area_path: &matter.unit.area_path,
        competent_unit_id: matter.unit.competent_unit_id,
        issuing_unit_id: matter.issuing_unit_id,
        case_id: matter.case_id,
        joint_liability: matter.joint_liability,
    }
}

/// The configured endpoints by their unit.
async fn endpoints<'a>(tx: &mut Tx, telling: &'a Telling) -> Result<HashMap<UnitId, Vec<&'a Endpoint>>, sqlx::Error> {
    let mut by_unit: HashMap<UnitId, Vec<&Endpoint>> = HashMap::new();
    if telling.endpoints.is_empty() {
        return Ok(by_unit);
    }
    let keys: Vec<String> = telling.endpoints.iter().map(|endpoint| endpoint.unit.clone()).collect();
    let known: BTreeMap<String, UnitId> = crate::directory::store::keyed(tx, &keys).await?.into_iter().collect();
    for endpoint in &telling.endpoints {
        if let Some(unit) = known.get(&endpoint.unit) {
            by_unit.entry(*unit).or_default().push(endpoint);
        }
    }
    Ok(by_unit)
}

/// Units that must be told and have nobody.
fn lost(notice: Uuid, rule: &Rule, matter: &Matter, found: &audience::Resolved, unreached: &mut Vec<Unreached>) {
    let template = rule.template;
    if found.no_addressee {
        let (unit, name) = rule.addressee(matter);
        let roles = rule.to.iter().flat_map(|audience| audience::roles_in(*audience, matter.joint_liability));
        unreached.push(Unreached {
            notice_id: notice,
            template,
            capacity: Capacity::To,
            channels: rule.channels(Capacity::To).to_vec(),
            awaited_roles: roles.map(|role| (*role).to_owned()).collect(),
            awaited_unit_id: unit,
            awaited_unit_name: name.to_owned(),
            passed_to: found.told.iter().filter(|(_, capacity)| *capacity == Capacity::Fallback).count(),
        });
    }
    // By measure 10 the department is jointly liable: that it could not be told is worth knowing where it matters.
    if let (true, true, Some(department)) = (found.no_department, rule.legal, matter.unit.competent_unit_id) {
        let roles = audience::awaited_roles(Audience::CompetentDepartment);
        unreached.push(Unreached {
            notice_id: notice,
            template,
            capacity: Capacity::Copy,
            channels: rule.channels(Capacity::Copy).to_vec(),
            awaited_roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            awaited_unit_id: department,
            awaited_unit_name: matter.unit.competent_unit_name.clone().unwrap_or_else(|| "主管部门".to_owned()),
            passed_to: 0,
        });
    }
}

impl Rule {
    /// The unit that a rule addresses: the supervised one, or the agency.
    pub fn addressee<'a>(&self, matter: &'a Matter) -> (UnitId, &'a str) {
        if self.to.iter().any(|audience| matches!(audience, Audience::UnitPrincipal | Audience::UnitContact)) {
            (matter.unit.unit_id, &matter.unit.name)
        } else {
            (matter.issuing_unit_id, &matter.issuing_unit_name)
        }
    }
}

/// The identity of a message, in the order of time, so that a storm writes its index in a row. That an event tells a reader once is
/// kept by the table.
fn message_id() -> MessageId {
    SystemIds.new_id().into()
}

/// A notice with its rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notice<'n> {
    pub id: Uuid,
    pub rule: &'n Rule,
    /// The facts; absent with those from before there were notices.
    pub matter: Option<&'n Matter>,
    pub created_at: Timestamp,
}

impl Notice<'_> {
    fn county(&self) -> Option<&str> {
        self.matter.and_then(|matter| matter.unit.county_code.as_deref())
    }

    fn urgent(&self) -> bool {
        self.matter.is_some_and(|matter| matter.urgent)
    }
}

/// Messages and deliveries of a transaction, written column by column in the end.
#[derive(Debug)]
pub(super) struct Post<'t> {
    telling: &'t Telling,
    at: Timestamp,
    bodies: BTreeMap<(Uuid, Language), String>,
    messages: NewMessages,
    plans: Vec<Plan>,
}

impl<'t> Post<'t> {
    pub(super) fn new(telling: &'t Telling, at: Timestamp) -> Self {
        Self { telling, at, bodies: BTreeMap::new(), messages: NewMessages::default(), plans: Vec::new() }
    }

    /// A message for a person, with the deliveries that are due to it.
    pub(super) fn add_person(
        &mut self,
        notice: &Notice<'_>,
        person: &Person,
        capacity: Capacity,
        channels: &[Channel],
    ) -> Result<(), TellError> {
        // Of a notice without facts there is the text that was made at the time, in Simplified Chinese.
        let language = if notice.matter.is_some() { person.language } else { Language::ZhHans };
        self.body(notice, language)?;
        let account: AccountId = person.account_id;
        let rule = notice.rule;
        let id = message_id();
        self.message(id, notice, Some(account), None, capacity, language);
        let county = notice.county();
        for channel in channels {
            let wish = delivery::plan::Wish {
                message: id.into(),
                channel: *channel,
                template: rule.template,
                legal: rule.legal,
                urgent: notice.urgent(),
                county,
            };
            delivery::plan::person(&self.telling.rules, wish, person, self.at, &mut self.plans);
        }
        Ok(())
    }

    /// A message for an endpoint, if the rule tells such a one.
    fn add_endpoint(&mut self, notice: &Notice<'_>, endpoint: &Endpoint, capacity: Capacity) -> Result<(), TellError> {
        let rule = notice.rule;
        if !rule.channels(capacity).contains(&endpoint.channel) {
            return Ok(());
        }
        self.body(notice, endpoint.language)?;
        let id = message_id();
        self.message(id, notice, None, Some(endpoint.name.clone()), capacity, endpoint.language);
        let leaves = self.telling.rules.may_leave(endpoint.channel, notice.county(), notice.urgent(), self.at);
        self.plans.push(Plan::leaving(id.into(), endpoint.channel, leaves, self.at));
        Ok(())
    }

    fn body(&mut self, notice: &Notice<'_>, language: Language) -> Result<(), TellError> {
        let Some(matter) = notice.matter else { return Ok(()) };
        if let std::collections::btree_map::Entry::Vacant(place) = self.bodies.entry((notice.id, language)) {
            let body = matter.body(language).map_err(|error| TellError::Unfit(error.to_string()))?;
            place.insert(body);
        }
        Ok(())
    }

    fn message(
        &mut self,
        id: MessageId,
        notice: &Notice<'_>,
        account: Option<AccountId>,
        endpoint: Option<String>,
        capacity: Capacity,
        language: Language,
    ) {
        let new = &mut self.messages;
        new.ids.push(id.into());
        new.notices.push(notice.id);
        new.accounts.push(account.map(Uuid::from));
        new.endpoints.push(endpoint);
        new.templates.push(notice.rule.template.as_str().to_owned());
        new.capacities.push(capacity.as_str().to_owned());
        new.languages.push(language.as_str().to_owned());
        new.created.push(notice.created_at.to_sqlx());
    }

    /// Writes everything; a message that its reader has already brings no delivery.
    pub(super) async fn send(self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        if self.messages.ids.is_empty() {
            return Ok(());
        }
        let (mut notices, mut languages, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
        for ((notice, language), body) in self.bodies {
            notices.push(notice);
            languages.push(language.as_str().to_owned());
            bodies.push(body);
        }
        store::insert_texts(tx, &notices, &languages, &bodies).await?;
        let fresh: HashSet<Uuid> = store::insert(tx, &self.messages).await?.into_iter().collect();
        let plans: Vec<Plan> = self.plans.into_iter().filter(|plan| fresh.contains(&plan.message)).collect();
        delivery::store::insert(tx, &plans).await
    }
}

impl Matter {
    /// The body in a language.
    pub fn body(&self, language: Language) -> Result<String, askama::Error> {
        self.wording
            .render(Head { unit: &self.unit.name, case_title: &self.case_title, letter: self.letter_kind }, language)
    }
}
