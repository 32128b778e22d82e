//! The server's door: on which addresses it opens, and which locks it must have. Who comes in is `api::guard`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use dataplane::tls::Certificates;
use dataplane::wanted::Certificate;
use rustls::ServerConfig;

use crate::config::{Config, Tls};

/// How often it is looked whether the certificate's files have changed.
const LOOK: Duration = Duration::from_secs(5);

/// Whether an address is reachable from this machine only.
fn is_inside(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// The first address that others can reach.
fn outside(config: &Config) -> Option<SocketAddr> {
    config.listeners().into_iter().find(|address| !is_inside(address))
}

/// Whether others than this machine reach the server.
pub fn is_open(config: &Config) -> bool {
    outside(config).is_some()
}

/// Refuses an open door without a lock, before anything is made. `data`: a folder without a store holds no token either.
pub fn check_before(config: &Config, data: &Path) -> anyhow::Result<()> {
    let Some(address) = outside(config) else { return Ok(()) };
    if config.token.is_empty() && config.server.store.is_none() && !data.join("gennaker.db").exists() {
        return no_token(address);
    }
    if config.server.tls.is_none() && config.server.trusted_proxies.is_empty() {
        bail!(
            "refusing to listen on {address} without TLS: tokens could be read on the way. Give `certificate` and `key` under [server.tls], or \
             name the proxy that speaks TLS for it in `trusted_proxies` under [server], or listen on 127.0.0.1 and use ssh -L"
        );
    }
    Ok(())
}

/// The same when the tokens of the store are known.
pub fn check(config: &Config, has_tokens: bool) -> anyhow::Result<()> {
    match outside(config) {
        Some(address) if !has_tokens => no_token(address),
        _ => Ok(()),
    }
}

fn no_token(address: SocketAddr) -> anyhow::Result<()> {
    bail!(
        "refusing to listen on {address} without a token: whoever reaches it could deploy. Make one with `gennaker token create NAME --role \
         admin` while it listens on 127.0.0.1, or put one under [[token]] with `gennaker token hash`"
    )
}

/// How a listener on this address speaks TLS; none where it does not. The files are read again when they change, for as long as the server runs.
pub fn tls(config: &Config) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    let Some(Tls { certificate, key }) = config.server.tls.clone() else { return Ok(None) };
    let wanted = vec![Certificate { certificate, key }];
    let mut certificates = Certificates::default();
    let config = certificates.config(&wanted);
    if let Some(problem) = certificates.problem(&wanted) {
        bail!("[server.tls]: {problem}");
    }
    tokio::spawn(async move {
        let mut known = None;
        loop {
            tokio::time::sleep(LOOK).await;
            certificates.renew();
            let problem = certificates.problem(&wanted);
            if let Some(problem) = problem.as_ref().filter(|problem| known.as_ref() != Some(*problem)) {
                tracing::warn!("[server.tls]: {problem}; what was there before stays in force");
            }
            known = problem;
        }
    });
    Ok(config)
}

/// The listeners of [`Config::listeners`] that speak TLS: those that others can reach.
pub fn speaks_tls(address: &SocketAddr) -> bool {
    !is_inside(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        toml::from_str(text).expect("good")
    }

    #[test]
    fn an_open_door_needs_a_token_and_tls_or_a_proxy() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = |text: &str| check_before(&config(text), folder.path()).map_err(|error| error.to_string());
        assert_eq!(refused(""), Ok(()));
        let open = "[server]\nlisten = \"0.0.0.0:9000\"\n";
        let error = refused(open).expect_err("refused");
        assert!(error.starts_with("refusing to listen on 0.0.0.0:9000 without a token"), "{error}");
        let token = "[[token]]\nname = \"a\"\nrole = \"admin\"\nhash = \"x\"\n";
        let error = refused(&format!("{open}{token}")).expect_err("refused");
        assert!(error.starts_with("refusing to listen on 0.0.0.0:9000 without TLS"), "{error}");
        assert_eq!(refused(&format!("{open}trusted_proxies = [\"10.0.0.5\"]\n{token}")), Ok(()));
        let tls = "[server.tls]\ncertificate = \"/c\"\nkey = \"/k\"\n";
        assert_eq!(refused(&format!("{open}{tls}{token}")), Ok(()));
        // A store may hold tokens; whether it does is seen when it is open.
        std::fs::write(folder.path().join("gennaker.db"), "").expect("written");
        assert_eq!(refused(&format!("{open}{tls}")), Ok(()));
        let opened = check(&config(&format!("{open}{tls}")), false).expect_err("refused").to_string();
        assert!(opened.starts_with("refusing to listen on 0.0.0.0:9000 without a token"), "{opened}");
    }
}
