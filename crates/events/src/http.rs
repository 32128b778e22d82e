//! Clients for HTTP on machines of every kind.

use reqwest::{Client, ClientBuilder};

/// A client as `with` describes it. A machine without certificates of authorities (Debian's `ca-certificates`) can speak HTTP all the same;
/// HTTPS fails there when it is spoken.
pub fn client(with: impl Fn(ClientBuilder) -> ClientBuilder) -> reqwest::Result<Client> {
    with(Client::builder()).build().or_else(|_| with(Client::builder()).tls_certs_only([]).build())
}
