//! From a package file to a service by one command, and its next version to the same users.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use crate::redblack_story::service;
use crate::server::{ask, free_port, gennaker, run};

/// A home without a server; what was started there ends with it.
struct Home(TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A package with a program that says `text`.
    fn hello(&self, version: &str, text: &str) -> PathBuf {
        service(version, text).write_to(self.path())
    }

    fn gennaker(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = gennaker(self.path());
        command.env("GENNAKER_SERVER__LISTEN", "127.0.0.1:0").env("GENNAKER_SERVER__GATE_LISTEN", "none");
        run(command.args(args).arg("--data").arg(self.path().join("data")))
    }

    fn up(&self, file: &Path, more: &[&str]) -> (i32, String, String) {
        let file = file.to_str().expect("a plain path");
        self.gennaker(&[&["up", "--output", "text", file], more].concat())
    }

    fn server(&self) -> String {
        let file = std::fs::read(self.path().join("data/server.json")).expect("a server runs");
        let file: Value = serde_json::from_slice(&file).expect("JSON");
        file["listen"].as_str().expect("an address").to_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.gennaker(&["stop"]);
        let _ = self.gennaker(&["down", "--all"]);
    }
}

/// The first two words of each line, and what becomes of it.
fn told(out: &str) -> Vec<String> {
    let short = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    out.lines().map(short).collect()
}

#[test]
fn a_file_becomes_a_service_and_the_next_one_its_next_version() {
    let home = Home::new();
    let port = free_port().to_string();
    let first = home.hello("1.0", "This is Default");

    let (code, out, why) = home.up(&first, &["--plan", "--port", &port]);
    assert_eq!(code, 0, "{out}{why}");
    assert_eq!(told(&out)[0], "application helloterry would be made", "{out}");
    assert!(why.contains("started a server: http://127.0.0.1:"), "{why}");
    let (_, applications) = ask(&home.server(), "GET", "/applications", "");
    assert_eq!(applications, "[]", "a plan makes nothing");

    let (code, out, why) = home.up(&first, &["--port", &port]);
    assert_eq!(code, 0, "{out}{why}");
    let lines = told(&out);
    assert_eq!(lines.len(), 7, "{out}");
    assert_eq!(
        lines[..5],
        [
            "application helloterry made".to_owned(),
            format!("balancer helloterry made, port {port}, checked at /"),
            "repository helloterry made, takes helloterry_1.0_all".to_owned(),
            "pipeline Deploy made, starts with every new helloterry".to_owned(),
            "publication helloterry/stable made, shows helloterry_1.0_all".to_owned(),
        ]
    );
    assert!(lines[5].starts_with("run Deploy SUCCEEDED after "), "{out}");
    assert_eq!(lines[6], format!("address http://127.0.0.1:{port}/"));
    let address = format!("127.0.0.1:{port}");
    assert_eq!(ask(&address, "GET", "/", ""), (200, "This is Default".into()));

    // The next version reaches the same users, and none of them notices.
    let (over, asked, failed) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let (code, out, why) = std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let (status, _) = ask(&address, "GET", "/", "");
                    asked.fetch_add(1, Ordering::Relaxed);
                    failed.fetch_add(usize::from(status != 200), Ordering::Relaxed);
                }
            });
        }
        let done = home.up(&home.hello("2.0", "This is v2"), &[]);
        over.store(true, Ordering::Relaxed);
        done
    });
    assert_eq!(code, 0, "{out}{why}");
    assert_eq!((failed.load(Ordering::Relaxed), asked.load(Ordering::Relaxed) > 0), (0, true));
    let lines = told(&out);
    assert_eq!(lines[0], "application helloterry stays", "{out}");
    assert_eq!(lines[4], "publication helloterry/stable stays, shows helloterry_2.0_all", "{out}");
    let traffic = lines.iter().find(|line| line.starts_with("traffic ")).expect("users were there");
    assert!(traffic.ends_with(" requests, 0 failed, 0 sent again"), "{traffic}");
    assert_eq!(ask(&address, "GET", "/", ""), (200, "This is v2".into()));

    // The same file once more: nothing is new, and the pipeline runs with it all the same.
    let (code, out, why) = home.up(&home.hello("2.0", "This is v2"), &["--instances", "1"]);
    assert_eq!(code, 0, "{out}{why}");
    assert!(why.contains("it was published before"), "{why}");
    assert_eq!(told(&out)[3], "pipeline Deploy changed, starts with every new helloterry", "{out}");
    let (_, groups) = ask(&home.server(), "GET", "/applications/helloterry/serverGroups", "");
    let groups: Value = serde_json::from_str(&groups).expect("JSON");
    let serving: Vec<_> = groups.as_array().expect("a list").iter().filter(|one| one["isDisabled"] == false).collect();
    assert_eq!((serving.len(), &serving[0]["capacity"]["desired"]), (1, &1.into()), "{groups:#}");

    // Other bytes by the same name are refused before users meet them.
    let (code, _, why) = home.up(&home.hello("2.0", "This is another v2"), &[]);
    assert_eq!(code, 1, "{why}");
    assert!(why.contains("another build needs another version"), "{why}");
}

