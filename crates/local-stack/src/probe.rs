//! Looks whether a process is ready, from outside, as its clients see it.

use std::net::SocketAddr;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A single look may not take longer.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// How to see that a process is ready.
#[derive(Debug, Clone)]
pub enum Ready {
    /// `GET` of the path answers 200.
    Http {
        /// Where it listens.
        address: SocketAddr,
        /// Usually `/readyz`.
        path: String,
    },
    /// Somebody listens there.
    Listens(SocketAddr),
    /// A NATS server greets, and has JetStream.
    Nats(SocketAddr),
    /// PostgreSQL answers a query.
    Postgres(Box<PgConnectOptions>),
}

impl Ready {
    /// `/readyz` at the address.
    pub fn readyz(address: SocketAddr) -> Self {
        Self::Http { address, path: "/readyz".to_owned() }
    }

    /// One look; the error says what was seen instead.
    pub async fn look(&self) -> Result<(), String> {
        let look = async {
            match self {
                Self::Http { address, path } => http(*address, path).await,
                Self::Listens(address) => {
                    TcpStream::connect(address).await.map(drop).map_err(|error| error.to_string())
                }
                Self::Nats(address) => nats(*address).await,
                Self::Postgres(options) => postgres(options).await,
            }
        };
        tokio::time::timeout(LOOK_LIMIT, look).await.unwrap_or_else(|_| Err("no answer".to_owned()))
    }
}

/// A request by hand: an HTTP client would be a large dependency for one line.
async fn http(address: SocketAddr, path: &str) -> Result<(), String> {
    let answer = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = answer.await.map_err(|error| error.to_string())?;
    match answer.split(' ').nth(1) {
        Some("200") => Ok(()),
        Some(status) => {
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            Err(format!("{path} answered {status}: {}", body.chars().take(600).collect::<String>()))
        }
        None => Err(format!("{path} answered nothing")),
    }
}

async fn nats(address: SocketAddr) -> Result<(), String> {
    let greeting = async {
        let mut line = String::new();
        BufReader::new(TcpStream::connect(address).await?).read_line(&mut line).await?;
        std::io::Result::Ok(line)
    };
    let line = greeting.await.map_err(|error| error.to_string())?;
    if line.starts_with("INFO ") && line.contains("\"jetstream\":true") {
        Ok(())
    } else {
        Err(format!("greeted with {:?}", line.chars().take(200).collect::<String>()))
    }
}

async fn postgres(options: &PgConnectOptions) -> Result<(), String> {
    let query = async {
        let mut connection = PgConnection::connect_with(options).await?;
        sqlx::query("SELECT 1").execute(&mut connection).await?;
        connection.close().await
    };
    query.await.map_err(|error| error.to_string())
}
