//! aptly's API as its clients use it: by curl, over TCP and over a Unix socket.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use debian::sums::Sums;
use serde_json::{Value, json};
use testkit::package::package;

use crate::apt_story::{Machine, have};
use crate::server::run;

/// `aptly api serve` on a machine of its own.
pub struct Api {
    pub machine: Machine,
    process: Child,
    curl: Vec<String>,
    base: String,
}

impl Api {
    pub fn start() -> Self {
        Self::start_with("{}")
    }

    fn start_with(config: &str) -> Self {
        let machine = Machine::new();
        std::fs::write(machine.path().join(".aptly.conf"), config).expect("written");
        let (process, said) = serve(&machine, "127.0.0.1:0");
        let address = said.split(' ').nth(4).expect("an address").to_owned();
        Self { machine, process, curl: Vec::new(), base: format!("http://{address}") }
    }

    fn curl(&self, args: &[&str], path: &str) -> (u16, Value) {
        let mut command = Command::new("curl");
        command.args(["-s", "-g", "--path-as-is", "-w", "\n%{http_code}", "--max-time", "20"]).args(&self.curl);
        let (code, said, why) = run(command.args(args).arg(format!("{}{path}", self.base)));
        assert_eq!(code, 0, "{path}: {why}");
        let (body, status) = said.rsplit_once('\n').expect("a status");
        (status.parse().expect("a number"), serde_json::from_str(body).unwrap_or_else(|_| body.into()))
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.curl(&[], path)
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        self.curl(&["-X", method, "-H", "Content-Type: application/json", "-d", &body], path)
    }

    pub fn delete(&self, path: &str) -> (u16, Value) {
        self.curl(&["-X", "DELETE"], path)
    }

    /// Makes a package and uploads it as `dput` and `curl -T` do.
    pub fn put(&self, name: &str, version: &str, dir: &str) {
        let file = package(name, version).write_to(self.machine.path());
        let path = format!("/api/files/{dir}/{name}_{version}_all.deb");
        let told = self.curl(&["-T", file.to_str().expect("a text")], &path);
        assert_eq!(told, (200, json!([format!("{dir}/{name}_{version}_all.deb")])));
    }
}

