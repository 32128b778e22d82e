//! The repository, by aptly's own commands, each a process of its own.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::place::{Place, free_port};
use super::progress::Said;

/// Makes the repository, publishes 1.0 and serves it; the source line that we printed, with the address of `aptly serve`, and that address.
pub async fn publish_first(place: &Place) -> anyhow::Result<Said<SourceLine>> {
    let port = free_port()?;
    let (mut said, mut line) = (String::new(), None);
    for words in [
        &["repo", "create", "terry-repo"][..],
        &["repo", "add", "-force-replace", "terry-repo", "helloterry_1.0_all.deb"],
        &["repo", "show", "-with-packages", "terry-repo"],
        &["publish", "repo", "-distribution=stretch", "-architectures=amd64", "-skip-signing=true", "terry-repo"],
    ] {
        let output = run(place, words)?;
        if words[1] == "show" {
            ensure!(
                output.contains("helloterry_1.0_all"),
                "aptly repo show does not list helloterry_1.0_all:\n{output}"
            );
        }
        if words[0] == "publish" {
            line = output.lines().map(str::trim).find(|l| l.starts_with("deb [")).map(|l| SourceLine(l.to_owned()));
        }
        said.push_str(&format!("aptly {}\n", words.join(" ")));
    }
    for file in [
        "dists/stretch/Release",
        "dists/stretch/main/binary-amd64/Packages",
        "pool/main/h/helloterry/helloterry_1.0_all.deb",
    ] {
        let path = public(place).join(file);
        ensure!(path.is_file(), "the publication lacks {}", path.display());
    }
    let mut command = place.command("aptly");
    command.args(["serve", &format!("-listen=:{port}")]);
    place.spawn("aptly-serve", command)?;
    wait_for_port(port).await.with_context(|| format!("aptly serve: {}", place.tail("aptly-serve")))?;
    said.push_str(&format!("aptly serve -listen=:{port}"));
    let line = line.context("aptly publish repo prints no source line")?;
    Ok(Said(line.at(port), said))
}

/// A line for `sources.list`.
pub struct SourceLine(pub String);

impl SourceLine {
    /// The same for another server on this machine.
    pub fn at(&self, port: u16) -> SourceLine {
        let words = self.0.split(' ').map(|word| {
            if word.starts_with("http://") { format!("http://127.0.0.1:{port}/") } else { word.to_owned() }
        });
        SourceLine(words.collect::<Vec<_>>().join(" "))
    }
}

/// Adds another version and publishes it.
pub fn publish_version(place: &Place, version: &str) -> anyhow::Result<()> {
    run(place, &["repo", "add", "-force-replace", "terry-repo", &format!("helloterry_{version}_all.deb")])?;
    run(place, &["publish", "update", "-skip-signing=true", "stretch"])?;
    Ok(())
}

/// Where aptly publishes.
pub fn public(place: &Place) -> std::path::PathBuf {
    place.home().join(".aptly/public")
}

fn run(place: &Place, words: &[&str]) -> anyhow::Result<String> {
    let output = place.command("aptly").args(words).output().context("cannot run aptly")?;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("aptly {} ended with {}:\n{text}", words.join(" "), output.status);
    }
    Ok(text)
}

/// Waits until somebody listens on a loopback port.
pub async fn wait_for_port(port: u16) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(Instant::now() < until, "nobody listens on port {port} after 10 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
