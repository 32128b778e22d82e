//! OpenPGP in this process (RFC 9580, by `pgp`): keys are made, texts are signed, and keys and signatures are looked at as apt will look at them.
//!
//! Keys in an agent or on a card stay with `gpg`, which `publish::sign` calls.

mod lint;
mod verify;

use std::fs;
use std::io::{BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, EncryptionCaps, KeyType, PublicOrSecret,
    SecretKeyParamsBuilder, SignedPublicKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails, KeyVersion, Password, SigningKey};
use rand::thread_rng;

pub use lint::{Finding, Looked, look};
pub(crate) use verify::Verifier;

use crate::error::{At, Error, Result};

/// The longest keyring that is read, in bytes.
const LONGEST: u64 = 64 << 20;
/// What names of files with secret keys end with.
const SECRET: &str = ".secret.asc";

/// What a new key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Small and fast; known to apt since Debian 9.
    Ed25519,
    /// For clients older than that.
    Rsa4096,
}

/// A key that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// 40 hexadecimal digits.
    pub fingerprint: String,
    /// The file with the secret, which only its owner reads.
    pub secret: PathBuf,
    /// The file that machines need.
    pub public: PathBuf,
}

fn failed(error: pgp::errors::Error) -> Error {
    Error::Signing(format!("unable to sign: {error}"))
}

fn moment(at: Timestamp) -> pgp::types::Timestamp {
    // The format ends in the year 2106.
    pgp::types::Timestamp::from_secs(u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX))
}

/// The files with secret keys in a folder of keys.
pub fn secret_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(SECRET)).collect();
    files.sort();
    files
}

/// Makes a key for signing, without a passphrase, as two files in `folder`. Nothing is overwritten.
pub fn generate(folder: &Path, name: &str, user_id: &str, algorithm: Algorithm, at: Timestamp) -> Result<Generated> {
    debian::names::file(name)?;
    debian::names::one_line("user id", user_id)?;
    let (secret, public) = (folder.join(format!("{name}{SECRET}")), folder.join(format!("{name}.asc")));
    if let Some(there) = [&secret, &public].into_iter().find(|path| path.exists()) {
        return Err(Error::Conflict(format!("{} is there already; choose another -name", there.display())));
    }
    let made = SecretKeyParamsBuilder::default()
        .key_type(match algorithm {
            // The older of its two encodings, which every gpgv knows.
            Algorithm::Ed25519 => KeyType::Ed25519Legacy,
            Algorithm::Rsa4096 => KeyType::Rsa(4096),
        })
        .can_certify(true)
        .can_sign(true)
        .can_encrypt(EncryptionCaps::None)
        .primary_user_id(user_id.to_owned())
        .preferred_hash_algorithms([HashAlgorithm::Sha512, HashAlgorithm::Sha256].into_iter().collect())
        .created_at(moment(at))
        .build()
        .map_err(|error| Error::Signing(error.to_string()))?
        .generate(thread_rng())
        .map_err(failed)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).at("make", folder)?;
    let options = ArmorOptions::default();
    write(&secret, 0o600, &made.to_armored_string(options.clone()).map_err(failed)?)?;
    write(&public, 0o644, &made.to_public_key().to_armored_string(options).map_err(failed)?)?;
    Ok(Generated { fingerprint: made.fingerprint().to_string().to_uppercase(), secret, public })
}

fn write(path: &Path, mode: u32, text: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path).at("write", path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).at("write", path)
}

/// All keys of a file, armored or not.
fn read(path: &Path) -> Result<Vec<PublicOrSecret>> {
    let file = fs::File::open(path).at("read", path)?;
    if file.metadata().at("read", path)?.len() > LONGEST {
        return Err(Error::Invalid(format!("{} is longer than a keyring may be", path.display())));
    }
    let unreadable = |error: pgp::errors::Error| Error::Invalid(format!("{} holds no keys: {error}", path.display()));
    let (keys, _) = PublicOrSecret::from_reader_many(BufReader::new(file)).map_err(unreadable)?;
    keys.collect::<pgp::errors::Result<Vec<_>>>().map_err(unreadable)
}

/// All keys of a file, of those with a secret their public part.
fn read_public(path: &Path) -> Result<Vec<SignedPublicKey>> {
    let public = |key| match key {
        PublicOrSecret::Public(key) => key,
        PublicOrSecret::Secret(key) => key.to_public_key(),
    };
    Ok(read(path)?.into_iter().map(public).collect())
}

