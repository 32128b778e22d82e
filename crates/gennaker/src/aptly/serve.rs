//! `aptly serve`: the published repositories over HTTP.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use apt::Publication;

use super::flags::Parsed;
use super::publish::{plain_line, print_source_line};
use super::{Context, Failure, say};

/// The addresses that `host:port` stands for; without a host all of them, IPv6 first as it takes IPv4 too.
pub fn addresses(listen: &str) -> Result<Vec<SocketAddr>, Failure> {
    let bad = |why: &str| Failure::Run(format!("unable to serve: {listen:?} is not host:port: {why}"));
    let (host, port) = listen.rsplit_once(':').ok_or_else(|| bad("there is no colon"))?;
    if host.is_empty() {
        let port = port.parse().map_err(|_| bad("the port is not a number"))?;
        return Ok(vec![SocketAddr::from(([0u16; 8], port)), SocketAddr::from(([0, 0, 0, 0], port))]);
    }
    Ok(listen.to_socket_addrs().map_err(|error| bad(&error.to_string()))?.collect())
}

pub fn bind(listen: &str) -> Result<TcpListener, Failure> {
    let mut last = None;
    for address in addresses(listen)? {
        match TcpListener::bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or("no address".to_owned(), |error| error.to_string());
    Err(Failure::Run(format!("unable to serve: cannot listen on {listen}: {why}")))
}

/// The address that other machines are told.
fn server(listen: &str, listener: &TcpListener) -> Result<String, Failure> {
    let port = listener.local_addr()?.port();
    let host = listen.rsplit_once(':').map_or("", |(host, _)| host);
    if !host.is_empty() {
        return Ok(format!("http://{host}:{port}"));
    }
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(format!("http://{name}:{port}"))
}

fn announce(publication: &Publication, server: &str, signed: bool) {
    say!("# {publication}\n{}", plain_line(publication, server));
    if publication.architectures.iter().any(|architecture| architecture == "source") {
        say!("{}", plain_line(publication, server).replacen("deb", "deb-src", 1));
    }
    print_source_line(publication, server, !signed);
}

pub fn run(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let root = context.root()?;
    root.recover_publications()?;
    let publications: Vec<Publication> =
        root.publications()?.into_iter().filter(|one| one.storage.is_empty()).collect();
    if publications.is_empty() {
        say!("No published repositories, unable to serve.");
        return Ok(());
    }
    let listen = parsed.text("listen");
    let listener = bind(&listen)?;
    let server = server(&listen, &listener)?;
    say!("Serving published repositories, recommended apt sources list:\n");
    for publication in &publications {
        let folder = root.public().join(&publication.prefix).join("dists").join(&publication.distribution);
        announce(publication, &server, folder.join("InRelease").exists());
    }
    say!("\nStarting web server at: {} (press Ctrl+C to quit)...", listener.local_addr()?);
    let _ = std::io::stdout().flush();
    api::files::serve(listener, &root.public())?;
    Ok(())
}
