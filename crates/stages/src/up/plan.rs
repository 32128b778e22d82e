//! What it takes from a package to a service: which objects there must be, which are there, what each becomes. Pure.

use cloud::inventory::Account;
use pipeline::Map;
use serde::Serialize;
use serde_json::{Value, json};

use crate::infrastructure::account_of_cluster;

/// The distribution of a publication that is made here.
pub const DISTRIBUTION: &str = "stable";
/// The name of a pipeline that is made here.
pub const PIPELINE: &str = "Deploy";

/// A version that is not well after this time is given up, and traffic stays where it is.
const TIMEOUT_MS: u32 = 120_000;

/// What somebody wants; what is not said stays as it is, or gets its default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wish {
    /// The application's name; made of the package's where it is not said.
    pub name: Option<String>,
    /// Where users come in: 8080 for a new service.
    pub port: Option<u16>,
    /// A path that answers when an instance is well, or `tcp` where a connection is enough; `/` for a new service.
    pub check: Option<String>,
    /// How many instances: 2 for a new service.
    pub instances: Option<u32>,
    /// In which account: where the service is, the first one for a new service.
    pub account: Option<String>,
}

/// The package of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
}

/// What is there already.
#[derive(Debug, Default)]
pub struct Facts {
    /// The repository is there.
    pub repository: bool,
    /// A publication that shows it: prefix with its storage, distribution.
    pub publication: Option<(String, String)>,
    /// The application is there.
    pub application: bool,
    /// The load balancer as a description asks for it.
    pub balancer: Option<Map>,
    /// The pipeline of the application that starts with this package.
    pub pipeline: Option<Map>,
    /// Names of pipelines of the application.
    pub taken: Vec<String>,
    /// Dependencies of the package that this machine does not satisfy.
    pub missing: Vec<String>,
}

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// It is made.
    Made,
    /// It is changed.
    Changed,
    /// It is there and stays as it is.
    Kept,
}

/// One object and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `repository`, `application`, `balancer`, `pipeline` or `publication`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub fate: Fate,
    /// The rest in words.
    pub says: String,
}

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The account.
    pub account: String,
    /// Its cloud.
    pub provider: String,
    /// The region.
    pub region: String,
}

/// Everything that is to be, in the order in which it is made.
#[derive(Debug, PartialEq)]
pub struct Plan {
    /// The package.
    pub package: Package,
    /// Where it goes.
    pub at: Place,
    /// The application, the repository and the load balancer have this name.
    pub name: String,
    /// In order.
    pub steps: Vec<Step>,
    /// Attributes of an application that is made.
    pub application: Option<Map>,
    /// The job that makes or changes the load balancer.
    pub balancer: Option<Map>,
    /// The pipeline to save; without it the one that is there does.
    pub pipeline: Option<Map>,
    /// The repository is made.
    pub repository: bool,
    /// Prefix with its storage, and distribution; `true` when it is made.
    pub publication: (String, String, bool),
}

/// The name of an application for a package: names of server groups are parted by dashes, so none is in it.
pub fn application_name(package: &str) -> String {
    package.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// How an instance is asked whether it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Check {
    Path(String),
    Tcp,
}

impl Check {
    fn read(text: &str) -> Result<Check, String> {
        match text {
            "tcp" => Ok(Check::Tcp),
            path if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Check::Path(path.to_owned()))
            }
            other => Err(format!("check \"{other}\": give a path as /health, or tcp")),
        }
    }

    /// As a load balancer's description shows it.
    fn of(balancer: &Map) -> Check {
        let check = &balancer["healthCheck"];
        match check["healthCheckType"].as_str() {
            Some("HTTP") => Check::Path(check["requestPath"].as_str().unwrap_or("/").to_owned()),
            _ => Check::Tcp,
        }
    }

    fn protocol(&self) -> &'static str {
        if *self == Check::Tcp { "TCP" } else { "HTTP" }
    }

    fn written(&self) -> Value {
        let times = json!({"port": 0, "checkIntervalSec": 0.5, "timeoutSec": 2, "healthyThreshold": 1, "unhealthyThreshold": 2});
        let mut check = times.as_object().cloned().unwrap_or_default();
        check.insert("healthCheckType".into(), json!(self.protocol()));
        if let Check::Path(path) = self {
            check.insert("requestPath".into(), json!(path));
        }
        Value::Object(check)
    }

    fn says(&self) -> String {
        match self {
            Check::Path(path) => format!("checked at {path}"),
            Check::Tcp => "checked by a connection".into(),
        }
    }
}

