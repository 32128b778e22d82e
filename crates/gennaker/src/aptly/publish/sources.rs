//! `aptly publish source …`: changes of the sources that wait for the next update.

use apt::{Error, Publication};
use serde_json::{Value, json};

use super::super::flags::Parsed;
use super::super::repo::print_json;
use super::super::{Context, Failure, Unable, say};
use super::split_place;

/// Components and names, paired; their numbers must agree.
fn pairs(parsed: &Parsed) -> Result<Vec<(String, String)>, Failure> {
    let components: Vec<String> = parsed.text("component").split(',').map(str::to_owned).collect();
    let names = &parsed.args[1..];
    if components.len() != names.len() {
        let why = format!("mismatch in number of components ({}) and sources ({})", components.len(), names.len());
        return Err(Failure::Run(why));
    }
    let component = |given: String| if given.is_empty() { "main".to_owned() } else { given };
    Ok(components.into_iter().map(component).zip(names.iter().cloned()).collect())
}

fn told(publication: &Publication, verb: &str, pairs: &[(String, String)]) {
    for (component, name) in pairs {
        say!("{verb} component '{component}' with source '{name}' [{}]...", publication.kind.word());
    }
    let (distribution, place) = (&publication.distribution, publication.place());
    say!(
        "\nYou can run 'aptly publish update {distribution} {place}' to update the content of the published repository."
    );
}

fn edit(context: &mut Context, parsed: &Parsed, verb: &str, what: &str) -> Result<(), Failure> {
    let pairs = pairs(parsed)?;
    let (storage, prefix) = split_place(&parsed.text("prefix"));
    let root = context.root()?;
    let done = root.edit_sources(&storage, &prefix, &parsed.args[0], |sources| {
        if what == "replace" {
            sources.clear();
        }
        for (component, name) in &pairs {
            match (what, sources.contains_key(component)) {
                ("add", true) => {
                    return Err(Error::Conflict(format!("component '{component}' has already been added")));
                }
                ("update", false) => return Err(Error::NotFound(format!("component '{component}' does not exist"))),
                _ => sources.insert(component.clone(), name.clone()),
            };
        }
        Ok(())
    });
    told(&done.unable(what)?, verb, &pairs);
    Ok(())
}

pub fn add(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    edit(context, parsed, "Adding", "add")
}

pub fn update(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    edit(context, parsed, "Updating", "update")
}

pub fn replace(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    edit(context, parsed, "Adding", "replace")
}

pub fn remove(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let components: Vec<String> =
        parsed.text("component").split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect();
    if components.is_empty() {
        return Err(Failure::Run("unable to remove: missing components, specify at least one component".into()));
    }
    let (storage, prefix) = split_place(&parsed.text("prefix"));
    let mut gone = Vec::new();
    let done = context.root()?.edit_sources(&storage, &prefix, &parsed.args[0], |sources| {
        gone.clear();
        for component in &components {
            let name = sources
                .remove(component)
                .ok_or_else(|| Error::NotFound(format!("component '{component}' does not exist")))?;
            gone.push((component.clone(), name));
        }
        Ok(())
    });
    told(&done.unable("remove")?, "Removing", &gone);
    Ok(())
}

pub fn list(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (storage, prefix) = split_place(&parsed.text("prefix"));
    let publication = context.root()?.publication(&storage, &prefix, &parsed.args[0]).unable("list")?;
    let Some(pending) = &publication.pending else {
        return Err(Failure::Run("unable to list: no source changes exist".into()));
    };
    if parsed.on("json") {
        let all: Vec<Value> =
            pending.iter().map(|(component, name)| json!({ "Component": component, "Name": name })).collect();
        print_json(&all.into());
        return Ok(());
    }
    say!("Sources:");
    pending.iter().for_each(|(component, name)| say!("  {component}: {name} [{}]", publication.kind.word()));
    Ok(())
}

pub fn drop(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (storage, prefix) = split_place(&parsed.text("prefix"));
    context.root()?.forget_source_changes(&storage, &prefix, &parsed.args[0]).unable("drop")?;
    say!("Source changes have been removed successfully.");
    Ok(())
}
