//! A mail server for the story and for tests: speaks real SMTP, keeps every message in memory and as a file, and can be told
//! to be slow, to refuse, to fall silent or to break off.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use base64::Engine as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// Longest line of a command or a header, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;
/// Largest message, in bytes.
const LARGEST_MESSAGE: usize = 16 * 1024 * 1024;
/// Pause before each answer of a slow server.
const SLOW: Duration = Duration::from_millis(300);

/// How the server behaves from the next command on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Takes every message.
    #[default]
    Ok,
    /// Takes it, but every answer takes its time.
    Slow,
    /// Refuses each recipient for now (451).
    #[serde(rename = "refuse_4xx")]
    RefuseForNow,
    /// Refuses each recipient for good (550).
    #[serde(rename = "refuse_5xx")]
    RefuseForGood,
    /// Reads the whole message and never answers; it is not kept.
    Hang,
    /// Reads the whole message and closes the connection; it is not kept.
    Drop,
    /// Keeps the message and closes the connection before the answer: the sender cannot know.
    LostReply,
}

/// A message as it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The text, decoded.
    pub text: String,
    /// The Message-ID with its angle brackets.
    pub message_id: String,
    /// Machine time of arrival.
    pub received_at: Timestamp,
}

#[derive(Debug, Default)]
struct Kept {
    mode: Mode,
    mails: Vec<Mail>,
    count: usize,
}

/// The server. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct MailSink {
    kept: Arc<Mutex<Kept>>,
    folder: Option<PathBuf>,
}

impl MailSink {
    /// A server that also writes each message into a folder, as `00001.eml` (what came) and `00001.json` (what was read),
    /// and begins with those that an earlier run took in.
    pub fn in_folder(folder: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        files.sort();
        let mut kept = Kept { count: files.len(), ..Kept::default() };
        for path in files {
            kept.mails.push(serde_json::from_slice(&std::fs::read(path)?)?);
        }
        Ok(Self { kept: Arc::new(Mutex::new(kept)), folder: Some(folder) })
    }

