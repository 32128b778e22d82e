//! What happened, as one list out of what is kept in several: runs, tasks, operations in apt roots, saves. It is read a piece at a time, the
//! newest first, and goes on where a piece ended; a filter looks through a bounded number of entries for each piece.

use std::collections::{BTreeMap, VecDeque};

use apt::{Op, Root};
use axum::Json;
use axum::extract::State;
use pipeline::model::{Kind, Status};
use pipeline::notices::{self, Notice};
use pipeline::records::{self, Detail, Place};
use pipeline::revision::{self, Change};
use pipeline::{Execution, applications};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{StoreError, Tx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::notifiers::Told;
use super::operations::{Operation, problem};
use super::{blocking, written};
use crate::query::Query;
use crate::{House, Problem};

/// Entries of one answer, unless said otherwise, and at most.
const USUAL: usize = 100;
const MOST: usize = 1_000;
/// So many entries of each kind are read at once.
const PIECE: usize = 200;
/// So many entries are looked through for one answer.
const LOOKED_THROUGH: usize = 5_000;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(activity))
}

/// What is asked for; nothing for everything.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Asked {
    /// How many entries; 100 if it is not said, at most 1,000.
    limit: Option<usize>,
    /// Where the piece before ended, as its `next` says.
    next: Option<String>,
    /// By this person; `anonymous` for nobody in particular.
    who: Option<String>,
    /// Only `run`, `task`, `repository`, `save`, or `notification`, which are those that reached nobody.
    #[param(inline)]
    kind: Option<What>,
    /// Only what ended `well`, `failed` or `cancelled`, or is `running`.
    #[param(inline)]
    result: Option<Outcome>,
    /// Only what has all these words in the names of what it is about.
    object: Option<String>,
    /// Not before this moment, in milliseconds since 1970.
    from: Option<i64>,
    /// Before this moment, in milliseconds since 1970.
    to: Option<i64>,
}

/// Of which kind an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
enum What {
    Run,
    Task,
    Repository,
    Save,
    Notification,
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Well,
    Failed,
    Cancelled,
    Running,
}

/// The answer.
#[derive(Serialize, utoipa::ToSchema)]
struct Activity {
    /// The newest first.
    happenings: Vec<Happening>,
    /// What to ask for as `next` for those before; null where there are none.
    next: Option<String>,
}

/// Something that happened.
#[derive(Serialize, utoipa::ToSchema)]
struct Happening {
    /// When, in milliseconds since 1970.
    at: i64,
    /// By whom; empty if that is not known.
    who: String,
    /// Of which kind it is.
    kind: What,
    /// The execution without its stages, of a run, a task or a notification.
    #[schema(value_type = Option<Object>)]
    execution: Option<Value>,
    /// What was done in an apt root.
    operation: Option<Operation>,
    /// What was saved or deleted.
    saved: Option<Saved>,
    /// Whom a notification did not reach.
    notification: Option<Told>,
}

/// A save.
#[derive(Serialize, utoipa::ToSchema)]
struct Saved {
    /// `application`, `pipeline`, `project`, `template` or `notification`.
    thing: String,
    /// Its id.
    id: String,
    /// Its application; empty if it has none.
    application: String,
    /// Its name.
    name: String,
    /// The number of the state that came of it; 1 is the first.
    revision: i64,
    /// It was deleted.
    deleted: bool,
}

/// Where each kind goes on.
#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    runs: Option<Place>,
    tasks: Option<Place>,
    saves: Option<revision::Place>,
    notices: Option<notices::Behind>,
    /// By the folder of the root.
    roots: BTreeMap<String, i64>,
}

/// Gives what happened, the newest first, by person, object, kind, result and time.
#[utoipa::path(get, path = "/ui-api/activity", params(Asked), responses((status = OK, body = Activity), (status = BAD_REQUEST, body = Problem)))]
async fn activity(State(house): State<House>, Query(asked): Query<Asked>) -> Result<Json<Activity>, Problem> {
    let mut cursor = Cursor::of(&asked)?;
    let limit = asked.limit.unwrap_or(USUAL).clamp(1, MOST);
    let (mut happenings, mut looked) = (Vec::new(), 0);
    loop {
        let mut lists = read(&house, &asked, &cursor).await?;
        while let Some(entry) = newest(&mut lists) {
            cursor.pass(&entry);
            looked += 1;
            if asked.from.is_some_and(|from| entry.at() < from) {
                return Ok(Json(Activity { happenings, next: None }));
            }
            if asked.is_met_by(&entry) {
                happenings.push(entry.shown());
            }
            if happenings.len() == limit || looked == LOOKED_THROUGH {
                let next = serde_json::to_string(&cursor).map_err(|error| Problem::internal(error.to_string()))?;
                return Ok(Json(Activity { happenings, next: Some(next) }));
            }
        }
        if !lists.iter().any(List::must_go_on) {
            return Ok(Json(Activity { happenings, next: None }));
        }
    }
}

