//! What attackers send to stages: addresses, answers, header values, and what may be seen of secrets afterwards; and what scripts try.

use std::io::Write;
use std::time::{Duration, Instant};

use events::outgoing::OutgoingConfig;
use pipeline::Status;
use serde_json::{Value, json};

use crate::answers::{Play, Server, running, says, stage};

async fn errors(play: &Play, more: Value) -> String {
    let run = play.run(json!([stage("webhook", more)])).await;
    assert_eq!(run.status, Status::Terminal);
    run.stages[0].context["exception"]["details"]["errors"].to_string()
}

#[tokio::test]
async fn addresses_that_are_not_allowed_are_not_called_however_they_are_written() {
    let inner = Server::start(|_, _| says("200 OK", "", &json!({})));
    let to = "Location: http://169.254.169.254/latest/meta-data\r\n";
    let outer = Server::start(move |_, _| says("302 Found", to, &json!({})));
    let play = Play::new("").await;
    let port = inner.address.port();
    for url in [
        "http://169.254.169.254/latest".to_owned(),
        "http://2852039166/".to_owned(),
        "http://0251.0376.0251.0376/".to_owned(),
        "http://[::ffff:169.254.169.254]/".to_owned(),
        format!("http://[::1]:{port}/"),
        format!("http://127.0.0.2:{port}/"),
        outer.url("/redirects-to-metadata"),
    ] {
        let errors = errors(&play, json!({"url": url})).await;
        assert!(errors.contains("is not allowed"), "{url}: {errors}");
    }
    for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"] {
        let errors = errors(&play, json!({"url": url})).await;
        assert!(errors.contains("is none of http, https"), "{url}: {errors}");
    }
    let with_user = format!("http://ann:pa55word@127.0.0.1:{port}/");
    let run = play.run(json!([stage("webhook", json!({"url": with_user}))])).await;
    let exception = run.stages[0].context["exception"].to_string();
    assert!(
        exception.contains("user information in a URL is not sent") && !exception.contains("pa55word"),
        "{exception}"
    );
    assert_eq!(inner.lines().len(), 0);
}

