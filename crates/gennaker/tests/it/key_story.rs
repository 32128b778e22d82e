//! Keys: made and used without gpg, accepted by gpgv and apt; and what apt refuses, by keys that gpg made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::package::package;

use crate::apt_story::{Client, Machine, address, have, serve};
use crate::server::run;

/// A machine with a repository that is not published yet.
fn machine() -> Machine {
    let machine = Machine::new();
    package("helloterry", "1.0").write_to(machine.path());
    machine.run("aptly repo create r");
    machine.run("aptly repo add r helloterry_1.0_all.deb");
    machine
}

/// Who signed, by gpgv with this keyring (armored or not).
fn signers(machine: &Machine, keyring: &Path, files: &[&Path]) -> Vec<String> {
    let plain = machine.path().join("plain.gpg");
    let mut gpg = Command::new("gpg");
    gpg.args(["--batch", "--yes", "-o"]).arg(&plain).arg("--dearmor").arg(keyring);
    let (code, _, why) = run(&mut gpg);
    assert_eq!(code, 0, "{why}");
    let (code, said, why) = run(Command::new("gpgv").args(["--status-fd", "1", "--keyring"]).arg(&plain).args(files));
    assert_eq!(code, 0, "{said}{why}");
    said.lines()
        .filter_map(|line| line.strip_prefix("[GNUPG:] VALIDSIG ")?.split(' ').next().map(str::to_owned))
        .collect()
}

#[test]
fn a_key_is_made_and_signs_without_gpg_and_apt_takes_it() {
    if !have("gpg") || !have("gpgv") || !have("apt-get") {
        return;
    }
    let machine = machine();
    let publish = "aptly publish repo -gpg-provider=internal -distribution=stretch -architectures=amd64";
    let why = machine.fails(&format!("{publish} r"), 1);
    assert!(why.contains("/.aptly/keys; make one with `gennaker apt key generate`"), "{why}");
    let said = machine
        .command("aptly key generate")
        .arg("Terry <terry@example.org>")
        .output()
        .map(|done| String::from_utf8_lossy(&done.stdout).into_owned())
        .expect("started");
    let fingerprint =
        said.strip_prefix("Made the key ").and_then(|rest| rest.split('.').next()).expect("a fingerprint").to_owned();
    let keys = machine.path().join(".aptly/keys");
    let mode = |name: &str| fs::metadata(keys.join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode("repository.secret.asc"), mode("repository.asc")), (0o600, 0o644));
    assert!(
        machine.fails("aptly key generate -name=repository x", 1).contains("is there already; choose another -name")
    );

    machine.run("aptly key generate -type=rsa4096 -name=second Second");
    // The first one signs unless others are named.
    machine.run(&format!("{publish} r"));
    let shown = machine.public().join("dists/stretch");
    let [clear, detached, release] = ["InRelease", "Release.gpg", "Release"].map(|name| shown.join(name));
    let public = keys.join("repository.asc");
    assert_eq!(signers(&machine, &public, &[&clear]), std::slice::from_ref(&fingerprint));
    assert_eq!(signers(&machine, &public, &[&detached, &release]), std::slice::from_ref(&fingerprint));
    let (_serving, said) = serve(&machine);
    let address = address(&said);
    let client = Client::new(&format!("deb [signed-by={}] http://{address} stretch main", public.display()));
    assert_eq!(client.fetch(), "helloterry 1.0\n");

    machine.run(&format!("aptly publish update -gpg-provider=internal -gpg-key={fingerprint} -gpg-key=Second stretch"));
    let both = machine.path().join("both.asc");
    let text = ["repository.asc", "second.asc"].map(|name| fs::read_to_string(keys.join(name)).expect("read")).concat();
    fs::write(&both, text).expect("written");
    for files in [vec![clear.as_path()], vec![detached.as_path(), release.as_path()]] {
        let by = signers(&machine, &both, &files).len();
        assert_eq!(by, 2, "each signed {files:?}");
    }
    assert_eq!(client.fetch(), "helloterry 1.0\n");
    let why = machine.fails("aptly publish update -gpg-provider=internal -gpg-key=nobody stretch", 1);
    assert!(why.contains("unable to sign: there is no key nobody in "), "{why}");
    // Nothing that apt refuses.
    let said = machine.run("aptly key lint");
    assert_eq!(said.matches(": fine\n").count(), 4, "{said}");
}

/// gpg with a home of its own.
struct Gpg<'a>(&'a Machine);

impl Gpg<'_> {
    fn run(&self, args: &[&str]) -> String {
        let home = self.0.path().join(".gnupg");
        fs::create_dir_all(&home).expect("made");
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).expect("set");
        let mut gpg = Command::new("gpg");
        gpg.env("HOME", self.0.path()).env_remove("GNUPGHOME").args([
            "--batch",
            "--yes",
            "--pinentry-mode",
            "loopback",
        ]);
        let (code, said, why) = run(gpg.args(args));
        assert_eq!(code, 0, "{args:?}: {why}");
        said
    }

    /// Makes a key and exports it to `NAME.gpg`; more arguments stand before those of the key.
    fn key(&self, name: &str, before: &[&str], algorithm: &str, expires: &str) {
        let make = ["--passphrase", "", "--quick-generate-key", name, algorithm, "sign,cert", expires];
        self.run(&[before, &make].concat());
        let file = self.0.path().join(format!("{name}.gpg"));
        self.run(&["-o", file.to_str().expect("text"), "--export", name]);
    }
}

