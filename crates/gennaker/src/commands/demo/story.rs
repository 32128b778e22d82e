//! The story from the application on: pipelines, versions, a bad one, a crash; and the report.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::aptly;
use super::load::{CLOSING, KEEPING, Load};
use super::place::{Place, free_port};
use super::progress::{Progress, Said};
use super::server::{Server, why};

const APPLICATION: &str = include_str!("../../../../../examples/hellospinnaker/application.json");
const BALANCER: &str = include_str!("../../../../../examples/hellospinnaker/load-balancer.json");
const PIPELINE: &str = include_str!("../../../../../examples/hellospinnaker/pipeline.json");
const SHORT: &str = include_str!("../../../../../examples/hellospinnaker/short.json");
const APP: &str = "hellospinnaker";
/// A whole run takes seconds; this is for slow machines.
const PATIENCE: Duration = Duration::from_secs(180);

/// What came of it.
pub struct Report {
    /// Requests while versions changed.
    pub requests: u64,
    /// Those that failed.
    pub failures: u64,
    /// How long all of it took.
    pub took: Duration,
    lines: Vec<String>,
    page: String,
    balancer: String,
}

impl Report {
    /// For the end of the walk.
    pub fn shown(&self) -> String {
        format!(
            "\n  requests  {}\n  failures  {}\n{}\n",
            self.requests,
            self.failures,
            self.lines.iter().map(|l| format!("  {l}\n")).collect::<String>()
        )
    }

    /// Where to look now.
    pub fn addresses(&self) -> String {
        format!(
            "Everything keeps running:\n  page           {}\n  the service    {}\n`gennaker demo --clean` removes every trace. It took {:.0} s.",
            self.page,
            self.balancer,
            self.took.as_secs_f64()
        )
    }
}

/// Walks the rest of the story.
pub async fn tell(place: &Place, server: &mut Server, progress: &Progress) -> anyhow::Result<Report> {
    let port = progress.step("Creating application and load balancer", create(server)).await?;
    progress.step("Saving the pipelines", save(server, port)).await?;
    progress.step("1.0 by hand: bake, test, deploy dark, smoke test, traffic", first(server, port)).await?;
    let load = Load::start(port);
    let moment = Instant::now();
    progress.step("2.0 by publishing it: red/black under load", second(place, server, &load)).await?;
    progress.step("A broken 3.0 is stopped before any user meets it", third(place, server, &load)).await?;
    progress.step("SIGKILL to the control plane in the middle of a deployment", crash(place, server)).await?;
    progress.step("The page", page(server)).await?;
    let seen = load.stop().await;
    let mut lines = vec![format!(
        "clients   {KEEPING} that keep their connection, {CLOSING} that open one a request, for {:.1} s",
        moment.elapsed().as_secs_f64()
    )];
    for (text, (count, from, to)) in &seen.answers {
        let at = |i: &Instant| i.duration_since(moment).as_secs_f64();
        lines.push(format!("answer    \"{text}\": {count} times, from {:.2} s to {:.2} s", at(from), at(to)));
    }
    lines.push(format!("slowest   {} ms", seen.slowest.as_millis()));
    lines.extend(seen.reasons.iter().map(|reason| format!("failed    {reason}")));
    Ok(Report {
        requests: seen.requests,
        failures: seen.failures,
        took: Duration::ZERO,
        lines,
        page: format!("http://127.0.0.1:{}/ui/", server.port),
        balancer: format!("http://127.0.0.1:{port}/"),
    })
}

async fn create(server: &Server) -> anyhow::Result<Said<u16>> {
    server.task(&serde_json::from_str(APPLICATION)?).await?;
    let port = free_port()?;
    let mut balancer: Value = serde_json::from_str(BALANCER)?;
    balancer["job"][0]["portRange"] = json!(port.to_string());
    server.task(&balancer).await?;
    Ok(Said(port, format!("{APP}, TCP 8080 (here {port}), HTTP health check on /")))
}

async fn save(server: &Server, port: u16) -> anyhow::Result<Said<()>> {
    server.post("/pipelines", &serde_json::from_str(PIPELINE)?).await?;
    // The example asks where the load balancer is when it has the story's own port.
    let short = SHORT.replace("http://127.0.0.1:8080/", &format!("http://127.0.0.1:{port}/"));
    server.post("/pipelines", &serde_json::from_str(&short)?).await?;
    let saved = server.get(&format!("/applications/{APP}/pipelineConfigs")).await?;
    let names: Vec<_> =
        saved.as_array().into_iter().flatten().filter_map(|p| p["name"].as_str()).map(|n| format!("\"{n}\"")).collect();
    Ok(Said((), names.join(", ")))
}

