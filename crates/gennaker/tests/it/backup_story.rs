//! The machine is lost, and everything comes back from a backup that was made while it worked.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use testkit::package::package;
use testkit::{postgres, probe};

use crate::apt_crash_story::consistent;
use crate::apt_story::{Client, have};
use crate::redblack_story::service;
use crate::server::{PATIENCE, Server, ask, free_port, gennaker, run};

/// A folder that outlives the machine.
struct Safe(tempfile::TempDir);

impl Safe {
    fn new() -> Safe {
        Safe(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A command on the data folder and configuration in `folder`.
fn command(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let data = folder.join("data");
    let mut command = gennaker(folder);
    command.args(args).arg("--data").arg(data).arg("--config").arg(folder.join("gennaker.toml"));
    run(&mut command)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn good((code, out, why): (i32, String, String)) -> String {
    assert_eq!(code, 0, "{out}{why}");
    out
}

/// Makes a backup; gives what it says.
fn backup(folder: &Path, to: &Path) -> Value {
    let out = good(command(folder, &["backup", text(to), "--json"]));
    serde_json::from_str(&out).expect("JSON")
}

/// Everything beneath a folder: mode and content, or where a link leads.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).expect("a folder") {
            let path = entry.expect("read").path();
            let meta = std::fs::symlink_metadata(&path).expect("there");
            let content = match path.read_link() {
                Ok(target) => text(&target).as_bytes().to_vec(),
                Err(_) if meta.is_dir() => Vec::new(),
                Err(_) => std::fs::read(&path).expect("read"),
            };
            if meta.is_dir() {
                open.push(path.clone());
            }
            found.insert(path.strip_prefix(folder).expect("beneath").to_owned(), (meta.permissions().mode(), content));
        }
    }
    found
}

fn get(server: &Server, path: &str) -> Value {
    let (status, body) = ask(&server.address(), "GET", path, "");
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// What ended, by its id.
fn runs(server: &Server) -> Vec<(String, String)> {
    let all = get(server, "/applications/helloterry/pipelines?limit=100");
    let all = all.as_array().expect("a list").iter();
    all.map(|run| (run["id"].to_string(), run["status"].to_string())).collect()
}

/// Waits until the service says this.
fn answers(address: &str, expected: &str) {
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(address).is_err() || ask(address, "GET", "/", "").1 != expected {
        assert!(Instant::now() < deadline, "{address} does not say {expected}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_lost_machine_comes_back_from_backups_that_were_made_while_it_worked() {
    let (here, safe, port) = (tempfile::tempdir().expect("a folder"), Safe::new(), free_port());
    let (root, service_at) = (here.path().join("apt"), format!("127.0.0.1:{port}"));
    let config = format!("[[apt.root]]\npath = \"{}\"\n[retention]\njournal_days = 3\n", root.display());
    let server = Server::start_in(here, &config);
    let folder = server.folder.path().to_owned();
    let up = |version: &str, says: &str| {
        let file = service(version, says).write_to(&folder);
        good(command(&folder, &["up", text(&file), "--port", &port.to_string(), "--output", "text"]));
        answers(&service_at, says);
    };
    up("1.0", "This is Default");
    let kept = safe.at("kept");
    let first = backup(&folder, &kept);
    assert_eq!(first["newFiles"], first["files"]);
    assert_eq!(first["warnings"], json!([]));
    assert_eq!(std::fs::metadata(&kept).expect("there").permissions().mode() & 0o777, 0o700);

    // While one is made, packages are published and applications are made.
    up("2.0", "This is v2");
    std::fs::write(folder.join(".aptly.conf"), json!({ "rootDir": root }).to_string()).expect("written");
    let apt = |args: &[&str]| good(run(gennaker(&folder).arg("apt").args(args).current_dir(&folder)));
    let over = AtomicBool::new(false);
    let while_written = std::thread::scope(|scope| {
        scope.spawn(|| {
            apt(&["repo", "create", "busy"]);
            package("busy", "0.1").write_to(&folder);
            apt(&["repo", "add", "busy", "busy_0.1_all.deb"]);
            apt(&["publish", "repo", "-skip-signing", "-distribution=busy", "-architectures=amd64", "busy", "busy"]);
            for number in 1.. {
                let name = format!("app{number}");
                let job = json!({ "type": "createApplication", "application": { "name": name, "email": "a@b.c" } });
                let body = json!({ "application": name, "description": "new", "job": [job] });
                assert_eq!(ask(&server.address(), "POST", "/tasks", &body.to_string()).0, 200);
                package("busy", &format!("{number}.0")).write_to(&folder);
                apt(&["repo", "add", "busy", &format!("busy_{number}.0_all.deb")]);
                apt(&["publish", "update", "-skip-signing", "busy", "busy"]);
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let made: Vec<Value> = (0..3).map(|_| backup(&folder, &kept)).collect();
        over.store(true, Ordering::Relaxed);
        made
    });
    let quiet = backup(&folder, &kept);
    let again = backup(&folder, &kept);
    assert!(quiet["newFiles"].as_u64() < first["files"].as_u64(), "{quiet}");
    // Times of the last look at things may have moved in the control store; nothing else is new.
    assert!(again["newFiles"].as_u64() <= Some(1), "{again}");
    assert_eq!(again["files"], quiet["files"]);
    let archive = safe.at("one.tar.zst");
    assert_eq!(backup(&folder, &archive)["files"], quiet["files"]);
    for whole in [&kept, &archive] {
        good(run(gennaker(&folder).args(["backup", "verify", text(whole)])));
    }
    let names = good(run(gennaker(&folder).args(["backup", "list", text(&kept)])));
    assert_eq!(names.lines().count(), 6, "{names}");

    // Lost: every process, the data folder, the root. Nothing is left but the backups.
    let (runs_before, published) = (runs(&server), tree(&root.join("public")));
    let packages = apt(&["repo", "show", "-with-packages", "helloterry"]);
    let lost = server.kill();
    good(command(lost.path(), &["down", "--all"]));
    drop(lost);
    assert!(!root.exists() && std::net::TcpStream::connect(&service_at).is_err());

    let there = tempfile::tempdir().expect("a folder");
    let out = good(command(there.path(), &["restore", text(&kept)]));
    assert!(out.contains("next      gennaker serve: what was deployed starts again"), "{out}");
    assert_eq!(std::fs::read_to_string(there.path().join("gennaker.toml")).expect("restored"), config);
    assert_eq!(tree(&root.join("public")), published, "what is published is the same to the byte");
    let server = Server::start_in(there, &config);
    answers(&service_at, "This is v2");
    assert_eq!(runs(&server), runs_before);
    std::fs::write(server.folder.path().join(".aptly.conf"), json!({ "rootDir": root }).to_string()).expect("written");
    let apt = |args: &[&str]| good(run(gennaker(server.folder.path()).arg("apt").args(args)));
    assert_eq!(apt(&["repo", "show", "-with-packages", "helloterry"]), packages);
    consistent(&root.join("public/helloterry"), "stable");
    if have("apt-get") {
        Client::new(&format!("deb [trusted=yes] file:{} stable main", root.join("public/helloterry").display()))
            .apt_get(&["update"]);
    }
    // It goes on as if nothing had been: the next version reaches the same users.
    let next = service("3.0", "This is v3").write_to(server.folder.path());
    good(command(server.folder.path(), &["up", text(&next), "--output", "text"]));
    answers(&service_at, "This is v3");

    // Those that were made in the middle of the work are each of one moment.
    for made in &while_written {
        let elsewhere = Safe::new();
        let name = made["snapshot"].as_str().expect("a name");
        let to = elsewhere.at("apt");
        let args = ["restore", text(&kept), "--snapshot", name, "--root", text(&to)];
        good(command(elsewhere.0.path(), &args));
        consistent(&to.join("public/helloterry"), "stable");
        if to.join("public/busy/dists/busy").exists() {
            consistent(&to.join("public/busy"), "busy");
        }
        let root = apt::Root::open(&to, std::sync::Arc::new(store::clock::SystemClock)).expect("opens");
        assert!(root.is_settled(&root.shown().expect("reads")), "what the database says is what is shown");
        assert_eq!(root.cleanup(true, false, &mut |_| {}).expect("looks").files, 0);
    }
    let (code, _, why) = command(server.folder.path(), &["restore", text(&archive)]);
    assert_eq!(code, 1);
    assert!(why.contains("a server runs for ") && why.contains("end it with `gennaker stop`"), "{why}");
}

/// A data folder and a root with a package, and no server.
fn quiet_machine() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    let config = format!("[[apt.root]]\npath = \"{}\"\n", here.path().join("apt").display());
    let server = Server::start_in(here, &config);
    let path = server.folder.path().to_owned();
    std::fs::write(path.join(".aptly.conf"), json!({ "rootDir": path.join("apt") }).to_string()).expect("written");
    package("quiet", "1.0").write_to(&path);
    for line in [
        "repo create quiet",
        "repo add quiet quiet_1.0_all.deb",
        "publish repo -skip-signing -distribution=d -architectures=amd64 quiet",
    ] {
        good(run(gennaker(&path).arg("apt").args(line.split(' ')).current_dir(&path)));
    }
    let left = server.kill();
    // The data plane outlives it.
    good(command(left.path(), &["down", "--all"]));
    left
}

/// The one file of a backup's folder whose name or content is what is looked for.
fn blob_with(kept: &Path, content: &[u8]) -> PathBuf {
    let all = tree(&kept.join("blobs"));
    let found = all.iter().find(|(_, (_, bytes))| bytes.windows(content.len()).any(|part| part == content));
    kept.join("blobs").join(found.expect("it is there").0)
}

#[test]
fn a_flipped_byte_is_found_before_anything_is_written() {
    let (here, safe) = (quiet_machine(), Safe::new());
    let (kept, archive) = (safe.at("kept"), safe.at("one.tar.zst"));
    backup(here.path(), &kept);
    backup(here.path(), &archive);
    let release = blob_with(&kept, b"\nSHA256:\n");
    let mut bytes = std::fs::read(&release).expect("read");
    bytes[0] ^= 1;
    std::fs::write(&release, &bytes).expect("written");

    let verify = |more: &[&str]| run(gennaker(here.path()).args(["backup", "verify", text(&kept)]).args(more));
    let (code, out, why) = verify(&[]);
    assert_eq!(code, 1, "{out}{why}");
    assert!(out.contains("DAMAGED") && out.contains("/1/Release: its bytes changed"), "{out}");
    assert!(why.contains("--remove-damaged removes such files"), "{why}");
    let elsewhere = Safe::new();
    let to = elsewhere.at("apt");
    let (code, _, why) = command(elsewhere.0.path(), &["restore", text(&kept), "--root", text(&to)]);
    assert_eq!(code, 1);
    assert!(why.contains("is damaged: 1 of its files") && why.contains("nothing was restored"), "{why}");
    assert!(!elsewhere.at("data").exists() && !to.exists());

    // The original is still there: the next backup mends it.
    assert_eq!(verify(&["--remove-damaged"]).0, 1);
    assert_eq!(backup(here.path(), &kept)["newFiles"], 1);
    assert_eq!(verify(&[]).0, 0);

    let mut bytes = std::fs::read(&archive).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&archive, &bytes).expect("written");
    let (code, _, why) = command(elsewhere.0.path(), &["restore", text(&archive), "--root", text(&to)]);
    assert_eq!(code, 1);
    assert!(why.contains("one.tar.zst is damaged"), "{why}");
    assert!(!elsewhere.at("data").exists() && !to.exists());
}

#[test]
fn a_killed_backup_leaves_the_one_before_and_claims_nothing() {
    let (here, safe) = (quiet_machine(), Safe::new());
    let kept = safe.at("kept");
    backup(here.path(), &kept);
    // Enough to be in the middle of it.
    let big = here.path().join("apt/public/big");
    std::fs::File::create(&big).and_then(|file| file.set_len(2 << 30)).expect("made");
    let mut killed = gennaker(here.path());
    killed.args(["backup", text(&kept), "--data"]).arg(here.path().join("data"));
    killed.arg("--config").arg(here.path().join("gennaker.toml")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut killed = killed.spawn().expect("starts");
    let deadline = Instant::now() + PATIENCE;
    let is_at_it = || {
        let new = std::fs::read_dir(kept.join("new")).into_iter().flatten().flatten();
        new.filter_map(|entry| entry.metadata().ok()).any(|meta| meta.len() > 8 << 20)
    };
    while !is_at_it() {
        assert!(Instant::now() < deadline && matches!(killed.try_wait(), Ok(None)), "it is not at work");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let (code, _, why) = command(here.path(), &["backup", text(&kept)]);
    assert!(code == 1 && why.contains("another backup or restore works on "), "{why}");
    killed.kill().and_then(|()| killed.wait()).expect("killed");
    std::fs::remove_file(&big).expect("removed");

    let list = good(run(gennaker(here.path()).args(["backup", "list", text(&kept)])));
    assert_eq!(list.lines().count(), 1, "{list}");
    good(run(gennaker(here.path()).args(["backup", "verify", text(&kept)])));
    backup(here.path(), &kept);
    assert!(!kept.join("new").exists(), "what the killed one left is gone");
    let out = good(command(here.path(), &["backup", text(&kept), "--keep", "1"]));
    assert!(out.contains("gone    2 older snapshots"), "{out}");
    good(run(gennaker(here.path()).args(["backup", "verify", text(&kept)])));
}

#[test]
fn only_an_empty_place_takes_a_backup_and_only_of_this_version_or_older() {
    let (here, safe) = (quiet_machine(), Safe::new());
    let kept = safe.at("kept");
    backup(here.path(), &kept);
    let (code, _, why) = command(here.path(), &["restore", text(&kept)]);
    assert_eq!(code, 1);
    assert!(why.contains("data is not empty; a backup is restored into an empty folder only"), "{why}");

    // A restore that was killed left its mark: no server takes the folder.
    let elsewhere = Safe::new();
    std::fs::create_dir_all(elsewhere.at("data/restoring")).expect("made");
    std::fs::set_permissions(elsewhere.at("data"), std::fs::Permissions::from_mode(0o700)).expect("closed");
    let (code, _, why) = run(gennaker(elsewhere.0.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--gate-listen", "none", "--data"])
        .arg(elsewhere.at("data")));
    assert!(code == 1 && why.contains("a restore into ") && why.contains(" did not end"), "{why}");

    // As a newer program writes it.
    let name = std::fs::read_dir(kept.join("snapshots")).expect("there").flatten().next().expect("one").path();
    let manifest = std::fs::read_to_string(name.join("manifest.json")).expect("read");
    let newer =
        manifest.replace("\"bakery\": 2", "\"bakery\": 99").replace("\"version\": \"0.1.0\"", "\"version\": \"9.0.0\"");
    assert_ne!(newer, manifest);
    let sum = debian::sums::Sums::of(newer.as_bytes()).sha256;
    std::fs::write(name.join("manifest.json"), newer).expect("written");
    std::fs::write(name.join("manifest.json.sha256"), sum).expect("written");
    let (code, _, why) = command(safe.0.path(), &["restore", text(&kept)]);
    assert_eq!(code, 1);
    assert!(why.contains("it holds schema 99 of \"bakery\", this version (0.1.0) knows up to 2: restore it with version 9.0.0 or newer"), "{why}");
}

#[test]
fn a_control_store_in_postgresql_is_told_and_the_rest_is_backed_up() {
    let database = match postgres::start() {
        Ok(database) => database,
        Err(reason) => return probe::not_run(&reason),
    };
    let store::Location::Postgres(url) = database.fresh() else { unreachable!("a server gives PostgreSQL databases") };
    let (here, safe) = (tempfile::tempdir().expect("a folder"), Safe::new());
    let server = Server::start_in(here, &format!("[server]\nstore = \"{url}\"\n"));
    let (code, _, why) = command(server.folder.path(), &["backup", text(&safe.at("kept"))]);
    assert_eq!(code, 1);
    assert!(
        why.contains("the control store is in PostgreSQL and not in this backup; the rest is")
            && why.contains("pg_dump --format=custom"),
        "{why}"
    );
    good(command(server.folder.path(), &["backup", text(&safe.at("kept")), "--without-control-store"]));
    good(run(gennaker(server.folder.path()).args(["backup", "verify", text(&safe.at("kept"))])));
    // What is tidied by rows is tidied there as well.
    for made in [&["gc", "--dry-run"][..], &["gc"], &["df"]] {
        let out = good(command(server.folder.path(), made));
        assert!(made[0] == "df" || out == "nothing is past its time\n", "{out}");
    }
}