fn serve(machine: &Machine, listen: &str) -> (Child, String) {
    let mut command = machine.command(&format!("aptly api serve -listen={listen}"));
    let mut process =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("it says where it listens");
    assert!(line.starts_with("Starting web server at: "), "{line}");
    (process, line)
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn error(status: u16, message: &str) -> (u16, Value) {
    (status, json!({"error": message}))
}

#[test]
fn a_package_goes_from_upload_to_publication_by_the_api() {
    let api = Api::start();
    assert_eq!(api.get("/api/version"), (200, json!({"Version": "1.6.3"})));
    assert_eq!(api.get("/api/ready"), (200, json!({"Status": "Aptly is ready"})));
    assert_eq!(api.get("/api/nowhere").0, 404);

    let repo = json!({"Name": "a", "Comment": "mine", "DefaultDistribution": "bookworm", "DefaultComponent": "main"});
    assert_eq!(api.ask("POST", "/api/repos", &repo), (201, repo.clone()));
    assert_eq!(api.ask("POST", "/api/repos", &repo), error(409, "local repo with name a already exists"));
    let nameless = "Key: 'Name' Error:Field validation for 'Name' failed on the 'required' tag";
    assert_eq!(api.ask("POST", "/api/repos", &json!({})), error(400, nameless));
    assert_eq!(api.get("/api/repos/b"), error(404, "local repo with name b not found"));

    api.put("hello", "1.0", "up");
    assert_eq!(api.get("/api/files"), (200, json!(["up"])));
    assert_eq!(api.get("/api/files/up"), (200, json!(["hello_1.0_all.deb"])));
    let report = json!({"Warnings": [], "Added": ["hello_1.0_all added"], "Removed": []});
    assert_eq!(
        api.ask("POST", "/api/repos/a/file/up", &json!({})),
        (200, json!({"FailedFiles": [], "Report": report}))
    );
    assert_eq!(api.get("/api/files"), (200, json!([])), "what was taken does not wait any more");

    let (_, keys) = api.get("/api/repos/a/packages");
    let key = keys[0].as_str().expect("a key").to_owned();
    assert!(key.starts_with("Pall hello 1.0 "), "{key}");
    let (_, details) = api.get("/api/repos/a/packages?format=details&q=hello");
    assert_eq!(
        (&details[0]["Package"], &details[0]["Key"], &details[0]["ShortKey"]),
        (&json!("hello"), &json!(key), &json!("Pall hello 1.0"))
    );
    assert_eq!(api.get("/api/repos/a/packages?q=nothing"), (200, json!([])));
    assert_eq!(api.get("/api/repos/a/packages?q=(((").0, 400);
    assert_eq!(api.get(&format!("/api/packages/{}", key.replace(' ', "%20"))).1["Package"], "hello");
    assert_eq!(api.get("/api/packages/Pall%20no%201%20abc"), error(404, "key not found"));
    let mut counted = repo.clone();
    counted["NumPackages"] = 1.into();
    assert_eq!(api.get("/api/repos"), (200, json!([counted])));

    let (status, snapshot) = api.ask("POST", "/api/repos/a/snapshots", &json!({"Name": "s1"}));
    assert_eq!((status, &snapshot["Description"]), (201, &json!("Snapshot from local repo [a]: mine")));
    api.put("hello", "2.0", "up");
    let (_, told) = api.ask("POST", "/api/repos/a/file/up/hello_2.0_all.deb?noRemove=1", &json!({}));
    assert_eq!(told["Report"]["Added"], json!(["hello_2.0_all added"]));
    assert_eq!(api.get("/api/files/up"), (200, json!(["hello_2.0_all.deb"])), "it was asked to stay");
    assert_eq!(api.delete("/api/files/up"), (200, json!({})));
    assert_eq!(api.get("/api/repos/a/packages?maximumVersion=1").1.as_array().map(Vec::len), Some(1));
    assert_eq!(api.ask("POST", "/api/repos/a/snapshots", &json!({"Name": "s2", "Description": "both"})).0, 201);
    let (_, diff) = api.get("/api/snapshots/s1/diff/s2");
    assert!(
        diff[0]["Left"].is_null() && diff[0]["Right"].as_str().is_some_and(|key| key.starts_with("Pall hello 2.0 ")),
        "{diff}"
    );
    assert_eq!(api.get("/api/snapshots/s1/diff/s1"), (200, json!([])));
    let only = json!({"Name": "s3", "SourceSnapshots": ["s1"], "PackageRefs": [key]});
    assert_eq!(api.ask("POST", "/api/snapshots", &only).0, 201);
    assert_eq!(api.get("/api/snapshots/s3/packages"), (200, json!([key])));

    let unsigned = json!({"Skip": true});
    let publish = json!({"SourceKind": "snapshot", "Sources": [{"Name": "s1"}], "Distribution": "bookworm",
                         "Architectures": ["amd64"], "Signing": unsigned});
    let (status, published) = api.ask("POST", "/api/publish/deb_x", &publish);
    assert_eq!(
        (status, &published["Path"], &published["Sources"]),
        (201, &json!("deb/x/bookworm"), &json!([{"Component": "main", "Name": "s1"}]))
    );
    assert_eq!(api.ask("POST", "/api/publish/deb_x", &publish).0, 400, "it is there already");
    let missing = json!({"SourceKind": "snapshot", "Sources": [{"Name": "no"}], "Signing": unsigned});
    assert_eq!(api.ask("POST", "/api/publish", &missing), error(404, "snapshot with name no not found"));
    let packages = api.machine.public().join("deb/x/dists/bookworm/main/binary-amd64/Packages");
    let shown = || std::fs::read_to_string(&packages).expect("published").matches("Package: hello").count();
    assert_eq!(shown(), 1);
    let switch = json!({"Snapshots": [{"Component": "main", "Name": "s2"}], "Signing": unsigned});
    let (status, switched) = api.ask("PUT", "/api/publish/deb_x/bookworm", &switch);
    assert_eq!((status, &switched["Sources"][0]["Name"]), (200, &json!("s2")));
    assert_eq!(shown(), 2);
    assert_eq!(api.get("/api/publish").1.as_array().map(Vec::len), Some(1));
    assert_eq!(api.delete("/api/snapshots/s2"), error(409, "unable to drop: snapshot is published"));

    let pending = "/api/publish/deb_x/bookworm/sources";
    assert_eq!(api.get(pending).0, 404);
    let added = json!([{"Component": "main", "Name": "s2"}, {"Component": "test", "Name": "s1"}]);
    assert_eq!(api.ask("POST", pending, &json!({"Component": "test", "Name": "s1"})), (201, added.clone()));
    assert_eq!(api.get(pending), (200, added));
    let (status, updated) = api.ask("POST", "/api/publish/deb_x/bookworm/update", &json!({"Signing": unsigned}));
    assert_eq!((status, updated["Sources"].as_array().map(Vec::len)), (200, Some(2)));

    assert_eq!(
        api.delete("/api/repos/a"),
        error(409, "unable to drop, local repo has snapshots, use ?force=1 to override")
    );
    assert_eq!(api.delete("/api/publish/deb_x/bookworm"), (200, json!({})));
    assert_eq!(api.delete("/api/publish/deb_x/bookworm").0, 404);
    assert_eq!(api.delete("/api/repos/a?force=1"), (200, json!({})));
    let (status, graph) = api.get("/api/graph.dot");
    assert!(
        status == 200
            && graph.as_str().is_some_and(|text| text.starts_with("digraph aptly {") && text.contains("Snapshot s1")),
        "{graph}"
    );
    assert_eq!(api.ask("POST", "/api/db/cleanup", &json!({})), (200, Value::Null));
    // The command line sees what the API made.
    assert_eq!(api.machine.run("aptly snapshot list -raw"), "s1\ns2\ns3\n");
}

#[test]
fn work_that_takes_its_time_is_a_task() {
    let api = Api::start();
    assert_eq!(api.ask("POST", "/api/repos", &json!({"Name": "a"})).0, 201);
    api.put("hello", "1.0", "up");
    let (status, task) = api.ask("POST", "/api/repos/a/file/up?_async=1", &json!({}));
    assert_eq!((status, &task["ID"], &task["Name"]), (202, &json!(1), &json!("Add packages from dir up to repo a")));
    let (status, over) = api.get("/api/tasks/1/wait");
    assert_eq!((status, &over["State"]), (200, &json!(2)));
    let output = "Loading packages...\n[+] hello_1.0_all added\nTask succeeded";
    assert_eq!(api.get("/api/tasks/1/output"), (200, json!(output)));
    assert_eq!(api.get("/api/tasks/1/return_value").1["Code"], 200);
    let (_, second) = api.curl(&["-X", "DELETE"], "/api/repos/a?_async=true");
    assert_eq!((&second["ID"], &second["Resources"]), (&json!(2), &json!(["a"])));
    assert_eq!(api.get("/api/tasks-wait"), (200, json!({})));
    assert_eq!(api.get("/api/repos"), (200, json!([])));
    let (_, third) = api.curl(&["-X", "DELETE"], "/api/repos/a?_async=true");
    assert_eq!(third["ID"], 3);
    assert_eq!(api.get("/api/tasks/3/wait").1["State"], 3);
    assert_eq!(api.get("/api/tasks/3/output").1, "Task failed with error: local repo with name a not found");
    assert_eq!(api.delete("/api/tasks/3"), (200, json!({})));
    assert_eq!(api.get("/api/tasks/3"), error(404, "could not find task with id 3"));
    assert_eq!(api.ask("POST", "/api/tasks-clear", &json!({})), (200, json!({})));
    assert_eq!(api.get("/api/tasks"), (200, json!([])));
}

#[test]
fn requests_are_counted_and_published_files_served_when_the_configuration_says_so() {
    let silent = Api::start();
    assert_eq!(silent.get("/api/metrics"), (404, json!("404 page not found")));
    assert_eq!(silent.get("/repos/").0, 404);

    let folder = tempfile::tempdir().expect("a folder");
    let web = folder.path().join("web");
    let api = Api::start_with(
        &json!({"enableMetricsEndpoint": true, "serveInAPIMode": true,
                "FileSystemPublishEndpoints": {"web": {"rootDir": web}}})
        .to_string(),
    );
    api.ask("POST", "/api/repos", &json!({"Name": "a"}));
    api.put("hello", "1.0", "up");
    api.ask("POST", "/api/repos/a/file/up", &json!({}));
    for place in ["filesystem:web:deb", ":."] {
        let publish = json!({"SourceKind": "local", "Sources": [{"Name": "a", "Component": "main"}], "Distribution": "bookworm",
                             "Architectures": ["amd64"], "Signing": {"Skip": true}});
        let path = format!("/api/publish/{place}?_async=1");
        let (_, task) = api.ask("POST", &path, &publish);
        let id = &task["ID"];
        assert_eq!(
            api.get(&format!("/api/tasks/{id}/wait")).1["State"],
            2,
            "{}",
            api.get(&format!("/api/tasks/{id}/output")).1
        );
        let all = json!({"TotalNumberOfPackages": 1, "RemainingNumberOfPackages": 0});
        assert_eq!(api.get(&format!("/api/tasks/{id}/detail")), (200, all));
    }
    assert_eq!(api.get("/api/repos/none").0, 404);

    let (status, text) = api.get("/api/metrics");
    let text = text.as_str().expect("text");
    assert_eq!(status, 200);
    for line in [
        "# TYPE aptly_api_http_requests_total counter",
        "aptly_api_http_requests_total{code=\"201\",method=\"POST\",path=\"/api/repos\"} 1",
        "aptly_api_http_requests_total{code=\"404\",method=\"GET\",path=\"/api/repos\"} 1",
        "aptly_api_http_requests_in_flight{method=\"GET\",path=\"/api/metrics\"} 1",
        "aptly_api_http_request_size_bytes_sum{code=\"201\",method=\"POST\",path=\"/api/repos\"} 12",
        "aptly_api_http_request_duration_seconds_count{code=\"201\",method=\"POST\",path=\"/api/repos\"} 1",
        "aptly_build_info{version=\"1.6.3\",goversion=\"\"} 1",
        "aptly_api_files_uploaded_total{directory=\"up\"} 1",
        "aptly_repos_package_count{source=\"[a]\",distribution=\"bookworm\",component=\"main\"} 1",
    ] {
        assert!(text.lines().any(|there| there == line), "{line} in\n{text}");
    }

    let (status, page) = api.get("/repos/");
    let page = page.as_str().expect("a page");
    assert!(
        status == 200 && page.contains("<a href=\"-/\">default</a>") && page.contains("<a href=\"web/\">web</a>"),
        "{page}"
    );
    for place in ["-/dists", "web/deb/dists"] {
        let (status, release) = api.get(&format!("/repos/{place}/bookworm/Release"));
        assert!(
            status == 200 && release.as_str().is_some_and(|text| text.contains("Codename: bookworm")),
            "{place}: {release}"
        );
    }
    let pool = "/repos/-/pool/main/h/hello/hello_1.0_all.deb";
    let deb = std::fs::read(api.machine.public().join("pool/main/h/hello/hello_1.0_all.deb")).expect("published");
    let got = api.machine.path().join("got.deb");
    let (status, _) = api.curl(&["-r", "2-", "-o", got.to_str().expect("text")], pool);
    assert_eq!((status, std::fs::read(&got).expect("there")), (206, deb[2..].to_vec()));
    for path in ["/repos/-/..%2f..%2f.aptly.conf", "/repos/nowhere/dists", "/repos/-/nothing"] {
        assert_eq!(api.get(path).0, 404, "{path}");
    }
}

#[test]
fn systemd_may_hand_over_the_socket() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("api.sock");
    // The program that systemd itself tries sockets out with.
    let mut command = Command::new("systemd-socket-activate");
    command
        .arg("-l")
        .arg(&socket)
        .args(["-E", "HOME", "-E", "TZ"])
        .arg(machine.path().join("bin/aptly"))
        .args(["api", "serve"]);
    command.env("HOME", machine.path()).env("TZ", "UTC").current_dir(machine.path());
    let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let curl = vec![
        "--unix-socket".to_owned(),
        socket.display().to_string(),
        "--retry".into(),
        "50".into(),
        "--retry-all-errors".into(),
        "--retry-delay".into(),
        "0".into(),
    ];
    let api = Api { machine, process, curl, base: "http://aptly".into() };
    assert_eq!(api.get("/api/version"), (200, json!({"Version": "1.6.3"})));
    assert!(socket.exists(), "it is systemd's to remove");
}