async fn first(server: &Server, port: u16) -> anyhow::Result<Said<()>> {
    let run = start(server, "From package to traffic", json!({"type": "manual"})).await?;
    let done = follow(server, &run, true).await?;
    ensure!(done["status"] == "SUCCEEDED", "the run ended as {}:\n{}", done["status"], why(&done));
    let groups = groups(server).await?;
    let group = groups
        .iter()
        .find(|g| g["name"] == format!("{APP}-v000"))
        .with_context(|| format!("no {APP}-v000 among {}", names(&groups)))?;
    let instances = group["instances"].as_array().cloned().unwrap_or_default();
    let zones: BTreeSet<_> =
        instances.iter().filter_map(|i| i["zone"].as_str().or(i["availabilityZone"].as_str())).collect();
    ensure!(instances.len() == 4, "{APP}-v000 has {} instances, not 4", instances.len());
    ensure!(zones.len() == 2, "{APP}-v000 stands in {zones:?}, not in two zones");
    let text = events::http::client(reqwest::ClientBuilder::no_proxy)?
        .get(format!("http://127.0.0.1:{port}/"))
        .send()
        .await?
        .text()
        .await?;
    ensure!(text.trim() == "This is Default", "the load balancer answers \"{}\"", text.trim());
    Ok(Said(
        (),
        format!(
            "{APP}-v000: 4 instances in {}\ncurl http://127.0.0.1:{port}/ says \"{}\"",
            zones.into_iter().collect::<Vec<_>>().join(" and "),
            text.trim()
        ),
    ))
}

async fn second(place: &Place, server: &Server, load: &Load) -> anyhow::Result<Said<()>> {
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = latest(server).await?;
    aptly::publish_version(place, "2.0")?;
    let run = triggered(server, before.as_deref()).await?;
    let done = follow(server, &run, true).await?;
    ensure!(done["status"] == "SUCCEEDED", "the run ended as {}:\n{}", done["status"], why(&done));
    let time = |value: &Value| value.as_i64().context("the run lacks a time");
    let waited = time(&done["buildTime"])? - time(&done["trigger"]["publishedAt"])?;
    ensure!(waited <= 1000, "the pipeline started only {waited} ms after the publication");
    let left = groups(server).await?;
    ensure!(names(&left) == format!("{APP}-v001"), "after the run there are {}", names(&left));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (old, new) = load.look(|seen| {
        let at = |text: &str| seen.answers.get(text).copied();
        (at("This is Default"), at("This is v2"))
    });
    let (Some(old), Some(new)) = (old, new) else { bail!("the clients did not see both versions") };
    ensure!(load.look(|s| s.failures) == 0, "requests failed: {:?}", load.look(|s| s.reasons.clone()));
    let both = old.2.saturating_duration_since(new.1);
    Ok(Said(
        (),
        format!(
            "the pipeline started {} ms after the publication; the first \"This is v2\" came while \"This is Default\" was still answered for {} ms; 0 failures\n{APP}-v000 is destroyed, {APP}-v001 has the traffic",
            waited,
            both.as_millis()
        ),
    ))
}

async fn third(place: &Place, server: &Server, load: &Load) -> anyhow::Result<Said<()>> {
    let before = latest(server).await?;
    aptly::publish_version(place, "3.0")?;
    let run = triggered(server, before.as_deref()).await?;
    let done = follow(server, &run, false).await?;
    ensure!(done["status"] == "TERMINAL", "the run of the broken version ended as {}", done["status"]);
    let smoke = stage(&done, "Smoke test").context("the run has no stage \"Smoke test\"")?;
    ensure!(smoke["status"] == "TERMINAL", "the smoke test ended as {}:\n{}", smoke["status"], why(&done));
    let met = load.look(|seen| seen.answers.keys().any(|text| text.contains("broken")));
    ensure!(!met, "a user's request reached the broken version");
    Ok(Said((), format!("{}\nno user's request reached it", why(&done))))
}