/// The secret keys of these places (files, or folders of keys) that `wanted` names: by the end of a fingerprint, or a part of a user id; the first
/// one if nothing is named.
pub(crate) fn secret_keys(places: &[PathBuf], wanted: &[String]) -> Result<Vec<SignedSecretKey>> {
    let files = |place: &PathBuf| match place.is_file() {
        true => vec![place.clone()],
        false => secret_files(place),
    };
    let mut all = Vec::new();
    for path in places.iter().flat_map(files) {
        all.extend(read(&path)?.into_iter().filter_map(|key| SignedSecretKey::try_from(key).ok()));
    }
    let shown = || places.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    if all.is_empty() {
        let why = format!("unable to sign: there is no secret key in {}", shown());
        return Err(Error::Signing(format!("{why}; make one with `gennaker apt key generate`")));
    }
    if wanted.is_empty() {
        all.truncate(1);
        return Ok(all);
    }
    let one = |wanted: &String| {
        let id = wanted.trim_start_matches("0x").to_uppercase();
        let is_meant = |key: &&SignedSecretKey| {
            let by_id = id.len() >= 8 && key.fingerprint().to_string().to_uppercase().ends_with(&id);
            let named = |user: &pgp::types::SignedUser| user.id.as_str().is_some_and(|name| name.contains(wanted));
            by_id || key.details.users.iter().any(named)
        };
        all.iter()
            .find(is_meant)
            .cloned()
            .ok_or_else(|| Error::Signing(format!("unable to sign: there is no key {wanted} in {}", shown())))
    };
    wanted.iter().map(one).collect()
}

/// What signs: keys with their passphrase, and the date that the signatures carry.
pub(crate) struct Signer {
    pub keys: Vec<SignedSecretKey>,
    pub passphrase: String,
    pub at: Timestamp,
}

impl Signer {
    /// The signatures of a text by all keys, as `Release.gpg` has them.
    pub fn detached(&self, text: &str) -> Result<Vec<u8>> {
        let signatures = self.with_all(SignatureType::Binary, text.as_bytes()).map_err(failed)?;
        let mut armored = Vec::new();
        pgp::armor::write(&Packets(signatures), pgp::armor::BlockType::Signature, &mut armored, None, true)
            .map_err(failed)?;
        Ok(armored)
    }

    /// The text with its signatures, as `InRelease` has them.
    pub fn clear(&self, text: &str) -> Result<Vec<u8>> {
        // Verifiers leave blanks at the ends of lines out of what is signed.
        let trimmed: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
        CleartextSignedMessage::new_many(&trimmed, |bytes| self.with_all(SignatureType::Text, bytes.as_bytes()))
            .and_then(|clear| clear.to_armored_bytes(ArmorOptions::default()))
            .map_err(failed)
    }

    fn with_all(&self, kind: SignatureType, bytes: &[u8]) -> pgp::errors::Result<Vec<Signature>> {
        let passphrase =
            if self.passphrase.is_empty() { Password::empty() } else { Password::from(&self.passphrase[..]) };
        self.keys.iter().map(|key| with_one(kind, key, &passphrase, bytes, self.at)).collect()
    }
}

/// Several signatures behind each other.
struct Packets(Vec<Signature>);

impl pgp::ser::Serialize for Packets {
    fn to_writer<W: std::io::Write>(&self, writer: &mut W) -> pgp::errors::Result<()> {
        self.0.iter().try_for_each(|signature| DetachedSignature::new(signature.clone()).to_writer(writer))
    }

    fn write_len(&self) -> usize {
        self.0.iter().map(|signature| DetachedSignature::new(signature.clone()).write_len()).sum()
    }
}

/// Signs with the newest of a key's subkeys that may sign, else with the key itself.
fn with_one(
    kind: SignatureType,
    key: &SignedSecretKey,
    passphrase: &Password,
    bytes: &[u8],
    at: Timestamp,
) -> pgp::errors::Result<Signature> {
    let signs = |signatures: &[Signature]| signatures.iter().any(|one| one.key_flags().sign());
    let subkeys = key.secret_subkeys.iter().filter(|subkey| signs(&subkey.signatures));
    match subkeys.max_by_key(|subkey| subkey.key.created_at()) {
        Some(subkey) => make(kind, &subkey.key, passphrase, bytes, at),
        None => make(kind, &key.primary_key, passphrase, bytes, at),
    }
}

fn make(
    kind: SignatureType,
    key: &impl SigningKey,
    passphrase: &Password,
    bytes: &[u8],
    at: Timestamp,
) -> pgp::errors::Result<Signature> {
    let mut config = SignatureConfig::from_key(thread_rng(), key, kind)?;
    // What aptly uses; larger curves want a longer one, which the key says itself.
    if matches!(key.algorithm(), PublicKeyAlgorithm::RSA | PublicKeyAlgorithm::EdDSALegacy) {
        config.hash_alg = HashAlgorithm::Sha256;
    }
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(moment(at)))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
    ];
    if key.version() <= KeyVersion::V4 {
        config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?];
    }
    config.sign(key, passphrase, bytes)
}
