//! Debian's own tools as judges.

use std::process::Command;

use debian::version::{compare, is_version};

use crate::packages::hello;

/// dpkg is essential on the systems that this is built on; elsewhere there is nothing to compare with.
fn have_dpkg() -> bool {
    let found = Command::new("dpkg-deb").arg("--version").output().is_ok_and(|output| output.status.success());
    #[allow(clippy::disallowed_methods, reason = "tests are told by the environment what must be there")]
    let required = std::env::var("GENNAKER_TEST_REQUIRE").is_ok_and(|value| value == "all");
    assert!(found || !required, "not run: dpkg-deb is missing");
    if !found {
        eprintln!("not run: dpkg-deb is missing");
    }
    found
}

#[test]
fn dpkg_deb_accepts_what_is_built() {
    if !have_dpkg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hello.deb");
    std::fs::write(&path, hello().build().unwrap()).unwrap();
    let info = Command::new("dpkg-deb").arg("-f").arg(&path).arg("Version").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&info.stdout), "1:2.0-1\n", "{}", String::from_utf8_lossy(&info.stderr));
    let into = folder.path().join("root");
    assert!(Command::new("dpkg-deb").arg("-x").arg(&path).arg(&into).status().unwrap().success());
    assert_eq!(std::fs::read_to_string(into.join("etc/hello.conf")).unwrap(), "a=1\n");
    let list = Command::new("dpkg-deb").arg("-c").arg(&path).output().unwrap();
    assert!(String::from_utf8_lossy(&list.stdout).contains("./usr/bin/greet -> hello"));
}

#[test]
fn versions_are_ordered_as_dpkg_says() {
    if !have_dpkg() {
        return;
    }
    let versions =
        ["1.0", "1.0~rc1", "1.0-1", "1.0-1-1", "1.0+b1", "1:0.1", "1.0a", "1.0.0", "0~~", "10", "9", "1.0-0", "1.0-~1"];
    for a in versions {
        assert!(is_version(a), "{a}");
        for b in versions {
            let less = Command::new("dpkg").args(["--compare-versions", a, "lt", b]).status().unwrap().success();
            assert_eq!(compare(a, b).is_lt(), less, "{a} < {b}");
        }
    }
}