async fn crash(place: &Place, server: &mut Server) -> anyhow::Result<Said<()>> {
    let known: BTreeSet<String> =
        groups(server).await?.iter().filter_map(|g| g["name"].as_str().map(str::to_owned)).collect();
    let run = start(server, "Short", json!({"type": "manual", "parameters": {"package": "helloterry=2.0"}})).await?;
    let until = Instant::now() + PATIENCE;
    // In the middle: the new group exists, the stage is not done.
    loop {
        let execution = server.get(&format!("/pipelines/{run}")).await?;
        let made = groups(server).await?.iter().any(|g| g["name"].as_str().is_some_and(|n| !known.contains(n)));
        if made {
            break;
        }
        ensure!(
            execution["status"] == "RUNNING" || execution["status"] == "NOT_STARTED",
            "the run ended too early as {}:\n{}",
            execution["status"],
            why(&execution)
        );
        ensure!(Instant::now() < until, "no new server group appears");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    server.kill()?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let took = server.restart(place).await?;
    let done = follow(server, &run, true).await?;
    ensure!(done["status"] == "SUCCEEDED", "the run ended as {}:\n{}", done["status"], why(&done));
    let new: Vec<String> = groups(server)
        .await?
        .iter()
        .filter_map(|g| g["name"].as_str().map(str::to_owned))
        .filter(|n| !known.contains(n))
        .collect();
    ensure!(new.len() == 1, "the deployment made {}: one was wanted", new.join(", "));
    Ok(Said(
        (),
        format!(
            "killed while {} was being deployed; back after {} ms; the deployment finished, the group exists once",
            new[0],
            took.as_millis()
        ),
    ))
}

async fn page(server: &Server) -> anyhow::Result<Said<()>> {
    let url = format!("http://127.0.0.1:{}/ui/", server.port);
    let answer = events::http::client(reqwest::ClientBuilder::no_proxy)?.get(&url).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status.is_success() && text.contains("<html"), "{url} answers {status}");
    Ok(Said((), url))
}

async fn start(server: &Server, name: &str, trigger: Value) -> anyhow::Result<String> {
    let path = format!("/pipelines/{APP}/{}", name.replace(' ', "%20"));
    let answer = server.post(&path, &trigger).await?;
    let reference = answer["ref"].as_str().context("the start answers no ref")?;
    Ok(reference.trim_start_matches("/pipelines/").to_owned())
}

/// Follows a run to its end; answers its judgments with `continue` when told so.
async fn follow(server: &Server, run: &str, answer: bool) -> anyhow::Result<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let execution = server.get(&format!("/pipelines/{run}")).await?;
        let status = execution["status"].as_str().unwrap_or_default().to_owned();
        if ["SUCCEEDED", "TERMINAL", "CANCELED", "STOPPED"].contains(&status.as_str()) {
            return Ok(execution);
        }
        let waiting = execution["stages"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|s| s["type"] == "manualJudgment" && s["status"] == "RUNNING");
        if let (true, Some(id)) = (answer, waiting.and_then(|s| s["id"].as_str())) {
            // Somebody may have answered it this very moment.
            let _ =
                server.patch(&format!("/pipelines/{run}/stages/{id}"), &json!({"judgmentStatus": "continue"})).await;
        }
        if Instant::now() >= until {
            let running: Vec<_> = execution["stages"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|s| s["status"] == "RUNNING")
                .filter_map(|s| s["name"].as_str())
                .collect();
            bail!("the run {run} is still {status} after {} s, in {}", PATIENCE.as_secs(), running.join(", "));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn latest(server: &Server) -> anyhow::Result<Option<String>> {
    let runs = server.get(&format!("/applications/{APP}/pipelines?limit=1")).await?;
    Ok(runs[0]["id"].as_str().map(str::to_owned))
}

/// The run that a publication starts.
async fn triggered(server: &Server, before: Option<&str>) -> anyhow::Result<String> {
    let begun = Instant::now();
    loop {
        if let Some(run) = latest(server).await?.filter(|run| Some(run.as_str()) != before) {
            return Ok(run);
        }
        ensure!(begun.elapsed() < Duration::from_secs(5), "the publication started no pipeline within 5 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn groups(server: &Server) -> anyhow::Result<Vec<Value>> {
    let groups = server.get(&format!("/applications/{APP}/serverGroups")).await?;
    let mut groups = groups.as_array().cloned().unwrap_or_default();
    groups.retain(|g| g["cluster"] == APP || g["cluster"].is_null());
    Ok(groups)
}

fn names(groups: &[Value]) -> String {
    let mut names: Vec<_> = groups.iter().filter_map(|g| g["name"].as_str()).collect();
    names.sort_unstable();
    names.join(", ")
}

fn stage<'a>(execution: &'a Value, name: &str) -> Option<&'a Value> {
    execution["stages"].as_array()?.iter().find(|s| s["name"] == name)
}
