//! The units of the Debian packages under a real systemd, booted in a Debian 13 of its own: what a user of a machine with systemd has.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::apt_trixie_story::Trixie;
use crate::deb_story::prepare;
use crate::server::run;

/// How long a boot may take.
const BOOT: Duration = Duration::from_secs(120);

/// What a person does in there. The network is its own, so ports are what they are.
const STORY: &str = r#"
set -eu
say() { echo "== $*"; }
plane() { cat /var/lib/gennaker/dataplane.pid; }
ours() { for p in /proc/[0-9]*; do case $(readlink "$p/exe" || true) in */gennaker*) echo "${p#/proc/}";; esac; done; }
pid() { systemctl show -p MainPID --value "$1"; }
until_is() { n=0; until "$@" >/dev/null 2>&1; do sleep 0.1; n=$((n + 1)); [ $n -lt 600 ]; done; }
serves() { [ "$(gennaker status --json | grep -c '"pid": '"$(pid gennaker)")" -ge 1 ] && gennaker application list -q; }

dpkg --force-unsafe-io -i /tmp/*.deb >/dev/null
say $(systemctl is-enabled gennaker gennaker-dataplane) $(systemctl is-active gennaker gennaker-dataplane)
until_is serves
gennaker up -o text --port 8080 /tmp/own/helloterry_1.0_all.deb
# Another user has no server, and need not have one.
other() { HOME=/tmp/other setpriv --reuid 4711 --regid 4711 --clear-groups "$@"; }
install -d -o 4711 /tmp/other
[ "$(other gennaker doctor | grep -c '^good  server .*another answers at http://127.0.0.1:9000')" = 1 ]
[ "$(other gennaker status | grep -c 'another one answers at http://127.0.0.1:9000')" = 1 ]
other gennaker application list -q | grep -q helloterry
for user in 1 2; do perl /tmp/users.pl 8080 >>/tmp/users & done
sleep 0.5
gennaker up -o text /tmp/own/helloterry_2.0_all.deb | grep -c ' 0 failed'

server=$(pid gennaker)
systemctl restart gennaker
until_is serves
[ "$(pid gennaker)" != "$server" ] && say another server
first=$(plane)
systemctl reload gennaker-dataplane
[ "$(plane)" != "$first" ] && say another data plane
# An upgrade to the same: `postinst` does both.
dpkg --force-unsafe-io -i /tmp/gennaker_*.deb >/dev/null
until_is serves
server=$(pid gennaker)
kill -9 "$server"
until_is sh -c "[ \"\$(systemctl show -p MainPID --value gennaker)\" != 0 ] && [ \"\$(systemctl show -p MainPID --value gennaker)\" != $server ]"
until_is serves
say started again after a kill
sleep 0.5
touch /tmp/stop
n=0; until [ "$(wc -l </tmp/users)" = 2 ] || [ $n = 300 ]; do sleep 0.1; n=$((n + 1)); done
sed 's/^/== /' /tmp/users
say $(systemctl is-active gennaker gennaker-dataplane) $(systemctl --failed --no-legend | wc -l) failed

# A data plane that is killed: the server begins one at once, among its own processes, and the unit's, which comes a second later, takes over
# from it. Afterwards an upgrade goes as before.
first=$(plane)
kill -9 "$first"
in_its_unit() { [ "$(plane)" != "$first" ] && [ "$(pid gennaker-dataplane)" = "$(plane)" ] && grep -q gennaker-dataplane.service "/proc/$(plane)/cgroup"; }
until_is in_its_unit
until_is gennaker account check
until_is sh -c "gennaker status | grep -q 'members up'"
dpkg --force-unsafe-io -i /tmp/gennaker_*.deb >/dev/null
until_is serves
say $(systemctl is-active gennaker gennaker-dataplane) $(systemctl --failed --no-legend | wc -l) failed after a killed data plane

# Units that are stopped leave the instances; removing the packages leaves nothing that runs.
dpkg --remove gennaker-aptly gennaker >/dev/null
say removed: $(ours | wc -l) running
dpkg --purge gennaker >/dev/null 2>&1
say purged: $(ls -d /var/lib/gennaker /etc/gennaker 2>/dev/null | wc -l) kept
"#;

/// A booted Debian; it ends with the value.
struct Booted {
    machine: Child,
    leader: u32,
}

impl Booted {
    /// Boots it; why not, where this machine cannot.
    fn boot(root: &Path) -> Result<Self, String> {
        let log = root.join("boot.log");
        let file = std::fs::File::create(&log).expect("a log");
        let mut nspawn = Command::new("systemd-nspawn");
        nspawn.args([
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--private-network",
            "--boot",
            "--console=read-only",
            "-D",
        ]);
        // systemd of Debian 13 does not start in a hierarchy of version 1 unless it is told to.
        nspawn.arg(root).env("SYSTEMD_NSPAWN_TMPFS_TMP", "0");
        nspawn.arg("SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1").arg("systemd.unified_cgroup_hierarchy=0");
        nspawn.stdin(Stdio::null()).stdout(file.try_clone().expect("a handle")).stderr(file);
        let machine = nspawn.spawn().map_err(|error| format!("systemd-nspawn: {error}"))?;
        let mut booted = Booted { machine, leader: 0 };
        let deadline = Instant::now() + BOOT;
        loop {
            if let Some(leader) = booted.child() {
                booted.leader = leader;
                let (code, said, _) = run(&mut booted.inside(&["systemctl", "is-system-running"]));
                if code == 0 || said.trim() == "degraded" {
                    return Ok(booted);
                }
            }
            let ended = booted.machine.try_wait().expect("asked").is_some();
            if ended || Instant::now() > deadline {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                let last: Vec<&str> = said.lines().rev().take(5).collect();
                return Err(last.into_iter().rev().collect::<Vec<_>>().join("; "));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The first process in there, as it is called out here.
    fn child(&self) -> Option<u32> {
        let children = PathBuf::from(format!("/proc/{0}/task/{0}/children", self.machine.id()));
        std::fs::read_to_string(children).ok()?.split_whitespace().next()?.parse().ok()
    }

    /// A command in there.
    fn inside(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.leader.to_string(), "-m", "-u", "-i", "-n", "-p", "--", "env", "-i"]);
        command.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"]).args(words);
        command
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        // Its first process gone, the kernel ends all others in there.
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}

#[test]
fn the_units_serve_restart_and_upgrade_under_load_beneath_a_real_systemd() {
    let Some(trixie) = Trixie::unpack() else { return };
    prepare(&trixie);
    let root = trixie.path("");
    // What was laid into /tmp stays to be seen.
    let masked = std::os::unix::fs::symlink("/dev/null", trixie.path("etc/systemd/system/tmp.mount"));
    masked.expect("masked");
    // Whether a machine can be booted in there is the kernel's matter and that of whoever runs us, and no package mends it.
    let booted = match Booted::boot(&root) {
        Ok(booted) => booted,
        Err(why) => return println!("not run: no systemd boots here: {why}"),
    };
    let (code, out, why) = run(&mut booted.inside(&["sh", "-c", STORY]));
    assert_eq!(code, 0, "{out}{why}");
    let said: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("== ")).collect();
    assert_eq!(
        said[..4],
        ["enabled enabled active active", "another server", "another data plane", "started again after a kill"],
        "{out}{why}"
    );
    for users in &said[4..6] {
        let asked = users.strip_prefix("asked ").and_then(|rest| rest.strip_suffix(" failed 0"));
        assert!(asked.and_then(|asked| asked.parse().ok()).is_some_and(|asked: u32| asked > 20), "{users}\n{out}{why}");
    }
    let expected = [
        "active active 0 failed",
        "active active 0 failed after a killed data plane",
        "removed: 0 running",
        "purged: 0 kept",
    ];
    assert_eq!(said[6..], expected, "{out}{why}");
}
