//! Every key and every password is changed while people act: the database roles' passwords, the key that signs tokens, those of the
//! journals, the one of the national platform, the one of the room that renders, those of cookies and one-time links, the broker's
//! user, the key of the object store, the secret of the webhooks, and the password of the installation's own account. Each by the
//! steps of `deploy/README.md`, process by process. Nothing may be lost, what was signed before stays good for its life, and at the
//! end no old key opens anything.

mod receiver;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use axum::body::Bytes;
use dudao::keys::{self, KeyPurpose};
use futures_util::future::try_join_all;
use local_stack::{AccessKey, BrokerAccess, NatsUser};
use messaging::JournalPublicKey;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::{Value, json};
use service_kit::config::{FilesSection, SecretFile};
use service_kit::files::Files;
use sqlx::{AssertSqlSafe, Connection as _};

use receiver::{Receiver, Secret};

use super::{Ground, Report};
use crate::lives::Lives;
use crate::lives::flow::JOURNALS;
use crate::lives::people::People;
use crate::world::api::Body;
use crate::world::config::{self, Bucket};
use crate::world::wait::until_true;
use crate::world::{PASSWORD, World};

/// In whose database letters are issued (see [`crate::lives`]).
const ISSUES: &str = "tasks";
/// The password of the installation's account from its change on.
const NEW_PASSWORD: &str = "Another-Password-2027";

/// All of it takes minutes, and somebody has to begin to the end of it, in the small size as well.
const PEOPLE_COME_FOR: Duration = Duration::from_secs(400);
/// Rectifications that begin when all keys are new.
const LAST: usize = 10;

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut options = ground.world();
    options.behind_doors = 2;
    let bucket_key = AccessKey::new("dudao")?;
    options.bucket_key = Some(bucket_key.clone());
    let (mut world, people) = ground.start(options).await?;
    // The proof at the end believes both halves of every journal: what `earlier_public_keys` is to a service.
    let journals = NewKeys::make(&world)?;
    for service in &mut world.installation.services {
        service.journal_public_keys.extend(journals.public(&service.name)?);
    }
    let world = world;
    world.api.sign_in("operator", PASSWORD).await?;
    let lives = Lives::new(&world, &people, &ground.size)?.with_fresh_connections()?;
    // Steps that people take before.
    let steps = if ground.small { 8 } else { 40 };
    let most = ground.size.rectifications.saturating_sub(LAST).max(1);
    let pace = PEOPLE_COME_FOR / u32::try_from(most)?;
    let rotation = Rotation { ground, world: &world, people: &people };
    let receiver = Receiver::start().await?;
    let (old_secret, new_secret) = (Secret::new()?, Secret::new()?);
    rotation.open_webhooks(&receiver, &old_secret).await?;
    let (held, took) = ground
        .under_load_every(pace, most, &lives, async |_| {
            ground.steps(&lives, steps).await?;
            Box::pin(rotation.while_people_act(&bucket_key, &journals, &mut report)).await
        })
        .await?;
    report.phase("负载下轮换全部密钥 all keys changed under load", took);
    rotation.database_passwords(|service| service == ISSUES, &mut report).await?;
    // All keys are new.
    lives.live_next(LAST).await?;
    let both = rotation.begin_with_webhook_secret([&old_secret, &new_secret]).await?;
    // Urging orders, of which the offices hear.
    ground.prove(&world, &lives, &mut report).await?;
    rotation.webhook_secret(&receiver, [&old_secret, &new_secret], both, &mut report).await?;
    rotation.old_keys_are_dead(&held, &mut report).await?;
    world.stop().await;
    Ok(report)
}

/// New keys of the journals, made beside the old ones.
struct NewKeys {
    folder: PathBuf,
}

impl NewKeys {
    fn make(world: &World) -> anyhow::Result<Self> {
        let folder = world.folder().join("secrets").join("next");
        std::fs::create_dir_all(&folder)?;
        for service in JOURNALS {
            let (private, public) = keys::texts(KeyPurpose::Journal)?;
            std::fs::write(folder.join(format!("{service}.key")), private)?;
            std::fs::write(folder.join(format!("{service}.pub")), public)?;
        }
        Ok(Self { folder })
    }

    fn private(&self, service: &str) -> PathBuf {
        self.folder.join(format!("{service}.key"))
    }

