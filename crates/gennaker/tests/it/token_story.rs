//! Who comes over the network: tokens that are made, listed and revoked while the server runs, for all or for an application, a publication or a
//! repository alone; and TLS on the way.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value, json};
use testkit::certificate::self_signed;
use testkit::package::package;

use crate::apt_story::Client;
use crate::server::{PATIENCE, Server, exchange, gennaker, run};

/// A command line against this server with this token.
fn cli(server: &Server, token: &str, args: &[&str]) -> (i32, String, String) {
    let mut command = gennaker(server.folder.path());
    command.env("GENNAKER_SERVER", format!("http://{}", server.address())).env("GENNAKER_TOKEN", token);
    run(command.args(args))
}

fn make(server: &Server, token: &str, args: &[&str]) -> String {
    let (code, out, said) = cli(server, token, &[&["token", "create"], args].concat());
    assert_eq!(code, 0, "{said}");
    out.trim().to_owned()
}

fn asked(server: &Server, token: &str, path: &str) -> u16 {
    exchange(&server.address(), "GET", path, &[format!("Authorization: Bearer {token}")], "").0
}

#[test]
fn tokens_are_made_and_revoked_while_the_server_runs() {
    let server = Server::start("");
    let (code, _, said) = cli(&server, "", &["token", "create", "ci", "--role", "deploy"]);
    assert_eq!(code, 1);
    assert!(said.contains("the first token must be an admin's"), "{said}");
    let (code, kim, said) = cli(&server, "", &["token", "create", "kim", "--role", "admin"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("from now on everybody needs one, you too: export GENNAKER_TOKEN"), "{said}");
    let kim = kim.trim();
    assert!(kim.starts_with("gnk_") && kim.len() == 52, "{kim}");
    assert_eq!(exchange(&server.address(), "GET", "/applications", &[], "").0, 401, "the door is shut");
    let (code, _, said) = cli(&server, "", &["application", "list"]);
    assert_eq!(code, 1, "{said}");

    let ci = make(&server, kim, &["ci", "--role", "deploy", "--application", "shop"]);
    let (code, listed, _) = cli(&server, kim, &["token", "list"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let shown: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["name"], &one["role"], &one["application"], &one["who"]))
        .collect();
    let expected = [
        (&json!("ci"), &json!("operator"), &json!("shop"), &json!("kim")),
        (&json!("kim"), &json!("admin"), &Value::Null, &json!("anonymous")),
    ];
    assert_eq!((code, shown), (0, expected.to_vec()));
    assert!(!listed.to_string().contains("digest") && !listed.to_string().contains(&kim[4..20]), "{listed}");
    assert_eq!((asked(&server, &ci, "/applications/shop/pipelines"), asked(&server, &ci, "/applications")), (200, 403));

    // What is kept lives through a kill.
    let server = Server::start_in(server.kill(), "");
    assert_eq!(asked(&server, &ci, "/applications/shop/pipelines"), 200);
    // A stream that was opened before ends with the token.
    let watcher = make(&server, kim, &["watcher", "--role", "viewer"]);
    let mut stream = TcpStream::connect(server.address()).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let head = format!("GET /ui-api/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {watcher}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("HTTP/1.1 200 OK"));
    let (code, _, said) = cli(&server, kim, &["token", "revoke", "watcher"]);
    assert_eq!((code, said.trim()), (0, "watcher is revoked"));
    // It ends with an empty chunk. A sign of life, which comes each quarter of a minute, would tell that it goes on.
    let mut rest = Vec::new();
    for line in lines {
        let last = line == "0" || line.starts_with(':');
        rest.push(line);
        if last {
            break;
        }
    }
    assert_eq!(rest.last().map(String::as_str), Some("0"), "{rest:?}");
    assert!(rest.iter().any(|line| line == "event: hello"), "{rest:?}");
    assert_eq!(asked(&server, &watcher, "/applications"), 401);
    let (code, _, said) = cli(&server, kim, &["token", "revoke", "kim"]);
    assert_eq!(code, 1);
    assert!(said.contains("kim is the last admin's token"), "{said}");
    // Who made and revoked them stands in the audit log, whose newest entry is found in it again later.
    let (code, listed, said) = cli(&server, kim, &["audit", "list", "--since", "1h"]);
    assert_eq!(code, 0, "{said}");
    let deed = |line: &str| line.trim_start().split("  ").skip(2).take(3).collect::<Vec<_>>().join("  ");
    let deeds: Vec<String> = listed.lines().map(deed).collect();
    let expected = [
        "anonymous  POST /ui-api/tokens  409",
        "anonymous  POST /ui-api/tokens  201",
        "kim  POST /ui-api/tokens  201",
        "kim  POST /ui-api/tokens  201",
        "kim  DELETE /ui-api/tokens/watcher  204",
        "kim  DELETE /ui-api/tokens/kim  409",
    ];
    assert_eq!(deeds, expected, "{listed}");
    let (code, told, said) = cli(&server, kim, &["audit", "verify"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        told.starts_with("6 entries since ") && told.contains(", none changed, removed or inserted\nhead 6:"),
        "{told}"
    );
    let head = told.trim_end().rsplit(' ').next().expect("a head");
    make(&server, kim, &["another", "--role", "viewer"]);
    assert_eq!(cli(&server, kim, &["audit", "verify", "--head", head]).0, 0);
    let other = head.replace("6:", "5:");
    let (code, _, said) = cli(&server, kim, &["audit", "verify", "--head", &other]);
    assert!(
        code == 1 && said.contains("the audit log is broken at number 5: another entry of this number was noted"),
        "{said}"
    );
    let (code, _, said) = cli(&server, &ci, &["audit", "list"]);
    assert!(code == 1 && said.contains("ci is for the application shop alone"), "{said}");
    let database = std::fs::read(server.data().join("gennaker.db")).expect("read");
    let holds = |text: &str| database.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!holds(kim) && !holds(&ci), "the store cannot tell a token");
}

#[test]
fn beyond_this_machine_tls_is_spoken_and_a_new_certificate_needs_no_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_owned();
    self_signed(&at.join("cert.pem"), &at.join("key.pem"), "first", "localhost");
    let (code, block, said) = run(gennaker(&at).args(["token", "create", "kim", "--role", "admin", "--for-file"]));
    assert_eq!(code, 0, "{said}");
    let token = said.trim().rsplit(' ').next().expect("a token").to_owned();
    let files = format!("certificate = \"{0}/cert.pem\"\nkey = \"{0}/key.pem\"\n", at.display());
    let command = || {
        let mut command = gennaker(&at);
        command.args(["serve", "--listen", "0.0.0.0:0", "--gate-listen", "127.0.0.1:0", "--data"]);
        command.arg(at.join("data")).arg("--config").arg(at.join("gennaker.toml"));
        command
    };
    std::fs::write(at.join("gennaker.toml"), &block).expect("written");
    let (code, _, said) = run(&mut command());
    assert_eq!(code, 1);
    assert!(said.contains("refusing to listen on 0.0.0.0:0 without TLS: tokens could be read on the way"), "{said}");

    let server = Server::begin(folder, &format!("{block}[server.tls]\n{files}"), command());
    let port = server.address().rsplit(':').next().expect("a port").to_owned();
    let curl = |args: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"]).arg(at.join("cert.pem")).args(args);
        run(&mut curl).1
    };
    let bearer = format!("Authorization: Bearer {token}");
    let there = format!("https://localhost:{port}/applications");
    assert_eq!(curl(&["-H", &bearer, &there]), "200");
    assert_eq!(curl(&[&there]), "401");
    assert_eq!(
        curl(&["-H", &bearer, &format!("http://localhost:{port}/applications")]),
        "000",
        "nothing is said in the clear"
    );
    // Callers on this machine need no certificate: they come by the loopback listener.
    let (code, _, said) =
        run(gennaker(&at).env("GENNAKER_TOKEN", &token).args(["application", "list", "--data"]).arg(at.join("data")));
    assert_eq!(code, 0, "{said}");

    self_signed(&at.join("cert.pem"), &at.join("key.pem"), "second", "localhost");
    let deadline = std::time::Instant::now() + PATIENCE;
    while curl(&["-H", &bearer, &there]) != "200" {
        assert!(std::time::Instant::now() < deadline, "the new certificate is not shown");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn behind_a_proxy_nobody_else_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_owned();
    let (_, block, _) = run(gennaker(&at).args(["token", "create", "kim", "--role", "admin", "--for-file"]));
    let start = |folder, proxies: &str| {
        let mut command = gennaker(&at);
        command.args(["serve", "--listen", "0.0.0.0:0", "--gate-listen", "none", "--data"]);
        command.arg(at.join("data")).arg("--config").arg(at.join("gennaker.toml"));
        Server::begin(folder, &format!("[server]\ntrusted_proxies = [\"{proxies}\"]\n{block}"), command)
    };
    let ask = |server: &Server| {
        let address = server.address().replace("0.0.0.0", "127.0.0.1");
        exchange(&address, "GET", "/health", &[], "")
    };
    let server = start(folder, "192.0.2.7");
    let (status, _, body) = ask(&server);
    assert_eq!(status, 403);
    assert!(body.contains("this server takes requests from its proxy only"), "{body}");
    let server = start(server.kill(), "127.0.0.0/8");
    assert_eq!(ask(&server).0, 200);
}

#[test]
fn apt_reads_one_publication_and_a_build_uploads_to_one_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().to_owned();
    let archive = json!({"rootDir": home.join("archive"), "serveInAPIMode": true});
    std::fs::write(home.join(".aptly.conf"), archive.to_string()).expect("written");
    package("helloterry", "1.0").write_to(&home);
    let apt = |words: &str| {
        let (code, out, said) = run(gennaker(&home).current_dir(&home).arg("apt").args(words.split(' ')));
        assert_eq!(code, 0, "{words}: {out}{said}");
    };
    for name in ["mine", "theirs"] {
        apt(&format!("repo create -distribution=stable {name}"));
        apt(&format!("repo add {name} helloterry_1.0_all.deb"));
        apt(&format!("publish repo -skip-signing -architectures=amd64 {name} team/{name}"));
    }
    let server = Server::start_in(folder, "");
    let kim = make(&server, "", &["kim", "--role", "admin"]);
    let reader = make(&server, &kim, &["laptops", "--role", "read", "--publication", "team/mine"]);
    let build = make(&server, &kim, &["build", "--role", "deploy", "--repository", "mine"]);

    // As apt keeps it: a login of any name, the token as its password.
    let address = server.address();
    let logins = home.join("auth.conf");
    std::fs::write(&logins, format!("machine http://{address} login apt password {reader}\n")).expect("written");
    let client = Client::new(&format!("deb [trusted=yes] http://{address}/repos/-/team/mine stable main"));
    let netrc = format!("Dir::Etc::netrc={}", logins.display());
    client.apt_get(&["-o", &netrc, "update"]);
    let said = client.apt_get(&["-o", &netrc, "download", "helloterry"]);
    assert!(said.contains("helloterry"), "{said}");
    assert_eq!(asked(&server, &reader, "/repos/-/team/mine/dists/stable/Release"), 200);
    assert_eq!(asked(&server, &reader, "/repos/-/team/theirs/dists/stable/Release"), 403);
    assert_eq!(asked(&server, &reader, "/repos/-/team/mine/../theirs/dists/stable/Release"), 403);
    assert_eq!(asked(&server, &reader, "/api/repos"), 403);
    assert_eq!(exchange(&address, "GET", "/repos/-/team/mine/dists/stable/Release", &[], "").0, 401);

    let deb = package("helloterry", "2.0").write_to(&home);
    let curl = |args: &[&str], path: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", &format!("build:{build}")]).args(args);
        run(curl.arg(format!("http://{address}{path}"))).1
    };
    let deb = deb.to_str().expect("a text");
    assert_eq!(curl(&["-T", deb], "/api/files/mine-7/helloterry_2.0_all.deb"), "200");
    assert_eq!(curl(&["-X", "POST"], "/api/repos/mine/file/mine-7"), "200");
    assert_eq!(curl(&["-T", deb], "/api/files/theirs/helloterry_2.0_all.deb"), "403");
    assert_eq!(curl(&["-X", "POST"], "/api/repos/theirs/file/mine-7"), "403");
    assert_eq!(curl(&["-X", "DELETE"], "/api/repos/mine"), "403");
    let (_, listed, _) = cli(&server, &kim, &["token", "list"]);
    assert!(
        listed.contains("\"publication\": \"team/mine\"") && listed.contains("\"repository\": \"mine\""),
        "{listed}"
    );
}
