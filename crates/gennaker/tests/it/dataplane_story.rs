//! The data plane with the real binary: it outlives whoever started it, is adopted, and brings everything back.

use std::path::Path;
use std::time::{Duration, Instant};

use dataplane::client::Client;
use dataplane::status::{HealthState, InstanceStatus, Status};
use dataplane::wanted::{
    Balancer, HealthCheck, Instance, Listener, Member, MemberState, Probe, Protocol, Root, StatusRange, Wanted,
};

use crate::server::free_port;

/// A server of a few lines that every machine of ours has an interpreter for.
const SERVER: &str = r#"
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ENV{PORT}", Listen => 50, ReuseAddr => 1) or die "cannot listen: $!";
$| = 1; print "listening on $ENV{PORT}\n";
while (my $c = $s->accept) {
    while (my $l = <$c>) { last if $l eq "\r\n"; }
    print $c "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\nThis is Default";
    close $c;
}
"#;

fn wanted(generation: u64, image: &Path, ports: &[u16], front: u16) -> Wanted {
    let probe = Probe::Http { path: "/".into(), port: None, expect: vec![StatusRange { from: 200, to: 200 }] };
    let health = HealthCheck { probe, interval_ms: 100, timeout_ms: 1000, rise: 1, fall: 2 };
    let instance = |(i, port): (usize, &u16)| {
        let command = ["/usr/bin/perl", "/usr/share/hello/server.pl"].map(str::to_owned).to_vec();
        let mut instance = Instance::new(
            format!("hello-v000-{i}"),
            "hello-v000",
            Root::Host { layers: vec![image.to_owned()] },
            command,
        );
        instance.port = Some(*port);
        instance.health = Some(health.clone());
        instance.grace_ms = 500;
        instance
    };
    let instances: Vec<Instance> = ports.iter().enumerate().map(instance).collect();
    let member = |i: &Instance| Member {
        id: i.id.clone(),
        group: i.group.clone(),
        address: ([127, 0, 0, 1], i.port.unwrap_or(0)).into(),
        weight: 1,
        state: MemberState::Active,
    };
    let members = instances.iter().map(member).collect();
    let listeners = vec![Listener {
        address: ([127, 0, 0, 1], front).into(),
        protocol: Protocol::Auto,
        allow: None,
        proxy_protocol: false,
        certificates: Vec::new(),
    }];
    let balancer = Balancer { id: "hello".into(), listeners, health: Some(health), members, ..Balancer::default() };
    Wanted { generation, balancers: vec![balancer], instances, ..Wanted::default() }
}

async fn until(client: &Client, what: &str, is: impl Fn(&Status) -> bool) -> Status {
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let status = client.status().await;
        match status {
            Ok(status) if is(&status) => return status,
            last if Instant::now() > deadline => panic!("waited in vain until {what}: {last:#?}"),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn green(status: &Status) -> bool {
    let up = |i: &InstanceStatus| i.health.state == HealthState::Up && i.pid.is_some();
    status.instances.len() == 2 && status.instances.iter().all(up)
}

async fn curl(port: u16) -> String {
    let url = format!("http://127.0.0.1:{port}/");
    let answer = reqwest::get(url).await.expect("an answer");
    answer.text().await.expect("its text")
}

fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a number");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
}

/// Ends everything, also when the test fails.
struct Everything(std::path::PathBuf);

impl Drop for Everything {
    fn drop(&mut self) {
        let entries = std::fs::read_dir(self.0.join("instances")).into_iter().flatten().flatten();
        for word in
            entries.filter_map(|e| dataplane::folder::Folder::at(e.path()).word().ok()).filter(|w| w.shim.is_alive())
        {
            kill(word.shim.pid);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_behind_a_balancer_outlive_kills_and_come_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let data = tempfile::Builder::new().permissions(private).tempdir().expect("a folder");
    let image = tempfile::tempdir().expect("a folder");
    let share = image.path().join("usr/share/hello");
    std::fs::create_dir_all(&share).expect("made");
    std::fs::write(share.join("server.pl"), SERVER).expect("written");
    let exe = Path::new(env!("CARGO_BIN_EXE_gennaker"));
    let _everything = Everything(data.path().to_owned());

    let client = dataplane::spawn::spawn(data.path(), exe).await.expect("it starts");
    let (ports, front) = ([free_port(), free_port()], free_port());
    let accepted = client.put_wanted(&wanted(1, image.path(), &ports, front)).await.expect("accepted");
    assert_eq!(accepted.problems, [""; 0]);
    let first = until(&client, "both are green", green).await;
    assert_eq!(curl(front).await, "This is Default");
    assert_eq!(first.instances[0].ports, [ports[0]]);

    // Who comes later adopts the one that runs.
    let again = dataplane::spawn::spawn(data.path(), exe).await.expect("it is adopted");
    assert_eq!(again.status().await.expect("a status").pid, first.pid);

    // Another build takes over; instances and address stay.
    dataplane::spawn::replace(data.path(), exe).await.expect("it is replaced");
    let second = until(&client, "both are green", green).await;
    assert_ne!(second.pid, first.pid);
    let shims = |s: &Status| s.instances.iter().map(|i| i.shim_pid).collect::<Vec<_>>();
    assert_eq!(shims(&second), shims(&first));
    assert_eq!(curl(front).await, "This is Default");

    // All processes are killed, as by a reboot: the data plane alone brings everything back.
    kill(second.pid);
    shims(&second).into_iter().flatten().for_each(kill);
    let client = dataplane::spawn::spawn(data.path(), exe).await.expect("it starts again");
    let third = until(&client, "both are green again", green).await;
    assert_ne!(shims(&third), shims(&second));
    assert_eq!(curl(front).await, "This is Default");

    let nothing = Wanted { generation: 2, ..Wanted::default() };
    client.put_wanted(&nothing).await.expect("accepted");
    until(&client, "nothing is left", |s| s.instances.is_empty()).await;
    client.stop().await.expect("it ends");
}
