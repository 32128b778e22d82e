//! Processes that are killed in the middle, and processes that work at the same time.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use debian::control;
use debian::sums::Sums;
use testkit::package::package;

use crate::apt_story::Machine;

/// Everything that the Release of a distribution lists is there with the size and sum that it says, and gives its packages.
pub fn consistent(public: &Path, distribution: &str) -> String {
    // The link is read once, as a reader that follows it during one moment sees it.
    let folder = fs::canonicalize(public.join("dists").join(distribution)).expect("a generation is shown");
    let release = fs::read(folder.join("Release")).expect("Release");
    let paragraph = control::parse_one(&release).expect("Release is whole");
    for line in paragraph.get("SHA256").expect("sums").lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let path = folder.join(words[2]);
        let plain_contents = words[2].contains("Contents-") && !words[2].ends_with(".gz");
        if plain_contents {
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(Sums::of(&bytes).sha256, words[0], "{}", path.display());
    }
    let packages = fs::read_to_string(folder.join("main/binary-amd64/Packages")).expect("Packages");
    for paragraph in control::parse(packages.as_bytes()).expect("Packages is whole") {
        let file = public.join(paragraph.get("Filename").expect("a file"));
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(Some(Sums::of(&bytes).sha256.as_str()), paragraph.get("SHA256"), "{}", file.display());
    }
    packages
}

#[test]
fn a_publish_killed_at_any_moment_leaves_a_whole_generation() {
    let machine = Machine::new();
    machine.publish_helloterry();
    for round in 2u64..22 {
        package("helloterry", &format!("{round}.0")).write_to(machine.path());
        machine.run(&format!("aptly repo add terry-repo helloterry_{round}.0_all.deb"));
        let mut child = machine
            .command("aptly publish update -skip-signing stretch")
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        // Spread over the whole length of the command; the pause itself is what is being varied.
        std::thread::sleep(Duration::from_millis(round * 7 % 60));
        let _ = child.kill();
        let _ = child.wait();
        let shown = consistent(&machine.public(), "stretch");
        assert!(shown.contains("Version: 1.0\n"), "round {round}");
    }
    machine.run("aptly publish update -skip-signing stretch");
    let shown = consistent(&machine.public(), "stretch");
    assert_eq!(shown.matches("Package: helloterry\n").count(), 21, "nothing that was acknowledged is missing");
}

#[test]
fn processes_that_add_at_the_same_time_lose_nothing() {
    let machine = Machine::new();
    machine.run("aptly repo create shared");
    let mut children = Vec::new();
    for writer in 0..6 {
        let folder = machine.path().join(format!("in{writer}"));
        fs::create_dir(&folder).expect("made");
        for number in 0..5 {
            package(&format!("tool{writer}-{number}"), "1.0").write_to(&folder);
        }
        let line = format!("aptly repo add shared in{writer}");
        children.push(machine.command(&line).stdout(Stdio::null()).spawn().expect("started"));
    }
    for mut child in children {
        assert!(child.wait().expect("ended").success());
    }
    let shown = machine.run("aptly repo show shared");
    assert!(shown.contains("Number of packages: 30\n"), "{shown}");
}