#[tokio::test]
async fn an_endless_answer_is_cut_and_the_error_names_the_bound() {
    let server = Server::raw(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let play = Play::with("", OutgoingConfig { size: 100_000, ..OutgoingConfig::default() }).await;
    let errors = errors(&play, json!({"url": server.url("/")})).await;
    assert_eq!(errors, json!([format!("the answer of {} is larger than 100000 bytes", server.address)]).to_string());
}

#[tokio::test]
async fn an_answer_of_one_byte_a_second_waits_with_the_bound_as_its_reason() {
    let server = Server::raw(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let play = Play::with("", OutgoingConfig { time: Duration::from_millis(200), ..OutgoingConfig::default() }).await;
    let id = play.begin(json!([stage("webhook", json!({"url": server.url("/")}))])).await;
    let run = play.until(&id, |run| run.stages[0].tasks.first().is_some_and(|t| t.waiting.is_some())).await;
    let reason = run.stages[0].tasks[0].waiting.clone().unwrap().reason;
    assert_eq!(reason, format!("no whole answer from {} within 200ms; it is called again", server.address));
}

#[tokio::test]
async fn a_large_answer_is_not_kept_with_the_execution() {
    let server = Server::start(|_, _| says("200 OK", "", &json!({"text": "x".repeat(2 << 20), "state": 100})));
    let play = Play::new("").await;
    let more = json!({"url": server.url("/"), "waitForCompletion": true, "statusJsonPath": "$.state"});
    let run = play.run(json!([stage("webhook", more)])).await;
    assert_eq!(run.status, Status::Succeeded);
    let kept = run.stages[0].context["webhook"]["monitor"]["body"].as_str().unwrap().to_owned();
    assert!(kept.contains("bytes is not kept; 1048576 are the most"), "{kept}");
    assert!(serde_json::to_string(&run).unwrap().len() < 10_000);
}

#[tokio::test]
async fn line_breaks_in_headers_and_methods_are_refused_when_saved_and_when_sent() {
    let server = Server::start(|_, _| says("200 OK", "", &json!({})));
    let play = Play::new("").await;
    let bad = [
        (json!({"customHeaders": {"X-A": "1\r\nX-B: 2"}}), "customHeaders.X-A"),
        (json!({"customHeaders": {"X-A\r\nX-B": "2"}}), "customHeaders"),
        (json!({"method": "GET / HTTP/1.1\r\nX-B: 2\r\n\r\n"}), "method"),
        (json!({"cancelMethod": "GET\n"}), "cancelMethod"),
    ];
    for (mut more, place) in bad {
        more["url"] = json!(server.url("/"));
        let config = json!({"application": "shop", "name": "p", "stages": [stage("webhook", more.clone())]});
        let config = config.as_object().unwrap().clone();
        let saved = play.store.write(move |tx| pipeline::pipelines::save(tx, &config, false, "ann")).await;
        let refused = saved.expect_err(place).to_string();
        assert!(refused.starts_with(&format!("$.stages[0].{place}")) && refused.contains("line break"), "{refused}");
        errors(&play, more).await;
    }
    // What an expression brings is seen when it is sent.
    let header = json!({"url": server.url("/"), "customHeaders": {"X-A": "${trigger.parameters.x}"}});
    let config = json!({"application": "shop", "name": "p", "stages": [stage("webhook", header)]});
    let id = play.start(config, json!({"parameters": {"x": "1\r\nX-B: 2"}})).await;
    assert_eq!(play.ended(&id).await.status, Status::Terminal);
    assert_eq!(server.lines().len(), 0);
}

#[tokio::test]
async fn what_an_answer_repeats_of_secret_headers_is_kept_nowhere() {
    let server = Server::start(|seen, _| {
        let echo =
            json!({"headers": seen.headers, "text": "token is s3cr3t-token, said the server", "s3cr3t-token": 1});
        says("400 Bad Request", "X-Echo: Bearer s3cr3t-token\r\n", &echo)
    });
    let play = Play::new("").await;
    let headers =
        json!({"Authorization": "Bearer s3cr3t-token", "X-Api-Key": "k3y-of-ann", "Cookie": "id=c00kie-value"});
    let run = play.run(json!([stage("webhook", json!({"url": server.url("/?x=1"), "customHeaders": headers}))])).await;
    assert_eq!(run.status, Status::Terminal);
    assert_eq!(server.lines().len(), 1);
    let mut context = run.stages[0].context.clone();
    // What the author wrote is the author's.
    context.shift_remove("customHeaders");
    let kept = json!([context, run.stages[0].outputs]).to_string();
    for secret in ["s3cr3t-token", "k3y-of-ann", "c00kie-value"] {
        assert!(!kept.contains(secret), "{secret}: {kept}");
    }
    assert!(kept.contains("token is [hidden], said the server"), "{kept}");
}

#[tokio::test]
async fn a_named_secret_is_sent_where_it_may_go_and_stands_nowhere() {
    let server =
        Server::start(|seen, _| says("200 OK", "X-Echo: pr1vate-key\r\n", &json!({"you": seen.body, "to": seen.line})));
    let other = Server::start(|_, _| says("200 OK", "", &json!({})));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("db");
    std::fs::write(&file, "pr1vate-key\n").unwrap();
    let config =
        format!("[[secret]]\nname = \"db\"\nfile = \"{}\"\nhosts = [\"{}\"]\n", file.display(), server.address);
    let play = Play::new(&config).await;
    let payload =
        json!({"password": "${secret('db')}", "by": "${trigger.user}", "both": "${trigger.user}:${#secret(\"db\")}"});
    let headers = json!({"X-Mine": "Key ${secret('db')}"});
    let named = json!({"url": server.url("/hook/${secret('db')}"), "customHeaders": headers, "payload": payload});
    let run = play.run(json!([stage("webhook", named)])).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    let seen = server.seen.lock().unwrap()[0].clone();
    assert_eq!(seen.line, "POST /hook/pr1vate-key");
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body, json!({"password": "pr1vate-key", "by": "ann", "both": "ann:pr1vate-key"}));
    assert!(seen.headers.contains(&"x-mine: Key pr1vate-key".to_owned()), "{:?}", seen.headers);
    let record = serde_json::to_string(&run).unwrap();
    assert!(!record.contains("pr1vate-key"), "{record}");
    assert!(record.contains("${secret('db')}") && record.contains("[hidden]"), "{record}");
    assert!(!record.contains(pipeline::evaluate::SUMMARY), "naming a secret is no failure: {record}");

    let error = errors(&play, json!({"url": other.url("/"), "payload": {"password": "${secret('db')}"}})).await;
    assert!(error.contains("the secret 'db' may not be sent to 127.0.0.1:"), "{error}");
    let error = errors(&play, json!({"url": server.url("/"), "payload": "${secret('nope')}"})).await;
    assert!(error.contains("there is no secret 'nope': configure it under [[secret]]"), "{error}");
    assert_eq!(other.lines().len(), 0);
    // What a run brings along names nothing, even where it might go.
    let config = json!({"application": "shop", "name": "p", "stages": [
        stage("webhook", json!({"url": server.url("/data"), "payload": {"text": "${trigger.parameters.evil}"}}))]});
    let id = play.start(config, json!({"user": "ann", "parameters": {"evil": "${secret('db')}"}})).await;
    assert_eq!(play.ended(&id).await.status, Status::Succeeded);
    let seen = server.seen.lock().unwrap().last().unwrap().clone();
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body, json!({"text": "${secret('db')}"}));
}

