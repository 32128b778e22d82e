//! The places to publish to that a configuration names: folders and buckets of S3-compatible storage. Those of other kinds keep their keys, and
//! publishing to them says that they are not configured.

use std::collections::BTreeMap;
use std::path::Path;

use apt::{Bucket, Endpoint, LinkMethod, Objects, S3, Verify};
use serde_json::{Map, Value};

use super::Failure;

const FOLDERS: &str = "FileSystemPublishEndpoints";
const BUCKETS: &str = "S3PublishEndpoints";

/// The keys of an endpoint of this kind, as JSON has them.
pub fn keys(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        FOLDERS => Some(&["rootDir", "linkMethod", "verifyMethod"]),
        BUCKETS => Some(&[
            "region",
            "bucket",
            "prefix",
            "acl",
            "awsAccessKeyID",
            "awsSecretAccessKey",
            "awsSessionToken",
            "endpoint",
            "storageClass",
            "encryptionMethod",
            "plusWorkaround",
            "disableMultiDel",
            "forceSigV2",
            "forceVirtualHostedStyle",
            "debug",
        ]),
        _ => None,
    }
}

/// Reads all: `filesystem:NAME` and `s3:NAME`. What a bucket shows is rendered below `root`.
pub fn read(config: &Map<String, Value>, root: &Path) -> Result<BTreeMap<String, Endpoint>, Failure> {
    let named = |kind: &str| config.get(kind).and_then(Value::as_object).into_iter().flatten();
    let mut all = BTreeMap::new();
    for (name, value) in named(FOLDERS) {
        all.insert(format!("filesystem:{name}"), folder(name, value)?);
    }
    for (name, value) in named(BUCKETS) {
        let place = root.join("replicas").join("s3").join(name.replace('/', "%2f"));
        all.insert(format!("s3:{name}"), Endpoint::bucket(place, bucket(name, value)?));
    }
    Ok(all)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn folder(name: &str, value: &Value) -> Result<Endpoint, Failure> {
    let odd = |key: &str, value: &str, known: &str| {
        Failure::Run(format!("{FOLDERS}, {name}: {key} is {value:?}, not {known}"))
    };
    let link = match text(value, "linkMethod") {
        "" | "hardlink" => LinkMethod::HardLink,
        "symlink" => LinkMethod::SymLink,
        "copy" => LinkMethod::Copy,
        other => return Err(odd("linkMethod", other, "hardlink, symlink or copy")),
    };
    let verify = match text(value, "verifyMethod") {
        "" | "md5" => Verify::Content,
        "size" => Verify::Size,
        other => return Err(odd("verifyMethod", other, "md5 or size")),
    };
    match text(value, "rootDir") {
        "" => Err(Failure::Run(format!("{FOLDERS}, {name}: rootDir is missing"))),
        folder => Ok(Endpoint { link, verify, ..Endpoint::folder(folder) }),
    }
}

fn bucket(name: &str, value: &Value) -> Result<Bucket, Failure> {
    let text = |key: &str| text(value, key).to_owned();
    let on = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let missing = |key: &str| Failure::Run(format!("{BUCKETS}, {name}: {key} is missing"));
    if text("bucket").is_empty() {
        return Err(missing("bucket"));
    }
    if text("awsAccessKeyID").is_empty() != text("awsSecretAccessKey").is_empty() {
        return Err(missing(if text("awsAccessKeyID").is_empty() { "awsAccessKeyID" } else { "awsSecretAccessKey" }));
    }
    let settings = S3 {
        region: text("region"),
        bucket: text("bucket"),
        prefix: text("prefix"),
        acl: match &text("acl")[..] {
            "" => "private".into(),
            "none" => String::new(),
            other => other.into(),
        },
        access_key_id: text("awsAccessKeyID"),
        secret_access_key: text("awsSecretAccessKey"),
        session_token: text("awsSessionToken"),
        endpoint: text("endpoint"),
        storage_class: Some(text("storageClass")).filter(|class| class != "STANDARD").unwrap_or_default(),
        encryption: text("encryptionMethod"),
        virtual_hosted: on("forceVirtualHostedStyle"),
        single_deletions: on("disableMultiDel"),
    };
    Ok(Bucket { objects: Objects::s3(settings), plus_workaround: on("plusWorkaround") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_one(endpoint: Value) -> Result<BTreeMap<String, Endpoint>, Failure> {
        let config = json!({BUCKETS: {"cdn": endpoint}});
        read(config.as_object().expect("an object"), Path::new("/srv/apt"))
    }

    #[test]
    fn a_bucket_is_what_its_keys_say() {
        let endpoint = json!({"region": "eu-central-1", "bucket": "packages", "acl": "none", "storageClass": "STANDARD",
                              "awsAccessKeyID": "id", "awsSecretAccessKey": "secret", "plusWorkaround": true});
        let settings = S3 {
            region: "eu-central-1".into(),
            bucket: "packages".into(),
            access_key_id: "id".into(),
            secret_access_key: "secret".into(),
            ..S3::default()
        };
        let bucket = Bucket { objects: Objects::s3(settings), plus_workaround: true };
        let read = read_one(endpoint).expect("read");
        assert_eq!(read, BTreeMap::from([("s3:cdn".into(), Endpoint::bucket("/srv/apt/replicas/s3/cdn", bucket))]));
        assert!(!format!("{read:?}").contains("secret"), "{read:?}");
    }

    #[test]
    fn what_a_bucket_lacks_is_named() {
        for (endpoint, missing) in [
            (json!({}), "bucket"),
            (json!({"bucket": "b", "awsAccessKeyID": "id"}), "awsSecretAccessKey"),
            (json!({"bucket": "b", "awsSecretAccessKey": "x"}), "awsAccessKeyID"),
        ] {
            match read_one(endpoint) {
                Err(Failure::Run(why)) => assert_eq!(why, format!("S3PublishEndpoints, cdn: {missing} is missing")),
                other => panic!("{other:?}"),
            }
        }
    }
}
