//! APT repositories: local repositories, snapshots, publishing. One [`Root`] is one folder as aptly lays it out; any
//! number of processes and users may work on it at the same time.
//!
//! Not here: text for people and exit codes (the command line makes them of typed lines and errors), HTTP, pipelines.
//! Everything is synchronous.
#![forbid(unsafe_code)]

mod add;
pub mod backup;
mod cleanup;
mod combine;
mod contents;
mod cores;
mod error;
mod graph;
mod include;
mod mirror;
pub mod openpgp;
mod ops;
mod outbox;
mod packages;
mod pool;
mod prune;
mod publish;
mod refs;
mod repo;
mod report;
mod resolve;
mod root;
mod schema;
mod select;
mod set;
mod shown;
mod snapshot;
mod takeover;
mod uploaders;
mod verify;

pub use add::{AddOptions, Added};
pub use cleanup::{Cleaned, size};
pub use combine::{DiffRow, Merge, Pull};
pub use error::{Error, Result};
pub use include::{IncludeOptions, Target};
pub use mirror::{Fetch, FetchError, Mirror, MirrorChange, Trust, UpdateMirror};
pub use ops::{Op, OpChange, Undone};
pub use outbox::{DROPPED, Event, MIRRORED, Mirrored, Moved, NewPackage, PUBLISHED, Published, REMOVED, UPLOADED};
pub use pool::{located, pool_path};
pub use publish::{
    Bucket, Endpoint, Generation, LinkMethod, Past, Publication, PublishRequest, PublishedPackage, Rollback, Settings,
    Signing, Source, UpdateRequest, Verify,
};
pub use repo::{DropRefused, Repo, RepoChange};
pub use report::{Line, Progress, Sink, Work};
pub use resolve::Follow;
pub use root::Root;
pub use select::Transfer;
pub use shown::shown_package;
pub use snapshot::{Snapshot, SourceKind};
pub use store::objects::{Objects, S3};
pub use takeover::{Exported, Taken, check_takeover, take_over, take_over_again};
pub use uploaders::{Rule, Uploaders, plain_json};
pub use verify::Keyrings;
