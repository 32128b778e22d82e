//! What clouds do to those who call them, and names that try to become something else (the rows "cloud answers" and "resource names" of the
//! threats).

use cloud::health::Capacity;
use cloud::names::{ClusterName, GroupName, check_plain};
use cloud::operation::CreateServerGroup;
use cloud::simulated::Fault;
use cloud::{CloudError, Key, Operation, Progress, Query};
use testkit::provider_suite::Ground;

use crate::simulated::play;

fn create() -> Operation {
    let cluster = "shop".parse().unwrap();
    Operation::CreateServerGroup(CreateServerGroup::new(cluster, "there", "good-image", Capacity::exactly(2)))
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_group() {
    let play = play(0, 0);
    play.world.next(Fault::LosesAnswer);
    let lost = play.provider().start(&create(), &Key::new("one")).await.unwrap_err();
    assert!(lost.may_retry(), "{lost}");
    play.provider().start(&create(), &Key::new("one")).await.unwrap();
    assert_eq!(play.provider().list(&Query::default()).await.unwrap().server_groups.len(), 1);
}

#[tokio::test]
async fn a_cloud_that_is_overrun_says_how_long_to_wait_and_does_nothing() {
    let play = play(0, 0);
    let wait = std::time::Duration::from_secs(30);
    play.world.next(Fault::Refuses(CloudError::Throttled { account: "cloudy".into(), wait, why: "quota".into() }));
    let error = play.provider().start(&create(), &Key::new("one")).await.unwrap_err();
    assert_eq!(error.to_string(), "account cloudy asks to wait 30 s: quota");
    assert_eq!(play.provider().list(&Query::default()).await.unwrap().server_groups.len(), 0);
}

#[tokio::test]
async fn an_operation_that_fails_says_why() {
    let play = play(5, 0);
    play.world.next(Fault::Fails("no machines of this size are left".into()));
    let handle = play.provider().start(&create(), &Key::new("one")).await.unwrap();
    let failed = Progress::Failed { error: "no machines of this size are left".into() };
    assert_eq!(play.provider().poll(&handle).await.unwrap(), failed);
}

#[test]
fn names_that_reach_folders_labels_and_arguments_are_checked_once_at_the_edge() {
    let hostile = [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "-rf",
        "a b",
        "a\nb",
        "a\0b",
        "%2e%2e",
        "$(id)",
        "a;b",
        "å",
        "a\u{202e}b",
    ];
    for text in hostile {
        assert!(text.parse::<ClusterName>().is_err(), "{text:?}");
        assert!(text.parse::<GroupName>().is_err(), "{text:?}");
        assert!(check_plain("load balancer", text).is_err(), "{text:?}");
        assert!(serde_json::from_value::<GroupName>(serde_json::json!(text)).is_err(), "{text:?} from JSON");
    }
}