    fn public(&self, service: &str) -> anyhow::Result<Option<String>> {
        if !JOURNALS.contains(&service) {
            return Ok(None);
        }
        Ok(Some(std::fs::read_to_string(self.folder.join(format!("{service}.pub")))?.trim().to_owned()))
    }
}

/// What people hold from before, made with the old keys.
struct Held {
    /// The code of a one-time link.
    link: String,
    /// The console's cookie.
    cookie: String,
    /// A statement of the room that renders.
    rendition: String,
    /// Somebody's token.
    token: String,
    /// The id of a file that was stored.
    evidence: String,
}

struct Rotation<'a> {
    ground: &'a Ground,
    world: &'a World,
    people: &'a People,
}

impl Rotation<'_> {
    fn client() -> anyhow::Result<Client> {
        #[expect(clippy::disallowed_methods, reason = "a browser of its own, which follows nothing")]
        let client = Client::builder().redirect(redirect::Policy::none()).build()?;
        Ok(client)
    }

    /// Both configuration files of a service, in the order of its processes.
    fn configurations(&self, service: &str) -> [PathBuf; 2] {
        let folder = self.world.folder().join("config");
        [folder.join(format!("{service}.toml")), folder.join(format!("{service}-2.toml"))]
    }

    /// Changes one text of a service's configuration and has its processes started anew, one after the other, without a request
    /// that finds none.
    async fn configure(&self, service: &str, change: &[(String, String)]) -> anyhow::Result<()> {
        for file in self.configurations(service) {
            let mut text = std::fs::read_to_string(&file)?;
            for (from, to) in change {
                ensure!(text.contains(from.as_str()), "{}: there is no {from}", file.display());
                text = text.replace(from, to);
            }
            std::fs::write(&file, text)?;
        }
        self.roll(service).await
    }

    /// A rolling restart.
    async fn roll(&self, service: &str) -> anyhow::Result<()> {
        let door = self.world.doors()?.service(service)?;
        for index in 0..2 {
            until_true("both are in service", || async { Ok(door.open_targets() == 2) }).await?;
            door.take_out(index);
            let process = self.world.replica(service, index)?;
            process.terminate().await;
            process.bring_up().await.with_context(|| format!("{service} with its new key: {}", process.tail()))?;
            door.put_back(index);
        }
        until_true("both are in service", || async { Ok(door.open_targets() == 2) }).await
    }

    /// All that no clock has to move for.
    async fn while_people_act(
        &self,
        bucket_key: &AccessKey,
        journals: &NewKeys,
        report: &mut Report,
    ) -> anyhow::Result<Held> {
        let held = self.before().await?;
        // All but the one of the database in which the drill itself issues letters; that one follows.
        self.database_passwords(|service| service != ISSUES, report).await?;
        self.broker_user(report).await?;
        self.object_store_key(&held, bucket_key, report).await?;
        self.journal_keys(journals, report).await?;
        self.platform_key(report).await?;
        self.rendition_key(&held, report).await?;
        self.link_key(&held, report).await?;
        self.cookie_key(&held, report).await?;
        self.bootstrap_password(report).await?;
        self.token_key(report).await?;
        Ok(held)
    }

    /// Somebody uses everything that is about to change.
    async fn before(&self) -> anyhow::Result<Held> {
        until_true("the first mail has a link", || async { Ok(self.newest_link().await.is_ok()) }).await?;
        let link = self.newest_link().await?;
        let held = Held {
            link,
            cookie: self.sign_in_to_console(PASSWORD).await?,
            rendition: self.rendition().await?,
            token: self.people.counties.first().context("a county")?.admin.clone(),
            evidence: self.stored_evidence().await?,
        };
        ensure!(self.link_is_known(&held.link).await?, "the link of a mail is not known");
        ensure!(self.is_signed_in(&held.cookie).await?, "the console does not know its own cookie");
        ensure!(self.is_known_rendition(&held.rendition).await?, "the portal does not know the room that renders");
        ensure!(self.is_given_out(&held.evidence).await?, "a stored file is not given out");
        Ok(held)
    }

    /// ALTER ROLE, then the file: services take it over by themselves. Then every connection is cut, so that each process has to
    /// come in with the new one.
    async fn database_passwords(&self, of: impl Fn(&str) -> bool, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut administrator = self.world.administrator("postgres").await?;
        let chosen = || JOURNALS.into_iter().filter(|service| of(service));
        for (_, access) in self.world.stack().databases().iter().filter(|(service, _)| of(service)) {
            let old = std::fs::read_to_string(&access.password_file)?;
            // Hexadecimal, as those of the stack; DDL takes no parameters.
            let new: String = keys::texts(KeyPurpose::Journal)?.1.trim().chars().take(48).collect();
            let statement = format!("ALTER ROLE \"{}\" PASSWORD '{new}'", access.user);
            sqlx::query(AssertSqlSafe(statement)).execute(&mut administrator).await?;
            replace(&access.password_file, &new)?;
            ensure!(
                !can_connect(self.world, access, old.trim()).await,
                "{}: the old password still opens",
                access.user
            );
        }
        self.world.db.read_passwords(&self.world.installation)?;
        for service in chosen() {
            for index in 0..2 {
                let process = self.world.replica(service, index)?;
                until_true("the new password is taken over", || async {
                    Ok(std::fs::read_to_string(process.log())?.contains("the password of the database was changed"))
                })
                .await
                .with_context(|| format!("{service} {index}"))?;
            }
        }
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY($1)";
        let names: Vec<String> = chosen().map(|service| format!("dudao-{service}")).collect();
        sqlx::query(cut).bind(names).execute(&mut administrator).await?;
        administrator.close().await?;
        for service in chosen() {
            let door = self.world.doors()?.service(service)?;
            until_true("both have come in with it", || async { Ok(door.open_targets() == 2) }).await?;
        }
        self.say("database passwords");
        report.phase("数据库密码（无需重启）database passwords, without a restart", began.elapsed());
        Ok(())
    }

    /// The broker knows both users while the services come over to the new one.
    async fn broker_user(&self, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        let stack = self.world.stack();
        let access = stack.settings(ISSUES).broker;
        let password = std::fs::read_to_string(&access.password_file)?.trim().to_owned();
        let old = NatsUser { name: access.user.clone(), password };
        let new =
            NatsUser { name: "dudao-2027".to_owned(), password: keys::texts(KeyPurpose::Journal)?.1.trim().to_owned() };
        let file = self.world.folder().join("secrets").join("nats-2027.password");
        std::fs::write(&file, &new.password)?;
        stack.nats().set_users(&[old.clone(), new.clone()])?;
        until_true("the broker knows the new user", || async { Ok(self.comes_in(&new).await) }).await?;
        let next = BrokerAccess { user: new.name.clone(), password_file: file, ..access.clone() };
        let change = [(config::broker(&access), config::broker(&next))];
        try_join_all(JOURNALS.map(|service| self.configure(service, &change))).await?;
        stack.nats().set_users(std::slice::from_ref(&new))?;
        until_true("the broker has forgotten the old user", || async { Ok(!self.comes_in(&old).await) }).await?;
        // Whoever had still come as the old one would have been sent away.
        for service in JOURNALS {
            for index in 0..2 {
                let address = self.operations_of(service, index)?;
                let ready = Self::client()?.get(format!("http://{address}/readyz")).send().await?.status();
                ensure!(ready.is_success(), "{service} {index} has lost the broker: {ready}");
            }
        }
        self.say("user of the broker");
        report.phase("消息服务器用户和密码 the broker's user and password", began.elapsed());
        Ok(())
    }

    async fn comes_in(&self, user: &NatsUser) -> bool {
        let options = async_nats::ConnectOptions::with_user_and_password(user.name.clone(), user.password.clone());
        options.connect(self.world.stack().nats().url()).await.is_ok()
    }

    /// The store knows both keys while the services come over to the new one; what was stored with the old one is given out.
    async fn object_store_key(&self, held: &Held, old: &AccessKey, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        let store = self.world.object_store()?;
        let new = AccessKey::new("dudao-2027")?;
        store.set_keys(&[old.clone(), new.clone()])?;
        let secrets = self.world.folder().join("secrets");
        let (before, after) = (Bucket::of(store, old, &secrets)?, Bucket::of(store, &new, &secrets)?);
        let change = [(before.lines(), after.lines())];
        try_join_all(JOURNALS.map(|service| self.configure(service, &change))).await?;
        store.set_keys(std::slice::from_ref(&new))?;
        ensure!(
            !opens(&before).await? && opens(&after).await?,
            "the old key still opens the bucket, or the new one does not"
        );
        let stored = self.files_stored().await?;
        until_true("a file is stored with the new key", || async { Ok(self.files_stored().await? > stored) }).await?;
        ensure!(self.is_given_out(&held.evidence).await?, "a file from before is not given out");
        self.say("key of the object store");
        report.phase("对象存储密钥 the object store's key", began.elapsed());
        Ok(())
    }

    /// Offices hear by webhook from now on.
    async fn open_webhooks(&self, receiver: &Receiver, secret: &Secret) -> anyhow::Result<()> {
        let file = self.webhook_file("webhook-1", secret)?;
        let mut lines = format!("[outbound]\nallowed_hosts = [{:?}]\n", receiver.address().to_string());
        for (place, code) in ["460100", "460200"].into_iter().enumerate() {
            let _ = write!(
                lines,
                "[[channels.endpoints]]\nname = \"office-{place}\"\nchannel = \"webhook\"\nunit = \"office-{code}\"\n\
                 url = \"http://{}/\"\nper_minute = 6000\nallow_private_address = true\n{}",
                receiver.address(),
                secret_files(&[&file])
            );
        }
        let mark = "[receipts]\n";
        self.configure("notifications", &[(mark.to_owned(), format!("{lines}{mark}"))]).await
    }

    /// From now on until [`Rotation::webhook_secret`] each call has both signatures.
    async fn begin_with_webhook_secret(&self, [old, new]: [&Secret; 2]) -> anyhow::Result<Duration> {
        let (first, second) = (self.webhook_file("webhook-1", old)?, self.webhook_file("webhook-2", new)?);
        let began = Instant::now();
        let change = [(secret_files(&[&first]), secret_files(&[&second, &first]))];
        self.configure("notifications", &change).await?;
        Ok(began.elapsed())
    }

    /// The receiver has changed over.
    async fn webhook_secret(
        &self,
        receiver: &Receiver,
        [old, new]: [&Secret; 2],
        before: Duration,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let calls = receiver.calls();
        ensure!(!calls.is_empty(), "no office has heard of the urging orders");
        for secret in [old, new] {
            ensure!(calls.iter().all(|call| call.is_signed_with(secret)), "a call lacks one of the two signatures");
        }
        let (first, second) = (self.webhook_file("webhook-1", old)?, self.webhook_file("webhook-2", new)?);
        let began = Instant::now();
        let change = [(secret_files(&[&second, &first]), secret_files(&[&second]))];
        self.configure("notifications", &change).await?;
        report.phase("系统回调密钥 the webhooks' secret", before + began.elapsed());
        // Who did not obey the urging order is to be interviewed, which is proposed to the office.
        receiver.forget();
        let query = "SELECT max(due_at) AS at FROM timers WHERE kind = 'escalate'";
        let next = self.world.db.value("deadlines", query, &[]).await?;
        self.world.move_to(next.as_str().context("nothing is to be proposed")?.parse()?).await?;
        until_true("the office hears of it", || async { Ok(!receiver.calls().is_empty()) }).await?;
        self.ground.quiet(self.world).await?;
        let calls = receiver.calls();
        ensure!(calls.iter().all(|call| call.is_signed_with(new)), "a call lacks the new signature");
        ensure!(!calls.iter().any(|call| call.is_signed_with(old)), "the old secret still signs");
        self.say("secret of the webhooks");
        Ok(())
    }

    fn webhook_file(&self, name: &str, secret: &Secret) -> anyhow::Result<PathBuf> {
        let file = self.world.folder().join("secrets").join(format!("{name}.secret"));
        std::fs::write(&file, secret.text())?;
        Ok(file)
    }

    /// The new public half first, then the private one: whoever verifies knows both at every moment.
    async fn journal_keys(&self, new: &NewKeys, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        // All services at once: no journal knows another's key.
        try_join_all(JOURNALS.map(|service| self.journal_key(service, new))).await?;
        self.say("journal keys");
        report.phase("七个日志签名密钥 the journals' keys", began.elapsed());
        Ok(())
    }

    async fn journal_key(&self, service: &str, new: &NewKeys) -> anyhow::Result<()> {
        let settings = self.world.stack().settings(service);
        let (old_key, old_public) = (settings.journal_key, std::fs::read_to_string(settings.journal_public_key)?);
        let line = |key: &Path| format!("[journal]\nsigning_key_file = {:?}\n", key.display().to_string());
        let known = format!(
            "earlier_public_keys = [{:?}, {:?}]\n",
            old_public.trim(),
            new.public(service)?.context("made above")?
        );
        self.configure(service, &[(line(&old_key), format!("{}{known}", line(&old_key)))]).await?;
        self.configure(service, &[(line(&old_key), line(&new.private(service)))]).await
    }

    /// The national platform learns the new public half before anything is signed with the private one.
    async fn platform_key(&self, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        let settings = self.world.stack().settings("exchange");
        let (private, public) = keys::texts(KeyPurpose::Journal)?;
        let file = self.world.folder().join("secrets").join("platform.key");
        std::fs::write(&file, private)?;
        let platform = self.world.simulator("national-platform")?;
        let their_file = self.world.stack().settings("national-platform").own_folder.join("provinces.keys");
        let known = std::fs::read_to_string(&their_file)?;
        std::fs::write(&their_file, format!("{known}{}\n", public.trim()))?;
        platform.terminate().await;
        platform.bring_up().await?;
        let line = |key: &Path| format!("signing_key_file = {:?}\nlongest_delay_seconds", key.display().to_string());
        self.configure("exchange", &[(line(&settings.journal_key), line(&file))]).await?;
        let key = JournalPublicKey::from_hex(public.trim()).context("the new public half")?;
        until_true("a message is signed with the new key", || async {
            let received = self.world.api.outside(Method::GET, "national-platform", "/v1/received", Body::None).await?;
            let messages = received["messages"].as_array().context("a list")?;
            Ok(messages.last().is_some_and(|message| message["keyid"].as_str().is_some_and(|id| id.contains(key.id()))))
        })
        .await?;
        // The platform forgets the old one.
        std::fs::write(&their_file, format!("# 460000\n{}\n", public.trim()))?;
        platform.terminate().await;
        platform.bring_up().await?;
        self.say("key of the national platform");
        report.phase("国家平台密钥 the platform's key", began.elapsed());
        Ok(())
    }

    /// The portal learns the new public half first, and keeps the old one for files that people have.
    async fn rendition_key(&self, held: &Held, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        let secrets = self.world.folder().join("secrets");
        let old = std::fs::read_to_string(secrets.join("rendering.pub"))?;
        let (private, public) = keys::texts(KeyPurpose::Journal)?;
        let file = secrets.join("rendering-2.key");
        std::fs::write(&file, private)?;
        let list = |keys: &[&str]| format!("rendition_keys = {keys:?}");
        let both = list(&[old.trim(), public.trim()]);
        self.configure("publication", &[(list(&[old.trim()]), both.clone())]).await?;
        let line = |key: &Path| format!("signing_key_file = {:?}", key.display().to_string());
        self.configure("documents", &[(line(&secrets.join("rendering.key")), line(&file))]).await?;
        let new = self.rendition().await?;
        ensure!(new != held.rendition, "the room signs as before");
        ensure!(self.is_known_rendition(&new).await?, "a file of the new key is not known");
        ensure!(self.is_known_rendition(&held.rendition).await?, "a file of the old key is not known any more");
        // Whoever takes the old one away refuses new statements of it; what it said before stays known.
        self.configure("publication", &[(both, list(&[public.trim()]))]).await?;
        ensure!(!self.is_known_rendition(&held.rendition).await?, "the old key still signs");
        self.say("key of the room that renders");
        report.phase("文书签名密钥 the renditions' key", began.elapsed());
        Ok(())
    }

    /// Links are known by their hashes: those of the old key live out their days.
    async fn link_key(&self, held: &Held, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        replace(&self.world.folder().join("secrets").join("receipt-links.key"), &keys::texts(KeyPurpose::Journal)?.0)?;
        self.roll("notifications").await?;
        ensure!(self.link_is_known(&held.link).await?, "a link of the old key has died");
        until_true("a link of the new key", || async {
            let newest = self.newest_link().await?;
            Ok(newest != held.link && self.link_is_known(&newest).await?)
        })
        .await?;
        self.say("key of one-time links");
        report.phase("签收链接密钥 the links' key", began.elapsed());
        Ok(())
    }

    /// Both stand in the file, the new one first: nobody has to sign in again. The old one goes when its last cookie has.
    async fn cookie_key(&self, held: &Held, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        let file = self.world.folder().join("secrets").join("cookie.key");
        let old = std::fs::read_to_string(&file)?;
        let new = keys::texts(KeyPurpose::Journal)?.1;
        // Everyone can open with the new one before anyone seals with it.
        replace(&file, &format!("{}\n{}\n", old.trim(), new.trim()))?;
        self.roll("console").await?;
        ensure!(self.is_signed_in(&held.cookie).await?, "somebody had to sign in again");
        replace(&file, &format!("{}\n{}\n", new.trim(), old.trim()))?;
        self.roll("console").await?;
        ensure!(self.is_signed_in(&held.cookie).await?, "somebody had to sign in again");
        let fresh = self.sign_in_to_console(PASSWORD).await?;
        replace(&file, new.trim())?;
        self.roll("console").await?;
        ensure!(self.is_signed_in(&fresh).await?, "a cookie of the new key does not open");
        ensure!(!self.is_signed_in(&held.cookie).await?, "a cookie of the old key still opens");
        self.say("key of cookies");
        report.phase("控制台 Cookie 密钥 the cookies' key", began.elapsed());
        Ok(())
    }

    /// The file says another one; the register takes it over at its start.
    async fn bootstrap_password(&self, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        replace(&self.world.folder().join("secrets").join("operator.password"), NEW_PASSWORD)?;
        self.roll("registry").await?;
        ensure!(self.session(PASSWORD).await? == StatusCode::UNAUTHORIZED, "the old password still opens");
        self.world.api.sign_in("operator", NEW_PASSWORD).await?;
        self.say("password of the installation's account");
        report.phase("初始账号密码 the installation's password", began.elapsed());
        Ok(())
    }

    /// The public half goes to all services, which read it by themselves within a minute; then the register signs with the private
    /// one. Tokens of the old key live out their eight hours.
    async fn token_key(&self, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        let settings = self.world.stack().settings("registry");
        let (private, public) = keys::texts(KeyPurpose::Token)?;
        let file = self.world.folder().join("secrets").join("registry-next.pem");
        std::fs::write(&file, &private)?;
        std::fs::write(settings.token_public_keys.join("registry-next.pem"), public)?;
        // A token of the new key, made here, shows when everyone knows it.
        let issuer = access::TokenIssuer::load(&file)?;
        let caller = access::Caller {
            account_id: domain::ids::AccountId::new(service_kit::ids::Ids::new_id(&service_kit::ids::SystemIds)),
            display_name: "轮换演练".to_owned(),
            person_id: None,
            unit_id: None,
            grants: Vec::new(),
        };
        let now = service_kit::clock::Clock::now(&service_kit::clock::SystemClock);
        let probe = issuer.issue(&caller, service_kit::ids::Ids::new_id(&service_kit::ids::SystemIds), now)?.token;
        for service in JOURNALS {
            for index in 0..2 {
                until_true("the new key is known", || async {
                    Ok(self.status_at(service, index, &probe).await? != StatusCode::UNAUTHORIZED)
                })
                .await
                .with_context(|| format!("{service} {index}"))?;
            }
        }
        report.phase("新令牌公钥各处可用 the new public half known everywhere", began.elapsed());
        let line = |key: &Path| format!("private_key_file = {:?}", key.display().to_string());
        self.configure("registry", &[(line(&settings.token_key), line(&file))]).await?;
        let answer = self.world.api.sign_in("operator", NEW_PASSWORD).await?;
        let token = answer["token"].as_str().context("a token")?;
        ensure!(key_id(token)? == "registry-next", "the register signs with the old key");
        ensure!(self.status_at("deadlines", 0, token).await? == StatusCode::OK, "a new token is not believed");
        self.say("key of tokens");
        report.phase("令牌签名密钥 the tokens' key", began.elapsed());
        Ok(())
    }

    /// The old public half is taken away: its tokens are believed nowhere within a minute. (In a province a day later.)
    async fn old_keys_are_dead(&self, held: &Held, report: &mut Report) -> anyhow::Result<()> {
        let settings = self.world.stack().settings("registry");
        ensure!(
            self.status_at("deadlines", 0, &held.token).await? == StatusCode::OK,
            "an old token died before its time"
        );
        let began = Instant::now();
        let kid = key_id(&held.token)?;
        std::fs::remove_file(settings.token_public_keys.join(format!("{kid}.pem")))?;
        for service in JOURNALS {
            for index in 0..2 {
                until_true("the old key is forgotten", || async {
                    Ok(self.status_at(service, index, &held.token).await? == StatusCode::UNAUTHORIZED)
                })
                .await
                .with_context(|| format!("{service} {index}"))?;
            }
        }
        report.phase("旧令牌失效 old tokens refused everywhere", began.elapsed());
        report.note(
            "旧密码、旧 Cookie、旧令牌、旧文书签名密钥、消息服务器旧用户、对象存储旧密钥均已失效；旧链接按其期限继续有效；\
             换密钥期间系统回调带有新旧两个签名；新旧日志密钥签名的审计链全部核验通过。 Old passwords, cookies, tokens, signatures \
             of files, the broker's old user and the object store's old key are refused; old links live out their days; meanwhile \
             a webhook's call has both signatures; the chains of old and new keys verify.",
        );
        Ok(())
    }

    fn say(&self, what: &str) {
        self.ground.say.it(&format!("changed: {what}"));
    }

    /// The answer of one process to a list that every signed-in person may ask for, or is forbidden to.
    async fn status_at(&self, service: &str, index: usize, token: &str) -> anyhow::Result<StatusCode> {
        let address = self.world.http_of(service, index)?;
        let path = match service {
            "registry" => "/v1/units",
            "tasks" => "/v1/cases",
            "deadlines" => "/v1/rectifications",
            "notifications" => "/v1/inbox",
            "reporting" => "/v1/ledger",
            "publication" => "/v1/drafts",
            _ => "/v1/messages",
        };
        Ok(Self::client()?.get(format!("http://{address}{path}")).bearer_auth(token).send().await?.status())
    }

    /// Where a process answers operators.
    fn operations_of(&self, service: &str, index: usize) -> anyhow::Result<SocketAddr> {
        if index == 0 {
            return Ok(self.world.stack().settings(service).second);
        }
        Ok(self.world.doors()?.second(service)?.1)
    }

    /// A file of the first report.
    async fn stored_evidence(&self) -> anyhow::Result<String> {
        until_true("the first evidence is there", || async { Ok(self.files_stored().await? > 0) }).await?;
        let query = "SELECT file_id FROM evidence ORDER BY uploaded_at, file_id LIMIT 1";
        let id = self.world.db.value("deadlines", query, &[]).await?;
        Ok(id.as_str().context("an id")?.to_owned())
    }

    async fn files_stored(&self) -> anyhow::Result<i64> {
        self.world.db.count("deadlines", "SELECT count(*) AS n FROM evidence", &[]).await
    }

    /// Whether the office of one of the counties is given the file, and whole.
    async fn is_given_out(&self, file: &str) -> anyhow::Result<bool> {
        let address = format!("{}/v1/evidence/{file}", self.world.api.base("deadlines")?);
        for county in &self.people.counties {
            let answer = Self::client()?.get(&address).bearer_auth(&county.admin).send().await?;
            if answer.status().is_success() {
                return Ok(answer.bytes().await?.starts_with(b"%PDF"));
            }
        }
        Ok(false)
    }

    async fn session(&self, password: &str) -> anyhow::Result<StatusCode> {
        let address = format!("{}/v1/sessions", self.world.api.base("registry")?);
        let body = json!({"login": "operator", "password": password});
        Ok(Self::client()?.post(address).json(&body).send().await?.status())
    }

    async fn sign_in_to_console(&self, password: &str) -> anyhow::Result<String> {
        let base = self.world.api.base("console")?;
        let form = format!("login=operator&password={password}&next=%2F");
        let answer = Self::client()?
            .post(format!("{base}/sign-in"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Origin", base)
            .header("Sec-Fetch-Site", "same-origin")
            .body(form)
            .send()
            .await?;
        let status = answer.status();
        let cookies = answer.headers().get_all(SET_COOKIE);
        let cookie = cookies.iter().filter_map(|value| value.to_str().ok()).find(|text| text.contains("dudao_session"));
        let cookie = cookie.with_context(|| format!("no cookie after signing in: {status}"))?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    /// Whether the console knows who asks: the others are led to the page for signing in.
    async fn is_signed_in(&self, cookie: &str) -> anyhow::Result<bool> {
        let address = format!("{}/", self.world.api.base("console")?);
        let answer = Self::client()?.get(address).header(COOKIE, cookie).send().await?;
        match answer.status() {
            status if status.is_success() => Ok(true),
            status if status.is_redirection() => Ok(false),
            status => bail!("the console answers {status}"),
        }
    }

    /// Has the room render a paper, and gives its signed statement.
    async fn rendition(&self) -> anyhow::Result<String> {
        let query = "SELECT content FROM documents ORDER BY issued_at, document_id LIMIT 1";
        until_true("the first closing has its paper", || async {
            Ok(!self.world.db.rows("deadlines", query, &[]).await?.is_empty())
        })
        .await?;
        let content = self.world.db.value("deadlines", query, &[]).await?;
        let address = format!("{}/v1/documents/render", self.world.api.base("documents")?);
        let request = Self::client()?
            .post(address)
            .bearer_auth(&self.people.counties.first().context("a county")?.admin)
            .header("Content-Type", "application/json")
            .body(content.as_str().context("a text")?.to_owned());
        let answer = request.send().await?;
        let statement = answer.headers().get("dudao-rendition").and_then(|value| value.to_str().ok());
        Ok(statement.with_context(|| format!("no statement of the room: {}", answer.status()))?.to_owned())
    }

    async fn is_known_rendition(&self, rendition: &str) -> anyhow::Result<bool> {
        let address = format!("{}/v1/renditions", self.world.api.base("publication")?);
        let request = Self::client()?
            .post(address)
            .bearer_auth(&self.people.counties.first().context("a county")?.admin)
            .json(&json!({ "rendition": rendition }));
        Ok(request.send().await?.status().is_success())
    }

    /// The code of the one-time link in the newest mail that has one.
    async fn newest_link(&self) -> anyhow::Result<String> {
        let mails = self.world.api.outside(Method::GET, "mail-sink", "/messages", Body::None).await?;
        let mails = mails.as_array().context("a list of mails")?;
        let text = mails.iter().rev().find_map(link_in);
        text.context("no mail has a link")
    }

    async fn link_is_known(&self, code: &str) -> anyhow::Result<bool> {
        let address = format!("{}/v1/receipt-links/show", self.world.api.base("notifications")?);
        Ok(Self::client()?.post(address).json(&json!({ "token": code })).send().await?.status().is_success())
    }
}

/// Whether the key of the bucket opens it.
async fn opens(bucket: &Bucket) -> anyhow::Result<bool> {
    let section = FilesSection {
        folder: None,
        bucket: Some(bucket.name.clone()),
        endpoint: Some(bucket.endpoint.clone()),
        region: "us-east-1".to_owned(),
        access_key_id_file: Some(SecretFile::read(&bucket.key_id_file)?),
        secret_access_key_file: Some(SecretFile::read(&bucket.secret_file)?),
        authority_file: None,
    };
    Ok(Files::open(&section)?.put(Bytes::from_static(b"?"), "text/plain").await.is_ok())
}

/// The line of an endpoint that names its secrets.
fn secret_files(files: &[&Path]) -> String {
    format!("secret_files = {files:?}\n")
}

/// The code of the link in a mail, in whichever of its parts.
fn link_in(mail: &Value) -> Option<String> {
    let whole = mail.to_string();
    let (_, after) = whole.split_once("/receipts/link?code=")?;
    let code: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    (code.len() >= 32).then_some(code)
}

/// The key id in a token's header.
fn key_id(token: &str) -> anyhow::Result<String> {
    use base64::Engine as _;
    let head = token.split('.').next().context("a token has a head")?;
    let head: Value = serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head)?)?;
    Ok(head["kid"].as_str().context("a token names its key")?.to_owned())
}

/// Writes a secret, whole or not at all.
fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let unfinished = file.with_extension("unfinished");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(&unfinished, file).with_context(|| format!("writing {}", file.display()))
}

async fn can_connect(world: &World, access: &local_stack::DatabaseAccess, password: &str) -> bool {
    let options = sqlx::postgres::PgConnectOptions::new()
        .host(&access.host)
        .port(world.stack().postgres().port())
        .database(&access.name)
        .username(&access.user)
        .password(password);
    sqlx::PgConnection::connect_with(&options).await.is_ok()
}
