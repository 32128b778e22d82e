//! What a caller may do, by role.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A caller's role. Each may do what the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything, changes nothing.
    Viewer,
    /// Starts, judges and cancels pipelines, deploys and rolls back.
    Operator,
    /// Changes settings and accounts besides.
    Admin,
}

/// What a request wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look at something.
    Read,
    /// Start, change or delete something.
    Write,
    /// Change what concerns the whole server.
    Administer,
}

impl Role {
    /// True when a caller of this role may do `action`.
    pub fn may(self, action: Action) -> bool {
        match action {
            Action::Read => true,
            Action::Write => self >= Self::Operator,
            Action::Administer => self == Self::Admin,
        }
    }
}

/// A role by its name, or by what its bearer does.
impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "viewer" | "read" => Ok(Self::Viewer),
            "operator" | "deploy" => Ok(Self::Operator),
            "admin" => Ok(Self::Admin),
            _ => Err("give viewer, operator or admin".into()),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_ones_before_it_may() {
        let table = [
            (Role::Viewer, [true, false, false]),
            (Role::Operator, [true, true, false]),
            (Role::Admin, [true, true, true]),
        ];
        for (role, expected) in table {
            let got = [Action::Read, Action::Write, Action::Administer].map(|action| role.may(action));
            assert_eq!(got, expected, "{role}");
        }
    }
}
