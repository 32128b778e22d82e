//! What Git hosts send, read as changes. Whatever else they send is no change, and no error.

use serde_json::{Value, json};

use super::Change;
use crate::Map;
use crate::trigger::delivery::Delivery;

/// Files of one push that become artifacts.
const MOST_FILES: usize = 1000;
/// Branches of one push.
const MOST_CHANGES: usize = 200;

/// The changes of a delivery.
pub fn changes(delivery: &Delivery, payload: &Map) -> Vec<Change> {
    let payload = Value::Object(payload.clone());
    let mut changes = match delivery.source().to_ascii_lowercase().as_str() {
        "github" => github(delivery, &payload),
        "gitlab" => gitlab(&payload),
        "bitbucket" | "stash" => bitbucket(delivery, &payload),
        _ => Vec::new(),
    };
    // A branch that is gone has no commit.
    changes.retain(|change| !change.hash.bytes().all(|b| b == b'0') || change.hash.is_empty());
    changes.truncate(MOST_CHANGES);
    changes
}

/// A text at a JSON pointer; empty when there is none.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn names<'a>(list: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    list.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn branch(reference: &str) -> String {
    reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned()
}

fn github(delivery: &Delivery, payload: &Value) -> Vec<Change> {
    let kind = match delivery.header("x-github-event") {
        Some(kind) => kind,
        None if payload.get("pull_request").is_some() => "pull_request",
        None if payload.get("ref_type").is_some() && payload.get("master_branch").is_some() => "create",
        None if payload.get("ref_type").is_some() && payload.get("pusher_type").is_some() => "create",
        None if payload.get("after").is_some() => "push",
        None => "",
    };
    let of = |repository: &Value| {
        let owner = names([at(repository, "/owner/login"), at(repository, "/owner/name")]);
        (owner, names([at(repository, "/name")]))
    };
    match kind {
        "push" if payload.get("deleted") != Some(&Value::Bool(true)) => {
            let (projects, slugs) = of(&payload["repository"]);
            let hash = at(payload, "/after").to_owned();
            let artifacts = github_files(payload, &hash);
            let also = names(["push:push"]);
            let branch = branch(at(payload, "/ref"));
            vec![Change { projects, slugs, branch, hash, action: "push".into(), also, artifacts }]
        }
        "create" => {
            let (projects, slugs) = of(&payload["repository"]);
            let what = at(payload, "/ref_type");
            let name = at(payload, "/ref");
            let branch = if what == "tag" { format!("refs/tags/{name}") } else { branch(name) };
            let also = names(["create", what, &format!("{what}:create"), &format!("{what}:{what}")]);
            let action = format!("create:{what}");
            vec![Change { projects, slugs, branch, action, also, ..Change::default() }]
        }
        // Of a fork: its own repository, so that nobody starts a pipeline of one that they may not push to.
        "pull_request" => {
            let head = &payload["pull_request"]["head"];
            let (projects, slugs) = of(&head["repo"]);
            let action = at(payload, "/action");
            vec![Change {
                projects,
                slugs,
                branch: at(head, "/ref").to_owned(),
                hash: at(head, "/sha").to_owned(),
                action: format!("pull_request:{action}"),
                also: names(["pull_request", action]),
                artifacts: Vec::new(),
            }]
        }
        _ => Vec::new(),
    }
}

/// The files that the commits of a push added or changed, each once.
fn github_files(payload: &Value, hash: &str) -> Vec<Value> {
    let contents = at(payload, "/repository/contents_url").trim_end_matches("{+path}");
    let mut seen = std::collections::BTreeSet::new();
    for commit in payload.get("commits").and_then(Value::as_array).into_iter().flatten() {
        for key in ["added", "modified"] {
            let files = commit.get(key).and_then(Value::as_array);
            seen.extend(files.into_iter().flatten().filter_map(Value::as_str));
        }
    }
    let artifact = |file: &str| json!({"type": "github/file", "name": file, "version": hash, "reference": format!("{contents}{file}")});
    seen.into_iter().take(MOST_FILES).map(artifact).collect()
}