#[test]
fn keys_come_and_go() {
    let api = Api::start();
    // Somebody else's key, made elsewhere.
    let elsewhere = tempfile::tempdir().expect("a folder");
    for folder in [elsewhere.path().to_owned(), api.machine.path().join(".gnupg")] {
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("set");
    }
    let gpg = |args: &[&str]| {
        let (code, said, why) = run(Command::new("gpg").env("GNUPGHOME", elsewhere.path()).arg("--batch").args(args));
        assert_eq!(code, 0, "{why}");
        said
    };
    gpg(&["--passphrase", "", "--quick-generate-key", "Mina <mina@example.org>", "ed25519", "sign", "never"]);
    let armor = gpg(&["--armor", "--export", "mina@example.org"]);
    let (status, said) = api.ask("POST", "/api/gpg/key", &json!({"GpgKeyArmor": armor}));
    assert!(status == 200 && said.as_str().is_some_and(|text| text.contains("imported: 1")), "{said}");
    let (_, listed) = api.get("/api/gpg/keys");
    let key = &listed["Keys"][0];
    assert_eq!(
        (&key["UserIDs"], listed["Keys"].as_array().map(Vec::len)),
        (&json!(["Mina <mina@example.org>"]), Some(1))
    );
    let id = key["Fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_eq!(api.ask("POST", "/api/gpg/key", &json!({"GpgKeyArmor": "no key"})).0, 400);
    assert_eq!(api.ask("DELETE", "/api/gpg/key", &json!({"GpgKeyID": id})).0, 200);
    assert_eq!(api.get("/api/gpg/keys"), (200, json!({"Keys": []})));
}

#[test]
fn a_mirror_is_made_updated_and_snapshotted_by_the_api() {
    // Another root of our own is the upstream; it is not signed.
    let upstream = Machine::new();
    package("hello", "1.0").write_to(upstream.path());
    upstream.run("aptly repo create up");
    upstream.run("aptly repo add up hello_1.0_all.deb");
    upstream.run("aptly publish repo -skip-signing -distribution=stable -architectures=amd64 up");
    let (_serving, said) = crate::apt_story::serve(&upstream);
    let url = format!("http://{}", crate::apt_story::address(&said));

    let api = Api::start();
    assert_eq!(api.get("/api/mirrors"), (200, json!([])));
    assert_eq!(api.get("/api/mirrors/m"), error(404, "mirror with name m not found"));
    let wanted = json!({"Name": "m", "ArchiveURL": url, "Distribution": "stable", "IgnoreSignatures": true});
    let (status, made) = api.ask("POST", "/api/mirrors", &wanted);
    assert_eq!(
        (status, &made["ArchiveRoot"], &made["Components"], &made["LastDownloadDate"]),
        (201, &json!(format!("{url}/")), &json!(["main"]), &json!("0001-01-01T00:00:00Z"))
    );
    let signed = json!({"Name": "n", "ArchiveURL": url, "Distribution": "stable"});
    assert_eq!(api.ask("POST", "/api/mirrors", &signed).0, 400, "it is not signed");
    assert_eq!(api.get("/api/mirrors/m/packages").0, 404, "it was never updated");
    assert_eq!(api.ask("POST", "/api/mirrors/m/snapshots", &json!({"Name": "s"})), error(400, "mirror not updated"));
    assert_eq!(api.ask("PUT", "/api/mirrors/m", &json!({"IgnoreSignatures": true})).0, 204);
    assert_eq!(api.get("/api/mirrors").1[0]["NumPackages"], 1);
    let (_, keys) = api.get("/api/mirrors/m/packages");
    assert!(keys[0].as_str().is_some_and(|key| key.starts_with("Pall hello 1.0 ")), "{keys}");
    let (status, snapshot) = api.ask("POST", "/api/mirrors/m/snapshots", &json!({"Name": "s"}));
    assert_eq!((status, &snapshot["SourceKind"]), (201, &json!("repo")));
    let (_, edited) = api.ask("POST", "/api/mirrors/m", &json!({"Filter": "other", "IgnoreSignatures": true}));
    assert_eq!(edited["Filter"], "other");
    assert_eq!(api.delete("/api/mirrors/m").0, 403);
    assert_eq!(api.delete("/api/mirrors/m?force=1").0, 204);
}

#[test]
fn dput_uploads_and_the_upload_is_taken() {
    if !have("dput") {
        return;
    }
    let api = Api::start();
    let here = &api.machine;
    let file = package("hallo", "1.0").write_to(here.path());
    let sums = Sums::of(&std::fs::read(&file).expect("built"));
    let listed = format!("{} hallo_1.0_all.deb", sums.size);
    let changes = format!(
        "Format: 1.8\nDate: Sun, 29 Nov 2026 09:00:00 +0000\nSource: hallo\nBinary: hallo\nArchitecture: all\nVersion: 1.0\n\
         Distribution: stable\nUrgency: medium\nMaintainer: A <a@example.org>\nChanged-By: A <a@example.org>\n\
         Description:\n hallo - greets\nChanges:\n hallo (1.0) stable; urgency=medium\n .\n   * New.\n\
         Checksums-Sha1:\n {} {listed}\nChecksums-Sha256:\n {} {listed}\nFiles:\n {} {} misc optional hallo_1.0_all.deb\n",
        sums.sha1, sums.sha256, sums.md5, sums.size
    );
    std::fs::write(here.path().join("hallo_1.0_all.changes"), changes).expect("written");
    let address = api.base.trim_start_matches("http://");
    let config = format!(
        "[here]\nfqdn = {address}\nmethod = http\nincoming = /api/files/up\nallow_unsigned_uploads = 1\nrun_dinstall = 0\n"
    );
    std::fs::write(here.path().join("dput.cf"), config).expect("written");
    let mut dput = Command::new("dput");
    dput.args(["-u", "-c", "dput.cf", "here", "hallo_1.0_all.changes"]);
    let (code, said, why) = run(dput.current_dir(here.path()).env("HOME", here.path()).env_remove("http_proxy"));
    assert_eq!(code, 0, "{said}{why}");
    assert_eq!(api.get("/api/files/up"), (200, json!(["hallo_1.0_all.changes", "hallo_1.0_all.deb"])));

    here.run("aptly repo create stable");
    let (status, told) = api.ask("POST", "/api/repos/stable/include/up", &json!({}));
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["FailedFiles"].as_array().map(Vec::len), Some(1), "nobody signed it: {told}");
    let (_, told) = api.ask("POST", "/api/repos/stable/include/up?acceptUnsigned=1", &json!({}));
    assert_eq!(told["Report"]["Added"], json!(["hallo_1.0_all added"]), "{told}");
    assert_eq!(api.get("/api/files"), (200, json!([])));
}

