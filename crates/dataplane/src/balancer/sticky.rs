//! What tells a client apart from others: a header of its request, or a cookie that we gave it. The key says nothing about members, so
//! a cookie gives nothing away and needs no secret.

use httparse::Header;

use super::pick::{Key, hash};
use crate::wanted::{Stickiness, StickyKey, StickyTo};

/// A client's key, and whether it must be told.
#[derive(Debug, Default)]
pub struct Sticky {
    /// See [`super::pick::Picker::pick`].
    pub key: Option<Key>,
    /// The cookie that it must be told.
    pub cookie: Option<String>,
}

impl Sticky {
    /// The key of a request; a new one when a cookie is wanted and not there.
    pub fn of(wanted: Option<&Stickiness>, headers: &[Header<'_>], secure: bool) -> Self {
        let Some(Stickiness { key, to }) = wanted else { return Self::default() };
        let known = |bytes: &[u8]| Some(Key { number: hash(bytes), member: *to == StickyTo::Member });
        match key {
            StickyKey::Header { name } => {
                let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
                Self { key: header.and_then(|header| known(header.value)), cookie: None }
            }
            StickyKey::Cookie { name, max_age_s } => match cookie(headers, name) {
                Some(key) => Self { key: known(&key.to_be_bytes()), cookie: None },
                None => {
                    let mut random = [0; 8];
                    if rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()) != Ok(random.len()) {
                        return Self::default();
                    }
                    Self { key: known(&random), cookie: Some(given(name, random, *max_age_s, secure)) }
                }
            },
        }
    }
}

/// The cookie that we give.
fn given(name: &str, random: [u8; 8], max_age_s: Option<u32>, secure: bool) -> String {
    let age = max_age_s.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    let key = u64::from_be_bytes(random);
    format!("{name}={key:016x}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")
}

/// The number in our cookie.
fn cookie(headers: &[Header<'_>], name: &str) -> Option<u64> {
    let cookies = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("cookie"));
    let pairs = cookies.filter_map(|cookie| std::str::from_utf8(cookie.value).ok()).flat_map(|v| v.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    let ours = values.find(|v| v.len() == 16 && v.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u64::from_str_radix(ours, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(wanted: &Stickiness, cookie: &str, secure: bool) -> Sticky {
        Sticky::of(Some(wanted), &[Header { name: "Cookie", value: cookie.as_bytes() }], secure)
    }

    #[test]
    fn a_client_without_our_cookie_gets_one_and_keeps_its_key_with_it() {
        let wanted =
            Stickiness { key: StickyKey::Cookie { name: "to".into(), max_age_s: Some(60) }, to: StickyTo::Member };
        let first = key(&wanted, "other=1; to=forged", false);
        let given = first.cookie.unwrap();
        let (pair, rest) = given.split_once(';').unwrap();
        assert_eq!(rest, " Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        let second = key(&wanted, &format!("other=1; {pair}"), true);
        assert_eq!((second.key, second.cookie), (first.key, None));
    }
}