    /// Starts a server in memory on a free port of this machine.
    pub async fn start() -> std::io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let sink = Self::default();
        tokio::spawn(sink.clone().serve(listener));
        Ok((sink, address))
    }

    /// Changes the behaviour.
    pub fn set_mode(&self, mode: Mode) {
        self.kept().mode = mode;
    }

    /// The behaviour.
    pub fn mode(&self) -> Mode {
        self.kept().mode
    }

    /// Every message so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.kept().mails.clone()
    }

    /// Forgets the messages in memory; the files stay.
    pub fn clear(&self) {
        self.kept().mails.clear();
    }

    /// Speaks SMTP with everyone who connects, for ever.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let sink = self.clone();
                    // A client that breaks off is none of the server's concern.
                    tokio::spawn(async move { sink.talk(stream).await });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// The HTTP side: what came in, and how to behave.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/readyz", get(|| async { "ready" }))
            .route(
                "/messages",
                get(|State(sink): State<Self>| async move { Json(sink.mails()) }).delete(
                    |State(sink): State<Self>| async move {
                        sink.clear();
                        StatusCode::NO_CONTENT
                    },
                ),
            )
            .route(
                "/mode",
                post(|State(sink): State<Self>, Json(wanted): Json<ModeBody>| async move {
                    sink.set_mode(wanted.mode);
                    Json(wanted)
                })
                .get(|State(sink): State<Self>| async move { Json(ModeBody { mode: sink.mode() }) }),
            )
            .with_state(self.clone())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        // A dialogue of short answers: each is sent when it is written.
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let mut envelope = Envelope::default();
        writer.write_all(b"220 mail-sink ESMTP\r\n").await?;
        loop {
            let Some(line) = read_line(&mut reader).await? else { return Ok(()) };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let mode = self.mode();
            let answer: String = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    envelope = Envelope::default();
                    "250-mail-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 16777216".to_owned()
                }
                "HELO" => {
                    envelope = Envelope::default();
                    "250 mail-sink".to_owned()
                }
                "MAIL" => match (&envelope.from, path(rest, "FROM:")) {
                    (Some(_), _) => "503 5.5.1 nested MAIL command".to_owned(),
                    (None, Some(from)) => {
                        envelope.from = Some(from);
                        "250 2.1.0 ok".to_owned()
                    }
                    (None, None) => "501 5.5.4 MAIL FROM:<address>".to_owned(),
                },
                "RCPT" => match (&envelope.from, path(rest, "TO:")) {
                    (None, _) => "503 5.5.1 MAIL first".to_owned(),
                    (Some(_), Some(to)) if !to.is_empty() => match mode {
                        Mode::RefuseForNow => "451 4.3.0 try again later".to_owned(),
                        Mode::RefuseForGood => "550 5.1.1 no such mailbox".to_owned(),
                        Mode::Ok | Mode::Slow | Mode::Hang | Mode::Drop | Mode::LostReply => {
                            envelope.to.push(to);
                            "250 2.1.5 ok".to_owned()
                        }
                    },
                    (Some(_), _) => "501 5.5.4 RCPT TO:<address>".to_owned(),
                },
                "DATA" if envelope.to.is_empty() => "503 5.5.1 RCPT first".to_owned(),
                "DATA" => {
                    writer.write_all(b"354 go ahead\r\n").await?;
                    let Some(data) = read_data(&mut reader).await? else { return Ok(()) };
                    let envelope = std::mem::take(&mut envelope);
                    match mode {
                        Mode::Hang => {
                            // Until the client gives up.
                            let mut rest = Vec::new();
                            reader.read_to_end(&mut rest).await?;
                            return Ok(());
                        }
                        Mode::Drop => return Ok(()),
                        Mode::LostReply => {
                            self.keep(envelope, &data)?;
                            return Ok(());
                        }
                        Mode::Ok | Mode::Slow | Mode::RefuseForNow | Mode::RefuseForGood => match data {
                            data if data.len() > LARGEST_MESSAGE => "552 5.3.4 too big".to_owned(),
                            data => {
                                let number = self.keep(envelope, &data)?;
                                format!("250 2.0.0 kept as {number}")
                            }
                        },
                    }
                }
                "RSET" => {
                    envelope = Envelope::default();
                    "250 2.0.0 ok".to_owned()
                }
                "NOOP" => "250 2.0.0 ok".to_owned(),
                "VRFY" => "252 2.1.5 send it and see".to_owned(),
                "QUIT" => {
                    writer.write_all(b"221 2.0.0 bye\r\n").await?;
                    return Ok(());
                }
                _ => "502 5.5.2 unknown command".to_owned(),
            };
            if mode == Mode::Slow {
                tokio::time::sleep(SLOW).await;
            }
            writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the mail server of a rehearsal has no other clock")]
    fn keep(&self, envelope: Envelope, data: &[u8]) -> std::io::Result<usize> {
        let (subject, text, message_id) = read_mail(data);
        let mail = Mail {
            from: envelope.from.unwrap_or_default(),
            to: envelope.to,
            subject,
            text,
            message_id,
            received_at: Timestamp::now(),
        };
        let mut kept = self.kept();
        let number = kept.count + 1;
        if let Some(folder) = &self.folder {
            std::fs::write(folder.join(format!("{number:05}.eml")), data)?;
            // Last and whole: its presence says that the message was taken.
            let unfinished = folder.join("unfinished");
            std::fs::write(&unfinished, serde_json::to_vec(&mail)?)?;
            std::fs::rename(unfinished, folder.join(format!("{number:05}.json")))?;
        }
        kept.count = number;
        kept.mails.push(mail);
        Ok(number)
    }
}

/// The body of `/mode`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct ModeBody {
    mode: Mode,
}

#[derive(Debug, Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

/// The address in `FROM:<a@b> SIZE=1`; empty for the null sender.
fn path(rest: &str, keyword: &str) -> Option<String> {
    let (head, tail) = rest.split_at_checked(keyword.len())?;
    let tail = tail.trim_start().strip_prefix('<').filter(|_| head.eq_ignore_ascii_case(keyword))?;
    Some(tail.split_once('>')?.0.to_owned())
}

