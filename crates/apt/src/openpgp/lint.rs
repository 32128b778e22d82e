//! What apt thinks of a key or a signature: what it refuses today, and what it will refuse from a date that is announced already.
//!
//! The dates are those of Debian 13's apt, which asks `sqv` (its `default-sequoia.config` over Sequoia's standard policy); what `gpgv` of older
//! releases refuses is said as such.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use pgp::composed::{CleartextSignedMessage, Deserializable, DetachedSignature, SignedPublicKey};
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType, SignatureVersion};
use pgp::types::{EcdsaPublicParams, KeyDetails, KeyVersion, PublicParams};
use rsa::traits::PublicKeyParts as _;
use serde::Serialize;

use crate::error::{At, Error, Result};

/// Keys that expire within this time are named.
const SOON: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Something that apt refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong, and what to do.
    pub problem: String,
    /// Since when, or from when on, apt refuses it.
    pub refused: Timestamp,
    /// Whether that is so already.
    pub now: bool,
}

/// A key or a signature that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// `key` or `signature`.
    pub kind: &'static str,
    /// The fingerprint of the key, or of the one that signed; empty if a signature does not say.
    pub fingerprint: String,
    /// The first user id of a key.
    pub user_id: String,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// A day of the policy.
fn day(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The findings so far.
struct Judge {
    now: Timestamp,
    findings: Vec<Finding>,
}

impl Judge {
    fn refuse(&mut self, from: Timestamp, problem: impl Into<String>) {
        self.findings.push(Finding { problem: problem.into(), refused: from, now: from <= self.now });
    }

    /// An algorithm of a key: `whose` is `the key` or `its subkey …`.
    fn algorithm(&mut self, whose: &str, params: &PublicParams) {
        let renew = "make a new key (gennaker apt key generate) and let clients have both for a while";
        match params {
            PublicParams::RSA(rsa) => match rsa.key.n().bits() {
                0..2048 => self.refuse(day("2014-02-01"), format!("{whose} is RSA with fewer than 2048 bits: {renew}")),
                2048..3072 => {
                    self.refuse(day("2030-02-01"), format!("{whose} is RSA with fewer than 3072 bits: {renew}"))
                }
                _ => {}
            },
            PublicParams::DSA(_) => self.refuse(day("2024-02-01"), format!("{whose} is DSA: {renew}")),
            PublicParams::ECDSA(EcdsaPublicParams::Unsupported { curve, .. }) if is_brainpool(curve) => {
                self.refuse(day("2028-02-01"), format!("{whose} is on a Brainpool curve: {renew}"));
            }
            _ => {}
        }
    }

    /// The form and the hash of a signature.
    fn signature(&mut self, what: &str, again: &str, signature: &Signature) {
        match signature.hash_alg() {
            Some(HashAlgorithm::Md5) => self.refuse(day("1997-02-01"), format!("{what} uses MD5: {again}")),
            Some(HashAlgorithm::Ripemd160) => {
                self.refuse(day("2013-02-01"), format!("{what} uses RIPEMD-160: {again}"))
            }
            Some(HashAlgorithm::Sha1) => self.refuse(day("2026-02-01"), format!("{what} uses SHA-1: {again}")),
            Some(HashAlgorithm::Sha224) => self.refuse(day("2026-02-01"), format!("{what} uses SHA-224: {again}")),
            _ => {}
        }
        if matches!(signature.version(), SignatureVersion::V2 | SignatureVersion::V3) {
            self.refuse(day("2026-02-01"), format!("{what} has the form of version 3: {again}"));
        }
    }

    /// When a key ends.
    fn end(&mut self, whose: &str, created: pgp::types::Timestamp, binding: &Signature) {
        let Some(life) = binding.key_expiration_time().filter(|life| life.as_secs() > 0) else { return };
        let seconds = i64::from(created.as_secs()) + i64::from(life.as_secs());
        let Ok(end) = Timestamp::from_second(seconds) else { return };
        if end <= self.now.checked_add(SOON).unwrap_or(Timestamp::MAX) {
            self.refuse(
                end,
                format!("{whose} expires: give it a new date and let clients have it (gpg --quick-set-expire)"),
            );
        }
    }
}

fn is_brainpool(curve: &ECCCurve) -> bool {
    matches!(curve, ECCCurve::BrainpoolP256r1 | ECCCurve::BrainpoolP384r1 | ECCCurve::BrainpoolP512r1)
}

/// Looks at all keys of a file, or at the signatures of an `InRelease` or `Release.gpg`.
pub fn look(path: &Path, now: Timestamp) -> Result<Vec<Looked>> {
    let bytes = std::fs::read(path).at("read", path)?;
    let unreadable = || Error::Invalid(format!("{} holds neither keys nor signatures", path.display()));
    if bytes.starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----") {
        let (message, _) = CleartextSignedMessage::from_armor(bytes.as_slice()).map_err(|_| unreadable())?;
        return Ok(message.signatures().iter().map(|signature| of_signature(signature, now)).collect());
    }
    if let Ok((signatures, _)) = DetachedSignature::from_reader_many(bytes.as_slice())
        && let Ok(signatures) = signatures.collect::<pgp::errors::Result<Vec<_>>>()
        && !signatures.is_empty()
    {
        return Ok(signatures.iter().map(|one| of_signature(&one.signature, now)).collect());
    }
    let keys = super::read_public(path).map_err(|_| unreadable())?;
    if keys.is_empty() {
        return Err(unreadable());
    }
    Ok(keys.iter().map(|key| of_key(key, now)).collect())
}

