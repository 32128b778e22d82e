//! `ar` archives, read as a stream: only what `.deb` files use of the format.
//!
//! An own reader, because every refusal has to name the offset, and a size that lies must not be believed.

use std::io::{self, Read, Write};

use thiserror::Error;

const MAGIC: &[u8; 8] = b"!<arch>\n";

/// Why an archive is refused.
#[derive(Debug, Error)]
pub enum ArError {
    /// It does not begin as an archive.
    #[error("not an ar archive")]
    NotAr,
    /// A header that is not one.
    #[error("bad member header at offset {offset}: {problem}")]
    Header {
        /// Where the header begins.
        offset: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The archive ends inside a member.
    #[error("member {name} at offset {offset} should have {size} bytes, but the file ends after {seen}")]
    Truncated {
        /// The member's name.
        name: String,
        /// Where its header begins.
        offset: u64,
        /// The size that its header gives.
        size: u64,
        /// The bytes there were.
        seen: u64,
    },
    /// The source could not be read.
    #[error("unable to read")]
    Read(#[from] io::Error),
}

/// What the header of a member says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Name without padding and without a slash at its end.
    pub name: String,
    /// Size of the body.
    pub size: u64,
    /// Where its header begins.
    pub offset: u64,
}

/// Reads the members of an archive one after the other.
pub struct Archive<R> {
    input: R,
    offset: u64,
}

impl<R: Read> Archive<R> {
    /// Reads the magic at the beginning.
    pub fn open(mut input: R) -> Result<Self, ArError> {
        let mut magic = [0; 8];
        if read_full(&mut input, &mut magic)? != 8 || &magic != MAGIC {
            return Err(ArError::NotAr);
        }
        Ok(Archive { input, offset: 8 })
    }

    /// The header of the next member; its body must then be taken with [`Archive::body`].
    pub fn next_member(&mut self) -> Result<Option<Member>, ArError> {
        let offset = self.offset;
        let mut header = [0; 60];
        let got = read_full(&mut self.input, &mut header)?;
        self.offset += got as u64;
        let bad = |problem| Err(ArError::Header { offset, problem });
        match got {
            0 => return Ok(None),
            60 => {}
            // One stray line break at the end is what some packers leave.
            1 if header[0] == b'\n' => return Ok(None),
            _ => return bad("the file ends inside it"),
        }
        if &header[58..] != b"`\n" {
            return bad("its last two bytes are not those of a header");
        }
        let Ok(name) = std::str::from_utf8(&header[..16]) else {
            return bad("the name is not text");
        };
        let name = name.trim_end_matches(' ');
        let name = name.strip_suffix('/').unwrap_or(name);
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') || name.starts_with('#')
        {
            return bad("odd member name");
        }
        let digits = std::str::from_utf8(&header[48..58]).unwrap_or("").trim_end_matches(' ');
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return bad("the size is not a number");
        }
        // At most ten digits: this cannot overflow.
        let size = digits.parse().unwrap_or(0);
        Ok(Some(Member { name: name.to_owned(), size, offset }))
    }

    /// Hands the body of `member` to `use_body`, then reads on to the next header whatever was left of it.
    pub fn body<T, E: From<ArError>>(
        &mut self,
        member: &Member,
        use_body: impl FnOnce(&mut dyn Read) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut body = (&mut self.input).take(member.size);
        let done = use_body(&mut body);
        let skipped = io::copy(&mut body, &mut io::sink()).map_err(ArError::from)?;
        let left = body.limit();
        // The truncation explains whatever went wrong inside, so it is told first.
        if left > 0 {
            let seen = member.size - left;
            return Err(ArError::Truncated {
                name: member.name.clone(),
                offset: member.offset,
                size: member.size,
                seen,
            }
            .into());
        }
        let done = done?;
        let _ = skipped;
        self.offset += member.size;
        if member.size % 2 == 1 {
            let mut padding = [0; 1];
            self.offset += read_full(&mut self.input, &mut padding).map_err(ArError::from)? as u64;
        }
        Ok(done)
    }
}

fn read_full(input: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < into.len() {
        match input.read(&mut into[got..]) {
            Ok(0) => break,
            Ok(read) => got += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Writes an archive of `members` (name, body), each with the time `mtime`.
pub fn write(mut output: impl Write, mtime: u64, members: &[(&str, &[u8])]) -> io::Result<()> {
    output.write_all(MAGIC)?;
    for (name, body) in members {
        writeln!(output, "{name:<16}{mtime:<12}{:<6}{:<6}{:<8}{:<10}`", 0, 0, "100644", body.len())?;
        output.write_all(body)?;
        if body.len() % 2 == 1 {
            output.write_all(b"\n")?;
        }
    }
    Ok(())
}