/// One line with its end; `None` when the client is gone.
async fn read_line<R: tokio::io::AsyncBufRead + Unpin>(reader: &mut R) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    Ok(line.ends_with(b"\n").then_some(line))
}

/// The message up to the lone dot, its dots unstuffed (RFC 5321 section 4.5.2). What exceeds the limit is read and dropped.
async fn read_data<R: tokio::io::AsyncBufRead + Unpin>(reader: &mut R) -> std::io::Result<Option<Vec<u8>>> {
    let mut data = Vec::new();
    loop {
        let Some(line) = read_line(reader).await? else { return Ok(None) };
        let line = match line.strip_prefix(b".") {
            Some(b"\r\n" | b"\n") => return Ok(Some(data)),
            Some(unstuffed) => unstuffed,
            None => &line,
        };
        if data.len() <= LARGEST_MESSAGE {
            data.extend_from_slice(line);
        }
    }
}

/// Subject, plain text and Message-ID of a message with one text part, or with alternatives of which the first is plain.
fn read_mail(data: &[u8]) -> (String, String, String) {
    let source = String::from_utf8_lossy(data).replace("\r\n", "\n");
    let (head, body) = source.split_once("\n\n").unwrap_or((&source, ""));
    let headers = headers_of(head);
    let boundary = header(&headers, "content-type")
        .split_once("boundary=")
        .map(|(_, rest)| rest.split(';').next().unwrap_or_default().trim().trim_matches('"').to_owned());
    let text = match boundary {
        Some(boundary) if !boundary.is_empty() => {
            let part = body.split(&format!("--{boundary}\n")).nth(1).unwrap_or_default();
            let part = part.split(&format!("\n--{boundary}")).next().unwrap_or_default();
            let (head, body) = part.split_once("\n\n").unwrap_or((part, ""));
            text_of(&headers_of(head), body)
        }
        _ => text_of(&headers, body),
    };
    (encoded_words(header(&headers, "subject")), text, header(&headers, "message-id").to_owned())
}

