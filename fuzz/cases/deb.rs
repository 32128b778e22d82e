//! One case of the fuzzer of packages: any bytes are a `.deb` or are refused, within the bounds of unpacking.

use debian::deb;

/// Reads `data` as a package.
pub fn one(data: &[u8]) {
    if let Ok(read) = deb::read(data) {
        assert_eq!(read.sums.size, data.len() as u64, "all of it was summed");
    }
    if let Ok(paths) = deb::contents(data) {
        assert!(paths.iter().all(|path| !path.contains('\n')), "a path is one line of Contents: {paths:?}");
    }
}
