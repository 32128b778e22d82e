//! From an instance back to who brought its package, and from the package to what runs it.

use crate::redblack_story::{post, read, service, succeeds};
use crate::server::{Server, ask, gennaker, run};
use serde_json::{Value, json};

#[test]
fn an_instance_leads_to_who_brought_its_package_and_the_package_to_what_runs() {
    let server = Server::start("");
    let home = server.folder.path();
    service("1.7", "This is Default").field("Git-Commit", "1f0e7c2").write_to(home);
    for line in [
        "repo create shop",
        "repo add shop helloterry_1.7_all.deb",
        "publish repo -skip-signing -distribution=stable -architectures=amd64 shop",
    ] {
        let (code, _, why) = run(gennaker(home).arg("apt").args(line.split(' ')).current_dir(home));
        assert_eq!(code, 0, "{line}: {why}");
    }
    succeeds(
        &server,
        &post(
            &server,
            json!({"type": "createApplication", "application": {"name": "hello", "email": "terry@example.com"}}),
        ),
    );
    let cluster = json!({"account": "local", "application": "hello", "region": "local", "package": "helloterry",
                         "capacity": {"min": 1, "max": 1, "desired": 1}});
    succeeds(&server, &post(&server, json!({"type": "deploy", "clusters": [cluster]})));

    let forward = read(&server, "/ui-api/provenance?package=helloterry_1.7_all");
    let chain = &forward["chains"][0];
    let inside = &chain["packages"][0];
    assert_eq!((&inside["version"], &inside["build"]["Git-Commit"]), (&json!("1.7"), &json!("1f0e7c2")), "{forward:#}");
    assert_eq!(inside["published"], json!(["stable"]), "{forward:#}");
    assert_eq!(inside["uploads"][0]["into"], "shop", "{forward:#}");
    let command = inside["uploads"][0]["command"].as_str().expect("a command");
    assert!(command.contains("repo add shop helloterry_1.7_all.deb"), "{command}");
    assert_eq!(chain["bakedBy"]["application"], "hello", "{forward:#}");
    assert_eq!(chain["serverGroups"][0]["name"], "hello-v000", "{forward:#}");

    // A pipeline that listens to the publication may be started with what it shows.
    let listens = json!({"application": "hello", "name": "On its own", "stages": [],
        "triggers": [{"type": "apt", "enabled": true, "distribution": "stable", "package": "helloterry", "version": ">= 1.7"}]});
    assert_eq!(ask(&server.address(), "POST", "/pipelines", &listens.to_string()).0, 200);
    let listed = read(&server, "/applications/hello/pipelineConfigs");
    let id = listed[0]["id"].as_str().expect("an id");
    let offered = read(&server, &format!("/ui-api/pipelines/{id}/versions"));
    let version = &offered["versions"][0];
    assert_eq!(offered["versions"].as_array().map(Vec::len), Some(1), "{offered:#}");
    assert_eq!((&version["version"], &version["publication"]), (&json!("1.7"), &json!("stable")), "{offered:#}");
    assert_eq!(
        (&version["uploadedBy"], &version["heldBack"]),
        (&inside["uploads"][0]["who"], &Value::Null),
        "{offered:#}"
    );
    assert_eq!(version["trigger"]["sha256"], inside["sha256"], "{offered:#}");
    assert_eq!(version["trigger"]["artifacts"][0]["reference"], "pool/main/h/helloterry/helloterry_1.7_all.deb");

    // Backwards, from the instance: the same chain.
    let instance = chain["serverGroups"][0]["instances"][0].as_str().expect("an instance");
    for about in [format!("instance={instance}"), "serverGroup=hello-v000".into(), "package=helloterry".into()] {
        assert_eq!(read(&server, &format!("/ui-api/provenance?{about}")), forward, "{about}");
    }
    assert_eq!(
        read(&server, "/ui-api/provenance?image=sha256:0"),
        json!({"chains": Vec::<Value>::new(), "cut": false})
    );
}
