//! `gennaker apt key …`: keys that publications are signed with, and what apt thinks of keys and signatures. Not one of aptly's commands.

use std::path::{Path, PathBuf};

use apt::Keyrings;
use apt::openpgp::{self, Algorithm, Looked};
use store::clock::{Clock, SystemClock};

use super::config::Config;
use super::flags::Parsed;
use super::{Context, Failure, Unable, say};

/// The folder of a root with its keys.
const KEYS: &str = "keys";

/// Where keys of a root are.
fn folder(config: &Config) -> PathBuf {
    config.root_dir().join(KEYS)
}

/// The places of secret keys, when this process is to sign itself; none when `gpg` is. `given` is a file, or a name in GnuPG's folder.
pub fn secret_keys(config: &Config, given: &str) -> Vec<PathBuf> {
    if config.text("gpgProvider") != "internal" {
        return Vec::new();
    }
    let gnupg = config.home().join(".gnupg");
    match given {
        "" => {
            let old = Some(gnupg.join("secring.gpg")).filter(|old| old.exists());
            [folder(config)].into_iter().chain(old).collect()
        }
        path if path.contains('/') => vec![path.into()],
        name => vec![gnupg.join(name)],
    }
}

/// GnuPG's folder, when this process checks signatures itself; nothing when `gpgv` does.
pub fn checks_in(config: &Config) -> Option<PathBuf> {
    (config.text("gpgProvider") == "internal").then(|| config.home().join(".gnupg"))
}

/// Who checks signatures, with the keyrings that a command names.
pub fn keyrings(config: &Config, parsed: &Parsed) -> Keyrings {
    Keyrings::named(checks_in(config).as_deref(), parsed.list("keyring"))
}

pub fn generate(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let algorithm = match &parsed.text("type")[..] {
        "ed25519" => Algorithm::Ed25519,
        "rsa4096" => Algorithm::Rsa4096,
        other => return Err(Failure::Run(format!("-type is {other:?}, not ed25519 or rsa4096"))),
    };
    let now = context.source_date.unwrap_or_else(|| SystemClock.now());
    // Opened first, so that the root is there with its own permissions.
    let folder = context.root()?.path().join(KEYS);
    let made =
        openpgp::generate(&folder, &parsed.text("name"), &parsed.args[0], algorithm, now).unable("make a key")?;
    say!("Made the key {}.\n", made.fingerprint);
    say!("Secret key: {} (keep a copy where nobody else can read it)", made.secret.display());
    say!("Public key: {} (machines need it: Signed-By in their sources)", made.public.display());
    say!(
        "\nPublications are signed with it by -gpg-provider=internal, or with \"gpgProvider\": \"internal\" in the configuration."
    );
    Ok(())
}

/// Ends with 1 when apt refuses something today.
pub fn lint(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let given: Vec<PathBuf> = parsed.args.iter().map(PathBuf::from).collect();
    let files = if given.is_empty() { own_files(context)? } else { given };
    let now = SystemClock.now();
    let mut looked: Vec<(PathBuf, Vec<Looked>)> = Vec::new();
    for file in files {
        let found = openpgp::look(&file, now).unable("look at keys")?;
        looked.push((file, found));
    }
    if parsed.on("json") {
        let all = looked.iter().map(|(file, found)| serde_json::json!({"file": file, "found": found})).collect();
        super::repo::print_json(&all);
    } else {
        looked.iter().for_each(|(file, found)| found.iter().for_each(|one| print(file, one)));
    }
    let refused =
        looked.iter().flat_map(|(_, found)| found).filter(|one| one.findings.iter().any(|finding| finding.now));
    match refused.count() {
        0 => Ok(()),
        some => Err(Failure::Run(format!("{some} of them are refused by apt"))),
    }
}

/// The keys of the root, and what is published signed.
fn own_files(context: &mut Context) -> Result<Vec<PathBuf>, Failure> {
    let mut files = openpgp::secret_files(&folder(&context.config));
    let root = context.root()?;
    let places = root.served_folders();
    for publication in root.publications()? {
        let place = places.get(publication.storage.trim_start_matches("filesystem:"));
        let Some(place) = place else { continue };
        let file = place.join(&publication.prefix).join("dists").join(&publication.distribution).join("InRelease");
        files.extend(Some(file).filter(|file| file.exists()));
    }
    if files.is_empty() {
        return Err(Failure::Run("there is nothing to look at: name files with keys, InRelease or Release.gpg".into()));
    }
    Ok(files)
}

fn print(file: &Path, one: &Looked) {
    let who = if one.user_id.is_empty() { String::new() } else { format!(" {}", one.user_id) };
    let fine = if one.findings.is_empty() { ": fine" } else { ":" };
    say!("{}: {} {}{who}{fine}", file.display(), one.kind, one.fingerprint);
    for finding in &one.findings {
        let day = finding.refused.strftime("%Y-%m-%d");
        match finding.now {
            true => say!("  refused since {day}: {}", finding.problem),
            false => say!("  refused from {day} on: {}", finding.problem),
        }
    }
}
