//! The page with the real server behind it and a real browser in front: a newcomer's walk. And that the page's client is the server's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::package::package;
use testkit::probe;

use crate::redblack_story::image;
use crate::server::{Server, ask, free_port, gennaker, run};

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web")
}

/// What the walk needs and this machine lacks.
fn missing() -> Option<&'static str> {
    if !Path::new("/usr/bin/chromium").exists() {
        return Some("there is no /usr/bin/chromium (Debian's package chromium)");
    }
    if !web().join("node_modules/playwright-core").exists() {
        return Some("web/node_modules is not installed (npm ci in web/)");
    }
    (!web().join("dist/index.html").exists()).then_some("the page is not built (npm run build in web/)")
}

fn post(server: &Server, path: &str, body: &Value) {
    let (status, answer) = ask(&server.address(), "POST", path, &body.to_string());
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
}

fn job(server: &Server, job: Value) {
    let name = job["type"].as_str().unwrap_or_default().to_owned();
    post(server, "/tasks", &json!({"application": "hello", "description": name, "job": [job]}));
}

fn cluster(server: &Server, folder: &str, more: Value) -> Value {
    let mut cluster = json!({
        "account": "local", "application": "hello", "region": "local", "image": server.folder.path().join(folder),
        "capacity": {"min": 4, "max": 4, "desired": 4}, "loadBalancers": ["hello"],
    });
    cluster.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    cluster
}

/// The images that walks deploy: two versions that are well, and one that is not.
fn images(server: &Server) {
    image(&server.folder.path().join("hello-1.0"), "HTTP/1.1 200 OK", "This is Default");
    image(&server.folder.path().join("hello-2.0"), "HTTP/1.1 200 OK", "This is v2");
    image(&server.folder.path().join("hello-3.0"), "HTTP/1.1 500 Internal Server Error", "no");
}

/// An application with a load balancer, a version that is well, one that is not, and a pipeline that brings the next and asks.
fn a_small_world() -> Server {
    let server = Server::start("");
    images(&server);
    job(&server, json!({"type": "createApplication", "application": {"name": "hello", "email": "terry@example.com"}}));
    job(
        &server,
        json!({"type": "upsertLoadBalancer", "credentials": "local", "region": "local", "loadBalancerName": "hello",
               "portRange": "0", "healthCheck": {"healthCheckType": "HTTP", "requestPath": "/", "checkIntervalSec": 0.2,
               "timeoutSec": 1, "healthyThreshold": 1, "unhealthyThreshold": 2}}),
    );
    job(&server, json!({"type": "deploy", "clusters": [cluster(&server, "hello-1.0", json!({}))]}));
    let sick = json!({"stack": "sick", "enableTraffic": false, "capacity": {"min": 2, "max": 2, "desired": 2}});
    job(&server, json!({"type": "deploy", "clusters": [cluster(&server, "hello-3.0", sick)]}));
    let next = cluster(&server, "hello-2.0", json!({"strategy": "redblack"}));
    post(
        &server,
        "/pipelines",
        &json!({"application": "hello", "name": "To the next version", "limitConcurrent": true, "stages": [
            {"refId": "1", "requisiteStageRefIds": [], "type": "wait", "name": "Take a breath", "waitTime": 1},
            {"refId": "2", "requisiteStageRefIds": ["1"], "type": "deploy", "name": "Deploy", "clusters": [next]},
            {"refId": "3", "requisiteStageRefIds": ["2"], "type": "manualJudgment", "name": "Keep it?",
             "instructions": "The new version has the traffic. Shall it stay?"},
            {"refId": "4", "requisiteStageRefIds": ["3"], "type": "wait", "name": "Look back", "waitTime": 1}]}),
    );
    server
}

/// Runs a walk, which ends with a line of its own.
fn walked(mut walk: Command, server: &Server, end: &str) {
    // Pictures are taken where somebody asks for them: `PICTURES=$PWD/docs/screenshots cargo test … page_story`.
    #[allow(clippy::disallowed_methods, reason = "a person's wish to a test")]
    if let Some(pictures) = std::env::var_os("PICTURES") {
        walk.arg("--pictures").arg(pictures);
    }
    let (code, told, complaints) = run(walk.current_dir(web()));
    assert_eq!(code, 0, "{told}{complaints}\n{}", server.complaints());
    assert!(told.ends_with(&format!("{end}\n")), "{told}");
}

