//! The real service, shot again and again while it sends to a real mail server that refuses, hangs and drops the line: nothing
//! is lost, and what comes twice is at most one mail of each sender, with the same Message-ID.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    str::FromStr as _,
};

use sqlx::postgres::PgConnectOptions;

use crate::{mail_sink::Mode, world::*};

/// Senders of the service.
const SENDERS: usize = 4;
/// Mails to send.
const MAILS: i64 = 1_200;

struct Shot {
    service: Option<Child>,
    config: PathBuf,
}

impl Shot {
    fn start(&mut self) {
        let service = Command::new(env!("CARGO_BIN_EXE_notifications"))
            .arg("--config")
            .arg(&self.config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.service = Some(service);
    }

    /// kill -9.
    fn kill(&mut self) {
        if let Some(mut service) = self.service.take() {
            service.kill().unwrap();
            service.wait().unwrap();
        }
    }
}

impl Drop for Shot {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn configure(world: &World, folder: &Path) -> PathBuf {
    let secrets = folder.join("secrets");
    std::fs::create_dir_all(secrets.join("token-keys")).unwrap();
    let keys = access::KeyPair::try_generate().unwrap();
    std::fs::write(secrets.join("token-keys/one.pem"), &keys.public_pem).unwrap();
    std::fs::write(secrets.join("journal-key"), messaging::JournalKey::generate().unwrap().as_bytes()).unwrap();
    std::fs::write(secrets.join("database-password"), "trusted\n").unwrap();
    #[expect(clippy::disallowed_methods, reason = "where the servers of the test are")]
    let variable = |name: &str| std::env::var(name).unwrap();
    let server = PgConnectOptions::from_str(&variable("DATABASE_URL")).unwrap();
    let name = world.text("SELECT current_database()::text").await;
    let rulebook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
    let text = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[database]\nhost = {:?}\nport = {}\nname = {name:?}\nuser = {:?}\n\
         password_file = \"{}\"\nmax_connections = 14\n[broker]\nurl = {:?}\nsubject_prefix = {:?}\n[access]\npublic_keys = \"{}\"\n\
         [journal]\nsigning_key_file = \"{}\"\n[files]\nfolder = \"{}\"\n[rulebook]\nfolder = \"{}\"\nprovince = \"460000\"\n\
         [mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"教育督导平台 <dudao@dudao.example>\"\n\
         domain = \"dudao.example\"\nsupport = \"运维组\"\nworkers = {SENDERS}\ntimeout_seconds = 1\n\
         first_pause_milliseconds = 50\nlongest_pause_seconds = 1\n[links]\nconsole = \"http://127.0.0.1:1\"\n",
        server.get_host(),
        server.get_port(),
        server.get_username(),
        secrets.join("database-password").display(),
        variable("NATS_URL"),
        world.broker.prefix(),
        secrets.join("token-keys").display(),
        secrets.join("journal-key").display(),
        folder.join("files").display(),
        rulebook.display(),
        world.mail().port,
    );
    let file = folder.join("notifications.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// So many mails wait: one notice for each of many readers.
async fn fill(world: &World) {
    world.hear(&principal()).await;
    world.hear(&urged()).await;
    for statement in [
        "INSERT INTO accounts SELECT gen_random_uuid(), 1, 'reader ' || n, 'r' || n || '@school.example', 'zh-Hans', NULL, NULL, true
         FROM generate_series(1, 1199) n",
        "INSERT INTO messages (message_id, event_id, account_id, template, capacity, created_at)
         SELECT gen_random_uuid(), m.event_id, a.account_id, m.template, 'copy', m.created_at
         FROM (SELECT * FROM messages LIMIT 1) m, accounts a WHERE a.account_id <> m.account_id",
        "INSERT INTO deliveries (delivery_id, message_id, channel, state, next_attempt_at, queued_at)
         SELECT gen_random_uuid(), m.message_id, 'mail', 'queued', now(), m.created_at
         FROM messages m WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id)",
    ] {
        sqlx::raw_sql(statement).execute(world.db.pool()).await.unwrap();
    }
    // The unit's receipt would be chased meanwhile, which is a mail as well.
    sqlx::raw_sql("DELETE FROM receipts").execute(world.db.pool()).await.unwrap();
    assert_eq!(world.mails_in("queued").await, MAILS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_shot_while_the_relay_misbehaves_loses_nothing_and_doubles_at_most_what_was_in_doubt() {
    let world = World::new().await;
    fill(&world).await;
    let folder = std::env::temp_dir().join(format!("notifications-killed-{}", world.broker.prefix()));
    let mut shot = Shot { service: None, config: configure(&world, &folder).await };
    let mut doubts = 0;
    for mode in
        [Mode::Ok, Mode::RefuseForNow, Mode::Ok, Mode::Hang, Mode::Ok, Mode::Drop, Mode::Ok, Mode::LostReply, Mode::Ok]
    {
        world.sink.set_mode(mode);
        shot.start();
        let (before, sent) = (world.sink.mails().len(), world.mails_in("delivered").await);
        testkit::wait_until("the service has done something", async || {
            if mode == Mode::Ok {
                world.sink.mails().len() >= before + 60 || world.mails_in("delivered").await == MAILS
            } else {
                let tried = "SELECT count(*) FROM deliveries WHERE last_error IS NOT NULL";
                world.number(tried).await > 0 || world.mails_in("delivered").await > sent
            }
        })
        .await;
        // What a lost answer leaves in doubt comes again; a shot leaves one mail of each sender in doubt.
        doubts += SENDERS;
        shot.kill();
        if mode == Mode::LostReply {
            doubts += usize::try_from(
                world
                    .number("SELECT coalesce(sum(attempts), 0)::bigint FROM deliveries WHERE state <> 'delivered'")
                    .await,
            )
            .unwrap();
        }
    }
    world.sink.set_mode(Mode::Ok);
    shot.start();
    testkit::wait_until("every mail is delivered", async || world.mails_in("delivered").await == MAILS).await;
    shot.kill();

    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts: BTreeSet<String> = BTreeSet::new();
    for mail in world.sink.mails() {
        *times.entry(mail.message_id).or_default() += 1;
        texts.insert(mail.subject);
    }
    assert_eq!(i64::try_from(times.len()).unwrap(), MAILS, "every mail, and none that nobody wrote");
    let twice: usize = times.values().map(|times| times - 1).sum();
    assert!(twice <= doubts, "{twice} mails came again, {doubts} were in doubt");
    let found: Vec<_> = world.found().await.into_iter().map(|found| found.0).collect();
    assert_eq!(found, ["receipt_not_opened"], "what this test took away, and nothing else");
    std::fs::remove_dir_all(folder).unwrap();
}
