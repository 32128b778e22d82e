//! From a package to a machine that has it: the commands of the story, word for word, and Debian's own apt as the judge.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use testkit::package::package;

/// A machine of its own: a HOME with a link named `aptly`.
pub struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // A web server of another user has to come in.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("opened");
        fs::create_dir(folder.path().join("bin")).expect("made");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gennaker"), folder.path().join("bin/aptly")).expect("linked");
        fs::write(folder.path().join(".aptly.conf"), "{}").expect("written");
        Machine { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn public(&self) -> PathBuf {
        self.path().join(".aptly/public")
    }

    /// A command as a person types it, run in HOME.
    pub fn command(&self, line: &str) -> Command {
        let mut words = line.split_whitespace();
        let mut command = Command::new(self.path().join("bin").join(words.next().expect("a command")));
        command
            .args(words)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env_remove("GNUPGHOME");
        command
    }

    pub fn try_run(&self, line: &str) -> Output {
        self.command(line).stdin(Stdio::null()).output().expect("started")
    }

    /// Runs a command that must succeed and gives what it printed.
    pub fn run(&self, line: &str) -> String {
        let output = self.try_run(line);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{line}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// Runs a command that must fail with this code and gives what it complained about.
    pub fn fails(&self, line: &str, code: i32) -> String {
        let output = self.try_run(line);
        assert_eq!(output.status.code(), Some(code), "{line}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// The first steps of the story, up to the publication.
    pub fn publish_helloterry(&self) -> String {
        package("helloterry", "1.0").write_to(self.path());
        self.run("aptly repo create terry-repo");
        self.run("aptly repo add -force-replace terry-repo helloterry_1.0_all.deb");
        let shown = self.run("aptly repo show -with-packages terry-repo");
        assert!(shown.ends_with("Number of packages: 1\nPackages:\n  helloterry_1.0_all\n"), "{shown}");
        self.run("aptly publish repo -distribution=stretch -architectures=amd64 -skip-signing=true terry-repo")
    }
}

/// A process that ends with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Asked first: nginx then ends its workers too, which would outlive a kill.
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a program that a test needs is there; under `GENNAKER_TEST_REQUIRE=all` it must be.
#[allow(clippy::disallowed_methods, reason = "tests are told by the environment what must be there")]
pub fn have(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).chain(["/usr/sbin".into()]).any(|folder| folder.join(program).exists());
    let required = std::env::var("GENNAKER_TEST_REQUIRE").is_ok_and(|value| value == "all");
    assert!(found || !required, "not run: {program} is missing");
    if !found {
        eprintln!("not run: {program} is missing");
    }
    found
}

/// A client machine: apt with folders of its own.
pub struct Client {
    folder: tempfile::TempDir,
}

impl Client {
    pub fn new(source: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for below in ["state/lists/partial", "cache/archives/partial", "etc/parts", "etc/trusted.d", "down"] {
            fs::create_dir_all(folder.path().join(below)).expect("made");
        }
        fs::write(folder.path().join("state/status"), "").expect("written");
        fs::write(folder.path().join("etc/sources.list"), format!("{source}\n")).expect("written");
        Client { folder }
    }

    pub fn apt_get(&self, words: &[&str]) -> String {
        let at = |below: &str| self.folder.path().join(below).display().to_string();
        let mut command = Command::new("apt-get");
        for option in [
            format!("Dir::State={}", at("state")),
            format!("Dir::State::status={}", at("state/status")),
            format!("Dir::Cache={}", at("cache")),
            format!("Dir::Etc::sourcelist={}", at("etc/sources.list")),
            format!("Dir::Etc::sourceparts={}", at("etc/parts")),
            format!("Dir::Etc::trustedparts={}", at("etc/trusted.d")),
            "APT::Architecture=amd64".into(),
            "APT::Architectures=amd64".into(),
            "APT::Sandbox::User=root".into(),
            "Acquire::Languages=none".into(),
            "Acquire::http::Proxy=false".into(),
            "APT::Update::Error-Mode=any".into(),
        ] {
            command.arg("-o").arg(option);
        }
        let output = command.args(words).current_dir(at("down")).env("LC_ALL", "C").output().expect("apt-get starts");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "apt-get {words:?}: {said}");
        said
    }

    /// Updates, downloads and unpacks `helloterry`; gives what its file says.
    pub fn fetch(&self) -> String {
        self.apt_get(&["update"]);
        self.apt_get(&["download", "helloterry"]);
        let down = self.folder.path().join("down");
        let mut debs: Vec<PathBuf> =
            fs::read_dir(&down).expect("there").map(|entry| entry.expect("read").path()).collect();
        debs.retain(|path| path.extension().is_some_and(|extension| extension == "deb"));
        debs.sort();
        let root = down.join("root");
        let deb = debs.pop().expect("a downloaded package");
        assert!(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&root).status().expect("dpkg-deb starts").success());
        fs::read_to_string(root.join("usr/share/helloterry/version")).expect("unpacked")
    }
}

