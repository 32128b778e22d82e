//! What the store keeps: histories, names, old executions.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use pipeline::applications::{self, Save};
use pipeline::engine::FetchNothing;
use pipeline::model::Status;
use pipeline::retention::{Forgotten, Keep, due, sweep};
use pipeline::search::{self, Search};
use pipeline::{Engine, Map, StartRequest, pipelines, records, revision, schema};
use serde_json::{Value, json};
use store::clock::{Clock, FakeClock};
use store::{Location, Store, StoreError};

fn object(value: Value) -> Map {
    value.as_object().cloned().expect("an object")
}

fn opened(clock: &Arc<FakeClock>) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Location::Sqlite(folder.path().join("gennaker.db"));
    let store = Store::open(place, &[schema::MIGRATIONS], clock.clone() as Arc<dyn Clock>).expect("opens");
    (folder, store)
}

#[test]
fn each_change_of_a_pipeline_is_kept_with_its_author() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let saved = store
        .write_blocking(|tx| {
            let first = json!({"application": "shop", "name": "Ship it", "stages": [], "unknownKey": {"kept": true}});
            pipelines::save(tx, &object(first), false, "ann")
        })
        .expect("saved");
    assert_eq!(saved["unknownKey"], json!({"kept": true}));
    clock.advance(SignedDuration::from_secs(60));
    let id = saved["id"].as_str().expect("an id").to_owned();
    let mut second = saved.clone();
    second.insert("description".into(), json!("better"));
    let stale = saved.clone();
    let saved = store.write_blocking(move |tx| pipelines::save(tx, &second, true, "ben")).expect("saved");
    assert_eq!(saved["createTs"], stale["createTs"]);
    let refused = store.write_blocking(move |tx| pipelines::save(tx, &stale, true, "cat")).expect_err("it is stale");
    assert!(refused.to_string().starts_with("The submitted pipeline is stale."), "{refused}");
    let wanted = id.clone();
    let history = store.read_blocking(move |tx| revision::history(tx, "pipeline", &wanted, 10)).expect("reads");
    let seen: Vec<(i64, &str, Value)> =
        history.iter().map(|r| (r.number, r.who.as_str(), r.body["description"].clone())).collect();
    assert_eq!(seen, [(2, "ben", json!("better")), (1, "ann", Value::Null)]);
}

#[test]
fn two_pipelines_of_an_application_cannot_have_one_name() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let save = |name: &'static str| {
        let pipeline = object(json!({"application": "Shop", "name": name, "stages": []}));
        store.write_blocking(move |tx| pipelines::save(tx, &pipeline, false, "ann"))
    };
    save("Ship it").expect("saved");
    let error = save("SHIP IT ").expect_err("the name is taken");
    assert_eq!(error.to_string(), "A pipeline with name SHIP IT already exists in application Shop");
}

#[test]
fn an_application_goes_with_its_pipelines_and_its_name_has_no_case() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let left = store.write_blocking(|tx| {
        applications::save(
            tx,
            &object(json!({"name": "Shop", "email": "a@b.c", "cloudProviders": ["local"]})),
            Save::Create,
            "ann",
        )?;
        pipelines::save(tx, &object(json!({"application": "shop", "name": "p", "stages": []})), false, "ann")
            .expect("saved");
        let kept = applications::get(tx, "SHOP")?.expect("it is there");
        assert_eq!((&kept["name"], &kept["cloudProviders"]), (&json!("shop"), &json!("local")));
        applications::delete(tx, "sHop", "ann")?;
        Ok::<_, applications::ApplicationError>((applications::all(tx)?.len(), pipelines::all(tx, false)?.len()))
    });
    assert_eq!(left.expect("works"), (0, 0));
}

