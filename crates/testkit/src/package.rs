//! Packages for tests: real `.deb` files in a line.

use std::path::{Path, PathBuf};

use debian::deb::Builder;

/// A `.deb` in the making; see [`package`].
pub struct TestPackage {
    name: String,
    version: String,
    architecture: String,
    fields: String,
    files: Vec<(String, u32, Vec<u8>)>,
}

/// A package `name` in `version` for all architectures, with one file that says its name and version.
pub fn package(name: &str, version: &str) -> TestPackage {
    let file = (format!("usr/share/{name}/version"), 0o644, format!("{name} {version}\n").into_bytes());
    TestPackage {
        name: name.into(),
        version: version.into(),
        architecture: "all".into(),
        fields: String::new(),
        files: vec![file],
    }
}

impl TestPackage {
    /// For this architecture instead.
    #[must_use]
    pub fn architecture(mut self, architecture: &str) -> Self {
        self.architecture = architecture.into();
        self
    }

    /// With one more control field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str(&format!("{name}: {value}\n"));
        self
    }

    /// With one more file.
    #[must_use]
    pub fn file(mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.into(), mode, bytes.into()));
        self
    }

    /// The bytes of the `.deb`.
    ///
    /// # Panics
    /// When the test asked for something that no package can have.
    pub fn bytes(&self) -> Vec<u8> {
        self.builder().build().expect("the test's package can be built")
    }

    /// Writes the `.deb` into `folder` under its usual name and gives the path.
    ///
    /// # Panics
    /// When the package cannot be built or the file not be written.
    pub fn write_to(&self, folder: &Path) -> PathBuf {
        let path = folder.join(self.builder().file_name());
        std::fs::write(&path, self.bytes()).expect("the test's folder takes the package");
        path
    }

    fn builder(&self) -> Builder {
        let control = format!(
            "Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: Test <test@example.org>\nDescription: for a test\n{}",
            self.name, self.version, self.architecture, self.fields
        );
        let empty = Builder::new(&control).expect("the test's control fields are right").mtime(1_700_000_000);
        let add = |builder: Builder, (path, mode, bytes): &(String, u32, Vec<u8>)| {
            builder.file(path, *mode, bytes.clone()).expect("a relative path")
        };
        self.files.iter().fold(empty, add)
    }
}
