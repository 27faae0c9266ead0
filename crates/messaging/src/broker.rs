//! The connection to NATS, and the streams that this crate makes there.

use std::future::{Ready, ready};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Event;
use async_nats::jetstream::{
    self,
    context::{CreateStreamErrorKind, GetStreamErrorKind},
    stream::{Config as StreamConfig, DiscardPolicy, RetentionPolicy, StorageType},
};
use contracts::subjects;
use secrecy::{ExposeSecret as _, SecretString};

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Address, for instance `nats://nats:4222`.
    pub url: String,
    /// Prefix of subjects and streams; separates installations and tests on one broker. May be empty.
    pub prefix: String,
    /// Copies of each stream in a cluster of brokers; 1 on a single one.
    pub replicas: usize,
    /// File with credentials.
    pub credentials_file: Option<PathBuf>,
    /// User and password, where the server asks for these.
    pub user: Option<(String, SecretString)>,
    /// File with the certificates (PEM) of the authority that signed the server's: the connection is encrypted, and the server must
    /// prove its name. Without it a `tls://` address believes the system's authorities.
    pub authority_file: Option<PathBuf>,
    /// Name shown in the broker's lists.
    pub name: String,
}

/// What can go wrong with the broker. All of it is worth another attempt.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The connection could not be set up.
    #[error("cannot connect to the broker")]
    Connect(#[source] async_nats::ConnectError),
    /// The credentials file could not be read.
    #[error("cannot read the broker's credentials file")]
    Credentials(#[source] std::io::Error),
    /// The certificates of the authority could not be read.
    #[error("the certificates of the broker's authority in {path} cannot be read: {reason}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The broker answered with an error.
    #[error("the broker refused to {action}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// Its answer.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl BrokerError {
    pub(crate) fn refused(action: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Refused { action, source: source.into() }
    }
}

/// The broker.
#[derive(Debug, Clone)]
pub struct Broker {
    client: async_nats::Client,
    context: jetstream::Context,
    prefix: String,
    replicas: usize,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Broker {
    /// Connects; keeps trying in the background when the broker is away, at start as well as later.
    pub async fn connect(options: &BrokerOptions) -> Result<Self, BrokerError> {
        let trouble = Arc::new(Mutex::new(None));
        let first = match &options.authority_file {
            Some(file) => {
                look_at_authority(file)?;
                first_attempt(options, &trouble).await?
            }
            None => None,
        };
        let client = if let Some(client) = first {
            client
        } else {
            let connect = settings(options, &trouble).await?.retry_on_initial_connect();
            connect.connect(&options.url).await.map_err(BrokerError::Connect)?
        };
        let context = jetstream::context::ContextBuilder::new()
            .timeout(Duration::from_secs(5))
            .ack_timeout(Duration::from_secs(10))
            .max_ack_inflight(10_000)
            .build(client.clone());
        Ok(Self { client, context, prefix: options.prefix.clone(), replicas: options.replicas.max(1), trouble })
    }

    /// Why the last attempt to connect failed; `None` once the connection stands.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True while the connection stands.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Prefix of this installation's subjects.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Its JetStream, for those who look at streams; only the relay makes them.
    pub fn context(&self) -> &jetstream::Context {
        &self.context
    }

    /// Sends what is buffered before the process ends.
    pub async fn flush(&self) {
        if self.is_connected() {
            let _ = tokio::time::timeout(Duration::from_secs(2), self.client.flush()).await;
        }
    }

    /// Makes sure that the stream of a service exists, with as many copies as it should have.
    pub(crate) async fn ensure_stream(&self, service: &str) -> Result<Stream, BrokerError> {
        let name = subjects::stream(&self.prefix, service);
        match self.context.get_stream(&name).await {
            Ok(stream) => return Ok(self.with_copies(stream.cached_info()).await),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error)
                    if error.error_code() == async_nats::jetstream::ErrorCode::STREAM_NOT_FOUND => {}
                _ => return Err(BrokerError::refused("look up a stream", error)),
            },
        }
        let config = StreamConfig {
            name: name.clone(),
            subjects: vec![subjects::all_of(&self.prefix, service)],
            storage: StorageType::File,
            retention: RetentionPolicy::Limits,
            // An event must never be dropped silently; when the disk is full the relay has to hear of it.
            discard: DiscardPolicy::New,
            num_replicas: self.replicas,
            duplicate_window: Duration::from_mins(2),
            ..StreamConfig::default()
        };
        match self.context.create_stream(config).await {
            Ok(stream) => Ok(Stream::of(stream.cached_info(), self.replicas)),
            // Another replica was faster; its mark counts.
            Err(error) if matches!(error.kind(), CreateStreamErrorKind::JetStream(_)) => {
                let stream =
                    self.context.get_stream(&name).await.map_err(|_| BrokerError::refused("create a stream", error))?;
                Ok(Stream::of(stream.cached_info(), self.replicas))
            }
            Err(error) => Err(BrokerError::refused("create a stream", error)),
        }
    }

    /// Gives a stream the copies that it lacks, when the broker was one server and is a cluster now. It never takes any away.
    /// Where that cannot be done (yet), events go on: the truth is in the database, and the metric says what is missing.
    async fn with_copies(&self, info: &jetstream::stream::Info) -> Stream {
        let stream = Stream::of(info, self.replicas);
        if stream.copies_missing == 0 {
            return stream;
        }
        let config = StreamConfig { num_replicas: self.replicas, ..info.config.clone() };
        match self.context.update_stream(config).await {
            Ok(info) => Stream::of(&info, self.replicas),
            Err(error) => {
                tracing::warn!(
                    stream = info.config.name,
                    copies = info.config.num_replicas,
                    wanted = self.replicas,
                    error = &error as &dyn std::error::Error,
                    "the stream has fewer copies than broker.replicas asks for"
                );
                stream
            }
        }
    }
}

