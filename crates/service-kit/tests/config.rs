//! Configuration: all faults at once, secrets hidden, environment over file, exit code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may")]

use std::path::PathBuf;

use service_kit::config::{self, Common, Faults, Validate};

service_kit::section! {
    /// `[mail]`
    pub struct MailSection {
        /// Relay.
        pub host: String,
        /// Port.
        pub port: u16 = 25,
        /// Between attempts, in seconds.
        pub retry_seconds: Vec<u64> = vec![60, 300],
    }
}
service_kit::config! {
    /// Test.
    pub struct Config: Common {
        /// `[mail]`
        pub mail: MailSection,
    }
}
impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        if self.mail.retry_seconds.is_empty() {
            faults.add("mail.retry_seconds", "不能为空", "must not be empty");
        }
    }
}

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("dudao-config-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("password"), "hunter2-correct-horse\n").unwrap();
        std::fs::write(path.join("empty"), "\n").unwrap();
        Self(path)
    }

    fn write(&self, text: &str) -> PathBuf {
        let path = self.0.join("test.toml");
        std::fs::write(&path, text.replace("$DIR", &self.0.display().to_string())).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const RIGHT: &str = r#"
[http]
listen = "127.0.0.1:0"
[database]
host = "127.0.0.1"
name = "tasks"
user = "tasks"
password_file = "$DIR/password"
[broker]
url = "nats://127.0.0.1:4222"
[access]
public_keys = "/keys"
[journal]
signing_key_file = "$DIR/password"
[files]
folder = "/files"
[mail]
host = "mail.example"
"#;

#[test]
fn a_right_file_is_read_and_the_environment_stands_over_it() {
    let folder = Folder::new();
    let file = folder.write(RIGHT);
    let environment = [
        ("DUDAO_MAIL__PORT".to_owned(), "2525".to_owned()),
        ("DUDAO_MAIL__RETRY_SECONDS".to_owned(), "[1, 2]".to_owned()),
        ("DUDAO_HTTP__LISTEN".to_owned(), "127.0.0.1:8081".to_owned()),
        ("DUDAO_DATABASE__NAME".to_owned(), "2026".to_owned()),
    ];
    let config: Config = config::load(Some(&file), &environment).unwrap();
    assert_eq!(config.mail.port, 2525);
    assert_eq!(config.mail.retry_seconds, [1, 2]);
    assert_eq!(config.common.http.listen.port(), 8081);
    assert_eq!(config.common.database.name, "2026");
    assert_eq!(config.common.database.port, 5432);
    assert!(!config.common.clock.allow_rehearsal);
    assert_eq!(config.common.database.password_file.expose(), "hunter2-correct-horse");
    // The file may also be named by the environment.
    let named = [("DUDAO_CONFIG".to_owned(), file.display().to_string())];
    assert_eq!(config::load::<Config>(None, &named).unwrap().mail.port, 25);
}

#[test]
fn files_lie_in_a_folder_or_in_a_bucket() {
    let folder = Folder::new();
    let faults_of = |text: &str| {
        let file = folder.write(&RIGHT.replace("folder = \"/files\"", text));
        let faults = config::load::<Config>(Some(&file), &[]).err();
        faults.iter().flat_map(config::Faults::iter).map(|fault| fault.key.clone()).collect::<Vec<_>>()
    };
    let bucket = "bucket = \"evidence\"\nendpoint = \"https://s3.example\"\n\
                  access_key_id_file = \"$DIR/password\"\nsecret_access_key_file = \"$DIR/password\"";
    assert_eq!(faults_of(bucket), [""; 0]);
    assert_eq!(faults_of(""), ["files"]);
    assert_eq!(faults_of(&format!("folder = \"/files\"\n{bucket}")), ["files"]);
    assert_eq!(faults_of("bucket = \"evidence\"\nendpoint = \"s3.example\""), ["files.bucket", "files.endpoint"]);
}

#[test]
fn every_fault_is_reported_at_once_with_its_place() {
    let folder = Folder::new();
    let file = folder.write(
        r#"
[http]
listen = "not an address"
[database]
host = "127.0.0.1"
name = "tasks"
usr = "tasks"
password_file = "$DIR/absent"
max_connections = 1
[broker]
url = "http://127.0.0.1"
subject_prefix = "a.b"
[telemetry]
trace_ratio = 7.5
log_level = "loud=nonsense"
[journal]
signing_key_file = "$DIR/empty"
[files]
folder = "/files"
[mail]
port = 70000
[nonsense]
key = 1
"#,
    );
    let environment = [("DUDAO_MAIL__HOTS".to_owned(), "x".to_owned())];
    let faults = config::load::<Config>(Some(&file), &environment).unwrap_err();
    let found = |key: &str, en: &str| {
        faults
            .iter()
            .find(|fault| fault.key == key && fault.en.contains(en))
            .unwrap_or_else(|| panic!("no fault {key}: {en} in\n{faults}"))
            .place
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(found("http.listen", "wrong value"), "test.toml:3");
    assert_eq!(found("database.usr", "unknown key"), "test.toml:7");
    assert_eq!(found("database.user", "missing key (or set DUDAO_DATABASE__USER)"), "test.toml:4");
    assert_eq!(found("database.password_file", "cannot read"), "test.toml:8");
    assert_eq!(found("broker.url", "must begin with nats://"), "");
    assert_eq!(found("broker.subject_prefix", "letters"), "");
    assert_eq!(found("telemetry.trace_ratio", "between 0 and 1"), "");
    assert_eq!(found("telemetry.log_level", "log filter"), "");
    assert_eq!(found("journal.signing_key_file", "the file is empty"), "test.toml:17");
    assert_eq!(found("access.public_keys", "missing key"), "test.toml");
    assert_eq!(found("mail.host", "missing key"), "test.toml:20");
    assert_eq!(found("mail.port", "wrong value"), "test.toml:21");
    assert_eq!(found("nonsense", "unknown section"), "test.toml:22");
    assert_eq!(found("mail.hots", "unknown key (environment variable)"), "$DUDAO_MAIL__HOTS");
    let text = faults.to_string();
    assert!(text.contains("缺少必填配置项") && text.contains("missing key"), "{text}");
}

#[test]
fn rules_between_keys_are_checked() {
    let folder = Folder::new();
    let file = folder.write(&RIGHT.replace("host = \"mail.example\"", "host = \"mail.example\"\nretry_seconds = []"));
    let faults = config::load::<Config>(Some(&file), &[]).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), ["mail.retry_seconds"]);
}

#[test]
fn broken_toml_names_the_line() {
    let folder = Folder::new();
    let faults = config::load::<Config>(Some(&folder.write("[http]\nlisten = \n")), &[]).unwrap_err();
    assert!(faults.iter().any(|fault| fault.place.ends_with("test.toml:2")), "{faults}");
    let absent = config::load::<Config>(Some(&folder.0.join("absent.toml")), &[]).unwrap_err();
    assert!(absent.to_string().contains("cannot be read"), "{absent}");
}

#[test]
fn a_secret_never_shows() {
    let folder = Folder::new();
    let config: Config = config::load(Some(&folder.write(RIGHT)), &[]).unwrap();
    let shown = format!("{config:?} {config:#?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("hidden"));
}

#[test]
fn the_command_line_is_read() {
    let read = |args: &[&str]| config::Arguments::read("tasks", args.iter().map(std::ffi::OsString::from));
    assert_eq!(read(&["tasks", "--config", "a.toml"]).unwrap().config, Some("a.toml".into()));
    assert!(read(&["tasks", "--check-config"]).unwrap().check_config);
    assert!(read(&["tasks", "--nonsense"]).unwrap_err().use_stderr());
    assert!(!read(&["tasks", "--help"]).unwrap_err().use_stderr());
}