/// The line for today's apt among what a command printed.
fn source_line(said: &str) -> &str {
    said.lines().map(str::trim).find(|line| line.starts_with("deb [trusted=yes]")).expect("a source line")
}

/// Where `aptly serve` says that it listens: `127.0.0.1:40123`.
pub fn address(said: &str) -> &str {
    said.rsplit("Starting web server at: ").next().and_then(|rest| rest.split(' ').next()).expect("it listens")
}

/// Starts `aptly serve` and gives what it printed until it listens.
pub fn serve(machine: &Machine) -> (Running, String) {
    let mut child =
        Running(machine.command("aptly serve -listen=127.0.0.1:0").stdout(Stdio::piped()).spawn().expect("started"));
    let mut said = String::new();
    let mut lines = BufReader::new(child.0.stdout.take().expect("piped"));
    while !said.contains("Starting web server at: ") {
        let read = lines.read_line(&mut said).expect("read");
        assert!(read > 0, "it ended: {said}");
    }
    (child, said)
}

#[test]
fn the_commands_of_the_story_give_apt_a_package_through_aptly_serve() {
    if !have("apt-get") || !have("dpkg-deb") {
        return;
    }
    let machine = Machine::new();
    let said = machine.publish_helloterry();
    assert!(said.contains("\nLocal repo terry-repo has been successfully published.\n"), "{said}");
    assert!(said.contains("  deb http://your-server/ stretch main\n"), "{said}");
    assert!(source_line(&said).ends_with("http://your-server/ stretch main"), "{said}");
    assert!(machine.public().join("pool/main/h/helloterry/helloterry_1.0_all.deb").is_file());

    let (_server, said) = serve(&machine);
    assert!(said.contains("# ./stretch [amd64] publishes {main: [terry-repo]}\n"), "{said}");
    let client = Client::new(source_line(&said));
    assert_eq!(client.fetch(), "helloterry 1.0\n");

    // A new version, by other processes, while the same server goes on.
    package("helloterry", "2.0").write_to(machine.path());
    machine.run("aptly repo add -force-replace terry-repo helloterry_2.0_all.deb");
    let said = machine.run("aptly publish update -skip-signing=true stretch");
    assert!(
        said.contains(
            "Published local repository ./stretch [amd64] publishes {main: [terry-repo]} has been updated successfully."
        ),
        "{said}"
    );
    assert_eq!(client.fetch(), "helloterry 2.0\n");
}

#[test]
fn nginx_over_the_public_folder_serves_just_as_well() {
    if !have("nginx") || !have("apt-get") || !have("dpkg-deb") {
        return;
    }
    let machine = Machine::new();
    machine.publish_helloterry();
    let (_nginx, port) = nginx(&machine);
    let client = Client::new(&format!("deb [trusted=yes] http://127.0.0.1:{port} stretch main"));
    assert_eq!(client.fetch(), "helloterry 1.0\n");
    package("helloterry", "2.0").write_to(machine.path());
    machine.run("aptly repo add terry-repo helloterry_2.0_all.deb");
    machine.run("aptly publish update -skip-signing stretch");
    assert_eq!(client.fetch(), "helloterry 2.0\n");
}