#[tokio::test]
async fn an_address_that_an_answer_names_gets_no_secrets_of_another_host() {
    let thief = Server::start(|_, _| says("200 OK", "", &json!({"state": 100})));
    let to = thief.url("/status");
    let server = Server::start(move |_, _| says("200 OK", "", &json!({"status": to})));
    let play = Play::new("").await;
    let run = play
        .run(json!([stage(
            "webhook",
            json!({
                "url": server.url("/"), "customHeaders": {"X-Api-Key": "k3y-of-ann", "X-Plain": "seen"},
                "waitForCompletion": true, "statusUrlResolution": "webhookResponse", "statusUrlJsonPath": "$.status",
                "statusJsonPath": "$.state",
            })
        )]))
        .await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    let headers = thief.seen.lock().unwrap()[0].headers.clone();
    assert!(headers.contains(&"x-plain: seen".to_owned()), "{headers:?}");
    assert!(!headers.iter().any(|h| h.contains("k3y-of-ann")), "{headers:?}");
}

#[tokio::test]
async fn an_answer_that_looks_like_an_expression_stays_text() {
    let server =
        Server::start(|_, _| says("200 OK", "", &json!({"state": 100, "evil": "${1 + 1} ${#fromUrl('http://a')}"})));
    let play = Play::new("").await;
    let more = json!({"url": server.url("/"), "waitForCompletion": true, "statusJsonPath": "$.state"});
    let run = play.run(json!([stage("webhook", more)])).await;
    assert_eq!(run.stages[0].context["webhook"]["body"]["evil"], "${1 + 1} ${#fromUrl('http://a')}");
}

fn shell(command: &str, more: Value) -> Value {
    let mut stage = stage("script", json!({"command": ["sh", "-c", command]}));
    stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage
}

