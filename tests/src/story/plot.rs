//! The state of the story: the world, the people, and the cases as they go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::province::Province;
use tests::world::db::Databases;

use super::api::{Api, Body};
use super::cast::{Cast, Supervised};
use super::json::Read as _;
use super::show::Show;
use super::wait::{LIMIT, until};
use super::world::World;

/// A supervision case of the story.
#[derive(Debug, Clone)]
pub struct Played {
    /// Short name in the facts.
    pub label: &'static str,
    /// Supervised unit.
    pub unit: Supervised,
    /// Its identifier.
    pub unit_id: String,
    /// Its name.
    pub unit_name: String,
    /// Account that runs the case.
    pub desk: &'static str,
    /// Account that signs letters and closes items.
    pub chief: &'static str,
    /// The group: account and number of each inspector; the last one verifies.
    pub team: Vec<(String, String)>,
    /// The case.
    pub case_id: String,
    /// The letter.
    pub letter_id: String,
    /// Its number.
    pub letter_no: String,
    /// The rectification.
    pub rectification_id: String,
}

impl Played {
    /// The account that verifies.
    pub fn verifier(&self) -> anyhow::Result<&str> {
        Ok(&self.team.last().context("a case has a group")?.0)
    }
}

/// The story.
pub struct Story {
    /// What it plays on.
    pub world: World,
    /// The province that is imported.
    pub province: Province,
    /// The people.
    pub cast: Cast,
    /// Inspectors' persons by number.
    pub persons: BTreeMap<String, String>,
    /// The cases: in time, late, government, and at the end the browser's.
    pub cases: Vec<Played>,
    /// The display.
    pub show: Show,
    /// The processes that played the platform and `exchange`: two and one, unless somebody shot one in the middle of an
    /// attempt, which then nobody could note.
    pub lives: Mutex<BTreeSet<u32>>,
}

/// Index of the school that reports in time.
pub const PUNCTUAL: usize = 0;
/// Index of the school that does not.
pub const LATE: usize = 1;
/// Index of the government.
pub const GOVERNMENT: usize = 2;

impl Story {
    /// The APIs.
    pub fn api(&self) -> &Api {
        &self.world.api
    }

    /// The databases.
    pub fn db(&self) -> &Databases {
        &self.world.db
    }

    /// A case.
    pub fn case(&self, index: usize) -> anyhow::Result<&Played> {
        self.cases.get(index).context("the case was not opened, because an earlier step failed")
    }

    /// The case as one may see it.
    pub async fn read_case(&self, who: &str, case_id: &str) -> anyhow::Result<Value> {
        self.api().get(who, "tasks", &format!("/v1/cases/{case_id}")).await
    }

    /// A step of a case on its newest version.
    pub async fn act_on_case(&self, who: &str, case_id: &str, step: &str, body: Value) -> anyhow::Result<Value> {
        let version = self.read_case(who, case_id).await?.number("/version")?;
        let path = format!("/v1/cases/{case_id}/{step}");
        self.api().act(who, "tasks", &path, version, body).await
    }

    /// A step that must be refused: status and guard.
    pub async fn refused(&self, who: &str, case_id: &str, step: &str, body: Value) -> anyhow::Result<(u16, Value)> {
        let version = self.read_case(who, case_id).await?.number("/version")?;
        let path = format!("/v1/cases/{case_id}/{step}");
        let method = reqwest::Method::POST;
        let answer = self.api().send(Some(who), method, "tasks", &path, Some(version), Body::Json(body)).await?;
        Ok((answer.status, answer.json))
    }

    /// Signs for a document as soon as the unit has it.
    pub async fn sign(&self, who: &str, document_id: &str) -> anyhow::Result<Value> {
        until("a document to sign for", LIMIT, || async {
            let open = self.api().get(who, "notifications", "/v1/receipts?state=open&limit=200").await?;
            let found = open.list("/items")?.iter().any(|receipt| receipt["document_id"] == document_id);
            Ok(found.then_some(()))
        })
        .await?;
        let path = format!("/v1/receipts/{document_id}/sign");
        self.api().post(who, "notifications", &path, Body::None).await
    }

