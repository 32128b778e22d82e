//! People are told: by a real mail server with STARTTLS and a login, in a Slack of our own, by a request; and what reached nobody is seen.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::certificate::self_signed;

use crate::server::{PATIENCE, Server, ask, free_port};

/// aiosmtpd, which wants TLS and a login, and lays what it gets into a maildir.
const SMTP: &str = r#"
import asyncio, ssl, sys
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult
folder, certificate, key, port = sys.argv[1:5]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"gennaker", b"mail secret"))
async def main():
    new = lambda: SMTP(Mailbox(folder), hostname="localhost", tls_context=context, require_starttls=True, auth_required=True, authenticator=login)
    server = await asyncio.get_running_loop().create_server(new, "127.0.0.1", int(port))
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

struct MailServer(Child);

impl MailServer {
    fn start(folder: &Path, port: u16) -> Self {
        let (certificate, key) = (folder.join("mail.pem"), folder.join("mail.key"));
        if !key.exists() {
            self_signed(&certificate, &key, "localhost", "localhost");
        }
        let mut command = Command::new("/usr/bin/python3");
        command
            .args(["-W", "ignore", "-c", SMTP])
            .args([&folder.join("mails"), &certificate, &key])
            .arg(port.to_string());
        let mut process = command.stdout(Stdio::piped()).spawn().expect("python3 runs");
        let mut line = String::new();
        let mut out = BufReader::new(process.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("read");
        assert_eq!(line, "ready\n");
        Self(process)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The mails that came, in no order; waits for so many.
fn mails(folder: &Path, count: usize) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let files = std::fs::read_dir(folder.join("mails/new")).into_iter().flatten().flatten();
        let mails: Vec<String> = files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
        if mails.len() >= count {
            return mails;
        }
        assert!(Instant::now() < deadline, "{} mails of {count}", mails.len());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Takes requests and answers each with this body; gives head and body of each.
fn catcher(answer: &'static str) -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let text =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            let _ = stream.write_all(text.as_bytes());
            if send.send((head, serde_json::from_slice(&body).unwrap_or(Value::Null))).is_err() {
                return;
            }
        }
    });
    (address, receive)
}

fn call(server: &Server, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, text) = ask(&server.address(), method, path, &body);
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Starts a pipeline and gives its execution.
fn start(server: &Server, name: &str) -> String {
    let (status, answer) = call(server, "POST", &format!("/pipelines/shop/{name}"), &json!({"type": "manual"}));
    assert_eq!(status, 202, "{answer}");
    answer["ref"].as_str().expect("a place").trim_start_matches("/pipelines/").to_owned()
}

