//! Expressions: whether they can be parsed, and whether what they name is there.

use expr::{Mention, Template};
use serde_json::Value;

use super::about::About;
use super::finding::{At, Findings, Severity, shortened};
use super::words::nearest;

/// The functions that pipelines have besides the language's own.
const FUNCTIONS: [&str; 22] = [
    "stage",
    "stageByRefId",
    "stageExists",
    "judgment",
    "judgement",
    "currentStage",
    "currentUser",
    "deployedServerGroups",
    "manifestLabelValue",
    "triggerResolvedArtifact",
    "triggerResolvedArtifactByType",
    "resolvedArtifacts",
    "pipelineId",
    "pipelineIdOrNull",
    "pipelineIdInApplication",
    "canaryConfigNameToId",
    "applicationMetadata",
    "fromUrl",
    "jsonFromUrl",
    "yamlFromUrl",
    "propertiesFromUrl",
    "cfServiceKey",
];

/// Names of stages that other stages plan begin so.
const PLANNED: [&str; 14] = [
    "Deploy in ",
    "Bake in ",
    "Check precondition",
    "Rollback ",
    "Run Canary",
    "Warmup Wait",
    "Interval Wait",
    "Wait ",
    "Grow to ",
    "Disable ",
    "Enable ",
    "Pin ",
    "Unpin ",
    "Resize ",
];

/// How many elements of a list are looked at.
const MOST: usize = crate::start::MOST_STAGES;
/// Deeper than this a value is not looked through.
const DEEPEST: usize = 100;

/// Checks every text of a value, names of members included.
pub(super) fn all(about: &About, value: &Value, at: &At, findings: &mut Findings) {
    within(about, value, at, findings, 0);
}

fn within(about: &About, value: &Value, at: &At, findings: &mut Findings, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::String(text) => one(about, text, at, findings),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate().take(MOST) {
                within(about, item, &at.item(i), findings, depth + 1);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                one(about, name, &at.key(name), findings);
                // What a person is told is no expression's place, and another pipeline's texts are for its own runs.
                let foreign = item.get("stages").is_some() && depth > 0;
                let kept = name == "manifests" && members.get("skipExpressionEvaluation") == Some(&Value::Bool(true));
                if !foreign && !kept && name != "comments" {
                    within(about, item, &at.key(name), findings, depth + 1);
                }
            }
        }
        _ => {}
    }
}

fn one(about: &About, text: &str, at: &At, findings: &mut Findings) {
    if !Template::is_in(text) {
        return;
    }
    match Template::parse(text) {
        Ok(template) => names(about, &template, at, findings),
        // What a template makes of it is not known here.
        Err(_) if text.contains("{{") => {}
        Err(failure) => unparsed(text, &failure, at, findings),
    }
}

/// A text that is an expression as a whole.
pub(super) fn bare(about: &About, text: &str, at: &At, findings: &mut Findings) {
    if text.trim().is_empty() || text.contains("{{") {
        return;
    }
    if Template::is_in(text) {
        // It is evaluated twice then, which does no harm.
        return one(about, text, at, findings);
    }
    match Template::parse(&format!("${{{text}}}")) {
        Ok(template) => names(about, &template, at, findings),
        Err(mut failure) => {
            failure.column = failure.column.saturating_sub(2);
            unparsed(text, &failure, at, findings);
        }
    }
}

fn unparsed(text: &str, failure: &expr::Failure, at: &At, findings: &mut Findings) {
    let message = format!("the expression cannot be read: column {}: {}", failure.column + 1, failure.message);
    let mut shown = String::new();
    if text.chars().count() <= 200 {
        let pointed = failure.pointing_into(text);
        // The line and the caret below it; the message is told already.
        shown = pointed.strip_suffix(&format!(" {}", failure.message)).unwrap_or(&pointed).to_owned();
    }
    if is_shell(text) {
        let help = "it looks like a shell's variable: it stays as it is, and is noted as failed each time";
        return findings.warning(at, message, help);
    }
    findings.error(at, message, shown);
}

