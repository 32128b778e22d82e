//! `aptly mirror …`.

use apt::{DropRefused, Mirror, MirrorChange, Trust, UpdateMirror};

use super::download::{Download, Rules};
use super::flags::Parsed;
use super::package::{self, follow, one_query, query_text};
use super::repo::print_json;
use super::{Context, Failure, Unable, say, shown_time, tell};

/// Where packages of Launchpad's users are.
const PPA: &str = "http://ppa.launchpadcontent.net";

fn trust(context: &Context, parsed: &Parsed) -> Trust {
    let unchecked = parsed.on_if_given("ignore-signatures").unwrap_or(context.config.on("gpgDisableVerify"));
    Trust { unchecked, keyrings: super::key::keyrings(&context.config, parsed) }
}

/// How files are downloaded: by what the command says, else by the configuration.
fn download(context: &Context, parsed: &Parsed) -> Result<Download, Failure> {
    let number = |name: &str| -> Result<Option<u64>, Failure> {
        let Some(text) = parsed.text_if_given(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Failure::Run(format!("-{name} is {text:?}, which is no number")))
    };
    let tries = number("max-tries")?.unwrap_or(1).clamp(1, 100);
    let mut rules = Rules { tries: u32::try_from(tries).unwrap_or(1), ..Rules::of(&context.config) };
    if let Some(limit) = number("download-limit")? {
        rules.limit = limit.saturating_mul(1024);
    }
    Ok(Download::new(rules))
}

fn change(context: &Context, parsed: &Parsed) -> Result<MirrorChange, Failure> {
    let filter = parsed.text_if_given("filter").map(|text| query_text(&text)).transpose()?;
    let given = context.config.list("architectures");
    Ok(MirrorChange {
        archive: parsed.text_if_given("archive-url"),
        architectures: (!given.is_empty()).then_some(given),
        filter,
        filter_with_deps: parsed.on_if_given("filter-with-deps"),
        sources: parsed.on_if_given("with-sources"),
        udebs: parsed.on_if_given("with-udebs"),
        installer: parsed.on_if_given("with-installer"),
        appstream: parsed.on_if_given("with-appstream"),
    })
}

pub fn create(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let name = &parsed.args[0];
    let (archive, distribution, components) = match parsed.args[1].strip_prefix("ppa:") {
        Some(ppa) => of_ppa(context, ppa)?,
        None if parsed.args.len() < 3 => {
            return Err(Failure::Misuse("expected <name> <url> <distribution> [<component>...]".into(), Vec::new()));
        }
        None => (parsed.args[1].clone(), parsed.args[2].clone(), parsed.args[3..].to_vec()),
    };
    let mut change = change(context, parsed)?;
    change.archive = Some(archive);
    change.sources = change.sources.or(Some(context.config.on("downloadSourcePackages")));
    let forced = [parsed.on("force-components"), parsed.on("force-architectures")];
    let (trust, download) = (trust(context, parsed), download(context, parsed)?);
    let root = context.root()?;
    if root.mirror(name).is_ok() {
        return Err(Failure::Run(format!("unable to add mirror: mirror with name {name} already exists")));
    }
    let made = root.create_mirror(name, &distribution, &components, &change, forced, &trust, &download);
    let mirror = made.unable("fetch mirror")?;
    say!(
        "\nMirror {mirror} successfully added.\nYou can run 'aptly mirror update {name}' to download repository contents."
    );
    Ok(())
}

/// `user/project` as archive, distribution and component.
fn of_ppa(context: &Context, ppa: &str) -> Result<(String, String, Vec<String>), Failure> {
    let good = ppa.split('/').count() == 2 && ppa.split('/').all(|part| !part.is_empty());
    if !good || !ppa.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._+-".contains(&b)) {
        return Err(Failure::Run(format!("unable to parse ppa URL: ppa:{ppa}: write ppa:USER/PROJECT")));
    }
    let (distributor, codename) = (context.config.text("ppaDistributorID"), context.config.text("ppaCodename"));
    if codename.is_empty() {
        return Err(Failure::Run("unable to parse ppa URL: set ppaCodename in the configuration".into()));
    }
    let base = Some(context.config.text("ppaBaseURL")).filter(|base| !base.is_empty()).unwrap_or(PPA);
    Ok((format!("{}/{ppa}/{distributor}", base.trim_end_matches('/')), codename.to_owned(), vec!["main".into()]))
}

pub fn update(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let name = &parsed.args[0];
    let how = UpdateMirror {
        force: parsed.on("force"),
        ignore_checksums: parsed.on("ignore-checksums"),
        latest: parsed.on("latest"),
        trust: trust(context, parsed),
        follow: follow(&context.config),
    };
    let download = download(context, parsed)?;
    context.root()?.update_mirror(name, &how, &download, &mut tell).unable("update")?;
    say!("\nMirror `{name}` has been updated successfully.");
    Ok(())
}

