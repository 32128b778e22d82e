//! A folder of real packages as a package source, and a bakery beside it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bakery::{BakeError, Baked, Bakery, Candidate, Host, PackageSource, Request, SourceError, WantedPackage};
use store::clock::FakeClock;
use store::{Location, Store};
use testkit::package::TestPackage;

/// The packages that were put onto it.
#[derive(Default)]
pub struct Shelf(Mutex<Vec<Candidate>>);

impl PackageSource for Shelf {
    fn name(&self) -> String {
        "publication stretch".into()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, SourceError> {
        let all = self.0.lock().unwrap();
        Ok(all.iter().filter(|c| c.name == name || c.provides.contains(name)).cloned().collect())
    }
}

pub struct Kitchen {
    pub folder: tempfile::TempDir,
    pub bakery: Bakery,
    pub shelf: Arc<Shelf>,
    pub store: Store,
    pub clock: Arc<FakeClock>,
}

impl Kitchen {
    pub fn new() -> Kitchen {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
        let place = Location::Sqlite(folder.path().join("gennaker.db"));
        let store = Store::open(place, &[bakery::MIGRATIONS], clock.clone()).unwrap();
        std::fs::create_dir(folder.path().join("pool")).unwrap();
        let bakery = open(&store, folder.path());
        Kitchen { folder, bakery, shelf: Arc::default(), clock, store }
    }

    /// What a restart of the server does.
    pub fn reopen(&mut self) {
        self.bakery = open(&self.store, self.folder.path());
    }

    pub fn images(&self) -> PathBuf {
        self.folder.path().join("images")
    }

    /// Puts a package onto the shelf, in place of one of the same name, version and architecture.
    pub fn put(&self, package: &TestPackage) {
        let file = package.write_to(&self.folder.path().join("pool"));
        self.put_file(&file);
    }

    pub fn put_file(&self, file: &Path) {
        let deb = debian::deb::read(std::fs::File::open(file).unwrap()).unwrap();
        let get = |name: &str| deb.control.get(name).to_owned();
        let candidate = Candidate {
            name: get("Package"),
            version: get("Version"),
            architecture: get("Architecture"),
            sha256: deb.sums.sha256,
            depends: get("Depends"),
            provides: get("Provides"),
            file: file.to_owned(),
        };
        let mut all = self.shelf.0.lock().unwrap();
        all.retain(|c| c.label() != candidate.label());
        all.push(candidate);
    }

    pub async fn bake(&self, packages: &str) -> Result<Baked, BakeError> {
        let request = Request::of(WantedPackage::list(packages)?);
        let recipe = self.bakery.resolve(request, self.shelf.clone()).await?;
        self.bakery.make(recipe, false, |_| {}).await
    }
}

fn open(store: &Store, folder: &Path) -> Bakery {
    let host = Host::read(&folder.join("no-host"), "/no/path").unwrap();
    Bakery::open(store.clone(), folder.join("images"), bakery::builders(host)).unwrap()
}
