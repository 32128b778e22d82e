//! aptly's API under `/api`: the same routes, fields and statuses, over one root. It is part of the server, and alone it is `aptly api serve`.
//!
//! Here: what handlers work with and how they answer. Handlers are one file a noun. Nothing of pipelines or clouds is known here.
//! The published files themselves are the work of `files`; `serve_files` only puts them under an address of this API.

mod answer;
mod asked;
mod files;
mod gpg;
mod metrics;
mod mirrors;
mod packages;
mod publish;
mod repos;
mod serve_files;
mod snapshots;
mod status;
mod tasks;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::Caller;
use apt::{Fetch, Follow, Keyrings, Line, Root, Signing};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use events::meter::Counters;
use utoipa_axum::router::OpenApiRouter;

pub use answer::{Answer, Fault};
use asked::Params;
use metrics::Metrics;
use tasks::Tasks;

use crate::Problem;

/// How mirrors are downloaded.
pub type Downloads = Arc<dyn Fetch + Send + Sync>;

/// What aptly's configuration says that the API heeds.
#[derive(Clone, Default)]
pub struct Settings {
    /// The version that `/api/version` tells.
    pub version: String,
    /// Architectures of publications that name none.
    pub architectures: Vec<String>,
    /// Which dependencies are followed.
    pub follow: Follow,
    /// No Contents indexes where a request does not say.
    pub skip_contents: bool,
    /// No `.bz2` where a request does not say.
    pub skip_bz2: bool,
    /// Requests that say nothing of it are answered with a task.
    pub asynchronous: bool,
    /// Without it nothing is mirrored.
    pub downloads: Option<Downloads>,
    /// How the user's own aptly signs.
    pub signing: Signing,
    /// GnuPG's folder, when signatures are checked in this process.
    pub checks_in: Option<PathBuf>,
    /// Requests are counted, and `/api/metrics` tells of them.
    pub metrics: bool,
    /// `/repos/` serves what is published.
    pub serve_files: bool,
}

impl Settings {
    /// Who checks signatures by keyrings of these names.
    fn keyrings(&self, named: Vec<String>) -> Keyrings {
        Keyrings::named(self.checks_in.as_deref(), named)
    }
}

/// The API over one root. Cheap to clone.
#[derive(Clone)]
pub struct Aptly(Arc<Inner>);

struct Inner {
    root: Option<Root>,
    settings: Settings,
    tasks: Tasks,
    metrics: Metrics,
    /// Publishing by what came of it.
    published: Counters<&'static str>,
}

/// Where what was uploaded as `DIR` or `DIR/FILE` lies beneath the folder of uploads; nothing else can be named.
pub fn upload(uploads: &Path, name: &str) -> Option<PathBuf> {
    let (dir, file) = name.split_once('/').map_or((name, None), |(dir, file)| (dir, Some(file)));
    files::meant(uploads, dir, file).ok()
}

impl Aptly {
    /// Over this root; without one every request says that there is none.
    pub fn new(root: Option<Root>, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            root,
            settings,
            tasks: Tasks::default(),
            metrics: Metrics::default(),
            published: Counters::default(),
        }))
    }

    /// The service alone, for `aptly api serve`.
    pub fn service(self) -> Router {
        self.router().fallback(nothing)
    }

    /// Waits until no task is left.
    pub async fn tasks_over(&self) {
        self.tasks().over().await;
    }

    /// Every route, to be served among others.
    pub(crate) fn router<S>(self) -> Router<S> {
        let (mut router, _) = routes().split_for_parts();
        if self.settings().serve_files {
            router = router.merge(serve_files::routes());
        }
        let router = router.route_layer(axum::middleware::from_fn_with_state(self.clone(), watch));
        router.with_state(self)
    }

    fn root(&self) -> Result<&Root, Fault> {
        self.0.root.as_ref().ok_or_else(|| Fault::unavailable("the server follows no aptly root"))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Publishing that was asked for: how often it was done, and how often it failed.
    pub(crate) fn published(&self) -> &Counters<&'static str> {
        &self.0.published
    }

    /// Counts what came of publishing.
    fn publishing<T, E>(&self, done: Result<T, E>) -> Result<T, E> {
        self.published().count(if done.is_ok() { "done" } else { "failed" });
        done
    }

    fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// The root, for one request: what it changes is one entry of the log of operations.
    fn acting(&self) -> Result<Root, Fault> {
        let Asked { who, what } = ASKED.try_with(Clone::clone).unwrap_or_default();
        Ok(self.root()?.clone().acting(&who, &what))
    }

    /// Where uploaded files wait.
    fn uploads(&self) -> Result<PathBuf, Fault> {
        Ok(self.root()?.path().join("upload"))
    }

    /// The path of an upload that is named `DIR/FILE`.
    pub(crate) fn uploaded(&self, name: &str) -> Result<PathBuf, Problem> {
        let (dir, file) = name.split_once('/').unwrap_or((name, ""));
        let path = self.uploads().and_then(|uploads| files::meant(&uploads, dir, Some(file)));
        let path = path.map_err(|_| Problem::bad_request(format!("file \"{name}\": give DIR/FILE of an upload")))?;
        if path.is_file() { Ok(path) } else { Err(Problem::not_found(format!("there is no upload {name}"))) }
    }

    /// Work that may take a moment, away from the threads that answer.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let root = self.acting()?;
        tokio::task::spawn_blocking(move || work(&root)).await.map_err(|error| Fault::internal(error.to_string()))?
    }

    /// Work that is a task: done at once, or answered with the task when the request (or the configuration) says so.
    async fn task(
        &self,
        params: &Params,
        name: String,
        resources: Vec<String>,
        work: impl FnOnce(&Root, &mut dyn FnMut(Line)) -> Result<Answer, Fault> + Send + 'static,
    ) -> Response {
        let root = match self.acting() {
            Ok(root) => root,
            Err(fault) => return fault.into_response(),
        };
        if params.is_async(self.settings().asynchronous) {
            return self.tasks().start(name, resources, move |sink| work(&root, sink)).into_response();
        }
        let done = tokio::task::spawn_blocking(move || work(&root, &mut |_| {})).await;
        done.unwrap_or_else(|error| Err(Fault::internal(error.to_string()))).into_response()
    }
}

/// Every route that is documented.
pub(crate) fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new()
        .merge(status::routes())
        .merge(files::routes())
        .merge(gpg::routes())
        .merge(mirrors::routes())
        .merge(repos::routes())
        .merge(snapshots::routes())
        .merge(packages::routes())
        .merge(publish::routes())
        .merge(tasks::routes())
        .merge(metrics::routes())
}

tokio::task_local! {
    static ASKED: Asked;
}

/// The request that is being answered.
#[derive(Clone, Default)]
struct Asked {
    /// Whose token it bears; `api` where nobody is asked for one.
    who: String,
    /// Method and path.
    what: String,
}

/// What every request goes through: it is remembered for the log of operations, and counted.
async fn watch(State(aptly): State<Aptly>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>();
    let asked = Asked {
        who: caller.map_or_else(|| "api".to_owned(), |caller| caller.name.clone()),
        what: format!("{} {}", request.method(), request.uri().path()),
    };
    let answered = ASKED.scope(asked, aptly.counted(request, next));
    answered.await
}

/// The answer to an address that is none.
async fn nothing() -> (axum::http::StatusCode, &'static str) {
    (axum::http::StatusCode::NOT_FOUND, "404 page not found")
}
