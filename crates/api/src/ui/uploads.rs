//! How packages came into repositories, as far as the log of operations goes back.

use apt::Op;
use serde::Serialize;

/// So many operations of a root are looked through.
pub(super) const OPERATIONS: u32 = 1_000;

/// One way into a repository.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub(super) struct Upload {
    /// The repository, mirror or snapshot.
    pub(super) into: String,
    /// When, in milliseconds since 1970.
    pub(super) at: i64,
    /// Who did it.
    pub(super) who: String,
    /// By which command or request.
    pub(super) command: String,
}

/// Pure: how a package came into repositories.
pub(super) fn uploads(ops: &[Op], label: &str) -> Vec<Upload> {
    let of = |op: &Op| {
        let into =
            op.changes.iter().find(|one| one.kind != "publication" && one.added.iter().any(|name| name == label))?;
        let Op { who, command, .. } = op;
        Some(Upload { into: into.name.clone(), at: op.at.as_millisecond(), who: who.clone(), command: command.clone() })
    };
    ops.iter().filter(|op| op.undoes.is_none()).filter_map(of).collect()
}
