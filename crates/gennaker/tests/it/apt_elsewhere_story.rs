//! aptly's commands against a server elsewhere: a machine that has the packages but no archive, and a token.

use testkit::package::package;

use crate::server::{Server, gennaker, run};

#[test]
fn packages_are_uploaded_added_and_published_from_another_machine() {
    let there = tempfile::tempdir().expect("a folder");
    let archive = there.path().join("archive");
    let config = format!("[[apt.root]]\npath = \"{}\"\n", archive.display());
    let server = Server::start_in(there, &config);
    // The machine elsewhere: a home of its own, with files and nothing else.
    let here = tempfile::tempdir().expect("a folder");
    let (code, _, said) = run(gennaker(here.path()).args(["package", "sample"]).arg(here.path().join("debs")));
    assert_eq!(code, 0, "{said}");
    let mut token = String::new();
    let apt = |token: &str, args: &[&str]| {
        let mut command = gennaker(here.path());
        command.env("GENNAKER_SERVER", format!("http://{}", server.address())).env("GENNAKER_TOKEN", token);
        run(command.current_dir(here.path()).arg("apt").args(args))
    };
    let mut create = gennaker(here.path());
    create.env("GENNAKER_SERVER", format!("http://{}", server.address()));
    let (code, made, said) = run(create.args(["token", "create", "ci", "--role", "admin"]));
    assert_eq!(code, 0, "{said}");
    token.push_str(made.trim());

    let (code, out, said) = apt(&token, &["repo", "create", "-distribution=bookworm", "shop"]);
    assert_eq!((code, said.as_str()), (0, ""), "{out}");
    assert!(out.contains("Local repo [shop] successfully added."), "{out}");
    let (code, out, said) = apt(&token, &["repo", "add", "shop", "debs"]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.contains("helloterry") && out.contains("added"), "{out}");
    let (code, out, said) = apt(&token, &["publish", "repo", "-architectures=amd64", "-skip-signing", "shop"]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(archive.join("public/dists/bookworm/Release").exists(), "{out}");
    let (code, out, _) = apt(&token, &["repo", "show", "-with-packages", "shop"]);
    assert_eq!(code, 0);
    assert!(out.contains("Name: shop") && out.contains("helloterry_"), "{out}");
    assert!(!here.path().join(".aptly").exists(), "nothing was made here");
    assert_eq!(std::fs::read_dir(archive.join("upload")).map_or(0, Iterator::count), 0, "uploads are gone");

    // Files of one name in two folders are two files.
    for (folder, name) in [("x", "first"), ("y", "second")] {
        std::fs::create_dir(here.path().join(folder)).expect("made");
        let made = package(name, "1.0").write_to(&here.path().join(folder));
        std::fs::rename(made, here.path().join(folder).join("package.deb")).expect("renamed");
    }
    let (code, out, said) = apt(&token, &["repo", "add", "shop", "x/package.deb", "y/package.deb"]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.contains("first_1.0_all added") && out.contains("second_1.0_all added"), "{out}");
    std::os::unix::fs::symlink(".", here.path().join("x/again")).expect("linked");
    std::fs::create_dir(here.path().join("x/below")).expect("made");
    std::fs::copy(here.path().join("y/package.deb"), here.path().join("x/below/package.deb")).expect("copied");
    let (code, _, said) = apt(&token, &["repo", "add", "shop", "x"]);
    assert_eq!(code, 1);
    assert!(said.contains("x/package.deb") && said.contains("have one name: add one after the other"), "{said}");

    // Exit codes and complaints are those of the command.
    let (code, _, said) = apt(&token, &["repo", "show", "nope"]);
    assert_eq!(code, 1);
    assert!(said.contains("ERROR: unable to show: local repo with name nope not found"), "{said}");
    let (code, _, said) = apt(&token, &["repo", "add", "shop", "no-such-file.deb"]);
    assert_eq!(code, 1);
    assert!(said.starts_with("ERROR: cannot upload no-such-file.deb: "), "{said}");
    let (code, _, said) = apt("gnk_wrong", &["repo", "list"]);
    assert_eq!((code, said.trim()), (1, "ERROR: unknown token"));
    let (code, _, said) = apt(&token, &["publish", "update", "-passphrase-file=/etc/shadow", "bookworm"]);
    assert_eq!((code, said.trim()), (1, "ERROR: -passphrase-file is the server's to say: configure it there"));
    // Whose token it was stands in the log of what was done.
    let (code, told, said) = run(gennaker(server.folder.path()).args(["op", "log", "--json", "--root"]).arg(&archive));
    assert_eq!(code, 0, "{said}");
    assert!(told.contains("\"who\": \"ci\"") || told.contains("\"who\":\"ci\""), "{told}");
}
