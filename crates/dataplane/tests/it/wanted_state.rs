//! The wanted state: taken whole, kept over a kill, older ones refused, newer fields ignored.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use dataplane::client::{Client, ClientError};
use dataplane::status::Status;
use dataplane::wanted::MemberState::Active;
use dataplane::wanted::{Member, Protocol, Wanted};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::load::Load;
use crate::world::{Plane, Served, Upstream, folder, get, until, web};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_data_plane_serves_the_last_wanted_state_again() {
    let dir = folder();
    let client = Client::new(dir.path());
    let a = Upstream::start("a").await;
    let mut plane = Served::start(dir.path());
    until("it answers", async || client.status().await.ok()).await;
    // A fixed port this time, chosen by the system a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut wanted = web(7, Protocol::Http, vec![a.member("g", Active)]);
    wanted.balancers[0].listeners[0].address = free;
    client.put_wanted(&wanted).await.unwrap();
    assert_eq!(get(free, "/").await, (200, "a".into()));
    plane.kill();
    let mut plane = Served::start(dir.path());
    let status = until("it answers again", async || client.status().await.ok()).await;
    assert_eq!(status.generation, Some(7));
    assert_eq!(get(free, "/").await, (200, "a".into()));
    client.stop().await.unwrap();
    assert!(plane.wait().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_generation_is_refused_and_the_same_may_come_again() {
    let plane = Plane::start();
    let wanted = web(5, Protocol::Http, Vec::new());
    plane.put(&wanted).await;
    plane.put(&wanted).await;
    let refused = plane.client.put_wanted(&Wanted { generation: 4, ..Wanted::default() }).await.unwrap_err();
    let ClientError::Refused { status: 409, message } = refused else { panic!("{refused}") };
    assert_eq!(message, "generation 4 is older than 5, which is in force");
    let other = Wanted { generation: 5, ..Wanted::default() };
    assert!(matches!(plane.client.put_wanted(&other).await, Err(ClientError::Refused { status: 409, .. })));
    assert_eq!(plane.client.wanted().await.unwrap(), Some(wanted));
}

#[test]
fn fields_of_a_newer_control_plane_are_ignored_and_a_newer_schema_is_refused_by_name() {
    let newer = r#"{"schema":1,"generation":3,"moon":"full","balancers":[{"id":"web","listeners":[{"address":"127.0.0.1:1","protocol":"tcp","tls":{}}],
        "health":{"type":"http","path":"/","colour":"red"},"members":[{"id":"a","group":"g","address":"127.0.0.1:2","locality":"x"}]}]}"#;
    let wanted: Wanted = serde_json::from_str(newer).unwrap();
    assert_eq!((wanted.check(), wanted.balancers[0].members[0].weight), (Ok(()), 1));
    assert_eq!(wanted.balancers[0].health.as_ref().unwrap().rise, 2);
    let error = Wanted { schema: 2, ..Wanted::default() }.check().unwrap_err();
    assert!(error.to_string().starts_with("wanted state has schema 2; this data plane knows 1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_in_order_and_a_reader_that_missed_some_is_told() {
    let plane = Plane::start();
    plane.put(&web(1, Protocol::Http, Vec::new())).await;
    let first = plane.client.events(1, std::time::Duration::ZERO).await.unwrap();
    assert!(first.reset, "a number of another life");
    let client = plane.client.clone();
    let waiting =
        tokio::spawn(async move { client.events(first.seq, std::time::Duration::from_secs(5)).await.unwrap() });
    let a = Upstream::start("a").await;
    plane.put(&web(2, Protocol::Http, vec![a.member("g", Active)])).await;
    let next = waiting.await.unwrap();
    assert!(!next.reset);
    assert_eq!(next.events[0].text, "traffic of web moved from nobody to g");
}

/// Others who would like to serve the folder, as a server does that misses its data plane. None must ever get it.
struct Rivals {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Rivals {
    fn start(dir: &Path) -> Self {
        let (stop, dir) = (Arc::new(AtomicBool::new(false)), dir.to_owned());
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || {
                while !stop.load(SeqCst) {
                    let mut rival = Served::start(&dir);
                    assert!(!rival.wait().success(), "the folder is somebody's");
                }
            }
        });
        Self { stop, thread }
    }

    fn end(self) {
        self.stop.store(true, SeqCst);
        self.thread.join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_takes_the_listeners_over_under_load_and_no_request_fails() {
    let dir = folder();
    let client = Client::new(dir.path());
    let a = Upstream::start("a").await;
    let mut old = Served::start(dir.path());
    until("it answers", async || client.status().await.ok()).await;
    client.put_wanted(&web(3, Protocol::Auto, vec![a.member("g", Active)])).await.unwrap();
    let before = client.status().await.unwrap();
    let address = before.balancers[0].listeners[0].bound.unwrap();
    let load = Load::start(address, 8, 4);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let rivals = Rivals::start(dir.path());
    let _new = Served::replaced(dir.path());
    let after =
        until("the successor answers", async || client.status().await.ok().filter(|s| s.pid != before.pid)).await;
    assert_eq!((after.generation, after.balancers[0].listeners[0].bound), (Some(3), Some(address)));
    assert!(old.wait().success());
    rivals.end();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let seen = load.seen.clone();
    load.end().await;
    assert_eq!(*seen.failures.lock().unwrap(), [""; 0]);
    // Both counted, and it is told as one: totals, and second by second.
    let asked = seen.requests.load(SeqCst);
    assert!(asked > 50, "{asked}");
    let total = until("what the old one counted is here, too", async || {
        let total = client.status().await.unwrap().balancers[0].total.clone();
        (total.requests >= asked).then_some(total)
    })
    .await;
    assert_eq!((total.requests, total.failed, total.open), (asked, 0, 0));
    until("its seconds are here, too", async || {
        let series = client.series("web", 0).await.unwrap();
        let seconds = series.groups.iter().flat_map(|group| &group.seconds);
        let (requests, answers) = seconds.fold((0, 0), |sum, s| (sum.0 + s.requests, sum.1 + s.answers));
        ((requests, answers) == (asked, asked)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_is_not_idle_while_a_predecessor_has_something_open_there() {
    let dir = folder();
    let client = Client::new(dir.path());
    let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = echo.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = echo.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    let mut old = Served::start(dir.path());
    until("it answers", async || client.status().await.ok()).await;
    let member = Member { id: "e".into(), group: "g".into(), address, weight: 1, state: Active };
    client.put_wanted(&web(1, Protocol::Tcp, vec![member])).await.unwrap();
    let before = client.status().await.unwrap();
    let mut stream = TcpStream::connect(before.balancers[0].listeners[0].bound.unwrap()).await.unwrap();
    let mut back = [0; 4];
    let mut say = async |word: &[u8; 4]| {
        stream.write_all(word).await.unwrap();
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, word);
    };
    say(b"ping").await;
    let _new = Served::replaced(dir.path());
    let after =
        until("the successor answers", async || client.status().await.ok().filter(|s| s.pid != before.pid)).await;
    let open = |status: &Status| {
        let web = &status.balancers[0];
        (web.members[0].counters.open, web.groups[0].counters.open, web.total.open)
    };
    assert_eq!(open(&after), (1, 1, 1), "what the old one still carries");
    say(b"pong").await;
    drop(stream);
    assert!(old.wait().success());
    assert_eq!(open(&client.status().await.unwrap()), (0, 0, 0));
    let left = std::fs::read_dir(dir.path())
        .unwrap()
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("leaving-")));
    assert_eq!(left.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_written_is_not_in_force() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Http, vec![a.member("g", Active)])).await;
    let address = plane.address().await;
    // A folder in the way of the staged file fails as a full disk does, for root as well.
    let way = plane.dir.path().join("wanted.json.new");
    std::fs::create_dir(&way).unwrap();
    let refused = plane.client.put_wanted(&web(2, Protocol::Http, Vec::new())).await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Refused { status: 507, message } if message.starts_with("cannot write ")),
        "{refused}"
    );
    assert_eq!(plane.status().await.generation, Some(1));
    assert_eq!(get(address, "/").await, (200, "a".into()));
    std::fs::remove_dir(way).unwrap();
    plane.put(&web(2, Protocol::Http, Vec::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_may_lie_deeper_than_a_socket_s_path_may_be_long() {
    let top = folder();
    let deep = top.path().join("d".repeat(120));
    let first = dataplane::server::start(crate::world::options(&deep)).unwrap();
    let client = Client::new(&deep);
    assert_eq!(client.status().await.unwrap().generation, None);
    let mut options = crate::world::options(&deep);
    options.take_over = true;
    let second = tokio::task::spawn_blocking(move || dataplane::server::start(options)).await.unwrap().unwrap();
    assert_eq!(client.status().await.unwrap().generation, None);
    first.stop().unwrap();
    second.stop().unwrap();
}
