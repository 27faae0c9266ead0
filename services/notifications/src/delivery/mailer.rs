//! The way to the mail relay.

use std::time::Duration;

use jiff::Timestamp;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        PoolConfig,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use service_kit::config::SecretFile;

use crate::config::{MailSection, MailTls};

/// Why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The mail cannot even be written: the address is none.
    #[error("the address is not a mail address")]
    Address,
    /// The relay refused it for good (5xx).
    #[error("the relay refused it for good: {0}")]
    Refused(String),
    /// The relay or the way to it failed in a way that may pass.
    #[error("the relay could not take it: {0}")]
    Passing(String),
    /// Nothing came back in time.
    #[error("the relay did not answer within {} seconds", .0.as_secs())]
    Silent(Duration),
}

/// One sender's connection to the relay. It is not shared: a send that is given up leaves its connection in the middle of
/// a dialogue, and whoever took that connection next would read the answers to this mail as answers to its own.
#[derive(Debug)]
pub struct Mailer {
    section: MailSection,
    from: Mailbox,
    transport: tokio::sync::Mutex<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Mailer {
    /// Makes the connection's settings; connects with the first mail.
    pub fn try_new(section: MailSection) -> anyhow::Result<Self> {
        let from = section.from.parse()?;
        let transport = tokio::sync::Mutex::new(transport(&section)?);
        Ok(Self { section, from, transport })
    }

    /// Sends one mail with a Message-ID that stays the same however often it is sent.
    pub async fn send(
        &self,
        to: &str,
        message_id: &str,
        subject: &str,
        body: &str,
        at: Timestamp,
    ) -> Result<(), MailerError> {
        let to: Address = to.trim().parse().map_err(|_| MailerError::Address)?;
        let mail = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(at.into())
            .message_id(Some(format!("<{message_id}@{}>", self.section.domain)))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body.to_owned())
            .map_err(|error| MailerError::Passing(error.to_string()))?;
        let limit = Duration::from_secs(self.section.timeout_seconds);
        let mut transport = self.transport.lock().await;
        // lettre limits the time to connect only, so the limit for the whole stands here.
        match tokio::time::timeout(limit, transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(MailerError::Refused(chain(&error))),
            Ok(Err(error)) => Err(MailerError::Passing(chain(&error))),
            Err(_) => {
                if let Ok(fresh) = self::transport(&self.section) {
                    let old = std::mem::replace(&mut *transport, fresh);
                    // Closed in the background: saying goodbye to a silent relay takes its time.
                    tokio::spawn(async move { old.shutdown().await });
                }
                Err(MailerError::Silent(limit))
            }
        }
    }
}

fn transport(section: &MailSection) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let tls = match section.tls {
        MailTls::None => Tls::None,
        MailTls::Starttls => Tls::Required(TlsParameters::new(section.host.clone())?),
        MailTls::Implicit => Tls::Wrapper(TlsParameters::new(section.host.clone())?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&section.host)
        .port(section.port)
        .tls(tls)
        .timeout(Some(Duration::from_secs(section.timeout_seconds)))
        .pool_config(PoolConfig::new().max_size(1).idle_timeout(Duration::from_secs(30)));
    if let (Some(user), Some(password)) = (&section.user, &section.password_file) {
        builder = builder.credentials(Credentials::new(user.clone(), SecretFile::expose(password).to_owned()));
    }
    Ok(builder.build())
}

/// The error and its causes; the relay's words are among them.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
