use serde_json::{Value, json};

use super::{lines, page};

fn report() -> Value {
    let second = |at: i64, requests: u64, failures: u64| json!({"at": at, "requests": requests, "failures": failures, "retries": 0, "answers": requests});
    let total = |requests: u64, failures: u64| json!({"requests": requests, "failures": failures, "retries": 0, "p50Us": 800, "p99Us": 2100, "maxUs": 9000});
    json!({
        "execution": "R", "application": "shop", "name": "ship <it>", "status": "SUCCEEDED", "startTime": 1_800_000_000_000_i64,
        "endTime": 1_800_000_004_500_i64, "final": true, "total": {"requests": 300, "failures": 1, "retries": 0, "unserved": 0},
        "steps": [
            {"name": "Deploy", "type": "deploy", "status": "SUCCEEDED", "startTime": 1_800_000_000_250_i64, "endTime": 1_800_000_004_500_i64, "inside": false},
            {"name": "disableCluster", "type": "disableCluster", "status": "SUCCEEDED", "startTime": 1_800_000_001_500_i64, "endTime": 1_800_000_002_500_i64, "inside": true},
        ],
        "loadBalancers": [{"account": "local", "region": "local", "name": "front", "unserved": [], "groups": [
            {"serverGroup": "shop-v001", "role": "old", "total": total(200, 1), "seconds": [second(1_800_000_000_000, 150, 0), second(1_800_000_001_000, 50, 1)]},
            {"serverGroup": "shop-v002", "role": "new", "total": total(100, 0), "seconds": [second(1_800_000_001_000, 100, 0)]},
        ]}],
        "notes": [],
    })
}

#[test]
fn people_read_what_users_had_and_when_each_step_was() {
    let expected = "\
ship <it> of shop, 2027-01-15 08:00:00 UTC: SUCCEEDED after 4.5 s
300 requests, 1 failed, 0 sent again

load balancer front (local/local)
  server group                                 requests   failed    again        p50        p99    slowest
  shop-v001                        old              200        1        0     0.8 ms     2.1 ms     9.0 ms
  shop-v002                        new              100        0        0     0.8 ms     2.1 ms     9.0 ms

steps
  08:00:00.250     4.2 s SUCCEEDED    Deploy
  08:00:01.500     1.0 s SUCCEEDED      disableCluster";
    assert_eq!(lines(&report()).join("\n"), expected);
}

#[test]
fn the_page_is_one_file_with_a_picture_and_no_foreign_markup() {
    let page = page::page(&report());
    assert!(page.contains("<title>ship &lt;it&gt; of shop"), "names are text");
    assert_eq!(page.matches("<rect").count(), 3, "two seconds of the old group, one of the new");
    assert_eq!(page.matches("<circle").count(), 1, "one second with failures");
    assert_eq!(page.matches("<line").count(), 2, "one mark a step");
    assert!(!page.contains("<script") && !page.contains("http"), "nothing runs, nothing is fetched");
}

#[test]
fn a_report_without_requests_says_so() {
    let mut quiet = report();
    quiet["loadBalancers"] = json!([]);
    quiet["total"] = json!({"requests": 0});
    assert_eq!(lines(&quiet)[1], "no requests were measured");
    assert_eq!(page::page(&quiet).matches("<svg").count(), 0);
}