#[test]
fn old_executions_go_but_the_newest_of_each_pipeline_stay() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let engine = Engine::new(store.clone());
        engine.start(crate::world::registry(), Arc::new(FetchNothing)).await.expect("starts");
        for number in 0..5 {
            let config = object(json!({"application": "shop", "id": "p", "name": "p", "stages": []}));
            let trigger = object(json!({"type": "manual", "number": number}));
            let id = engine.begin(StartRequest { config, trigger, ..StartRequest::default() }).await.expect("begins");
            let status = engine.ended(&id, Duration::from_secs(10)).await.expect("answers");
            assert_eq!(status, Some(Status::Terminal), "a pipeline without stages ends at once");
        }
        engine.stop().await;
    });
    clock.advance(SignedDuration::from_hours(24 * 100));
    let keep = Keep { of_each_pipeline: 2, ..Keep::default() };
    let left = store.write_blocking(move |tx| {
        assert_eq!(due(tx, &keep)?.executions, 3);
        assert_eq!(sweep(tx, &keep)?.executions, 3);
        assert_eq!(due(tx, &keep)?, Forgotten::default());
        let runs = records::list(tx, &records::Query::default())?;
        Ok::<_, StoreError>(runs.iter().map(|r| r.trigger.get("number").cloned()).collect::<Vec<_>>())
    });
    assert_eq!(left.expect("sweeps"), [Some(json!(4)), Some(json!(3))]);
}

#[test]
fn an_event_starts_a_pipeline_once_however_often_it_is_told() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let engine = Engine::new(store.clone());
    let told = store.write_blocking(move |tx| {
        let saved = json!({"application": "shop", "id": "p", "name": "p", "stages": [{"type": "nap", "refId": "1"}],
            "expectedArtifacts": []});
        pipelines::save(tx, &object(saved), false, "ann").expect("saved");
        let trigger = object(json!({"type": "apt", "version": "2.0"}));
        let first = engine.trigger(tx, "p", &trigger, "event-7")?;
        let again = engine.trigger(tx, "p", &trigger, "event-7")?;
        Ok::<_, pipeline::EngineError>((first.is_some(), again))
    });
    assert_eq!(told.expect("works"), (true, None));
}

#[test]
fn a_start_that_fails_by_a_trigger_is_seen_and_says_why() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let engine = Engine::new(store.clone());
    let run = store.write_blocking(move |tx| {
        let saved = json!({"application": "shop", "id": "p", "name": "p", "disabled": true, "stages": []});
        pipelines::save(tx, &object(saved), false, "ann").expect("saved");
        let id = engine.trigger(tx, "p", &object(json!({"type": "apt"})), "event-8")?.expect("an execution");
        Ok::<_, pipeline::EngineError>(records::get(tx, &id)?.expect("it is there"))
    });
    let run = run.expect("works");
    assert_eq!((run.status, run.canceled_by.as_deref()), (Status::Terminal, Some("system")));
    let reason = run.cancellation_reason.expect("a reason");
    assert_eq!(reason, "Failed on startup: the pipeline 'p' is disabled; enable it to start it");
}

#[test]
fn what_is_started_by_hand_in_a_triggers_name_shows_no_secret() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let engine = Engine::new(store.clone());
    let run = store.write_blocking(move |tx| {
        let config = object(json!({"application": "shop", "name": "p", "stages": [{"type": "nap", "refId": "1"}]}));
        let trigger = object(json!({"type": "git", "secret": "push secret", "branch": "main", "mine": {"kept": true}}));
        let id = engine.begin_in(tx, &StartRequest { config, trigger, ..StartRequest::default() })?;
        Ok::<_, pipeline::EngineError>(records::get(tx, &id)?.expect("it is there"))
    });
    let run = run.expect("works");
    assert_eq!((run.trigger.get("secret"), run.trigger.get("mine")), (None, Some(&json!({"kept": true}))));
}

#[test]
fn a_search_goes_through_all_pages() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let engine = Engine::new(store.clone());
    let made = store.write_blocking(move |tx| {
        for number in 0..1203 {
            let config = object(json!({"application": "shop", "name": "p", "stages": []}));
            let trigger = object(json!({"type": "git", "n": number, "odd": number % 2 == 1}));
            engine.begin_in(tx, &StartRequest { config, trigger, ..StartRequest::default() })?;
        }
        Ok::<_, pipeline::EngineError>(())
    });
    made.expect("made");
    let numbers = |search: Search| {
        let found = store.read_blocking(move |tx| {
            let ids = search::executions(tx, &search)?;
            let run = |id: &String| Ok(records::get(tx, id)?.and_then(|run| run.trigger.get("n")?.as_i64()));
            ids.iter().map(run).collect::<Result<Vec<_>, StoreError>>()
        });
        found.expect("found").into_iter().flatten().collect::<Vec<_>>()
    };
    let odd = || Search { trigger: object(json!({"odd": true})), size: 3, ..Search::default() };
    assert_eq!(numbers(odd()), [1201, 1199, 1197]);
    assert_eq!(numbers(Search { skip: 599, ..odd() }), [3, 1]);
    assert_eq!(numbers(Search { skip: 600, oldest_first: true, ..odd() }), [1201]);
    assert_eq!(numbers(Search { size: 2000, ..odd() }).len(), 601);
    assert_eq!(numbers(Search { kinds: vec!["cron".into()], ..odd() }), [0; 0]);
}

