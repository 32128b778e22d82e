//! Apt roots from outside: repositories, publications, events, hostile input.

mod hostile;
mod ops;
mod pieces;
mod publishing;
mod sharing;
mod takeover;

use std::path::PathBuf;
use std::sync::Arc;

use apt::{AddOptions, Line, PublishRequest, RepoChange, Root, Settings, Signing, SourceKind, UpdateRequest};
use store::clock::FakeClock;
use testkit::package::TestPackage;

/// A root in a folder of its own, with a folder for packages beside it.
struct Place {
    folder: tempfile::TempDir,
    root: Root,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("in")).expect("made");
        let root = Root::open(folder.path().join("root"), clock()).expect("opened");
        Place { folder, root }
    }

    fn incoming(&self) -> PathBuf {
        self.folder.path().join("in")
    }

    /// Adds a package and gives what was reported.
    fn add(&self, repo: &str, package: &TestPackage, force_replace: bool) -> Vec<Line> {
        let file = package.write_to(&self.incoming());
        let mut lines = Vec::new();
        let options = AddOptions { force_replace, remove_files: true };
        self.root.add(repo, &[file], options, &mut |line| lines.push(line)).expect("added");
        lines
    }

    fn create(&self, repo: &str) {
        self.root.create_repo(repo, &RepoChange::default(), None).expect("created");
    }

    fn publish(&self, repo: &str, distribution: &str) {
        self.root.publish(&request(repo, distribution), &mut |_| {}).expect("published");
    }

    /// Updates a publication; files with other content under the same name are replaced.
    fn update(&self, distribution: &str) {
        let request = UpdateRequest {
            prefix: ".".into(),
            distribution: distribution.into(),
            signing: unsigned(),
            force_overwrite: true,
            ..UpdateRequest::default()
        };
        self.root.update_publication(&request, &mut |_| {}).expect("updated");
    }
}

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::at_text("2026-11-24T00:00:00Z"))
}

fn unsigned() -> Signing {
    Signing { skip: true, ..Signing::default() }
}

fn request(repo: &str, distribution: &str) -> PublishRequest {
    PublishRequest {
        kind: SourceKind::Local,
        names: vec![repo.into()],
        components: vec![String::new()],
        storage: String::new(),
        prefix: ".".into(),
        distribution: distribution.into(),
        architectures: vec!["amd64".into()],
        settings: Settings::default(),
        force_overwrite: false,
        signing: unsigned(),
        date: None,
    }
}
