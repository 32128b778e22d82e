//! The words of a notification: what happened, why, where to look; and the same as JSON for programs.

use events::notify::{Message, Tone};
use jiff::Timestamp;
use pipeline::evaluate::{self, Given};
use pipeline::model::Stage;
use pipeline::notices::Notice;
use pipeline::{Execution, Map, Status};
use serde_json::{Value, json};

use super::text;

/// How long a reason and what somebody is asked may be, in characters.
const LONGEST: usize = 1_000;

/// Puts notices into words.
#[derive(Clone, Debug)]
pub struct Words {
    /// Where people reach the page: `https://gennaker.example.org`, without a slash at its end.
    pub public_url: String,
}

impl Words {
    /// What is said of a moment of a run.
    pub fn message(&self, notice: &Notice, run: &Execution, now: Timestamp) -> Message {
        let config = match notice.stage.is_empty() {
            true => evaluated(&notice.config, run, now),
            // A stage's were evaluated with its context.
            false => notice.config.clone(),
        };
        let stage = run.stage(&notice.stage);
        let news = News::of(&notice.event, run, stage.map(AsRef::as_ref));
        let link = format!("{}/ui/applications/{}/runs/{}", self.public_url, segment(&run.application), run.id);
        let said = config.get("message").and_then(|all| all.get(&notice.event)).and_then(|one| one.get("text"));
        let said = said.and_then(Value::as_str).unwrap_or_default().trim();
        let subject = Some(text(&config, "customSubject")).filter(|subject| !subject.is_empty());
        let body = Some(text(&config, "customBody")).filter(|body| !body.is_empty());
        let usual = || {
            let parts = [news.sentence.as_str(), said, news.more.as_str(), &link];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
        };
        Message {
            id: notice.id.clone(),
            to: address(&config, "address"),
            cc: address(&config, "cc"),
            subject: subject.map_or_else(|| news.headline.clone(), str::to_owned),
            text: body.map_or_else(usual, str::to_owned),
            tone: news.tone,
            facts: facts(notice, run, stage.map(AsRef::as_ref), &news, said, &link),
            link: Some(link),
        }
    }
}

/// The message by which somebody tries whether a notification reaches them.
pub fn trial(config: &Map, who: &str, id: String, public_url: &str) -> Message {
    let sentence = format!("{who} tries whether notifications reach this place. They do.");
    let link = format!("{public_url}/ui/");
    Message {
        id: id.clone(),
        to: address(config, "address"),
        cc: address(config, "cc"),
        subject: "Gennaker: a trial".into(),
        text: format!("{sentence}\n\n{link}"),
        tone: Tone::Neutral,
        facts: json!({"id": id, "event": "trial", "message": sentence, "user": who, "link": link}),
        link: Some(link),
    }
}

/// One address, or a list of them.
fn address(config: &Map, key: &str) -> String {
    match config.get(key) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        _ => text(config, key).to_owned(),
    }
}

/// Expressions that the pipeline's author wrote and that could not be evaluated at its start.
fn evaluated(config: &Map, run: &Execution, now: Timestamp) -> Map {
    let Ok(execution) = serde_json::to_value(run) else { return config.clone() };
    let given = Given { now, ..Given::default() };
    match evaluate::process(&execution, None, &Value::Object(config.clone()), false, &given).value {
        Value::Object(map) => map,
        // An object stays one.
        _ => config.clone(),
    }
}

/// What happened, in words.
struct News {
    headline: String,
    sentence: String,
    /// Who started it, and how long it took.
    more: String,
    reason: String,
    tone: Tone,
}

impl News {
    fn of(event: &str, run: &Execution, stage: Option<&Stage>) -> News {
        let name = run.name.as_deref().or(run.description.as_deref()).unwrap_or("a pipeline");
        let application = &run.application;
        let what = match stage {
            Some(stage) => format!("{} of {name}", stage.name),
            None => name.to_owned(),
        };
        let failed = event.ends_with(".failed");
        let reason = if failed { reason(run, stage) } else { asked(event, stage) };
        let (verb, tone) = match event {
            "pipeline.starting" | "stage.starting" => ("started", Tone::Neutral),
            "pipeline.complete" | "stage.complete" => ("ended well", Tone::Good),
            "pipeline.failed" | "stage.failed" => ("failed", Tone::Bad),
            "manualJudgmentContinue" => ("goes on", Tone::Good),
            "manualJudgmentStop" => ("was stopped", Tone::Bad),
            _ => ("waits for your answer", Tone::Neutral),
        };
        let because = if reason.is_empty() { ".".to_owned() } else { format!(": {reason}") };
        News {
            headline: format!("{application}: {what} {verb}"),
            sentence: format!("{what} ({application}) {verb}{because}"),
            more: more(run, stage),
            reason,
            tone,
        }
    }
}

