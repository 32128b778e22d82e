//! What expressions mention: names and functions, for checks before anything is evaluated.

use crate::ast::{ArrayOf, Expr, MapKey, Node, Step};

/// A name or a function in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where, in characters from the start of the text.
    pub column: usize,
    /// Which function (`#stage`), with its arguments as far as they are plain texts; none for a name.
    pub call: Option<(String, Vec<Option<String>>)>,
    /// Which type (`T(java.lang.Math)`, `new java.util.Date()`); none for a name.
    pub class: Option<String>,
    /// The name and the properties asked of it; of a function what is asked of its result. Ends at the first part that is computed.
    pub path: Vec<String>,
}

/// All that an expression mentions. Names inside selections and projections are properties of their elements and are left out.
pub(crate) fn of(tree: &Expr) -> Vec<Mention> {
    let mut found = Vec::new();
    walk(tree, true, &mut found);
    found
}

fn walk(tree: &Expr, names: bool, found: &mut Vec<Mention>) {
    let mut all = |list: &[Expr]| list.iter().for_each(|one| walk(one, names, found));
    match &tree.node {
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => {}
        Node::Type(name) => found.push(class(name, tree.column)),
        Node::New(name, items) => {
            found.push(class(name, tree.column));
            items.iter().for_each(|one| walk(one, names, found));
        }
        Node::List(items) | Node::And(items) | Node::Or(items) => all(items),
        Node::Map(members) => {
            for (key, value) in members {
                if let MapKey::Computed(key) = key {
                    walk(key, names, found);
                }
                walk(value, names, found);
            }
        }
        Node::Array(_, ArrayOf::Items(items)) => all(items),
        Node::Array(_, ArrayOf::Length(length)) => walk(length, names, found),
        Node::Prefix(_, of) => walk(of, names, found),
        Node::Chain(first, rest) => {
            walk(first, names, found);
            rest.iter().for_each(|(_, one)| walk(one, names, found));
        }
        Node::Compare(a, _, b) | Node::Default(a, b) => {
            walk(a, names, found);
            walk(b, names, found);
        }
        Node::Choice(a, b, c) => {
            for one in [a, b, c] {
                walk(one, names, found);
            }
        }
        Node::Start(step) => begin(step, tree.column, &[], names, found),
        Node::Compound(first, steps) => {
            match &first.node {
                Node::Start(step) => begin(step, first.column, steps, names, found),
                _ => walk(first, names, found),
            }
            steps.iter().for_each(|(step, _)| inside(step, names, found));
        }
    }
}

fn class(name: &str, column: usize) -> Mention {
    Mention { column, call: None, class: Some(name.to_owned()), path: Vec::new() }
}

/// A name or a function, with what is asked of it next.
fn begin(step: &Step, column: usize, after: &[(Step, usize)], names: bool, found: &mut Vec<Mention>) {
    let path = |first: Option<&String>| {
        let constant = |step: &Step| match step {
            Step::Property { name, .. } => Some(name.clone()),
            Step::Index(index) => text(index),
            _ => None,
        };
        first.cloned().into_iter().chain(after.iter().map_while(|(step, _)| constant(step))).collect()
    };
    match step {
        Step::Property { name, .. } if names => {
            found.push(Mention { column, call: None, class: None, path: path(Some(name)) })
        }
        Step::Function { name, args } => {
            let call = Some((name.clone(), args.iter().map(text).collect()));
            found.push(Mention { column, call, class: None, path: path(None) });
        }
        _ => {}
    }
    inside(step, names, found);
}

/// What stands in the brackets of a step.
fn inside(step: &Step, names: bool, found: &mut Vec<Mention>) {
    match step {
        Step::Property { .. } | Step::Variable(_) => {}
        Step::Method { args, .. } | Step::Function { args, .. } => args.iter().for_each(|one| walk(one, names, found)),
        // A bare name in brackets may be the key itself.
        Step::Index(index) => walk(index, false, found),
        Step::Select { condition, .. } => walk(condition, false, found),
        Step::Project { what, .. } => walk(what, false, found),
    }
}

fn text(tree: &Expr) -> Option<String> {
    match &tree.node {
        Node::Text(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::Template;

    fn mentions(text: &str) -> Vec<String> {
        let template = Template::parse(text).expect("it can be parsed");
        let show = |mention: &super::Mention| match &mention.call {
            Some((name, args)) => format!("{}: #{name}{args:?} {}", mention.column, mention.path.join(".")),
            None => format!("{}: {}", mention.column, mention.path.join(".")),
        };
        template.mentions().iter().map(show).collect()
    }

    #[test]
    fn names_are_told_with_their_properties() {
        assert_eq!(
            mentions("a ${ parameters.region } b ${trigger['tag'].x[0].y}"),
            ["5: parameters.region", "29: trigger.tag.x"]
        );
        assert_eq!(mentions("${a == b ? c.d : {e, 'f'}}"), ["2: a", "7: b", "11: c.d", "18: e"]);
    }

    #[test]
    fn functions_are_told_with_their_plain_arguments() {
        assert_eq!(
            mentions("${#stage('Bake').outputs['x'] + #toInt(parameters.n)}"),
            ["2: #stage[Some(\"Bake\")] outputs.x", "32: #toInt[None] ", "39: parameters.n"]
        );
    }

    #[test]
    fn types_are_told() {
        let template = Template::parse("${T(java.lang.Math).max(1, 2) + new java.util.Date().time}").expect("good");
        let classes: Vec<_> = template.mentions().into_iter().filter_map(|m| m.class).collect();
        assert_eq!(classes, ["java.lang.Math", "java.util.Date"]);
    }

    #[test]
    fn names_inside_a_selection_belong_to_its_elements() {
        assert_eq!(
            mentions("${execution.stages.?[type == #foo('x')].![name]}"),
            ["2: execution.stages", "29: #foo[Some(\"x\")] "]
        );
    }
}
