//! The pages as templates see them.

use std::sync::LazyLock;

use askama::Template;
use contracts::deadlines::ItemState;
use domain::local_time::{date_zh, local_date, moment_zh};
use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::PortalError;
use super::store::{Count, Filter, Line, List, PublicPage};
use super::words::{Lang, Words};
use crate::config::PortalSection;
use crate::publication::{PageContent, PublicStatus};

/// The one style sheet.
pub(super) const STYLE: &str = include_str!("../../assets/portal.css");
/// Its address.
pub(super) const STYLE_PATH: &str = "/assets/portal.css";
/// Its version; part of the links to it, so that it may be kept for ever.
pub(super) static STYLE_VERSION: LazyLock<String> = LazyLock::new(|| version_of(STYLE));

/// The one script, for the page of verification.
pub(super) const SCRIPT: &str = include_str!("../../assets/verify.js");
/// Its address.
pub(super) const SCRIPT_PATH: &str = "/assets/verify.js";
/// Its version.
pub(super) static SCRIPT_VERSION: LazyLock<String> = LazyLock::new(|| version_of(SCRIPT));

fn version_of(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()).get(..6).unwrap_or_default())
}

/// The script's address with its version.
pub(super) fn script_address() -> String {
    format!("{SCRIPT_PATH}?v={}", *SCRIPT_VERSION)
}

/// What every page has around it.
pub(super) struct Frame<'a> {
    pub(super) site: &'a PortalSection,
    pub(super) style: String,
    /// Path of the page itself, for the canonical link.
    pub(super) path: String,
    /// The words around the page.
    pub(super) words: &'static Words,
}

impl<'a> Frame<'a> {
    fn new(site: &'a PortalSection, path: impl Into<String>) -> Self {
        Self::in_language(site, path, Lang::ZhHans.words())
    }

    pub(super) fn in_language(site: &'a PortalSection, path: impl Into<String>, words: &'static Words) -> Self {
        Self { site, style: format!("{STYLE_PATH}?v={}", *STYLE_VERSION), path: path.into(), words }
    }
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct CountLine {
    name: String,
    link: String,
    total: i64,
    open: i64,
    urged: i64,
    closed: i64,
}

struct Card<'a> {
    link: String,
    content: &'a PageContent,
    closed: usize,
    waived: usize,
    issued: String,
    published: String,
}

#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    frame: Frame<'a>,
    counties: Vec<Choice>,
    statuses: Vec<Choice>,
    counts: Vec<CountLine>,
    all: CountLine,
    cards: Vec<Card<'a>>,
    total: i64,
    filtered: bool,
    number: i64,
    pages: i64,
    earlier: Option<String>,
    later: Option<String>,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    frame: Frame<'a>,
    public: &'a PublicPage,
    content: &'a PageContent,
    issued: String,
    received: String,
    published: String,
    closed: usize,
    waived: usize,
    timeline: Vec<Moment>,
}

struct Moment {
    on: Date,
    day: String,
    text: String,
    late: bool,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    frame: Frame<'a>,
    heading: &'a str,
    text: String,
}

#[derive(Template)]
#[template(path = "about.html")]
struct About<'a> {
    frame: Frame<'a>,
}

#[derive(Template)]
#[template(path = "feed.xml")]
struct Feed<'a> {
    site: &'a PortalSection,
    updated: String,
    pages: &'a [PublicPage],
}

/// The class of a state, for its colour; the words say the same.
fn state_class(state: ItemState) -> &'static str {
    match state {
        ItemState::InProgress => "open",
        ItemState::Reported | ItemState::Verified => "checking",
        ItemState::Closed | ItemState::Waived => "closed",
    }
}

impl PageContent {
    fn closed_count(&self) -> usize {
        self.count(ItemState::Closed)
    }

    fn waived_count(&self) -> usize {
        self.count(ItemState::Waived)
    }

    fn count(&self, state: ItemState) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }
}

fn link(filter: &Filter, page: i64) -> String {
    let mut parts = Vec::new();
    if let Some(county) = &filter.county {
        parts.push(format!("county={county}"));
    }
    if let Some(status) = &filter.status {
        parts.push(format!("status={status}"));
    }
    if page > 1 {
        parts.push(format!("page={page}"));
    }
    if parts.is_empty() { "/".to_owned() } else { format!("/?{}", parts.join("&")) }
}

fn count_line(count: &Count) -> CountLine {
    let code = count.code.clone().unwrap_or_else(|| "province".to_owned());
    CountLine {
        name: count.name.clone(),
        link: format!("/?county={code}"),
        total: count.open + count.urged + count.closed,
        open: count.open,
        urged: count.urged,
        closed: count.closed,
    }
}

