//! Tasks of load balancer and instance stages: their operations, from pipeline JSON.

use cloud::Operation;
use cloud::operation::{InstancesAt, NamedAt, Registration, Terminate};
use pipeline::{Map, TaskInput, TaskResult};
use serde_json::Value;

use super::operate::Job;
use super::wishes;

/// The operations of `upsertLoadBalancer` and `upsertLoadBalancers`.
pub(crate) fn upsert(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let context = wishes::context(input);
    let several = context.get("loadBalancers").and_then(Value::as_array).cloned();
    let each: Vec<Map> = match several {
        Some(list) => list.iter().filter_map(|one| one.as_object()).map(|one| with_account(one, &context)).collect(),
        None => vec![context],
    };
    let mut jobs = Vec::new();
    for map in each {
        for (account, operation) in wishes::load_balancer(&map, &input.execution.application)? {
            jobs.push(job(account, Operation::UpsertLoadBalancer(operation)));
        }
    }
    Ok(jobs)
}

/// The account of the stage holds for each that names none.
fn with_account(one: &Map, context: &Map) -> Map {
    let mut one = one.clone();
    for key in ["credentials", "account"] {
        if let Some(value) = context.get(key) {
            one.entry(key).or_insert_with(|| value.clone());
        }
    }
    one
}

fn job(account: String, operation: Operation) -> Job {
    Job { account, operation, group: None }
}

/// The operations of `deleteLoadBalancer`.
pub(crate) fn delete(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let context = wishes::context(input);
    let name = wishes::text(&context, &["loadBalancerName", "name"]);
    let name = name.ok_or_else(|| TaskResult::failed("names no load balancer: give `loadBalancerName`"))?;
    let account = wishes::account(&context)?;
    let one = |region: String| {
        let at = NamedAt { name: name.to_owned(), region };
        job(account.clone(), Operation::DeleteLoadBalancer(at))
    };
    Ok(wishes::regions(&context).into_iter().map(one).collect())
}

fn instances(context: &Map) -> Result<Vec<String>, TaskResult> {
    let mut ids: Vec<String> = match context.get("instanceIds") {
        Some(Value::Array(list)) => list.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    ids.extend(wishes::text(context, &["instance"]).map(str::to_owned));
    if ids.is_empty() {
        return Err(TaskResult::failed("names no instance: give `instanceIds`"));
    }
    Ok(ids)
}

/// The operation of `terminateInstances`.
pub(crate) fn terminate(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let context = wishes::context(input);
    let shrink = input.view().is_some_and(|view| view.stage().kind == "terminateInstanceAndDecrementServerGroup");
    let operation = Operation::TerminateInstances(Terminate {
        instances: instances(&context)?,
        region: wishes::regions(&context).remove(0),
        shrink,
    });
    Ok(vec![job(wishes::account(&context)?, operation)])
}

fn registration(input: &TaskInput) -> Result<(String, Registration), TaskResult> {
    let context = wishes::context(input);
    let of = Registration {
        instances: instances(&context)?,
        region: wishes::regions(&context).remove(0),
        load_balancers: wishes::texts(context.get("loadBalancerNames")),
    };
    Ok((wishes::account(&context)?, of))
}

/// The operation of `registerInstancesWithLoadBalancer`.
pub(crate) fn register(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let (account, of) = registration(input)?;
    Ok(vec![job(account, Operation::RegisterInstances(of))])
}

/// The operation of `deregisterInstancesFromLoadBalancer`.
pub(crate) fn deregister(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let (account, of) = registration(input)?;
    Ok(vec![job(account, Operation::DeregisterInstances(of))])
}

/// The operation of `rebootInstances`.
pub(crate) fn reboot(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let context = wishes::context(input);
    let operation = Operation::RebootInstances(InstancesAt {
        instances: instances(&context)?,
        region: wishes::regions(&context).remove(0),
    });
    Ok(vec![job(wishes::account(&context)?, operation)])
}
