//! What `spin` sends, command by command and in both its wire formats, and what it then expects. No `spin` is needed: the requests are its own.

use serde_json::{Value, json};

use crate::api::Api;
use crate::server::Server;

#[test]
fn every_command_asks_for_the_version_first() {
    let server = Server::start("");
    let (status, head, body) = Api(&server).raw("GET", "/version", &Value::Null);
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(body["version"].is_string(), "{body}");
}

#[test]
fn application_commands() {
    let server = Server::start("");
    let api = Api(&server);
    assert_eq!(api.get("/applications"), json!([]));
    assert_eq!(api.status("GET", "/applications/shop?expand=false"), 404);
    let job = json!({"type": "createApplication", "application": {"name": "shop", "email": "ann@example.org", "cloudProviders": "gce,local", "instancePort": 80}});
    let task = api.task(&json!({"job": [job], "application": "shop", "description": "Create Application: shop"}));
    assert_eq!((&task["status"], &task["name"]), (&json!("SUCCEEDED"), &json!("Create Application: shop")));
    let shop = api.get("/applications/shop");
    assert_eq!((&shop["attributes"]["cloudProviders"], &shop["clusters"]), (&json!("gce,local"), &json!({})));
    assert_eq!(api.get("/applications/shop?expand=true")["name"], "shop");
    assert_eq!(api.get("/applications")[0]["email"], "ann@example.org");

    api.save(
        &json!({"application": "shop", "name": "slow", "stages": [{"refId": "1", "type": "wait", "waitTime": 600}]}),
    );
    let id = api.start("/pipelines/shop/slow", &json!({}));
    let listed = api.get("/applications/shop/pipelines?statuses=&expand=");
    assert_eq!(listed[0]["id"], id.as_str());
    assert_eq!(api.get("/applications/shop/pipelines?statuses=SUCCEEDED&expand=true"), json!([]));
    // One client leaves the application's place unfilled, and writes blanks as a plus.
    assert_eq!(
        api.status("PUT", &format!("/applications/%7Bapplication%7D/pipelines/{id}/cancel?reason=not+now")),
        200
    );
    let run = api.ended(&id);
    assert_eq!((&run["status"], &run["cancellationReason"]), (&json!("CANCELED"), &json!("not now")));

    let job = json!({"type": "deleteApplication", "application": {"name": "shop"}});
    api.task(&json!({"job": [job], "application": "shop", "description": "Delete Application: shop"}));
    assert_eq!(api.status("GET", "/applications/shop"), 404);
}

#[test]
fn pipeline_commands() {
    let server = Server::start("");
    let api = Api(&server);
    assert_eq!(api.get("/applications/shop/pipelineConfigs"), json!([]));
    assert_eq!(api.status("GET", "/applications/shop/pipelineConfigs/Ship%20it"), 404);
    let pipeline = json!({"application": "shop", "name": "Ship it", "parameterConfig": [{"name": "version", "required": true}],
        "stages": [{"refId": "1", "type": "evaluateVariables", "name": "v", "variables": [{"key": "shipped", "value": "${parameters.version}"}]}]});
    api.save(&pipeline);
    let saved = api.get("/applications/shop/pipelineConfigs/Ship%20it");
    let id = saved["id"].as_str().expect("a text id").to_owned();
    // Saved again it keeps its id, as spin copies it.
    let mut again = pipeline.clone();
    again["id"] = json!(id);
    again["description"] = json!("better");
    api.save(&again);
    assert_eq!(api.get("/applications/shop/pipelineConfigs")[0]["description"], "better");

    let execute = "/pipelines/shop/Ship%20it";
    assert_eq!(api.call("POST", execute, &json!({"type": "manual"})).0, 400, "a required parameter is missing");
    let flat = json!({"type": "manual", "parameters": {"version": "1"}, "artifacts": []});
    let wrapped = json!({"trigger": {"type": "manual", "parameters": {"version": "2"}, "artifacts": []}});
    for (trigger, version) in [(flat, "1"), (wrapped, "2")] {
        let (status, answer) = api.call("POST", execute, &trigger);
        assert_eq!(status, 202, "{answer}");
        let run = api.ended(answer["ref"].as_str().expect("a ref").trim_start_matches("/pipelines/"));
        assert_eq!(run["stages"][0]["outputs"]["shipped"], version);
    }
    let runs = api.get(&format!("/executions?pipelineConfigIds={id}&limit=5&statuses=SUCCEEDED%2CSTOPPED%2CSKIPPED"));
    assert_eq!(runs.as_array().map(Vec::len), Some(2));
    let run = runs[0]["id"].as_str().expect("an id");
    assert_eq!(api.get(&format!("/executions?executionIds={run}&limit=1"))[0]["id"], run);
    assert_eq!(api.get("/executions?executionIds=none&limit=1"), json!([]));
    assert_eq!(api.status("PUT", "/pipelines/none/cancel"), 404);
    assert_eq!(api.status("PUT", &format!("/pipelines/{run}/cancel")), 200);

    again["disabled"] = json!(true);
    api.save(&again);
    assert_eq!(api.call("POST", execute, &json!({"parameters": {"version": "3"}})).0, 400, "it is switched off");
    assert_eq!(api.status("DELETE", execute), 200);
    assert_eq!(api.status("GET", "/applications/shop/pipelineConfigs/Ship%20it"), 404);
}

