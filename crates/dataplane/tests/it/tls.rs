//! Listeners that speak TLS, asked by curl: certificates by name, renewed while connections are open, and never a wrong one.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;

use dataplane::wanted::MemberState::Active;
use dataplane::wanted::{Certificate, Protocol, Stickiness, StickyKey, StickyTo};

use crate::world::{Plane, Upstream, get, until, web};

/// A certificate for a name, signed by itself.
fn make(folder: &Path, file: &str, name: &str) -> Certificate {
    let certificate = folder.join(format!("{file}.pem"));
    let key = folder.join(format!("{file}.key"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={file}"), "-addext", &format!("subjectAltName=DNS:{name}")])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{made:?}");
    Certificate { certificate, key }
}

/// Asks by curl under a name, trusting one certificate only; the answer's body, or what curl says.
async fn ask(port: u16, name: &str, trusted: &Certificate, more: &[&str]) -> Result<String, String> {
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--max-time",
        "10",
        "--resolve",
        &format!("{name}:{port}:127.0.0.1"),
        "--cacert",
    ]);
    curl.arg(&trusted.certificate).args(more).arg(format!("https://{name}:{port}/headers"));
    let done = tokio::task::spawn_blocking(move || curl.output()).await.unwrap().expect("curl runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_name_gets_its_certificate_and_a_new_one_when_the_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, blog) = (make(folder.path(), "shop", "shop.test"), make(folder.path(), "blog", "*.blog.test"));
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    let mut wanted = web(1, Protocol::Auto, vec![a.member("g", Active)]);
    wanted.balancers[0].listeners[0].certificates = vec![shop.clone(), blog.clone()];
    let key = StickyKey::Cookie { name: "side".into(), max_age_s: None };
    wanted.balancers[0].stickiness = Some(Stickiness { key, to: StickyTo::Member });
    plane.put(&wanted).await;
    let front = plane.address().await;

    let told = ask(front.port(), "shop.test", &shop, &["--include"]).await.unwrap();
    assert!(told.contains("x-forwarded-proto: https") && told.contains("proto=https"), "{told}");
    assert!(told.contains("; Secure"), "a cookie that came by TLS goes by TLS: {told}");
    assert!(ask(front.port(), "www.blog.test", &blog, &[]).await.is_ok(), "a wildcard is a name, too");
    assert!(ask(front.port(), "shop.test", &blog, &[]).await.is_err(), "the other one is not shown");
    assert!(ask(front.port(), "shop.test", &shop, &["--tls-max", "1.2"]).await.is_ok());
    let old = ask(front.port(), "shop.test", &shop, &["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"]).await;
    assert!(old.is_err(), "TLS 1.1 is broken: {old:?}");
    let before = a.served.load(SeqCst);
    assert_ne!(get(front, "/").await.0, 200, "plain text is no TLS");
    assert_eq!(a.served.load(SeqCst), before);

    // Another certificate in the same files, with nothing said to anybody.
    let new = make(folder.path(), "shop", "shop.test");
    until("the new one is shown", async || ask(front.port(), "shop.test", &new, &[]).await.ok()).await;
    // A file that is spoilt leaves what was there in force, and is told.
    std::fs::write(&new.key, "nonsense").unwrap();
    let problem = until("it is told", async || plane.web().await.listeners[0].problem.clone()).await;
    assert!(problem.contains("shop.key"), "{problem}");
    assert!(ask(front.port(), "shop.test", &new, &[]).await.is_ok());
    let repaired = make(folder.path(), "shop", "shop.test");
    until("it is well again", async || plane.web().await.listeners[0].problem.is_none().then_some(())).await;
    assert!(ask(front.port(), "shop.test", &repaired, &[]).await.is_ok());
}