/// Where a service goes: where its pipeline deploys, where somebody wants a new one, else the first account.
pub fn place(wish: &Wish, accounts: &[Account], pipeline: Option<&Map>) -> Result<Place, String> {
    let known = |name: &str| accounts.iter().find(|account| account.name == name);
    let stages = pipeline.and_then(|pipeline| pipeline.get("stages")?.as_array()).into_iter().flatten();
    let there: Vec<&Account> =
        stages.filter_map(Value::as_object).flat_map(deploys_to).filter_map(|name| known(&name)).collect();
    let account = match (&wish.account, there.first()) {
        (Some(name), Some(first)) => there.iter().find(|account| account.name == *name).ok_or_else(|| {
            format!("the service is in account {}; for one more in account {name} give --name another name", first.name)
        })?,
        (None, Some(first)) => first,
        (Some(name), None) => known(name).ok_or_else(|| {
            let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
            format!("there is no account \"{name}\"; the accounts are {}", names.join(", "))
        })?,
        (None, None) => accounts.first().ok_or("there is no account to deploy to")?,
    };
    let region = account.regions.first().map(|region| region.name.clone()).unwrap_or_default();
    Ok(Place { account: account.name.clone(), provider: account.provider.clone(), region })
}

/// The accounts that a stage deploys to, by cluster: each names its own, or the stage does for all.
fn deploys_to(stage: &Map) -> Vec<String> {
    let clusters = stage.get("clusters").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    clusters.filter_map(|cluster| account_of_cluster(cluster, stage)).collect()
}

/// Decides.
pub fn plan(package: Package, wish: &Wish, at: Place, facts: &Facts) -> Result<Plan, String> {
    let name = name_of(&package, wish)?;
    // In a repository that is there it may lie; in one that is made here nothing else lies.
    if let Some(dependency) = facts.missing.first().filter(|_| !facts.repository) {
        let first = dependency.split(['|', '(', ':', ' ']).next().unwrap_or_default();
        return Err(format!(
            "{} {} depends on {dependency}, which is not installed on this machine: install it here (apt-get install {first}), or lay its \
             package into the service's repository before (gennaker apt repo create {name}; gennaker apt repo add {name} FILE.deb)",
            package.name, package.version
        ));
    }
    let mut steps = Vec::new();
    let mut step = |what, name: &str, fate, says: String| steps.push(Step { what, name: name.to_owned(), fate, says });
    let made = |is_there: bool| if is_there { Fate::Kept } else { Fate::Made };

    let application = (!facts.application)
        .then(|| object(json!({"name": name, "email": "nobody@example.com", "cloudProviders": at.provider})));
    step("application", &name, made(facts.application), String::new());

    let (balancer, fate, says) = balancer(&name, wish, &at, facts)?;
    step("balancer", &name, fate, says);

    let label = format!("{}_{}_{}", package.name, package.version, package.architecture);
    step("repository", &name, made(facts.repository), format!("takes {label}"));

    let publication = match &facts.publication {
        Some((prefix, distribution)) => (prefix.clone(), distribution.clone(), false),
        None => (name.clone(), DISTRIBUTION.to_owned(), true),
    };
    let (pipeline, shown, fate) = pipeline(&name, &package, wish, &at, facts, &publication);
    step("pipeline", &shown, fate, format!("starts with every new {}", package.name));
    let place = format!("{}/{}", publication.0, publication.1);
    step("publication", &place, made(!publication.2), format!("shows {label}"));
    let repository = !facts.repository;
    Ok(Plan { package, at, name, steps, application, balancer, pipeline, repository, publication })
}

fn object(value: Value) -> Map {
    value.as_object().cloned().unwrap_or_default()
}

/// The application's name that is wished for, or that the package suggests.
pub fn name_of(package: &Package, wish: &Wish) -> Result<String, String> {
    let name = wish.name.clone().unwrap_or_else(|| application_name(&package.name));
    if name.is_empty() || name != application_name(&name) {
        return Err(format!(
            "name \"{name}\": give one of small letters and digits alone, as server groups add dashes to it"
        ));
    }
    Ok(name)
}

fn balancer(name: &str, wish: &Wish, at: &Place, facts: &Facts) -> Result<(Option<Map>, Fate, String), String> {
    let there = facts.balancer.as_ref();
    let port_there =
        there.and_then(|map| map["listeners"][0]["port"].as_u64()).and_then(|port| u16::try_from(port).ok());
    let check_there = there.map(Check::of);
    let port = wish.port.or(port_there).unwrap_or(8080);
    let check = match &wish.check {
        Some(text) => Check::read(text)?,
        None => check_there.clone().unwrap_or(Check::Path("/".into())),
    };
    let says = format!("port {port}, {}", check.says());
    if there.is_some() && port_there == Some(port) && check_there.as_ref() == Some(&check) {
        return Ok((None, Fate::Kept, says));
    }
    // Of one that is there all that is not asked for stays.
    let mut job = there.cloned().unwrap_or_default();
    let mut listeners = job.get("listeners").and_then(Value::as_array).cloned().unwrap_or_default();
    let first = json!({"externalProtocol": check.protocol(), "externalPort": port});
    if listeners.is_empty() {
        listeners.push(first)
    } else {
        listeners[0] = first
    }
    job.extend(object(json!({
        "type": "upsertLoadBalancer", "cloudProvider": at.provider, "credentials": at.account, "region": at.region,
        "loadBalancerName": name, "listeners": listeners, "healthCheck": check.written(),
    })));
    Ok((Some(job), if there.is_some() { Fate::Changed } else { Fate::Made }, says))
}