#[test]
fn account_and_project_commands() {
    let server = Server::start("");
    let api = Api(&server);
    assert_eq!(api.get("/credentials")[0]["name"], "local");
    assert_eq!(api.get("/credentials/local")["type"], "local");
    assert_eq!(api.status("GET", "/credentials/none"), 404);
    assert_eq!(api.get("/auth/user")["username"], "anonymous");

    assert_eq!(api.get("/projects"), json!([]));
    assert_eq!(api.status("GET", "/projects/Web"), 404);
    api.save(&json!({"application": "shop", "name": "p", "id": "p-1", "stages": []}));
    api.start("/pipelines/shop/p", &json!({}));
    let project = json!({"name": "Web", "email": "ann@example.org", "config": {"applications": ["shop"], "clusters": [],
        "pipelineConfigs": [{"application": "shop", "pipelineConfigId": "p-1"}]}});
    let job = json!({"type": "upsertProject", "project": project, "user": "ann@example.org"});
    api.task(
        &json!({"job": [job], "application": "spinnaker", "project": "Web", "description": "Create Project: Web"}),
    );
    let saved = api.get("/projects/Web");
    assert!(saved["id"].is_string(), "{saved}");
    assert_eq!(api.get(&format!("/projects/{}", saved["id"].as_str().expect("an id")))["name"], "Web");
    assert_eq!(api.get("/projects/Web/pipelines")[0]["pipelineConfigId"], "p-1");
    let job = json!({"type": "deleteProject", "project": saved});
    api.task(
        &json!({"job": [job], "application": "spinnaker", "project": "Web", "description": "Delete Project: Web"}),
    );
    assert_eq!(api.status("GET", "/projects/Web"), 404);
}

fn template() -> Value {
    json!({"schema": "v2", "id": "waits", "metadata": {"name": "Waits", "scopes": ["global", "shop"]}, "protect": false,
        "variables": [{"name": "waitTime", "type": "int", "description": "seconds"}, {"name": "who", "type": "string", "defaultValue": "ann"}],
        "pipeline": {"triggers": [{"type": "webhook", "enabled": true, "source": "${templateVariables.who}"}], "parameterConfig": [{"name": "colour", "default": "red"}],
            "stages": [{"refId": "1", "type": "wait", "name": "Wait", "waitTime": "${ templateVariables.waitTime }", "requisiteStageRefIds": []},
                {"refId": "2", "type": "evaluateVariables", "name": "v", "requisiteStageRefIds": ["1"],
                    "variables": [{"key": "said", "value": "${templateVariables.who} likes ${parameters.colour}"}]}]}})
}

fn configuration(variables: &Value) -> Value {
    json!({"schema": "v2", "type": "templatedPipeline", "application": "shop", "name": "Mine", "description": "",
        "template": {"artifactAccount": "front50ArtifactCredentials", "type": "front50/pipelineTemplate", "reference": "spinnaker://waits:stable"},
        "variables": variables, "exclude": [], "triggers": [], "parameters": [], "notifications": [], "stages": []})
}

