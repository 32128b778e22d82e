//! Several accounts of one machine: each has clusters and load balancers of its own, also under the same names, over one data plane.

use serde_json::{Value, json};

use crate::redblack_story::{Users, deploy, ended, one_request, post, prepare, read, succeeds};
use crate::server::{Server, gennaker, run};

/// The server groups as `account name traffic`.
fn groups(server: &Server) -> Vec<String> {
    let list = read(server, "/applications/hello/serverGroups");
    let text = |group: &Value, key: &str| group[key].as_str().unwrap_or_default().to_owned();
    let one = |group: &Value| {
        let traffic = if group["isDisabled"] == false { "on" } else { "off" };
        format!("{} {} {traffic}", text(group, "account"), text(group, "name"))
    };
    let mut groups: Vec<String> = list.as_array().expect("a list").iter().map(one).collect();
    groups.sort();
    groups
}

fn in_prod(server: &Server, image: &str) -> String {
    let place = json!({"account": "prod", "region": "eu", "capacity": {"min": 1, "max": 1, "desired": 1}});
    deploy(server, image, place)
}

fn asked(address: &str) -> String {
    one_request(address, false, &mut None).expect("an answer")
}

#[test]
fn a_machine_is_several_accounts() {
    let (server, local) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    let users = Users::begin(&local);

    let file = server.folder.path().join("gennaker.toml");
    let add = |name: &str, more: &[&str]| {
        let mut command = gennaker(server.folder.path());
        run(command.args(["account", "add", name, "--config"]).arg(&file).args(more))
    };
    let (code, out, said) = add("prod", &["--region", "eu"]);
    assert_eq!(code, 0, "{said}");
    assert!(out.contains("account prod is in it") && out.contains("systemctl restart gennaker"), "{out}");
    let (code, _, said) = add("prod", &[]);
    assert!(code != 0 && said.contains("there is an account \"prod\" already"), "{said}");
    let (code, _, said) = add("a.b", &[]);
    assert!(code != 0 && said.contains("[[account]] a.b: account \"a.b\" is no name"), "{said}");
    let config = std::fs::read_to_string(&file).expect("a file");
    assert_eq!(config, "[[account]]\nname = \"prod\"\nprovider = \"local\"\nregion = \"eu\"\n");

    let server = Server::start_in(server.kill(), &config);
    let (_, out, _) = server.also(&["account", "list"]);
    assert!(out.contains("local") && out.contains("prod"), "{out}");
    let (code, out, _) = server.also(&["account", "check"]);
    assert_eq!((code, out.lines().count()), (0, 2), "both answer: {out}");

    // The same names in both, and each answers with its own.
    let check = json!({"healthCheckType": "HTTP", "port": 8080, "requestPath": "/", "checkIntervalSec": 0.1, "timeoutSec": 2,
                       "healthyThreshold": 1, "unhealthyThreshold": 3});
    let balancer = json!({"type": "upsertLoadBalancer", "credentials": "prod", "region": "eu", "loadBalancerName": "hello",
                          "ipProtocol": "TCP", "portRange": "auto", "healthCheck": check});
    succeeds(&server, &post(&server, balancer));
    succeeds(&server, &in_prod(&server, "two"));
    assert_eq!(groups(&server), ["local hello-v000 on", "prod hello-v000 on"]);
    let balancers = read(&server, "/applications/hello/loadBalancers");
    let of_prod = balancers.as_array().expect("a list").iter().find(|one| one["account"] == "prod");
    let prod = of_prod.expect("it is there")["dnsName"].as_str().expect("an address").to_owned();
    assert_eq!((asked(&local).as_str(), asked(&prod).as_str()), ("This is Default", "This is v2"));

    // A deployment in one account moves nothing in the other.
    succeeds(&server, &in_prod(&server, "one"));
    assert_eq!(groups(&server), ["local hello-v000 on", "prod hello-v000 off", "prod hello-v001 on"]);
    assert_eq!(asked(&prod), "This is Default");
    // So does a rollback, and what is held back is so in its account alone.
    let (code, _, said) = server.also(&["rollback", "hello", "-m", "orders fail"]);
    assert!(
        code != 0 && said.contains("hello in local, hello in prod; say which with --cluster and --account"),
        "{said}"
    );
    let (code, _, said) = server.also(&["rollback", "hello", "--account", "prod", "-m", "orders fail"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(groups(&server), ["local hello-v000 on", "prod hello-v000 on", "prod hello-v001 off"]);
    let refused = ended(&server, &in_prod(&server, "one"));
    assert!(refused.to_string().contains("is held back from cluster hello in account prod"), "{refused:#}");
    succeeds(&server, &deploy(&server, "one", json!({})));
    for (account, region, name) in [("prod", "eu", "hello-v001"), ("local", "local", "hello-v000")] {
        let place =
            json!({"type": "destroyServerGroup", "credentials": account, "region": region, "serverGroupName": name});
        succeeds(&server, &post(&server, place));
    }
    assert_eq!(groups(&server), ["local hello-v001 on", "prod hello-v000 on"]);
    let listening = |args: &[&str]| {
        let (code, out, said) = server.also(&[&["logs", "hello"], args].concat());
        assert_eq!(code, 0, "{said}");
        out.lines().filter(|line| line.contains("listening on")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((listening(&["--account", "prod"]).len(), listening(&["--account", "local"]).len()), (1, 4));
    let all = listening(&[]);
    assert_eq!(all.iter().filter(|line| line.starts_with("prod/hello-v000-")).count(), 1, "{all:?}");
    let (status, metrics) = crate::server::ask(&server.address(), "GET", "/metrics", "");
    let told = |account: &str, up: u32| {
        metrics.contains(&format!("gennaker_instances{{account=\"{account}\",state=\"up\"}} {up}"))
    };
    assert!(status == 200 && told("local", 4) && told("prod", 1), "{metrics}");

    // A copy of the other account's group lands in this one's zones.
    let source = json!({"account": "local", "region": "local", "serverGroupName": "hello-v001"});
    let copy = json!({"type": "cloneServerGroup", "credentials": "prod", "region": "eu", "stack": "copy", "source": source,
                      "loadBalancers": [], "strategy": "none", "capacity": {"min": 1, "max": 1, "desired": 1}});
    succeeds(&server, &post(&server, copy));
    let made = read(&server, "/applications/hello/serverGroups/prod/eu/hello-copy-v000");
    assert_eq!(made["instances"][0]["zone"], "eu-a");
    let place = json!({"type": "destroyServerGroup", "credentials": "prod", "region": "eu", "serverGroupName": "hello-copy-v000"});
    succeeds(&server, &post(&server, place));

    // An account that is left out of the configuration would end with what is in it: the server does not start, and users notice nothing.
    let folder = server.kill();
    std::fs::write(folder.path().join("gennaker.toml"), "").expect("written");
    let (code, _, said) = run(&mut Server::command(folder.path()));
    assert_ne!(code, 0);
    assert!(
        said.contains(
            "account \"prod\" is not in the configuration, but 1 server groups and 1 load balancers are in it"
        ),
        "{said}"
    );
    assert_eq!(asked(&prod), "This is v2");

    let server = Server::start_in(folder, &config);
    assert_eq!(groups(&server), ["local hello-v001 on", "prod hello-v000 on"]);
    let answers = users.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["This is Default"], "{answers:?}");
}
