//! Programs that do not do what a deployment hopes for: one that listens elsewhere, one that takes its time, one that dies.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::redblack_story::{Users, deploy, ended, expect, groups, image, prepare, read, succeeds};
use crate::server::{Server, ask};

/// Puts this program in the place of the one of an image.
fn program(image: &Path, source: &str) {
    crate::redblack_story::image(image, "HTTP/1.1 200 OK", "");
    std::fs::write(image.join("usr/share/hello/server.pl"), source).expect("written");
}

/// What the provider knows of a server group's instances; nothing while it is not there.
fn details(server: &Server, group: &str) -> Vec<Value> {
    let json = |path: &str| {
        let (status, body) = ask(&server.address(), "GET", path, "");
        if status == 200 { serde_json::from_str(&body).expect("JSON") } else { Value::Null }
    };
    let group: Value = json(&format!("/applications/hello/serverGroups/local/local/{group}"));
    let names = group["instances"].as_array().into_iter().flatten().filter_map(|i| i["name"].as_str());
    names.map(|name| json(&format!("/instances/local/local/{name}"))["details"].take()).collect()
}

#[test]
fn a_program_that_listens_elsewhere_is_named_with_the_port_that_it_should_have_taken() {
    let (server, _) = prepare();
    let elsewhere = "use IO::Socket::INET; $| = 1;
        my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1:0', Listen => 5) or die; print 'my own way: ', $s->sockport, qq(\\n); sleep;";
    program(&server.folder.path().join("own"), elsewhere);
    let seen = ended(
        &server,
        &deploy(&server, "own", json!({"capacity": {"min": 1, "max": 1, "desired": 1}, "stageTimeoutMs": 10_000})),
    );
    assert_eq!(seen["status"], "TERMINAL");
    let (_, log, _) = server.also(&["logs", "hello"]);
    let own = log.rsplit("my own way: ").next().unwrap_or_default().trim().to_owned();
    let text = seen.to_string();
    assert!(text.contains(&format!("it listens on {own}, not on the port ")), "{own}: {seen:#}");
    assert!(text.contains("that it was given as PORT"), "{seen:#}");
}

#[test]
fn what_takes_five_seconds_is_finished_before_its_group_is_ended() {
    let (server, address) = prepare();
    let slow = "use IO::Socket::INET; $SIG{PIPE} = 'IGNORE'; $SIG{CHLD} = 'IGNORE';
        my $s = IO::Socket::INET->new(LocalAddr => qq(127.0.0.1:$ENV{PORT}), Listen => 100, ReuseAddr => 1) or die;
        while (my $c = $s->accept) {
            if (fork) { close $c; next }
            my $asked = <$c>; while (my $l = <$c>) { last if $l eq qq(\\r\\n) }
            sleep 5 if $asked =~ m(/slow);
            print $c qq(HTTP/1.1 200 OK\\r\\nContent-Length: 8\\r\\nConnection: close\\r\\n\\r\\nfinished); exit;
        }";
    program(&server.folder.path().join("slow"), slow);
    let two = json!({"capacity": {"min": 2, "max": 2, "desired": 2}});
    succeeds(&server, &deploy(&server, "slow", two.clone()));

    let (since, front) = (Instant::now(), address.clone());
    let asked = std::thread::spawn(move || (ask(&front, "GET", "/slow", ""), Instant::now()));
    // It is there before its group loses its traffic.
    while !read(&server, "/applications/hello/serverGroups").to_string().contains("hello-v000")
        || since.elapsed() < Duration::from_millis(300)
    {
        std::thread::sleep(Duration::from_millis(10));
    }
    let gone = json!({"capacity": {"min": 2, "max": 2, "desired": 2}, "scaleDown": true});
    let task = deploy(&server, "two", gone);
    let seen = ended(&server, &task);
    let over = Instant::now();
    assert_eq!(seen["status"], "SUCCEEDED", "{seen:#}");
    let (answer, answered) = asked.join().expect("asked");
    assert_eq!(answer, (200, "finished".to_owned()));
    assert!(answered - since >= Duration::from_secs(5) && answered <= over, "the group is ended after its last answer");
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 2)]));
    assert_eq!(ask(&address, "GET", "/", ""), (200, "This is v2".into()));
}

#[test]
fn an_instance_that_is_killed_while_its_group_is_deployed_is_started_again_and_users_notice_nothing() {
    let (server, address) = prepare();
    // Not well at once, so that there is a time in which it can die.
    let folder = server.folder.path().join("late");
    image(&folder, "HTTP/1.1 200 OK", "This is late");
    let file = folder.join("usr/share/hello/server.pl");
    let late = format!("sleep 2;\n{}", std::fs::read_to_string(&file).expect("written"));
    std::fs::write(&file, late).expect("written");
    succeeds(&server, &deploy(&server, "one", json!({})));
    let users = Users::begin(&address);
    let task = deploy(&server, "late", json!({}));
    let deadline = Instant::now() + crate::server::PATIENCE;
    let pid = loop {
        let pids: Vec<i64> = details(&server, "hello-v001").iter().filter_map(|i| i["pid"].as_i64()).collect();
        match pids.first() {
            Some(pid) => break *pid,
            None => assert!(Instant::now() < deadline, "no instance is started"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let victim = rustix::process::Pid::from_raw(i32::try_from(pid).expect("small")).expect("a process");
    rustix::process::kill_process(victim, rustix::process::Signal::KILL).expect("killed");
    succeeds(&server, &task);
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]));
    while users.count("This is late") < 50 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let seen = users.end();
    let answers: Vec<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(answers, ["This is Default", "This is late"], "{seen:?}");
    let mut restarts: Vec<i64> = details(&server, "hello-v001").iter().filter_map(|i| i["restarts"].as_i64()).collect();
    restarts.sort_unstable();
    assert_eq!(restarts, [0, 0, 0, 1]);
}
