//! What runs on this machine for a data folder: the server, the data plane, instances. Read from the folder itself, so
//! that it works while nothing answers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use dataplane::client::Client;
use dataplane::folder::{self, Folder};
use dataplane::status::Status;
use dataplane::wanted::{Instance, Wanted};
use store::lock::FolderLock;

use crate::commands::serve::ServerFile;
use crate::config::Config;
use crate::environment::Environment;

/// Which data folder a command is about.
#[derive(clap::Args)]
pub struct Place {
    /// The configuration file [default: /etc/gennaker/gennaker.toml as root, else ~/.config/gennaker/gennaker.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder [default: /var/lib/gennaker as root, else ~/.local/share/gennaker]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Place {
    /// The flag that names the same configuration file to another process of ours.
    pub fn config_flag(&self) -> Vec<std::ffi::OsString> {
        self.config.iter().flat_map(|file| ["--config".into(), file.clone().into_os_string()]).collect()
    }

    /// The configuration file that is looked for; it need not be there.
    pub fn config_file(&self, environment: &Environment) -> PathBuf {
        self.config.clone().unwrap_or_else(|| environment.default_config())
    }

    /// The data folder. A configuration that is not there (the machine is lost) says nothing of it.
    pub fn data_folder(&self, environment: &Environment) -> anyhow::Result<PathBuf> {
        let data = match &self.data {
            Some(data) => data.clone(),
            None if !self.config_file(environment).exists() => environment.default_data(),
            None => self.config(environment)?.data(environment),
        };
        std::path::absolute(&data).with_context(|| format!("cannot use {}", data.display()))
    }

    /// Whether a flag says which data folder is meant.
    pub fn names_data(&self) -> bool {
        self.data.is_some()
    }

    /// What a server for this folder goes by.
    pub fn config(&self, environment: &Environment) -> anyhow::Result<Config> {
        let flag = self.data.as_ref().map(|data| ("server", "data", data.to_string_lossy().into_owned()));
        Config::load(self.config.as_deref(), environment, flag.into_iter().collect())
    }

    /// The machine behind this folder.
    pub fn machine(&self) -> anyhow::Result<Machine> {
        let environment = Environment::read();
        let config = self.config(&environment)?;
        let data = std::path::absolute(config.data(&environment))?;
        Ok(Machine { client: Client::new(&data), data })
    }
}

/// A data folder and what runs for it.
pub struct Machine {
    /// The data folder.
    pub data: PathBuf,
    client: Client,
}

impl Machine {
    /// What the running server says of itself; `None` when none holds the folder. Without its file it is just starting or
    /// ending.
    pub fn server(&self) -> Option<Option<ServerFile>> {
        FolderLock::is_held(&self.data).then(|| ServerFile::read(&self.data))
    }

    /// What the data plane says; `None` when none answers.
    pub fn status(&self) -> anyhow::Result<Option<Status>> {
        if !self.data.join(dataplane::client::SOCKET).exists() {
            return Ok(None);
        }
        Ok(wait(async { self.client.status().await.ok() })?)
    }

    /// What the data plane was told last, from itself or from its file.
    pub fn wanted(&self) -> anyhow::Result<Wanted> {
        if let Some(Ok(Some(wanted))) = self.status()?.map(|_| wait(self.client.wanted())).transpose()? {
            return Ok(wanted);
        }
        let path = self.data.join(dataplane::server::WANTED);
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("cannot read {}", path.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Wanted::default()),
            Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Every instance that has a folder here, by id.
    pub fn instances(&self) -> Vec<(Instance, Folder)> {
        let Ok(entries) = std::fs::read_dir(folder::all(&self.data)) else { return Vec::new() };
        let folders = entries.filter_map(Result::ok).map(|entry| Folder::at(entry.path()));
        let mut found: Vec<_> = folders.filter_map(|folder| Some((folder.spec().ok()?, folder))).collect();
        found.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        found
    }

    /// Ends the server as its service manager would; returns once it let the folder go. `false`: none ran.
    pub fn stop_server(&self) -> anyhow::Result<bool> {
        let Some(file) = self.server() else { return Ok(false) };
        let pid = file.map(|file| file.pid).or_else(|| holder(&self.data));
        let pid = pid.and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()));
        let pid = pid.with_context(|| format!("cannot tell which process holds {}", self.data.display()))?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)
            .with_context(|| format!("cannot tell process {} to end", pid.as_raw_nonzero()))?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while FolderLock::is_held(&self.data) {
            if Instant::now() > deadline {
                bail!("the server (process {}) did not end within 30 s", pid.as_raw_nonzero());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(true)
    }

    /// Tells the data plane a new wanted state and waits until the instances that are not in it are gone. Starts a data
    /// plane when none runs: somebody must end what a dead one left.
    pub fn want(&self, wanted: &Wanted) -> anyhow::Result<()> {
        let exe = std::env::current_exe().context("cannot find this program's own file")?;
        wait(dataplane::spawn::spawn(&self.data, &exe))??;
        wait(self.client.put_wanted(wanted))??;
        let grace = wanted.instances.iter().map(|i| i.grace_ms).max().unwrap_or(10_000);
        let deadline = Instant::now() + Duration::from_millis(grace) + Duration::from_secs(30);
        loop {
            let status = wait(self.client.status())??;
            let extra = status.instances.iter().filter(|i| !wanted.instances.iter().any(|w| w.id == i.id)).count();
            if extra == 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{extra} instances did not end in time: look at `gennaker status`");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the data plane; returns once it does not answer any more and, unless its last connections take long, its process has ended.
    pub fn stop_dataplane(&self) -> anyhow::Result<()> {
        let process = self.status()?.and_then(|status| rustix::process::Pid::from_raw(i32::try_from(status.pid).ok()?));
        wait(self.client.stop())??;
        let deadline = Instant::now() + Duration::from_secs(15);
        while self.status()?.is_some() {
            if Instant::now() > deadline {
                bail!("the data plane did not end within 15 s");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let deadline = Instant::now() + LAST_CONNECTIONS;
        while process.is_some_and(|process| rustix::process::test_kill_process(process).is_ok())
            && Instant::now() < deadline
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// How long the last connections of a data plane are waited for.
const LAST_CONNECTIONS: Duration = Duration::from_secs(3);

/// The process that wrote its number into the lock's file.
fn holder(data: &Path) -> Option<u32> {
    std::fs::read_to_string(data.join("lock")).ok()?.trim().parse().ok()
}

/// The application of a server group, an instance's group or a balancer: what stands before the first `-`, of a preview
/// address after its prefix.
pub fn application(name: &str) -> &str {
    let name = name.strip_prefix("preview.").unwrap_or(name);
    name.split('-').next().unwrap_or(name)
}

/// A time that has passed, as people say it.
pub fn age(now: i64, since: i64) -> String {
    let seconds = (now - since).max(0) / 1000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Waits for one answer; commands have no runtime of their own.
fn wait<T>(answer: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_the_unit_that_fits() {
        for (seconds, said) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (200_000, "2 d"), (-5, "0 s")]
        {
            assert_eq!(age(seconds * 1000, 0), said);
        }
    }

    #[test]
    fn the_application_stands_before_the_first_dash() {
        for (name, app) in
            [("shop", "shop"), ("shop-v001", "shop"), ("shop-prod-blue-v001", "shop"), ("preview.shop-v001", "shop")]
        {
            assert_eq!(application(name), app);
        }
    }
}
