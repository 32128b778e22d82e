//! Root file systems become images as they are; what is none, or would do harm, does not.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bakery::{ImageConfig, Import, ROOT_FS, Run};
use tar::{EntryType, Header};

use crate::shelf::Kitchen;

/// Path, kind, mode, content or target.
type Entry<'a> = (&'a str, EntryType, u32, &'a str);

const ROOT: [Entry<'static>; 6] = [
    ("./usr/bin/", EntryType::Directory, 0o755, ""),
    ("./usr/bin/web", EntryType::Regular, 0o4755, "#!/bin/sh\n"),
    ("./bin", EntryType::Symlink, 0o777, "usr/bin"),
    ("./dev/null", EntryType::Char, 0o666, ""),
    ("./etc/default/web", EntryType::Regular, 0o644, "MODE=prod\nPORT=8080\n"),
    (
        "./etc/systemd/system/web.service",
        EntryType::Regular,
        0o644,
        "[Service]\nExecStart=/usr/bin/web --all\nEnvironmentFile=/etc/default/web\nUser=www\nWorkingDirectory=/srv\n",
    ),
];

fn archive(kitchen: &Kitchen, entries: &[Entry]) -> PathBuf {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, kind, mode, content) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_size(0);
        // Written as it stands: the crate would refuse what an attacker would not.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        if *kind == EntryType::Symlink {
            header.set_link_name(content).unwrap();
        } else {
            header.set_size(content.len() as u64);
        }
        header.set_cksum();
        tar.append(&header, if *kind == EntryType::Symlink { "" } else { content }.as_bytes()).unwrap();
    }
    let file = kitchen.folder.path().join("root.tar.gz");
    let mut packed = flate2::write::GzEncoder::new(std::fs::File::create(&file).unwrap(), flate2::Compression::fast());
    packed.write_all(&tar.into_inner().unwrap()).unwrap();
    packed.finish().unwrap();
    file
}

fn import(file: PathBuf, name: &str, run: Run) -> Import {
    Import { file, name: name.into(), run }
}

fn unit() -> Run {
    Run { unit: Some("web".into()), config: ImageConfig::default() }
}

#[tokio::test]
async fn a_root_file_system_becomes_an_image_that_runs_its_unit() {
    let kitchen = Kitchen::new();
    let file = archive(&kitchen, &ROOT);
    let made = kitchen.bakery.import(import(file.clone(), "web", unit()), |_| {}).await.unwrap();
    assert!(!made.previously_baked);
    let image = made.image;
    assert_eq!((image.name.as_str(), image.base.as_str(), image.builder.as_str()), ("web", ROOT_FS, "import"));
    let env = [("MODE", "prod"), ("PORT", "8080")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let expected = ImageConfig {
        command: vec!["/usr/bin/web".into(), "--all".into()],
        env: env.into(),
        port: Some(8080),
        directory: Some("/srv".into()),
        user: Some("www".into()),
    };
    assert_eq!(image.config, expected);
    assert_eq!(image.notes[1], "set-user-id and its kin were taken away from 1 files");
    let layer = kitchen.bakery.layer_folder(&image.id);
    assert_eq!(std::fs::metadata(layer.join("usr/bin/web")).unwrap().permissions().mode() & 0o7777, 0o755);
    assert!(!layer.join("dev/null").exists(), "devices are left out");

    // The same again is found; under another name, or to run something else, it is another image.
    let again = kitchen.bakery.import(import(file.clone(), "web", unit()), |_| {}).await.unwrap();
    assert_eq!((again.previously_baked, &again.image.id), (true, &image.id));
    let named = kitchen.bakery.import(import(file.clone(), "shop", unit()), |_| {}).await.unwrap();
    assert_eq!((named.previously_baked, named.image.name.as_str()), (false, "shop"));
    kitchen.clock.advance(jiff::SignedDuration::from_secs(1));
    let config = ImageConfig { command: vec!["/bin/web".into()], ..ImageConfig::default() };
    let plain = Run { unit: None, config };
    let other = kitchen.bakery.import(import(file, "web", plain), |_| {}).await.unwrap().image;
    assert_eq!(other.config.command, ["/bin/web"]);
    assert_eq!(kitchen.bakery.image("web").await.unwrap().id, other.id, "of two the newer one is meant");
}

#[tokio::test]
async fn what_is_no_root_or_leads_out_of_it_is_refused_and_leaves_nothing() {
    let cases: [(&[Entry], &str, Run, &str); 8] = [
        (&[("./a", EntryType::Regular, 0o644, "x")], "web", unit(), "pack the root itself: tar -C ROOT -cf FILE ."),
        (&[("oci-layout", EntryType::Regular, 0o644, "{}")], "web", unit(), "docker create IMAGE"),
        (&[("usr/../../x", EntryType::Regular, 0o644, "x")], "web", unit(), "'..' is not allowed"),
        (&[("/usr/x", EntryType::Regular, 0o644, "x")], "web", unit(), "absolute paths are not allowed"),
        (&[("usr/x", EntryType::Symlink, 0o777, "../../etc")], "web", unit(), "leads out of the folder"),
        (&ROOT, "../web", unit(), "is no image's name"),
        (&ROOT, "web", Run::default(), "say what its instances run, in one way"),
        (
            &ROOT,
            "web",
            Run { unit: Some("other".into()), ..Run::default() },
            "other.service: the root holds no such unit",
        ),
    ];
    for (entries, name, run, words) in cases {
        let kitchen = Kitchen::new();
        let file = archive(&kitchen, entries);
        let error = kitchen.bakery.import(import(file, name, run), |_| {}).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert_eq!(kitchen.bakery.images().await.unwrap(), []);
        assert_eq!(std::fs::read_dir(kitchen.images().join("staging")).unwrap().count(), 0, "{words}");
    }
}
