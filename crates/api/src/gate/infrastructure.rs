//! What exists in the clouds: clusters, server groups, instances, load balancers, accounts, images.
//!
//! Everything is read from the providers at the moment of the question; the JSON is in `inventory`. What changes things is `POST /tasks`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cloud::inventory::{Inventory, LoadBalancer, ServerGroup};
use cloud::{CloudError, Query as CloudQuery, Resource, ResourceId};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::inventory as shape;
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(clusters))
        .routes(routes!(clusters_of_account))
        .routes(routes!(cluster))
        .routes(routes!(cluster_groups))
        .routes(routes!(target))
        .routes(routes!(groups))
        .routes(routes!(group))
        .routes(routes!(groups_everywhere))
        .routes(routes!(group_managers))
        .routes(routes!(balancers))
        .routes(routes!(balancer_list))
        .routes(routes!(balancer))
        .routes(routes!(instance))
        .routes(routes!(console))
        .merge(catalog())
}

fn catalog() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(accounts))
        .routes(routes!(account))
        .routes(routes!(accounts_of_type))
        .routes(routes!(security_groups))
        .routes(routes!(firewalls))
        .routes(routes!(firewalls_of))
        .routes(routes!(firewall))
        .routes(routes!(networks))
        .routes(routes!(networks_of))
        .routes(routes!(subnets))
        .routes(routes!(subnets_of))
        .routes(routes!(instance_types))
        .routes(routes!(key_pairs))
        .routes(routes!(certificates))
}

impl From<CloudError> for Problem {
    fn from(error: CloudError) -> Self {
        let text = error.to_string();
        match error {
            CloudError::NoAccount(..) | CloudError::NotFound { .. } => Self::not_found(text),
            CloudError::Refused(_) | CloudError::Unsupported { .. } | CloudError::KeyReused(_) => {
                Self::bad_request(text)
            }
            CloudError::Throttled { .. } | CloudError::Unreachable { .. } | CloudError::Store(_) => {
                Self::internal(text)
            }
        }
    }
}

async fn inventory(house: &House, application: &str) -> Result<Inventory, Problem> {
    Ok(house.clouds.list(&CloudQuery::of(application)).await?)
}

/// The names of an application's clusters, by account.
#[utoipa::path(get, path = "/applications/{application}/clusters", params(("application" = String, Path)),
    responses((status = OK, body = Object)))]
async fn clusters(State(house): State<House>, Path(application): Path<String>) -> Result<Json<Value>, Problem> {
    let mut accounts = Map::new();
    for (account, _, name) in shape::clusters(&inventory(&house, &application).await?) {
        if let Value::Array(names) = accounts.entry(account).or_insert_with(|| json!([])) {
            names.push(json!(name));
        }
    }
    Ok(Json(Value::Object(accounts)))
}

/// An application's clusters in one account.
#[utoipa::path(get, path = "/applications/{application}/clusters/{account}",
    params(("application" = String, Path), ("account" = String, Path)), responses((status = OK, body = Vec<Object>)))]
