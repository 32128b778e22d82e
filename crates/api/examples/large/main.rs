//! Serves the page over as much as a large team has, until its input ends: `large [APT-ROOT]`. It prints its address on a line.

use std::io::{Read, stdin};
use std::path::Path;

mod world;

#[tokio::main]
async fn main() {
    let size = world::Size { groups: 1_000, instances: 10, pipelines: 1_000, runs: 100_000 };
    let root = std::env::args().nth(1);
    let served = world::serve(size, root.as_deref().map(Path::new)).await;
    println!("http://{}", served.address);
    tokio::task::spawn_blocking(|| drop(stdin().read_to_end(&mut Vec::new()))).await.expect("read");
}
