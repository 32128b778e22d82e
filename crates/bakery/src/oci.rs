//! An image written down as an OCI image layout: one layer (what was added to the base), a config, a manifest, an index. Docker and its
//! kin load it. The same files give the same bytes, so the manifest's digest names the image.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use debian::sums::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::BakeError;
use crate::builder::{Built, Work};
use crate::recipe::Recipe;

/// A blob of the layout.
struct Blob {
    digest: String,
    size: u64,
}

impl Blob {
    fn descriptor(&self, media: &str) -> Value {
        json!({"mediaType": media, "digest": self.digest, "size": self.size})
    }
}

/// What was written.
pub(crate) struct Written {
    /// The manifest's digest.
    pub digest: String,
    /// Bytes of the layer.
    pub layer_size: u64,
}

/// Writes the layout into `folder`, which exists, from the files in `layer`.
pub(crate) fn write(
    folder: &Path,
    layer: &Path,
    recipe: &Recipe,
    built: &Built,
    work: &Work,
) -> Result<Written, BakeError> {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).map_err(BakeError::io("cannot make", &blobs))?;
    let layer = write_layer(&blobs, layer, work)?;
    let config = write_json(&blobs, &config(recipe, built, &layer))?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": [layer.descriptor("application/vnd.oci.image.layer.v1.tar")],
    });
    let manifest = write_json(&blobs, &manifest)?;
    let mut entry = manifest.descriptor("application/vnd.oci.image.manifest.v1+json");
    if let Some(main) = recipe.packages.first() {
        let tag = format!("{}:{}", main.name, main.version.replace([':', '~', '+'], "-"));
        entry["annotations"] = json!({
            "org.opencontainers.image.ref.name": tag,
            "io.containerd.image.name": tag,
        });
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });
    write_file(&folder.join("index.json"), index.to_string().as_bytes())?;
    write_file(&folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    for folder in [&blobs, &folder.join("blobs"), folder] {
        sync_folder(folder)?;
    }
    Ok(Written { digest: manifest.digest, layer_size: layer.size })
}

fn config(recipe: &Recipe, built: &Built, layer: &Blob) -> Value {
    let config = &built.config;
    let env: Vec<String> = config.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let packages: Vec<String> = recipe.packages.iter().map(|p| format!("{} sha256:{}", p.label(), p.sha256)).collect();
    let mut inner = json!({
        "Env": env,
        "Cmd": config.command,
        "Labels": {
            "gennaker.base": recipe.request.base,
            "gennaker.base.digest": recipe.base_digest,
            "gennaker.recipe": recipe.key(),
            "gennaker.packages": packages.join(", "),
            "gennaker.notes": built.notes.join("; "),
        },
    });
    if let Some(port) = config.port {
        let mut ports = serde_json::Map::new();
        ports.insert(format!("{port}/tcp"), json!({}));
        inner["ExposedPorts"] = Value::Object(ports);
    }
    if let Some(directory) = &config.directory {
        inner["WorkingDir"] = json!(directory);
    }
    if let Some(user) = &config.user {
        inner["User"] = json!(user);
    }
    json!({
        "architecture": if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" },
        "os": "linux",
        "config": inner,
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
        "history": [{"created_by": format!("gennaker {} builder", recipe.request.builder)}],
    })
}

/// Sums what passes.
struct Summing<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.size += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn write_layer(blobs: &Path, layer: &Path, work: &Work) -> Result<Blob, BakeError> {
    let staged = blobs.join("layer.part");
    let wrong = |error| BakeError::io("cannot write", &staged)(error);
    let file = File::create(&staged).map_err(wrong)?;
    let mut tar =
        tar::Builder::new(Summing { inner: BufWriter::with_capacity(256 * 1024, file), hash: Sha256::new(), size: 0 });
    for path in walk(layer)? {
        work.go_on()?;
        append(&mut tar, layer, &path)?;
    }
    let summing = tar.into_inner().map_err(wrong)?;
    let file = summing.inner.into_inner().map_err(|e| wrong(e.into_error()))?;
    file.sync_all().map_err(wrong)?;
    let sum = hex(&summing.hash.finalize());
    let at = blobs.join(&sum);
    std::fs::rename(&staged, &at).map_err(BakeError::io("cannot name", &at))?;
    Ok(Blob { digest: format!("sha256:{sum}"), size: summing.size })
}

/// One entry with nothing of this machine in it: no owner, no time.
fn append<W: Write>(tar: &mut tar::Builder<W>, layer: &Path, path: &Path) -> Result<(), BakeError> {
    let at = layer.join(path);
    let wrong = |error| BakeError::io("cannot pack", &at)(error);
    let meta = std::fs::symlink_metadata(&at).map_err(wrong)?;
    let mut header = tar::Header::new_gnu();
    header.set_mode(meta.permissions().mode() & 0o777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    if meta.is_dir() {
        header.set_entry_type(tar::EntryType::Directory);
        tar.append_data(&mut header, path, io::empty()).map_err(wrong)
    } else if meta.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        let target = std::fs::read_link(&at).map_err(wrong)?;
        tar.append_link(&mut header, path, target).map_err(wrong)
    } else {
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(meta.len());
        let file = File::open(&at).map_err(wrong)?;
        tar.append_data(&mut header, path, file).map_err(wrong)
    }
}

/// Every path below `layer`, parents first, in the order of their names; links are not followed.
pub(crate) fn walk(layer: &Path) -> Result<Vec<PathBuf>, BakeError> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        let at = layer.join(&folder);
        let wrong = |error| BakeError::io("cannot list", &at)(error);
        for entry in std::fs::read_dir(&at).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let path = folder.join(entry.file_name());
            if entry.file_type().map_err(wrong)?.is_dir() {
                open.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn write_json(blobs: &Path, document: &Value) -> Result<Blob, BakeError> {
    let bytes = document.to_string().into_bytes();
    let sum = hex(&Sha256::digest(&bytes));
    write_file(&blobs.join(&sum), &bytes)?;
    Ok(Blob { digest: format!("sha256:{sum}"), size: bytes.len() as u64 })
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), BakeError> {
    let wrong = |error| BakeError::io("cannot write", path)(error);
    let mut file = File::create(path).map_err(wrong)?;
    file.write_all(bytes).map_err(wrong)?;
    file.sync_all().map_err(wrong)
}

/// Makes the names in a folder survive a crash.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), BakeError> {
    let wrong = |error| BakeError::io("cannot sync", folder)(error);
    File::open(folder).map_err(wrong)?.sync_all().map_err(wrong)
}
