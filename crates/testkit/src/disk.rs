//! A small real disk, to fill it up.

use std::path::Path;
use std::process::Command;

/// A disk of some megabytes in memory, gone with the value.
pub struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts one, for its owner alone, or says why it cannot.
    pub fn mount(megabytes: u32) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let mut mount = Command::new("mount");
        let options = format!("size={megabytes}m,mode=0700");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path());
        match mount.output() {
            Ok(done) if done.status.success() => Ok(SmallDisk(folder)),
            Ok(done) => Err(format!("cannot mount a tmpfs: {}", String::from_utf8_lossy(&done.stderr).trim())),
            Err(e) => Err(format!("cannot mount a tmpfs: {e}")),
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file that takes all that is left; removing it makes room again.
    pub fn fill(&self) -> std::path::PathBuf {
        use std::io::Write;
        let path = self.path().join("ballast");
        if let Ok(mut file) = std::fs::File::create(&path) {
            while file.write_all(&[0; 4096]).is_ok() {}
        }
        path
    }

    /// Writes one more file, so that this share of the disk is used, in percent.
    pub fn fill_to(&self, percent: u64) -> std::path::PathBuf {
        use std::io::Write;
        let path = self.path().join(format!("ballast-{percent}"));
        let is_full = || {
            rustix::fs::statvfs(self.path())
                .is_ok_and(|disk| (disk.f_blocks - disk.f_bfree) * 100 >= disk.f_blocks * percent)
        };
        if let Ok(mut file) = std::fs::File::create(&path) {
            while !is_full() && file.write_all(&[0; 65_536]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
