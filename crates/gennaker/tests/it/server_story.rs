//! The server as a process: how it starts, what it refuses, how it ends.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::server::{Server, ask, exchange, gennaker, run};

#[test]
fn it_answers_right_after_its_start_and_keeps_its_data_private() {
    let since = Instant::now();
    let server = Server::start("");
    let (status, body) = ask(&server.address(), "GET", "/health", "");
    println!("first /health {:?} after the start", since.elapsed());
    assert_eq!((status, body.as_str()), (200, r#"{"status":"UP"}"#));
    assert!(since.elapsed() < Duration::from_secs(10));

    let file = server.file().expect("it says where it is");
    assert_eq!(ask(file["gateListen"].as_str().expect("an address"), "GET", "/health", "").0, 200);
    assert_eq!(file["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(std::fs::metadata(server.data()).expect("there").permissions().mode() & 0o777, 0o700);
    for private in ["gennaker.db", "lock"] {
        let mode = std::fs::metadata(server.data().join(private)).expect(private).permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{private}");
    }
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_by_name() {
    let server = Server::start("");
    let (code, _, complaint) = run(&mut Server::command(server.folder.path()));
    assert_eq!(code, 1);
    let pid = server.pid().as_raw_nonzero();
    assert!(complaint.contains(&format!("another server (process {pid}) uses the data folder")), "{complaint}");
    assert_eq!(ask(&server.address(), "GET", "/health", "").0, 200, "the first one does not mind");
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = gennaker(folder.path());
    command
        .args(["serve", "--listen", &address, "--gate-listen", "none"])
        .arg("--data")
        .arg(folder.path().join("data"));
    let (code, _, complaint) = run(&mut command);
    assert_eq!(code, 1);
    assert!(complaint.contains(&format!("cannot listen on {address}: end what listens there")), "{complaint}");
    assert!(complaint.contains("--listen"), "{complaint}");
}

#[test]
fn it_listens_elsewhere_only_with_a_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = gennaker(folder.path());
    command
        .args(["serve", "--listen", "0.0.0.0:0", "--gate-listen", "none"])
        .arg("--data")
        .arg(folder.path().join("data"));
    let (code, _, complaint) = run(&mut command);
    assert_eq!(code, 1);
    assert!(complaint.contains("refusing to listen on 0.0.0.0:0 without a token"), "{complaint}");
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[test]
fn a_folder_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("made");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("opened");
    std::fs::write(folder.path().join("gennaker.toml"), "").expect("written");
    let (code, _, complaint) = run(&mut Server::command(folder.path()));
    assert_eq!(code, 1);
    assert!(complaint.contains("can be read by others: run chmod 700"), "{complaint}");
}

#[test]
fn a_mistake_in_the_file_is_shown_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("gennaker.toml"), "[server]\nlitsen = \"127.0.0.1:1\"\n").expect("written");
    let (code, _, complaint) = run(&mut Server::command(folder.path()));
    assert_eq!(code, 1);
    assert!(
        complaint.contains("gennaker.toml") && complaint.contains("line 2") && complaint.contains("litsen"),
        "{complaint}"
    );
}

#[test]
fn what_is_wrong_with_zones_and_instance_types_is_found_before_a_server_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gennaker.toml");
    for (text, expected) in [
        ("zones = []", "[local]: zones: name at least one, and each once"),
        ("zones = [\"a\", \"a\"]", "[local]: zones: name at least one, and each once"),
        ("zones = [\"a/b\"]", "[local]: zone \"a/b\" is no name of letters, digits, - and _"),
        ("instance_type = [{name = \"s\", memory_mib = 0}]", "[[local.instance_type]] s: memory_mib: 1 or more"),
        ("instance_type = [{name = \"s\", cpus = -1}]", "[[local.instance_type]] s: cpus: from 0.01 on"),
        (
            "instance_type = [{name = \"s\"}, {name = \"s\"}]",
            "[[local.instance_type]] \"s\": give each a name of its own",
        ),
    ] {
        std::fs::write(&file, format!("[local]\n{text}\n")).expect("written");
        let (code, _, why) = run(gennaker(folder.path()).args(["config", "check"]).arg(&file));
        assert!(code == 1 && why.contains(expected), "{text}: {code} {why}");
        let (code, _, why) = run(&mut Server::command(folder.path()));
        assert!(code == 1 && why.contains(expected), "{text}: {code} {why}");
    }
}

#[test]
fn status_and_stop_know_the_server_and_stop_is_no_error_twice() {
    let mut server = Server::start("");
    let (code, told, _) = server.also(&["status"]);
    assert_eq!(code, 0, "{told}");
    let address = server.address();
    assert!(told.contains(&format!("process {}", server.pid().as_raw_nonzero())), "{told}");
    assert!(told.contains(&format!("http://{address}/ui/")), "{told}");

    // An open stream must not keep the server from ending.
    let stream = std::net::TcpStream::connect(&address).expect("connects");
    std::io::Write::write_all(&mut &stream, b"GET /ui-api/live HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let (code, told, complaint) = server.also(&["stop"]);
    assert_eq!(code, 0, "{told}{complaint}");
    assert!(told.starts_with("the server has ended"), "{told}");
    assert_eq!(server.ended(), Some(0));
    assert!(server.file().is_none(), "its file is gone");

    let (code, told, _) = server.also(&["status"]);
    assert_eq!(code, 3);
    assert!(told.contains("server       not running"), "{told}");
    let (code, told, _) = server.also(&["stop"]);
    assert_eq!(code, 0);
    assert!(told.starts_with("no server runs for "), "{told}");
}

#[test]
fn after_a_kill_the_next_server_takes_the_folder_at_once() {
    let server = Server::start("");
    let folder = server.kill();
    let since = Instant::now();
    let server = Server::start_in(folder, "");
    println!("serves again after {:?}", since.elapsed());
    assert_eq!(ask(&server.address(), "GET", "/health", "").0, 200);
}

#[test]
fn a_token_opens_the_door_and_its_hash_tells_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = "correct-horse-battery-staple";
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{token}\n")).expect("written");
    let mut hash = gennaker(folder.path());
    let (code, hashed, _) = run(hash.args(["token", "hash"]).stdin(std::fs::File::open(&file).expect("opens")));
    assert_eq!(code, 0);
    assert!(hashed.starts_with("$argon2id$") && !hashed.contains(token), "{hashed}");

    let config = format!("[[token]]\nname = \"ci\"\nrole = \"operator\"\nhash = \"{}\"\n", hashed.trim());
    let server = Server::start(&config);
    assert_eq!(ask(&server.address(), "GET", "/health", "").0, 200);
    assert_eq!(ask(&server.address(), "GET", "/no-such-path", "").0, 401);

    // Whose token it was stands in the log of what was done.
    let bearer = [format!("Authorization: Bearer {token}")];
    let (status, _, made) = exchange(&server.address(), "POST", "/api/repos", &bearer, r#"{"Name": "shop"}"#);
    assert_eq!(status, 201, "{made}");
    let (_, _, told) = exchange(&server.address(), "GET", "/ui-api/operations", &bearer, "");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["operations"][0]["who"], "ci", "{told}");
    let (_, _, told) = exchange(&server.address(), "GET", "/ui-api/activity?who=ci&kind=repository", &bearer, "");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((&told["happenings"][0]["who"], &told["next"]), (&"ci".into(), &serde_json::Value::Null), "{told}");
    assert_eq!(told["happenings"][0]["operation"]["changes"][0]["name"], "shop", "{told}");
    // The page names the tokens, and nothing of their hashes.
    let (_, _, told) = exchange(&server.address(), "GET", "/ui-api/settings", &bearer, "");
    assert_eq!(told, r#"{"zone":"UTC","tokens":[{"name":"ci","role":"operator"}]}"#);

    // One that is made is good as it comes.
    let (code, block, said) =
        run(gennaker(folder.path()).args(["token", "create", "kim \"k\"", "--role", "read", "--for-file"]));
    assert_eq!(code, 0, "{said}");
    let made = said.trim().rsplit(' ').next().expect("a token");
    assert!(made.len() == 52 && !block.contains(made), "{said}");
    let kims = Server::start(&block);
    let bearer = [format!("Authorization: Bearer {made}")];
    let (_, _, told) = exchange(&kims.address(), "GET", "/ui-api/settings", &bearer, "");
    assert_eq!(told, r#"{"zone":"UTC","tokens":[{"name":"kim \"k\"","role":"viewer"}]}"#);
    let (status, _, _) = exchange(&kims.address(), "POST", "/api/repos", &bearer, r#"{"Name": "shop"}"#);
    assert_eq!(status, 403, "a viewer changes nothing");

    std::fs::write(&file, "short\n").expect("written");
    let mut hash = gennaker(folder.path());
    let (code, _, complaint) = run(hash.args(["token", "hash"]).stdin(std::fs::File::open(&file).expect("opens")));
    assert_eq!(code, 1);
    assert!(complaint.contains("fewer than 16 characters can be guessed"), "{complaint}");
}
