//! The mail server of the demo and of the story: takes every mail, shows it over HTTP, and misbehaves when told to.

use std::{io::Write as _, net::SocketAddr, path::PathBuf};

use clap::Parser;
use tests::mail_sink::MailSink;
use tokio::net::TcpListener;

/// A mail server that keeps what it gets.
#[derive(Debug, Parser)]
struct Arguments {
    /// Address for SMTP; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:2525")]
    smtp: SocketAddr,
    /// Address for HTTP: /messages, /mode, /readyz.
    #[arg(long, default_value = "127.0.0.1:2580")]
    http: SocketAddr,
    /// Folder for the messages.
    #[arg(long)]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let sink = MailSink::in_folder(arguments.folder)?;
    let smtp = TcpListener::bind(arguments.smtp).await?;
    let http = TcpListener::bind(arguments.http).await?;
    writeln!(std::io::stdout(), "smtp {} http {}", smtp.local_addr()?, http.local_addr()?)?;
    tokio::spawn(sink.clone().serve(smtp));
    axum::serve(http, sink.routes()).await
}
