//! What URLs, redirects, headers and answers try.

use std::io::Write;
use std::time::Duration;

use events::outgoing::{Allow, Answer, Call, CallError, Outgoing, OutgoingConfig};

use crate::server::Server;

fn client(allow: &[String], config: OutgoingConfig) -> Outgoing {
    let allow = Allow::try_from(allow.to_vec()).expect("good rules");
    Outgoing::new(OutgoingConfig { allow, ..config })
}

async fn get(client: &Outgoing, url: &str) -> Result<Answer, CallError> {
    client.call(Call { url: url.into(), ..Call::default() }).await
}

fn runs(story: impl Future<Output = ()>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(story);
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

#[test]
fn an_allowed_address_is_called_and_another_is_not() {
    runs(async {
        let (wanted, other) = (Server::text(OK), Server::text(OK));
        let client = client(&[wanted.address.to_string()], OutgoingConfig::default());
        let answer = get(&client, &format!("http://{}/x", wanted.address)).await.expect("an answer");
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"ok"[..]));

        let error = get(&client, &format!("http://{}/x", other.address)).await.expect_err("refused");
        let expected = format!(
            "calling {0} is not allowed (127.0.0.1): add \"{0}\" or a range to `allow` under [outgoing] in the configuration",
            other.address
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(other.seen.lock().expect("no panic").len(), 0, "not even a connection is made");
    });
}

#[test]
fn names_and_odd_spellings_of_loopback_are_judged_by_where_they_lead() {
    runs(async {
        let server = Server::text(OK);
        let client = client(&["public".into()], OutgoingConfig::default());
        let port = server.address.port();
        for host in
            ["localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"]
        {
            let error = get(&client, &format!("http://{host}:{port}/")).await.expect_err(host);
            assert!(matches!(error, CallError::NotAllowed { .. }), "{host}: {error}");
        }
        assert_eq!(server.seen.lock().expect("no panic").len(), 0);
    });
}

#[test]
fn a_redirect_is_judged_anew_and_leaves_the_credentials_behind() {
    runs(async {
        let inner = Server::text(OK);
        let to = inner.address;
        let outer = Server::text(format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{to}/in\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ));
        let only_outer = client(&[outer.address.to_string()], OutgoingConfig::default());
        let error = get(&only_outer, &format!("http://{}/", outer.address)).await.expect_err("refused");
        assert!(matches!(error, CallError::NotAllowed { .. }), "{error}");
        assert_eq!(inner.seen.lock().expect("no panic").len(), 0);

        let both = client(&[outer.address.to_string(), to.to_string()], OutgoingConfig::default());
        let headers = [("Authorization", "Bearer s3cret"), ("X-Api-Key", "k3y"), ("Accept", "text/plain")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let call = Call { url: format!("http://{}/", outer.address), headers, ..Call::default() };
        assert_eq!(both.call(call).await.expect("an answer").status.as_u16(), 200);
        let seen = inner.seen.lock().expect("no panic")[0].to_lowercase();
        assert!(seen.contains("accept: text/plain") && !seen.contains("s3cret") && !seen.contains("k3y"), "{seen}");
    });
}

#[test]
fn redirects_in_a_circle_end() {
    runs(async {
        let server =
            Server::text("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let client = client(&["127.0.0.0/8".into()], OutgoingConfig::default());
        let error = get(&client, &format!("http://{}/", server.address)).await.expect_err("cut");
        assert!(matches!(error, CallError::TooManyRedirects { .. }), "{error}");
        assert_eq!(server.seen.lock().expect("no panic").len(), 6);
    });
}

#[test]
fn a_huge_answer_and_a_slow_one_are_cut_at_their_bound() {
    runs(async {
        let endless = Server::start(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        });
        let bounds = OutgoingConfig { size: 100_000, ..OutgoingConfig::default() };
        let error = get(&client(&["127.0.0.1".into()], bounds), &format!("http://{}/", endless.address))
            .await
            .expect_err("cut");
        assert_eq!(error.to_string(), format!("the answer of {} is larger than 100000 bytes", endless.address));

        let slow = Server::start(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let bounds = OutgoingConfig { time: Duration::from_millis(200), ..OutgoingConfig::default() };
        let error =
            get(&client(&["127.0.0.1".into()], bounds), &format!("http://{}/", slow.address)).await.expect_err("cut");
        assert_eq!(error.to_string(), format!("no whole answer from {} within 200ms", slow.address));
    });
}

#[test]
fn headers_methods_and_urls_that_smuggle_are_refused_by_name() {
    runs(async {
        let client = client(&["127.0.0.1".into()], OutgoingConfig::default());
        let url = "http://127.0.0.1:1/".to_owned();
        let header = |name: &str, value: &str| Call {
            url: url.clone(),
            headers: vec![(name.into(), value.into())],
            ..Call::default()
        };
        let table = [
            (
                header("X-A", "1\r\nX-B: 2"),
                "cannot send header X-A: its value holds a line break or another control character",
            ),
            (header("X A", "1"), "cannot send header X A: it is not a header's name"),
            (
                Call { method: "GET /x\r\n".into(), url: url.clone(), ..Call::default() },
                "cannot send method GET /x\\r\\n: it is not a method's name",
            ),
            (
                Call { url: "file:///etc/passwd".into(), ..Call::default() },
                "cannot call file:///etc/passwd: scheme file is none of http, https",
            ),
            (
                Call { url: "http://user:s3cret@127.0.0.1:1/".into(), ..Call::default() },
                "cannot call 127.0.0.1:1: user information in a URL is not sent; use a header",
            ),
        ];
        for (call, expected) in table {
            assert_eq!(client.call(call).await.expect_err(expected).to_string(), expected);
        }
    });
}

#[test]
fn an_error_of_the_network_does_not_repeat_the_url() {
    runs(async {
        let client = client(&["127.0.0.1".into()], OutgoingConfig::default());
        let error = get(&client, "http://127.0.0.1:1/?token=s3cret").await.expect_err("nobody listens");
        assert!(error.is_transient());
        assert!(
            error.to_string().starts_with("no answer from 127.0.0.1:1: ") && !error.to_string().contains("s3cret"),
            "{error}"
        );
    });
}
