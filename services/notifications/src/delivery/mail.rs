//! Mail over SMTP: a connection of each sender's own to each relay, kept open, and fail-over from one relay to the next.

use std::{collections::HashMap, sync::Arc, time::Duration};

use lettre::{
    Address, Message,
    address::Envelope,
    message::{Mailbox, MultiPart},
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt, Rset},
        extension::{ClientId, Extension, MailParameter},
    },
};
use service_kit::config::SecretFile;
use tokio::{net::TcpStream, sync::Mutex, time::Instant};

use super::{
    carry::{Accepted, Carrier, CarryError, Carrying, Parcel},
    gate::{Gate, Rate, Verdict},
};
use crate::{
    config::{MailSection, MailTls, Relay},
    message::text,
    rules::Channel,
};

/// A connection that was idle longer is asked whether it still lives.
const TRUSTED_IDLE: Duration = Duration::from_secs(10);

/// Failures in a row before a relay is left alone.
const FAILURES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The relays with their gates, shared by all senders of a process.
#[derive(Debug, Clone)]
pub struct Relays(Arc<[(Relay, Gate)]>);

impl Relays {
    /// The first relay and its substitutes.
    pub fn new(section: &MailSection) -> Self {
        let first_pause = Duration::from_millis(section.first_pause_milliseconds);
        let relays = std::iter::once(section.relay()).chain(section.backups.iter().cloned());
        let gated = relays.map(|relay| {
            let rate = relay.per_minute.map(|amount| Rate { amount, every: Duration::from_mins(1) });
            let gate = Gate::new(&relay.host, rate, FAILURES, first_pause, LONGEST_PAUSE.max(first_pause));
            (relay, gate)
        });
        Self(gated.collect())
    }
}

struct Open {
    connection: AsyncSmtpConnection,
    used: Instant,
}

/// One sender's way to the relays. Its connections are not shared: a send that is given up leaves its connection in the middle
/// of a dialogue, and whoever took that connection next would read the answers to this mail as answers to its own.
pub struct Mailer {
    section: MailSection,
    from: Mailbox,
    relays: Relays,
    open: Mutex<HashMap<usize, Open>>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("relays", &self.relays).finish_non_exhaustive()
    }
}

/// How far a failed dialogue had come.
#[derive(Debug)]
enum Failure {
    /// The relay answered, and its answer is about this mail.
    Answer(CarryError),
    /// The relay is in the way, and certainly has not taken the mail.
    Relay(CarryError),
    /// The mail had been handed over when the line broke: whether it was taken is not known.
    Unknown(CarryError),
}

impl Mailer {
    /// Connects with the first mail.
    pub fn try_new(section: MailSection, relays: Relays) -> anyhow::Result<Self> {
        let from = section.from.parse()?;
        Ok(Self { section, from, relays, open: Mutex::new(HashMap::new()) })
    }

    /// Sends one mail with a Message-ID that stays the same however often it is sent.
    async fn send(&self, parcel: &Parcel) -> Result<Accepted, CarryError> {
        let no_address = || CarryError::Address(super::plan::NO_ADDRESS.to_owned());
        let to = parcel.email.as_deref().ok_or_else(no_address)?;
        let to: Address =
            to.trim().parse().map_err(|_| CarryError::Address("the address is not a mail address".to_owned()))?;
        let mail = self.compose(parcel, &to)?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to])
            .map_err(|error| CarryError::Address(error.to_string()))?;
        let limit = Duration::from_secs(self.section.timeout_seconds);
        let mut open = self.open.lock().await;
        let mut wait = LONGEST_PAUSE;
        let mut last = None;
        for (index, (relay, gate)) in self.relays.0.iter().enumerate() {
            if let Err(until) = gate.admit(Instant::now()) {
                wait = wait.min(until);
                continue;
            }
            // Only a connection that ended its dialogue well comes back.
            let kept = open.remove(&index);
            let mut handed_over = false;
            let dialogue = dialogue(relay, kept, &envelope, &mail, limit, &mut handed_over);
            let result = match tokio::time::timeout(limit, dialogue).await {
                Ok(result) => result,
                Err(_) if handed_over => Err(Failure::Unknown(CarryError::Silent(limit))),
                Err(_) => Err(Failure::Relay(CarryError::Silent(limit))),
            };
            match result {
                Ok(connection) => {
                    gate.report(Verdict::Healthy, Instant::now());
                    open.insert(index, Open { connection, used: Instant::now() });
                    return Ok(Accepted { provider: relay.host.clone() });
                }
                Err(Failure::Answer(error)) => {
                    gate.report(Verdict::Healthy, Instant::now());
                    return Err(error);
                }
                Err(Failure::Unknown(error)) => {
                    gate.report(Verdict::Failing, Instant::now());
                    return Err(error);
                }
                Err(Failure::Relay(error)) => {
                    gate.report(Verdict::Failing, Instant::now());
                    last = Some(error);
                }
            }
        }
        Err(last.unwrap_or(CarryError::Throttled(wait)))
    }

    fn compose(&self, parcel: &Parcel, to: &Address) -> Result<String, CarryError> {
        let unfit = |error: &dyn std::error::Error| CarryError::Passing(error.to_string());
        let sign = parcel.sign_link.as_deref();
        let html = text::html(parcel.language, &parcel.subject, &parcel.text, &parcel.link, sign)
            .map_err(|error| unfit(&error))?;
        let mail = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .date(parcel.created_at.into())
            .message_id(Some(format!("<{}@{}>", parcel.key, self.section.domain)))
            .subject(parcel.subject.clone())
            .multipart(MultiPart::alternative_plain_html(parcel.text.clone(), html))
            .map_err(|error| unfit(&error))?;
        // Its parts are encoded, so that all of it is ASCII.
        String::from_utf8(mail.formatted()).map_err(|error| unfit(&error))
    }
}