#[test]
fn a_key_of_gpg_with_a_passphrase_and_a_subkey_signs_too() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let machine = machine();
    let gpg = Gpg(&machine);
    let make = ["--passphrase", "open sesame", "--quick-generate-key", "Mina", "rsa3072", "cert", "never"];
    gpg.run(&make);
    let listed = gpg.run(&["--with-colons", "--list-keys", "Mina"]);
    let fingerprint = listed
        .lines()
        .find_map(|line| line.strip_prefix("fpr:::::::::"))
        .expect("a key")
        .trim_end_matches(':')
        .to_owned();
    gpg.run(&["--passphrase", "open sesame", "--quick-add-key", &fingerprint, "ed25519", "sign"]);
    let secret = machine.path().join("mina.gpg");
    gpg.run(&["--passphrase", "open sesame", "-o", secret.to_str().expect("text"), "--export-secret-keys", "Mina"]);
    let public = machine.path().join("mina.asc");
    gpg.run(&["--armor", "-o", public.to_str().expect("text"), "--export", "Mina"]);
    fs::write(machine.path().join("word"), "open sesame\n").expect("written");
    let publish = format!(
        "aptly publish repo -gpg-provider=internal -secret-keyring={} -distribution=stretch -architectures=amd64",
        secret.display()
    );
    let why = machine.fails(&format!("{publish} r"), 1);
    assert!(why.contains("unable to sign: "), "{why}");
    assert_eq!(machine.run("aptly publish list -raw"), "", "nothing was published");
    machine.run(&format!("{publish} -passphrase-file=word r"));
    let clear = machine.public().join("dists/stretch/InRelease");
    let by = signers(&machine, &public, &[&clear]);
    assert!(by.len() == 1 && by[0] != fingerprint, "the subkey signed: {by:?}");
}

