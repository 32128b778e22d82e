//! Scripts as processes: what they see, how they end, and that nothing of them is left. Where the machine has a namespace it is used.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::*;

struct Ran {
    ended: Ended,
    lines: Vec<String>,
}

async fn ran_with(script: Script, means: &Means) -> Result<Ran, String> {
    let below = tempfile::tempdir().unwrap();
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = lines.clone();
    let log = Log::new(move |line| {
        // What the machine lacks is told, too; here only the script's own lines count.
        if !line.starts_with("gennaker: ") {
            sink.lock().unwrap().push(line.to_owned());
        }
    });
    let env = [("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("GREETING".to_owned(), "hello".to_owned())].into();
    let time = if script.time.is_zero() { Duration::from_secs(20) } else { script.time };
    let ended = run(Script { env, folder: below.path().to_owned(), time, ..script }, means, &log).await?;
    assert_eq!(std::fs::read_dir(below.path()).unwrap().count(), 0, "its folder is gone");
    let lines = lines.lock().unwrap().clone();
    Ok(Ran { ended, lines })
}

fn of(words: &[&str]) -> Script {
    let args = words[1..].iter().map(|w| (*w).to_owned()).collect();
    Script { program: words[0].to_owned(), args, ..Script::default() }
}

async fn ran(script: Script) -> Ran {
    let means = Means::of("/usr/bin:/bin").await;
    ran_with(script, &means).await.unwrap()
}

/// How many processes have these words; one that has ended and waits for its parent does not count.
fn running(words: &str) -> usize {
    let wanted = words.replace(' ', "\0") + "\0";
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter(|e| std::fs::read_to_string(e.path().join("cmdline")).is_ok_and(|line| line == wanted)).count()
}

async fn gone(words: &str) {
    let until = Instant::now() + Duration::from_secs(5);
    while running(words) > 0 {
        assert!(Instant::now() < until, "'{words}' lives on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_script_sees_its_environment_and_nothing_else() {
    let Ran { ended, lines } =
        ran(of(&["sh", "-c", "echo $GREETING; echo \"[$CARGO_MANIFEST_DIR]\" >&2; env | grep -c CARGO; true"])).await;
    assert_eq!((ended.failure, ended.code), (None, Some(0)));
    for line in ["hello", "[]", "0"] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:?}");
    }
}

#[tokio::test]
async fn arguments_are_not_read_by_a_shell() {
    let Ran { lines, .. } = ran(of(&["echo", "$GREETING; id", "`id`", "a  b", "--", "-n"])).await;
    assert_eq!(lines, ["$GREETING; id `id` a  b -- -n"]);
}

#[tokio::test]
async fn a_failure_says_the_code_or_the_signal_and_the_last_line() {
    let Ran { ended, .. } = ran(of(&["sh", "-c", "echo no; exit 3"])).await;
    assert_eq!(ended.failure.as_deref(), Some("sh ended with exit code 3; its last line: no"));
    assert_eq!(ended.code, Some(3));
    let Ran { ended, .. } = ran(of(&["sh", "-c", "kill -TERM $$"])).await;
    assert!(ended.failure.as_deref().unwrap().contains("was ended by signal 15"), "{:?}", ended.failure);
    let means = Means::of("/usr/bin:/bin").await;
    let error = ran_with(of(&["no-such-program"]), &means).await.err().unwrap();
    assert_eq!(error, "cannot start no-such-program: there is no such program that can be run");
}

#[tokio::test]
async fn a_text_is_run_as_a_script_and_its_properties_are_read() {
    let text =
        "mkdir -p out; echo \"$1 in $(basename $PWD)\"; printf 'a=1\\nimage: img\\n' > build.properties".to_owned();
    let script = Script {
        text: Some(text),
        args: vec!["x y".into()],
        working: Some("deep/er".into()),
        property_file: Some("build.properties".into()),
        ..Script::default()
    };
    let Ran { ended, lines } = ran(script).await;
    assert_eq!((ended.failure, lines), (None, vec!["x y in er".to_owned()]));
    assert_eq!(serde_json::json!(ended.properties), serde_json::json!({"a": "1", "image": "img"}));
    let python = Script { text: Some("#!/bin/sh\necho $0 | grep -c script".into()), ..Script::default() };
    assert_eq!(ran(python).await.lines, ["1"]);
}

#[tokio::test]
async fn a_property_file_is_a_plain_file_inside_the_folder() {
    let with = |command: &str, name: &str| Script { property_file: Some(name.into()), ..of(&["sh", "-c", command]) };
    let failure = |ran: Ran| ran.ended.failure.unwrap();
    assert!(failure(ran(with("true", "../x")).await).contains("leads out of the script's folder"));
    assert!(failure(ran(with("true", "/etc/passwd")).await).contains("leads out of the script's folder"));
    assert!(failure(ran(with("ln -s /etc/passwd p", "p")).await).contains("it is no plain file"));
    assert!(failure(ran(with("true", "p")).await).contains("the property file 'p' cannot be read: No such file"));
    let large = with("head -c 2000000 /dev/zero > p", "p");
    assert!(failure(ran(large).await).contains("larger than 1048576 bytes"));
}

#[tokio::test]
async fn orphans_end_with_a_script_that_ended_well_even_without_a_namespace() {
    for (means, number) in [(Means::of("/usr/bin:/bin").await, "86201"), (Means::default(), "86202")] {
        let command = format!("(setsid sh -c 'sleep {number}' >/dev/null 2>&1 &); exit 0");
        let Ran { ended, .. } = ran_with(of(&["sh", "-c", &command]), &means).await.unwrap();
        assert_eq!(ended.failure, None);
        gone(&format!("sleep {number}")).await;
    }
}

#[tokio::test]
async fn processor_time_memory_and_file_size_are_limited() {
    let means = Means::of("/usr/bin:/bin").await;
    if !means.limits_from_the_start() {
        println!("not run: this machine has no prlimit");
        return;
    }
    let with = |limits: Limits, command: &str| Script { limits, ..of(&["sh", "-c", command]) };
    let small = Limits { file_size_mb: Some(1), ..Limits::default() };
    let Ran { ended, .. } = ran(with(small, "exec head -c 3000000 /dev/zero > big")).await;
    assert!(ended.failure.as_deref().unwrap().contains("a larger file than its limit"), "{:?}", ended.failure);
    let slow = Limits { cpu_seconds: Some(1), ..Limits::default() };
    let Ran { ended, .. } = ran(with(slow, "while :; do :; done")).await;
    let failure = ended.failure.unwrap();
    assert!(failure.contains("more processor time than its limit") || failure.contains("signal 9"), "{failure}");
    let tight = Limits { memory_mb: Some(32), ..Limits::default() };
    let Ran { ended, .. } = ran(with(tight, "exec head -c 200000000 /dev/zero | tail -c 200000000 | wc -c")).await;
    assert!(!ended.last.contains(&"200000000".to_owned()), "{:?}", ended.last);
}
