//! How long lists of a large application take: 1,000 server groups with 10,000 instances in a simulated cloud, over HTTP. Prints the median and
//! the slowest of a hundred calls, and how large the answer is.
#![allow(clippy::disallowed_methods, reason = "a bench reads the wall clock")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::Tokens;
use api::server::Limits;
use api::{Guard, GuardConfig, House};
use bakery::Bakery;
use cloud::health::Capacity;
use cloud::inventory::Protocol;
use cloud::operation::{CreateServerGroup, Operation, UpsertLoadBalancer, WantedListener};
use cloud::simulated::{Behaviour, Simulated, World};
use cloud::{Clouds, Key, Provider};
use jiff::SignedDuration;
use pipeline::Engine;
use store::clock::SystemClock;
use store::{Location, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;

const GROUPS: usize = 1000;
const INSTANCES: u32 = 10;
const CALLS: usize = 100;

#[tokio::main]
async fn main() {
    let data = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(SystemClock);
    let place = Location::Sqlite(data.path().join("gennaker.db"));
    let lists = [pipeline::schema::MIGRATIONS, bakery::MIGRATIONS, cloud::local::MIGRATIONS];
    let store = Store::open(place, &lists, clock.clone()).expect("opens");
    let behaviour = Behaviour { takes: SignedDuration::ZERO, boots: SignedDuration::ZERO };
    let simulated = Arc::new(Simulated::open("cloudy", World::new(clock.clone(), behaviour)));
    fill(&simulated).await;
    let house = House {
        store: store.clone(),
        engine: Engine::new(store.clone()),
        clouds: Arc::new(Clouds::new(vec![simulated]).expect("one account")),
        bakery: Bakery::open(store, data.path().join("images"), Vec::new()).expect("opens"),
        registry: Arc::default(),
        stage_kinds: Arc::default(),
        webhooks: Arc::default(),
        cron_zone: jiff::tz::TimeZone::UTC,
        roots: Arc::default(),
        aptly: api::aptly::Aptly::new(None, api::aptly::Settings::default()),
    };
    let guard = Guard::new(GuardConfig::default(), Tokens::new(&[]).expect("none"), clock);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (_end, ending) = watch::channel(false);
    let limits = Limits { body_size: 1 << 20, body_time: Duration::from_secs(5) };
    tokio::spawn(api::server::serve(vec![listener], api::server::service(house, guard, limits), ending));
    for path in [
        "/applications/shop/serverGroups",
        "/applications/shop/serverGroups?expand=false",
        "/applications/shop/clusters",
    ] {
        tokio::task::block_in_place(|| measure(address, path));
    }
}

/// Two hundred clusters, five versions each.
async fn fill(cloud: &Simulated) {
    let listeners = vec![WantedListener::new(Protocol::Http, 80)];
    let balancer = UpsertLoadBalancer::new("front", "here", "shop", listeners);
    cloud.start(&Operation::UpsertLoadBalancer(balancer), &Key::new("front")).await.expect("made");
    for number in 0..GROUPS {
        let cluster = format!("shop-stack{}", number / 5).parse().expect("a name");
        let operation = CreateServerGroup {
            load_balancers: vec!["front".into()],
            ..CreateServerGroup::new(cluster, "here", "image-1", Capacity::exactly(INSTANCES))
        };
        let key = Key::new(format!("group-{number}"));
        cloud.start(&Operation::CreateServerGroup(operation), &key).await.expect("made");
    }
}

fn measure(address: SocketAddr, path: &str) {
    let mut times = Vec::new();
    let mut size = 0;
    for _ in 0..CALLS {
        let since = Instant::now();
        let mut stream = TcpStream::connect(address).expect("connects");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        times.push(since.elapsed());
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..answer.len().min(200)]));
        size = answer.len();
    }
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{path}: {GROUPS} groups, {} instances: {:.1} ms, slowest {:.1} ms, {} KiB",
        GROUPS * INSTANCES as usize,
        ms(times[CALLS / 2]),
        ms(times[CALLS - 1]),
        size >> 10
    );
}
