//! The least that a program of a stack must do: take `--config FILE`, answer `/readyz`, end with 78 when the file is wrong.
//! The tests of this crate run it in the place of every service. The file's one line is the address to listen on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

fn main() -> std::io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let text = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--config"), Some(path)) => std::fs::read_to_string(path)?,
        _ => String::new(),
    };
    let Ok(address) = text.trim().parse::<SocketAddr>() else {
        writeln!(std::io::stderr(), "the configuration is wrong: {text:?} is no address")?;
        return Ok(ExitCode::from(78));
    };
    let listener = TcpListener::bind(address)?;
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        let status = if line.starts_with("GET /readyz ") { "200 OK" } else { "404 Not Found" };
        write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
    }
    Ok(ExitCode::SUCCESS)
}
