//! What depends on what, in the language of Graphviz. Drawing it is the caller's.

use crate::error::Result;
use crate::root::Root;
use crate::snapshot::SourceKind;

macro_rules! line {
    ($text:ident, $($part:tt)*) => {{
        $text.push_str(&format!($($part)*));
        $text.push('\n');
    }};
}

/// A text inside DOT's quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['{', '}', '|', '<', '>'], " ")
}

impl Root {
    /// Repositories, snapshots and publications and what is made of what, for `dot`.
    pub fn dot(&self, vertical: bool) -> Result<String> {
        let mut text = format!("digraph aptly {{\n  graph [rankdir={}];\n", if vertical { "TB" } else { "LR" });
        for mirror in self.mirrors()? {
            let label = format!(
                "{{Mirror {}|url: {}|dist: {}|comp: {}|arch: {}|pkgs: {}}}",
                quoted(&mirror.name),
                quoted(&mirror.archive),
                quoted(&mirror.distribution),
                quoted(&mirror.components.join(", ")),
                quoted(&mirror.architectures.join(", ")),
                self.count(&mirror.root)?
            );
            line!(
                text,
                "  \"{}\" [shape=Mrecord, style=filled, fillcolor=darkgoldenrod1, label=\"{label}\"];",
                mirror.uuid
            );
        }
        for (repo, count) in self.repos()? {
            let label = format!("{{Repo {}|comment: {}|pkgs: {count}}}", quoted(&repo.name), quoted(&repo.comment));
            line!(
                text,
                "  \"{}\" [shape=Mrecord, style=filled, fillcolor=mediumseagreen, label=\"{label}\"];",
                repo.uuid
            );
        }
        for snapshot in self.snapshots()? {
            let label = format!(
                "{{Snapshot {}|{}|pkgs: {}}}",
                quoted(&snapshot.name),
                quoted(&snapshot.description),
                self.count(&snapshot.root)?
            );
            line!(
                text,
                "  \"{}\" [shape=Mrecord, style=filled, fillcolor=cadetblue1, label=\"{label}\"];",
                snapshot.uuid
            );
            for source in &snapshot.sources {
                line!(text, "  \"{source}\" -> \"{}\";", snapshot.uuid);
            }
        }
        for publication in self.publications()? {
            let kind = if publication.kind == SourceKind::Local { "local" } else { "snapshot" };
            let label = format!(
                "{{Published {}|{kind}|arch: {}}}",
                quoted(&publication.path()),
                quoted(&publication.architectures.join(", "))
            );
            line!(
                text,
                "  \"{}\" [shape=Mrecord, style=filled, fillcolor=darkolivegreen1, label=\"{label}\"];",
                publication.uuid
            );
            for source in publication.sources.values() {
                line!(text, "  \"{}\" -> \"{}\";", source.uuid, publication.uuid);
            }
        }
        text.push_str("}\n");
        Ok(text)
    }
}