/// An entry as it is kept.
enum Entry {
    Execution(Box<Execution>),
    Operation {
        root: Root,
        op: Op,
    },
    Save(Change),
    /// And the execution that it is about, without its stages.
    Notice(Box<(Notice, Execution)>),
}

/// Entries of one kind, the newest first.
struct List {
    entries: VecDeque<Entry>,
    /// There are more behind them.
    more: bool,
}

impl List {
    fn of(entries: VecDeque<Entry>) -> List {
        List { more: entries.len() == PIECE, entries }
    }

    /// Whether its next entry is not known before more is read.
    fn must_go_on(&self) -> bool {
        self.more && self.entries.is_empty()
    }
}

/// The newest entry of all lists. None when one of them must be read on first, or when all are at their end.
fn newest(lists: &mut [List]) -> Option<Entry> {
    if lists.iter().any(List::must_go_on) {
        return None;
    }
    let at = |list: &List| list.entries.front().map(Entry::at);
    lists.iter_mut().filter(|list| !list.entries.is_empty()).max_by_key(|list| at(list))?.entries.pop_front()
}

async fn read(house: &House, asked: &Asked, cursor: &Cursor) -> Result<Vec<List>, Problem> {
    let wants = |what: What| asked.kind.is_none_or(|kind| kind == what);
    let is_well = asked.result.is_none_or(|result| result == Outcome::Well);
    let executions = [(What::Run, Kind::Pipeline, &cursor.runs), (What::Task, Kind::Orchestration, &cursor.tasks)];
    let statuses = asked.result.map(Outcome::statuses).unwrap_or_default();
    let queries: Vec<records::Query> = executions
        .into_iter()
        .filter(|(what, ..)| wants(*what))
        .map(|(_, kind, behind)| records::Query {
            kind,
            statuses: statuses.clone(),
            limit: PIECE,
            behind: behind.clone(),
            ..records::Query::default()
        })
        .collect();
    let saves = (wants(What::Save) && is_well).then(|| cursor.saves.clone());
    let is_failed = asked.result.is_none_or(|result| result == Outcome::Failed);
    let untold = (wants(What::Notification) && is_failed).then(|| cursor.notices.clone());
    let mut lists = house
        .read::<_, StoreError>(move |tx| {
            let mut lists = Vec::new();
            for query in &queries {
                let ids = records::find(tx, query)?;
                let runs = records::read_all(tx, &ids, Detail::Header)?;
                lists.push(List::of(runs.into_iter().map(|run| Entry::Execution(Box::new(run))).collect()));
            }
            if let Some(behind) = &saves {
                lists.push(saved(tx, behind.as_ref())?);
            }
            if let Some(behind) = &untold {
                lists.push(unreached(tx, behind.as_ref())?);
            }
            Ok(lists)
        })
        .await?;
    if wants(What::Repository) && is_well {
        let (roots, reached) = (house.roots.clone(), cursor.roots.clone());
        let Json(of_roots) = blocking(move || {
            let list = |root: &Root| {
                let before = reached.get(&root.path().display().to_string()).copied().unwrap_or(i64::MAX);
                let ops = root.ops_before(before, PIECE as u32)?;
                Ok(List::of(ops.into_iter().map(|op| Entry::Operation { root: root.clone(), op }).collect()))
            };
            roots.iter().map(list).collect::<apt::Result<Vec<List>>>().map_err(problem)
        })
        .await?;
        lists.extend(of_roots);
    }
    Ok(lists)
}

/// Saves. Of applications and projects only those that no task made: those are told by the task.
fn saved(tx: &mut Tx<'_>, behind: Option<&revision::Place>) -> Result<List, StoreError> {
    let mut behind = behind.cloned();
    loop {
        let changes = revision::changes(tx, behind.as_ref(), PIECE)?;
        let more = changes.len() == PIECE;
        behind = changes.last().map(Change::place);
        let mut entries = VecDeque::new();
        for change in changes {
            let by_task = matches!(change.kind.as_str(), "application" | "project")
                && records::has_task(tx, &applications::folded(application_of(&change)), change.at)?;
            if !by_task {
                entries.push_back(Entry::Save(change));
            }
        }
        if !(more && entries.is_empty()) {
            return Ok(List { entries, more });
        }
    }
}

/// Notifications that reached nobody.
fn unreached(tx: &mut Tx<'_>, behind: Option<&notices::Behind>) -> Result<List, StoreError> {
    let failed = notices::failed(tx, behind, PIECE)?;
    let ids: Vec<String> = failed.iter().map(|notice| notice.execution.clone()).collect();
    let runs: BTreeMap<String, Execution> =
        records::read_all(tx, &ids, Detail::Header)?.into_iter().map(|run| (run.id.clone(), run)).collect();
    let entry = |notice: Notice| {
        let run = runs.get(&notice.execution).cloned().unwrap_or_default();
        Entry::Notice(Box::new((notice, run)))
    };
    Ok(List::of(failed.into_iter().map(entry).collect()))
}

/// Jobs that make projects belong to no application; Deck writes this one.
const NOBODYS: &str = "spinnaker";

