//! The `Release` of a mirror: fetched, its signature checked, and only what was signed is read.

use debian::decompress::{self, Compression, Limits};
use debian::release::Listing;
use debian::source::Listed;
use jiff::Timestamp;

use super::{Fetch, FetchError, Mirror};
use crate::add;
use crate::error::{Error, Result};
use crate::verify::Keyrings;

/// The longest `Release`, and the longest signature.
const LONGEST: u64 = 64 << 20;

/// The forms of an index, in the order in which they are liked.
pub const FORMS: [Compression; 4] = [Compression::Xz, Compression::Gz, Compression::Bz2, Compression::None];

/// Whether signatures are checked, and with which keys.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Not at all.
    pub unchecked: bool,
    /// By whom, with which keys.
    pub keyrings: Keyrings,
}

impl Trust {
    /// Checks a text whose signature is a file of its own.
    pub fn detached(&self, text: &[u8], signature: &[u8], now: Timestamp) -> Result<()> {
        let refused = |why| Error::Signing(format!("verification of detached signature failed: {why}"));
        self.keyrings.detached(text, signature, now).map(drop).map_err(refused)
    }
}

/// The `Release` as somebody signed it.
pub fn fetch(mirror: &Mirror, trust: &Trust, fetch: &dyn Fetch, now: Timestamp) -> Result<Listing> {
    let get = |name: &str| fetch.get(&mirror.beside_release(name), LONGEST);
    let parse = |text: &str| Listing::parse(text).map_err(|error| Error::Invalid(format!("Release: {error}")));
    if trust.unchecked {
        let bytes = match get("Release") {
            Err(FetchError::Missing(_)) => get("InRelease").map_err(Error::from)?,
            bytes => bytes.map_err(Error::from)?,
        };
        return parse(&debian::signed::strip(&bytes).map_err(|error| Error::Invalid(error.to_string()))?.text);
    }
    let refused = |why| Error::Signing(format!("verification of clearsigned file failed: {why}"));
    // A broken or unknown signature in one form leaves the other.
    let clear = match get("InRelease") {
        Ok(bytes) => trust.keyrings.clear(&bytes, now).map_err(refused).and_then(|_| {
            let message = debian::signed::strip(&bytes).map_err(|error| Error::Signing(error.to_string()))?;
            if message.signed { Ok(message.text) } else { Err(Error::Signing("InRelease is not signed".into())) }
        }),
        Err(error) => Err(error.into()),
    };
    let clear = match clear {
        Ok(text) => return parse(&text),
        Err(error) => error,
    };
    let (release, signature) = match (get("Release"), get("Release.gpg")) {
        (Ok(release), Ok(signature)) => (release, signature),
        // What was wrong with the first form says more than that there is no second.
        _ => return Err(clear),
    };
    trust.detached(&release, &signature, now)?;
    let text = String::from_utf8(release).map_err(|_| Error::Invalid("Release is not valid UTF-8".into()))?;
    parse(&text)
}

/// Fetches the `Release` and takes over what it says; checks what is wanted of it.
pub fn refresh(mirror: &mut Mirror, trust: &Trust, fetcher: &dyn Fetch, now: Timestamp) -> Result<Listing> {
    let listing = fetch(mirror, trust, fetcher, now)?;
    let words =
        |field: &str| -> Vec<String> { listing.stanza.get(field).split_whitespace().map(str::to_owned).collect() };
    mirror.meta = listing.stanza.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut known = words("Architectures");
    known.retain(|architecture| architecture != "source");
    if mirror.architectures.is_empty() {
        mirror.architectures.clone_from(&known);
    } else if !mirror.skip_architecture_check && !mirror.is_flat() {
        let unknown = mirror.architectures.iter().find(|one| !known.contains(one) && *one != "source");
        if let Some(unknown) = unknown {
            return Err(Error::Invalid(format!(
                "architecture {unknown} not available in repo {mirror}, use -force-architectures to override"
            )));
        }
    }
    if mirror.is_flat() {
        if mirror.architectures.is_empty() {
            return Err(Error::Invalid("no architectures found, please specify".into()));
        }
        return Ok(listing);
    }
    // `stretch/updates` names its components `updates/main`.
    let folder = mirror.distribution.split_once('/').map(|(_, rest)| format!("{rest}/")).unwrap_or_default();
    let plain = |name: &String| name.strip_prefix(&folder).unwrap_or(name).to_owned();
    let known: Vec<String> = words("Components").iter().map(plain).collect();
    if mirror.components.is_empty() {
        mirror.components = known;
    } else if !mirror.skip_component_check
        && let Some(unknown) = mirror.components.iter().find(|one| !known.contains(one))
    {
        return Err(Error::Invalid(format!(
            "component {unknown} not available in repo {mirror}, use -force-components to override"
        )));
    }
    Ok(listing)
}

/// Refuses a `Release` that is older than the one that a mirror's list was made of: it is signed as well, but somebody replays it, or a server is
/// behind the others.
pub fn not_older(before: &Mirror, seen: &Mirror) -> Result<()> {
    let (Some(old), Some(new)) = (date(before), date(seen)) else { return Ok(()) };
    if before.updated.is_none() || new >= old {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "the Release of {} is of {}, older than that of the last update, {}: nothing was changed; if that is right, use -force",
        seen.name,
        seen.said("Date"),
        before.said("Date")
    )))
}

fn date(mirror: &Mirror) -> Option<Timestamp> {
    let text = mirror.said("Date").trim().replace("UTC", "+0000");
    jiff::fmt::rfc2822::parse(&text).ok().map(|date| date.timestamp())
}

/// The bytes of an index, unpacked: the first of its forms that the `Release` lists and the server has, checked.
pub fn index(mirror: &Mirror, listing: &Listing, path: &str, lax: bool, fetch: &dyn Fetch) -> Result<Option<Vec<u8>>> {
    for compression in FORMS {
        let name = format!("{path}{}", compression.suffix());
        let listed: Option<&Listed> = listing.files.get(&name);
        if listed.is_none() && !(lax && listing.files.is_empty()) {
            continue;
        }
        let most = listed.map_or(Limits::DATA.output, |listed| listed.size);
        let bytes = match fetch.get(&mirror.beside_release(&name), most) {
            Err(FetchError::Missing(_)) => continue,
            bytes => bytes.map_err(Error::from)?,
        };
        if let Some(listed) = listed.filter(|_| !lax) {
            add::check(listed, &debian::sums::Sums::of(&bytes))?;
        }
        let mut text = Vec::new();
        let reader = decompress::reader(bytes.as_slice(), compression, Limits::DATA);
        let unpacked = reader.and_then(|mut reader| std::io::Read::read_to_end(&mut reader, &mut text));
        unpacked.map_err(|error| Error::Invalid(format!("{name}: {error}")))?;
        return Ok(Some(text));
    }
    Ok(None)
}