/// The pipeline to save, the name of the one that will run, and what becomes of it.
fn pipeline(
    name: &str,
    package: &Package,
    wish: &Wish,
    at: &Place,
    facts: &Facts,
    (prefix, distribution, _): &(String, String, bool),
) -> (Option<Map>, String, Fate) {
    if let Some(there) = &facts.pipeline {
        let shown = there.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let changed = wish.instances.and_then(|instances| resized(there, instances));
        let fate = if changed.is_some() { Fate::Changed } else { Fate::Kept };
        return (changed, shown, fate);
    }
    let taken = |name: &str| facts.taken.iter().any(|one| one.eq_ignore_ascii_case(name));
    let shown = if taken(PIPELINE) { format!("{PIPELINE} {}", package.name) } else { PIPELINE.to_owned() };
    let capacity = capacity(wish.instances.unwrap_or(2));
    let made = json!({
        "application": name, "name": shown, "limitConcurrent": true, "keepWaitingPipelines": true,
        "description": format!("Bakes each new {} and brings it to its users blue/green.", package.name),
        "triggers": [{"type": "apt", "enabled": true, "prefix": prefix, "distribution": distribution, "package": package.name}],
        "stages": [
            {"refId": "1", "requisiteStageRefIds": [], "type": "bake", "name": "Bake", "package": package.name,
             "repository": distribution, "baseOs": "host", "cloudProviderType": at.provider, "regions": [at.region]},
            {"refId": "2", "requisiteStageRefIds": ["1"], "type": "deploy", "name": "Deploy",
             "overrideTimeout": true, "stageTimeoutMs": TIMEOUT_MS, "clusters": [{
                "account": at.account, "application": name, "cloudProvider": at.provider, "region": at.region,
                "capacity": capacity, "loadBalancers": [name], "strategy": "redblack", "maxRemainingAsgs": 2,
                "rollback": {"onFailure": true}}]},
        ],
    });
    (Some(object(made)), shown, Fate::Made)
}

fn capacity(instances: u32) -> Value {
    json!({"min": instances, "max": instances, "desired": instances})
}