pub(super) fn index(
    site: &PortalSection,
    filter: &Filter,
    list: &List,
    page: i64,
    per_page: i64,
) -> Result<String, PortalError> {
    let counts: Vec<CountLine> = list.counts.iter().map(count_line).collect();
    let sum = |of: fn(&CountLine) -> i64| counts.iter().map(of).sum::<i64>();
    let all = CountLine {
        name: "全省".to_owned(),
        link: "/".to_owned(),
        total: sum(|line| line.total),
        open: sum(|line| line.open),
        urged: sum(|line| line.urged),
        closed: sum(|line| line.closed),
    };
    let mut counties =
        vec![Choice { value: String::new(), label: "全部".to_owned(), chosen: filter.county.is_none() }];
    counties.extend(list.counts.iter().map(|count| {
        let value = count.code.clone().unwrap_or_else(|| "province".to_owned());
        Choice { chosen: filter.county.as_ref() == Some(&value), label: count.name.clone(), value }
    }));
    let mut statuses =
        vec![Choice { value: String::new(), label: "全部".to_owned(), chosen: filter.status.is_none() }];
    statuses.extend(PublicStatus::ALL.map(|status| Choice {
        value: status.as_str().to_owned(),
        label: status.zh().to_owned(),
        chosen: filter.status.as_deref() == Some(status.as_str()),
    }));
    let cards = list
        .lines
        .iter()
        .map(|Line { publication_id, content, published_at }| Card {
            link: format!("/rectifications/{publication_id}"),
            closed: content.closed_count(),
            waived: content.waived_count(),
            issued: date_zh(content.letter_issued_on),
            published: date_zh(local_date(*published_at)),
            content,
        })
        .collect();
    let pages = ((list.total + per_page - 1) / per_page).max(1);
    let template = Index {
        frame: Frame::new(site, link(filter, page)),
        counties,
        statuses,
        counts,
        all,
        cards,
        total: list.total,
        filtered: filter.county.is_some() || filter.status.is_some(),
        number: page,
        pages,
        earlier: (page > 1).then(|| link(filter, page - 1)),
        later: (page < pages).then(|| link(filter, page + 1)),
    };
    Ok(template.render()?)
}

pub(super) fn page(site: &PortalSection, page: &PublicPage) -> Result<String, PortalError> {
    let content = &page.content;
    let template = Page {
        frame: Frame::new(site, format!("/rectifications/{}", content.publication_id)),
        public: page,
        issued: date_zh(content.letter_issued_on),
        received: date_zh(content.received_on),
        published: moment_zh(page.published_at),
        closed: content.closed_count(),
        waived: content.waived_count(),
        timeline: timeline(content),
        content,
    };
    Ok(template.render()?)
}

/// What happened, in the order of days.
fn timeline(content: &PageContent) -> Vec<Moment> {
    let moment = |on: Date, text: String| Moment { on, day: date_zh(on), text, late: false };
    let mut moments = vec![
        moment(content.letter_issued_on, format!("{}下达{}", content.issuing_agency, content.letter_no)),
        moment(content.received_on, begun(content)),
    ];
    for order in &content.urging_orders {
        let numbers: Vec<String> = order.items.iter().map(|item| item.number.to_string()).collect();
        let text = format!("第{}项整改逾期，系统下达督办单{}", numbers.join("、"), order.doc_no);
        moments.push(Moment { late: true, ..moment(order.issued_on, text) });
    }
    for finding in &content.findings {
        let number = finding.number;
        if let Some(on) = finding.reported_on {
            moments.push(moment(on, format!("第{number}项报告整改情况")));
        }
        if let Some(on) = finding.verified_on {
            moments.push(moment(on, format!("第{number}项核查通过")));
        }
        if let Some(on) = finding.closed_on {
            let ended = if finding.state == ItemState::Waived { "经批准免于整改" } else { "销号" };
            moments.push(moment(on, format!("第{number}项{ended}")));
        }
    }
    if let Some(on) = content.closed_on {
        moments.push(moment(on, "全部问题完成整改".to_owned()));
    }
    // A stable sort: within a day the order of the procedure stays.
    moments.sort_by_key(|moment| moment.on);
    moments
}

fn begun(content: &PageContent) -> String {
    let unit = &content.unit_name;
    if content.joint_liability {
        format!("{unit}因所属单位逾期未完成整改承担连带责任，整改期限开始计算")
    } else {
        format!("{unit}签收整改文书，整改期限开始计算")
    }
}

pub(super) fn withdrawn(site: &PortalSection, at: Timestamp) -> Result<String, PortalError> {
    let text = format!("该公开信息已于{}撤回。如有疑问，请与{}联系。", date_zh(local_date(at)), site.operator);
    Ok(Notice { frame: Frame::new(site, "/"), heading: "该公开信息已撤回", text }.render()?)
}

pub(super) fn not_found(site: &PortalSection) -> Result<String, PortalError> {
    let text = "您访问的页面不存在，可能是地址有误，也可能尚未公开。请返回首页查找。".to_owned();
    Ok(Notice { frame: Frame::new(site, "/"), heading: "找不到页面", text }.render()?)
}

pub(super) fn unavailable(site: &PortalSection) -> Result<String, PortalError> {
    let text = "系统暂时无法提供该页面，请稍后再试。".to_owned();
    Ok(Notice { frame: Frame::new(site, "/"), heading: "暂时无法访问", text }.render()?)
}

pub(super) fn about(site: &PortalSection) -> Result<String, PortalError> {
    Ok(About { frame: Frame::new(site, "/about") }.render()?)
}

pub(super) fn feed(site: &PortalSection, pages: &[PublicPage]) -> Result<String, PortalError> {
    let newest = pages.iter().map(|page| page.published_at).max();
    // A feed without entries still needs a date (RFC 4287 section 4.1.1).
    let updated = newest.unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    Ok(Feed { site, updated, pages }.render()?)
}
