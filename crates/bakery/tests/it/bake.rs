//! What a bake gives, when it is found again, when it is made anew, and what a crash leaves.

use std::collections::BTreeSet;
use std::path::Path;

use testkit::package::{TestPackage, package};

use crate::shelf::Kitchen;

const UNIT: &str = "[Service]\nEnvironment=PORT=8080\nExecStart=/usr/bin/env node /usr/lib/hello/server.js\n";

fn hello(version: &str, text: &str) -> TestPackage {
    package("hello", version).file("lib/systemd/system/hello.service", 0o644, UNIT).file(
        "usr/lib/hello/server.js",
        0o644,
        text,
    )
}

fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found
}

#[tokio::test]
async fn an_image_holds_the_package_and_says_what_an_instance_runs() {
    let kitchen = Kitchen::new();
    kitchen.put(&hello("1.0", "one"));
    let baked = kitchen.bake("hello").await.unwrap();
    let image = &baked.image;
    assert!(!baked.previously_baked);
    assert_eq!(image.name, "hello-all-20270301120000-host");
    assert_eq!(image.app_version(), "hello-1.0");
    assert_eq!(image.config.command, ["/usr/bin/env", "node", "/usr/lib/hello/server.js"]);
    assert_eq!(image.config.port, Some(8080));
    assert_eq!(image.notes, ["maintainer scripts did not run"]);
    // Nothing but the package's own files: no shadow, no keys, nothing of the data folder, nothing of the machine.
    let expected = ["usr/lib/hello/server.js", "usr/lib/systemd/system/hello.service", "usr/share/hello/version"];
    assert_eq!(files(&kitchen.bakery.layer_folder(&image.id)), expected.map(String::from).into());
    assert_eq!(kitchen.bakery.image(&image.name).await.unwrap(), *image);
}

#[tokio::test]
async fn the_layout_is_an_oci_image_with_one_layer_and_a_config() {
    let kitchen = Kitchen::new();
    kitchen.put(&hello("1.0", "one"));
    let image = kitchen.bake("hello").await.unwrap().image;
    let layout = kitchen.bakery.layout_folder(&image.id);
    let json = |path: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(layout.join(path)).unwrap()).unwrap()
    };
    let blob =
        |digest: &serde_json::Value| format!("blobs/sha256/{}", digest.as_str().unwrap().trim_start_matches("sha256:"));
    assert_eq!(json("oci-layout")["imageLayoutVersion"], "1.0.0");
    let index = json("index.json");
    assert_eq!(index["manifests"][0]["digest"], image.id.as_str());
    let manifest = json(&blob(&index["manifests"][0]["digest"]));
    let config = json(&blob(&manifest["config"]["digest"]));
    assert_eq!(config["config"]["Cmd"][1], "node");
    assert_eq!(config["config"]["Env"][0], "PORT=8080");
    assert!(config["config"]["ExposedPorts"]["8080/tcp"].is_object());
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);
    let layer = std::fs::File::open(layout.join(blob(&manifest["layers"][0]["digest"]))).unwrap();
    let mut tar = tar::Archive::new(layer);
    let paths: Vec<_> = tar.entries().unwrap().map(|e| e.unwrap().path().unwrap().display().to_string()).collect();
    assert!(paths.contains(&"usr/lib/hello/server.js".to_owned()), "{paths:?}");
}

#[tokio::test]
async fn the_same_recipe_is_found_and_other_bytes_are_baked_anew() {
    let kitchen = Kitchen::new();
    kitchen.put(&hello("1.0", "one"));
    let first = kitchen.bake("hello").await.unwrap();
    let again = kitchen.bake("hello=1.0").await.unwrap();
    assert!(again.previously_baked);
    assert_eq!(again.image, first.image);

    kitchen.put(&hello("1.0", "the same version with other bytes"));
    let replaced = kitchen.bake("hello").await.unwrap();
    assert!(!replaced.previously_baked);
    assert_ne!(replaced.image.id, first.image.id);
    let text = std::fs::read_to_string(kitchen.bakery.layer_folder(&replaced.image.id).join("usr/lib/hello/server.js"));
    assert_eq!(text.unwrap(), "the same version with other bytes");
}

#[tokio::test]
async fn what_the_package_needs_comes_along_and_counts_in_the_key() {
    let kitchen = Kitchen::new();
    kitchen.put(&hello("1.0", "one").field("Depends", "libhello (>= 2)"));
    kitchen.put(&package("libhello", "2.1"));
    let first = kitchen.bake("hello").await.unwrap().image;
    let layer = kitchen.bakery.layer_folder(&first.id);
    assert!(layer.join("usr/share/libhello/version").is_file());
    kitchen.put(&package("libhello", "2.1").file("usr/share/libhello/patch", 0o644, "1"));
    let second = kitchen.bake("hello").await.unwrap();
    assert!(!second.previously_baked, "a dependency with other bytes");
}

