//! The configuration file of each service of the story's installation.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use local_stack::{AccessKey, BrokerAccess, ObjectStore, Settings, workspace_root};

/// Where things are that are no part of the stack.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder `rulebook/`.
    pub rulebook: PathBuf,
    /// File with the first account's password.
    pub operator_password: PathBuf,
    /// File with the secret of the console's cookie.
    pub cookie_key: PathBuf,
    /// File with the key of the one-time links in mails.
    pub link_key: PathBuf,
    /// File with the key that signs which files of documents were made.
    pub rendering_key: PathBuf,
    /// Its public half.
    pub rendering_public_key: String,
    /// The bucket for files; without one they lie in the stack's folder.
    pub bucket: Option<Bucket>,
}

/// A bucket of an object store.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// The store's address.
    pub endpoint: String,
    /// The bucket's name.
    pub name: String,
    /// File with the id of the key that opens it.
    pub key_id_file: PathBuf,
    /// File with the secret half.
    pub secret_file: PathBuf,
}

impl Bucket {
    /// The bucket of a store, opened by a key whose halves are written into a folder.
    pub fn of(store: &ObjectStore, key: &AccessKey, folder: &Path) -> std::io::Result<Self> {
        let file = |half: &str| folder.join(format!("{}.{half}", key.id));
        let (key_id_file, secret_file) = (file("id"), file("secret"));
        std::fs::write(&key_id_file, &key.id)?;
        std::fs::write(&secret_file, &key.secret)?;
        Ok(Self { endpoint: store.endpoint().to_owned(), name: store.bucket().to_owned(), key_id_file, secret_file })
    }

    /// The lines of `[files]`.
    pub fn lines(&self) -> String {
        format!(
            "bucket = {:?}\nendpoint = {:?}\naccess_key_id_file = {}\nsecret_access_key_file = {}\n",
            self.name,
            self.endpoint,
            quoted(&self.key_id_file),
            quoted(&self.secret_file)
        )
    }
}

/// The text of a service's configuration.
pub fn text(settings: &Settings, places: &Places) -> String {
    let mut out = String::new();
    let http = format!(
        "[http]\nlisten = \"{}\"\noperations_listen = \"{}\"\nmax_body_bytes = {}\n",
        settings.http,
        settings.second,
        64 * 1024 * 1024
    );
    out.push_str(&http);
    if let Some(database) = &settings.database {
        let _ = write!(
            out,
            "[database]\nhost = {:?}\nport = {}\nname = {:?}\nuser = {:?}\npassword_file = {}\nmax_connections = 14\n\
             [broker]\n{}[access]\npublic_keys = {}\n[journal]\nsigning_key_file = {}\n[files]\n{}\
             [clock]\nallow_rehearsal = true\n",
            database.host,
            database.port,
            database.name,
            database.user,
            quoted(&database.password_file),
            broker(&settings.broker),
            quoted(&settings.token_public_keys),
            quoted(&settings.journal_key),
            places.bucket.as_ref().map_or_else(|| format!("folder = {}\n", quoted(&settings.files)), Bucket::lines),
        );
    }
    out.push_str(&own(settings, places));
    out
}

/// The lines of `[broker]`.
pub fn broker(access: &BrokerAccess) -> String {
    let BrokerAccess { url, user, password_file, copies } = access;
    let file = quoted(password_file);
    format!("url = {url:?}\nuser = {user:?}\npassword_file = {file}\nreplicas = {copies}\n")
}

/// The sections that only this service has.
fn own(settings: &Settings, places: &Places) -> String {
    let base = |name: &str| settings.base_url(name).unwrap_or_default();
    let rulebook = quoted(&places.rulebook);
    match settings.name.as_str() {
        "registry" => format!(
            "[tokens]\nprivate_key_file = {}\n[sign_in]\ntrusted_proxies = [\"127.0.0.1\"]\n\
             [bootstrap]\nlogin = \"operator\"\npassword_file = {}\n",
            quoted(&settings.token_key),
            quoted(&places.operator_password)
        ),
        "tasks" | "deadlines" => format!("[rulebook]\nfolder = {rulebook}\n"),
        "notifications" => {
            let port = settings.second_addresses.get("mail-sink").map_or(0, std::net::SocketAddr::port);
            format!(
                "[rulebook]\nfolder = {rulebook}\nprovince = \"460000\"\n[mail]\nhost = \"127.0.0.1\"\nport = {port}\n\
                 tls = \"none\"\nfrom = \"教育督导平台 <dudao@hainan.example>\"\ndomain = \"hainan.example\"\n\
                 support = \"省级教育督导平台运维组\"\nfirst_pause_milliseconds = 500\n[links]\nconsole = {:?}\n\
                 [receipts]\nlink_key_file = {}\n",
                base("console"),
                quoted(&places.link_key)
            )
        }
        "reporting" => format!("[links]\nportal = {:?}\n", base("publication")),
        "publication" => format!(
            "[rulebook]\nfolder = {rulebook}\nprovince = \"460000\"\n[portal]\naddress = {:?}\n\
             title = \"海南省教育督导信息公开\"\noperator = \"海南省人民政府教育督导委员会办公室\"\n\
             rendition_keys = [{:?}]\n",
            base("publication"),
            places.rendering_public_key
        ),
        "exchange" => {
            let platform = base("national-platform");
            let host = platform.trim_start_matches("http://");
            format!(
                "[outbound]\nallowed_hosts = [{host:?}]\ntimeout_seconds = 5\n[platform]\nbase_url = {platform:?}\n\
                 signing_key_file = {}\nlongest_delay_seconds = 5\n[documents]\ntemplates = {}\nportal = {:?}\n",
                quoted(&settings.journal_key),
                quoted(&places.rulebook.join("documents")),
                base("publication")
            )
        }
        "documents" => format!(
            "[access]\npublic_keys = {}\n[rendering]\ntemplates = {}\nportal = {:?}\nsigning_key_file = {}\n\
             [fonts]\nfolders = [{}]\n",
            quoted(&settings.token_public_keys),
            quoted(&places.rulebook.join("documents")),
            base("publication"),
            quoted(&places.rendering_key),
            quoted(&workspace_root().join(".tools/fonts"))
        ),
        "console" => {
            let names = [
                "registry",
                "tasks",
                "deadlines",
                "notifications",
                "reporting",
                "publication",
                "exchange",
                "documents",
            ];
            let mut out = String::from("[services]\n");
            for name in names {
                let _ = writeln!(out, "{name} = {:?}", base(name));
            }
            let hosts: Vec<_> = names.iter().map(|name| base(name).trim_start_matches("http://").to_owned()).collect();
            let _ = write!(
                out,
                "[outbound]\nallowed_hosts = {hosts:?}\n[session]\nkey_file = {}\nsecure_cookies = false\n[links]\nportal = {:?}\n",
                quoted(&places.cookie_key),
                base("publication")
            );
            out
        }
        _ => String::new(),
    }
}

/// A path as a TOML text.
fn quoted(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}
