//! Instances: started, supervised, adopted, brought back, ended; and what they can see.

use std::net::SocketAddr;
use std::path::Path;

use dataplane::client::Client;
use dataplane::status::{HealthState, InstanceState, InstanceStatus, IsolationKind};
use dataplane::wanted::{Instance, Restart, Root, Wanted};
use rustix::process::{Pid, Signal, kill_process};

use crate::world::{Plane, Served, check, folder, get, program, until};

/// An image with the toy server in it.
fn image() -> tempfile::TempDir {
    let image = tempfile::tempdir().unwrap();
    let bin = image.path().join("usr/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::copy(program(), bin.join("toy-plane")).unwrap();
    // As packages have it that do not know of the merged /usr.
    for (file, text) in [
        ("lib/systemd/system/toy.service", "[Service]"),
        ("etc/toy.conf", "answer=1"),
        ("etc/shadow", "no"),
        ("var/lib/toy/data", "1"),
        ("opt/toy/x", "x"),
    ] {
        let path = image.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::set_permissions(image.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    image
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn toy(id: &str, image: &Path, answer: &str) -> Instance {
    let command = ["/usr/bin/toy-plane", "toy", answer].map(str::to_owned).to_vec();
    let root = Root::Host { layers: vec![image.to_owned()] };
    let mut instance = Instance::new(id, "toy-v000", root, command);
    instance.port = Some(free_port());
    instance.health = Some(check());
    instance.grace_ms = 500;
    instance
}

fn wanted(generation: u64, instances: &[Instance]) -> Wanted {
    Wanted { generation, instances: instances.to_vec(), ..Wanted::default() }
}

fn address(instance: &Instance) -> SocketAddr {
    ([127, 0, 0, 1], instance.port.unwrap()).into()
}

async fn find(client: &Client, id: &str) -> Option<InstanceStatus> {
    client.status().await.ok()?.instances.into_iter().find(|i| i.id == id)
}

async fn healthy(client: &Client, id: &str) -> InstanceStatus {
    until(&format!("{id} is green"), async || {
        find(client, id).await.filter(|i| i.health.state == HealthState::Up && i.shim_pid.is_some() && i.pid.is_some())
    })
    .await
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
}

fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_runs_tells_its_ports_and_ends_when_it_is_wanted_no_more() {
    let (plane, image) = (Plane::start(), image());
    let a = toy("a", image.path(), "This is Default");
    plane.put(&wanted(1, std::slice::from_ref(&a))).await;
    let status = healthy(&plane.client, "a").await;
    assert_eq!(get(address(&a), "/").await, (200, "This is Default".into()));
    assert_eq!((status.state, status.ports.as_slice()), (InstanceState::Running, &[a.port.unwrap()][..]));
    until("its words are told", async || {
        let lines = find(&plane.client, "a").await?.lines;
        (lines == [format!("toy listens on {}", a.port.unwrap())]).then_some(())
    })
    .await;

    // Another number restarts it, in place.
    let again = Instance { run: 1, ..a.clone() };
    plane.put(&wanted(2, &[again])).await;
    until("another shim runs it", async || {
        find(&plane.client, "a").await.filter(|i| i.pid.is_some() && i.shim_pid != status.shim_pid)
    })
    .await;

    plane.put(&wanted(3, &[])).await;
    until("it is gone", async || plane.status().await.instances.is_empty().then_some(())).await;
    assert!(!plane.dir.path().join("instances/a").exists());
    assert!(tokio::net::TcpStream::connect(address(&a)).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_ends_is_red_at_once_says_how_it_ended_and_is_started_again() {
    let (plane, image) = (Plane::start(), image());
    let mut a = toy("a", image.path(), "x");
    a.restart = Restart::Never;
    plane.put(&wanted(1, std::slice::from_ref(&a))).await;
    healthy(&plane.client, "a").await;
    get(address(&a), "/die").await;
    let ended =
        until("it has ended", async || find(&plane.client, "a").await.filter(|i| i.state == InstanceState::Ended))
            .await;
    assert_eq!(ended.exit.as_ref().unwrap().code, Some(1));
    assert_eq!(ended.lines[ended.lines.len() - 2..], ["toy was told to die", "plane: dying"]);
    assert_eq!(ended.health.state, HealthState::Down);
    assert!(ended.health.why.contains("exit code 1") || ended.health.why.contains("refused"), "{}", ended.health.why);

    let b = toy("b", image.path(), "x");
    plane.put(&wanted(2, std::slice::from_ref(&b))).await;
    healthy(&plane.client, "b").await;
    get(address(&b), "/die").await;
    let again = until("it runs again", async || {
        find(&plane.client, "b").await.filter(|i| i.restarts == 1 && i.health.state == HealthState::Up)
    })
    .await;
    assert_eq!(again.exit.unwrap().code, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_outlive_a_killed_data_plane_and_the_next_one_adopts_them() {
    let (dir, image) = (folder(), image());
    let client = Client::new(dir.path());
    let mut plane = Served::start(dir.path());
    until("it answers", async || client.status().await.ok()).await;
    let a = toy("a", image.path(), "x");
    client.put_wanted(&wanted(1, std::slice::from_ref(&a))).await.unwrap();
    let before = healthy(&client, "a").await;
    plane.kill();
    assert_eq!(get(address(&a), "/").await.0, 200, "it serves without a data plane");
    let mut plane = Served::start(dir.path());
    let after = healthy(&client, "a").await;
    assert_eq!((after.shim_pid, after.pid, after.restarts), (before.shim_pid, before.pid, 0));

    // Everything is killed, as by a reboot: the next data plane brings it back without being told.
    plane.kill();
    kill(after.shim_pid.unwrap());
    until("nothing is left", async || (!alive(after.pid.unwrap())).then_some(())).await;
    let mut plane = Served::start(dir.path());
    let back = healthy(&client, "a").await;
    assert_ne!(back.pid, after.pid);
    assert_eq!(get(address(&a), "/").await.0, 200);

    client.put_wanted(&wanted(2, &[])).await.unwrap();
    until("it is gone", async || client.status().await.unwrap().instances.is_empty().then_some(())).await;
    client.stop().await.unwrap();
    plane.wait();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_instance_survives_its_shim_and_a_new_one_takes_its_place() {
    let (plane, image) = (Plane::start(), image());
    plane.put(&wanted(1, &[toy("a", image.path(), "x")])).await;
    let status = healthy(&plane.client, "a").await;
    kill(status.shim_pid.unwrap());
    until("its program is gone too", async || (!alive(status.pid.unwrap())).then_some(())).await;
    until("another shim runs it", async || {
        find(&plane.client, "a").await.filter(|i| i.pid.is_some() && i.shim_pid != status.shim_pid)
    })
    .await;
    plane.put(&wanted(2, &[])).await;
    until("it is gone", async || plane.status().await.instances.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_started_says_why() {
    let (plane, image) = (Plane::start(), image());
    let mut a = toy("a", image.path(), "x");
    a.command = vec!["/usr/bin/no-such-program".into()];
    plane.put(&wanted(1, &[a])).await;
    let status = until("it was tried", async || {
        find(&plane.client, "a").await.filter(|i| i.restarts > 0 && !i.lines.is_empty())
    })
    .await;
    assert!(status.lines[0].contains("cannot run /usr/bin/no-such-program"), "{:?}", status.lines);
    plane.put(&wanted(2, &[])).await;
    until("it is gone", async || plane.status().await.instances.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_own_root_holds_nothing_of_the_host_but_usr() {
    let plane = Plane::start();
    if plane.status().await.isolation.kind == IsolationKind::None {
        assert!(!std::env::var("GENNAKER_TEST_REQUIRE").is_ok_and(|r| r == "all"), "this machine gives no namespaces");
        eprintln!("not run: {}", plane.status().await.isolation.why);
        return;
    }
    let image = image();
    let mut look = toy("look", image.path(), "x");
    look.restart = Restart::Never;
    look.health = None;
    let script = format!(
        "ls -d /etc/shadow /etc/ssh /home /boot /mnt {} 2>/dev/null; ls /; ls /lib/systemd/system/toy.service /etc/toy.conf /var/lib/toy/data /opt/toy/x /usr/bin/toy-plane /etc/shadow 2>/dev/null; id -u; cat /proc/1/comm; touch /usr/x /x 2>/dev/null; touch /var/lib/app/x && echo written",
        plane.dir.path().display()
    );
    look.command = vec!["/bin/sh".into(), "-c".into(), script];
    plane.put(&wanted(1, &[look])).await;
    let status =
        until("it has looked", async || find(&plane.client, "look").await.filter(|i| i.state == InstanceState::Ended))
            .await;
    let lines: Vec<&str> =
        status.lines.iter().map(String::as_str).filter(|l| !matches!(*l, "lib32" | "lib64" | "libx32")).collect();
    let (lines, rest) = lines.split_at(lines.len() - 3);
    let (root, image) = lines.split_at(lines.len() - 5);
    assert_eq!(
        image,
        ["/etc/toy.conf", "/lib/systemd/system/toy.service", "/opt/toy/x", "/usr/bin/toy-plane", "/var/lib/toy/data"]
    );
    assert_eq!(
        root,
        ["bin", "dev", "etc", "lib", "opt", "proc", "root", "run", "sbin", "tmp", "usr", "var"],
        "{:?}",
        status.lines
    );
    assert_ne!(rest[0], if rustix::process::geteuid().is_root() { "0" } else { "" });
    assert_eq!(rest[1..], ["gennaker-shim", "written"]);
    assert_eq!(status.exit.unwrap().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_namespaces_nothing_survives_its_shim_either() {
    let (plane, image) = (Plane::with(|o| o.isolate = false), image());
    assert_eq!(plane.status().await.isolation.why, "isolation is switched off");
    // A program that leaves its process group behind, as daemons do.
    let mut a = toy("a", image.path(), "x");
    let port = a.port.unwrap();
    a.command =
        ["/bin/sh", "-c", "setsid sleep 600 & exec \"$0\" toy x", "/usr/bin/toy-plane"].map(str::to_owned).to_vec();
    plane.put(&wanted(1, std::slice::from_ref(&a))).await;
    let first = healthy(&plane.client, "a").await;
    assert_eq!((first.isolation, first.ports.as_slice()), (IsolationKind::None, &[port][..]));
    let sleepers = || {
        let mark =
            format!("GENNAKER_FOLDER={}", plane.dir.path().canonicalize().unwrap().join("instances/a").display());
        let pids =
            std::fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
        let marked = |pid: &u32| {
            std::fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|e| e.split(|b| *b == 0).any(|e| e == mark.as_bytes()))
        };
        pids.filter(marked).collect::<Vec<u32>>()
    };
    let before = sleepers();
    assert_eq!(before.len(), 2, "the server and the sleeper");
    kill(first.shim_pid.unwrap());
    until("both are gone", async || before.iter().all(|pid| !alive(*pid)).then_some(())).await;
    healthy(&plane.client, "a").await;
    plane.put(&wanted(2, &[])).await;
    until("it is gone", async || plane.status().await.instances.is_empty().then_some(())).await;
    assert_eq!(sleepers(), [0; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_plane_starts_a_data_plane_once_and_adopts_it_later() {
    let dir = folder();
    let first = dataplane::spawn::spawn(dir.path(), &program()).await.unwrap();
    let pid = first.status().await.unwrap().pid;
    let second = dataplane::spawn::spawn(dir.path(), &program()).await.unwrap();
    assert_eq!(second.status().await.unwrap().pid, pid);
    second.stop().await.unwrap();
    until("it has ended", async || (!alive(pid)).then_some(())).await;
    let wrong = dataplane::spawn::spawn(dir.path(), Path::new("/no/such/program")).await.unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "cannot start the data plane /no/such/program: No such file or directory (os error 2)"
    );
}