fn headers_of(head: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.lines() {
        match headers.last_mut() {
            Some((_, value)) if line.starts_with([' ', '\t']) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            _ => {
                if let Some((name, value)) = line.split_once(':') {
                    headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
    }
    headers
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> &'h str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

fn text_of(headers: &[(String, String)], body: &str) -> String {
    let bytes = match header(headers, "content-transfer-encoding").to_ascii_lowercase().as_str() {
        "base64" => base64_of(body),
        "quoted-printable" => quoted_printable(body, false),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

fn base64_of(text: &str) -> Vec<u8> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(compact).unwrap_or_default()
}

/// RFC 2045 section 6.7; in a header (RFC 2047) the underscore is a space.
fn quoted_printable(text: &str, in_header: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'=' => match tail {
                [b'\n', after @ ..] => rest = after,
                [high, low, after @ ..] => {
                    let pair = [*high, *low];
                    match std::str::from_utf8(&pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                        Some(byte) => {
                            bytes.push(byte);
                            rest = after;
                        }
                        None => bytes.push(b'='),
                    }
                }
                _ => bytes.push(b'='),
            },
            b'_' if in_header => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    bytes
}

/// Decodes `=?utf-8?b?…?=`; the space between two encoded words belongs to neither (RFC 2047 section 6.2). A character
/// may be cut between two words by careless senders, so neighbouring words are joined before they become text.
fn encoded_words(value: &str) -> String {
    let mut bytes: Vec<u8> = Vec::new();
    let mut after_word = false;
    for word in value.split(' ') {
        let decoded = word.strip_prefix("=?").and_then(|word| word.strip_suffix("?=")).and_then(|word| {
            let mut parts = word.splitn(3, '?');
            let (_charset, encoding, text) = (parts.next()?, parts.next()?, parts.next()?);
            match encoding {
                "b" | "B" => Some(base64_of(text)),
                "q" | "Q" => Some(quoted_printable(text, true)),
                _ => None,
            }
        });
        let is_word = decoded.is_some();
        let joined = after_word && is_word;
        if !bytes.is_empty() && !joined {
            bytes.push(b' ');
        }
        bytes.extend(decoded.unwrap_or_else(|| word.as_bytes().to_vec()));
        after_word = is_word;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn say(stream: &mut BufReader<TcpStream>, text: &str) {
        stream.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn hear(stream: &mut BufReader<TcpStream>) -> String {
        loop {
            let line = String::from_utf8(read_line(stream).await.unwrap().unwrap()).unwrap();
            if line.as_bytes()[3] == b' ' {
                return line.trim_end().to_owned();
            }
        }
    }

    #[tokio::test]
    async fn a_pipelined_dialogue_keeps_dots_and_decodes_chinese() {
        let (sink, address) = MailSink::start().await.unwrap();
        let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
        assert!(hear(&mut stream).await.starts_with("220"));
        say(&mut stream, "EHLO test\r\nDATA\r\nMAIL FROM:<a@x.example> SIZE=1\r\nRCPT TO:<b@x.example>\r\nRSET\r\n")
            .await;
        for code in ["250", "503", "250", "250", "250"] {
            let answer = hear(&mut stream).await;
            assert!(answer.starts_with(code), "{answer}");
        }
        say(&mut stream, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nRCPT TO:<c@x.example>\r\nDATA\r\n").await;
        for code in ["250", "250", "250", "354"] {
            assert!(hear(&mut stream).await.starts_with(code));
        }
        say(
            &mut stream,
            "Message-ID: <1@x>\r\nSubject: =?utf-8?b?5pW05pS5?=\r\n =?utf-8?q?=E6=8F=90=E9=86=92_?= 2026\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\n..dot\r\n=E6=B5=\r\n=B7\r\n.\r\nQUIT\r\n",
        )
        .await;
        assert!(hear(&mut stream).await.starts_with("250"));
        assert!(hear(&mut stream).await.starts_with("221"));
        let mails = sink.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to, ["b@x.example", "c@x.example"]);
        assert_eq!(mails[0].subject, "整改提醒  2026");
        assert_eq!(mails[0].text, ".dot\n海\n");
        assert_eq!(mails[0].message_id, "<1@x>");
    }

    #[test]
    fn what_was_taken_is_there_after_a_new_start() {
        let folder = std::env::temp_dir().join(format!("mail-sink-{}", std::process::id()));
        let envelope = || Envelope { from: Some("a@x".to_owned()), to: vec!["b@x".to_owned()] };
        let sink = MailSink::in_folder(folder.clone()).unwrap();
        assert_eq!(sink.keep(envelope(), b"Subject: one\r\n\r\n1\r\n").unwrap(), 1);
        let again = MailSink::in_folder(folder.clone()).unwrap();
        assert_eq!(again.mails(), sink.mails());
        assert_eq!(again.keep(envelope(), b"Subject: two\r\n\r\n2\r\n").unwrap(), 2);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn the_modes_refuse_and_lose() {
        let (sink, address) = MailSink::start().await.unwrap();
        for (mode, answer, kept) in [
            (Mode::RefuseForNow, "451", 0),
            (Mode::RefuseForGood, "550", 0),
            (Mode::Drop, "", 0),
            (Mode::LostReply, "", 1),
        ] {
            sink.clear();
            sink.set_mode(mode);
            let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
            hear(&mut stream).await;
            say(&mut stream, "HELO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\n").await;
            hear(&mut stream).await;
            hear(&mut stream).await;
            let recipient = hear(&mut stream).await;
            if answer.is_empty() {
                say(&mut stream, "DATA\r\n").await;
                hear(&mut stream).await;
                say(&mut stream, "Subject: x\r\n\r\nx\r\n.\r\n").await;
                assert!(read_line(&mut stream).await.unwrap().is_none(), "{mode:?} answered");
            } else {
                assert!(recipient.starts_with(answer), "{mode:?}: {recipient}");
            }
            assert_eq!(sink.mails().len(), kept, "{mode:?}");
        }
    }
}
