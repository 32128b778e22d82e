//! What tells a client apart from others: a header of its request, or a cookie that we gave it. The key says nothing about members, so
//! a cookie gives nothing away and needs no secret.

use http::header::{self, HeaderMap, HeaderValue};

use super::pick::{Key, hash};
use crate::wanted::{Stickiness, StickyKey, StickyTo};

/// A client's key, and whether it must be told.
#[derive(Debug, Default)]
pub struct Sticky {
    /// See [`super::pick::Picker::pick`].
    pub key: Option<Key>,
    cookie: Option<HeaderValue>,
}

impl Sticky {
    /// The key of a request; a new one when a cookie is wanted and not there.
    pub fn of(wanted: Option<&Stickiness>, headers: &HeaderMap, secure: bool) -> Self {
        let Some(Stickiness { key, to }) = wanted else { return Self::default() };
        let known = |bytes: &[u8]| Some(Key { number: hash(bytes), member: *to == StickyTo::Member });
        match key {
            StickyKey::Header { name } => {
                Self { key: headers.get(name).and_then(|value| known(value.as_bytes())), cookie: None }
            }
            StickyKey::Cookie { name, max_age_s } => match cookie(headers, name) {
                Some(key) => Self { key: known(&key.to_be_bytes()), cookie: None },
                None => {
                    let mut random = [0; 8];
                    if rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()) != Ok(random.len()) {
                        return Self::default();
                    }
                    Self { key: known(&random), cookie: given(name, random, *max_age_s, secure) }
                }
            },
        }
    }

    /// Tells a new client its key.
    pub fn give(self, headers: &mut HeaderMap) {
        if let Some(cookie) = self.cookie {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// The cookie that we give.
fn given(name: &str, random: [u8; 8], max_age_s: Option<u32>, secure: bool) -> Option<HeaderValue> {
    let age = max_age_s.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    let key = u64::from_be_bytes(random);
    HeaderValue::from_str(&format!("{name}={key:016x}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")).ok()
}

/// The number in our cookie.
fn cookie(headers: &HeaderMap, name: &str) -> Option<u64> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    let ours = values.find(|v| v.len() == 16 && v.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u64::from_str_radix(ours, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn a_client_without_our_cookie_gets_one_and_keeps_its_key_with_it() {
        let wanted =
            Stickiness { key: StickyKey::Cookie { name: "to".into(), max_age_s: Some(60) }, to: StickyTo::Member };
        let first = Sticky::of(Some(&wanted), &headers("other=1; to=forged"), false);
        let (key, mut answer) = (first.key, HeaderMap::new());
        first.give(&mut answer);
        let given = answer[header::SET_COOKIE].to_str().unwrap();
        let (pair, rest) = given.split_once(';').unwrap();
        assert_eq!(rest, " Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        let second = Sticky::of(Some(&wanted), &headers(&format!("other=1; {pair}")), true);
        assert_eq!((second.key, second.cookie), (key, None));
    }
}
