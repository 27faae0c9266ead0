//! The simulator of the national platform as a program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tests::national_platform::{Platform, read_keys};

/// 国家平台模拟器 · Simulator of the national platform.
#[derive(Debug, Parser)]
#[command(name = "national-platform")]
struct Arguments {
    /// 监听地址 · Address to listen on.
    #[arg(long)]
    listen: SocketAddr,
    /// 数据目录 · Folder for what was received.
    #[arg(long)]
    data: PathBuf,
    /// 报送方公钥文件，每行一个 · File with the senders' public keys, one a line.
    #[arg(long)]
    keys: PathBuf,
}

async fn run(arguments: Arguments) -> std::io::Result<()> {
    let platform = Platform::open(&arguments.data, read_keys(&arguments.keys)?)?;
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    axum::serve(listener, platform.router()).with_graceful_shutdown(stopped()).await
}

async fn stopped() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "national-platform: {error}");
            ExitCode::FAILURE
        }
    }
}
