//! The lives of the rectifications: a letter is issued and received, and then the half reports, is verified and closed in
//! time, the other half stays late.
//!
//! Whoever acts behaves as a client must: one `Idempotency-Key` for an act, sent again until there is an answer.

pub mod flow;
pub mod people;
pub mod proof;
pub mod quiet;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::world::World;
use anyhow::{Context as _, bail};
use contracts::shared::{DocumentKind, DocumentRef};
use contracts::tasks::{FindingFact, LetterIssued, SupervisionKind};
use contracts::{Actor, Event as _};
use domain::ids::{LetterId, RectificationId};
use domain::local_time::local_date;
use domain::rectification::Rectification;
use domain::severity::Severity;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use service_kit::ids::{Ids as _, SystemIds};
use uuid::Uuid;

use people::{County, People, School, id};

/// Lives that go on at the same time. Many: some of them wait until the broker hands out again what a shot consumer had.
const AT_ONCE: usize = 160;
/// How long one act, or the wait for one effect, may take with everything that is shot meanwhile.
const PATIENCE: Duration = Duration::from_mins(4);
const PAUSE: Duration = Duration::from_millis(100);
/// Whoever waits long asks less often.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Limit of one request.
const REQUEST_LIMIT: Duration = Duration::from_secs(15);

/// How many rectifications live, and what identifiers and chances follow from.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Letters, and so rectifications.
    pub rectifications: usize,
    /// Seed of every random choice.
    pub seed: u64,
}

/// An act that was not served at the first attempt, and why; it was done later.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// When.
    pub at: Instant,
    /// Which service, and what it answered.
    pub what: String,
}

/// One letter.
#[derive(Debug)]
pub struct Life {
    /// The letter as `tasks` journals it.
    pub letter: LetterIssued,
    /// Place of the school in [`People::schools`].
    school: usize,
    /// Rectified in time and closed; the others do nothing.
    pub closes: bool,
}

impl Life {
    /// Its rectification.
    pub fn rectification_id(&self) -> RectificationId {
        Rectification::id_of(self.letter.letter_id)
    }
}

/// All of them.
pub struct Lives<'a> {
    world: &'a World,
    people: &'a People,
    /// The letters.
    pub all: Vec<Life>,
    http: Client,
    done: Arc<AtomicUsize>,
    /// How many of them have begun; they begin in their order.
    begun: AtomicUsize,
    /// Those that were lost by nature, see [`Lives::give_up`].
    gone: Mutex<Range<usize>>,
    /// How often which answer came, of those after which one tries again.
    again: Mutex<BTreeMap<String, usize>>,
    troubles: Mutex<Vec<Trouble>>,
    asked: AtomicUsize,
}

impl<'a> Lives<'a> {
    /// The letters that will be issued.
    pub fn new(world: &'a World, people: &'a People, size: &Size) -> anyhow::Result<Self> {
        let issued_at = service_kit::clock::Clock::now(&service_kit::clock::SystemClock);
        let all = (0..size.rectifications)
            .map(|n| {
                let school = n % people.schools.len();
                let letter = letter(size, n, &people.schools[school], people, issued_at);
                // By turns, and for each school by turns: every school has both kinds.
                Life { letter, school, closes: (n / people.schools.len() + n).is_multiple_of(2) }
            })
            .collect();
        Ok(Self {
            world,
            people,
            all,
            http: client(true)?,
            done: Arc::default(),
            begun: AtomicUsize::new(0),
            gone: Mutex::default(),
            again: Mutex::default(),
            troubles: Mutex::default(),
            asked: AtomicUsize::new(0),
        })
    }

    /// The same, with a new connection for each request: whoever keeps none can lose none when a process ends in good order.
    pub fn with_fresh_connections(self) -> anyhow::Result<Self> {
        Ok(Self { http: client(false)?, ..self })
    }

    /// Those that have begun, but for those that were given up.
    pub fn lived(&self) -> impl Iterator<Item = &Life> {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let begun = self.all.iter().take(self.begun()).enumerate();
        begun.filter(move |(place, _)| !gone.contains(place)).map(|(_, life)| life)
    }