pub fn edit(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    // Other architectures are asked for by the global flag alone, not by the configuration.
    let mut change = change(context, parsed)?;
    change.architectures =
        parsed.text_if_given("architectures").map(|text| text.split(',').map(str::to_owned).collect());
    let (trust, download) = (trust(context, parsed), download(context, parsed)?);
    let mirror = context.root()?.edit_mirror(&parsed.args[0], &change, &trust, &download).unable("edit")?;
    say!("Mirror {mirror} successfully updated.");
    Ok(())
}

pub fn list(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let mirrors = context.root()?.mirrors()?;
    if parsed.on("json") {
        print_json(&mirrors.iter().map(Mirror::shown).collect());
    } else if parsed.on("raw") {
        mirrors.iter().for_each(|mirror| say!("{}", mirror.name));
    } else if mirrors.is_empty() {
        say!("No mirrors found, create one with `aptly mirror create ...`.");
    } else {
        say!("List of mirrors:");
        mirrors.iter().for_each(|mirror| say!(" * {mirror}"));
        say!("\nTo get more information about mirror, run `aptly mirror show <name>`.");
    }
    Ok(())
}

pub fn show(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let root = context.root()?;
    let mirror = root.mirror(&parsed.args[0]).unable("show")?;
    let with_packages = parsed.on("with-packages");
    if parsed.on("json") {
        let mut shown = mirror.shown();
        if with_packages && mirror.updated.is_some() {
            let mut names: Vec<String> = root.keys(&mirror.root)?.iter().map(ToString::to_string).collect();
            names.sort();
            shown["Packages"] = names.into();
        }
        print_json(&shown);
        return Ok(());
    }
    let yes = |on: bool| if on { "yes" } else { "no" };
    say!("Name: {}", mirror.name);
    if let Some(pid) = mirror.worker {
        say!("Status: In Update (PID {pid})");
    }
    say!(
        "Archive Root URL: {}\nDistribution: {}\nComponents: {}\nArchitectures: {}\nDownload Sources: {}\nDownload .udebs: {}\nDownload AppStream: {}",
        mirror.archive,
        mirror.distribution,
        mirror.components.join(", "),
        mirror.architectures.join(", "),
        yes(mirror.sources),
        yes(mirror.udebs),
        yes(mirror.appstream)
    );
    if !mirror.filter.is_empty() {
        say!("Filter: {}\nFilter With Deps: {}", mirror.filter, yes(mirror.filter_with_deps));
    }
    match mirror.updated {
        None => say!("Last update: never"),
        Some(at) => say!("Last update: {}\nNumber of packages: {}", shown_time(at), root.count(&mirror.root)?),
    }
    say!("\nInformation from release file:");
    mirror.meta.iter().for_each(|(field, value)| say!("{field}: {value}"));
    if with_packages {
        match mirror.updated {
            None => say!("Unable to show package list, mirror hasn't been downloaded yet."),
            Some(_) => package::print_list(&root.keys(&mirror.root)?),
        }
    }
    Ok(())
}

pub fn search(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let mirror = context.root()?.mirror(&parsed.args[0]).unable("search")?;
    package::search_list(context, parsed, &mirror.root)
}

pub fn rename(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (old, new) = (&parsed.args[0], &parsed.args[1]);
    context.root()?.rename_mirror(old, new).unable("rename")?;
    say!("\nMirror {old} -> {new} has been successfully renamed.");
    Ok(())
}

pub fn drop(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let name = &parsed.args[0];
    match context.root()?.drop_mirror(name, parsed.on("force")) {
        Ok(_) => say!("Mirror `{name}` has been removed."),
        Err(DropRefused::Snapshots(by) | DropRefused::Published(by)) => {
            say!("Mirror `{name}` was used to create following snapshots:");
            by.iter().for_each(|one| say!(" * {one}"));
            return Err(Failure::Run("won't delete mirror with snapshots, use -force to override".into()));
        }
        Err(error) => return Err(error).unable("drop"),
    }
    Ok(())
}

/// `repo import`: the first word is a mirror, the second a repository.
pub fn import(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let query = one_query(&parsed.args[2..]).unable("import")?;
    let dry_run = parsed.on("dry-run");
    let with_deps = parsed.on("with-deps").then(|| follow(&context.config));
    let how = apt::Transfer { moves: false, dry_run, with_deps };
    context.root()?.import_packages(&parsed.args[0], &parsed.args[1], &query, &how, &mut tell).unable("import")?;
    if dry_run {
        say!("\nChanges not saved, as dry run has been requested.");
    }
    Ok(())
}
