//! Debian 13's apt, which checks signatures by sqv and its policy, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::package::package;
use testkit::probe;

use crate::apt_story::{Machine, address, serve};
use crate::server::run;

/// A Debian 13, as `scripts/tools` unpacked it; nothing without it, or for whoever may not change his root folder.
pub struct Trixie(tempfile::TempDir);

impl Trixie {
    pub fn unpack() -> Option<Self> {
        let tar = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/debian-13-systemd.tar");
        if !rustix::process::geteuid().is_root() || !tar.is_file() {
            probe::not_run("Debian 13 is unpacked by scripts/tools, and entered by root alone");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        // Devices need not be made: apt asks for none but /dev/null, which is bound below.
        let mut untar = Command::new("tar");
        untar.arg("-C").arg(folder.path()).arg("--exclude=./dev/*").arg("-xf").arg(tar);
        assert!(untar.status().expect("tar starts").success());
        fs::write(folder.path().join("etc/apt/sources.list"), "").expect("written");
        let _ = fs::remove_file(folder.path().join("etc/apt/sources.list.d/0000.sources"));
        Some(Trixie(folder))
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    /// The only source from now on.
    fn source(&self, line: &str) {
        fs::write(self.path("etc/apt/sources.list"), format!("{line}\n")).expect("written");
    }

    /// `apt-get WORDS` in there: exit code and everything that it said.
    fn apt_get(&self, words: &[&str]) -> (i32, String) {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-c"]);
        command.arg("touch \"$1/dev/null\" && mount --bind /dev/null \"$1/dev/null\" && root=$1 && shift && exec chroot \"$root\" apt-get \"$@\"");
        command.arg("sh").arg(self.0.path());
        command.args([
            "-o",
            "APT::Sandbox::User=root",
            "-o",
            "Acquire::http::Proxy=false",
            "-o",
            "APT::Update::Error-Mode=any",
        ]);
        let (code, said, why) = run(command.args(words).env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive"));
        (code, said + &why)
    }
}

#[test]
fn the_apt_of_debian_13_takes_what_we_sign_and_nothing_else() {
    let Some(trixie) = Trixie::unpack() else { return };
    let machine = Machine::new();
    package("helloterry", "1.0").write_to(machine.path());
    machine.run("aptly repo create r");
    machine.run("aptly repo add r helloterry_1.0_all.deb");
    machine.run("aptly key generate Terry");
    machine.run("aptly key generate -name=stranger Stranger");
    let keys = machine.path().join(".aptly/keys");
    let publish = |distribution: &str, key: &str| {
        let line = "aptly publish repo -gpg-provider=internal -acquire-by-hash -architectures=amd64";
        machine.run(&format!("{line} -gpg-key={key} -distribution={distribution} r"));
    };
    publish("stable", "Terry");
    publish("strange", "Stranger");
    let (_serving, said) = serve(&machine);
    let address = address(&said);
    fs::copy(keys.join("repository.asc"), trixie.path("etc/apt/keyrings/terry.asc")).expect("copied");
    let source = |distribution: &str| {
        trixie.source(&format!("deb [signed-by=/etc/apt/keyrings/terry.asc] http://{address} {distribution} main"));
    };

    source("stable");
    let (code, said) = trixie.apt_get(&["update"]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("W:"), "it has nothing to remark: {said}");
    let (code, said) = trixie.apt_get(&["install", "-y", "helloterry"]);
    assert_eq!(code, 0, "{said}");
    let version = fs::read_to_string(trixie.path("usr/share/helloterry/version")).expect("installed");
    assert_eq!(version, "helloterry 1.0\n");

    package("helloterry", "2.0").write_to(machine.path());
    machine.run("aptly repo add r helloterry_2.0_all.deb");
    machine.run("aptly publish update -gpg-provider=internal -gpg-key=Terry stable");
    assert_eq!(trixie.apt_get(&["update"]).0, 0);
    let (code, said) = trixie.apt_get(&["dist-upgrade", "-y"]);
    assert_eq!(code, 0, "{said}");
    let version = fs::read_to_string(trixie.path("usr/share/helloterry/version")).expect("upgraded");
    assert_eq!(version, "helloterry 2.0\n");

    source("strange");
    let (code, said) = trixie.apt_get(&["update"]);
    assert!(code != 0 && said.contains("sqv"), "another's signature is refused, and by sqv: {said}");
}