#[test]
fn pipeline_template_commands() {
    let server = Server::start("");
    let api = Api(&server);
    assert_eq!(api.get("/v2/pipelineTemplates?scopes="), json!([]));
    assert_eq!(api.status("GET", "/v2/pipelineTemplates/waits?tag=stable"), 404);
    assert_eq!(api.call("POST", "/v2/pipelineTemplates/create?tag=stable", &template()), (202, Value::Null));
    assert_eq!(api.call("POST", "/v2/pipelineTemplates/create?tag=stable", &template()).0, 400, "it is there");
    assert_eq!(api.call("POST", "/v2/pipelineTemplates/update/waits?tag=stable", &template()), (202, Value::Null));
    let kept = api.get("/v2/pipelineTemplates/waits?tag=stable");
    for (key, value) in template().as_object().expect("an object") {
        assert_eq!(&kept[key], value, "{key}");
    }
    let digest = kept["digest"].as_str().expect("a digest");
    assert_eq!(api.get(&format!("/v2/pipelineTemplates/waits?digest=sha256:{digest}"))["id"], "waits");
    for (scopes, found) in
        [("scopes=global&scopes=other", 1), ("scopes=globalshop", 1), ("scopes=other", 0), ("scope=shop", 1)]
    {
        let listed = api.get(&format!("/v2/pipelineTemplates?{scopes}"));
        assert_eq!(listed.as_array().map(Vec::len), Some(found), "{scopes}");
    }
    assert_eq!(api.get("/v2/pipelineTemplates/versions")["waits"][0]["tag"], "stable");

    let plan = "/v2/pipelineTemplates/plan";
    let (status, problem) = api.call("POST", plan, &configuration(&json!({})));
    let missing = "Missing template variable values for the following variables: [waitTime]";
    assert_eq!((status, &problem["message"]), (400, &json!(missing)));
    let (status, planned) = api.call("POST", plan, &configuration(&json!({"waitTime": 0})));
    assert_eq!((status, &planned["stages"][0]["waitTime"]), (200, &json!(0)));
    assert_eq!(planned["triggers"][0]["source"], "ann");

    let mut elsewhere = configuration(&json!({"waitTime": 0}));
    elsewhere["template"]["reference"] = json!("spinnaker://ghost");
    let (status, problem) = api.call("POST", "/pipelines", &elsewhere);
    assert_eq!((status, &problem["message"]), (400, &json!("$.template: there is no pipeline template ghost")));
    api.save(&configuration(&json!({"waitTime": 0})));
    let run = api.ended(&api.start("/pipelines/shop/Mine", &json!({"parameters": {"colour": "blue"}})));
    assert_eq!(run["stages"][1]["outputs"]["said"], "ann likes blue", "{run}");
    assert_eq!(run["source"], json!({"id": "waits", "type": "templatedPipeline", "version": "v2"}));
    // Its template's trigger is its own.
    let (_, fired) = api.call("POST", "/webhooks/webhook/ann", &json!({}));
    assert_eq!(fired["eventProcessed"], true);
    let event = fired["eventId"].as_str().expect("an id");
    let found = api.get(&format!("/applications/shop/executions/search?triggerTypes=webhook&eventId={event}"));
    assert_eq!(found[0]["name"], "Mine");

    let dependents = api.get("/v2/pipelineTemplates/waits/dependents");
    assert_eq!(dependents[0]["pipelineName"], "Mine");
    let mut breaking = template();
    breaking["variables"][1] = json!({"name": "who", "type": "string"});
    let update = "/v2/pipelineTemplates/update/waits?tag=stable";
    let (status, problem) = api.call("POST", update, &breaking);
    assert_eq!(status, 400);
    assert!(
        problem["message"].as_str().expect("why").contains("Mine in shop: Missing template variable values"),
        "{problem}"
    );
    assert_eq!(api.call("POST", &format!("{update}&skipPlanDependents=true"), &breaking).0, 202);
    assert_eq!(api.call("DELETE", "/v2/pipelineTemplates/waits?tag=stable", &Value::Null).0, 202);
    let (status, problem) = api.call("POST", "/pipelines/shop/Mine", &json!({}));
    assert_eq!((status, &problem["message"]), (400, &json!("there is no pipeline template waits:stable")));
    let restored = "/v2/pipelineTemplates/waits/history/2/restore?tag=stable";
    assert_eq!(api.call("POST", restored, &Value::Null).0, 200);
    assert_eq!(api.get("/v2/pipelineTemplates/waits?tag=stable")["variables"], template()["variables"]);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "where the cases lie is told to tests by the environment")]
fn templates_that_people_wrote_come_back_as_they_were() {
    let beside = || std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let folder =
        std::env::var_os("GENNAKER_CONFORMANCE").map_or_else(beside, Into::into).join("pipelines/templates-v2");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("not run: no templates in {}", folder.display());
        return;
    };
    let server = Server::start("");
    let api = Api(&server);
    for file in files {
        let path = file.expect("an entry").path();
        let template: Value = serde_json::from_slice(&std::fs::read(&path).expect("reads")).expect("JSON");
        let id = template["id"].as_str().expect("an id");
        assert_eq!(
            api.call("POST", &format!("/v2/pipelineTemplates/update/{id}"), &template).0,
            202,
            "{}",
            path.display()
        );
        let kept = api.get(&format!("/v2/pipelineTemplates/{id}"));
        for (key, value) in template.as_object().expect("an object") {
            if !["updateTs", "lastModifiedBy"].contains(&key.as_str()) {
                assert_eq!(&kept[key], value, "{key} of {}", path.display());
            }
        }
        let config = json!({"schema": "v2", "type": "templatedPipeline", "application": "shop", "name": id,
            "template": {"reference": format!("spinnaker://{id}")}, "variables": {}});
        let (status, planned) = api.call("POST", "/v2/pipelineTemplates/plan", &config);
        assert_eq!((status, &planned["stages"][0]["waitTime"]), (200, &json!(42)), "{}", path.display());
    }
}
