//! Tasks: work that a client asked for and looks at later. They are kept in memory, as aptly keeps them. Those that work
//! on the same things run in the order in which they came; others run at the same time.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use apt::{Line, Progress, Work};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, Aptly, Fault};

const RUNNING: u8 = 1;
const SUCCEEDED: u8 = 2;
const FAILED: u8 = 3;

/// All tasks since the start.
#[derive(Default)]
pub struct Tasks {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    all: Mutex<All>,
    changed: Condvar,
    /// Told when a task is over.
    freed: tokio::sync::Notify,
}

/// The resource of a task that works on everything.
pub const EVERYTHING: &str = "__all__";

#[derive(Default)]
struct All {
    last: u64,
    tasks: BTreeMap<u64, Task>,
}

struct Task {
    name: String,
    resources: Vec<String>,
    state: u8,
    output: String,
    progress: Option<Progress>,
    done: Option<(u16, Value)>,
}

impl Task {
    fn shown(&self, id: u64) -> Value {
        json!({"Name": self.name, "ID": id, "State": self.state, "Resources": self.resources})
    }

    /// Takes in what the work says.
    fn hear(&mut self, line: &Line) {
        match line {
            Line::Progress(progress) => self.progress = Some(*progress),
            line => self.output.push_str(&format!("{line}\n")),
        }
    }

    /// The counters that aptly's clients know.
    fn detail(&self) -> Value {
        let Some(Progress { work, total, remaining, total_bytes, remaining_bytes }) = self.progress else {
            return json!({});
        };
        match work {
            Work::Publish => json!({"TotalNumberOfPackages": total, "RemainingNumberOfPackages": remaining}),
            Work::Download => json!({
                "TotalDownloadSize": total_bytes, "RemainingDownloadSize": remaining_bytes,
                "TotalNumberOfPackages": total, "RemainingNumberOfPackages": remaining
            }),
            Work::Upload => json!({"TotalNumberOfFiles": total, "RemainingNumberOfFiles": remaining}),
            Work::Delete => {
                json!({"TotalNumberOfPackagesToDelete": total, "RemainingNumberOfPackagesToDelete": remaining})
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, SUCCEEDED | FAILED)
    }

    /// Whether both work on the same thing.
    fn meets(&self, other: &Task) -> bool {
        let everything = |task: &Task| task.resources.iter().any(|resource| resource == EVERYTHING);
        everything(self) || everything(other) || self.resources.iter().any(|one| other.resources.contains(one))
    }
}

impl All {
    /// Lets a task run, unless one that came before it works on the same things and is not over. One that is gone may run, too.
    fn begin(&mut self, id: u64) -> bool {
        let Some(task) = self.tasks.get(&id) else { return true };
        if self.tasks.range(..id).any(|(_, before)| !before.is_over() && before.meets(task)) {
            return false;
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.state = RUNNING;
        }
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.lock().tasks.get_mut(&id) {
            change(task);
        }
        self.changed.notify_all();
    }

