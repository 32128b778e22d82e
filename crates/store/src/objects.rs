//! Objects in a bucket, under names of their caller's choice: what is published to S3-compatible storage. Blobs, named by their content, are
//! `blob`'s. The calls block; several threads may make them at once.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::OnceLock;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as Name;
use object_store::{
    Attribute, Attributes, ClientOptions, ObjectStore, ObjectStoreExt as _, PutOptions, WriteMultipart,
};
use tokio::runtime::Runtime;

/// Files up to this size go up in one request, larger ones in parts; bytes.
const WHOLE: u64 = 32 << 20;
/// The size of a part in bytes. S3 takes at most 10,000 of them.
const PART: usize = 16 << 20;
/// Parts of one file that are under way at once.
const PARTS: usize = 4;

/// A bucket of S3-compatible storage.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct S3 {
    /// The region; empty for the one of the environment (`AWS_REGION`), else `us-east-1`.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What stands before every name, without slashes around it; may be empty.
    pub prefix: String,
    /// A canned ACL (`x-amz-acl`); empty to send none.
    pub acl: String,
    /// Without keys those of the environment or of the machine are taken.
    pub access_key_id: String,
    /// The secret; is in no error and in no output.
    pub secret_access_key: String,
    /// Of temporary keys.
    pub session_token: String,
    /// Another server than Amazon's: `host`, `https://host` or `http://host:port`.
    pub endpoint: String,
    /// `x-amz-storage-class`; empty for the bucket's.
    pub storage_class: String,
    /// `x-amz-server-side-encryption`: `AES256` or `aws:kms`; empty for the bucket's.
    pub encryption: String,
    /// `https://bucket.host/` instead of `https://host/bucket/`.
    pub virtual_hosted: bool,
    /// The server deletes only one object a request.
    pub single_deletions: bool,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3({} of {}, {:?})", self.bucket, self.endpoint, self.prefix)
    }
}

/// Why objects could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// What was said of the bucket cannot be.
    #[error("{0}")]
    Settings(String),
    /// A file of this machine.
    #[error("cannot read {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server, or the way to it.
    #[error("cannot {doing} {bucket}/{name}: {why}")]
    Server {
        /// What was tried, as `write`.
        doing: &'static str,
        /// The bucket.
        bucket: String,
        /// The object, or what names begin with.
        name: String,
        /// What the server said.
        why: String,
    },
}

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name below the prefix.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its tag without quotes: of an object that went up whole and unencrypted its MD5.
    pub tag: String,
}

/// What a call needs.
struct Made {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    /// Sends the headers that say how objects are kept; the library signs them in these calls only.
    writes: AmazonS3,
    /// Lists and removes.
    reads: AmazonS3,
}

impl Drop for Made {
    fn drop(&mut self) {
        // A server may drop it where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Made {
    fn new(settings: &S3) -> Result<Made, ObjectError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| ObjectError::Settings(error.to_string()))?;
        let reads = client(settings, HeaderMap::new())?;
        Ok(Made { runtime: Some(runtime), writes: client(settings, headers(settings)?)?, reads })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, ObjectError>>) -> Result<T, ObjectError> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => Err(ObjectError::Settings("the program ends".into())),
        }
    }
}

/// The objects of a bucket. Nothing is connected before the first call.
pub struct Objects {
    settings: S3,
    made: OnceLock<Made>,
}

impl PartialEq for Objects {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl Eq for Objects {}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

impl Objects {
    /// Of this bucket.
    pub fn s3(settings: S3) -> Self {
        Self { settings, made: OnceLock::new() }
    }

    fn made(&self) -> Result<&Made, ObjectError> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let made = Made::new(&self.settings)?;
        Ok(self.made.get_or_init(|| made))
    }

    fn name(&self, name: &str) -> Result<Name, ObjectError> {
        let prefix = self.settings.prefix.trim_matches('/');
        let whole = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        // Not `from`, which would write a tilde as an escape.
        Name::parse(whole.trim_end_matches('/'))
            .map_err(|error| ObjectError::Settings(format!("{whole:?} is no name of an object: {error}")))
    }

    fn failed(&self, doing: &'static str, name: &str) -> impl Fn(object_store::Error) -> ObjectError {
        let (bucket, name) = (self.settings.bucket.clone(), name.to_owned());
        move |error| ObjectError::Server { doing, bucket: bucket.clone(), name: name.clone(), why: innermost(&error) }
    }

