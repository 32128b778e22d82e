//! The data plane alone, without the product around it: what the tests run, and a small example of its use.
//!
//! `plane serve DIR` is a data plane; `plane launch …` is what it starts instances with; `plane toy …` is a program to run in one.
#![allow(clippy::disallowed_methods, reason = "the outermost layer of an example reads time and environment")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dataplane::clock::Clock;
use dataplane::launch::{self, Role, isolation_name};
use dataplane::server::{self, Limits};
use dataplane::status::IsolationKind;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done: Result<(), String> = match words.as_slice() {
        ["serve", dir] => serve(PathBuf::from(dir), false),
        ["serve", "--take-over", dir] => serve(PathBuf::from(dir), true),
        ["dataplane", "--detach", "--dir", dir] => detach(dir),
        ["launch", "--role", role, "--isolation", isolation, "--dir", dir] => be(role, isolation, dir),
        ["toy", rest @ ..] => toy(rest),
        _ => Err("plane serve DIR | plane toy ANSWER".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plane: {error}");
            ExitCode::FAILURE
        }
    }
}

fn clock() -> Clock {
    Clock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(0)))
}

fn detach(dir: &str) -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    let server = std::process::Command::new(exe).args(["serve", dir]).spawn();
    server.map(drop).map_err(|e| e.to_string())
}

fn serve(dir: PathBuf, take_over: bool) -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    let drain = Duration::from_secs(5);
    server::run(server::Options {
        dir,
        exe,
        clock: clock(),
        workers: 0,
        limits: Limits::default(),
        isolate: true,
        take_over,
        drain,
    })
    .map_err(|e| e.to_string())
}

fn be(role: &str, isolation: &str, dir: &str) -> Result<(), String> {
    let roles = [Role::Start, Role::Shim, Role::Program, Role::Probe, Role::ProbeProgram];
    let kinds = [IsolationKind::Namespaces, IsolationKind::UserNamespace, IsolationKind::None];
    let role = roles.into_iter().find(|r| r.name() == role).ok_or("no such role")?;
    let isolation = kinds.into_iter().find(|k| isolation_name(*k) == isolation).ok_or("no such isolation")?;
    launch::main(launch::Options { dir: dir.into(), role, isolation, clock: clock() }).map_err(|e| e.to_string())
}

/// An HTTP server of a few lines: answers `answer` to everything, one connection at a time, and ends with 3 when asked for `/die`.
fn toy(args: &[&str]) -> Result<(), String> {
    let answer = args.first().copied().unwrap_or("toy");
    let port = std::env::var("PORT").map_err(|e| e.to_string())?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).map_err(|e| e.to_string())?;
    println!("toy listens on {port}");
    for stream in listener.incoming() {
        let mut stream = stream.map_err(|e| e.to_string())?;
        let mut request = [0; 4096];
        let n = stream.read(&mut request).unwrap_or(0);
        if request[..n].starts_with(b"GET /die ") {
            println!("toy was told to die");
            return Err("dying".into());
        }
        let _ =
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len());
    }
    Ok(())
}