/// What a person is asked, or what they answered.
fn asked(event: &str, stage: Option<&Stage>) -> String {
    let Some(stage) = stage.filter(|_| !event.contains('.')) else { return String::new() };
    let key = match event {
        "manualJudgmentContinue" | "manualJudgmentStop" => {
            let who = stage.last_modified.as_ref().and_then(|m| m.get("user")).and_then(Value::as_str);
            return who.map(|who| format!("{who} answered")).unwrap_or_default();
        }
        _ => "instructions",
    };
    cut(stage.context.get(key).and_then(Value::as_str).unwrap_or_default())
}

/// Why it failed: what the failed stages say, those inside others first.
fn reason(run: &Execution, stage: Option<&Stage>) -> String {
    let failed = |one: &Stage| matches!(one.status, Status::Terminal | Status::Stopped | Status::FailedContinue);
    let within =
        |one: &Stage| stage.is_none_or(|stage| one.id == stage.id || run.around(&one.id).any(|up| up.id == stage.id));
    let mut reasons: Vec<String> = Vec::new();
    let mut deepest: Vec<&Stage> =
        run.stages.iter().map(AsRef::as_ref).filter(|one| failed(one) && within(one)).collect();
    deepest.sort_by_key(|one| std::cmp::Reverse(run.around(&one.id).count()));
    for one in deepest {
        let fresh = |error: &String| !reasons.iter().any(|known| known.contains(error));
        let errors: Vec<String> = sentences(one).into_iter().filter(fresh).collect();
        if !errors.is_empty() {
            reasons.push(format!("{}: {}", one.name, errors.join("; ")));
        }
    }
    if reasons.is_empty() {
        reasons.extend(run.cancellation_reason.clone());
    }
    cut(&reasons.join(". "))
}

/// What a failed stage says of itself.
fn sentences(stage: &Stage) -> Vec<String> {
    let errors: Vec<String> = stage.errors().map(str::to_owned).collect();
    if !errors.is_empty() {
        return errors;
    }
    // A precondition that does not hold is no exception.
    let inside =
        |key: &str| stage.context.get("context").and_then(|inside| inside.get(key)).filter(|value| !value.is_null());
    let message = stage.context.get("failureMessage").or(inside("failureMessage")).and_then(Value::as_str);
    let compared = || Some(format!("{} → {}", inside("expression")?.as_str()?, inside("expressionResult")?));
    message.filter(|text| !text.is_empty()).map(str::to_owned).or_else(compared).into_iter().collect()
}

fn cut(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= LONGEST { text.to_owned() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

fn more(run: &Execution, stage: Option<&Stage>) -> String {
    let by = match run.trigger.user() {
        "" | "anonymous" | "[anonymous]" => format!("Started ({})", run.trigger.kind()),
        user => format!("Started by {user} ({})", run.trigger.kind()),
    };
    let (start, end) = stage.map_or((run.start_time, run.end_time), |stage| (stage.start_time, stage.end_time));
    match (start, end) {
        (Some(start), Some(end)) => format!("{by}, took {}.", took(end - start)),
        _ => format!("{by}."),
    }
}

/// A length of time for people.
fn took(ms: i64) -> String {
    let seconds = ms / 1000;
    match seconds {
        ..1 => format!("{} ms", ms.max(0)),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A name as a part of a path.
fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn facts(notice: &Notice, run: &Execution, stage: Option<&Stage>, news: &News, said: &str, link: &str) -> Value {
    let stage = stage.map(|stage| json!({"id": stage.id, "refId": stage.ref_id, "name": stage.name, "type": stage.kind, "status": stage.status}));
    json!({
        "id": notice.id, "event": notice.event, "at": notice.at, "application": run.application, "pipeline": run.name,
        "pipelineConfigId": run.pipeline_config_id, "execution": run.id, "status": run.status, "stage": stage, "reason": news.reason,
        "message": if said.is_empty() { &news.sentence } else { said }, "user": run.trigger.user(), "trigger": run.trigger.kind(),
        "startTime": run.start_time, "endTime": run.end_time, "link": link,
    })
}