#[test]
fn the_doctor_says_what_runs_and_the_activity_what_happened() {
    let home = Home::new();
    let (code, out, why) = home.gennaker(&["doctor"]);
    assert!(out.contains("NOTE  server         none runs for this data folder"), "{code} {out}{why}");
    let (code, out, why) = home.up(&home.hello("1.0", "Hello"), &["--port", &free_port().to_string()]);
    assert_eq!(code, 0, "{out}{why}");
    let (code, out, why) = home.gennaker(&["doctor"]);
    assert_eq!(code, 0, "{out}{why}");
    assert!(out.contains(&format!("serves http://{}/ui/", home.server())), "{out}");
    assert!(out.contains("good  data folder"), "{out}");
    assert!(!out.contains("BAD"), "{out}");

    // A piece at a time, without a gap and without a repetition.
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let (status, body) = ask(&home.server(), "GET", &format!("/ui-api/activity?limit=2&next={next}"), "");
        assert_eq!(status, 200, "{body}");
        let piece: Value = serde_json::from_str(&body).expect("JSON");
        for one in piece["happenings"].as_array().expect("a list") {
            let what = [
                &one["execution"]["name"],
                &one["execution"]["description"],
                &one["operation"]["command"],
                &one["saved"]["name"],
            ];
            let what = what.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
            seen.push((
                one["at"].as_i64().expect("a moment"),
                format!("{} {what}", one["kind"].as_str().unwrap_or_default()),
            ));
        }
        let Some(more) = piece["next"].as_str() else { break };
        next = more.bytes().map(|byte| format!("%{byte:02x}")).collect();
    }
    assert!(seen.is_sorted_by(|a, b| a.0 >= b.0), "{seen:?}");
    let (_, whole) = ask(&home.server(), "GET", "/ui-api/activity", "");
    let whole: Value = serde_json::from_str(&whole).expect("JSON");
    assert_eq!(whole["happenings"].as_array().map(Vec::len), Some(seen.len()), "{seen:?}");
    let kinds: BTreeSet<String> =
        seen.iter().map(|(_, what)| what.split(" up-").next().unwrap_or_default().to_owned()).collect();
    let expected = [
        "repository up",
        "run Deploy",
        "save Deploy",
        "task Create Application: helloterry",
        "task Upsert Load Balancer: helloterry",
    ];
    assert_eq!(kinds, expected.map(str::to_owned).into());
}

#[test]
fn what_is_no_package_makes_nothing() {
    let home = Home::new();
    // Somebody else has the port: the command says so, not only the log of the server that it began.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut command = gennaker(home.path());
    command.env("GENNAKER_SERVER__LISTEN", &address).env("GENNAKER_SERVER__GATE_LISTEN", "none");
    let (code, _, why) =
        run(command.args(["up", "--data"]).arg(home.path().join("data")).arg(home.hello("0.9", "Hello")));
    assert_eq!(code, 1);
    assert!(why.contains(&format!("the server could not start: cannot listen on {address}: ")), "{why}");
    let file = home.path().join("notes.deb");
    std::fs::write(&file, "not a package").expect("written");
    let (code, out, why) = home.up(&file, &[]);
    assert_eq!((code, out.as_str()), (1, ""), "{why}");
    assert!(why.contains("notes.deb: "), "{why}");
    let (code, _, why) = home.up(&home.path().join("missing.deb"), &[]);
    assert_eq!(code, 1);
    assert!(why.contains("cannot read ") && why.contains("missing.deb"), "{why}");
    let (code, _, why) = home.up(&home.hello("1.0", "Hello"), &["--name", "a-b"]);
    assert_eq!(code, 1);
    assert!(why.contains("name \"a-b\": give one of small letters and digits alone"), "{why}");
    let needy = service("1.1", "Hello").field("Depends", "libnothing9 (>= 2)").write_to(home.path());
    let (code, _, why) = home.up(&needy, &[]);
    assert_eq!(code, 1);
    assert!(
        why.contains("helloterry 1.1 depends on libnothing9 (>= 2)") && why.contains("apt-get install libnothing9"),
        "{why}"
    );
    let (_, applications) = ask(&home.server(), "GET", "/applications", "");
    assert_eq!(applications, "[]");
    let (_, uploads) = ask(&home.server(), "GET", "/api/files", "");
    assert_eq!(uploads, "[]", "uploads of what came to nothing are taken away");
}
