//! Publishing starts pipelines: once a pipeline, with the highest matching version, by content.

use jiff::SignedDuration;
use pipeline::held::{self, HeldBack};
use pipeline::model::Status;
use serde_json::json;
use testkit::package::package;

use crate::world::World;

fn shown(run: &pipeline::Execution) -> (String, String) {
    let text = |key: &str| run.trigger.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    (run.name.clone().unwrap_or_default(), text("versionShown"))
}

#[tokio::test]
async fn a_publication_starts_each_pipeline_once_with_the_highest_version() {
    let world = World::new();
    world.pipeline("all", json!({})).await;
    world.pipeline("old only", json!({"version": "<< 2"})).await;
    world.pipeline("elsewhere", json!({"distribution": "buster"})).await;
    for version in ["1.2", "1.10", "2.0"] {
        world.add(&package("hello", version));
    }
    world.publish();
    world.tail().await;
    world.tail().await;
    let runs = world.runs().await;
    let mut started: Vec<_> = runs.iter().map(shown).collect();
    started.sort();
    assert_eq!(started, [("all".into(), "2.0".into()), ("old only".into(), "1.10".into())]);
    let trigger = &runs.iter().find(|r| r.name.as_deref() == Some("all")).unwrap().trigger;
    assert_eq!(trigger.get("type").unwrap(), "apt");
    assert_eq!(trigger.get("generation").unwrap(), 1);
    assert_eq!(trigger.get("component").unwrap(), "main");
    assert_eq!(trigger.get("sha256").unwrap().as_str().unwrap().len(), 64);
    assert_eq!(trigger.get("artifacts").unwrap()[0]["name"], "hello");
}

#[tokio::test]
async fn the_same_version_with_other_bytes_is_new() {
    let world = World::new();
    world.pipeline("all", json!({})).await;
    world.add(&package("hello", "1.0"));
    world.publish();
    world.tail().await;
    world.update();
    world.tail().await;
    assert_eq!(world.runs().await.len(), 1, "nothing new, nothing started");
    world.add(&package("hello", "1.0").file("usr/share/hello/other", 0o644, "bytes"));
    world.update();
    world.tail().await;
    let shown: Vec<_> = world.runs().await.iter().map(shown).collect();
    assert_eq!(shown, [("all".into(), "1.0".into()), ("all".into(), "1.0 (replaced)".to_owned())]);
}

#[tokio::test]
async fn an_update_of_a_mirror_starts_pipelines_that_name_it_and_no_others() {
    let world = World::new();
    world.add(&package("openssl", "3.0.1"));
    world.publish();
    world.mirror("security");
    world.tail().await;
    world.pipeline("rebake", json!({"mirror": "security", "package": "openssl"})).await;
    world.pipeline("another mirror", json!({"mirror": "other", "package": "openssl"})).await;
    world.pipeline("of a publication", json!({"package": "openssl"})).await;
    world.update_mirror("security");
    world.tail().await;
    let runs = world.runs().await;
    assert_eq!(runs.iter().map(shown).collect::<Vec<_>>(), [("rebake".into(), "3.0.1".into())]);
    let trigger = &runs[0].trigger;
    assert_eq!(
        (trigger.get("mirror").unwrap(), trigger.get("package").unwrap(), trigger.get("distribution").unwrap()),
        (&json!("security"), &json!("openssl"), &json!("stretch"))
    );
    world.update_mirror("security");
    world.tail().await;
    assert_eq!(world.runs().await.len(), 1, "nothing new, nothing started");
}

#[tokio::test]
async fn what_a_cluster_was_rolled_back_from_starts_no_pipeline_that_deploys_there() {
    let world = World::new();
    for (name, stack) in [("production", "main"), ("test", "test")] {
        let cluster = json!({"application": "shop", "stack": stack});
        world.pipeline_with(name, json!({}), json!([{"type": "deploy", "clusters": [cluster]}])).await;
    }
    let held = HeldBack {
        application: "shop".into(),
        account: "local".into(),
        cluster: "shop-main".into(),
        release: "hello-2.0".into(),
        image: "image-1".into(),
        who: "ann".into(),
        reason: "orders fail".into(),
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    world.store.write(move |tx| held::hold(tx, &held)).await.unwrap();
    world.add(&package("hello", "2.0"));
    world.publish();
    world.tail().await;
    world.tail().await;
    let mut runs = world.runs().await;
    runs.sort_by_key(|run| run.name.clone());
    assert_eq!(runs.len(), 2, "what is skipped is seen, once");
    assert_eq!((runs[0].status, runs[1].status), (Status::Canceled, Status::NotStarted));
    assert_eq!(
        runs[0].cancellation_reason.as_deref(),
        Some(
            "hello-2.0 is held back from cluster shop-main in account local: ann rolled it back (orders fail); deploy a newer version, or lift it with \
             `gennaker release shop 2.0 --account local`"
        )
    );
    world.add(&package("hello", "2.1"));
    world.update();
    world.tail().await;
    assert_eq!(world.runs().await.iter().filter(|run| run.status == Status::NotStarted).count(), 3);
}

#[tokio::test]
async fn what_happened_while_no_server_ran_fires_if_it_is_young() {
    let world = World::new();
    world.pipeline("all", json!({})).await;
    world.add(&package("hello", "1.0"));
    world.publish();
    world.clock.advance(SignedDuration::from_mins(14));
    world.add(&package("hello", "2.0"));
    world.update();
    world.clock.advance(SignedDuration::from_mins(2));
    world.tail().await;
    let shown: Vec<_> = world.runs().await.iter().map(shown).collect();
    assert_eq!(shown, [("all".to_owned(), "2.0".to_owned())], "the first one is 16 minutes old");
    let missed = world.store.read(|tx| tx.query("select pipeline from apt_missed", &[])).await.unwrap();
    assert_eq!(missed.len(), 1, "and is recorded as missed");
}

#[tokio::test]
async fn a_cursor_that_was_lost_starts_nothing_twice() {
    let world = World::new();
    world.pipeline("all", json!({})).await;
    world.add(&package("hello", "1.0"));
    world.publish();
    world.tail().await;
    world.store.write(|tx| tx.execute("delete from apt_cursor", &[])).await.unwrap();
    world.tail().await;
    assert_eq!(world.runs().await.len(), 1);
}
