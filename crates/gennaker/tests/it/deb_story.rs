//! The Debian packages, installed into a Debian 13 of its own: what a new user has, what an upgrade does to users of a service, what is left
//! when they go. There is no service manager in there: what the units start is read from them and started by hand, as their user.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::apt_trixie_story::Trixie;
use crate::redblack_story::service;
use crate::server::{free_port, run};

/// Users who open a connection for each request, until `/tmp/stop` is there; then they say how many requests there were and how many failed.
const USERS: &str = r#"
use IO::Socket::INET;
my ($asked, $failed) = (0, 0);
until (-e "/tmp/stop") {
    $asked++;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]", Timeout => 30);
    my $answer = "";
    if ($s) { print $s "GET / HTTP/1.1\r\nHost: hello\r\nConnection: close\r\n\r\n"; local $/; $answer = <$s>; }
    $failed++ unless $answer =~ m{^HTTP/1.1 200 };
}
print "asked $asked failed $failed\n";
"#;

/// What a person does in there; `$PORT` is free.
const STORY: &str = r#"
set -eu
say() { echo "== $*"; }
unit() { sed -n "s/^$2=//p" "/lib/systemd/system/$1.service"; }
as_service() { setpriv --reuid gennaker --regid gennaker --clear-groups env HOME=/var/lib/gennaker "$@"; }
ours() { for p in /proc/[0-9]*; do case $(readlink "$p/exe" || true) in */gennaker*) echo "${p#/proc/}";; esac; done; }
plane() { cat /var/lib/gennaker/dataplane.pid; }
serve() {
    as_service $(unit gennaker ExecStart) --own-session --listen 127.0.0.1:0 --gate-listen none >/tmp/serve.log 2>&1 &
    until grep -q serves /tmp/serve.log; do sleep 0.05; done
}

dpkg --force-unsafe-io -i /tmp/*.deb >/dev/null
say $(getent passwd gennaker | cut -d: -f1,6,7)
say $(stat -c '%U %a' /var/lib/gennaker /var/lib/gennaker-archive /etc/gennaker/gennaker.toml)
say $(aptly version)
say $(gennaker config check)
say $(ls /usr/share/man/man1/gennaker-up.1.gz /usr/share/bash-completion/completions/gennaker)

as_service $(unit gennaker-dataplane ExecStart)
first=$(plane)
serve
gennaker up -o text --port $PORT /tmp/helloterry_1.0_all.deb
for user in 1 2; do perl /tmp/users.pl $PORT >>/tmp/users & done
sleep 0.5
gennaker up -o text /tmp/helloterry_2.0_all.deb | grep -c ' 0 failed'

# An upgrade: the files, then the units as `postinst` has them done.
dpkg --force-unsafe-io -i /tmp/gennaker_*.deb >/dev/null
as_service $(unit gennaker-dataplane ExecReload)
[ "$(plane)" != "$first" ] && say another data plane
gennaker stop
serve
until ! kill -0 "$first" 2>/dev/null; do sleep 0.1; done
sleep 0.5
touch /tmp/stop
wait_for=100
until [ "$(wc -l </tmp/users)" = 2 ] || [ $wait_for = 0 ]; do sleep 0.1; wait_for=$((wait_for - 1)); done
sed 's/^/== /' /tmp/users

gennaker stop
dpkg --remove gennaker-aptly gennaker >/dev/null
say removed: $(ours | wc -l) running, $(ls -d /var/lib/gennaker /etc/gennaker/gennaker.toml | wc -l) kept
dpkg --purge gennaker 2>&1 | grep archive
say purged: $(ls -d /var/lib/gennaker /etc/gennaker 2>/dev/null | wc -l) kept, $(getent passwd gennaker | wc -l) users
"#;

/// Lays our packages, the users and two versions of a service into `/tmp` of a Debian.
pub fn prepare(trixie: &Trixie) {
    let scratch = tempfile::tempdir().expect("a folder");
    // What nobody debugs in there: other tests use the same disk.
    let binary = scratch.path().join("gennaker");
    let (code, _, why) = run(Command::new("strip").arg("-o").arg(&binary).arg(env!("CARGO_BIN_EXE_gennaker")));
    assert_eq!(code, 0, "{why}");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/deb");
    let tmp = trixie.path("tmp");
    let (code, _, why) = run(Command::new(script).arg(&binary).arg(&tmp).env("COMPRESSION", "none"));
    assert_eq!(code, 0, "{why}");
    fs::write(tmp.join("users.pl"), USERS).expect("written");
    // Not beside the packages that are installed.
    fs::create_dir(tmp.join("own")).expect("made");
    for version in ["1.0", "2.0"] {
        service(version, version).write_to(&tmp.join("own"));
    }
}

#[test]
fn the_packages_are_installed_used_upgraded_under_load_and_taken_away() {
    let Some(trixie) = Trixie::unpack() else { return };
    prepare(&trixie);
    let story = STORY.replace("/tmp/helloterry", "/tmp/own/helloterry").replace("$PORT", &free_port().to_string());
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c"]);
    inside.arg(
        "set -e; mount -t proc proc \"$1/proc\"; mount -t tmpfs tmpfs \"$1/dev\"; mkdir \"$1/dev/shm\"; \
         for one in null zero random urandom; do touch \"$1/dev/$one\"; mount --bind \"/dev/$one\" \"$1/dev/$one\"; done; ln -s /proc/self/fd \"$1/dev/fd\"; \
         exec chroot \"$1\" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C sh -c \"$2\"",
    );
    inside.arg("sh").arg(trixie.path("")).arg(story);
    let (code, out, why) = run(&mut inside);
    assert_eq!(code, 0, "{out}{why}");
    let said: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("== ")).collect();
    assert_eq!(
        said[..5],
        [
            "gennaker:/var/lib/gennaker:/usr/sbin/nologin",
            "gennaker 700 gennaker 755 root 640",
            "aptly version: 1.6.3",
            "/etc/gennaker/gennaker.toml is good: it would listen on 127.0.0.1:9000 and 127.0.0.1:8084, data in /var/lib/gennaker",
            "/usr/share/bash-completion/completions/gennaker /usr/share/man/man1/gennaker-up.1.gz",
        ],
        "{out}{why}"
    );
    assert_eq!(said[5], "another data plane", "{out}{why}");
    for users in &said[6..8] {
        let asked = users.strip_prefix("asked ").and_then(|rest| rest.strip_suffix(" failed 0"));
        assert!(asked.and_then(|asked| asked.parse().ok()).is_some_and(|asked: u32| asked > 20), "{users}\n{out}{why}");
    }
    assert_eq!(said[8..], ["removed: 0 running, 2 kept", "purged: 0 kept, 0 users"], "{out}{why}");
    assert!(out.contains("the packages in /var/lib/gennaker-archive stay"), "{out}{why}");
}
