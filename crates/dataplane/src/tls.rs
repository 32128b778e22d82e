//! Certificates of listeners that speak TLS: read from their files, read again when these change, chosen by the name that a client asks for.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};

use crate::wanted::Certificate;

/// Sessions that are remembered for clients that come again.
const SESSIONS: usize = 10_000;

/// The certificates of all listeners.
#[derive(Default)]
pub struct Certificates(HashMap<Vec<Certificate>, Loaded>);

/// The certificates of some listeners.
struct Loaded {
    config: Arc<ServerConfig>,
    keys: Arc<Keys>,
    /// Size and time of each file when they were read.
    stamps: Vec<Option<(u64, SystemTime)>>,
    problem: Option<String>,
}

impl Certificates {
    /// How TLS is spoken with these certificates. What is wrong with them is in [`Certificates::problem`]; until it is right, every
    /// handshake fails, or goes on with what was there before.
    pub fn config(&mut self, wanted: &[Certificate]) -> Option<Arc<ServerConfig>> {
        if let Some(loaded) = self.0.get(wanted) {
            return Some(loaded.config.clone());
        }
        let keys = Arc::new(Keys::default());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .ok()?
            .with_no_client_auth()
            .with_cert_resolver(keys.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        if let Ok(ticketer) = ring::Ticketer::new() {
            config.ticketer = ticketer;
        }
        let config = Arc::new(config);
        let mut loaded = Loaded { config: config.clone(), keys, stamps: Vec::new(), problem: None };
        loaded.read(wanted);
        self.0.insert(wanted.to_vec(), loaded);
        Some(config)
    }

    /// Reads again what has changed.
    pub fn renew(&mut self) {
        for (wanted, loaded) in &mut self.0 {
            if loaded.stamps != stamps(wanted) || loaded.problem.is_some() {
                loaded.read(wanted);
            }
        }
    }

    /// Forgets what no listener uses.
    pub fn keep<'a>(&mut self, wanted: impl Iterator<Item = &'a [Certificate]>) {
        let wanted: Vec<_> = wanted.collect();
        self.0.retain(|one, _| wanted.contains(&one.as_slice()));
    }

    /// What is wrong with these certificates.
    pub fn problem(&self, wanted: &[Certificate]) -> Option<String> {
        self.0.get(wanted)?.problem.clone()
    }
}

impl Loaded {
    /// Reads all files; what was there before stays in force when one of them is no good.
    fn read(&mut self, wanted: &[Certificate]) {
        self.stamps = stamps(wanted);
        match wanted.iter().map(read).collect::<Result<Vec<_>, _>>() {
            Ok(keys) => {
                *self.keys.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
                self.problem = None;
            }
            Err(why) => self.problem = Some(why),
        }
    }
}

fn stamps(wanted: &[Certificate]) -> Vec<Option<(u64, SystemTime)>> {
    let files = wanted.iter().flat_map(|one| [&one.certificate, &one.key]);
    let stamp = |file: &Path| std::fs::metadata(file).ok().and_then(|meta| Some((meta.len(), meta.modified().ok()?)));
    files.map(|file| stamp(file)).collect()
}

/// One certificate with its chain and key.
fn read(files: &Certificate) -> Result<Key, String> {
    let in_file = |file: &Path, why: String| format!("{}: {why}", file.display());
    let certificate = |why: String| in_file(&files.certificate, why);
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(|error| certificate(error.to_string()))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(certificate("holds no certificate".into()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| in_file(&files.key, error.to_string()))?;
    let key = CertifiedKey::from_der(chain, key, &ring::default_provider());
    key.map(|key| Key(Arc::new(key)))
        .map_err(|error| in_file(&files.key, format!("does not fit the certificate: {error}")))
}

/// A certificate that clients can be shown.
#[derive(Debug)]
struct Key(Arc<CertifiedKey>);

impl Key {
    /// Whether it is for this name.
    fn fits(&self, name: &ServerName<'_>) -> bool {
        let leaf = self.0.cert.first().and_then(|leaf| ParsedCertificate::try_from(leaf).ok());
        leaf.is_some_and(|leaf| verify_server_name(&leaf, name).is_ok())
    }
}

/// The certificates of some listeners, the first for clients that name no other.
#[derive(Debug, Default)]
struct Keys(RwLock<Vec<Key>>);

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let named = name.filter(|_| keys.len() > 1).and_then(|name| keys.iter().find(|key| key.fits(&name)));
        named.or(keys.first()).map(|key| key.0.clone())
    }
}