#[test]
fn what_apt_refuses_is_named_with_its_date() {
    if !have("gpg") {
        return;
    }
    let machine = machine();
    let gpg = Gpg(&machine);
    gpg.key("good", &[], "ed25519", "never");
    gpg.key("soon", &[], "ed25519", "10d");
    gpg.key("short", &[], "rsa2048", "never");
    gpg.key("shorter", &[], "rsa1024", "never");
    gpg.key("old", &["--cert-digest-algo", "SHA1"], "rsa4096", "never");
    gpg.key("dsa", &[], "dsa2048", "never");
    let found = |name: &str, code: i32| -> Vec<(String, String, bool)> {
        let done = machine.try_run(&format!("aptly key lint -json {name}"));
        assert_eq!(done.status.code(), Some(code), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        let told: Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let findings = told[0]["found"][0]["findings"].as_array().expect("findings").clone();
        let text = |one: &Value, key: &str| one[key].as_str().expect("text").to_owned();
        let short = |text: String| text.split(':').next().expect("a part").to_owned();
        let one =
            |one: &Value| (short(text(one, "problem")), text(one, "refused")[..10].to_owned(), one["now"] == true);
        findings.iter().map(one).collect()
    };
    let finding = |problem: &str, from: &str, now: bool| vec![(problem.to_owned(), from.to_owned(), now)];
    assert_eq!(found("good.gpg", 0), []);
    assert_eq!(found("short.gpg", 0), finding("the key is RSA with fewer than 3072 bits", "2030-02-01", false));
    assert_eq!(found("shorter.gpg", 1), finding("the key is RSA with fewer than 2048 bits", "2014-02-01", true));
    assert_eq!(found("old.gpg", 1), finding("what binds a user id to the key uses SHA-1", "2026-02-01", true));
    assert_eq!(found("dsa.gpg", 1), finding("the key is DSA", "2024-02-01", true));
    let soon = found("soon.gpg", 0);
    assert!(soon.len() == 1 && soon[0].0 == "the key expires" && !soon[0].2, "{soon:?}");

    // A signature by a good key with a bad digest.
    fs::write(machine.path().join("Release"), "Suite: x\n").expect("written");
    let [text, signed] = ["Release", "InRelease"].map(|name| machine.path().join(name).display().to_string());
    gpg.run(&["-u", "good", "--digest-algo", "SHA1", "--allow-weak-digest-algos", "-o", &signed, "--clearsign", &text]);
    assert_eq!(found("InRelease", 1), finding("the signature uses SHA-1", "2026-02-01", true));
    let why = machine.fails("aptly key lint Release", 1);
    assert!(why.ends_with("Release holds neither keys nor signatures\n"), "{why}");
}

#[test]
fn signatures_are_checked_without_gpgv_as_debian_13_does() {
    if !have("gpg") {
        return;
    }
    let machine = machine();
    machine.run("aptly publish repo -skip-signing -distribution=stretch -architectures=amd64 r");
    let (_serving, said) = serve(&machine);
    let address = address(&said);
    let gpg = Gpg(&machine);
    let shown = machine.public().join("dists/stretch");
    let [release, clear, detached] = ["Release", "InRelease", "Release.gpg"].map(|name| shown.join(name));
    let sign = |how: &[&str], to: &Path| {
        let words = ["-o", to.to_str().expect("text"), if to == clear { "--clearsign" } else { "--detach-sign" }];
        gpg.run(&[how, &words, &[release.to_str().expect("text")]].concat());
    };
    let export = |name: &str| {
        let file = machine.path().join(format!("{name}.gpg"));
        gpg.run(&["-o", file.to_str().expect("text"), "--export", name]);
    };
    // No gpgv is called: there is none on the way.
    let check = |key: &str| -> Result<(), String> {
        let line =
            format!("aptly mirror create -gpg-provider=internal -keyring=./{key}.gpg m http://{address} stretch");
        let done = machine.command(&line).env("PATH", "/nowhere").output().expect("started");
        let why = String::from_utf8_lossy(&done.stderr).into_owned();
        if done.status.success() {
            machine.run("aptly mirror drop m");
        }
        if done.status.success() { Ok(()) } else { Err(why) }
    };
    let refused = |key: &str, wanted: &str| {
        let why = check(key).expect_err(key);
        assert!(why.contains("verification of clearsigned file failed: ") && why.contains(wanted), "{key}: {why}");
    };
    for (name, algorithm) in [("good", "ed25519"), ("another", "nistp256"), ("short", "rsa2048")] {
        gpg.key(name, &[], algorithm, "never");
        sign(&["-u", name], &clear);
        assert_eq!(check(name), Ok(()));
    }
    refused("good", "no public key for ");
    sign(&["-u", "short", "-u", "good"], &clear);
    assert_eq!(check("good"), Ok(()), "the other one may be a stranger");

    // What is signed is what is read.
    let kept = fs::read_to_string(&clear).expect("signed");
    fs::write(&clear, kept.replace("Codename: stretch", "Codename: sketch")).expect("written");
    refused("good", "BAD signature from ");
    fs::write(&clear, format!("Origin: before\n{kept}")).expect("written");
    refused("good", "text outside the signed part");
    sign(&["-u", "good", "--digest-algo", "SHA1", "--allow-weak-digest-algos"], &clear);
    refused("good", "the signature uses SHA-1");

    // Keys that do not count.
    gpg.key("weak", &[], "rsa1024", "never");
    sign(&["-u", "weak"], &clear);
    refused("weak", "the key is RSA with fewer than 2048 bits");
    gpg.key("old", &["--cert-digest-algo", "SHA1"], "rsa4096", "never");
    sign(&["-u", "old"], &clear);
    refused("old", "uses SHA-1");
    gpg.key("past", &["--faked-system-time", "20240101T000000"], "ed25519", "10d");
    sign(&["--faked-system-time", "20240102T000000", "-u", "past"], &clear);
    refused("past", "has expired");
    gpg.key("revoked", &[], "ed25519", "never");
    sign(&["-u", "revoked"], &clear);
    assert_eq!(check("revoked"), Ok(()));
    let revocations = machine.path().join(".gnupg/openpgp-revocs.d");
    let listed = gpg.run(&["--with-colons", "--list-keys", "revoked"]);
    let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).expect("a key");
    let revocation = revocations.join(format!("{}.rev", fingerprint.trim_end_matches(':')));
    let text = fs::read_to_string(&revocation).expect("made with the key").replace(":-----BEGIN", "-----BEGIN");
    fs::write(&revocation, text).expect("written");
    gpg.run(&["--import", revocation.to_str().expect("text")]);
    export("revoked");
    refused("revoked", "is revoked");

    // A subkey signs, and a file beside the text says so, too.
    gpg.run(&["--passphrase", "", "--quick-generate-key", "main", "rsa3072", "cert", "never"]);
    let listed = gpg.run(&["--with-colons", "--list-keys", "main"]);
    let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).expect("a key");
    gpg.run(&["--passphrase", "", "--quick-add-key", fingerprint.trim_end_matches(':'), "ed25519", "sign", "1y"]);
    export("main");
    sign(&["-u", "main"], &clear);
    assert_eq!(check("main"), Ok(()));
    fs::remove_file(&clear).expect("removed");
    for armor in [&["-u", "main"][..], &["-u", "main", "--armor"]] {
        sign(armor, &detached);
        assert_eq!(check("main"), Ok(()));
    }
    fs::write(&release, fs::read_to_string(&release).expect("read") + "Origin: me\n").expect("written");
    let why = check("main").expect_err("it is another text");
    assert!(why.contains("BAD signature from ") && why.contains("detached"), "{why}");
}
