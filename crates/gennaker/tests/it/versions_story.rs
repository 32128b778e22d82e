//! Data of other versions: what a released version wrote is opened by this program, and what a newer one wrote is refused by name.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use debian::tar::{self, Specials};
use serde_json::{Value, json};
use store::clock::SystemClock;
use store::{Location, Migration, SharedStore, Store};

use crate::apt_crash_story::consistent;
use crate::server::{PATIENCE, Server, ask, gennaker, run};

/// A fixture of `scripts/fixture`, unpacked.
fn unpacked(fixture: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let file = std::fs::File::open(fixture).expect("opened");
    tar::unpack(file, folder.path(), Specials::Refused, |_| Ok(())).expect("unpacked");
    std::fs::set_permissions(folder.path().join("data"), std::fs::Permissions::from_mode(0o700)).expect("closed");
    std::fs::write(folder.path().join(".aptly.conf"), json!({ "rootDir": folder.path().join("apt") }).to_string())
        .expect("written");
    folder
}

#[test]
fn what_each_released_version_wrote_is_opened() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let found = std::fs::read_dir(&fixtures).expect("fixtures").flatten().map(|entry| entry.path());
    let all: Vec<_> = found.filter(|path| path.to_str().is_some_and(|path| path.ends_with(".tar.zst"))).collect();
    assert!(!all.is_empty());
    for fixture in all {
        let server = Server::start_in(unpacked(&fixture), "");
        let get = |path: &str| -> Value {
            let (status, body) = ask(&server.address(), "GET", path, "");
            assert_eq!(status, 200, "{}: {path}: {body}", fixture.display());
            serde_json::from_str(&body).expect("JSON")
        };
        assert_eq!(get("/applications")[0]["name"], "helloterry");
        let runs = get("/applications/helloterry/pipelines?limit=10");
        let ended: Vec<_> = runs.as_array().expect("a list").iter().map(|run| run["status"].clone()).collect();
        assert_eq!(ended, ["SUCCEEDED", "SUCCEEDED"]);
        assert_eq!(get("/images/find?provider=local").as_array().map(Vec::len), Some(2));
        let folder = server.folder.path();
        let (code, shown, why) = run(gennaker(folder).args(["apt", "repo", "show", "-with-packages", "helloterry"]));
        assert_eq!(code, 0, "{why}");
        assert!(shown.ends_with("Packages:\n  helloterry_2.0_all\n  helloterry_1.0_all\n"), "{shown}");
        consistent(&folder.join("apt/public/helloterry"), "stable");
        // It can be backed up, and what that gives be read.
        let kept = folder.join("kept");
        let (code, out, why) = server.also(&["backup", kept.to_str().expect("a plain path")]);
        assert_eq!(code, 0, "{out}{why}");
        let (code, out, why) = run(gennaker(folder).args(["backup", "verify"]).arg(&kept));
        assert_eq!(code, 0, "{out}{why}");
    }
}

/// A step that only a newer program has.
const FUTURE: &[Migration] = &[Migration { domain: "pipeline", number: 99, sql: "create table future (x bigint)" }];

#[test]
fn what_a_newer_version_wrote_is_refused_by_name() {
    let server = Server::start("");
    // Its data plane is there before it ends, so that it can be ended as well.
    let deadline = Instant::now() + PATIENCE;
    while !server.data().join("dataplane.sock").exists() {
        assert!(Instant::now() < deadline, "no data plane: {}", server.complaints());
        std::thread::sleep(Duration::from_millis(5));
    }
    let folder = server.kill();
    let data = folder.path().join("data");
    assert_eq!(run(gennaker(folder.path()).args(["down", "--all", "--data"]).arg(&data)).0, 0);
    let store = data.join("gennaker.db");
    let known = pipeline::schema::MIGRATIONS;
    let lists: Vec<&[Migration]> = api::SCHEMAS.iter().copied().chain([FUTURE]).collect();
    drop(Store::open(Location::Sqlite(store.clone()), &lists, Arc::new(SystemClock)).expect("raised"));
    let serve = |data: &Path| {
        run(gennaker(folder.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--gate-listen", "none", "--data"])
            .arg(data))
    };
    let (code, _, why) = serve(&data);
    assert_eq!(code, 1);
    let known = known.len();
    let expected = format!(
        "{} has schema 99 of \"pipeline\", this version knows up to {known}: use the newer version of the program",
        store.display()
    );
    assert!(why.contains(&expected), "{why}");
    // Nothing that works on the folder opens it either.
    let (code, _, why) = run(gennaker(folder.path()).args(["gc", "--data"]).arg(&data));
    assert!(code == 1 && why.contains(&expected), "{why}");

    let root = folder.path().join(".aptly/gennaker.db");
    let newer = [Migration { domain: "apt", number: 99, sql: "create table future (x bigint)" }];
    drop(SharedStore::open(&root, &newer, Arc::new(SystemClock)).expect("raised"));
    let (code, _, why) = run(gennaker(folder.path()).args(["apt", "repo", "list"]));
    assert_eq!(code, 1);
    assert!(why.contains("has schema 99 of \"apt\", this version knows up to "), "{why}");
}
