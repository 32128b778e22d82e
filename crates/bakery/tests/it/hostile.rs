//! Packages made to harm whoever bakes them (the rows of the threat list that concern unpacking).

use testkit::package::package;

use crate::shelf::Kitchen;

const UNIT: &str = "[Service]\nExecStart=/usr/bin/evil\n";

async fn refused(kitchen: &Kitchen) -> String {
    let error = kitchen.bake("evil").await.unwrap_err().to_string();
    assert_eq!(kitchen.bakery.images().await.unwrap(), [], "nothing is kept");
    let left: Vec<_> = std::fs::read_dir(kitchen.images()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["staging"]);
    error
}

#[tokio::test]
async fn accounts_passwords_and_keys_never_get_into_a_layer() {
    for path in [
        "etc/shadow",
        "etc/passwd",
        "root/.ssh/authorized_keys",
        "etc/ssh/ssh_host_rsa_key",
        "etc/ssl/private/site.key",
    ] {
        let kitchen = Kitchen::new();
        kitchen.put(&package("evil", "1").file("lib/systemd/system/evil.service", 0o644, UNIT).file(path, 0o600, "x"));
        let error = refused(&kitchen).await;
        assert!(error.contains(&format!("evil_1_all ships {path}")), "{error}");
    }
}

#[tokio::test]
async fn set_user_id_is_taken_away() {
    use std::os::unix::fs::PermissionsExt;
    let kitchen = Kitchen::new();
    kitchen.put(&package("evil", "1").file("lib/systemd/system/evil.service", 0o644, UNIT).file(
        "usr/bin/evil",
        0o4755,
        "x",
    ));
    let image = kitchen.bake("evil").await.unwrap().image;
    let file = kitchen.bakery.layer_folder(&image.id).join("usr/bin/evil");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o7777, 0o755);
}

#[tokio::test]
async fn a_unit_that_is_a_link_out_of_the_image_is_not_read() {
    let kitchen = Kitchen::new();
    let deb = debian::deb::Builder::new(
        "Package: evil\nVersion: 1\nArchitecture: all\nMaintainer: X <x@example.org>\nDescription: x\n",
    )
    .unwrap()
    .link("lib/systemd/system/evil.service", "/etc/hostname")
    .unwrap();
    let file = kitchen.folder.path().join("evil_1_all.deb");
    std::fs::write(&file, deb.build().unwrap()).unwrap();
    kitchen.put_file(&file);
    let error = refused(&kitchen).await;
    assert!(error.contains("no systemd unit"), "{error}");
}

#[tokio::test]
async fn bytes_that_are_not_those_of_the_index_are_refused() {
    let kitchen = Kitchen::new();
    kitchen.put(&package("evil", "1").file("lib/systemd/system/evil.service", 0o644, UNIT));
    let file = kitchen.folder.path().join("pool/evil_1_all.deb");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.push(b'\n');
    std::fs::write(&file, bytes).unwrap();
    let error = refused(&kitchen).await;
    assert!(error.contains("but the index says"), "{error}");
}

#[tokio::test]
async fn a_broken_package_is_named_with_the_place() {
    let kitchen = Kitchen::new();
    kitchen.put(&package("evil", "1").file("lib/systemd/system/evil.service", 0o644, UNIT));
    let file = kitchen.folder.path().join("pool/evil_1_all.deb");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let error = refused(&kitchen).await;
    assert!(error.contains("evil_1_all.deb"), "{error}");
}