/// nginx on the story's configuration; its workers are another user when the test runs as root.
fn nginx(machine: &Machine) -> (Running, u16) {
    let folder = machine.path().join("nginx");
    fs::create_dir(&folder).expect("made");
    for _ in 0..10 {
        // nginx cannot say which port it chose, so a free one is found first; somebody may be quicker, then another is tried.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let user = if rustix::process::geteuid().is_root() { "user www-data;" } else { "" };
        let (at, public) = (folder.display(), machine.public());
        let config = format!(
            "{user}\ndaemon off;\npid {at}/pid;\nerror_log {at}/error.log;\nevents {{ worker_connections 64; }}\nhttp {{\n  access_log off;\n\
             client_body_temp_path {at}/body;\n  proxy_temp_path {at}/proxy;\n  fastcgi_temp_path {at}/fcgi;\n  uwsgi_temp_path {at}/uwsgi;\n  \
             scgi_temp_path {at}/scgi;\n  server {{\n    listen 127.0.0.1:{port};\n    listen [::1]:{port};\n    root {};\n    \
             location / {{ try_files $uri $uri/ =404; }}\n  }}\n}}\n",
            public.display()
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, config).expect("written");
        let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let mut child =
            Running(Command::new(program).arg("-c").arg(&file).stderr(Stdio::null()).spawn().expect("nginx starts"));
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && child.0.try_wait().expect("asked").is_none() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (child, port);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("nginx does not listen: {}", fs::read_to_string(folder.join("error.log")).unwrap_or_default());
}

#[test]
fn a_signed_publication_is_verified_by_apt() {
    if !have("gpg") || !have("gpgconf") || !have("apt-get") {
        return;
    }
    let machine = Machine::new();
    // In a folder of its own with a short path: gpg's agent listens on a socket in it.
    let keys = tempfile::tempdir().expect("a folder");
    fs::set_permissions(keys.path(), fs::Permissions::from_mode(0o700)).expect("closed");
    let gpg = |words: &[&str]| {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", keys.path()).args(["--batch", "--no-tty"]).args(words);
        let output = command.output().expect("gpg starts");
        assert!(output.status.success(), "gpg {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    gpg(&["--passphrase", "", "--quick-gen-key", "Repository <repo@example.org>", "rsa3072", "sign", "never"]);
    package("helloterry", "1.0").write_to(machine.path());
    machine.run("aptly repo create terry-repo");
    machine.run("aptly repo add terry-repo helloterry_1.0_all.deb");
    let mut publish = machine.command("aptly publish repo -distribution=stretch -architectures=amd64 terry-repo");
    let output = publish.env("GNUPGHOME", keys.path()).stdin(Stdio::null()).output().expect("started");
    assert!(output.status.success(), "{output:?}");
    let (_server, said) = serve(&machine);
    let key = machine.path().join("key.gpg");
    fs::write(&key, gpg(&["--export"])).expect("written");
    let line = said.lines().map(str::trim).find(|line| line.starts_with("deb [signed-by=")).expect("a source line");
    let client = Client::new(&line.replace("/etc/apt/keyrings/your-key.gpg", &key.display().to_string()));
    assert_eq!(client.fetch(), "helloterry 1.0\n");
    let _ = Command::new("gpgconf").env("GNUPGHOME", keys.path()).args(["--kill", "all"]).status();
}

#[test]
fn mistakes_have_a_clear_message_and_the_right_exit_code() {
    let machine = Machine::new();
    assert!(
        machine.fails("aptly repo crete terry-repo", 2).contains("unknown command `crete`, did you mean `create`?")
    );
    assert!(
        machine
            .fails("aptly repo show nothing", 1)
            .ends_with("ERROR: unable to show: local repo with name nothing not found\n")
    );
    assert!(machine.fails("aptly repo show a -json", 2).ends_with("ERROR: unable to parse command\n"));
    machine.run("aptly repo create terry-repo");
    assert_eq!(
        machine.fails("aptly repo create terry-repo", 1),
        "ERROR: unable to add local repo: local repo with name terry-repo already exists\n"
    );
    fs::write(machine.path().join("broken.deb"), "this is not a package").expect("written");
    let output = machine.try_run("aptly repo add terry-repo broken.deb");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("[!] Unable to read file broken.deb: not an ar archive\n"), "{said}");
    assert!(
        machine
            .fails("aptly publish repo -distribution=stretch -architecture=amd64 terry-repo", 2)
            .contains("did you mean -architectures?")
    );
    let output = machine.try_run("aptly repo create -comment=“mine” quoted");
    assert_eq!(output.status.code(), Some(0), "a comment may be anything");
    let warned = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(warned, "warning: “mine”: it begins with a typographic quote; use \" or ' instead\n");
    let empty = machine.path().join("no-keys");
    fs::create_dir(&empty).expect("made");
    let unsigned = machine
        .command("aptly publish repo -distribution=stretch -architectures=amd64 terry-repo")
        .env("GNUPGHOME", &empty)
        .output()
        .expect("started");
    assert_eq!(unsigned.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&unsigned.stderr).contains("give -skip-signing to publish without a signature"),
        "{unsigned:?}"
    );
    assert!(!machine.public().join("dists/stretch").exists(), "nothing was published");
}

#[test]
fn gennaker_apt_is_the_same_with_flags_also_after_words() {
    let machine = Machine::new();
    machine.publish_helloterry();
    let gennaker = Command::new(env!("CARGO_BIN_EXE_gennaker"))
        .args(["apt", "repo", "show", "terry-repo", "-with-packages"])
        .env("HOME", machine.path())
        .output()
        .expect("started");
    assert_eq!(String::from_utf8_lossy(&gennaker.stdout), machine.run("aptly repo show -with-packages terry-repo"));
}

#[test]
fn a_publication_goes_back_and_apt_goes_with_it() {
    if !have("apt-get") || !have("dpkg-deb") {
        return;
    }
    let machine = Machine::new();
    machine.publish_helloterry();
    let (_server, said) = serve(&machine);
    let client = Client::new(source_line(&said));
    let fetch = || {
        let down = client.folder.path().join("down");
        let old = fs::read_dir(&down).expect("there").flatten().map(|entry| entry.path());
        old.filter(|path| path.is_file()).for_each(|path| fs::remove_file(path).expect("removed"));
        client.fetch()
    };
    assert_eq!(fetch(), "helloterry 1.0\n");
    package("helloterry", "2.0").write_to(machine.path());
    machine.run("aptly repo add -force-replace terry-repo helloterry_2.0_all.deb");
    machine.run("aptly publish update -skip-signing stretch");
    assert_eq!(fetch(), "helloterry 2.0\n");

    let history = machine.run("aptly publish history stretch");
    let lines: Vec<&str> = history.lines().collect();
    assert!(lines[0].starts_with("2  ") && lines[0].ends_with("  2 packages (shown now)"), "{history}");
    assert_eq!(lines[1], "    + helloterry_2.0_all");
    assert!(lines[2].starts_with("1  ") && lines[2].ends_with("  1 packages"), "{history}");
    let said = machine.run("aptly publish rollback -skip-signing stretch");
    assert!(said.contains("shows again what it showed before."), "{said}");
    // The Release is newer than the one that apt has seen, so apt takes it.
    assert_eq!(fetch(), "helloterry 1.0\n");
    let json: serde_json::Value =
        serde_json::from_str(&machine.run("aptly publish history -json stretch")).expect("JSON");
    assert_eq!((&json[0]["Generation"], &json[0]["Removed"]), (&3.into(), &serde_json::json!(["helloterry_2.0_all"])));
    assert_eq!(
        machine.fails("aptly publish rollback -skip-signing -to=3 stretch", 1),
        "ERROR: unable to roll back: generation 3 of ./stretch is the one that is shown\n"
    );
    assert_eq!(
        machine.fails("aptly publish rollback -skip-signing -to=77 stretch", 1),
        "ERROR: unable to roll back: generation 77 of ./stretch is not kept any more\n"
    );
    machine.run("aptly publish rollback -skip-signing -to=2 stretch");
    assert_eq!(fetch(), "helloterry 2.0\n");

    // A publication of snapshots says again which snapshot it shows.
    machine.run("aptly snapshot create old from repo terry-repo");
    machine.run("aptly publish snapshot -skip-signing -distribution=frozen -architectures=amd64 old");
    package("helloterry", "3.0").write_to(machine.path());
    machine.run("aptly repo add terry-repo helloterry_3.0_all.deb");
    machine.run("aptly snapshot create new from repo terry-repo");
    machine.run("aptly publish switch -skip-signing frozen new");
    machine.run("aptly publish rollback -skip-signing frozen");
    assert!(machine.run("aptly publish show frozen").contains("  main: old [snapshot]\n"));
}

#[test]
fn old_versions_leave_a_repository() {
    let machine = Machine::new();
    machine.run("aptly repo create r");
    for (name, version) in [("hello", "1.0"), ("hello", "1.10"), ("hello", "1.9"), ("other", "1"), ("other", "2")] {
        package(name, version).write_to(machine.path());
    }
    machine.run("aptly repo add r .");
    let told = machine.run("aptly repo prune -keep=2 -dry-run r");
    assert_eq!(
        told,
        "Loading packages...\n[-] hello_1.0_all removed\n\nChanges not saved, as dry run has been requested.\n"
    );
    assert_eq!(machine.run("aptly repo search r").lines().count(), 5);
    machine.run("aptly repo prune r hello");
    assert_eq!(machine.run("aptly repo search r"), "hello_1.10_all\nother_2_all\nother_1_all\n");
    assert_eq!(
        machine.fails("aptly repo prune -keep=0 r", 1),
        "ERROR: unable to prune: at least one version must be kept\n"
    );
}

#[test]
fn publications_go_to_other_folders_as_links_or_copies() {
    let machine = Machine::new();
    let web = machine.path().join("web");
    let endpoints: Vec<String> = ["hardlink", "symlink", "copy"]
        .iter()
        .map(|method| format!("  {method}:\n    root_dir: {}\n    link_method: {method}\n", web.join(method).display()))
        .collect();
    let text = format!("# in YAML\nroot_dir: ~/.aptly\nfilesystem_publish_endpoints:\n{}", endpoints.concat());
    fs::write(machine.path().join(".aptly.conf"), text).expect("written");
    package("helloterry", "1.0").write_to(machine.path());
    machine.run("aptly repo create terry-repo");
    machine.run("aptly repo add terry-repo helloterry_1.0_all.deb");
    for method in ["hardlink", "symlink", "copy"] {
        machine.run(&format!(
            "aptly publish repo -distribution=stretch -architectures=amd64 -skip-signing terry-repo filesystem:{method}:debian"
        ));
        let base = web.join(method).join("debian");
        let index = fs::read_to_string(base.join("dists/stretch/main/binary-amd64/Packages")).expect("rendered");
        assert!(index.contains("Filename: pool/main/h/helloterry/helloterry_1.0_all.deb\n"), "{index}");
        let file = base.join("pool/main/h/helloterry/helloterry_1.0_all.deb");
        let (seen, meant) = (fs::symlink_metadata(&file).expect("there"), fs::metadata(&file).expect("readable"));
        let links = std::os::unix::fs::MetadataExt::nlink(&meant);
        let expected = [("hardlink", false, 2), ("symlink", true, 2), ("copy", false, 1)];
        assert!(expected.contains(&(method, seen.is_symlink(), links)), "{method}: {seen:?}");
        machine.run(&format!("aptly publish update -skip-signing stretch filesystem:{method}:debian"));
    }
    assert!(!machine.public().join("dists").exists());
    let listed = machine.run("aptly publish list -raw");
    assert_eq!(listed.lines().next(), Some("filesystem:copy:debian stretch"), "{listed}");
    // Another file in the way is not overwritten by accident, and a copy of the same size is not the same. (An update looks only at
    // files of packages that are new; with -force-overwrite it looks at all.)
    let file = web.join("copy/debian/pool/main/h/helloterry/helloterry_1.0_all.deb");
    let size = fs::metadata(&file).expect("there").len();
    fs::write(&file, vec![b'x'; usize::try_from(size).expect("small")]).expect("spoilt");
    let refused = machine.fails(
        "aptly publish repo -distribution=buster -architectures=amd64 -skip-signing terry-repo filesystem:copy:debian",
        1,
    );
    assert!(refused.contains("file already exists and is different"), "{refused}");
    machine.run("aptly publish update -skip-signing -force-overwrite stretch filesystem:copy:debian");
    assert_eq!(fs::read(&file).expect("there")[..8], *b"!<arch>\n");
    machine.run("aptly publish drop stretch filesystem:symlink:debian");
    assert!(!web.join("symlink/debian/pool").exists());
    let unknown =
        machine.fails("aptly publish repo -distribution=stretch -skip-signing terry-repo filesystem:nowhere:", 1);
    assert!(unknown.contains("published local storage nowhere not configured"), "{unknown}");
}
