//! `aptly publish …`.

pub mod past;
pub mod sources;

use apt::{Publication, PublishRequest, Settings, Signing, SourceKind, UpdateRequest};

use super::flags::Parsed;
use super::repo::print_json;
use super::{Context, Failure, Unable, say, tell};

/// `[<storage>:]<prefix>` as storage and prefix.
pub fn split_place(text: &str) -> (String, String) {
    let (storage, prefix) = text.rsplit_once(':').unwrap_or(("", text));
    let prefix = prefix.strip_prefix('/').unwrap_or(prefix);
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    (storage.to_owned(), if prefix.is_empty() { ".".to_owned() } else { prefix.to_owned() })
}

fn signing(context: &Context, parsed: &Parsed) -> Signing {
    let config = &context.config;
    let given = parsed.list("gpg-key");
    Signing {
        skip: parsed.on_if_given("skip-signing").unwrap_or(config.on("gpgDisableSign")),
        keys: if given.is_empty() { config.list("gpgKeys") } else { given },
        keyring: parsed.list("keyring").join(","),
        passphrase: parsed.text("passphrase"),
        passphrase_file: parsed.text("passphrase-file"),
        batch: parsed.on("batch"),
        program: String::new(),
        secret_keys: super::key::secret_keys(config, &parsed.text("secret-keyring")),
    }
}

/// `gennaker apt` announces indexes by their hashes unless told otherwise; aptly only when told to.
fn by_hash(context: &Context, parsed: &Parsed) -> bool {
    parsed.on_if_given("acquire-by-hash").unwrap_or(!context.as_aptly)
}

pub fn repo(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    publish(context, parsed, SourceKind::Local)
}

pub fn snapshot(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    publish(context, parsed, SourceKind::Snapshot)
}

fn publish(context: &mut Context, parsed: &Parsed, kind: SourceKind) -> Result<(), Failure> {
    let components: Vec<String> = parsed.text("component").split(',').map(str::to_owned).collect();
    let given = &parsed.args;
    if given.len() != components.len() && given.len() != components.len() + 1 {
        let why = format!("{} components need as many names, and a prefix at most", components.len());
        return Err(Failure::Misuse(why, Vec::new()));
    }
    let place = given.get(components.len()).map_or("", String::as_str);
    let (storage, prefix) = split_place(place);
    let settings = Settings {
        origin: parsed.text("origin"),
        label: parsed.text("label"),
        suite: parsed.text("suite"),
        codename: parsed.text("codename"),
        version: parsed.text("version"),
        not_automatic: parsed.text("notautomatic"),
        but_automatic_upgrades: parsed.text("butautomaticupgrades"),
        signed_by: parsed.text("signed-by"),
        skip_contents: parsed.on_if_given("skip-contents").unwrap_or(context.config.on("skipContentsPublishing")),
        skip_bz2: parsed.on_if_given("skip-bz2").unwrap_or(context.config.on("skipBz2Publishing")),
        acquire_by_hash: by_hash(context, parsed),
        multi_dist: parsed.on("multi-dist"),
    };
    let names = given[..components.len()].to_vec();
    let request = PublishRequest {
        kind,
        names: names.clone(),
        components,
        storage,
        prefix,
        distribution: parsed.text("distribution"),
        architectures: context.config.list("architectures"),
        settings,
        force_overwrite: parsed.on("force-overwrite"),
        signing: signing(context, parsed),
        date: context.source_date,
    };
    let root = context.root()?;
    let done = root.publish(&request, &mut tell).unable("publish")?;
    let (what, have) = match (kind, names.len()) {
        (SourceKind::Local, 1) => ("Local repo", "has"),
        (SourceKind::Local, _) => ("Local repos", "have"),
        (_, 1) => ("Snapshot", "has"),
        _ => ("Snapshots", "have"),
    };
    say!("\n{what} {} {have} been successfully published.", names.join(", "));
    match done.storage.split_once(':') {
        Some(("s3", _)) => {
            say!("It is in the bucket of {} now: point the line at where machines reach that.", done.storage)
        }
        _ => {
            let folder = root.served_folders().remove(done.storage.trim_start_matches("filesystem:"));
            let folder = folder.unwrap_or_else(|| root.public());
            say!("Serve the folder '{}' with a web server, or run `aptly serve`.", folder.display());
        }
    }
    say!("Machines take packages from it with this line in /etc/apt/sources.list:");
    say!("  {}", plain_line(&done, "http://your-server"));
    if done.architectures.iter().any(|architecture| architecture == "source") {
        say!("  {}", plain_line(&done, "http://your-server").replacen("deb", "deb-src", 1));
    }
    print_source_line(&done, "http://your-server", request.signing.skip);
    Ok(())
}

/// `deb http://server/<prefix/> <dist> <components>`.
pub fn plain_line(publication: &Publication, server: &str) -> String {
    let prefix = if publication.prefix == "." { String::new() } else { format!("{}/", publication.prefix) };
    let components: Vec<&str> = publication.sources.keys().map(String::as_str).collect();
    format!("deb {server}/{prefix} {} {}", publication.distribution, components.join(" "))
}