async fn gone(words: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    while running(words) > 0 {
        assert!(Instant::now() < until, "'{words}' lives on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn log(play: &Play, id: &str) -> Vec<String> {
    let (mut lines, mut after) = (Vec::new(), 0);
    loop {
        let id = id.to_owned();
        let read = play.store.read(move |tx| pipeline::records::log(tx, &id, None, after)).await.unwrap();
        let Some(last) = read.last() else { return lines };
        after = last.number;
        lines.extend(read.into_iter().map(|line| line.line));
    }
}

#[tokio::test]
async fn a_script_that_floods_its_log_with_terminal_escapes_fills_neither_log_nor_terminal() {
    let play = Play::new("").await;
    let flood = "printf '\\033[2J\\033]0;owned\\007x\\n'; seq 1 30000; head -c 100000 /dev/zero";
    let run = play.run(json!([shell(flood, json!({"limits": {"outputLines": 500}}))])).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    let until = Instant::now() + Duration::from_secs(10);
    let mut lines = log(&play, &run.id).await;
    while lines.last().is_none_or(|line| !line.contains("left out")) && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
        lines = log(&play, &run.id).await;
    }
    lines.retain(|line| !line.starts_with("gennaker: "));
    assert_eq!(lines[0], "\\u{1b}[2J\\u{1b}]0;owned\\u{7}x");
    assert_eq!((lines.len(), lines.last().unwrap().as_str()), (501, "29502 more lines were left out"));
    let kept = run.stages[0].context["scriptOutput"].as_str().unwrap();
    assert!(kept.len() < 100_000 && !kept.contains('\0'), "{} bytes", kept.len());
}

#[tokio::test]
async fn orphans_in_other_sessions_end_with_their_script() {
    let play = Play::new("").await;
    let command = "sleep 86101 & (setsid sleep 86102 &) ; (setsid sh -c 'sleep 86103 & sleep 86104' &); sleep 1";
    let run = play.run(json!([shell(command, json!({}))])).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    let slow = play
        .run(json!([shell(&command.replace("sleep 1", "sleep 86105"), json!({"limits": {"timeSeconds": 1}}))]))
        .await;
    assert_eq!(slow.status, Status::Terminal);
    for number in 86101..=86105 {
        gone(&format!("sleep {number}")).await;
    }
}

#[tokio::test]
async fn a_fork_bomb_meets_its_limit_and_ends_with_its_time() {
    let play = Play::new("").await;
    // It asks for more than it may have, and for no more than a machine can bear should the limit not hold.
    let bomb = "i=0; while [ $i -lt 400 ]; do sleep 86301 & i=$((i + 1)); done; sleep 86302";
    let limits = json!({"processes": 50, "timeSeconds": 5});
    let run = play.run(json!([shell(bomb, json!({"limits": limits}))])).await;
    assert_eq!(run.status, Status::Terminal, "{:?}", run.stages[0].context);
    gone("sleep 86301").await;
    if log(&play, &run.id).await.iter().any(|line| line.contains("no control group")) {
        println!("not run: this machine has no control group that bounds processes");
        return;
    }
    let output = run.stages[0].context["exception"]["details"]["output"].to_string().to_lowercase();
    assert!(output.contains("fork"), "{output}");
}

#[tokio::test]
async fn a_script_that_fills_the_disk_stops_at_its_limit_and_leaves_nothing() {
    let play = Play::new("").await;
    let fill = shell("exec cat /dev/zero > big", json!({"limits": {"fileSizeMb": 1}}));
    let run = play.run(json!([fill])).await;
    assert_eq!(run.status, Status::Terminal);
    let errors = run.stages[0].context["exception"]["details"]["errors"].to_string();
    assert!(errors.contains("a larger file than its limit"), "{errors}");
    assert_eq!(std::fs::read_dir(play.folder.path().join("scripts")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_scripts_arguments_and_environment_reach_no_shell_and_nothing_of_the_server() {
    let play = Play::new("").await;
    let config = json!({"application": "shop", "name": "p", "stages": [stage("script", json!({
        "command": ["printf", "%s|%s"], "args": ["${trigger.parameters.evil}", "-n"], "env": {"ONLY": "this"},
    }))]});
    let trigger = json!({"parameters": {"evil": "$(id); `id`; ${1 + 1}"}});
    let run = play.ended(&play.start(config, trigger).await).await;
    assert_eq!(run.stages[0].context["scriptOutput"], "$(id); `id`; ${1 + 1}|-n");
    let run =
        play.run(json!([shell("env | sort | cut -d= -f1 | tr '\\n' ' '", json!({"env": {"ONLY": "this"}}))])).await;
    let names = "GENNAKER_APPLICATION GENNAKER_EXECUTION GENNAKER_SCRIPT HOME ONLY PATH PWD ";
    assert_eq!(run.stages[0].context["scriptOutput"].as_str().unwrap().trim(), names.trim());
    let leads_out = shell("true", json!({"workingDirectory": "../.."}));
    let run = play.run(json!([leads_out])).await;
    let errors = run.stages[0].context["exception"]["details"]["errors"].to_string();
    assert!(errors.contains("leads out of the script's folder"), "{errors}");
}