fn of_signature(signature: &Signature, now: Timestamp) -> Looked {
    let mut judge = Judge { now, findings: Vec::new() };
    judge.signature("the signature", "sign again with SHA-256 or longer", signature);
    let made = signature.created().and_then(|made| Timestamp::from_second(i64::from(made.as_secs())).ok());
    if let Some(made) = made.filter(|made| *made > now) {
        judge.refuse(now, format!("the signature is of {made}, which is yet to come: set the clock, sign again"));
    }
    let fingerprint = signer(signature);
    Looked { kind: "signature", fingerprint, user_id: String::new(), findings: judge.findings }
}

/// The fingerprint of the key that signed, or its id, as the signature says.
pub(super) fn signer(signature: &Signature) -> String {
    let by = signature.issuer_fingerprint().first().map(|by| by.to_string());
    by.or_else(|| signature.issuer_key_id().first().map(|id| id.to_string())).unwrap_or_default().to_uppercase()
}

/// Why a signature is refused now, if it is.
pub(super) fn signature_problem(signature: &Signature, now: Timestamp) -> Option<String> {
    of_signature(signature, now).findings.into_iter().find(|finding| finding.now).map(|finding| finding.problem)
}

/// Why a key's algorithm is refused now, if it is.
pub(super) fn key_problem(params: &PublicParams, now: Timestamp) -> Option<String> {
    let mut judge = Judge { now, findings: Vec::new() };
    judge.algorithm("the key", params);
    judge.findings.into_iter().find(|finding| finding.now).map(|finding| finding.problem)
}

fn of_key(key: &SignedPublicKey, now: Timestamp) -> Looked {
    let mut judge = Judge { now, findings: Vec::new() };
    let again =
        "make it anew with gpg --cert-digest-algo SHA512 --quick-set-expire, then let clients have the key again";
    if key.version() == KeyVersion::V6 {
        judge.refuse(
            day("2017-01-01"),
            "the key has the form of version 6, which gpgv of Debian 12 and Ubuntu does not know",
        );
    }
    if !key.details.revocation_signatures.is_empty() {
        judge.refuse(now, "the key is revoked: sign with another one");
    }
    judge.algorithm("the key", key.primary_key.public_params());
    let own = |signature: &&Signature| is_by(signature, &key.primary_key) && signature.is_certification();
    let of_users = key.details.users.iter().flat_map(|user| newest(user.signatures.iter().filter(own)));
    let direct = key.details.direct_signatures.iter().filter(|signature| is_by(signature, &key.primary_key));
    let binding: Vec<&Signature> = of_users.chain(newest(direct)).collect();
    if binding.is_empty() {
        judge.refuse(now, "nothing that the key signed itself binds a user id to it: export it whole");
    }
    for signature in &binding {
        judge.signature("what binds a user id to the key", again, signature);
    }
    if let Some(last) = newest(binding.iter().copied()) {
        judge.end("the key", key.primary_key.created_at(), last);
    }
    for subkey in &key.public_subkeys {
        let Some(binding) =
            newest(subkey.signatures.iter().filter(|one| one.typ() == Some(SignatureType::SubkeyBinding)))
        else {
            continue;
        };
        let revoked = subkey.signatures.iter().any(|one| one.typ() == Some(SignatureType::SubkeyRevocation));
        if !binding.key_flags().sign() || revoked {
            continue;
        }
        let whose = format!("its subkey {}", subkey.key.legacy_key_id().to_string().to_uppercase());
        judge.algorithm(&whose, subkey.key.public_params());
        judge.signature(&format!("what binds {whose} to it"), again, binding);
        judge.end(&whose, subkey.key.created_at(), binding);
    }
    let user_id = key.details.users.first().and_then(|user| user.id.as_str()).unwrap_or_default().to_owned();
    Looked { kind: "key", fingerprint: key.fingerprint().to_string().to_uppercase(), user_id, findings: judge.findings }
}

pub(super) fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<&'a Signature> {
    signatures.max_by_key(|signature| signature.created())
}

/// Whether the key made the signature, by what that says.
pub(super) fn is_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let (fingerprint, id) = (key.fingerprint(), key.legacy_key_id());
    signature.issuer_fingerprint().contains(&&fingerprint) || signature.issuer_key_id().contains(&&id)
}