    fn wait(&self, is_over: impl Fn(&All) -> bool) {
        let mut all = self.lock();
        while !is_over(&all) {
            all = self.changed.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Tasks {
    /// Runs `work` when its turn comes; answers 202 with the task at once.
    pub fn start(
        &self,
        name: String,
        resources: Vec<String>,
        work: impl FnOnce(&mut dyn FnMut(Line)) -> Result<Answer, Fault> + Send + 'static,
    ) -> Answer {
        let (id, shown) = {
            let mut all = self.shared.lock();
            all.last += 1;
            let id = all.last;
            let task = Task { name, resources, state: 0, output: String::new(), progress: None, done: None };
            let shown = task.shown(id);
            all.tasks.insert(id, task);
            (id, shown)
        };
        let shared = self.shared.clone();
        tokio::spawn(async move {
            loop {
                // Before it is looked, so that none is missed.
                let freed = shared.freed.notified();
                if shared.lock().begin(id) {
                    break;
                }
                freed.await;
            }
            let told = shared.clone();
            let mut say = move |line: Line| told.change(id, |task| task.hear(&line));
            let done = tokio::task::spawn_blocking(move || work(&mut say)).await;
            let done = done.unwrap_or_else(|error| Err(Fault::internal(error.to_string())));
            shared.change(id, |task| match done {
                Ok(Answer(status, value)) => {
                    task.output.push_str("Task succeeded");
                    (task.state, task.done) = (SUCCEEDED, Some((status.as_u16(), value)));
                }
                Err(fault) => {
                    task.output.push_str(&format!("Task failed with error: {}", fault.message));
                    (task.state, task.done) = (FAILED, Some((fault.status.as_u16(), Value::Null)));
                }
            });
            shared.freed.notify_waiters();
        });
        Answer(StatusCode::ACCEPTED, shown)
    }

    /// Waits until none is left that waits or runs.
    pub async fn over(&self) {
        loop {
            // Before it is looked, so that none is missed.
            let freed = self.shared.freed.notified();
            if self.shared.lock().tasks.values().all(Task::is_over) {
                return;
            }
            freed.await;
        }
    }

    fn look<T>(&self, id: &str, status: StatusCode, look: impl FnOnce(u64, &Task) -> T) -> Result<T, Fault> {
        let number: u64 =
            id.parse().map_err(|_| Fault::internal(format!("strconv.Atoi: parsing {id:?}: invalid syntax")))?;
        let all = self.shared.lock();
        let task = all.tasks.get(&number);
        task.map(|task| look(number, task))
            .ok_or_else(|| Fault::new(status, format!("could not find task with id {number}")))
    }
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(clear))
        .routes(routes!(wait_all))
        .routes(routes!(show))
        .routes(routes!(forget))
        .routes(routes!(wait))
        .routes(routes!(output))
        .routes(routes!(detail))
        .routes(routes!(return_value))
}

/// Tasks since the server started.
#[utoipa::path(get, path = "/api/tasks", responses((status = OK, body = Object)))]
async fn list(State(aptly): State<Aptly>) -> Answer {
    let all = aptly.tasks().shared.lock();
    Answer::ok(all.tasks.iter().map(|(id, task)| task.shown(*id)).collect::<Vec<_>>())
}

/// One task.
#[utoipa::path(get, path = "/api/tasks/{id}", params(("id" = String, Path)), responses((status = OK, body = Object)))]
async fn show(State(aptly): State<Aptly>, Path(id): Path<String>) -> Result<Answer, Fault> {
    Ok(Answer::ok(aptly.tasks().look(&id, StatusCode::NOT_FOUND, |id, task| task.shown(id))?))
}

/// Waits until a task is over.
#[utoipa::path(get, path = "/api/tasks/{id}/wait", params(("id" = String, Path)), responses((status = OK, body = Object)))]
async fn wait(State(aptly): State<Aptly>, Path(id): Path<String>) -> Result<Answer, Fault> {
    let number = aptly.tasks().look(&id, StatusCode::BAD_REQUEST, |id, _| id)?;
    let shared = aptly.tasks().shared.clone();
    let over = move |all: &All| all.tasks.get(&number).is_none_or(Task::is_over);
    tokio::task::spawn_blocking(move || shared.wait(over)).await.map_err(|error| Fault::internal(error.to_string()))?;
    Ok(Answer::ok(aptly.tasks().look(&id, StatusCode::BAD_REQUEST, |id, task| task.shown(id))?))
}

/// Waits until no task runs.
#[utoipa::path(get, path = "/api/tasks-wait", responses((status = OK, body = Object)))]
async fn wait_all(State(aptly): State<Aptly>) -> Answer {
    aptly.tasks().over().await;
    Answer::nothing()
}

/// What a task said.
#[utoipa::path(get, path = "/api/tasks/{id}/output", params(("id" = String, Path)), responses((status = OK, body = Object)))]
async fn output(State(aptly): State<Aptly>, Path(id): Path<String>) -> Result<Answer, Fault> {
    Ok(Answer::ok(aptly.tasks().look(&id, StatusCode::NOT_FOUND, |_, task| task.output.clone())?))
}

/// How far a task is.
#[utoipa::path(get, path = "/api/tasks/{id}/detail", params(("id" = String, Path)), responses((status = OK, body = Object)))]
async fn detail(State(aptly): State<Aptly>, Path(id): Path<String>) -> Result<Answer, Fault> {
    Ok(Answer::ok(aptly.tasks().look(&id, StatusCode::NOT_FOUND, |_, task| task.detail())?))
}

/// What a task answered.
#[utoipa::path(get, path = "/api/tasks/{id}/return_value", params(("id" = String, Path)), responses((status = OK, body = Object)))]
async fn return_value(State(aptly): State<Aptly>, Path(id): Path<String>) -> Result<Answer, Fault> {
    let value = aptly.tasks().look(&id, StatusCode::NOT_FOUND, |_, task| {
        task.done.as_ref().map_or(Value::Null, |(code, value)| json!({"Code": code, "Value": value}))
    });
    Ok(Answer::ok(value?))
}

/// Forgets a task that is over.
#[utoipa::path(delete, path = "/api/tasks/{id}", params(("id" = String, Path)), responses((status = OK, body = Object)))]
async fn forget(State(aptly): State<Aptly>, Path(id): Path<String>) -> Result<Answer, Fault> {
    let (number, over) = aptly.tasks().look(&id, StatusCode::BAD_REQUEST, |id, task| (id, task.is_over()))?;
    if !over {
        return Err(Fault::bad(format!("task with id {number} is still in progress")));
    }
    aptly.tasks().shared.lock().tasks.remove(&number);
    Ok(Answer::nothing())
}

/// Forgets the tasks that are over.
#[utoipa::path(post, path = "/api/tasks-clear", responses((status = OK, body = Object)))]
async fn clear(State(aptly): State<Aptly>) -> Answer {
    aptly.tasks().shared.lock().tasks.retain(|_, task| !task.is_over());
    Answer::nothing()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn tasks_wait_for_those_before_them_that_work_on_the_same_and_for_no_others() {
        let tasks = Tasks::default();
        let (say, order) = mpsc::channel();
        let mut gates = Vec::new();
        for (name, resources) in
            [("a", vec!["x"]), ("b", vec!["x", "y"]), ("c", vec!["z"]), ("all", vec![EVERYTHING]), ("d", vec!["z"])]
        {
            let (open, gate) = mpsc::channel::<()>();
            let say = say.clone();
            gates.push((name, open));
            tasks.start(name.into(), resources.into_iter().map(str::to_owned).collect(), move |_| {
                say.send(name).expect("heard");
                // Opened, or given up by a test that fails.
                let _ = gate.recv();
                Ok(Answer::nothing())
            });
        }
        let open = |name: &str| gates.iter().find(|(gate, _)| *gate == name).map(|(_, gate)| gate.send(()));
        let shared = tasks.shared.clone();
        let state = |id: u64| shared.lock().tasks[&id].state;
        let until = async |wanted: [u8; 5]| {
            let reached = async {
                while [1, 2, 3, 4, 5].map(state) != wanted {
                    tokio::task::yield_now().await;
                }
            };
            let limit = std::time::Duration::from_secs(20);
            tokio::time::timeout(limit, reached).await.unwrap_or_else(|_| panic!("{:?}", [1, 2, 3, 4, 5].map(state)));
        };
        until([RUNNING, 0, RUNNING, 0, 0]).await;
        open("a");
        until([SUCCEEDED, RUNNING, RUNNING, 0, 0]).await;
        open("c");
        open("b");
        until([SUCCEEDED, SUCCEEDED, SUCCEEDED, RUNNING, 0]).await;
        open("all");
        until([SUCCEEDED, SUCCEEDED, SUCCEEDED, SUCCEEDED, RUNNING]).await;
        open("d");
        until([SUCCEEDED; 5]).await;
        let mut begun: Vec<&str> = order.try_iter().collect();
        begun[..2].sort_unstable();
        assert_eq!(begun, ["a", "c", "b", "all", "d"]);
    }
}
