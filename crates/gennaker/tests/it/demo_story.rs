//! The whole story, as `gennaker demo` walks it: packages, a repository, a pipeline, traffic, a bad version, a crash.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use testkit::probe;

fn gennaker(words: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gennaker"))
        .args(words)
        .arg("--data")
        .arg(folder)
        .output()
        .expect("the binary runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A folder that a web server's worker may enter, as the demo needs it.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("opened");
    folder
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
}

/// The command lines of all processes that work for this folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("a plain path");
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    all.filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(folder).then_some(line)
    })
    .collect()
}

fn mounts_below(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("a plain path");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    mounts.lines().filter(|l| l.contains(folder)).map(str::to_owned).collect()
}

#[test]
fn from_a_package_to_traffic_and_nothing_is_left() {
    for program in ["node", "apt-get", "dpkg-deb"] {
        if !is_there(program) {
            return probe::not_run(&format!("{program} is not installed"));
        }
    }
    let folder = open_folder();
    let demo = folder.path().join("demo");

    let walked = gennaker(&["demo", "--exit"], &demo);
    let said = text(&walked);
    assert_eq!(walked.status.code(), Some(0), "{said}");
    for step in [
        "ok Publishing 1.0 with aptly's own commands",
        "ok apt-get installs it from aptly serve",
        "ok 1.0 by hand: bake, test, deploy dark, smoke test, traffic",
        "says \"This is Default\"",
        "ok 2.0 by publishing it: red/black under load",
        "ok A broken 3.0 is stopped before any user meets it",
        "answered 500",
        "ok SIGKILL to the control plane in the middle of a deployment",
        "ok The page",
        "failures  0\n",
        "answer    \"This is v2\": ",
    ] {
        assert!(said.contains(step), "the report lacks {step:?}:\n{said}");
    }
    assert_eq!(processes_of(&demo), Vec::<String>::new(), "everything has ended");

    let cleaned = gennaker(&["demo", "--clean"], &demo);
    assert_eq!(cleaned.status.code(), Some(0), "{}", text(&cleaned));
    assert!(!demo.exists());
    assert_eq!(mounts_below(&demo), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0);
}

#[test]
fn a_folder_that_the_demo_did_not_make_is_neither_used_nor_removed() {
    let folder = open_folder();
    let file = folder.path().join("precious");
    std::fs::write(&file, "mine").expect("written");
    let cleaned = gennaker(&["demo", "--clean"], folder.path());
    assert_eq!(text(&cleaned), "there is no demo\n");
    let walked = gennaker(&["demo", "--exit"], folder.path());
    assert_eq!(walked.status.code(), Some(1));
    assert!(text(&walked).contains("is not empty and was not made by the demo"), "{}", text(&walked));
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), "mine");
}
