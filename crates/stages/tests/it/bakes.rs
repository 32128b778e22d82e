//! From a published repository to an image: exact bytes, one publication among several, what is missing.

use bakery::{Bakery, Host, Request, WantedPackage};
use stages::bake::{Publication, Publications};
use stages::published::AptPublications;
use testkit::package::{TestPackage, package};

use crate::world::World;

fn hello(version: &str, text: &str) -> TestPackage {
    package("hello", version)
        .file("lib/systemd/system/hello.service", 0o644, "[Service]\nExecStart=/usr/bin/hello\n")
        .file("usr/bin/hello", 0o755, text)
}

fn bakery(world: &World, folder: &std::path::Path) -> Bakery {
    let host = Host::read(&folder.join("no-host"), "/no/path").unwrap();
    Bakery::open(world.store.clone(), folder.join("images"), bakery::builders(host)).unwrap()
}

#[tokio::test]
async fn an_image_holds_what_the_generation_of_the_trigger_published() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let bakery = bakery(&world, folder.path());
    let publications = AptPublications::new(vec![world.root.clone()]);
    world.add(&hello("1.0", "one"));
    world.publish();
    world.add(&hello("1.0", "the same version, other bytes"));
    world.update();

    let mut texts = Vec::new();
    for generation in [Some(1), Some(2), None] {
        let wanted = Publication { distribution: Some("stretch".into()), generation, ..Publication::default() };
        let source = publications.open(&wanted, "hello").unwrap();
        let recipe = bakery.resolve(Request::of(WantedPackage::list("hello").unwrap()), source).await.unwrap();
        let baked = bakery.make(recipe, false, |_| {}).await.unwrap();
        let file = bakery.layer_folder(&baked.image.id).join("usr/bin/hello");
        texts.push((baked.previously_baked, std::fs::read_to_string(file).unwrap()));
    }
    let new = "the same version, other bytes";
    assert_eq!(texts, [(false, "one".into()), (false, new.into()), (true, new.to_owned())]);
}

#[tokio::test]
async fn a_publication_that_is_not_there_is_named() {
    let world = World::new();
    world.add(&hello("1.0", "one"));
    world.publish();
    let publications = AptPublications::new(vec![world.root.clone()]);
    let open = |wanted: Publication| publications.open(&wanted, "hello").map(|s| s.name()).map_err(|e| e.to_string());
    let place = format!("publication stretch (generation 1) of {}", world.root.path().display());
    assert_eq!(open(Publication::default()), Ok(place));
    let error = open(Publication { distribution: Some("buster".into()), ..Publication::default() }).unwrap_err();
    assert!(error.starts_with("no publication */buster of this server's apt roots holds hello"), "{error}");
    let error = open(Publication { root: Some("/elsewhere".into()), ..Publication::default() }).unwrap_err();
    assert!(error.contains("add it under [[apt.root]]"), "{error}");
}