    /// A rectification as one may see it.
    pub async fn rectification(&self, who: &str, id: &str) -> anyhow::Result<Value> {
        self.api().get(who, "deadlines", &format!("/v1/rectifications/{id}")).await
    }

    /// An act on an item, on the newest version.
    pub async fn act_on_item(
        &self,
        who: &str,
        rectification_id: &str,
        item_id: &str,
        act: &str,
        body: Value,
    ) -> anyhow::Result<Value> {
        let version = self.rectification(who, rectification_id).await?.number("/rectification/version")?;
        let path = format!("/v1/rectifications/{rectification_id}/items/{item_id}/{act}");
        self.api().act(who, "deadlines", &path, version, body).await
    }

    /// Uploads a photo as evidence of a rectification.
    pub async fn upload(
        &self,
        who: &str,
        rectification_id: &str,
        item_id: &str,
        photo: Vec<u8>,
    ) -> anyhow::Result<String> {
        let path = format!("/v1/rectifications/{rectification_id}/evidence");
        let files = vec![("file", "整改后照片.jpg".to_owned(), photo)];
        let form = Body::Form(vec![("item_id", item_id.to_owned())], files);
        Ok(self.api().post(who, "deadlines", &path, form).await?.text("/file_id")?.to_owned())
    }

    /// Tells the platform how to behave, from now on or for so many requests.
    pub async fn platform_mode(&self, mode: &str, count: Option<u32>) -> anyhow::Result<()> {
        let mut body = json!({ "mode": mode });
        if let Some(count) = count {
            body["count"] = count.into();
        }
        until("the platform's mode", LIMIT, || async {
            let path = "/admin/mode";
            let post = reqwest::Method::POST;
            self.api().outside(post, "national-platform", path, Body::Json(body.clone())).await?;
            self.note_lives()?;
            Ok(Some(()))
        })
        .await
    }

    fn note_lives(&self) -> anyhow::Result<usize> {
        let platform = self.world.simulator("national-platform")?.pid();
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        lives.extend(platform.into_iter().chain(self.world.pid("exchange")));
        Ok(lives.len())
    }

    /// Whether the platform and `exchange` only ever ended when the story ended them.
    pub fn undisturbed(&self) -> anyhow::Result<bool> {
        Ok(self.note_lives()? <= 3)
    }

    /// Waits until a message to the platform has met a difficulty, or nothing waits any more.
    pub async fn outcome_seen(&self, outcome: &str) -> anyhow::Result<()> {
        self.show.now(&format!("国家平台故障：{outcome} · the platform is out of order"));
        until(&format!("an attempt with the outcome {outcome}"), LIMIT, || async {
            let query = "SELECT count(*) FROM attempts WHERE outcome = $1";
            let count = self.db().count("exchange", query, &[outcome]).await?;
            let query = "SELECT count(*) FROM messages WHERE state <> 'accepted'";
            let waiting = self.db().count("exchange", query, &[]).await?;
            let known = self.db().count("exchange", "SELECT count(*) FROM messages", &[]).await?;
            self.note_lives()?;
            Ok((count > 0 || (known > 0 && waiting == 0)).then_some(()))
        })
        .await
    }

    /// Tells the mail server how to behave.
    pub async fn sink_mode(&self, mode: &str) -> anyhow::Result<()> {
        until("the mail server's mode", LIMIT, || async {
            let body = Body::Json(json!({ "mode": mode }));
            self.api().outside(reqwest::Method::POST, "mail-sink", "/mode", body).await?;
            Ok(Some(()))
        })
        .await
    }

    /// What the mail sink has.
    pub async fn mails(&self) -> anyhow::Result<Vec<Value>> {
        until("the mails", LIMIT, || async {
            let all = self.api().outside(reqwest::Method::GET, "mail-sink", "/messages", Body::None).await?;
            Ok(Some(all.list("")?.to_vec()))
        })
        .await
    }

    /// What the platform has, in order of arrival.
    pub async fn received(&self) -> anyhow::Result<Vec<Value>> {
        until("what the platform received", LIMIT, || async {
            let all = self.api().outside(reqwest::Method::GET, "national-platform", "/v1/received", Body::None).await?;
            Ok(Some(all.list("/messages")?.to_vec()))
        })
        .await
    }
}