/// What became of the notifications of an execution, once there are so many and nothing but `due` ones may be left.
fn told(server: &Server, execution: &str, ready: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (status, answer) =
            call(server, "GET", &format!("/ui-api/executions/{execution}/notifications"), &Value::Null);
        assert_eq!(status, 200, "{answer}");
        let told = answer.as_array().expect("a list").clone();
        if ready(&told) {
            return told;
        }
        assert!(Instant::now() < deadline, "{told:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A pipeline whose only stage fails.
fn failing(name: &str, notifications: Value) -> Value {
    let never = json!([{"type": "expression", "failPipeline": true, "context": {"expression": "${1 > 2}", "failureMessage": "It is not noon."}}]);
    json!({"application": "shop", "name": name, "id": name, "triggers": [], "notifications": notifications, "stages": [
        {"refId": "1", "type": "checkPreconditions", "name": "Is it noon", "requisiteStageRefIds": [], "preconditions": never}]})
}

#[test]
fn a_failed_run_is_told_by_mail_slack_and_webhook_though_the_mail_server_was_away_and_ours_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    // Made, and ended again: the certificate must be there when our server starts.
    drop(MailServer::start(folder.path(), port));
    std::fs::write(folder.path().join("smtp"), "mail secret\n").expect("written");
    let (slack, in_slack) = catcher("{\"ok\": true}");
    let (hook, at_hook) = catcher("");
    let config = format!(
        "[server]\npublic_url = \"https://deploy.example.org/\"\n[outgoing]\nallow = [\"{slack}\", \"{hook}\"]\n\
         [[secret]]\nname = \"smtp\"\nfile = \"{secret}\"\n\
         [notifications.email]\nhost = \"localhost\"\nport = {port}\nfrom = \"Gennaker <gennaker@example.org>\"\n\
         username = \"gennaker\"\npassword = \"${{secret('smtp')}}\"\n\
         [notifications.slack]\ntoken = \"xoxb-slack-token\"\nbase_url = \"http://{slack}/api\"\n",
        secret = folder.path().join("smtp").display()
    );
    let trusting = |command: &mut Command| {
        command.env("SSL_CERT_FILE", folder.path().join("mail.pem"));
    };
    let server = Server::start_with(tempfile::tempdir().expect("a folder"), &config, trusting);
    let (status, kinds) = call(&server, "GET", "/ui-api/notifiers", &Value::Null);
    assert_eq!((status, kinds), (200, json!({"kinds": ["email", "slack", "webhook"]})));

    let own = json!([
        {"type": "email", "address": "ops@example.org", "cc": "kim@example.org", "level": "pipeline", "when": ["pipeline.failed"],
         "message": {"pipeline.failed": {"text": "Look at ${execution.name}, ${trigger.user}."}}},
        {"type": "slack", "address": "deployments", "level": "pipeline", "when": ["pipeline.starting", "pipeline.failed"]},
    ]);
    assert_eq!(call(&server, "POST", "/pipelines", &failing("ship", own)).0, 200);
    let general = json!({"application": "shop", "webhook": [{"address": format!("http://{hook}/events"), "when": ["pipeline.failed"]}]});
    assert_eq!(call(&server, "POST", "/notifications/application/shop", &general).0, 200);
    let execution = start(&server, "ship");

    let all = told(&server, &execution, |told| {
        told.len() == 4
            && told.iter().all(|one| one["attempts"] == 1 && (one["due"].is_null() || one["error"].is_string()))
    });
    let summary: Vec<_> =
        all.iter().map(|one| (one["kind"].as_str(), one["event"].as_str(), one["due"].is_null())).collect();
    let expected = [
        (Some("slack"), Some("pipeline.starting"), true),
        (Some("email"), Some("pipeline.failed"), false),
        (Some("slack"), Some("pipeline.failed"), true),
        (Some("webhook"), Some("pipeline.failed"), true),
    ];
    assert_eq!(summary, expected, "the mail server is away: {all:?}");
    let why = all[1]["error"].as_str().expect("a reason");
    assert!(why.starts_with("the mail server localhost did not take it: ") && why.contains("refused"), "{why}");

    let (head, said) = in_slack.recv_timeout(PATIENCE).expect("one");
    assert!(head.starts_with("POST /api/chat.postMessage ") && head.contains("Bearer xoxb-slack-token"), "{head}");
    assert_eq!(
        (&said["channel"], &said["attachments"][0]["title"]),
        (&json!("#deployments"), &json!("shop: ship started"))
    );
    let (_, said) = in_slack.recv_timeout(PATIENCE).expect("another");
    let link = format!("https://deploy.example.org/ui/applications/shop/runs/{execution}");
    assert_eq!(said["attachments"][0]["color"], "danger");
    assert_eq!(said["attachments"][0]["title_link"], link);
    let (head, facts) = at_hook.recv_timeout(PATIENCE).expect("one");
    assert!(head.starts_with("POST /events "), "{head}");
    assert_eq!((&facts["event"], &facts["status"]), (&json!("pipeline.failed"), &json!("TERMINAL")));
    assert_eq!(facts["reason"], "Check precondition (expression): It is not noon.");

    // Ours is killed, theirs comes up: nothing is lost.
    let ours = server.kill();
    let _mail = MailServer::start(folder.path(), port);
    let server = Server::start_with(ours, &config, trusting);
    let mails = mails(folder.path(), 1);
    // Long lines are broken in quoted-printable.
    let [mail] = mails.iter().map(|mail| mail.replace("=\n", "")).collect::<Vec<_>>().try_into().expect("one mail");
    assert!(mail.contains("Subject: shop: ship failed"), "{mail}");
    assert!(mail.contains("To: ops@example.org") && mail.contains("Cc: kim@example.org"), "{mail}");
    assert!(mail.contains("Look at ship, [anonymous]."), "{mail}");
    assert!(mail.contains(&link), "{mail}");
    let all = told(&server, &execution, |told| told.iter().all(|one| one["due"].is_null()));
    assert_eq!((&all[1]["attempts"], &all[1]["error"]), (&json!(2), &Value::Null));
    assert!(!server.complaints().contains("mail secret"), "no secret in the log");
}

#[test]
fn what_reaches_nobody_is_seen_and_a_trial_says_why() {
    let (slack, in_slack) = catcher("{\"ok\": false, \"error\": \"channel_not_found\"}");
    let config = format!(
        "[outgoing]\nallow = [\"{slack}\"]\n[[secret]]\nname = \"slack\"\nenv = \"SLACK_TOKEN\"\n\
         [notifications.slack]\ntoken = \"${{secret('slack')}}\"\nbase_url = \"http://{slack}\"\n"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_with(folder, &config, |command| {
        command.env("SLACK_TOKEN", "xoxb-hidden");
    });
    let trial = |body: Value| {
        let (status, answer) = call(&server, "POST", "/ui-api/notifiers/test", &body);
        (status, answer["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(
        trial(json!({"type": "slack", "address": "nowhere"})),
        (502, "Slack did not take it: channel_not_found".into())
    );
    assert!(in_slack.recv_timeout(PATIENCE).expect("asked").0.contains("Bearer xoxb-hidden"));
    assert_eq!(trial(json!({"address": "x"})), (400, "$.type is missing: by what is it sent?".into()));
    let missing = "this server sends nothing by email: configure it under [notifications.email]";
    assert_eq!(trial(json!({"type": "email", "address": "a@example.org"})), (502, missing.into()));
    let (status, why) = trial(json!({"type": "webhook", "address": "http://127.0.0.1:1/"}));
    assert_eq!((status, why.starts_with("calling 127.0.0.1:1 is not allowed")), (502, true), "{why}");

    let to = json!([{"type": "sms", "address": "+82 2 123", "level": "pipeline", "when": ["pipeline.failed"]}]);
    assert_eq!(call(&server, "POST", "/pipelines", &failing("ship", to)).0, 200);
    let execution = start(&server, "ship");
    told(&server, &execution, |told| told.len() == 1 && told[0]["due"].is_null());
    let (status, activity) = call(&server, "GET", "/ui-api/activity?kind=notification", &Value::Null);
    let happenings = activity["happenings"].as_array().expect("a list");
    assert_eq!((status, happenings.len()), (200, 1), "{activity}");
    let one = &happenings[0];
    assert_eq!((&one["execution"]["id"], &one["notification"]["address"]), (&json!(execution), &json!("+82 2 123")));
    let why = "this server sends nothing by \"sms\": it knows slack, webhook";
    assert_eq!(one["notification"]["error"], why);
}