async fn clusters_of_account(
    State(house): State<House>,
    Path((application, account)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let all = inventory(&house, &application).await?;
    let names = shape::clusters(&all);
    let own = names.into_iter().filter(|(of, ..)| *of == account);
    Ok(Json(own.map(|(_, provider, name)| shape::cluster(&all, &account, &provider, &name)).collect()))
}

/// One cluster with its server groups.
#[utoipa::path(get, path = "/applications/{application}/clusters/{account}/{cluster}",
    params(("application" = String, Path), ("account" = String, Path), ("cluster" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn cluster(
    State(house): State<House>,
    Path((application, account, name)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let all = inventory(&house, &application).await?;
    let found = shape::clusters(&all).into_iter().find(|(of, _, known)| *of == account && *known == name);
    let (_, provider, _) =
        found.ok_or_else(|| Problem::not_found(format!("cluster {name} does not exist in account {account}")))?;
    Ok(Json(shape::cluster(&all, &account, &provider, &name)))
}

/// The server groups of one cluster.
#[utoipa::path(get, path = "/applications/{application}/clusters/{account}/{cluster}/serverGroups",
    params(("application" = String, Path), ("account" = String, Path), ("cluster" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn cluster_groups(
    State(house): State<House>,
    Path((application, account, name)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let all = inventory(&house, &application).await?;
    let own =
        all.server_groups.iter().filter(|group| group.account == account && group.name.cluster().to_string() == name);
    Ok(Json(own.map(shape::group_details).collect()))
}

/// The server group of a cluster that a word means: `current_asg_dynamic`, `ancestor_asg_dynamic`, `oldest_asg_dynamic`.
#[utoipa::path(get, path = "/applications/{application}/clusters/{account}/{cluster}/{provider}/{region}/serverGroups/target/{target}",
    params(("application" = String, Path), ("account" = String, Path), ("cluster" = String, Path), ("provider" = String, Path),
        ("region" = String, Path), ("target" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn target(
    State(house): State<House>,
    Path((_application, account, cluster, _provider, region, target)): Path<(
        String,
        String,
        String,
        String,
        String,
        String,
    )>,
) -> Result<Json<Value>, Problem> {
    let missing = || {
        Problem::not_found(format!(
            "cluster {cluster} in {account}/{region} has no server group that \"{target}\" means"
        ))
    };
    let name = cluster.parse().map_err(|_| missing())?;
    // The newest first; what is on its way out does not count.
    let mut groups = house.clouds.cluster(&account, &name, Some(&region)).await?;
    groups.retain(|group| !group.leaving);
    let found = match target.trim_end_matches("_dynamic") {
        "current_asg" => groups.first(),
        "ancestor_asg" => groups.get(1),
        "oldest_asg" => groups.last().filter(|_| groups.len() > 1),
        _ => None,
    };
    Ok(Json(shape::group_details(found.ok_or_else(missing)?)))
}

/// What of an application's server groups is asked for.
#[derive(Deserialize, utoipa::IntoParams)]
struct Which {
    /// Only these clusters: `account:name`, separated by commas.
    clusters: Option<String>,
    /// Only of this provider.
    #[serde(rename = "cloudProvider")]
    cloud_provider: Option<String>,
}

impl Which {
    fn wants(&self, group: &ServerGroup) -> bool {
        let key = format!("{}:{}", group.account, group.name.cluster());
        let listed = self.clusters.as_deref().filter(|list| !list.is_empty());
        listed.is_none_or(|list| list.split(',').any(|one| one == key || one == group.name.cluster().to_string()))
            && self.cloud_provider.as_deref().is_none_or(|provider| provider == group.provider)
    }
}

/// An application's server groups with their instances.
#[utoipa::path(get, path = "/applications/{application}/serverGroups", params(("application" = String, Path), Which),
    responses((status = OK, body = Vec<Object>)))]
async fn groups(
    State(house): State<House>,
    Path(application): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let all = inventory(&house, &application).await?;
    let bytes = shape::groups(all.server_groups.iter().filter(|group| which.wants(group)));
    let bytes = bytes.map_err(|error| Problem::internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

async fn find_group(house: &House, account: &str, region: &str, name: &str) -> Result<ServerGroup, Problem> {
    let missing = || Problem::not_found(format!("server group {name} does not exist in {account}/{region}"));
    let id = ResourceId::ServerGroup { region: region.to_owned(), name: name.parse().map_err(|_| missing())? };
    let found = house.clouds.account(account)?.get(&id).await?;
    found.and_then(Resource::server_group).ok_or_else(missing)
}

/// One server group with everything that is known of it.
#[utoipa::path(get, path = "/applications/{application}/serverGroups/{account}/{region}/{name}",
    params(("application" = String, Path), ("account" = String, Path), ("region" = String, Path), ("name" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn group(
    State(house): State<House>,
    Path((_application, account, region, name)): Path<(String, String, String, String)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(shape::group_details(&find_group(&house, &account, &region, &name).await?)))
}

/// Which server groups are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
struct Everywhere {
    /// Of these applications, separated by commas.
    applications: Option<String>,
    /// These: `account:region:name`, separated by commas.
    ids: Option<String>,
}

/// Server groups of several applications, or by their ids.
#[utoipa::path(get, path = "/serverGroups", params(Everywhere), responses((status = OK, body = Vec<Object>)))]
async fn groups_everywhere(
    State(house): State<House>,
    Query(asked): Query<Everywhere>,
) -> Result<Json<Value>, Problem> {
    let all = house.clouds.list(&CloudQuery { application: None, without_images: true }).await?;
    let wanted = |group: &&ServerGroup| {
        let id = format!("{}:{}:{}", group.account, group.region, group.name);
        let app = group.name.cluster().app();
        let by_app = asked.applications.iter().any(|list| list.split(',').any(|one| one.eq_ignore_ascii_case(app)));
        by_app || asked.ids.iter().any(|list| list.split(',').any(|one| one == id))
    };
    Ok(Json(all.server_groups.iter().filter(wanted).map(shape::group).collect()))
}

/// What manages server groups; only some clouds have such things.
#[utoipa::path(get, path = "/applications/{application}/serverGroupManagers", params(("application" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn group_managers(Path(_application): Path<String>) -> Json<Value> {
    Json(json!([]))
}

/// An application's load balancers with what stands behind them.
#[utoipa::path(get, path = "/applications/{application}/loadBalancers", params(("application" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn balancers(State(house): State<House>, Path(application): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(inventory(&house, &application).await?.load_balancers.iter().map(shape::balancer).collect()))
}

/// Every load balancer, by name, account and region.
#[utoipa::path(get, path = "/loadBalancers", responses((status = OK, body = Vec<Object>)))]
async fn balancer_list(State(house): State<House>) -> Result<Json<Value>, Problem> {
    let all = house.clouds.list(&CloudQuery { application: None, without_images: true }).await?;
    let one = |balancer: &LoadBalancer| {
        json!({"name": balancer.name, "accounts": [{"name": balancer.account, "regions": [
            {"name": balancer.region, "loadBalancers": [shape::balancer(balancer)]}]}]})
    };
    Ok(Json(all.load_balancers.iter().map(one).collect()))
}

/// One load balancer.
#[utoipa::path(get, path = "/loadBalancers/{account}/{region}/{name}",
    params(("account" = String, Path), ("region" = String, Path), ("name" = String, Path)),
    responses((status = OK, body = Vec<Object>), (status = NOT_FOUND, body = Problem)))]
async fn balancer(
    State(house): State<House>,
    Path((account, region, name)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let id = ResourceId::LoadBalancer { region, name: name.clone() };
    let found = house.clouds.account(&account)?.get(&id).await?.and_then(Resource::load_balancer);
    let found = found.ok_or_else(|| Problem::not_found(format!("load balancer {name} does not exist in {account}")))?;
    Ok(Json(json!([shape::balancer(&found)])))
}

/// One instance.
#[utoipa::path(get, path = "/instances/{account}/{region}/{id}",
    params(("account" = String, Path), ("region" = String, Path), ("id" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn instance(
    State(house): State<House>,
    Path((account, region, id)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let provider = house.clouds.account(&account)?;
    let found = provider.get(&ResourceId::Instance { region: region.clone(), id: id.clone() }).await?;
    let missing = || Problem::not_found(format!("instance {id} does not exist in {account}/{region}"));
    let found = found.and_then(Resource::instance).ok_or_else(missing)?;
    Ok(Json(shape::instance_details(&found, &provider.describe(), &region)))
}

/// The last lines that an instance has written.
#[utoipa::path(get, path = "/instances/{account}/{region}/{id}/console",
    params(("account" = String, Path), ("region" = String, Path), ("id" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn console(
    State(house): State<House>,
    Path((account, region, id)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let lines = house.clouds.account(&account)?.logs(&region, &id, 500).await?;
    Ok(Json(json!({ "output": lines.join("\n") })))
}

/// The accounts. What `expand` adds is always there.
#[utoipa::path(get, path = "/credentials", responses((status = OK, body = Vec<Object>)))]
async fn accounts(State(house): State<House>) -> Json<Value> {
    Json(house.clouds.describe().iter().map(shape::account).collect())
}

/// One account.
#[utoipa::path(get, path = "/credentials/{account}", params(("account" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn account(State(house): State<House>, Path(account): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(shape::account(&house.clouds.account(&account)?.describe())))
}

/// The accounts of one cloud.
#[utoipa::path(get, path = "/credentials/type/{provider}", params(("provider" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn accounts_of_type(State(house): State<House>, Path(provider): Path<String>) -> Json<Value> {
    Json(house.clouds.describe().iter().filter(|account| account.provider == provider).map(shape::account).collect())
}

/// Firewalls by account, provider and region.
#[utoipa::path(get, path = "/securityGroups", responses((status = OK, body = Object)))]
async fn security_groups(State(house): State<House>) -> Result<Json<Value>, Problem> {
    let all = house.clouds.list(&CloudQuery { application: None, without_images: true }).await?;
    Ok(Json(shape::firewalls(&house.clouds.describe(), &all)))
}

/// The same under its newer name.
#[utoipa::path(get, path = "/firewalls", responses((status = OK, body = Object)))]
async fn firewalls(state: State<House>) -> Result<Json<Value>, Problem> {
    security_groups(state).await
}

/// Firewalls of one account by region.
#[utoipa::path(get, path = "/securityGroups/{account}", params(("account" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn firewalls_of(State(house): State<House>, Path(account): Path<String>) -> Result<Json<Value>, Problem> {
    let described = house.clouds.account(&account)?.describe();
    let all = house.clouds.list(&CloudQuery { application: None, without_images: true }).await?;
    let shown = shape::firewalls(std::slice::from_ref(&described), &all);
    Ok(Json(shown[&described.name][&described.provider].clone()))
}

/// One firewall with its rules.
#[utoipa::path(get, path = "/securityGroups/{account}/{region}/{name}",
    params(("account" = String, Path), ("region" = String, Path), ("name" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn firewall(
    State(house): State<House>,
    Path((account, region, name)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let provider = house.clouds.account(&account)?;
    let found = provider.get(&ResourceId::Firewall { region, name: name.clone() }).await?.and_then(Resource::firewall);
    let firewall = found.ok_or_else(|| Problem::not_found(format!("account {account} has no firewall {name}")))?;
    Ok(Json(shape::firewall_in_detail(&firewall, &provider.describe().provider)))
}

/// Certificates that listeners may show.
#[utoipa::path(get, path = "/certificates", responses((status = OK, body = Vec<Object>)))]
async fn certificates(State(house): State<House>) -> Json<Value> {
    let accounts = house.clouds.describe();
    let of = |account: &cloud::inventory::Account| {
        let (owner, provider) = (account.name.clone(), account.provider.clone());
        let one = move |name: &String| json!({"serverCertificateName": name, "serverCertificateId": name, "accountName": owner, "cloudProvider": provider});
        account.certificates.iter().map(one).collect::<Vec<_>>()
    };
    Json(accounts.iter().flat_map(of).collect())
}

/// Machine sizes that server groups may ask for: `{account, cloudProvider, region, name}`.
#[utoipa::path(get, path = "/instanceTypes", responses((status = OK, body = Vec<Object>)))]
async fn instance_types(State(house): State<House>) -> Json<Value> {
    let mut found = Vec::new();
    for account in house.clouds.describe() {
        for region in &account.regions {
            found.extend(account.instance_types.iter().map(|name| {
                json!({"account": account.name, "cloudProvider": account.provider, "region": region.name, "name": name})
            }));
        }
    }
    Json(found.into())
}

macro_rules! empty {
    ($($(#[$doc:meta])* $name:ident $path:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[utoipa::path(get, path = $path, responses((status = OK, body = Vec<Object>)))]
        async fn $name() -> Json<Value> {
            Json(json!([]))
        }
    )*};
}

empty! {
    /// Networks; no configured cloud has any that could be chosen.
    networks "/networks",
    /// Subnets; none can be chosen.
    subnets "/subnets",
    /// Keys for logging in to instances; none can be chosen.
    key_pairs "/keyPairs",
}

/// Networks of one provider; none can be chosen.
#[utoipa::path(get, path = "/networks/{provider}", params(("provider" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn networks_of(Path(_provider): Path<String>) -> Json<Value> {
    Json(json!([]))
}

/// Subnets of one provider; none can be chosen.
#[utoipa::path(get, path = "/subnets/{provider}", params(("provider" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn subnets_of(Path(_provider): Path<String>) -> Json<Value> {
    Json(json!([]))
}

/// The clusters of an application as it shows them itself: `{account: [{name, loadBalancers, serverGroups, provider}]}`.
pub(super) async fn summary(house: &House, application: &str) -> Result<Value, Problem> {
    let all = inventory(house, application).await?;
    let mut accounts = Map::new();
    for (account, provider, name) in shape::clusters(&all) {
        let cluster = shape::cluster(&all, &account, &provider, &name);
        let groups = cluster["serverGroups"].as_array().into_iter().flatten().map(|group| group["name"].clone());
        let line = json!({"name": name, "provider": provider, "loadBalancers": cluster["loadBalancers"],
                          "serverGroups": groups.collect::<Vec<_>>()});
        if let Value::Array(list) = accounts.entry(account).or_insert_with(|| json!([])) {
            list.push(line);
        }
    }
    Ok(Value::Object(accounts))
}