    /// How many have begun.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::Acquire)
    }

    /// Gives up those that have begun since the first `from` ones: they were lost by nature, in a restore to an earlier moment.
    /// Only once.
    pub fn give_up(&self, from: usize) {
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = from..self.begun();
    }

    /// Those that were given up.
    pub fn gone(&self) -> &[Life] {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.all.get(gone).unwrap_or_default()
    }

    /// What was not served at the first attempt, in the order of time. "Not there yet" is none.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests so far, repeats included.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// The number of steps taken so far; whoever shoots aims by it.
    pub fn progress(&self) -> &AtomicUsize {
        &self.done
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        self.all.iter().map(|life| if life.closes { 7 } else { 3 }).sum()
    }

    /// Lives all that have not begun; the answer says how often somebody had to try again.
    pub async fn live(&self) -> anyhow::Result<String> {
        self.live_next(self.all.len()).await?;
        Ok(format!("{:?}", self.again.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Lives the next so many.
    pub async fn live_next(&self, count: usize) -> anyhow::Result<()> {
        let tasks = people::connect(self.world, "tasks").await?;
        let last = self.all.len().min(self.begun().saturating_add(count));
        let places = std::iter::from_fn(|| (self.begun() < last).then(|| self.begun.fetch_add(1, Ordering::AcqRel)));
        let mut running =
            futures_util::stream::iter(places).map(|place| self.live_at(&tasks, place)).buffer_unordered(AT_ONCE);
        while let Some(lived) = running.next().await {
            lived?;
        }
        Ok(())
    }

    /// Begins a life every `pace` until told to stop or none is left, and returns when all of them are lived.
    pub async fn live_until(&self, pace: Duration, stop: &AtomicBool) -> anyhow::Result<()> {
        let tasks = people::connect(self.world, "tasks").await?;
        let mut running = FuturesUnordered::new();
        let mut next = tokio::time::interval(pace);
        loop {
            let more = !stop.load(Ordering::Acquire) && self.begun() < self.all.len();
            tokio::select! {
                _ = next.tick(), if more => {
                    running.push(self.live_at(&tasks, self.begun.fetch_add(1, Ordering::AcqRel)));
                }
                Some(lived) = running.next(), if !running.is_empty() => lived?,
                else => return Ok(()),
            }
        }
    }

    async fn live_at(&self, tasks: &postgres::Database, place: usize) -> anyhow::Result<()> {
        let life = self.all.get(place).context("no such life")?;
        self.live_one(tasks, life).await.with_context(|| format!("the life of letter {}", life.letter.document.doc_no))
    }

    async fn live_one(&self, tasks: &postgres::Database, life: &Life) -> anyhow::Result<()> {
        let school = &self.people.schools[life.school];
        let county = &self.people.counties[school.county];
        self.issue(tasks, life, county).await?;
        self.step();
        let document = life.letter.document.document_id;
        self.act(&school.principal, "notifications", &format!("/v1/receipts/{document}/sign"), None, Body::None)
            .await?;
        self.step();
        let address = format!("/v1/rectifications/{}", life.rectification_id());
        let mut view = self.ask(&school.principal, "deadlines", &address).await?;
        self.step();
        if !life.closes {
            return Ok(());
        }
        let items = view["rectification"]["items"].as_array().map_or(0, Vec::len);
        for item in 0..items {
            let last = item + 1 == items;
            let file = self
                .act(
                    &school.principal,
                    "deadlines",
                    &format!("{address}/evidence"),
                    None,
                    Body::File(evidence(life, item)),
                )
                .await?;
            self.step_if(last);
            let at = |act: &str| {
                let item = view["rectification"]["items"][item]["item_id"].as_str().unwrap_or_default();
                format!("{address}/items/{item}/{act}")
            };
            let (report, verify, close) = (at("report"), at("verify"), at("close-out"));
            let body = json!({"text": "已按要求完成整改。", "evidence": [file["file_id"]]});
            view = self.act(&school.principal, "deadlines", &report, version(&view), Body::Json(body)).await?;
            self.step_if(last);
            let body = json!({"decision": "accept", "note": "现场核查属实。"});
            view = self.act(&county.inspector, "deadlines", &verify, version(&view), Body::Json(body)).await?;
            self.step_if(last);
            view = self.act(&county.admin, "deadlines", &close, version(&view), Body::Json(json!({}))).await?;
            self.step_if(last);
        }
        anyhow::ensure!(!view["rectification"]["closed_at"].is_null(), "not closed after the last close-out: {view}");
        Ok(())
    }

    fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn step_if(&self, counts: bool) {
        if counts {
            self.step();
        }
    }

    /// Issues the letter as another process of `tasks` would: document and journal row in one transaction, tried again until
    /// it is known to be there.
    async fn issue(&self, tasks: &postgres::Database, life: &Life, county: &County) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            match issue_once(tasks, life, county).await {
                Ok(()) => return Ok(()),
                Err(error) if began.elapsed() > PATIENCE => return Err(error).context("issuing"),
                Err(error) => {
                    // Anything but a lost database is a fault of the test.
                    anyhow::ensure!(postgres::is_transient(&error), "issuing: {error}");
                    self.count("issuing: the database is away");
                    self.trouble("issuing: the database is away");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Reads something until it is there.
    async fn ask(&self, token: &str, service: &str, path: &str) -> anyhow::Result<Value> {
        self.until_answered(token, Method::GET, service, path, Ok).await
    }

    /// Does something, once.
    async fn act(
        &self,
        token: &str,
        service: &str,
        path: &str,
        version: Option<i64>,
        body: Body,
    ) -> anyhow::Result<Value> {
        let key = SystemIds.new_id().to_string();
        self.until_answered(token, Method::POST, service, path, |mut request| {
            request = request.header("Idempotency-Key", &key);
            if let Some(version) = version {
                request = request.header("If-Match", format!("\"{version}\""));
            }
            Ok(match &body {
                Body::None => request,
                Body::Json(value) => request.json(value),
                Body::File(content) => {
                    let part = Part::bytes(content.clone()).file_name("整改佐证.pdf").mime_str("application/pdf")?;
                    request.multipart(Form::new().part("file", part))
                }
            })
        })
        .await
    }

    async fn until_answered(
        &self,
        token: &str,
        method: Method,
        service: &str,
        path: &str,
        dress: impl Fn(RequestBuilder) -> anyhow::Result<RequestBuilder>,
    ) -> anyhow::Result<Value> {
        let address = format!("{}{path}", self.world.api.base(service)?);
        let began = Instant::now();
        let mut pause = PAUSE;
        loop {
            let request = dress(self.http.request(method.clone(), &address).bearer_auth(token))?;
            self.asked.fetch_add(1, Ordering::Relaxed);
            let seen = match once(request).await {
                Ok((status, body)) if status.is_success() => return Ok(body),
                Ok((status, body)) if again(status, &body) => {
                    let seen = format!("{service}: {status}");
                    if ![StatusCode::NOT_FOUND, StatusCode::CONFLICT].contains(&status) {
                        self.trouble(&seen);
                    }
                    seen
                }
                Ok((status, body)) => bail!("{method} {path} at {service}: {status} {body}"),
                // Refused, reset, cut off: nobody knows whether it was done.
                Err(_) => {
                    let seen = format!("{service}: no answer");
                    self.trouble(&seen);
                    seen
                }
            };
            if began.elapsed() > PATIENCE {
                bail!("{method} {path}: {seen}, for {} s", PATIENCE.as_secs());
            }
            self.count(&seen);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn trouble(&self, what: &str) {
        let trouble = Trouble { at: Instant::now(), what: what.to_owned() };
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push(trouble);
    }

    fn count(&self, what: &str) {
        *self.again.lock().unwrap_or_else(PoisonError::into_inner).entry(what.to_owned()).or_default() += 1;
    }

    /// Moves the clock of every service past the last instant at which an urging order is due.
    pub async fn pass_every_limit(&self) -> anyhow::Result<()> {
        let last =
            self.world.db.value("deadlines", "SELECT max(due_at) AS at FROM timers WHERE kind = 'urge'", &[]).await?;
        let last: Timestamp = last.as_str().context("no urging order is to come")?.parse()?;
        self.world.move_to(last + SignedDuration::from_secs(1)).await
    }
}

/// A client that plays people outside of the system.
#[expect(clippy::disallowed_methods, reason = "plays people outside of the system")]
fn client(keeps_connections: bool) -> anyhow::Result<Client> {
    let client = Client::builder().timeout(REQUEST_LIMIT).connect_timeout(Duration::from_secs(3));
    let kept = if keeps_connections { usize::MAX } else { 0 };
    Ok(client.pool_max_idle_per_host(kept).build()?)
}

enum Body {
    None,
    Json(Value),
    File(Vec<u8>),
}

/// Answers after which a client tries the same again: not there yet, the same request still runs, or it cannot be served now.
fn again(status: StatusCode, body: &Value) -> bool {
    let in_use = body["type"].as_str().is_some_and(|kind| kind.ends_with("idempotency-key-in-use"));
    match status.as_u16() {
        404 | 502 | 503 | 504 | 429 => true,
        409 => in_use,
        _ => false,
    }
}

async fn once(request: RequestBuilder) -> reqwest::Result<(StatusCode, Value)> {
    let answer = request.send().await?;
    let status = answer.status();
    let bytes = answer.bytes().await?;
    Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
}

fn version(view: &Value) -> Option<i64> {
    view["rectification"]["version"].as_i64()
}

/// A small document of this item's own.
fn evidence(life: &Life, item: usize) -> Vec<u8> {
    format!(
        "%PDF-1.4\n% {} item {item}\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n",
        life.letter.letter_id
    )
    .into_bytes()
}

async fn issue_once(tasks: &postgres::Database, life: &Life, county: &County) -> Result<(), sqlx::Error> {
    let document = &life.letter.document;
    let mut tx = tasks.begin().await?;
    // One at a time, as the row of a number series would have it.
    sqlx::query("SELECT pg_advisory_xact_lock(4711)").execute(&mut *tx).await?;
    let serial: i32 = sqlx::query_scalar("SELECT coalesce(max(serial), 0) + 1 FROM documents WHERE agency_word = $1")
        .bind(county.word)
        .fetch_one(&mut *tx)
        .await?;
    let issuer = Actor::system("tasks.faults");
    let new = sqlx::query(
        "INSERT INTO documents (document_id, kind, agency_word, kind_word, year, serial, doc_no, title, issuing_unit_id,
             issuing_unit_name, plan_id, content, sha256, issued_at, issued_by)
         VALUES ($1, 'opinion_letter', $2, '意', $3, $4, $5, $6, $7, $8, $9, '{}', repeat('0', 64), messaging.legal_now(), $10)
         ON CONFLICT (document_id) DO NOTHING",
    )
    .bind(Uuid::from(document.document_id))
    .bind(county.word)
    .bind(local_date(life.letter.issued_at).year())
    .bind(serial)
    .bind(&document.doc_no)
    .bind(&document.title)
    .bind(Uuid::from(document.issuing_unit_id))
    .bind(&document.issuing_unit_name)
    .bind(Uuid::from(life.letter.case_id))
    .bind(sqlx::types::Json(&issuer))
    .execute(&mut *tx)
    .await?;
    if new.rows_affected() == 1 {
        messaging::append(&mut tx, &issuer, &life.letter).await?;
    }
    tx.commit().await
}

fn letter(size: &Size, n: usize, school: &School, people: &People, issued_at: Timestamp) -> LetterIssued {
    let county = &people.counties[school.county];
    let letter_id: LetterId = id(size, &format!("letter {n}"));
    let document = DocumentRef {
        document_id: letter_id.as_uuid().into(),
        kind: DocumentKind::OpinionLetter,
        doc_no: format!("{}意〔{}〕{}号", county.word, local_date(issued_at).year(), n + 1),
        title: "督导意见书".to_owned(),
        issuing_unit_id: county.office,
        issuing_unit_name: county.office_name.clone(),
        issued_at,
        content_sha256: "5d".repeat(32),
    };
    // Every tenth letter has two findings.
    let findings = (1..=if n.is_multiple_of(10) { 2 } else { 1 })
        .map(|number| FindingFact {
            finding_id: id(size, &format!("finding {n}/{number}")),
            number,
            severity: if n.is_multiple_of(3) { Severity::Major } else { Severity::Minor },
            category: "安全管理".to_owned(),
            description: format!("消防通道堆放杂物（{number}）"),
            basis: "《中小学幼儿园安全管理办法》第十七条".to_owned(),
            demand: "限期整改".to_owned(),
            advice: "建立巡查制度".to_owned(),
            responsible_unit_id: school.unit.unit_id,
            responsible_unit_name: school.unit.name.clone(),
        })
        .collect();
    LetterIssued {
        letter_id,
        version: 1,
        case_id: id(size, &format!("case {n}")),
        document,
        case_title: "校园安全专项督导".to_owned(),
        supervision_kind: SupervisionKind::Special,
        visited_on: local_date(issued_at),
        unit: school.unit.clone(),
        evaluation: "总体较好".to_owned(),
        findings,
        issued_at,
        content: String::new(),
    }
}

/// The type under which a letter is journalled.
pub const LETTER: &str = LetterIssued::TYPE;
