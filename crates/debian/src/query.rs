//! aptly's package queries: `nginx (>= 1.2), $Architecture (amd64) | !Name (% lib*)`.
//!
//! [`parse`] makes a [`Query`], [`Query::matches`] asks it about one package. Nothing here knows lists or databases.

mod glob;
mod lexer;
mod parser;

use regex::Regex;
use thiserror::Error;

pub use parser::parse;

use crate::package::{Kind, Package, is_for};
use crate::relation;
use crate::version::Relation;

/// A query that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("parsing failed: {0}")]
pub struct QueryError(pub String);

/// What is asked.
#[derive(Debug, Clone)]
pub enum Query {
    /// Either side.
    Or(Box<Query>, Box<Query>),
    /// Both sides.
    And(Box<Query>, Box<Query>),
    /// Not this.
    Not(Box<Query>),
    /// A field's value.
    Field {
        /// Name of the field; `$…` for the special ones.
        field: String,
        /// What its value must be.
        test: Test,
    },
    /// A package by name, version and architecture.
    Exact {
        /// Name.
        name: String,
        /// Version.
        version: String,
        /// Architecture.
        architecture: String,
    },
    /// A package by name, or one that provides the name.
    Dependency {
        /// The name.
        name: String,
        /// What its version must be.
        test: Test,
        /// The architecture in braces; empty for any.
        architecture: String,
    },
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub enum Test {
    /// That there is one.
    Present,
    /// Its order as a version.
    Compare(Relation, String),
    /// That the whole of it has this shape.
    Glob(String),
    /// That this regular expression finds something in it.
    Regex(Regex),
}

impl Test {
    fn holds(&self, value: &str) -> bool {
        match self {
            Test::Present => !value.is_empty(),
            Test::Compare(relation, bound) => relation.holds(value, bound),
            Test::Glob(pattern) => glob::matches(pattern, value),
            Test::Regex(regex) => regex.is_match(value),
        }
    }
}

impl Query {
    /// Whether `package` is meant.
    pub fn matches(&self, package: &Package) -> bool {
        match self {
            Query::Or(a, b) => a.matches(package) || b.matches(package),
            Query::And(a, b) => a.matches(package) && b.matches(package),
            Query::Not(inner) => !inner.matches(package),
            Query::Field { field, test } => field_matches(field, test, package),
            Query::Exact { name, version, architecture } => {
                package.key.name == *name
                    && package.key.version == *version
                    && package.key.architecture == *architecture
            }
            Query::Dependency { name, test, architecture } => {
                (architecture.is_empty() || package.is_for(architecture)) && satisfies(package, name, test)
            }
        }
    }

    /// Names of which every package that is meant has at least one in its fields, be it as its own or as one that it provides; nothing when
    /// there are no such names.
    pub fn names(&self) -> Option<Vec<&str>> {
        match self {
            Query::Or(a, b) => Some([a.names()?, b.names()?].concat()),
            Query::And(a, b) => a.names().or_else(|| b.names()),
            Query::Exact { name, .. } | Query::Dependency { name, .. } => Some(vec![name]),
            Query::Not(_) | Query::Field { .. } => None,
        }
    }

    /// Whether only fields are asked about, so that it can be asked of an upload's fields as well.
    pub fn matches_fields(&self, value: &dyn Fn(&str) -> String) -> bool {
        match self {
            Query::Or(a, b) => a.matches_fields(value) || b.matches_fields(value),
            Query::And(a, b) => a.matches_fields(value) && b.matches_fields(value),
            Query::Not(inner) => !inner.matches_fields(value),
            Query::Field { field, test } => test.holds(&value(field)),
            Query::Exact { .. } | Query::Dependency { .. } => false,
        }
    }

    /// Joins queries by "or"; nothing for none.
    pub fn any(queries: Vec<Query>) -> Option<Query> {
        queries.into_iter().reduce(|a, b| Query::Or(Box::new(a), Box::new(b)))
    }