#[test]
fn a_newcomer_walks_the_page_starts_a_pipeline_and_answers_its_judgment() {
    if let Some(reason) = missing() {
        return probe::not_run(reason);
    }
    let server = a_small_world();
    // Somebody added a package by the command line, and took it away again.
    let home = server.folder.path();
    package("helloterry", "1.7").write_to(home);
    for line in [
        "repo create terry-repo",
        "repo add terry-repo helloterry_1.7_all.deb",
        "publish repo -skip-signing -distribution=stable -architectures=amd64 terry-repo",
        "repo remove terry-repo helloterry",
    ] {
        let (code, _, why) = run(gennaker(home).arg("apt").args(line.split(' ')).current_dir(home));
        assert_eq!(code, 0, "{line}: {why}");
    }
    let mut walk = Command::new("node");
    walk.arg("e2e/walk.mjs").arg(format!("http://{}", server.address())).args([
        "--application",
        "hello",
        "--undo",
        "helloterry_1.7_all",
    ]);
    walk.arg("--upload").arg(package("helloterry", "1.8").write_to(home));
    walked(walk, &server, "the walk is done");
}

#[test]
fn repositories_are_filled_published_compared_and_rolled_back_on_the_page() {
    if let Some(reason) = missing() {
        return probe::not_run(reason);
    }
    let server = Server::start("");
    let home = server.folder.path();
    let mut walk = Command::new("node");
    walk.arg("e2e/repositories.mjs").arg(format!("http://{}", server.address()));
    walk.arg(package("helloterry", "1.7").write_to(home)).arg(package("helloterry", "2.0").write_to(home));
    walked(walk, &server, "the repositories walk is done");
}

/// A walk over a fresh server, which is told where images lie if it deploys any.
fn walk_alone(name: &str, deploys: bool) {
    if let Some(reason) = missing() {
        return probe::not_run(reason);
    }
    // Notifications go to a receiver of the walk's own.
    let server = Server::start("[outgoing]\nallow = [\"127.0.0.0/8\"]\n");
    images(&server);
    let mut walk = Command::new("node");
    walk.arg(format!("e2e/{name}.mjs")).arg(format!("http://{}", server.address()));
    if deploys {
        walk.arg("--images").arg(server.folder.path());
    }
    walked(walk, &server, &format!("the {name} walk is done"));
}

#[test]
fn a_package_that_is_dropped_on_the_empty_page_becomes_a_service() {
    if let Some(reason) = missing() {
        return probe::not_run(reason);
    }
    let server = Server::start("");
    let mut walk = Command::new("node");
    walk.arg("e2e/up.mjs").arg(format!("http://{}", server.address())).args(["--port", &free_port().to_string()]);
    walked(walk, &server, "the up walk is done");
}

#[test]
fn an_application_is_made_served_and_changed_by_wizards_alone() {
    walk_alone("wizards", true);
}

#[test]
fn a_pipeline_is_drawn_saved_run_edited_as_json_and_brought_back() {
    walk_alone("editor", false);
}

#[test]
fn people_act_on_server_groups_and_runs_and_read_the_report_of_a_deployment() {
    walk_alone("runs", true);
}

#[test]
fn everything_is_found_and_applications_projects_and_activity_have_their_screens() {
    walk_alone("frame", true);
}

#[test]
fn names_logs_and_data_of_strangers_are_inert_in_the_browser() {
    if let Some(reason) = missing() {
        return probe::not_run(reason);
    }
    let (code, told, complaints) = run(Command::new("node").arg("e2e/hostile.mjs").current_dir(web()));
    assert_eq!(code, 0, "{told}{complaints}");
}

#[test]
fn the_pages_client_is_made_from_the_servers_own_document() {
    let home = tempfile::tempdir().expect("a folder");
    let (code, document, _) = run(gennaker(home.path()).arg("openapi"));
    assert_eq!(code, 0);
    let kept = std::fs::read_to_string(web().join("openapi.json")).expect("web/openapi.json");
    assert!(document == kept, "web/openapi.json is out of date: run `make openapi`");
    if !web().join("node_modules/openapi-typescript").exists() {
        return probe::not_run("web/node_modules is not installed (npm ci in web/)");
    }
    let made = home.path().join("schema.d.ts");
    let mut generate = Command::new("node_modules/.bin/openapi-typescript");
    generate.args(["openapi.json", "--empty-objects-unknown", "-o"]).arg(&made);
    let (code, _, complaints) = run(generate.current_dir(web()));
    assert_eq!(code, 0, "{complaints}");
    let made = std::fs::read_to_string(made).expect("written");
    let kept = std::fs::read_to_string(web().join("src/api/schema.d.ts")).expect("web/src/api/schema.d.ts");
    assert!(made == kept, "web/src/api/schema.d.ts is out of date: run `make openapi`");
}