#[test]
fn names_of_uploads_lead_nowhere_else() {
    let api = Api::start();
    let file = package("hello", "1.0").write_to(api.machine.path());
    let file = file.to_str().expect("a text");
    for path in [
        "/api/files/..%2Fx/evil",
        "/api/files/x/..%2F..%2Fevil",
        "/api/files/%2e%2e/evil",
        "/api/files/x/%2e%2e",
        "/api/files/x/a%00b",
    ] {
        let (status, told) = api.curl(&["-T", file, "--request-target", path], "/");
        assert_eq!(
            (status, told["error"].as_str().is_some_and(|why| why.starts_with("wrong "))),
            (400, true),
            "{path}: {told}"
        );
    }
    assert_eq!(api.get("/api/files"), (200, json!([])));
    // By form, a name with folders in front is only a name.
    let (status, stored) = api.curl(&["-F", &format!("file=@{file};filename=../../evil.deb")], "/api/files/x");
    assert_eq!((status, stored), (200, json!(["x/evil.deb"])));
    assert!(api.machine.path().join(".aptly/upload/x/evil.deb").is_file());
}

#[test]
fn the_api_is_served_on_a_unix_socket_and_by_the_server_itself() {
    let machine = Machine::new();
    let socket = machine.path().join("api.sock");
    let (process, said) = serve(&machine, &format!("unix://{}", socket.display()));
    assert!(said.starts_with(&format!("Starting web server at: unix://{} ", socket.display())), "{said}");
    let curl = vec!["--unix-socket".to_owned(), socket.display().to_string()];
    let api = Api { machine, process, curl, base: "http://aptly".into() };
    assert_eq!(api.ask("POST", "/api/repos", &json!({"Name": "by-socket"})).0, 201);
    assert_eq!(api.machine.run("aptly repo list -raw"), "by-socket\n");

    // Another process on the same root, at the same time.
    let root = api.machine.path().join(".aptly");
    let server = crate::server::Server::start(&format!("[[apt.root]]\npath = {:?}\n", root.display().to_string()));
    let address = server.address();
    let (status, body) = crate::server::ask(&address, "GET", "/api/repos", "");
    assert_eq!(status, 200, "{body}");
    assert_eq!(serde_json::from_str::<Value>(&body).expect("JSON")[0]["Name"], "by-socket");
    let (status, _) = crate::server::ask(&address, "POST", "/api/repos", &json!({"Name": "by-server"}).to_string());
    assert_eq!(status, 201);
    let names: Vec<Value> =
        api.get("/api/repos").1.as_array().expect("a list").iter().map(|repo| repo["Name"].clone()).collect();
    assert_eq!(names, [json!("by-server"), json!("by-socket")]);
}
