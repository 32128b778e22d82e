//! From the path of a request to a path beneath the folder, and what a file's name says about its contents.

use std::fmt::Write;

/// The path beneath the folder that a request's path names: no leading slash, decoded once. `None` when it cannot name a file: a part `.` or `..`
/// (however it is spelled), a NUL, a broken escape, a text that is not UTF-8.
pub fn decode(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    if path.contains('\0') || path.split('/').any(|part| part == "." || part == "..") {
        return None;
    }
    Some(path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}

/// A name as it stands in a link.
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The type of a file by its name. What a browser could run is only text here: packages and indexes come from elsewhere.
pub fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("deb" | "udeb" | "ddeb") => "application/vnd.debian.binary-package",
        Some("gz") => "application/gzip",
        Some("xz") => "application/x-xz",
        Some("bz2") => "application/x-bzip2",
        Some("zst") => "application/zstd",
        Some("gpg" | "asc" | "dsc" | "changes" | "txt" | "html" | "svg" | "xml") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        _ if matches!(path.rsplit('/').next(), Some("Release" | "InRelease" | "Packages" | "Sources")) => {
            "text/plain; charset=utf-8"
        }
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_never_climbs() {
        for (raw, path) in [
            ("/", Some("")),
            ("/dists//stretch/", Some("dists/stretch")),
            ("/pool/a%2Bb_1.0~rc1_all.deb", Some("pool/a+b_1.0~rc1_all.deb")),
            ("/%252e%252e/x", Some("%2e%2e/x")),
            ("/a%2fb", Some("a/b")),
            ("/..", None),
            ("/a/%2e%2E/b", None),
            ("/a%2f..%2fb", None),
            ("/a/./b", None),
            ("/a%00", None),
            ("/a%", None),
            ("/a%zz", None),
            ("/%ff", None),
        ] {
            assert_eq!(decode(raw).as_deref(), path, "{raw}");
        }
    }

    #[test]
    fn nothing_that_a_browser_runs_is_told_as_such() {
        assert_eq!(content_type("a/b.html"), "text/plain; charset=utf-8");
        assert_eq!(content_type("a/b.svg"), "text/plain; charset=utf-8");
        assert_eq!(content_type("a/b.deb"), "application/vnd.debian.binary-package");
        assert_eq!(content_type("dists/x/Release"), "text/plain; charset=utf-8");
    }
}
