//! Signatures of what comes from elsewhere, checked in this process with public keys from files. What Debian 13's apt refuses today is refused here,
//! too: old hashes, weak keys, keys that are revoked or past their time, and texts from the future.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use pgp::composed::{CleartextSignedMessage, Deserializable, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, Tag};

use super::lint;
use crate::error::Result;

/// Clocks differ.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Why a text is not taken.
type Refused = String;

/// Public keys to check signatures with, at a moment.
pub(crate) struct Verifier {
    keys: Vec<SignedPublicKey>,
    now: Timestamp,
}

impl Verifier {
    /// Reads keyrings, armored or not. A key that holds a secret gives its public part.
    pub fn open(keyrings: &[PathBuf], now: Timestamp) -> Result<Verifier> {
        let mut keys = Vec::new();
        for path in keyrings {
            keys.extend(super::read_public(path)?);
        }
        Ok(Verifier { keys, now })
    }

    /// Checks a clear-signed message; gives the ids of the keys that signed it.
    pub fn clear(&self, bytes: &[u8]) -> Result<Vec<String>, Refused> {
        // The text is the one that is read afterwards, whatever another parser would make of the armour.
        let message = debian::signed::strip(bytes).map_err(|error| error.to_string())?;
        let (parsed, _) = CleartextSignedMessage::from_armor(bytes).map_err(|error| error.to_string())?;
        // The last line break and blanks at the ends of lines are not signed (RFC 9580, 7.2).
        let lines: Vec<&str> = message.text.lines().map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
        self.all(&parsed.signatures().iter().collect::<Vec<_>>(), lines.join("\r\n").as_bytes())
    }

    /// Checks a text by signatures in a file of their own, armored or not.
    pub fn detached(&self, text: &[u8], signatures: &[u8]) -> Result<Vec<String>, Refused> {
        let (parsed, _) = DetachedSignature::from_reader_many(signatures).map_err(|error| error.to_string())?;
        let parsed = parsed.collect::<pgp::errors::Result<Vec<_>>>().map_err(|error| error.to_string())?;
        self.all(&parsed.iter().map(|one| &one.signature).collect::<Vec<_>>(), text)
    }

    /// One good signature is enough, those of strangers say nothing, and a bad one is refused.
    fn all(&self, signatures: &[&Signature], text: &[u8]) -> Result<Vec<String>, Refused> {
        let (mut good, mut strangers) = (Vec::new(), Vec::new());
        for signature in signatures {
            match self.one(signature, text)? {
                Some(id) => good.push(id),
                None => strangers.push(lint::signer(signature)),
            }
        }
        match (good.is_empty(), strangers.is_empty()) {
            (false, _) => Ok(good),
            (true, false) => Err(format!("no public key for {}", strangers.join(", "))),
            (true, true) => Err("there is no signature".into()),
        }
    }

    /// The id of the key that made a signature; nothing when it is not here.
    fn one(&self, signature: &Signature, text: &[u8]) -> Result<Option<String>, Refused> {
        for key in &self.keys {
            if lint::is_by(signature, &key.primary_key) {
                self.fit(signature)?;
                self.primary(key)?;
                let checked = signature.verify(&key.primary_key, text);
                return checked.map(|()| Some(id(&key.primary_key))).map_err(|_| bad(&key.primary_key));
            }
            if let Some(subkey) = key.public_subkeys.iter().find(|subkey| lint::is_by(signature, &subkey.key)) {
                self.fit(signature)?;
                self.primary(key)?;
                self.subkey(key, subkey)?;
                let checked = signature.verify(&subkey.key, text);
                return checked.map(|()| Some(id(&subkey.key))).map_err(|_| bad(&subkey.key));
            }
        }
        Ok(None)
    }

    /// Whether a signature is of a kind and a time that counts.
    fn fit(&self, signature: &Signature) -> Result<(), Refused> {
        if let Some(problem) = lint::signature_problem(signature, self.now.checked_add(AHEAD).unwrap_or(self.now)) {
            return Err(problem);
        }
        if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
            return Err("the signature is not one of a text".into());
        }
        let made = signature.created().ok_or("the signature does not say when it was made")?;
        let ended = signature.signature_expiration_time().filter(|life| life.as_secs() > 0);
        match ended {
            Some(life) if self.is_past(made, life) => Err("the signature has expired".into()),
            _ => Ok(()),
        }
    }

    fn is_past(&self, from: pgp::types::Timestamp, life: pgp::types::Duration) -> bool {
        i64::from(from.as_secs()) + i64::from(life.as_secs()) < self.now.as_second()
    }

    /// Whether a key is one that may sign: bound to a user by itself, not revoked, not past its time, not weak.
    fn primary(&self, key: &SignedPublicKey) -> Result<(), Refused> {
        let own = &key.primary_key;
        let named = id(own);
        if key.details.revocation_signatures.iter().any(|one| one.verify_key(own).is_ok()) {
            return Err(format!("the key {named} is revoked"));
        }
        let of_users = key.details.users.iter().filter_map(|user| {
            let by_itself = user.signatures.iter().filter(|one| one.is_certification() && lint::is_by(one, own));
            lint::newest(by_itself.filter(|one| one.verify_certification(own, Tag::UserId, &user.id).is_ok()))
        });
        let direct = key.details.direct_signatures.iter().filter(|one| one.verify_key(own).is_ok());
        let binding = lint::newest(of_users.chain(direct));
        let binding = binding.ok_or_else(|| format!("nothing that the key {named} signed itself names its user"))?;
        self.holds(own, binding)
    }

    /// Whether a subkey belongs to its key and may sign.
    fn subkey(&self, key: &SignedPublicKey, subkey: &SignedPublicSubKey) -> Result<(), Refused> {
        let own = &subkey.key;
        let named = id(own);
        let valid = |one: &&Signature| one.verify_subkey_binding(&key.primary_key, own).is_ok();
        if subkey.signatures.iter().any(|one| one.typ() == Some(SignatureType::SubkeyRevocation) && valid(&one)) {
            return Err(format!("the key {named} is revoked"));
        }
        let bindings = subkey.signatures.iter().filter(|one| one.typ() == Some(SignatureType::SubkeyBinding));
        let binding =
            lint::newest(bindings.filter(valid)).ok_or_else(|| format!("the key {named} is bound to none"))?;
        // It must say itself that it belongs there: else anybody could take another's subkey for his own.
        let back = binding.embedded_signature();
        if !binding.key_flags().sign()
            || back.is_none_or(|back| back.verify_primary_key_binding(own, &key.primary_key).is_err())
        {
            return Err(format!("the key {named} is not one that signs"));
        }
        self.holds(own, binding)
    }

    /// Whether what binds a key holds today, and the key is not weak.
    fn holds(&self, key: &impl KeyDetails, binding: &Signature) -> Result<(), Refused> {
        let named = id(key);
        let ends = binding.key_expiration_time().filter(|life| life.as_secs() > 0);
        if ends.is_some_and(|life| self.is_past(key.created_at(), life)) {
            return Err(format!("the key {named} has expired"));
        }
        if let Some(problem) = lint::key_problem(key.public_params(), self.now) {
            return Err(format!("{named}: {problem}"));
        }
        let weak = lint::signature_problem(binding, self.now);
        weak.map_or(Ok(()), |problem| Err(format!("what binds the key {named}: {problem}")))
    }
}

/// As gpgv names keys: sixteen digits.
fn id(key: &impl KeyDetails) -> String {
    key.legacy_key_id().to_string().to_uppercase()
}

fn bad(key: &impl KeyDetails) -> Refused {
    format!("BAD signature from {}", id(key))
}
