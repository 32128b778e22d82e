//! A person breaks something, finds out what was done, and undoes it; passwords that stood on command lines are not told.

use std::fs;
use std::process::Command;

use testkit::package::package;

use crate::apt_story::Machine;

impl Machine {
    /// `gennaker WORDS` in the same home: answer, remarks, exit code.
    pub fn gennaker(&self, line: &str) -> (String, String, i32) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gennaker"));
        let output = command
            .args(line.split_whitespace())
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("TZ", "UTC")
            .output()
            .expect("started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
    }

    fn log(&self) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.gennaker("op log --json").0).expect("JSON")
    }
}

#[test]
fn a_person_undoes_what_went_wrong() {
    let machine = Machine::new();
    for version in ["1.0", "2.0"] {
        package("hello", version).write_to(machine.path());
    }
    machine.run("aptly repo create shop");
    machine.run("aptly repo add shop hello_1.0_all.deb hello_2.0_all.deb");
    machine.run("aptly publish repo -skip-signing -distribution=stable -architectures=amd64 -passphrase=hunter2 shop");
    machine.run("aptly repo remove shop hello");
    machine.run("aptly publish update -skip-signing -passphrase hunter3 stable");
    let shown = || fs::read_to_string(machine.public().join("dists/stable/main/binary-amd64/Packages")).expect("there");
    assert_eq!(shown(), "");

    let log = machine.log();
    let told: Vec<String> = log.iter().rev().map(|op| op["command"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        told,
        [
            "aptly repo create shop",
            "aptly repo add shop hello_1.0_all.deb hello_2.0_all.deb",
            "aptly publish repo -skip-signing -distribution=stable -architectures=amd64 -passphrase=*** shop",
            "aptly repo remove shop hello",
            "aptly publish update -skip-signing -passphrase *** stable",
        ]
    );
    assert_eq!(log[0]["changes"][0]["removed"], serde_json::json!(["hello_1.0_all", "hello_2.0_all"]));
    assert!(!log[0]["who"].as_str().expect("a name").is_empty());

    let (told, _, code) = machine.gennaker("undo --dry-run");
    assert_eq!(code, 0);
    assert!(told.starts_with("would undo") && told.contains("changed publication ./stable (+0 -2)"), "{told}");
    assert_eq!(shown(), "", "nothing was done");
    for expected in ["changed publication ./stable (+0 -2)", "changed repo shop (+0 -2)"] {
        let (told, remarks, code) = machine.gennaker("undo --skip-signing");
        assert_eq!(code, 0, "{remarks}");
        assert!(told.starts_with("undone:") && told.contains(expected), "{told}");
        assert!(remarks.contains("does it again"), "{remarks}");
    }
    assert_eq!(shown().matches("Package: hello\n").count(), 2);
    assert!(
        machine.run("aptly repo show -with-packages shop").ends_with("Packages:\n  hello_2.0_all\n  hello_1.0_all\n")
    );
    assert!(machine.public().join("pool/main/h/hello/hello_2.0_all.deb").exists());

    let (shown, _, _) = machine.gennaker(&format!("op show {}", log[1]["id"]));
    assert!(shown.contains("changed repo shop\n  - hello_1.0_all\n  - hello_2.0_all\n"), "{shown}");
    let (_, why, code) = machine.gennaker("undo 4711");
    assert_eq!((code, why.contains("there is no operation 4711")), (1, true), "{why}");
}