/// The pipeline with so many instances in its only cluster; `None` if it has that already, or several.
fn resized(pipeline: &Map, instances: u32) -> Option<Map> {
    let mut changed = pipeline.clone();
    let stages = changed.get_mut("stages")?.as_array_mut()?;
    let mut clusters = stages.iter_mut().filter_map(|stage| stage.get_mut("clusters")?.as_array_mut()).flatten();
    let only = clusters.next()?;
    if clusters.next().is_some() || only["capacity"] == capacity(instances) {
        return None;
    }
    only["capacity"] = capacity(instances);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Package {
        Package { name: "hello-terry".into(), version: "1.0".into(), architecture: "all".into() }
    }

    fn local() -> Place {
        Place { account: "local".into(), provider: "local".into(), region: "local".into() }
    }

    fn fates(plan: &Plan) -> Vec<(&str, &str, Fate)> {
        plan.steps.iter().map(|step| (step.what, step.name.as_str(), step.fate)).collect()
    }

    #[test]
    fn on_an_empty_server_everything_is_made() {
        let plan = plan(hello(), &Wish::default(), local(), &Facts::default()).unwrap();
        let all = [
            ("application", "helloterry"),
            ("balancer", "helloterry"),
            ("repository", "helloterry"),
            ("pipeline", "Deploy"),
            ("publication", "helloterry/stable"),
        ];
        assert_eq!(fates(&plan), all.map(|(what, name)| (what, name, Fate::Made)));
        let pipeline = plan.pipeline.unwrap();
        assert_eq!(
            pipeline["triggers"],
            json!([{"type": "apt", "enabled": true, "prefix": "helloterry", "distribution": "stable", "package": "hello-terry"}])
        );
        let balancer = plan.balancer.unwrap();
        assert_eq!(balancer["listeners"], json!([{"externalProtocol": "HTTP", "externalPort": 8080}]));
        assert_eq!(balancer["healthCheck"]["requestPath"], "/");
    }

    /// Facts after the first plan was carried out.
    fn after_the_first() -> Facts {
        let first = plan(hello(), &Wish::default(), local(), &Facts::default()).unwrap();
        let mut balancer = first.balancer.unwrap();
        balancer.insert("listeners".into(), json!([{"protocol": "HTTP", "port": 8080}]));
        Facts {
            repository: true,
            publication: Some(("helloterry".into(), "stable".into())),
            application: true,
            balancer: Some(balancer),
            taken: vec!["Deploy".into()],
            pipeline: first.pipeline,
            missing: Vec::new(),
        }
    }

    #[test]
    fn what_is_there_stays_as_people_left_it() {
        let facts = after_the_first();
        let again = plan(hello(), &Wish::default(), local(), &facts).unwrap();
        assert!(again.steps.iter().all(|step| step.fate == Fate::Kept), "{:?}", again.steps);
        assert_eq!((again.application, again.balancer, again.pipeline), (None, None, None));
        assert!(!again.repository && !again.publication.2);
    }

    #[test]
    fn only_what_is_asked_for_is_changed() {
        let facts = after_the_first();
        let wish = Wish { port: Some(9090), instances: Some(4), ..Wish::default() };
        let changed = plan(hello(), &wish, local(), &facts).unwrap();
        let expected = [Fate::Kept, Fate::Changed, Fate::Kept, Fate::Changed, Fate::Kept];
        assert_eq!(changed.steps.iter().map(|step| step.fate).collect::<Vec<_>>(), expected);
        assert_eq!(changed.balancer.unwrap()["listeners"][0]["externalPort"], 9090);
        assert_eq!(changed.pipeline.unwrap()["stages"][1]["clusters"][0]["capacity"]["desired"], 4);
    }

    #[test]
    fn a_service_stays_in_its_account_and_a_new_one_goes_where_it_is_wished() {
        let account = |name: &str, region: &str| {
            let region = json!({"name": region, "zones": []});
            let all = json!({"name": name, "provider": "local", "regions": [region], "platform_health": "Local", "environment": name, "instance_types": [], "certificates": []});
            serde_json::from_value::<Account>(all).expect("an account")
        };
        let accounts = [account("local", "local"), account("prod", "eu")];
        let there = after_the_first().pipeline;
        let placed = |wish: Option<&str>, pipeline: Option<&Map>| {
            let wish = Wish { account: wish.map(str::to_owned), ..Wish::default() };
            place(&wish, &accounts, pipeline).map(|at| format!("{} {}", at.account, at.region))
        };
        assert_eq!(placed(None, None).unwrap(), "local local");
        assert_eq!(placed(Some("prod"), None).unwrap(), "prod eu");
        assert_eq!(placed(None, there.as_ref()).unwrap(), "local local");
        assert_eq!(placed(Some("local"), there.as_ref()).unwrap(), "local local");
        assert_eq!(
            placed(Some("prod"), there.as_ref()).unwrap_err(),
            "the service is in account local; for one more in account prod give --name another name"
        );
        // However the pipeline says where: the stage for all its clusters, and several clusters.
        let stages = json!([{"type": "wait"}, {"type": "deploy", "credentials": "prod", "clusters": [{}, {"accountName": "local"}]}]);
        let both = object(json!({"stages": stages}));
        assert_eq!(placed(None, Some(&both)).unwrap(), "prod eu");
        assert_eq!(placed(Some("local"), Some(&both)).unwrap(), "local local");
        assert_eq!(placed(Some("x"), None).unwrap_err(), "there is no account \"x\"; the accounts are local, prod");
    }

    #[test]
    fn a_pipeline_of_another_kind_keeps_its_name() {
        let facts = Facts { application: true, taken: vec!["deploy".into()], ..Facts::default() };
        let plan = plan(hello(), &Wish::default(), local(), &facts).unwrap();
        assert_eq!(plan.steps[3].name, "Deploy hello-terry");
    }

    #[test]
    fn what_would_have_no_interpreter_is_refused_before_anything_is_made() {
        let missing = vec!["nodejs (>= 18) | nodejs-lts".to_owned()];
        let facts = Facts { missing, ..Facts::default() };
        let refused = plan(hello(), &Wish::default(), local(), &facts).unwrap_err();
        assert_eq!(
            refused,
            "hello-terry 1.0 depends on nodejs (>= 18) | nodejs-lts, which is not installed on this machine: install it here (apt-get \
             install nodejs), or lay its package into the service's repository before (gennaker apt repo create helloterry; gennaker apt \
             repo add helloterry FILE.deb)"
        );
        let may_be_there = Facts { repository: true, ..facts };
        assert!(plan(hello(), &Wish::default(), local(), &may_be_there).is_ok(), "the bake looks into the repository");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let refused = |wish: Wish| plan(hello(), &wish, local(), &Facts::default()).unwrap_err();
        assert!(refused(Wish { name: Some("a-b".into()), ..Wish::default() }).starts_with("name \"a-b\": give one of"));
        assert!(
            refused(Wish { check: Some("health".into()), ..Wish::default() }).starts_with("check \"health\": give")
        );
    }
}
