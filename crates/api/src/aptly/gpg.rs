//! Keys that signatures are checked with: added, listed and removed by `gpg`, in a keyring of the user who runs the server.

use std::process::{Command, Output, Stdio};

use axum::extract::State;
use serde_json::{Value, json};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{Fields, Params};
use super::{Answer, Aptly, Fault};

/// The keyring that is meant when none is named.
const KEYRING: &str = "trustedkeys.gpg";

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new().routes(routes!(add)).routes(routes!(remove)).routes(routes!(list))
}

/// A keyring as a file's name: gpg looks for it in its own folder.
fn keyring(given: Option<String>) -> Result<String, Fault> {
    let name = given.filter(|name| !name.is_empty()).unwrap_or_else(|| KEYRING.into());
    let good = !name.starts_with(['-', '.']) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if good { Ok(name) } else { Err(Fault::bad(format!("{name:?} is no name of a keyring"))) }
}

/// Ids of keys, which are hexadecimal numbers.
fn ids(text: &str) -> Result<Vec<String>, Fault> {
    let one = |word: &str| {
        let digits = word.strip_prefix("0x").unwrap_or(word);
        let good = (8..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if good { Ok(digits.to_owned()) } else { Err(Fault::bad(format!("{word:?} is no id of a key"))) }
    };
    text.split_whitespace().map(one).collect()
}

/// A server of keys: `hkp://keys.example.org:80`, or a name alone.
fn keyserver(text: &str) -> Result<(), Fault> {
    let good = text.bytes().all(|b| b.is_ascii_alphanumeric() || b".:/-_[]".contains(&b));
    if good && !text.starts_with('-') { Ok(()) } else { Err(Fault::bad(format!("{text:?} is no server of keys"))) }
}

fn gpg(keyring: &str) -> Command {
    let mut command = Command::new("gpg");
    command.args(["--no-default-keyring", "--batch", "--no-tty", "--keyring", keyring]);
    command.stdin(Stdio::null());
    command
}

async fn run(mut command: Command, input: Option<Vec<u8>>) -> Result<Output, Fault> {
    let failed = |error: std::io::Error| Fault::bad(format!("unable to execute gpg: {error}"));
    let work = move || {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let Some(input) = input else { return command.output() };
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A key is small: it fits into the pipe before anything is answered.
            let _ = std::io::Write::write_all(&mut stdin, &input);
        }
        child.wait_with_output()
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Fault::internal(error.to_string()))?.map_err(failed)
}

/// What gpg said, which is the answer in either case.
fn said(output: &Output) -> Result<Answer, Fault> {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if output.status.success() { Ok(Answer::ok(text)) } else { Err(Fault::bad(text)) }
}

/// Adds keys to a keyring.
#[utoipa::path(post, path = "/api/gpg/key", responses((status = OK, body = Object)))]
async fn add(State(aptly): State<Aptly>, fields: Fields) -> Result<Answer, Fault> {
    aptly.root()?;
    let mut command = gpg(&keyring(fields.text("Keyring"))?);
    command.arg("--allow-non-selfsigned-uid");
    let armor = fields.text("GpgKeyArmor").filter(|armor| !armor.is_empty());
    let wanted = ids(&fields.text("GpgKeyID").unwrap_or_default())?;
    if let Some(armor) = armor {
        command.args(["--import", "-"]);
        return said(&run(command, Some(armor.into_bytes())).await?);
    }
    if wanted.is_empty() {
        return Err(Fault::bad("give a key as GpgKeyArmor, or its id as GpgKeyID"));
    }
    if let Some(server) = fields.text("Keyserver").filter(|server| !server.is_empty()) {
        keyserver(&server)?;
        command.args(["--keyserver", &server]);
    }
    command.arg("--recv-keys").args(wanted);
    said(&run(command, None).await?)
}

/// Removes keys from a keyring.
#[utoipa::path(delete, path = "/api/gpg/key", responses((status = OK, body = Object)))]
async fn remove(State(aptly): State<Aptly>, fields: Fields) -> Result<Answer, Fault> {
    aptly.root()?;
    let wanted = ids(&fields.required("GpgKeyID")?)?;
    let mut command = gpg(&keyring(fields.text("Keyring"))?);
    command.args(["--yes", "--delete-keys"]).args(wanted);
    said(&run(command, None).await?)
}

/// Keys of a keyring.
#[utoipa::path(get, path = "/api/gpg/keys", responses((status = OK, body = Object)))]
async fn list(State(aptly): State<Aptly>, params: Params) -> Result<Answer, Fault> {
    aptly.root()?;
    let mut command = gpg(&keyring(params.text("keyring").map(str::to_owned))?);
    command.args(["--with-colons", "--list-keys"]);
    let output = run(command, None).await?;
    if !output.status.success() {
        return said(&output);
    }
    Ok(Answer::ok(json!({"Keys": keys(&String::from_utf8_lossy(&output.stdout))})))
}

/// Pure: the keys in what `gpg --with-colons` prints.
fn keys(text: &str) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let mut is_main = false;
    for line in text.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        match (field(0), found.last_mut()) {
            ("pub", _) => {
                is_main = true;
                let key = json!({"KeyID": field(4), "Fingerprint": "", "Validity": field(1), "UserIDs": [], "CreatedAt": field(5)});
                found.push(key);
            }
            ("sub", _) => is_main = false,
            ("fpr", Some(key)) if is_main => key["Fingerprint"] = field(9).into(),
            ("uid", Some(key)) => {
                if let Some(names) = key["UserIDs"].as_array_mut() {
                    names.push(field(9).into());
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_gpg_s_table() {
        let table = "tru::1:1:0\npub:u:255:22:AAAABBBBCCCCDDDD:1700000000:::u:::scESC::::::23::0:\nfpr:::::::::0123AAAABBBBCCCCDDDD:\n\
                     uid:u::::1700000000::HASH::Mina <mina@example.org>::::::::::0:\nsub:u:255:18:1111:1700000000::::::e:\nfpr:::::::::OTHER:\n";
        let key = json!({"KeyID": "AAAABBBBCCCCDDDD", "Fingerprint": "0123AAAABBBBCCCCDDDD", "Validity": "u",
                         "UserIDs": ["Mina <mina@example.org>"], "CreatedAt": "1700000000"});
        assert_eq!(keys(table), [key]);
        assert!(keys("").is_empty());
    }

    #[test]
    fn what_could_be_an_option_or_a_path_is_none_of_them() {
        for name in ["-x", "../keys.gpg", "/etc/keys.gpg", "a b", ".hidden"] {
            assert!(keyring(Some(name.into())).is_err(), "{name}");
        }
        assert_eq!(keyring(None).ok().as_deref(), Some(KEYRING));
        assert!(ids("--options").is_err() && ids("12345678;x").is_err());
        assert_eq!(ids("0x12345678 ABCDEF0123456789").ok().map(|ids| ids.len()), Some(2));
        assert!(keyserver("--help").is_err() && keyserver("hkp://keys.example.org:80").is_ok());
    }
}
