//! What attackers send to stages: addresses, answers, header values, and what may be seen of secrets afterwards.

use std::io::Write;
use std::time::Duration;

use events::outgoing::OutgoingConfig;
use pipeline::Status;
use serde_json::{Value, json};

use crate::answers::{Play, Server, says, stage};

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
