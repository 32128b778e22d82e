//! `git`: something happened in a repository. The event: `{source, changes: [{project, slug, branch, hash, action, …}]}`; how each Git host's
//! payload becomes changes is in [`mod@payload`]. The first change that fits starts the pipeline.

mod payload;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use payload::changes;

use super::{Matches, pattern, text};
use crate::Map;

/// One thing that happened: a branch moved, a pull request was opened.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Change {
    /// Whose repository it is: organisation, group or project key. Hosts that have several names for it give them all.
    pub projects: Vec<String>,
    /// The repository; several names as above.
    pub slugs: Vec<String>,
    /// The branch, without `refs/heads/`; a tag as `refs/tags/NAME`.
    pub branch: String,
    /// The commit.
    pub hash: String,
    /// What happened, as an execution shows it: `push`, `pull_request:opened`, `pr:merged`.
    pub action: String,
    /// Other names of the same that `events` of a trigger may use.
    pub also: Vec<String>,
    /// What the commits changed, as artifacts.
    pub artifacts: Vec<Value>,
}

/// The kind.
pub struct Git;

impl Matches for Git {
    fn kind(&self) -> &'static str {
        "git"
    }
    fn fires(&self, config: &Map, event: &Value) -> Option<Map> {
        let source = event.get("source").and_then(Value::as_str)?;
        if !text(config, "source")?.eq_ignore_ascii_case(source) {
            return None;
        }
        let changes: Vec<Change> = serde_json::from_value(event.get("changes").cloned()?).ok()?;
        let change = changes.into_iter().find(|change| fits(config, change))?;
        let mut trigger = config.clone();
        trigger.insert("hash".into(), json!(change.hash));
        trigger.insert("branch".into(), json!(change.branch));
        trigger.insert("action".into(), json!(change.action));
        trigger.insert("artifacts".into(), json!(change.artifacts));
        Some(trigger)
    }
}

fn fits(config: &Map, change: &Change) -> bool {
    let named = |key: &str, names: &[String]| {
        text(config, key).is_some_and(|want| names.iter().any(|name| name.eq_ignore_ascii_case(want)))
    };
    let branch = text(config, "branch").is_none_or(|want| pattern::whole(want, &change.branch));
    named("project", &change.projects) && named("slug", &change.slugs) && branch && is_asked_for(config, change)
}

/// Whether the change is one of the trigger's `events`; without any, each is.
fn is_asked_for(config: &Map, change: &Change) -> bool {
    let events = config.get("events").and_then(Value::as_array);
    let mut asked = events.into_iter().flatten().filter_map(Value::as_str).filter(|e| !e.is_empty()).peekable();
    let is = |event: &str| {
        let mut names = std::iter::once(&change.action).chain(&change.also);
        names.any(|name| name.eq_ignore_ascii_case(event))
    };
    asked.peek().is_none() || asked.any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Change {
        Change {
            projects: vec!["Shop".into()],
            slugs: vec!["Till".into()],
            branch: "release/7".into(),
            hash: "abc".into(),
            action: "pull_request:opened".into(),
            also: vec!["pull_request".into(), "opened".into()],
            artifacts: vec![json!({"type": "github/file", "name": "a"})],
        }
    }

    #[test]
    fn repository_branch_and_event_decide() {
        let check = |more: Value, expect: bool| {
            let mut config = json!({"type": "git", "source": "github", "project": "shop", "slug": "till"});
            config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            let event = json!({"source": "GitHub", "changes": [change()]});
            assert_eq!(Git.fires(config.as_object().expect("an object"), &event).is_some(), expect, "{more}");
        };
        check(json!({}), true);
        check(json!({"source": "gitlab"}), false);
        check(json!({"project": "SHOP", "slug": "TILL"}), true);
        check(json!({"project": "other"}), false);
        check(json!({"project": ""}), false);
        check(json!({"slug": "til"}), false);
        check(json!({"branch": ""}), true);
        check(json!({"branch": "release/7"}), true);
        check(json!({"branch": "release/.*"}), true);
        check(json!({"branch": "release"}), false);
        check(json!({"branch": "main|release/.+"}), true);
        check(json!({"branch": "("}), false);
        check(json!({"events": []}), true);
        check(json!({"events": ["push"]}), false);
        check(json!({"events": ["push", "pull_request:opened"]}), true);
        check(json!({"events": ["Pull_Request"]}), true);
        check(json!({"events": ["opened"]}), true);
    }

    #[test]
    fn the_trigger_gains_what_happened_and_the_first_fitting_change_counts() {
        let config = json!({"type": "git", "source": "github", "project": "shop", "slug": "till", "branch": "release/.*", "link": "kept"});
        let other = Change { branch: "main".into(), ..change() };
        let event =
            json!({"source": "github", "changes": [other, change(), Change { hash: "later".into(), ..change() }]});
        let fired = Git.fires(config.as_object().expect("an object"), &event).expect("it fires");
        let expected = json!({"type": "git", "source": "github", "project": "shop", "slug": "till", "branch": "release/7",
            "link": "kept", "hash": "abc", "action": "pull_request:opened",
            "artifacts": [{"type": "github/file", "name": "a"}]});
        assert_eq!(Value::Object(fired), expected);
    }
}
