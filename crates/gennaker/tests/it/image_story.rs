//! A root file system that somebody else made is imported, deployed like every other image, and sees nothing of this machine.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::redblack_story::{image, post, read, succeeds};
use crate::server::{Server, ask, run};

/// The smallest root in which this machine's perl runs: the program, what it is linked against, its modules.
fn root_with_perl(root: &Path) {
    let (code, linked, _) = run(Command::new("ldd").arg("/usr/bin/perl"));
    assert_eq!(code, 0, "{linked}");
    let libraries = linked.split_whitespace().filter(|word| word.starts_with('/'));
    let (_, folders, _) = run(Command::new("perl").args(["-e", "print join qq(\\n), grep { -d } @INC"]));
    let files = std::iter::once("/usr/bin/perl").chain(libraries).map(str::to_owned);
    for path in files.chain(folders.lines().filter(|path| path.ends_with("perl-base")).map(str::to_owned)) {
        let to = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        let (code, _, why) = run(Command::new("cp").args(["-rL", &path]).arg(&to));
        assert_eq!(code, 0, "{why}");
    }
}

#[test]
fn an_imported_root_is_deployed_and_sees_nothing_of_this_machine() {
    let server = Server::start("");
    let folder = server.folder.path();
    let root = folder.join("root");
    image(&root, "HTTP/1.1 200 OK", "from my own root");
    root_with_perl(&root);
    let program = root.join("usr/share/hello/server.pl");
    // It says what it sees, then serves.
    let looks = "print -e '/usr/bin/apt-get' ? 'sees apt-get' : 'sees no apt-get', qq(, home is $ENV{HOME}\\n);\n";
    let whole = looks.to_owned() + &std::fs::read_to_string(&program).expect("written");
    std::fs::write(&program, whole).expect("written");
    let (code, _, why) =
        run(Command::new("tar").arg("-C").arg(&root).args(["-czf"]).arg(folder.join("hello.tar.gz")).arg("."));
    assert_eq!(code, 0, "{why}");
    let archive = folder.join("hello.tar.gz");
    let archive = archive.to_str().expect("a text");

    let (code, said, why) = server.also(&["image", "import", archive, "--unit", "hello", "-o", "text"]);
    assert_eq!(code, 0, "{why}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines[0], lines[2]), ("hello", "  runs    /usr/bin/perl /usr/share/hello/server.pl"), "{said}");
    let (_, again, _) = server.also(&["image", "import", archive, "--unit", "hello", "-o", "text"]);
    assert_eq!(again.lines().next(), Some("hello was there already"));
    let (_, listed, _) = server.also(&["image", "list", "-o", "text"]);
    assert_eq!(listed, "hello\n");
    let (code, _, why) = server.also(&["image", "import", "/etc/hostname", "--unit", "hello"]);
    assert_eq!(code, 1);
    assert!(why.contains("the archive cannot be unpacked: "), "{why}");

    let application = json!({"name": "hello", "email": "owner@example.org"});
    succeeds(&server, &post(&server, json!({"type": "createApplication", "application": application})));
    let balancer = json!({"type": "upsertLoadBalancer", "credentials": "local", "region": "local", "loadBalancerName": "hello",
                          "ipProtocol": "TCP", "portRange": "auto", "healthCheck": "HTTP:8080/"});
    succeeds(&server, &post(&server, balancer));
    let group = json!({"type": "createServerGroup", "account": "local", "region": "local", "application": "hello",
                       "image": "hello", "capacity": {"min": 2, "max": 2, "desired": 2}, "loadBalancers": ["hello"]});
    succeeds(&server, &post(&server, group));
    let address = read(&server, "/applications/hello/loadBalancers")[0]["dnsName"].as_str().expect("one").to_owned();
    assert_eq!(ask(&address, "GET", "/", ""), (200, "from my own root".into()));
    let (_, log, _) = server.also(&["logs", "hello"]);
    assert_eq!(log.matches("sees no apt-get, home is ").count(), 2, "{log}");
    let shown: Value = read(&server, "/applications/hello/serverGroups/local/local/hello-v000");
    assert_eq!(shown["buildInfo"]["images"], json!(["hello"]), "{shown}");
}
