//! The image for containers, unpacked as a runtime does it and entered as its user: what works in there without further rights.
//! There is no daemon here; what it would read is checked by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::server::run;

/// What a person does in there; the names of two files are given.
const STORY: &str = r#"
set -eu
say() { echo "== $*"; }
root=$1
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for one in null zero random urandom; do touch "$root/dev/$one"; mount --bind "/dev/$one" "$root/dev/$one"; done
inside() { env -i PATH=/usr/bin HOME=/var/lib/gennaker /usr/sbin/chroot --userspec=10001:10001 "$root" "$@"; }
inside /usr/bin/gennaker serve --config /etc/gennaker/gennaker.toml --data /var/lib/gennaker --listen 127.0.0.1:0 --gate-listen none >/tmp/said 2>&1 &
until grep -q serves /tmp/said; do kill -0 $!; sleep 0.05; done
server=$(sed -n 's,.* serves http://\([^/]*\)/.*,\1,p' /tmp/said)
until curl -fsS "http://$server/health/ready" >/tmp/ready 2>/dev/null; do sleep 0.1; done
say "$(cat /tmp/ready | head -c 14)"
# A repository by aptly's API, and by aptly's commands inside.
json='Content-Type: application/json'
curl -sS --fail-with-body -H "$json" -d '{"Name": "mine", "DefaultDistribution": "stable"}' "http://$server/api/repos" >/dev/null
curl -sS --fail-with-body -F file=@"$2" "http://$server/api/files/up" >/dev/null
curl -sS --fail-with-body -X POST "http://$server/api/repos/mine/file/up" >/dev/null
curl -sS --fail-with-body -H "$json" -d '{"SourceKind": "local", "Sources": [{"Name": "mine"}], "Architectures": ["amd64"], "Signing": {"Skip": true}}' "http://$server/api/publish/:." >&2
say "$(ls "$root"/var/lib/gennaker-archive/public/dists)"
# A pipeline.
stage='{"refId": "1", "type": "wait", "name": "Wait", "waitTime": 0, "requisiteStageRefIds": []}'
curl -sS --fail-with-body -H "$json" -d "{\"application\": \"shop\", \"name\": \"Ship\", \"stages\": [$stage]}" "http://$server/pipelines" >/dev/null
inside /usr/bin/gennaker pipeline execute -a shop -n Ship --wait -o text --server "http://$server" >/tmp/run 2>&1 && say a pipeline
inside /usr/bin/gennaker down --all --data /var/lib/gennaker >/dev/null
"#;

/// A blob of the layout; its content is what its name says.
fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("a digest");
    let path = layout.join("blobs/sha256").join(digest);
    let bytes = fs::read(&path).expect("the blob is there");
    assert_eq!(descriptor["size"].as_u64(), Some(bytes.len() as u64), "{descriptor}");
    let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sum, digest);
    path
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("read")).expect("JSON")
}

/// The tests' program has libraries: they are put beside it. The real one has none.
fn add_libraries(binary: &Path, root: &Path) {
    let (code, out, why) = run(Command::new("ldd").arg(binary));
    assert_eq!(code, 0, "{why}");
    for library in out.split_whitespace().filter(|word| word.starts_with('/')) {
        let there = root.join(library.trim_start_matches('/'));
        fs::create_dir_all(there.parent().expect("a folder")).expect("made");
        fs::copy(library, there).expect("copied");
    }
}

#[test]
fn the_image_serves_repositories_and_pipelines_as_an_ordinary_user() {
    if !rustix::process::geteuid().is_root() {
        return testkit::probe::not_run("only root can enter another root");
    }
    let scratch = tempfile::tempdir().expect("a folder");
    let binary = scratch.path().join("gennaker");
    let (code, _, why) = run(Command::new("strip").arg("-o").arg(&binary).arg(env!("CARGO_BIN_EXE_gennaker")));
    assert_eq!(code, 0, "{why}");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/image");
    let (tar, again) = (scratch.path().join("image.tar"), scratch.path().join("again.tar"));
    for out in [&tar, &again] {
        let (code, _, why) = run(Command::new(&script).args([&binary, out]));
        assert_eq!(code, 0, "{why}");
    }
    assert!(fs::read(&tar).expect("read") == fs::read(&again).expect("read"), "the same program, the same image");

    let (layout, root) = (scratch.path().join("layout"), scratch.path().join("root"));
    for folder in [&layout, &root] {
        fs::create_dir(folder).expect("made");
    }
    let unpack = |tar: &Path, folder: &Path| {
        let (code, _, why) = run(Command::new("tar").arg("-xpf").arg(tar).arg("--numeric-owner").arg("-C").arg(folder));
        assert_eq!(code, 0, "{why}");
    };
    unpack(&tar, &layout);
    let manifest = json(&blob(&layout, &json(&layout.join("index.json"))["manifests"][0]));
    let config = json(&blob(&layout, &manifest["config"]));
    assert_eq!(config["rootfs"]["diff_ids"], Value::Array(vec![manifest["layers"][0]["digest"].clone()]));
    assert_eq!(config["config"]["User"], "10001:10001");
    let entry =
        ["/usr/bin/gennaker", "serve", "--config", "/etc/gennaker/gennaker.toml", "--data", "/var/lib/gennaker"];
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(entry));
    // What Docker's classic store reads names the same blobs.
    let classic = json(&layout.join("manifest.json"));
    assert_eq!(classic[0]["RepoTags"], serde_json::json!([format!("gennaker:{}", env!("CARGO_PKG_VERSION"))]));
    let layer = blob(&layout, &manifest["layers"][0]);
    assert_eq!(layout.join(classic[0]["Layers"][0].as_str().expect("a path")), layer);

    unpack(&layer, &root);
    add_libraries(&binary, &root);
    let package = crate::redblack_story::service("1.0", "This is Default").write_to(scratch.path());
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c", &STORY.replace("/tmp/", "$3/")]);
    inside.arg("sh").arg(&root).arg(&package).arg(scratch.path());
    let (code, out, why) = run(&mut inside);
    let told = || format!("{out}{why}{}", fs::read_to_string(scratch.path().join("said")).unwrap_or_default());
    assert_eq!(code, 0, "{}", told());
    let said: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("== ")).collect();
    assert_eq!(said, ["{\"status\":\"UP\"", "stable", "a pipeline"], "{}", told());
}