fn application_of(change: &Change) -> &str {
    match change.kind.as_str() {
        "application" => &change.id,
        "project" => NOBODYS,
        _ => change.application.as_deref().unwrap_or_default(),
    }
}

fn names_of(run: &Execution) -> String {
    let (name, description) = (run.name.as_deref(), run.description.as_deref());
    format!("{} {} {}", run.application, name.unwrap_or_default(), description.unwrap_or_default())
}

impl Entry {
    fn at(&self) -> i64 {
        match self {
            Entry::Execution(run) => run.build_time.unwrap_or_default(),
            Entry::Operation { op, .. } => op.at.as_millisecond(),
            Entry::Save(change) => change.at,
            Entry::Notice(both) => both.0.at,
        }
    }

    fn what(&self) -> What {
        match self {
            Entry::Execution(run) if run.kind == Kind::Pipeline => What::Run,
            Entry::Execution(_) => What::Task,
            Entry::Operation { .. } => What::Repository,
            Entry::Save(_) => What::Save,
            Entry::Notice(_) => What::Notification,
        }
    }

    fn who(&self) -> &str {
        let who = match self {
            Entry::Execution(run) => run.trigger.user(),
            Entry::Operation { op, .. } => &op.who,
            Entry::Save(change) => &change.who,
            Entry::Notice(both) => both.1.trigger.user(),
        };
        if who == "[anonymous]" { "" } else { who }
    }

    /// The names of what it is about.
    fn names(&self) -> String {
        match self {
            Entry::Execution(run) => names_of(run),
            Entry::Notice(both) => names_of(&both.1),
            Entry::Operation { op, .. } => {
                let names: Vec<&str> = op.changes.iter().map(|change| change.name.as_str()).collect();
                format!("{} {}", names.join(" "), op.command)
            }
            Entry::Save(change) => format!("{} {}", application_of(change), change.name.as_deref().unwrap_or_default()),
        }
    }

    fn shown(self) -> Happening {
        let (at, who, kind) = (self.at(), self.who().to_owned(), self.what());
        let bare = Happening { at, who, kind, execution: None, operation: None, saved: None, notification: None };
        match self {
            Entry::Execution(run) => Happening { execution: Some(written(&run)), ..bare },
            Entry::Operation { root, op } => Happening { operation: Some(Operation::of(&root, op)), ..bare },
            Entry::Notice(both) => {
                let (notice, run) = *both;
                Happening { execution: Some(written(&run)), notification: Some(notice.into()), ..bare }
            }
            Entry::Save(change) => {
                let application = application_of(&change).to_owned();
                let Change { kind: thing, id, number: revision, deleted, name, .. } = change;
                let name = name.unwrap_or_else(|| id.clone());
                Happening { saved: Some(Saved { thing, id, application, name, revision, deleted }), ..bare }
            }
        }
    }
}

impl Asked {
    /// What the reading of lists did not see to.
    fn is_met_by(&self, entry: &Entry) -> bool {
        let by = |who: &String| entry.who() == if who == "anonymous" { "" } else { who };
        let about = |words: &String| {
            let names = entry.names().to_lowercase();
            words.to_lowercase().split_whitespace().all(|word| names.contains(word))
        };
        self.who.as_ref().is_none_or(by)
            && self.object.as_ref().is_none_or(about)
            && self.to.is_none_or(|to| entry.at() < to)
    }
}

impl Outcome {
    fn statuses(self) -> Vec<Status> {
        match self {
            Outcome::Well => vec![Status::Succeeded, Status::Skipped, Status::Redirect],
            Outcome::Failed => vec![Status::Terminal, Status::FailedContinue, Status::Stopped],
            Outcome::Cancelled => vec![Status::Canceled],
            Outcome::Running => {
                vec![Status::NotStarted, Status::Running, Status::Paused, Status::Suspended, Status::Buffered]
            }
        }
    }
}

impl Cursor {
    fn of(asked: &Asked) -> Result<Cursor, Problem> {
        if let Some(next) = &asked.next {
            let wrong = || Problem::bad_request("next: not what an answer of /ui-api/activity said as its next");
            return serde_json::from_str(next).map_err(|_| wrong());
        }
        let Some(to) = asked.to else { return Ok(Cursor::default()) };
        let place = Some(Place { built: to, id: String::new() });
        let saves = Some((to, String::new(), String::new(), 0));
        let notices = Some((to, String::new()));
        Ok(Cursor { runs: place.clone(), tasks: place, saves, notices, roots: BTreeMap::new() })
    }

    fn pass(&mut self, entry: &Entry) {
        match entry {
            Entry::Execution(run) => {
                let place = Some(Place { built: entry.at(), id: run.id.clone() });
                *(if run.kind == Kind::Pipeline { &mut self.runs } else { &mut self.tasks }) = place;
            }
            Entry::Operation { root, op } => drop(self.roots.insert(root.path().display().to_string(), op.id)),
            Entry::Save(change) => self.saves = Some(change.place()),
            Entry::Notice(both) => self.notices = Some((both.0.at, both.0.id.clone())),
        }
    }
}
