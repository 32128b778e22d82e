//! Every command that changes a root, killed at different moments: the root is then as before it or as after it, never between; what is shown is
//! whole; and the same command, given again, does what it would have done.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use store::clock::SystemClock;
use testkit::package::package;

use crate::apt_crash_story::consistent;
use crate::apt_story::Machine;

/// How often each command is killed.
const KILLS: u32 = 5;

/// Each begins on a root as [`prepare`] makes it.
const COMMANDS: &[&str] = &[
    "aptly repo create -comment=new new",
    "aptly repo create new from snapshot s1",
    "aptly repo edit -comment=changed shop",
    "aptly repo rename other another",
    "aptly repo drop other",
    "aptly repo add shop new_1.0_all.deb",
    "aptly repo add -remove-files shop incoming",
    "aptly repo remove shop ape",
    "aptly repo copy shop other ape",
    "aptly repo move shop other ape",
    "aptly repo prune -keep=1 shop",
    "aptly snapshot create s3 from repo shop",
    "aptly snapshot create s3 empty",
    "aptly snapshot merge s3 s1 s2",
    "aptly snapshot filter s2 s3 ape",
    "aptly snapshot pull -architectures=amd64 s1 s2 s3 doe",
    "aptly snapshot rename s2 s3",
    "aptly snapshot drop s2",
    "aptly publish repo -skip-signing -architectures=amd64 -distribution=new other",
    "aptly publish snapshot -skip-signing -architectures=amd64 -distribution=new s2 deep/prefix",
    "aptly publish update -skip-signing stable",
    "aptly publish switch -skip-signing frozen s2",
    "aptly publish source add -component=extra stable other",
    "aptly publish rollback -skip-signing stable",
    "aptly publish drop frozen",
    "aptly db cleanup",
];

/// Repositories, snapshots and publications with something to do for each command.
fn prepare(machine: &Machine) {
    for (name, version) in [
        ("ape", "1.0"),
        ("ape", "2.0"),
        ("bee", "1.0"),
        ("cat", "1.0"),
        ("doe", "1.0"),
        ("new", "1.0"),
        ("gone", "1.0"),
    ] {
        package(name, version).write_to(machine.path());
    }
    let incoming = machine.path().join("incoming");
    std::fs::create_dir(&incoming).expect("made");
    package("waiting", "1.0").write_to(&incoming);
    for line in [
        "aptly repo create shop",
        "aptly repo create other",
        "aptly repo add shop ape_1.0_all.deb bee_1.0_all.deb",
        "aptly repo add other cat_1.0_all.deb gone_1.0_all.deb",
        "aptly repo remove other gone",
        "aptly publish repo -skip-signing -architectures=amd64 -distribution=stable -acquire-by-hash shop",
        "aptly snapshot create s1 from repo shop",
        "aptly repo add shop ape_2.0_all.deb",
        "aptly publish update -skip-signing stable",
        "aptly publish snapshot -skip-signing -architectures=amd64 -distribution=frozen s1",
        "aptly repo add shop doe_1.0_all.deb",
        "aptly snapshot create s2 from repo shop",
    ] {
        machine.run(line);
    }
}

fn copy(of: &Machine) -> Machine {
    let machine = Machine::new();
    let copied = Command::new("cp").arg("-a").arg(of.path().join(".")).arg(machine.path()).status();
    assert!(copied.expect("cp starts").success());
    machine
}

/// What a person sees in a root: repositories, snapshots, publications with what they show.
fn state(machine: &Machine) -> BTreeSet<String> {
    let root = apt::Root::open(machine.path().join(".aptly"), Arc::new(SystemClock)).expect("opens");
    root.recover_publications().expect("recovers");
    let names =
        |list: &str| -> Vec<String> { root.keys(list).expect("a list").iter().map(ToString::to_string).collect() };
    let mut seen = BTreeSet::new();
    for (repo, _) in root.repos().expect("repositories") {
        seen.insert(format!("repo {} {:?} {:?}", repo.name, repo.comment, names(&repo.root)));
    }
    for snapshot in root.snapshots().expect("snapshots") {
        seen.insert(format!("snapshot {} {:?} {:?}", snapshot.name, snapshot.description, names(&snapshot.root)));
    }
    for one in root.publications().expect("publications") {
        let public = machine.public().join(&one.prefix);
        let shown = consistent(&public, &one.distribution);
        let shown: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("Filename: ")).collect();
        seen.insert(format!("{} {} shows {shown:?}, then {:?}", one.prefix, one.distribution, one.pending));
    }
    seen.extend(shown(&machine.public()).iter().map(|distribution| format!("there is {distribution}")));
    seen
}

/// The distributions that readers find.
fn shown(public: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for below in ["dists", "deep/prefix/dists"] {
        let folder = public.join(below);
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') {
                found.push(format!("{below}/{name}"));
            }
        }
    }
    found
}

/// Nobody who reads now finds something half done, before anything is repaired.
fn nothing_is_torn(public: &Path) {
    for path in shown(public) {
        let (above, distribution) = path.split_once("dists/").expect("below dists");
        consistent(&public.join(above), distribution);
    }
}

/// Gives how often the command had done nothing yet.
fn kill_at_different_moments(base: &Machine, line: &str) -> u32 {
    let mut early = 0;
    let before = state(base);
    let undisturbed = copy(base);
    let begun = Instant::now();
    undisturbed.run(line);
    let length = begun.elapsed();
    let after = state(&undisturbed);
    for kill in 0..KILLS {
        let machine = copy(base);
        let mut child = machine.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        // The pause is what is being varied.
        std::thread::sleep(length * (2 * kill + 1) / (2 * KILLS) + Duration::from_millis(1));
        let _ = child.kill();
        let _ = child.wait();
        // Shown when something fails below.
        println!("{line}: killed after part {kill} of {KILLS}");
        nothing_is_torn(&machine.public());
        let found = state(&machine);
        if found == before {
            early += 1;
            // What was begun is not in the way.
            machine.run(line);
            assert_eq!(state(&machine), after, "{line}, killed {kill}, and again");
        } else {
            assert_eq!(found, after, "{line}, killed {kill}");
        }
        machine.run("aptly db cleanup");
        assert_eq!(state(&machine), after, "{line}, killed {kill}, then cleaned up");
    }
    early
}

#[test]
fn a_command_that_is_killed_has_done_all_or_nothing() {
    let base = Machine::new();
    prepare(&base);
    let left = Mutex::new(COMMANDS.iter());
    let early = AtomicU32::new(0);
    let next = || left.lock().map(|mut left| left.next()).ok().flatten();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(line) = next() {
                    early.fetch_add(kill_at_different_moments(&base, line), Relaxed);
                }
            });
        }
    });
    let (early, all) = (early.into_inner(), KILLS * COMMANDS.len() as u32);
    assert!(early > all / 10 && early < all * 9 / 10, "{early} of {all} were killed before their work was done");
}
