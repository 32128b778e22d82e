//! Who sent a delivery: a trigger with a `secret` fires only for what was signed with it. Looked at before anything of the payload is used.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;

use super::delivery::Delivery;
use crate::Map;

/// What a trigger's secret says to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The trigger has no secret: anybody may fire it.
    Open,
    /// It was sent by somebody who knows the secret.
    Good,
    /// It bears no signature.
    Missing,
    /// It bears another one.
    Wrong,
}

/// Looks at the signature: `X-Hub-Signature-256` or `X-Hub-Signature` over the body as it came; of GitLab the token itself.
pub fn verdict(config: &Map, delivery: &Delivery) -> Verdict {
    let secret = config.get("secret").and_then(Value::as_str).filter(|secret| !secret.is_empty());
    let Some(secret) = secret else { return Verdict::Open };
    if delivery.is("git", "gitlab") {
        let Some(token) = delivery.header("x-gitlab-token") else { return Verdict::Missing };
        // Compared as their sums: the time it takes says nothing about where they differ.
        let sum = |text: &str| keyed::<Hmac<Sha256>>(b"gitlab", text.as_bytes());
        let same = sum(secret).is_some_and(|own| own.verify_slice(&finished(sum(token))).is_ok());
        return if same { Verdict::Good } else { Verdict::Wrong };
    }
    let strong = delivery.header("x-hub-signature-256");
    let Some(signature) = strong.or_else(|| delivery.header("x-hub-signature")) else { return Verdict::Missing };
    let (kind, sum) = signature.trim().split_once('=').unwrap_or_default();
    let good = match (kind, bytes_of(sum)) {
        ("sha256", Some(sum)) => signed::<Hmac<Sha256>>(secret, delivery.body(), &sum),
        ("sha1", Some(sum)) if strong.is_none() => signed::<Hmac<Sha1>>(secret, delivery.body(), &sum),
        _ => false,
    };
    if good { Verdict::Good } else { Verdict::Wrong }
}

fn signed<M: Mac + KeyInit>(secret: &str, body: &[u8], sum: &[u8]) -> bool {
    keyed::<M>(secret.as_bytes(), body).is_some_and(|mac| mac.verify_slice(sum).is_ok())
}

fn keyed<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Option<M> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac)
}

fn finished(mac: Option<Hmac<Sha256>>) -> Vec<u8> {
    mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let hex = hex.as_bytes();
    if !hex.len().is_multiple_of(2) || hex.len() > 128 {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    hex.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BODY: &[u8] = b"Hello, World!";
    const SHA256: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const SHA1: &str = "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59";

    fn check(kind: (&str, &str), secret: &str, headers: &[(&str, &str)], expect: Verdict) {
        let config = json!({ "secret": secret });
        let delivery = Delivery::new(kind.0, kind.1, headers.iter().copied(), BODY.to_vec(), Map::new());
        assert_eq!(verdict(config.as_object().expect("an object"), &delivery), expect, "{headers:?}");
    }

    #[test]
    fn only_what_was_signed_with_the_secret_is_good() {
        let (github, secret) = (("git", "github"), "It's a Secret to Everybody");
        check(github, "", &[], Verdict::Open);
        check(github, secret, &[], Verdict::Missing);
        check(github, secret, &[("X-Hub-Signature-256", SHA256)], Verdict::Good);
        check(github, secret, &[("x-hub-signature-256", &SHA256.replace("757107", "757108"))], Verdict::Wrong);
        check(github, "another", &[("x-hub-signature-256", SHA256)], Verdict::Wrong);
        check(github, secret, &[("x-hub-signature-256", &SHA256[..40])], Verdict::Wrong);
        check(github, secret, &[("x-hub-signature-256", "sha256=")], Verdict::Wrong);
        check(github, secret, &[("x-hub-signature-256", "sha256=é")], Verdict::Wrong);
        check(github, secret, &[("x-hub-signature-256", "757107ea0eb2509fc211221cce984b8a")], Verdict::Wrong);
        check(github, secret, &[("x-gitlab-token", secret)], Verdict::Missing);
        check(("webhook", "ci"), secret, &[("x-hub-signature-256", SHA256)], Verdict::Good);
        check(("webhook", "ci"), secret, &[("x-hub-signature", SHA256)], Verdict::Good);
    }

    #[test]
    fn the_old_sum_counts_only_where_the_new_one_is_not_given() {
        let (github, secret) = (("git", "github"), "It's a Secret to Everybody");
        check(github, secret, &[("x-hub-signature", SHA1)], Verdict::Good);
        check(github, secret, &[("x-hub-signature", SHA1), ("x-hub-signature-256", "sha256=00")], Verdict::Wrong);
        check(github, secret, &[("x-hub-signature-256", SHA1)], Verdict::Wrong);
    }

    #[test]
    fn gitlab_sends_the_token_itself() {
        let gitlab = ("git", "GitLab");
        check(gitlab, "token", &[("X-Gitlab-Token", "token")], Verdict::Good);
        check(gitlab, "token", &[("x-gitlab-token", "tokem")], Verdict::Wrong);
        check(gitlab, "token", &[("x-gitlab-token", "")], Verdict::Wrong);
        check(gitlab, "token", &[("x-hub-signature-256", SHA256)], Verdict::Missing);
    }
}
