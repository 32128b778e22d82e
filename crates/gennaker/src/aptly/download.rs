//! Downloads of mirrors: one client, tries again what failed, keeps to a rate.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use apt::{Fetch, FetchError};

use super::config::Config;

/// How long a server may take to accept a connection, and to send the next bytes.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// More downloads at once help nobody, and some servers take them for an attack.
const MOST_AT_ONCE: usize = 32;

/// How files are downloaded.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How often each is tried.
    pub tries: u32,
    /// Bytes a second, of all downloads together; 0 for as many as there are.
    pub limit: u64,
    /// How many at the same time.
    pub at_once: usize,
}

impl Rules {
    /// What a configuration says, with one try.
    pub fn of(config: &Config) -> Rules {
        let at_once =
            usize::try_from(config.number("downloadConcurrency")).unwrap_or(usize::MAX).clamp(1, MOST_AT_ONCE);
        Rules { tries: 1, limit: config.number("downloadSpeedLimit").saturating_mul(1024), at_once }
    }
}

/// Downloads by HTTP. The client is made by the first download: a server that mirrors nothing has none.
pub struct Download {
    rules: Rules,
    made: OnceLock<Made>,
    /// When the rate allows the next byte.
    free: Mutex<Option<Instant>>,
}

/// What a download needs.
struct Made {
    http: reqwest::Client,
    /// There until it is dropped.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Made {
    fn drop(&mut self) {
        // A server may drop it where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Made {
    fn new() -> anyhow::Result<Self> {
        // Another provider that was installed before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let http = events::http::client(|builder| {
            builder.connect_timeout(PATIENCE).read_timeout(PATIENCE).user_agent("gennaker")
        })?;
        Ok(Self { http, runtime: Some(runtime) })
    }
}

/// One try's outcome: what is not there is not tried again by itself, but by `-max-tries` as everything.
type Tried<T> = Result<T, FetchError>;

impl Download {
    /// With these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules, made: OnceLock::new(), free: Mutex::default() }
    }

    fn made(&self) -> anyhow::Result<&Made> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let made = Made::new()?;
        Ok(self.made.get_or_init(|| made))
    }

    fn tried<T>(&self, mut once: impl FnMut() -> Tried<T>) -> Tried<T> {
        let mut pause = Duration::from_secs(1);
        for _ in 1..self.rules.tries.max(1) {
            match once() {
                Err(error) => tracing::debug!(%error, "trying again"),
                done => return done,
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        once()
    }

    /// How long to wait after a piece of so many bytes, so that all downloads together keep to the rate.
    fn due(&self, bytes: usize) -> Duration {
        let Some(nanos) = (bytes as u64 * 1_000_000_000).checked_div(self.rules.limit) else { return Duration::ZERO };
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let then = free.filter(|free| *free > now).unwrap_or(now) + Duration::from_nanos(nanos);
        *free = Some(then);
        then - now
    }

    /// Hands the bytes at an address to `take`, piece by piece.
    fn pieces(&self, url: &str, most: u64, take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> Tried<()> {
        let failed = |why: String| FetchError::Failed(format!("{url}: {why}"));
        let made = self.made().map_err(|error| failed(format!("{error:#}")))?;
        let runtime = made.runtime.as_ref().ok_or_else(|| failed("the server ends".into()))?;
        runtime.block_on(async {
            let mut answer = made.http.get(url).send().await.map_err(|error| failed(told(&error)))?;
            match answer.status().as_u16() {
                200 => {}
                403 | 404 | 410 => return Err(FetchError::Missing(url.to_owned())),
                code => return Err(failed(format!("HTTP code {code} while fetching"))),
            }
            let mut got = 0u64;
            while let Some(piece) = answer.chunk().await.map_err(|error| failed(told(&error)))? {
                got += piece.len() as u64;
                if got > most {
                    return Err(failed(format!("longer than the {most} bytes that it should have")));
                }
                take(&piece).map_err(|error| failed(error.to_string()))?;
                tokio::time::sleep(self.due(piece.len())).await;
            }
            Ok(())
        })
    }
}

/// An error with its cause, without the address, which stands before it.
fn told(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

impl Fetch for Download {
    fn at_once(&self) -> usize {
        self.rules.at_once
    }

    fn get(&self, url: &str, most: u64) -> Tried<Vec<u8>> {
        self.tried(|| {
            let mut bytes = Vec::new();
            self.pieces(url, most, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            Ok(bytes)
        })
    }

    fn save(&self, url: &str, most: u64, to: &Path) -> Tried<()> {
        self.tried(|| {
            let unable = |error: std::io::Error| FetchError::Failed(format!("{}: {error}", to.display()));
            let mut file = std::fs::File::create(to).map_err(unable)?;
            self.pieces(url, most, &mut |piece| file.write_all(piece))
        })
    }
}