impl Carrier for Mailer {
    fn channel(&self) -> Channel {
        Channel::Mail
    }

    fn is_ready(&self) -> bool {
        let now = Instant::now();
        self.relays.0.iter().any(|(_, gate)| gate.wait(now).is_zero())
    }

    fn carry<'a>(&'a self, parcel: &'a Parcel) -> Carrying<'a> {
        Box::pin(self.send(parcel))
    }
}

/// One mail over one connection, the kept one if it still lives; gives the connection back when the relay took the mail.
async fn dialogue(
    relay: &Relay,
    kept: Option<Open>,
    envelope: &Envelope,
    mail: &str,
    limit: Duration,
    handed_over: &mut bool,
) -> Result<AsyncSmtpConnection, Failure> {
    let kept = match kept {
        Some(mut kept) if kept.used.elapsed() > TRUSTED_IDLE => {
            kept.connection.test_connected().await.then_some(kept.connection)
        }
        Some(kept) => Some(kept.connection),
        None => None,
    };
    let mut begun = None;
    if let Some(mut connection) = kept {
        // A relay may close what was idle; that is no failure of it, and nothing has been handed over yet.
        match begin(&mut connection, envelope).await {
            Ok(()) => begun = Some(connection),
            Err(error) if !error.is_permanent() && !error.is_transient() => {}
            Err(error) => return Err(refusal(&error)),
        }
    }
    let mut connection = if let Some(connection) = begun {
        connection
    } else {
        let mut connection = connect(relay, limit).await?;
        begin(&mut connection, envelope).await.map_err(|error| refusal(&error))?;
        connection
    };
    for to in envelope.to() {
        if let Err(error) = connection.command(Rcpt::new(to.clone(), Vec::new())).await {
            return Err(refused(connection, error).await);
        }
    }
    if let Err(error) = connection.command(Data).await {
        return Err(refused(connection, error).await);
    }
    *handed_over = true;
    match connection.command(Content(mail)).await {
        Ok(_) => Ok(connection),
        Err(error) if error.is_permanent() || error.is_transient() => Err(refusal(&error)),
        Err(error) => Err(Failure::Unknown(CarryError::Passing(chain(&error)))),
    }
}

async fn begin(connection: &mut AsyncSmtpConnection, envelope: &Envelope) -> Result<(), Error> {
    let mut parameters = Vec::new();
    let international = envelope.to().iter().any(|to| !AsRef::<str>::as_ref(to).is_ascii());
    if international && connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        parameters.push(MailParameter::SmtpUtfEight);
    }
    connection.command(Mail::new(envelope.from().cloned(), parameters)).await?;
    Ok(())
}

/// The answer to one command in the middle of a dialogue; the dialogue is taken back, so that the relay forgets this mail.
async fn refused(mut connection: AsyncSmtpConnection, error: Error) -> Failure {
    let failure = refusal(&error);
    if matches!(failure, Failure::Answer(_)) {
        let _ = connection.command(Rset).await;
    }
    failure
}

fn refusal(error: &Error) -> Failure {
    // 421: the relay as a whole says goodbye.
    let leaving = error.status().is_some_and(|code| code.to_string() == "421");
    if error.is_permanent() {
        Failure::Answer(CarryError::Refused(chain(error)))
    } else if error.is_transient() && !leaving {
        Failure::Answer(CarryError::Passing(chain(error)))
    } else {
        Failure::Relay(CarryError::Passing(chain(error)))
    }
}

async fn connect(relay: &Relay, limit: Duration) -> Result<AsyncSmtpConnection, Failure> {
    let away = |error: &dyn std::error::Error| Failure::Relay(CarryError::Passing(chain(error)));
    let hello = ClientId::default();
    let server = (relay.host.as_str(), relay.port);
    let parameters = || TlsParameters::new(relay.host.clone()).map_err(|error| away(&error));
    let mut connection = if relay.tls == MailTls::Implicit {
        let tls = Some(parameters()?);
        let connected = AsyncSmtpConnection::connect_tokio1(server, Some(limit), &hello, tls, None).await;
        connected.map_err(|error| away(&error))?
    } else {
        let stream = TcpStream::connect(server).await.map_err(|error| away(&error))?;
        // A dialogue of short lines: each leaves when it is written.
        stream.set_nodelay(true).map_err(|error| away(&error))?;
        let connected = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await;
        connected.map_err(|error| away(&error))?
    };
    if relay.tls == MailTls::Starttls {
        // A relay without it is refused: what is told must not be read on the way.
        connection.starttls(parameters()?, &hello).await.map_err(|error| away(&error))?;
    }
    if let (Some(user), Some(password)) = (&relay.user, &relay.password_file) {
        let credentials = Credentials::new(user.clone(), SecretFile::expose(password).to_owned());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| away(&error))?;
    }
    Ok(connection)
}

/// A whole mail with its end, as one command: in two writes the end would wait for the acknowledgement of the rest.
struct Content<'m>(&'m str);

impl std::fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.0.split_inclusive("\r\n") {
            // RFC 5321 section 4.5.2.
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        f.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_dot_does_not_end_a_mail() {
        assert_eq!(Content("a\r\n.\r\n..b\r\n").to_string(), "a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(Content(".a").to_string(), "..a\r\n.\r\n");
    }
}