    /// Writes a file as an object; with its MD5 as metadata, if one is given, as aptly keeps it. Nobody sees half of it.
    pub fn put(&self, file: &Path, name: &str, md5: Option<&str>) -> Result<(), ObjectError> {
        let unreadable = |source| ObjectError::File { path: file.to_owned(), source };
        let made = self.made()?;
        let location = self.name(name)?;
        let failed = self.failed("write", name);
        let mut attributes = Attributes::new();
        if let Some(md5) = md5 {
            attributes.insert(Attribute::Metadata("Md5".into()), md5.to_owned().into());
        }
        let mut opened = File::open(file).map_err(unreadable)?;
        let size = opened.metadata().map_err(unreadable)?.len();
        if size <= WHOLE {
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            opened.read_to_end(&mut bytes).map_err(unreadable)?;
            let options = PutOptions { attributes, ..PutOptions::default() };
            let written = made.writes.put_opts(&location, bytes.into(), options);
            return made.wait(async { written.await.map(drop).map_err(&failed) });
        }
        made.wait(async {
            let options = object_store::PutMultipartOptions { attributes, ..Default::default() };
            let upload = made.writes.put_multipart_opts(&location, options).await.map_err(&failed)?;
            let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
            let mut piece = vec![0; PART];
            loop {
                let read = match opened.read(&mut piece) {
                    Ok(read) => read,
                    Err(error) => {
                        // Parts that stay would be paid for.
                        let _ = upload.abort().await;
                        return Err(unreadable(error));
                    }
                };
                if read == 0 {
                    break;
                }
                upload.wait_for_capacity(PARTS).await.map_err(&failed)?;
                upload.write(&piece[..read]);
            }
            upload.finish().await.map(drop).map_err(&failed)
        })
    }

    /// Gives the content of one object to another; the server copies.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), ObjectError> {
        let made = self.made()?;
        let (source, target) = (self.name(from)?, self.name(to)?);
        made.wait(async { made.writes.copy(&source, &target).await.map_err(self.failed("write", to)) })
    }

    /// Removes objects; one that is not there is fine.
    pub fn delete(&self, names: &[String]) -> Result<(), ObjectError> {
        let Some(first) = names.first() else { return Ok(()) };
        let made = self.made()?;
        let failed = self.failed("remove", first);
        let locations = names.iter().map(|name| self.name(name)).collect::<Result<Vec<_>, _>>()?;
        let gone = |deleted: object_store::Result<Name>| match deleted {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            deleted => deleted.map(drop).map_err(&failed),
        };
        let locations = stream::iter(locations.into_iter().map(Ok)).boxed();
        made.wait(made.reads.delete_stream(locations).map(gone).try_collect())
    }

    /// The objects whose names begin with a folder.
    pub fn list(&self, folder: &str) -> Result<Vec<Object>, ObjectError> {
        let made = self.made()?;
        let location = self.name(folder)?;
        let before = self.settings.prefix.trim_matches('/');
        let object = |meta: object_store::ObjectMeta| {
            let name = meta.location.as_ref();
            let name = name.strip_prefix(before).unwrap_or(name).trim_start_matches('/').to_owned();
            Object { name, size: meta.size, tag: meta.e_tag.unwrap_or_default().trim_matches('"').to_owned() }
        };
        let listed = made.reads.list(Some(&location)).map_ok(object).map_err(self.failed("list", folder));
        made.wait(listed.try_collect())
    }
}

fn unusable(settings: &S3, why: &str) -> ObjectError {
    ObjectError::Settings(format!("the S3 storage {} cannot be used: {why}", settings.bucket))
}

/// How objects are to be kept.
fn headers(settings: &S3) -> Result<HeaderMap, ObjectError> {
    let mut headers = HeaderMap::new();
    for (name, value) in [("x-amz-acl", &settings.acl), ("x-amz-storage-class", &settings.storage_class)] {
        if !value.is_empty() {
            let value = HeaderValue::from_str(value).map_err(|error| unusable(settings, &error.to_string()))?;
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(headers)
}

fn client(settings: &S3, headers: HeaderMap) -> Result<AmazonS3, ObjectError> {
    // TLS needs one for the process; another that was installed before is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(&settings.bucket);
    if !settings.region.is_empty() {
        builder = builder.with_region(&settings.region);
    }
    if !settings.access_key_id.is_empty() {
        builder =
            builder.with_access_key_id(&settings.access_key_id).with_secret_access_key(&settings.secret_access_key);
        if !settings.session_token.is_empty() {
            builder = builder.with_token(&settings.session_token);
        }
    }
    builder = builder
        .with_virtual_hosted_style_request(settings.virtual_hosted)
        .with_disable_bulk_delete(settings.single_deletions);
    let mut plain = false;
    if !settings.endpoint.is_empty() {
        let whole = if settings.endpoint.contains("://") {
            settings.endpoint.clone()
        } else {
            format!("https://{}", settings.endpoint)
        };
        plain = whole.starts_with("http://");
        let whole = whole.trim_end_matches('/');
        // The library wants the bucket in the host's name already.
        let whole = match whole.split_once("://").filter(|_| settings.virtual_hosted) {
            Some((scheme, host)) => format!("{scheme}://{}.{host}", settings.bucket),
            None => whole.to_owned(),
        };
        builder = builder.with_endpoint(whole);
    }
    if !settings.encryption.is_empty() {
        let kind = if settings.encryption == "aws:kms" { "sse:kms" } else { &settings.encryption };
        let key: AmazonS3ConfigKey =
            "aws_server_side_encryption".parse().map_err(|error| unusable(settings, &innermost(&error)))?;
        builder = builder.with_config(key, kind);
    }
    let options = ClientOptions::new().with_allow_http(plain).with_default_headers(headers);
    builder.with_client_options(options).build().map_err(|error| unusable(settings, &innermost(&error)))
}

/// The last cause of an error: what stands before it names addresses again and again.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    // Some answers are whole pages of XML: its message says enough.
    match text.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>")) {
        Some((message, _)) => message.to_owned(),
        None => text.chars().take(300).collect(),
    }
}