fn gitlab(payload: &Value) -> Vec<Change> {
    // The group's path and name, and the project's.
    let of = |project: &Value| {
        let (group, slug) = at(project, "/path_with_namespace").rsplit_once('/').unwrap_or_default();
        (names([group, at(project, "/namespace")]), names([slug, at(project, "/name")]))
    };
    match at(payload, "/object_kind") {
        kind @ ("push" | "tag_push") => {
            let (projects, slugs) = of(&payload["project"]);
            let hash = names([at(payload, "/after"), at(payload, "/checkout_sha")]).into_iter().next();
            vec![Change {
                projects,
                slugs,
                branch: branch(at(payload, "/ref")),
                hash: hash.unwrap_or_default(),
                action: kind.to_owned(),
                also: names([&*format!("{kind}:{kind}")]),
                artifacts: Vec::new(),
            }]
        }
        kind @ "merge_request" => {
            let attributes = &payload["object_attributes"];
            let (projects, slugs) = of(&attributes["source"]);
            let action = at(attributes, "/action");
            vec![Change {
                projects,
                slugs,
                branch: at(attributes, "/source_branch").to_owned(),
                hash: at(attributes, "/last_commit/id").to_owned(),
                action: kind.to_owned(),
                also: names([&*format!("{kind}:{action}"), action]),
                artifacts: Vec::new(),
            }]
        }
        _ => Vec::new(),
    }
}

/// The cloud's payloads and the server's, told apart by their shape.
fn bitbucket(delivery: &Delivery, payload: &Value) -> Vec<Change> {
    let key = delivery.header("x-event-key").unwrap_or_else(|| at(payload, "/eventKey"));
    let named = |otherwise: &str| if key.is_empty() { otherwise.to_owned() } else { key.to_owned() };
    let also = |action: &str| names(action.split_once(':').map(|(kind, what)| [kind, what]).into_iter().flatten());
    let with = |action: String, change: Change| Change { also: also(&action), action, ..change };
    if let Some(pushed) = payload.pointer("/push/changes").and_then(Value::as_array) {
        let of = |change: &Value| cloud_push(&payload["repository"], change).map(|c| with(named("repo:push"), c));
        return pushed.iter().filter_map(of).collect();
    }
    if payload.get("pullrequest").is_some() {
        let request = &payload["pullrequest"];
        let merged = key == "pullrequest:fulfilled" || at(request, "/state") == "MERGED";
        let side = if merged { &request["destination"] } else { &request["source"] };
        let merge = at(request, "/merge_commit/hash");
        let hash = if merged && !merge.is_empty() { merge } else { at(side, "/commit/hash") };
        let (projects, slugs) = cloud_repository(&side["repository"]);
        let change = Change {
            projects,
            slugs,
            branch: at(side, "/branch/name").to_owned(),
            hash: hash.to_owned(),
            ..Change::default()
        };
        return vec![with(named("pullrequest:updated"), change)];
    }
    if payload.get("pullRequest").is_some() {
        let request = &payload["pullRequest"];
        let merged = key == "pr:merged" || at(request, "/state") == "MERGED";
        let side = if merged { &request["toRef"] } else { &request["fromRef"] };
        let merge = at(request, "/properties/mergeCommit/id");
        let hash = if merged && !merge.is_empty() { merge } else { at(side, "/latestCommit") };
        let (projects, slugs) = server_repository(&side["repository"]);
        let name = names([at(side, "/displayId"), at(side, "/id")]).into_iter().next().unwrap_or_default();
        let change = Change { projects, slugs, branch: branch(&name), hash: hash.to_owned(), ..Change::default() };
        return vec![with(named("pr:updated"), change)];
    }
    let (projects, slugs) = server_repository(&payload["repository"]);
    let pushed = payload.get("changes").or_else(|| payload.get("refChanges")).and_then(Value::as_array);
    let of = |change: &Value| {
        let reference = names([at(change, "/ref/id"), at(change, "/refId")]).into_iter().next().unwrap_or_default();
        let change = Change {
            projects: projects.clone(),
            slugs: slugs.clone(),
            branch: branch(&reference),
            hash: at(change, "/toHash").to_owned(),
            ..Change::default()
        };
        with(named("repo:refs_changed"), change)
    };
    pushed.into_iter().flatten().map(of).collect()
}

fn cloud_push(repository: &Value, change: &Value) -> Option<Change> {
    let new = change.get("new").filter(|new| new.is_object())?;
    let (projects, slugs) = cloud_repository(repository);
    let name = at(new, "/name");
    let branch = if at(new, "/type") == "tag" { format!("refs/tags/{name}") } else { name.to_owned() };
    Some(Change { projects, slugs, branch, hash: at(new, "/target/hash").to_owned(), ..Change::default() })
}

/// Workspace or owner, and the repository's name in its address.
fn cloud_repository(repository: &Value) -> (Vec<String>, Vec<String>) {
    let (owner, slug) = at(repository, "/full_name").split_once('/').unwrap_or_default();
    let key = at(repository, "/project/key");
    (names([owner, at(repository, "/owner/username"), key]), names([slug, at(repository, "/name")]))
}

