//! Many clients on one root at once, by the command line and by REST: what each was told is what all others see.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use debian::sums::Sums;
use serde_json::json;
use testkit::package::package;

use crate::apt_crash_story::consistent;
use crate::apt_story::{Client, Machine, address, have, serve};
use crate::aptly_api_story::Api;

/// Half of them use the command line, half the API.
const CLIENTS: usize = 32;

/// What a client did or saw, and from when to when.
enum Did {
    /// Added this package to the shared repository.
    Added(String),
    /// Took a snapshot of it, with these packages.
    Saw(BTreeSet<String>),
}

struct History(Mutex<Vec<(Instant, Instant, Did)>>);

impl History {
    fn note(&self, work: impl FnOnce() -> Did) {
        let begun = Instant::now();
        let did = work();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((begun, Instant::now(), did));
    }
}

/// Packages of a listing by `-with-packages` or of keys.
fn names<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Adds a package, snapshots, publishes the snapshot under a name of its own, updates the shared publication, adds another; every second client
/// then drops what is its own.
fn by_command(api: &Api, me: usize, history: &History) {
    let here = &api.machine;
    for version in ["1.0", "2.0"] {
        let name = format!("client{me}");
        package(&name, version).write_to(here.path());
        history.note(|| {
            here.run(&format!("aptly repo add shared {name}_{version}_all.deb"));
            Did::Added(format!("{name}_{version}_all"))
        });
    }
    history.note(|| {
        here.run(&format!("aptly snapshot create s{me} from repo shared"));
        let shown = here.run(&format!("aptly snapshot show -with-packages s{me}"));
        Did::Saw(names(shown.lines().filter(|line| line.starts_with("  client"))))
    });
    here.run(&format!("aptly publish snapshot -skip-signing -architectures=amd64 -distribution=d{me} s{me}"));
    here.run("aptly publish update -skip-signing stable");
    if me.is_multiple_of(4) {
        here.run(&format!("aptly publish drop d{me}"));
        here.run(&format!("aptly snapshot drop s{me}"));
    }
}

/// The same by REST.
fn by_api(api: &Api, me: usize, history: &History) {
    let expect = |(status, told): (u16, serde_json::Value), wanted: u16| assert_eq!(status, wanted, "{told}");
    let unsigned = json!({"Skip": true});
    for version in ["1.0", "2.0"] {
        let name = format!("client{me}");
        api.put(&name, version, &format!("up{me}"));
        history.note(|| {
            let (status, told) = api.ask("POST", &format!("/api/repos/shared/file/up{me}"), &json!({}));
            assert_eq!(
                (status, told["Report"]["Added"][0].as_str()),
                (200, Some(&*format!("{name}_{version}_all added")))
            );
            Did::Added(format!("{name}_{version}_all"))
        });
    }
    history.note(|| {
        expect(api.ask("POST", "/api/repos/shared/snapshots", &json!({"Name": format!("s{me}")})), 201);
        let (_, keys) = api.get(&format!("/api/snapshots/s{me}/packages"));
        let keys = keys.as_array().expect("keys").iter().filter_map(|key| key.as_str());
        // `Pall client1 1.0 1a2b…`
        let short =
            keys.map(|key| key.split(' ').collect::<Vec<_>>()).map(|word| format!("{}_{}_all", word[1], word[2]));
        Did::Saw(short.collect())
    });
    let body = json!({
        "SourceKind": "snapshot", "Sources": [{"Name": format!("s{me}")}], "Architectures": ["amd64"],
        "Distribution": format!("d{me}"), "Signing": unsigned,
    });
    expect(api.ask("POST", "/api/publish/:.", &body), 201);
    expect(api.ask("PUT", "/api/publish/:./stable", &json!({"Signing": unsigned})), 200);
    if me.is_multiple_of(4) {
        expect(api.delete(&format!("/api/publish/:./d{me}")), 200);
        expect(api.delete(&format!("/api/snapshots/s{me}")), 200);
    }
}

/// Reads a Release as apt does, and then each index that it lists by its hash; gives how many files were read. Whatever is published meanwhile,
/// each is there and is what was listed.
fn read_by_hash(shown: &Path) -> usize {
    let release = std::fs::read(shown.join("Release")).expect("Release");
    let paragraph = debian::control::parse_one(&release).expect("Release is whole");
    let mut read = 1;
    for line in paragraph.get("SHA256").expect("sums").lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (sum, path) = (words[0], Path::new(words[2]));
        if words[2].contains("Contents-") && path.extension().is_none() {
            continue;
        }
        let by_hash = shown.join(path.parent().expect("a folder")).join("by-hash/SHA256").join(sum);
        let bytes = std::fs::read(&by_hash).unwrap_or_else(|error| panic!("{}: {error}", by_hash.display()));
        assert_eq!(Sums::of(&bytes).sha256, sum, "{}", by_hash.display());
        read += 1;
    }
    read
}