async fn settings(
    options: &BrokerOptions,
    trouble: &Arc<Mutex<Option<String>>>,
) -> Result<async_nats::ConnectOptions, BrokerError> {
    let mut connect = async_nats::ConnectOptions::new()
        .name(&options.name)
        .event_callback(heard(&options.url, trouble))
        .connection_timeout(Duration::from_secs(3))
        .ping_interval(Duration::from_secs(5))
        .reconnect_delay_callback(|attempt| {
            Duration::from_millis(100 * 2_u64.pow(attempt.min(5).try_into().unwrap_or(5)))
        });
    if let Some(file) = &options.credentials_file {
        connect = connect.credentials_file(file).await.map_err(BrokerError::Credentials)?;
    }
    if let Some((user, password)) = &options.user {
        connect = connect.user_and_password(user.clone(), password.expose_secret().to_owned());
    }
    if let Some(file) = &options.authority_file {
        // Servers of a cluster tell each other's bare addresses, which no certificate names.
        connect = connect.require_tls(true).add_root_certificates(file.clone()).ignore_discovered_servers();
    }
    Ok(connect)
}

/// One attempt in the foreground. In the background the client says that there was an error, and not that it was the certificate.
async fn first_attempt(
    options: &BrokerOptions,
    trouble: &Arc<Mutex<Option<String>>>,
) -> Result<Option<async_nats::Client>, BrokerError> {
    match settings(options, trouble).await?.connect(&options.url).await {
        Ok(client) => Ok(Some(client)),
        Err(error) => {
            note(trouble, &options.url, explained(&error));
            Ok(None)
        }
    }
}

/// Keeps the first reason since the last connection, and says it once: the attempts that follow fail for the same.
fn note(trouble: &Mutex<Option<String>>, url: &str, text: String) {
    let mut known = trouble.lock().unwrap_or_else(PoisonError::into_inner);
    if known.is_none() {
        tracing::warn!(broker = url, error = text, "the broker cannot be reached");
        *known = Some(text);
    }
}

/// Keeps and tells why there is no connection: the client tries again for ever and would say nothing.
fn heard(url: &str, trouble: &Arc<Mutex<Option<String>>>) -> impl Fn(Event) -> Ready<()> + Send + Sync + 'static {
    let (url, trouble) = (url.to_owned(), Arc::clone(trouble));
    move |event| {
        match event {
            Event::Connected => *trouble.lock().unwrap_or_else(PoisonError::into_inner) = None,
            Event::ClientError(error) => note(&trouble, &url, error.to_string()),
            _ => {}
        }
        ready(())
    }
}

/// An error with its causes, and what it means when it is about the certificate.
fn explained(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    let meaning = if text.contains("NotValidForName") || text.contains("not valid for name") {
        "消息服务的证书不是为这个主机名签发的 | the broker's certificate was not made for this name: "
    } else if text.contains("UnknownIssuer") {
        "消息服务的证书不是由 broker.authority_file 中的机构签发的 | the broker's certificate was not signed by the authority in broker.authority_file: "
    } else {
        ""
    };
    format!("{meaning}{text}")
}

/// Reads the certificates once, so that a wrong path stops the start instead of looking like a broker that is away.
fn look_at_authority(path: &Path) -> Result<(), BrokerError> {
    let failed = |reason: String| BrokerError::Authority { path: path.to_owned(), reason };
    let pem = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    if pem.contains("-----BEGIN CERTIFICATE-----") { Ok(()) } else { Err(failed("it holds no certificate".to_owned())) }
}

/// A stream as the relay has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    /// A mark that a new stream of the same name does not share.
    pub(crate) incarnation: String,
    /// Copies that it has too few.
    pub(crate) copies_missing: u64,
}

impl Stream {
    fn of(info: &jetstream::stream::Info, wanted: usize) -> Self {
        let missing = wanted.saturating_sub(info.config.num_replicas);
        Self { incarnation: incarnation(info), copies_missing: missing.try_into().unwrap_or(u64::MAX) }
    }
}

/// The moment of a stream's creation: a stream made anew under the same name has another.
fn incarnation(info: &jetstream::stream::Info) -> String {
    info.created.unix_timestamp_nanos().to_string()
}
