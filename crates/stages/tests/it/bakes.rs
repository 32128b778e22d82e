//! From a published repository to an image: exact bytes, one publication among several, what is missing.

use std::sync::Arc;
use std::time::Duration;

use bakery::{Bakery, Host, Request, WantedPackage};
use cloud::simulated::Simulated;
use cloud::{Clouds, Query};
use jiff::SignedDuration;
use pipeline::StartRequest;
use pipeline::engine::FetchNothing;
use pipeline::model::{Kind, Status};
use serde_json::json;
use stages::bake::{Publication, Publications};
use stages::published::AptPublications;
use testkit::package::{TestPackage, package};

use crate::cloud_play;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_given_for_an_image_is_baked_on_the_way() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let bakery = bakery(&world, folder.path());
    for (version, text) in [("1.0", "one"), ("2.0", "two")] {
        world.add(&hello(version, text));
    }
    world.publish();
    let cloud = cloud_play::world(world.clock.clone());
    let clouds = Clouds::new(vec![Arc::new(Simulated::open("cloudy", cloud))]).unwrap();
    let publications = Arc::new(AptPublications::new(vec![world.root.clone()]));
    let registry = stages::bake::register(stages::types(), bakery.clone(), publications);
    let registry = stages::infrastructure::register(
        registry,
        &clouds,
        &world.store,
        stages::infrastructure::TrafficGuards::default(),
    );
    world.engine.start(registry, Arc::new(FetchNothing)).await.unwrap();
    for (more, version) in [
        (json!({"package": "hello=1.0"}), "1.0"),
        (json!({"image": "hello=2.0", "strategy": "redblack"}), "2.0"),
        (json!({"package": "hello", "strategy": "redblack"}), "2.0"),
    ] {
        let mut cluster = json!({"account": "cloudy", "region": "here", "capacity": {"desired": 1}});
        cluster.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config =
            json!({"application": "shop", "stages": [{"type": "deploy", "name": "Deploy", "clusters": [cluster]}]});
        let config = config.as_object().unwrap().clone();
        let request = StartRequest { config, kind: Kind::Orchestration, ..StartRequest::default() };
        let id = world.engine.begin(request).await.unwrap();
        for _ in 0..2000 {
            if world.runs().await.iter().any(|run| run.id == id && run.status.is_complete()) {
                break;
            }
            world.clock.advance(SignedDuration::from_secs(1));
            world.engine.wake("the clock was moved");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let run = world.runs().await.into_iter().find(|run| run.id == id).unwrap();
        assert_eq!(run.status, Status::Succeeded, "{more}: {}", serde_json::to_string_pretty(&run).unwrap());
        let groups = clouds.list(&Query::of("shop")).await.unwrap().server_groups;
        let newest = groups.iter().max_by_key(|group| group.created).unwrap();
        let image = bakery.image(&newest.image).await.unwrap();
        assert_eq!(image.app_version(), format!("hello-{version}"), "{more}");
    }
}
