//! What happens by itself once the data plane has answered: drained instances end, ended ones go, operations are done. Pure.

use std::net::SocketAddr;

use dataplane::status::Status;
use jiff::Timestamp;

use super::apply::Rules;
use super::state::{End, Leaving, Started, State};
use super::wanted::PREVIEW;
use crate::operation::Operation;
use crate::provider::Progress;

/// What the data plane last said, and which wanted state it has taken from us.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The newest generation that it has confirmed to this process.
    pub confirmed: Option<u64>,
    /// Its last status.
    pub status: Option<Status>,
    /// Why it could not be asked, if it could not.
    pub trouble: Option<String>,
}

impl Seen {
    /// Whether the status was taken after this wanted state was in force.
    fn shows(&self, generation: u64) -> Option<&Status> {
        let status = self.status.as_ref()?;
        let fresh = self.confirmed.is_some_and(|confirmed| confirmed >= generation)
            && status.generation.is_some_and(|g| g >= generation);
        fresh.then_some(status)
    }
}

/// Requests and connections of an instance that are still open in users' load balancers.
pub fn open(status: &Status, instance: &str) -> u64 {
    let balancers = status.balancers.iter().filter(|balancer| !balancer.id.starts_with(PREVIEW));
    let members = balancers.flat_map(|balancer| &balancer.members).filter(|member| member.id == instance);
    members.map(|member| member.counters.open).sum()
}

/// Takes the steps that are due. True when the wanted state has changed (its generation is then new).
pub fn advance(state: &mut State, rules: &Rules, seen: &Seen, now: Timestamp) -> bool {
    let drained: Vec<String> =
        state.instances.values().filter(|i| is_drained(&i.leaving, &i.id, seen, now)).map(|i| i.id.clone()).collect();
    if !drained.is_empty() {
        state.generation += 1;
    }
    for id in &drained {
        if let Some(instance) = state.instances.get_mut(id) {
            instance.leaving = Some(Leaving::Ending { generation: state.generation });
        }
    }
    state.instances.retain(|id, instance| !matches!(instance.leaving, Some(Leaving::Ending { generation }) if is_gone(id, generation, seen)));
    let empty: Vec<String> = state
        .groups
        .iter()
        .filter(|(_, group)| group.leaving.is_some() && state.instances_of(&group.name).is_empty())
        .map(|(name, _)| name.clone())
        .collect();
    for name in empty {
        state.groups.remove(&name);
    }
    let done: Vec<String> = state
        .operations
        .values()
        .filter(|started| matches!(progress(started, state, rules, seen), Progress::Done { .. }))
        .map(|started| started.key.clone())
        .collect();
    for key in done {
        if let Some(started) = state.operations.get_mut(&key) {
            started.end = End::Done;
        }
    }
    !drained.is_empty()
}

fn is_drained(leaving: &Option<Leaving>, id: &str, seen: &Seen, now: Timestamp) -> bool {
    match leaving {
        Some(Leaving::Draining { generation, deadline }) => {
            now >= *deadline || seen.shows(*generation).is_some_and(|status| open(status, id) == 0)
        }
        _ => false,
    }
}

fn is_gone(id: &str, generation: u64, seen: &Seen) -> bool {
    seen.shows(generation).is_some_and(|status| status.instances.iter().all(|instance| instance.id != id))
}

/// Whether somebody must look at the data plane again soon, because what is waited for makes no event.
pub fn is_draining(state: &State, seen: &Seen) -> bool {
    // What was taken out of traffic is looked at until its last request has ended, too.
    let busy = |id: &str| seen.status.as_ref().is_some_and(|status| open(status, id) > 0);
    state
        .instances
        .values()
        .any(|instance| instance.leaving.is_some() || (instance.out.is_some() && busy(&instance.id)))
}

/// How far an operation is.
pub fn progress(started: &Started, state: &State, rules: &Rules, seen: &Seen) -> Progress {
    match started.end {
        End::Done => return Progress::Done { result: started.outcome.clone() },
        End::Cancelled => return Progress::Cancelled,
        End::Open => {}
    }
    let running = |reason: String| Progress::Running { reason };
    let Some(status) = seen.shows(started.generation) else {
        let trouble = seen.trouble.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        return running(format!("the data plane has not yet taken the change{trouble}"));
    };
    if let Some(reason) = waits_for_ends(started, state, status) {
        return running(reason);
    }
    if let Operation::UpsertLoadBalancer(op) = &started.operation
        && let Some((address, problem)) = listener_problem(status, &rules.called(&op.name))
    {
        return running(format!("load balancer {} cannot listen on {address}: {problem}", op.name));
    }
    Progress::Done { result: started.outcome.clone() }
}

fn waits_for_ends(started: &Started, state: &State, status: &Status) -> Option<String> {
    let left: Vec<&String> = started.ends.iter().filter(|id| state.instances.contains_key(*id)).collect();
    let first = left.first()?;
    let busy: u64 = left.iter().map(|id| open(status, id)).sum();
    let what = if busy > 0 { format!("{busy} requests or connections to end") } else { format!("{first} to end") };
    Some(format!("{} of {} instances are gone; waits for {what}", started.ends.len() - left.len(), started.ends.len()))
}

/// The first listener of a load balancer (as the data plane calls it) that does not listen, and why.
fn listener_problem(status: &Status, id: &str) -> Option<(SocketAddr, String)> {
    let balancer = status.balancers.iter().find(|balancer| balancer.id == id)?;
    let silent = balancer.listeners.iter().find(|listener| listener.bound.is_none())?;
    Some((silent.wanted, silent.problem.clone().unwrap_or_else(|| "it has not begun".into())))
}