/// What today's apt needs in its sources, and why.
pub fn print_source_line(publication: &Publication, server: &str, unsigned: bool) {
    let line = plain_line(publication, server);
    let rest = line.strip_prefix("deb ").unwrap_or(&line);
    if unsigned {
        say!("It is not signed, which apt of Debian 10 and later refuses unless the line says so:");
        say!("  deb [trusted=yes] {rest}");
        return;
    }
    let key = "/etc/apt/keyrings/your-key.gpg";
    say!("Put the public key (gpg --export KEY) into {key} on those machines and name it:");
    say!("  deb [signed-by={key}] {rest}");
    let prefix = if publication.prefix == "." { String::new() } else { format!("{}/", publication.prefix) };
    let components: Vec<&str> = publication.sources.keys().map(String::as_str).collect();
    say!("or, as a .sources file:");
    say!(
        "  Types: deb\n  URIs: {server}/{prefix}\n  Suites: {}\n  Components: {}\n  Signed-By: {key}",
        publication.distribution,
        components.join(" ")
    );
}

fn update_request(context: &Context, parsed: &Parsed, place: &str) -> UpdateRequest {
    let (storage, prefix) = split_place(place);
    UpdateRequest {
        storage,
        prefix,
        distribution: parsed.args[0].clone(),
        switch: None,
        skip_contents: parsed.on_if_given("skip-contents"),
        skip_bz2: parsed.on_if_given("skip-bz2"),
        acquire_by_hash: parsed.on_if_given("acquire-by-hash"),
        multi_dist: parsed.on_if_given("multi-dist"),
        origin: parsed.text_if_given("origin"),
        label: parsed.text_if_given("label"),
        version: parsed.text_if_given("version"),
        signed_by: parsed.text_if_given("signed-by"),
        force_overwrite: parsed.on("force-overwrite"),
        skip_cleanup: parsed.on("skip-cleanup"),
        signing: signing(context, parsed),
        date: context.source_date,
    }
}

pub fn update(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let place = parsed.args.get(1).map_or("", String::as_str);
    let request = update_request(context, parsed, place);
    let done = context.root()?.update_publication(&request, &mut tell).unable("update")?;
    let kind = if done.kind == SourceKind::Local { "local" } else { "snapshot" };
    say!("\nPublished {kind} repository {done} has been updated successfully.");
    print_source_line(&done, "http://your-server", request.signing.skip);
    Ok(())
}

pub fn switch(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let components: Vec<String> = parsed.text("component").split(',').map(str::to_owned).collect();
    let words = parsed.args.len() - 1;
    if words != components.len() && words != components.len() + 1 {
        let why = format!("{} components need as many snapshots", components.len());
        return Err(Failure::Misuse(why, Vec::new()));
    }
    let (place, names) =
        if words == components.len() { ("", &parsed.args[1..]) } else { (parsed.args[1].as_str(), &parsed.args[2..]) };
    let mut request = update_request(context, parsed, place);
    request.switch = Some(components.into_iter().zip(names.iter().cloned()).collect());
    let done = context.root()?.update_publication(&request, &mut tell).unable("switch")?;
    say!("\nPublished snapshot repository {done} has been successfully switched to new source.");
    print_source_line(&done, "http://your-server", request.signing.skip);
    Ok(())
}

pub fn drop(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (storage, prefix) = split_place(parsed.args.get(1).map_or("", String::as_str));
    let root = context.root()?;
    root.drop_publication(&storage, &prefix, &parsed.args[0], parsed.on("skip-cleanup"), &mut tell).unable("remove")?;
    say!("\nPublished repository has been removed successfully.");
    Ok(())
}

pub fn list(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let publications = context.root()?.publications()?;
    if parsed.on("json") {
        print_json(&publications.iter().map(Publication::shown).collect());
    } else if parsed.on("raw") {
        publications.iter().for_each(|one| say!("{} {}", one.place(), one.distribution));
    } else if publications.is_empty() {
        say!(
            "No snapshots/local repos have been published. Publish a snapshot by running `aptly publish snapshot ...`."
        );
    } else {
        say!("Published repositories:");
        publications.iter().for_each(|one| say!("  * {one}"));
    }
    Ok(())
}

pub fn show(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (storage, prefix) = split_place(parsed.args.get(1).map_or("", String::as_str));
    let publication = context.root()?.publication(&storage, &prefix, &parsed.args[0]).unable("show")?;
    if parsed.on("json") {
        print_json(&publication.shown());
        return Ok(());
    }
    if !publication.storage.is_empty() {
        say!("Storage: {}", publication.storage);
    }
    say!(
        "Prefix: {}\nDistribution: {}\nArchitectures: {}",
        publication.prefix,
        publication.distribution,
        publication.architectures.join(" ")
    );
    say!("Sources:");
    publication
        .sources
        .iter()
        .for_each(|(component, source)| say!("  {component}: {} [{}]", source.name, publication.kind.word()));
    Ok(())
}
