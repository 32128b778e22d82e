//! Debian's own apt-get, with folders of its own, against `aptly serve` and against nginx.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::aptly::{SourceLine, public, wait_for_port};
use super::place::{Place, free_port};
use super::progress::Said;
use crate::environment::Environment;

/// From `aptly serve`.
pub async fn from_aptly(place: &Place, line: &SourceLine) -> anyhow::Result<Said<()>> {
    install(place, "apt-from-aptly", &line.0).await
}

/// From nginx with the story's configuration.
pub async fn from_nginx(place: &Place, environment: &Environment, line: &SourceLine) -> anyhow::Result<Said<()>> {
    let Some(nginx) = program("nginx", &environment.path.to_string_lossy()) else {
        return Ok(Said((), "left out: nginx is not installed (apt-get install nginx-light)".into()));
    };
    let port = free_port()?;
    let folder = place.at("nginx");
    std::fs::create_dir(&folder)?;
    let config = folder.join("nginx.conf");
    std::fs::write(&config, nginx_conf(&folder, &public(place), port, environment.root))?;
    let mut command = Command::new(nginx);
    command.arg("-c").arg(&config).arg("-e").arg(place.log().join("nginx.log")).arg("-p").arg(&folder);
    place.spawn("nginx", command)?;
    wait_for_port(port).await.with_context(|| format!("nginx: {}", place.tail("nginx")))?;
    let Said((), said) = install(place, "apt-from-nginx", &line.at(port).0).await?;
    let who = if environment.root { "its worker runs as www-data" } else { "it runs as you, since you are not root" };
    Ok(Said((), format!("nginx on port {port}; {who}\n{said}")))
}

/// The story's server block, in a file that needs nothing of the machine's own nginx.
fn nginx_conf(folder: &Path, public: &Path, port: u16, root: bool) -> String {
    let folder = folder.display();
    let user = if root { "user www-data;\n" } else { "" };
    // An IPv6 listener where there is no IPv6 would keep nginx from starting.
    let v6 =
        if Path::new("/proc/net/if_inet6").exists() { format!("    listen [::]:{port};\n") } else { String::new() };
    format!(
        "{user}daemon off;\nmaster_process on;\nworker_processes 1;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n  access_log off;\n  \
         client_body_temp_path {folder}/body;\n  proxy_temp_path {folder}/proxy;\n  fastcgi_temp_path {folder}/fastcgi;\n  \
         uwsgi_temp_path {folder}/uwsgi;\n  scgi_temp_path {folder}/scgi;\n  server {{\n    listen {port};\n{v6}    root {};\n    \
         location / {{ try_files $uri $uri/ =404; }}\n  }}\n}}\n",
        public.display()
    )
}

/// `update`, `download`, unpack: what an installation does, without touching this machine's own packages.
async fn install(place: &Place, name: &str, source: &str) -> anyhow::Result<Said<()>> {
    let folder = place.at(name);
    for sub in [
        "etc/apt.conf.d",
        "etc/preferences.d",
        "etc/trusted.gpg.d",
        "etc/sources.list.d",
        "lists/partial",
        "cache/archives/partial",
        "unpacked",
    ] {
        std::fs::create_dir_all(folder.join(sub))?;
    }
    std::fs::write(folder.join("status"), "")?;
    std::fs::write(folder.join("etc/sources.list"), format!("{source}\n"))?;
    let at = |path: &str| folder.join(path).display().to_string();
    let config = format!(
        "Dir::State \"{}\";\nDir::State::lists \"{}\";\nDir::State::status \"{}\";\nDir::Cache \"{}\";\nDir::Etc \"{}\";\n\
         Dir::Log \"{}\";\nAPT::Architecture \"amd64\";\nAPT::Sandbox::User \"root\";\nDebug::NoLocking \"1\";\n\
         Acquire::http::Proxy \"DIRECT\";\nAcquire::Languages \"none\";\n",
        folder.display(),
        at("lists"),
        at("status"),
        at("cache"),
        at("etc"),
        folder.display()
    );
    std::fs::write(folder.join("apt.conf"), config)?;
    let apt = |words: &[&str]| -> anyhow::Result<()> {
        let output = Command::new("apt-get")
            .args(words)
            .env("APT_CONFIG", folder.join("apt.conf"))
            .env("LC_ALL", "C.UTF-8")
            .current_dir(&folder)
            .output()
            .context("cannot run apt-get")?;
        if output.status.success() && !String::from_utf8_lossy(&output.stderr).contains("E:") {
            return Ok(());
        }
        bail!(
            "apt-get {}: {}{}",
            words.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    apt(&["update"])?;
    apt(&["download", "helloterry"])?;
    let deb = folder.join("helloterry_1.0_all.deb");
    ensure!(deb.is_file(), "apt-get downloaded no {}", deb.display());
    let unpacked = Command::new("dpkg-deb")
        .arg("-x")
        .arg(&deb)
        .arg(folder.join("unpacked"))
        .status()
        .context("cannot run dpkg-deb")?;
    ensure!(unpacked.success(), "dpkg-deb cannot unpack {}", deb.display());
    ensure!(
        folder.join("unpacked/usr/lib/helloterry/server.js").is_file(),
        "the package lacks usr/lib/helloterry/server.js"
    );
    Ok(Said((), format!("{source}\napt-get update, apt-get download helloterry, unpacked")))
}

/// A program on the path, or where Debian puts servers.
fn program(name: &str, path: &str) -> Option<PathBuf> {
    path.split(':').chain(["/usr/sbin", "/sbin"]).map(|folder| Path::new(folder).join(name)).find(|file| file.is_file())
}