#[test]
fn a_hundred_thousand_reads_find_what_they_were_told_while_a_loop_publishes() {
    const READS: usize = 100_000;
    let machine = Machine::new();
    machine.run("aptly repo create shop");
    for number in 0..12 {
        package(&format!("tool{number}"), "1.0").write_to(machine.path());
    }
    machine.run("aptly repo add shop .");
    machine.run("aptly publish repo -skip-signing -architectures=amd64 -distribution=stable -acquire-by-hash shop");
    let (_serving, said) = serve(&machine);
    let apt =
        have("apt-get").then(|| Client::new(&format!("deb [trusted=yes] http://{}/ stable main", address(&said))));
    let (reads, updates) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let published = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while reads.load(Relaxed) < READS {
                    reads.fetch_add(read_by_hash(&machine.public().join("dists/stable")), Relaxed);
                }
            });
        }
        if let Some(apt) = &apt {
            scope.spawn(|| {
                while reads.load(Relaxed) < READS {
                    apt.apt_get(&["update"]);
                    updates.fetch_add(1, Relaxed);
                }
            });
        }
        let mut published = 0;
        while reads.load(Relaxed) < READS {
            machine.run(["aptly repo remove shop tool7", "aptly repo add shop tool7_1.0_all.deb"][published % 2]);
            machine.run("aptly publish update -skip-signing stable");
            published += 1;
        }
        published
    });
    let updates = updates.into_inner();
    println!("{} reads and {updates} updates by apt, {published} publications meanwhile", reads.into_inner());
    assert!(published > 10 && (apt.is_none() || updates > 3), "{published} publications, {updates} updates");
}

#[test]
fn what_many_clients_do_at_once_is_neither_lost_nor_doubled() {
    let api = Api::start();
    let here = &api.machine;
    package("first", "1.0").write_to(here.path());
    here.run("aptly repo create shared");
    here.run("aptly repo add shared first_1.0_all.deb");
    here.run("aptly publish repo -skip-signing -architectures=amd64 -distribution=stable -acquire-by-hash shared");
    let history = History(Mutex::new(Vec::new()));
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|me| {
                let (api, history) = (&api, &history);
                // Odd ones come by REST; every second of each kind drops what it made.
                scope.spawn(move || if me % 8 < 4 { by_command(api, me, history) } else { by_api(api, me, history) })
            })
            .collect();
        // Somebody reads all the time.
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !ended.load(Relaxed) {
                reads += read_by_hash(&here.public().join("dists/stable"));
            }
            reads
        });
        let failed = clients.into_iter().filter_map(|client| client.join().err()).count();
        ended.store(true, Relaxed);
        assert_eq!(failed, 0, "clients that met an error");
        assert!(reader.join().expect("each read was whole") > 100);
    });

    let history = history.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut added = BTreeSet::from(["first_1.0_all".to_owned()]);
    for (_, _, did) in &history {
        if let Did::Added(package) = did {
            assert!(added.insert(package.clone()));
        }
    }
    // Who looks sees what was acknowledged before, and nothing that was not begun yet.
    for (looked, seen_by, did) in &history {
        let Did::Saw(seen) = did else { continue };
        for (begun, acknowledged, other) in &history {
            let Did::Added(package) = other else { continue };
            if acknowledged < looked {
                assert!(seen.contains(package), "{package} was acknowledged, and then not seen");
            }
            if begun > seen_by {
                assert!(!seen.contains(package), "{package} was seen before anybody added it");
            }
        }
        assert!(seen.iter().all(|package| added.contains(package)), "{seen:?}");
    }
    // Snapshots are moments of one history: of two, one holds the other.
    let mut moments: Vec<&BTreeSet<String>> =
        history.iter().filter_map(|(_, _, did)| if let Did::Saw(seen) = did { Some(seen) } else { None }).collect();
    moments.sort_by_key(|seen| seen.len());
    assert!(moments.windows(2).all(|pair| pair[0].is_subset(pair[1])));

    // In the end everything is there once.
    let shown = here.run("aptly repo show -with-packages shared");
    assert!(shown.contains(&format!("Number of packages: {}\n", 2 * CLIENTS + 1)), "{shown}");
    assert_eq!(names(shown.lines().filter(|line| line.starts_with("  ") && line.ends_with("_all"))), added);
    here.run("aptly publish update -skip-signing stable");
    let published = consistent(&here.public(), "stable");
    assert_eq!(published.matches("Package: ").count(), added.len());
    let kept: BTreeSet<String> = (0..CLIENTS).filter(|me| !me.is_multiple_of(4)).map(|me| format!("s{me}")).collect();
    assert_eq!(names(here.run("aptly snapshot list -raw").lines()), kept);
    let mut places: BTreeSet<String> = kept.iter().map(|name| format!(". d{}", &name[1..])).collect();
    places.insert(". stable".into());
    assert_eq!(names(here.run("aptly publish list -raw").lines()), places);
    // Each is one operation: three before, five for each client, and two for those that dropped what was theirs.
    let log = here.gennaker("op log --json --limit 1000").0;
    let log: serde_json::Value = serde_json::from_str(&log).expect("JSON");
    assert_eq!(log.as_array().map(Vec::len), Some(3 + CLIENTS * 5 + CLIENTS / 4 * 2 + 1), "and the last update");
    for name in &kept {
        consistent(&here.public(), &format!("d{}", &name[1..]));
    }
}