    /// Joins two queries by "and".
    #[must_use]
    pub fn and(self, other: Query) -> Query {
        Query::And(Box::new(self), Box::new(other))
    }
}

/// Whether `package` has the name or provides it, in a version that passes `test`.
fn satisfies(package: &Package, name: &str, test: &Test) -> bool {
    let passes = |version: &str| matches!(test, Test::Present) || test.holds(version);
    if package.key.name == name && passes(&package.key.version) {
        return true;
    }
    provided_versions(package, name).iter().any(|version| passes(version))
}

/// The versions in which `package` provides `name`: the given one, or the package's own.
pub fn provided_versions(package: &Package, name: &str) -> Vec<String> {
    let parts = relation::list(package.stanza.get("Provides"));
    let provided = parts.into_iter().filter_map(relation::provided).filter(|(provided, _)| provided == name);
    provided.map(|(_, version)| version.unwrap_or_else(|| package.key.version.clone())).collect()
}

fn field_matches(field: &str, test: &Test, package: &Package) -> bool {
    let key = &package.key;
    match field {
        "$Architecture" => match test {
            Test::Compare(Relation::Equal, architecture) => is_for(&key.architecture, architecture),
            test => test.holds(&key.architecture),
        },
        "$Version" => satisfies(package, &key.name, test),
        _ => test.holds(&field_value(field, package)),
    }
}

/// The value that a query or a template sees under a field's name; the empty text when there is none.
pub fn field_value(field: &str, package: &Package) -> String {
    let source = package.kind == Kind::Source;
    match field {
        "Name" => package.key.name.clone(),
        "Version" | "$Version" => package.key.version.clone(),
        "Architecture" if source => package.stanza.get("Architecture").to_owned(),
        "Architecture" | "$Architecture" => package.key.architecture.clone(),
        "$Source" => {
            if source {
                String::new()
            } else {
                package.source_name().to_owned()
            }
        }
        "$SourceVersion" => {
            if source {
                String::new()
            } else {
                package.source_version().to_owned()
            }
        }
        // As aptly has it.
        "$PackageType" if package.kind == Kind::Installer => Kind::Deb.word().to_owned(),
        "$PackageType" => package.kind.word().to_owned(),
        "Package" | "Filename" | "Size" => String::new(),
        other => package.stanza.get(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::parse_one;
    use crate::package::PackageFile;
    use crate::stanza::Stanza;
    use crate::sums::Sums;

    fn package(text: &str) -> Package {
        let stanza = Stanza::from_paragraph(&parse_one(text.as_bytes()).unwrap());
        Package::binary(stanza, Kind::Deb, PackageFile { name: "x.deb".into(), sums: Sums::of(b"") }).unwrap()
    }

    fn app() -> Package {
        package(
            "Package: app\nVersion: 1:2.0-1\nArchitecture: amd64\nSource: app-src (2.0)\nSection: net\nPriority: optional\n\
             Provides: httpd, mta (= 3)\nDepends: libc6\nX-Env: prod\n",
        )
    }

    #[test]
    fn queries_mean_what_the_reference_says() {
        let check = |query: &str, want: bool| {
            assert_eq!(parse(query).unwrap_or_else(|e| panic!("{query}: {e}")).matches(&app()), want, "{query}");
        };
        for yes in [
            "app",
            "app (>= 1:1)",
            "app (1:2.0-1)",
            "app (<< 1:2.0-2)",
            "app_1:2.0-1_amd64",
            "app {amd64}",
            "Name (app)",
            "Name (% a*)",
            "Name (~ ^ap+$)",
            "$Version (>= 1:2)",
            "$Architecture (amd64)",
            "$PackageType (deb)",
            "$Source (app-src)",
            "$SourceVersion (2.0)",
            "httpd",
            "mta (= 3)",
            "httpd (= 1:2.0-1)",
            "Section",
            "!Nothing",
            "app, Section (net)",
            "other | app",
            "!(other | another)",
            "Name (= 'app')",
            "X-Env (prod)",
            "Missing (0)",
            "Missing (% *)",
            "Name (% \"a?p\")",
            "Priority (optional), $Architecture (amd64) | other",
        ] {
            check(yes, true);
        }
        for no in [
            "other",
            "app (>> 1:2.0-1)",
            "app (<< 1:2.0-1)",
            "app_1_amd64",
            "app {i386}",
            "app {source}",
            "$Architecture (i386)",
            "Section (libs)",
            "!app",
            "app, other",
            "mta (= 2)",
            "Package (app)",
            "Filename",
            "Name (% a)",
            "Name (~ ^pp)",
            "Missing",
            "X-env (prod)",
        ] {
            check(no, false);
        }
    }

    #[test]
    fn packages_for_all_match_every_architecture_but_source() {
        let all = package("Package: doc\nVersion: 1\nArchitecture: all\n");
        for (query, want) in [
            ("doc {amd64}", true),
            ("doc {source}", false),
            ("$Architecture (i386)", true),
            ("$Architecture (% i*)", false),
        ] {
            assert_eq!(parse(query).unwrap().matches(&all), want, "{query}");
        }
    }

    #[test]
    fn queries_tell_the_names_without_which_nothing_is_meant() {
        let names = |query: &str| parse(query).unwrap().names().map(|names| names.join(" "));
        assert_eq!(names("app").as_deref(), Some("app"));
        assert_eq!(names("app_1_amd64 | httpd (>= 2)").as_deref(), Some("app httpd"));
        assert_eq!(names("Section (net), app").as_deref(), Some("app"));
        assert_eq!(names("app, (a | Section (net))").as_deref(), Some("app"));
        for open in ["!app", "app | Section (net)", "Name (app)", "$Version (1)"] {
            assert_eq!(names(open), None, "{open}");
        }
    }

    #[test]
    fn broken_queries_say_where() {
        let check = |query: &str, want: &str| {
            assert_eq!(parse(query).unwrap_err().to_string(), format!("parsing failed: {want}"), "{query}")
        };
        check("", "unexpected token <EOL>: expecting field or package name");
        check("app 1.1", "unexpected token \"1.1\": expecting end of query");
        check("pyspi >> 0.6.1-1.3)", "unexpected token >>: expecting end of query");
        check("app (>= 1.0", "unexpected token <EOL>: expecting ')'");
        check("(app", "unexpected token <EOL>: expecting ')'");
        check("app,", "unexpected token <EOL>: expecting field or package name");
        check("Name (~ '(')", "regular expression \"(\" cannot be read");
        assert!(parse(&"(".repeat(100_000)).is_err());
        assert!(parse(&"!".repeat(100_000)).is_err());
        assert!(parse(&format!("a{}", "|a".repeat(100_000))).is_err());
    }
}
