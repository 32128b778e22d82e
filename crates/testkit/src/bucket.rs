//! An S3 server (versitygw, built by `scripts/tools`) with one bucket, over a folder that shows its objects as files. It checks signatures.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use store::objects::S3;

/// The key that the server knows.
const KEY: &str = "AKIDEXAMPLE";
/// Its secret.
pub const SECRET: &str = "wJalrXUtnFEMIxK7MDENGxbPxRfiCYzEXAMPLEKEY";

/// A running server.
pub struct Bucket {
    folder: tempfile::TempDir,
    address: String,
    server: Child,
}

impl Bucket {
    /// The name of its bucket.
    pub const NAME: &'static str = "packages";

    /// Starts one; where that cannot be, says why the calling test is not run.
    #[track_caller]
    pub fn start() -> Option<Bucket> {
        Self::try_start().map_err(|reason| crate::probe::not_run(&reason)).ok()
    }

    fn try_start() -> Result<Bucket, String> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin/versitygw");
        if !program.exists() {
            return Err(format!("{} is missing: scripts/tools builds it", program.display()));
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(Self::NAME)).expect("made");
        // Somebody may take the port in between: then another one is tried.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
            let address = free.to_string();
            let mut command = Command::new(&program);
            command.args(["--port", &address, "posix"]).arg(folder.path());
            command.env("ROOT_ACCESS_KEY", KEY).env("ROOT_SECRET_KEY", SECRET);
            let mut server =
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
            let until = Instant::now() + Duration::from_secs(20);
            while Instant::now() < until && matches!(server.try_wait(), Ok(None)) {
                if TcpStream::connect(&address).is_ok() {
                    return Ok(Bucket { folder, address, server });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = server.kill();
            let _ = server.wait();
        }
        Err("the S3 server does not start".into())
    }

    /// How it is reached.
    pub fn settings(&self, prefix: &str) -> S3 {
        S3 {
            region: "us-east-1".into(),
            bucket: Self::NAME.into(),
            prefix: prefix.into(),
            access_key_id: KEY.into(),
            secret_access_key: SECRET.into(),
            endpoint: format!("http://{}", self.address),
            ..S3::default()
        }
    }

    /// Where its objects lie as files.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join(Self::NAME)
    }

    /// The names of all objects, sorted.
    pub fn names(&self) -> Vec<String> {
        let (mut names, mut open) = (Vec::new(), vec![self.folder()]);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    // The server's own.
                    if !path.ends_with(".sgwtmp") {
                        open.push(path);
                    }
                    continue;
                }
                let name = path.strip_prefix(self.folder()).ok().and_then(Path::to_str);
                names.extend(name.map(str::to_owned));
            }
        }
        names.sort();
        names
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