/// `${NAME:-default}` and the like, which only a shell knows.
fn is_shell(text: &str) -> bool {
    text.split("${").skip(1).any(|inside| {
        let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inside.len());
        let rest = &inside[end..];
        let operator = [":-", ":=", ":+", "##", "%%", "//", "^^", ",,", "#", "%", "@", "["];
        (end > 0 && operator.iter().any(|o| rest.starts_with(o)) && !rest.starts_with("['") && !rest.starts_with("[\""))
            || inside.starts_with('!') && inside[1..].starts_with(|c: char| c.is_ascii_uppercase())
            || inside.starts_with('#') && inside[1..].starts_with(|c: char| c.is_ascii_uppercase())
    })
}

fn names(about: &About, template: &Template, at: &At, findings: &mut Findings) {
    for mention in template.mentions() {
        if let Some(class) = mention.class.as_deref().filter(|class| expr::Type::named(class).is_none()) {
            let message =
                format!("column {}: expressions may not use the type {}", mention.column + 1, shortened(class, 60));
            findings.error(at, message, "only the few types that expressions need are there");
        }
        match &mention.call {
            Some((function, args)) => call(about, &mention, function, args, at, findings),
            None => name(about, &mention, at, findings),
        }
    }
}

fn call(about: &About, mention: &Mention, function: &str, args: &[Option<String>], at: &At, findings: &mut Findings) {
    let known = || FUNCTIONS.into_iter().chain(expr::functions());
    let column = mention.column + 1;
    if !known().any(|name| name == function) {
        let help = match nearest(function, known()) {
            Some(meant) => format!("did you mean #{meant}?"),
            None => "GET /capabilities/expressions lists the functions".to_owned(),
        };
        let shown = shortened(function, 40);
        return findings.error(at, format!("column {column}: there is no function #{shown}"), help);
    }
    let first = args.first().and_then(Option::as_deref);
    let (Some(wanted), "stage" | "judgment" | "judgement" | "manifestLabelValue") = (first, function) else { return };
    match about.stage_named(wanted) {
        Some(kind) if function.starts_with("judg") && kind != "manualJudgment" && !about.partial => {
            let message = format!("column {column}: the stage '{}' is no manual judgment", shortened(wanted, 60));
            findings.warning(at, message, "");
        }
        Some(_) => {}
        None if about.plans_inside(wanted) => {}
        None if wanted.len() == 26 && wanted.bytes().all(|b| b.is_ascii_alphanumeric()) => {}
        None => {
            let help = match nearest(wanted, about.stage_names()) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => "stages are named as in their `name`".to_owned(),
            };
            let planned = PLANNED.iter().any(|begin| wanted.starts_with(begin));
            let severity = if planned { Severity::Warning } else { about.absent() };
            let message = format!("column {column}: there is no stage '{}' in this pipeline", shortened(wanted, 60));
            findings.add(severity, at, message, help);
        }
    }
}

fn name(about: &About, mention: &Mention, at: &At, findings: &mut Findings) {
    let column = mention.column + 1;
    let (first, second) = (mention.path.first().map(String::as_str), mention.path.get(1));
    let declared = match first {
        Some("parameters") => about.parameters(),
        Some("templateVariables") => about.variables.as_ref(),
        _ => None,
    };
    let (Some(declared), Some(second)) = (declared, second) else { return };
    // What every map has is no parameter.
    let of_maps = ["size", "isEmpty", "keySet", "values", "containsKey", "entrySet", "get", "containsValue"];
    if declared.contains(second.as_str()) || of_maps.contains(&second.as_str()) {
        return;
    }
    let what = if first == Some("parameters") { "parameter" } else { "variable" };
    let help = match nearest(second, declared.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("declare it under {}", if what == "parameter" { "parameterConfig" } else { "variables" }),
    };
    findings.warning(at, format!("column {column}: the {what} {} is not declared", shortened(second, 60)), help);
}
