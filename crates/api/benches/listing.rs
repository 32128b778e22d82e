//! How long lists of a large application take: 1,000 server groups with 10,000 instances in a simulated cloud, 1,000 pipelines with 100,000
//! past runs, over HTTP. Prints the median and the slowest of a hundred calls, and how large the answer is.
#![allow(clippy::disallowed_methods, reason = "a bench reads the wall clock")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

#[path = "../examples/large/world.rs"]
mod world;

const SIZE: world::Size = world::Size { groups: 1_000, instances: 10, pipelines: 1_000, runs: 100_000 };
const CALLS: usize = 100;

#[tokio::main]
async fn main() {
    let served = world::serve(SIZE, None).await;
    for path in [
        "/applications/shop/serverGroups",
        "/applications/shop/serverGroups?expand=false",
        "/applications/shop/clusters",
        "/applications/shop/pipelineConfigs",
        "/applications/shop/pipelines?limit=2",
        "/applications/shop/pipelines?limit=2&expand=false",
        "/ui-api/home",
        "/ui-api/activity",
        "/ui-api/activity?object=pipeline-7",
    ] {
        tokio::task::block_in_place(|| measure(served.address, path));
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
    println!("{path}: {:.1} ms, slowest {:.1} ms, {} KiB", ms(times[CALLS / 2]), ms(times[CALLS - 1]), size >> 10);
}
