//! Certificates for servers of tests.

use std::path::Path;
use std::process::Command;

/// Makes a certificate of `subject` for the host `name` that vouches for itself, good for two days, and its key, both in PEM.
pub fn self_signed(certificate: &Path, key: &Path, subject: &str, name: &str) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={subject}"), "-addext", &format!("subjectAltName=DNS:{name}")])
        // Of an authority some clients take no certificate for a server.
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .args([key, Path::new("-out"), certificate])
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{made:?}");
}