#[tokio::test]
async fn two_that_want_the_same_image_at_once_get_one() {
    let kitchen = Kitchen::new();
    kitchen.put(&hello("1.0", "one"));
    let (a, b) = tokio::join!(kitchen.bake("hello"), kitchen.bake("hello"));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.image, b.image);
    assert!(a.previously_baked != b.previously_baked, "one made it, one found it");
}

#[tokio::test]
async fn an_image_whose_folder_is_gone_is_made_again() {
    let kitchen = Kitchen::new();
    kitchen.put(&hello("1.0", "one"));
    let first = kitchen.bake("hello").await.unwrap();
    std::fs::remove_dir_all(kitchen.bakery.layout_folder(&first.image.id)).unwrap();
    let second = kitchen.bake("hello").await.unwrap();
    assert!(!second.previously_baked);
    assert_eq!(second.image.id, first.image.id, "the same files give the same digest");
    assert!(kitchen.bakery.layer_folder(&second.image.id).is_dir());
}

#[tokio::test]
async fn a_killed_bake_leaves_nothing_that_anyone_sees() {
    let mut kitchen = Kitchen::new();
    kitchen.put(&hello("1.0", "one"));
    // As a kill in the middle leaves it: files in staging, no name, no row.
    let half = kitchen.images().join("staging/01HALF/layer/usr");
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(half.join("x"), "half").unwrap();
    // As a kill between the name and the row leaves it: a whole folder that no row names.
    let image = kitchen.bake("hello").await.unwrap().image;
    kitchen.store.write(|tx| tx.execute("delete from image", &[])).await.unwrap();

    kitchen.reopen();
    assert!(!kitchen.images().join("staging/01HALF").exists());
    assert_eq!(kitchen.bakery.images().await.unwrap(), []);
    let again = kitchen.bake("hello").await.unwrap();
    assert_eq!(again.image.id, image.id);
    assert_eq!(kitchen.bakery.images().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_bake_that_fails_leaves_no_folder() {
    let kitchen = Kitchen::new();
    kitchen.put(&package("plain", "1"));
    let error = kitchen.bake("plain").await.unwrap_err().to_string();
    assert!(error.contains("plain_1_all has no systemd unit"), "{error}");
    assert!(error.contains("lib/systemd/system/plain.service"), "{error}");
    assert_eq!(files(&kitchen.images()), Default::default());
}

#[tokio::test]
async fn what_is_baked_anew_to_the_same_bytes_keeps_its_name() {
    let kitchen = Kitchen::new();
    kitchen.put(&hello("1.0", "one"));
    let first = kitchen.bake("hello").await.unwrap().image;
    kitchen.clock.advance(jiff::SignedDuration::from_mins(1));
    let request = bakery::Request::of(bakery::WantedPackage::list("hello").unwrap());
    let recipe = kitchen.bakery.resolve(request, kitchen.shelf.clone()).await.unwrap();
    let again = kitchen.bakery.make(recipe, true, |_| {}).await.unwrap();
    assert!(!again.previously_baked, "it was asked to be made in any case");
    assert_eq!(again.image, first);
}

#[test]
fn a_package_is_looked_at_before_it_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let check = |package: &TestPackage| {
        let scratch = tempfile::tempdir().unwrap();
        bakery::check(&package.write_to(folder.path()), &bakery::Host::default(), scratch.path()).unwrap()
    };
    let unit = "[Service]\nUser=www-data\nWorkingDirectory=/usr/lib/hello\nEnvironment=PORT=8080 MODE=prod\nExecStart=/usr/bin/env node x.js\n";
    let good = check(
        &package("hello", "1.0")
            .file("lib/systemd/system/hello.service", 0o644, unit)
            .field("Depends", "nodejs (>= 18) | node"),
    );
    assert_eq!((good.package.as_str(), good.version.as_str(), good.port), ("hello", "1.0", Some(8080)));
    assert_eq!(good.unit.as_deref(), Some("/usr/lib/systemd/system/hello.service"));
    assert_eq!(good.command, ["/usr/bin/env", "node", "x.js"]);
    assert_eq!((good.user.as_deref(), good.directory.as_deref()), (Some("www-data"), Some("/usr/lib/hello")));
    assert_eq!(good.env["MODE"], "prod");
    assert_eq!(good.from_repository, ["nodejs (>= 18) | node"]);
    assert_eq!(good.problems, [] as [&str; 0]);

    let bare = check(&package("bare", "1"));
    assert_eq!(bare.problems.len(), 1);
    assert!(bare.problems[0].contains("add lib/systemd/system/bare.service to the package"), "{:?}", bare.problems);
    let lost = check(&package("lost", "1").file(
        "lib/systemd/system/lost.service",
        0o644,
        "[Service]\nExecStart=/usr/bin/nothing-there\n",
    ));
    assert_eq!(
        lost.problems,
        ["ExecStart names /usr/bin/nothing-there, which is neither in the package nor on this machine"]
    );
    let bad = check(&package("bad", "1").file("etc/shadow", 0o644, "x"));
    assert!(bad.problems[0].contains("ships ") && bad.problems[0].contains("etc/shadow"), "{:?}", bad.problems);
}