fn server_repository(repository: &Value) -> (Vec<String>, Vec<String>) {
    (names([at(repository, "/project/key")]), names([at(repository, "/slug")]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The changes of a payload: projects, slugs, branch, hash, action.
    #[track_caller]
    fn check(source: &str, headers: &[(&str, &str)], payload: Value, expect: &[(&str, &str, &str, &str, &str)]) {
        let payload = payload.as_object().expect("an object");
        let delivery = Delivery::new("git", source, headers.iter().copied(), Vec::new(), payload.clone());
        let found: Vec<_> = changes(&delivery, payload)
            .into_iter()
            .map(|c| (c.projects.join("|"), c.slugs.join("|"), c.branch, c.hash, c.action))
            .collect();
        let seen: Vec<_> = found.iter().map(|(a, b, c, d, e)| (&**a, &**b, &**c, &**d, &**e)).collect();
        assert_eq!(seen, expect);
    }

    #[test]
    fn github_tells_of_pushes_new_branches_and_pull_requests() {
        let repository = json!({"name": "till", "owner": {"login": "shop", "name": "shop"}});
        let push = json!({"ref": "refs/heads/main", "after": "abc", "repository": repository});
        check("github", &[("x-github-event", "push")], push.clone(), &[("shop|shop", "till", "main", "abc", "push")]);
        check("GitHub", &[], push, &[("shop|shop", "till", "main", "abc", "push")]);
        let tag = json!({"ref": "refs/tags/v1", "after": "abc", "repository": repository});
        check("github", &[], tag, &[("shop|shop", "till", "refs/tags/v1", "abc", "push")]);
        let gone = json!({"ref": "refs/heads/main", "after": "0000000000", "deleted": true, "repository": repository});
        check("github", &[], gone, &[]);
        let new = json!({"ref": "v2", "ref_type": "tag", "pusher_type": "user", "repository": repository});
        check("github", &[], new, &[("shop|shop", "till", "refs/tags/v2", "", "create:tag")]);
        let request = json!({"action": "opened", "repository": repository, "pull_request": {"head": {
            "ref": "fix", "sha": "def", "repo": {"name": "till", "owner": {"login": "fork"}}}}});
        check("github", &[], request, &[("fork", "till", "fix", "def", "pull_request:opened")]);
        check("github", &[("x-github-event", "ping")], json!({"zen": "x", "hook_id": 1}), &[]);
        check("github", &[], json!({"ref": 7, "repository": "text", "after": []}), &[("", "", "", "", "push")]);
    }

    #[test]
    fn files_of_a_push_become_artifacts() {
        let payload = json!({"ref": "refs/heads/main", "after": "abc",
            "repository": {"contents_url": "https://api.github.com/repos/shop/till/contents/{+path}"},
            "commits": [{"added": ["b"], "modified": ["a/x.yml"], "removed": ["c"]}, {"modified": ["a/x.yml", 7]}]});
        let delivery = Delivery::new("git", "github", [], Vec::new(), Map::new());
        let found = &changes(&delivery, payload.as_object().expect("an object"))[0].artifacts;
        let base = "https://api.github.com/repos/shop/till/contents";
        let expected = json!([
            {"type": "github/file", "name": "a/x.yml", "version": "abc", "reference": format!("{base}/a/x.yml")},
            {"type": "github/file", "name": "b", "version": "abc", "reference": format!("{base}/b")},
        ]);
        assert_eq!(json!(found), expected);
    }

    #[test]
    fn gitlab_names_groups_by_path_and_by_title() {
        let project = json!({"name": "My Till", "namespace": "The Shop", "path_with_namespace": "org/shop/till"});
        let push = json!({"object_kind": "push", "ref": "refs/heads/main", "after": "abc", "project": project});
        check("gitlab", &[], push, &[("org/shop|The Shop", "till|My Till", "main", "abc", "push")]);
        let gone = json!({"object_kind": "push", "ref": "refs/heads/main", "after": "000000", "project": project});
        check("gitlab", &[], gone, &[]);
        let request = json!({"object_kind": "merge_request", "object_attributes": {"action": "open",
            "source_branch": "fix", "last_commit": {"id": "def"}, "source": project}});
        check("gitlab", &[], request, &[("org/shop|The Shop", "till|My Till", "fix", "def", "merge_request")]);
        check("gitlab", &[], json!({"object_kind": "note"}), &[]);
    }

    #[test]
    fn bitbucket_has_two_shapes() {
        let repository =
            json!({"full_name": "team/till", "name": "Till", "owner": {"username": "team"}, "project": {"key": "SH"}});
        let side = |branch: &str, hash: &str| json!({"branch": {"name": branch}, "commit": {"hash": hash}, "repository": repository});
        let push = json!({"repository": repository, "push": {"changes": [
            {"new": null, "old": {"name": "gone"}},
            {"new": {"name": "main", "type": "branch", "target": {"hash": "abc"}}},
            {"new": {"name": "v1", "type": "tag", "target": {"hash": "abd"}}}]}});
        let named = ("team|team|SH", "till|Till");
        check(
            "bitbucket",
            &[("x-event-key", "repo:push")],
            push,
            &[(named.0, named.1, "main", "abc", "repo:push"), (named.0, named.1, "refs/tags/v1", "abd", "repo:push")],
        );
        let request = json!({"pullrequest": {"source": side("fix", "a"), "destination": side("main", "b"), "merge_commit": {"hash": "c"}}});
        check(
            "bitbucket",
            &[("x-event-key", "pullrequest:created")],
            request.clone(),
            &[(named.0, named.1, "fix", "a", "pullrequest:created")],
        );
        check(
            "bitbucket",
            &[("x-event-key", "pullrequest:fulfilled")],
            request,
            &[(named.0, named.1, "main", "c", "pullrequest:fulfilled")],
        );
        let repository = json!({"slug": "till", "project": {"key": "SH"}});
        let push = json!({"eventKey": "repo:refs_changed", "repository": repository, "changes": [
            {"ref": {"id": "refs/heads/main"}, "toHash": "abc"}, {"ref": {"id": "refs/heads/old"}, "toHash": "0000"}]});
        check("stash", &[], push, &[("SH", "till", "main", "abc", "repo:refs_changed")]);
        let old = json!({"repository": repository, "refChanges": [{"refId": "refs/heads/main", "toHash": "abc"}]});
        check("stash", &[], old, &[("SH", "till", "main", "abc", "repo:refs_changed")]);
        let merged = json!({"eventKey": "pr:merged", "pullRequest": {"properties": {"mergeCommit": {"id": "m"}},
            "fromRef": {"displayId": "fix", "latestCommit": "a", "repository": repository},
            "toRef": {"displayId": "main", "latestCommit": "b", "repository": repository}}});
        check("bitbucket", &[], merged, &[("SH", "till", "main", "m", "pr:merged")]);
    }

    #[allow(clippy::disallowed_methods, reason = "where the recordings lie is told to tests by the environment")]
    fn recordings() -> std::path::PathBuf {
        let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance").into();
        let folder: std::path::PathBuf = std::env::var_os("GENNAKER_CONFORMANCE").map_or_else(beside, Into::into);
        folder.join("pipelines/webhooks")
    }

    #[test]
    fn the_payloads_that_hosts_really_send_are_read() {
        let Ok(files) = std::fs::read_dir(recordings()) else {
            eprintln!("not run: no recorded payloads beside the checkout (GENNAKER_CONFORMANCE names their folder)");
            return;
        };
        let mut seen: Vec<String> = Vec::new();
        for file in files.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let payload: Value = serde_json::from_slice(&std::fs::read(file.path()).expect("read")).expect("JSON");
            let payload = payload.as_object().expect("an object");
            let source = if name.contains("github") { "github" } else { "bitbucket" };
            let delivery = Delivery::new("git", source, [], Vec::new(), payload.clone());
            let short = name.trim_start_matches("spinnaker__spinnaker__").trim_end_matches(".json");
            for c in changes(&delivery, payload) {
                let hash: String = c.hash.chars().take(7).collect();
                seen.push(format!("{short}: {}/{} {} {hash} {}", c.projects[0], c.slugs[0], c.branch, c.action));
            }
        }
        seen.sort();
        assert_eq!(
            seen,
            [
                "bitbucket-server-bitbucket_server_pr_declined_payload: RT/repo-test my-feature-branch a87ec31 pr:declined",
                "bitbucket-server-bitbucket_server_pr_opened_payload: RT/repo-test feature-branch 1eb0b0f pr:opened",
                "resources-bitbucket_payload: bitbucketfan/test_webhooks master hash repo:push",
                "resources-github_branch_payload: jervi/expert-waffle add-waffle-recipe  create:branch",
                "resources-github_push_payload: jervi/expert-waffle main da68b0f push",
            ]
        );
    }
}