#[test]
fn a_list_holds_the_newest_of_each_pipeline_and_no_more() {
    use pipeline::records::{Detail, Newest};
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let rows = move |tx: &mut store::Tx<'_>| {
        for number in 0..3_000_i64 {
            let pipeline = ["one", "two", "three"][usize::try_from(number % 3).expect("small")];
            let status = if number == 4 { "RUNNING" } else { "SUCCEEDED" };
            let id = format!("run{number:05}");
            let body = json!({"type": "PIPELINE", "id": id, "application": "Shop", "name": pipeline, "pipelineConfigId": pipeline,
                "buildTime": number, "status": status});
            let stage = json!({"id": "s", "refId": "1", "type": "wait", "name": "w", "status": status, "context": {"group": "g", "big": "x"}});
            tx.execute(
                "insert into execution (id, kind, application, pipeline, name, status, built, body, stages)
                 values (?1, 'PIPELINE', 'shop', ?2, ?2, ?3, ?4, ?5, '[\"s\"]')",
                store::params![&id, pipeline, status, number, body.to_string()],
            )?;
            let sql = "insert into stage (execution, id, body) values (?1, 's', ?2)";
            tx.execute(sql, store::params![&id, stage.to_string()])?;
        }
        Ok::<_, StoreError>(())
    };
    store.write_blocking(rows).expect("written");
    let ids = |statuses: &[Status], name: &str, pipelines: Option<usize>| {
        let wanted =
            Newest { application: "SHOP".into(), statuses: statuses.to_vec(), limit: 2, name: name.into(), pipelines };
        store.read_blocking(move |tx| records::newest_of_each(tx, &wanted)).expect("reads")
    };
    assert_eq!(ids(&[], "", None), ["run02999", "run02998", "run02997", "run02996", "run02995", "run02994"]);
    assert_eq!(ids(&[Status::Running, Status::Paused], "", None), ["run00004"]);
    assert_eq!(ids(&[], "thr", None), ["run02999", "run02996"]);
    assert_eq!(ids(&[], "", Some(1)).len(), 2);
    let found = ids(&[Status::Running], "", None);
    let brief = store.read_blocking(move |tx| records::read_all(tx, &found, Detail::Brief)).expect("reads");
    assert_eq!(Value::Object(brief[0].stages[0].context.clone()), json!({"group": "g"}));
}

#[test]
fn what_was_deleted_comes_back_with_its_application() {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let (_folder, store) = opened(&clock);
    let back = store
        .write_blocking(|tx| {
            let shop = object(json!({"name": "shop", "email": "ann@example.org"}));
            applications::save(tx, &shop, Save::Create, "ann").expect("saved");
            let pipeline = object(json!({"application": "shop", "name": "Ship", "id": "p", "stages": []}));
            pipelines::save(tx, &pipeline, false, "ann").expect("saved");
            applications::delete(tx, "shop", "ben").expect("deleted");
            let gone = pipelines::by_id(tx, "p")?.is_none();
            applications::restore(tx, "shop", 1, "cat").expect("had back");
            Ok::<_, StoreError>((gone, pipelines::by_id(tx, "p")?, revision::history(tx, "application", "shop", 9)?))
        })
        .expect("written");
    assert!(back.0, "it was deleted with its application");
    assert_eq!(back.1.and_then(|p| p.get("lastModifiedBy").cloned()), Some(json!("cat")));
    let told: Vec<(&str, bool)> = back.2.iter().map(|state| (state.who.as_str(), state.deleted)).collect();
    assert_eq!(told, [("cat", false), ("ben", true), ("ann", false)]);
}
