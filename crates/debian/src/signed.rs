//! Texts with an OpenPGP signature around them (`.dsc`, `.changes`, `InRelease`): finding the part that is signed.
//!
//! Nothing here checks a signature.

use thiserror::Error;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";

/// Why a signed text is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SignedError {
    /// Not text.
    #[error("not valid UTF-8")]
    Encoding,
    /// Something stands before or after the signed part: nobody can tell which text was meant.
    #[error("text outside the signed part")]
    Outside,
    /// The armour is broken.
    #[error("broken signature armour: {0}")]
    Armour(&'static str),
}

/// The text of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The text without armour and dash escapes.
    pub text: String,
    /// Whether there was a signature around it.
    pub signed: bool,
}

/// Takes the armour off a clear-signed message; a text without any is given back as it is.
pub fn strip(bytes: &[u8]) -> Result<Message, SignedError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SignedError::Encoding)?;
    let text = text.replace("\r\n", "\n");
    if !text.contains(BEGIN) {
        return Ok(Message { text, signed: false });
    }
    let mut lines = text.lines();
    let first = lines.by_ref().find(|line| !line.trim().is_empty());
    if first.map(str::trim_end) != Some(BEGIN) {
        return Err(SignedError::Outside);
    }
    for header in lines.by_ref() {
        if header.trim().is_empty() {
            break;
        }
        if !header.contains(": ") {
            return Err(SignedError::Armour("a header line without a colon"));
        }
    }
    let mut inside = String::new();
    let mut closed = false;
    for line in lines.by_ref() {
        if line.trim_end() == SIGNATURE {
            closed = true;
            break;
        }
        let plain = line.strip_prefix("- ").unwrap_or(line);
        if line.starts_with('-') && plain == line {
            return Err(SignedError::Armour("a dash that is not escaped"));
        }
        inside.push_str(plain);
        inside.push('\n');
    }
    if !closed || !lines.by_ref().any(|line| line.trim_end() == END) {
        return Err(SignedError::Armour("the signature does not end"));
    }
    if lines.any(|line| !line.trim().is_empty()) {
        return Err(SignedError::Outside);
    }
    Ok(Message { text: inside, signed: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\nA: 1\n- -dash\n\n-----BEGIN PGP SIGNATURE-----\nVersion: 1\n\nabc=\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn the_signed_part_is_taken_out_of_its_armour() {
        assert_eq!(strip(SIGNED.as_bytes()), Ok(Message { text: "A: 1\n-dash\n\n".into(), signed: true }));
        assert_eq!(strip(b"A: 1\n"), Ok(Message { text: "A: 1\n".into(), signed: false }));
    }

    #[test]
    fn text_outside_is_refused() {
        assert_eq!(strip(format!("B: 2\n{SIGNED}").as_bytes()), Err(SignedError::Outside));
        assert_eq!(strip(format!("{SIGNED}B: 2\n").as_bytes()), Err(SignedError::Outside));
        assert_eq!(strip(format!("{SIGNED}{SIGNED}").as_bytes()), Err(SignedError::Outside));
        assert_eq!(
            strip(SIGNED.replace("-----END", "----END").as_bytes()),
            Err(SignedError::Armour("the signature does not end"))
        );
    }
}
