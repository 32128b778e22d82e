//! The downloads of an update: several files at once, each recorded soon after it came, so that little is brought twice after an interruption.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use debian::source::{Listed, UNKNOWN_SIZE};
use debian::sums::Sums;

use super::Fetch;
use crate::error::{Error, Result};
use crate::pool::{self, Staged};
use crate::report::{Line, Progress, Sink, Work};
use crate::root::Root;

/// So many files are recorded together.
const BATCH: usize = 64;

/// Brings these files into the pool; gives the sums that they have, by address. All are tried before one that failed is told, but a full disk
/// ends it at once.
pub fn bring(
    root: &Root,
    wanted: &BTreeMap<&String, &Listed>,
    lax: bool,
    fetch: &dyn Fetch,
    sink: Sink<'_>,
) -> Result<BTreeMap<String, Sums>> {
    let queue: Vec<(&String, &Listed)> = wanted.iter().map(|(url, listed)| (*url, *listed)).collect();
    let size = |listed: &Listed| if listed.size == UNKNOWN_SIZE { 0 } else { listed.size };
    let bytes: u64 = queue.iter().map(|(_, listed)| size(listed)).sum();
    sink(Line::Step(format!("Download queue: {} items ({})", queue.len(), crate::size(bytes))));
    let total = queue.len() as u64;
    let mut progress =
        Progress { work: Work::Download, total, remaining: total, total_bytes: bytes, remaining_bytes: bytes };
    let (mut there, mut errors) = (BTreeMap::new(), Vec::new());
    let workers = fetch.at_once().clamp(1, queue.len().max(1));
    let next = AtomicUsize::new(0);
    let (tell, told) = sync_channel::<(usize, Result<Staged>)>(workers);
    let done = thread::scope(|scope| {
        for _ in 0..workers {
            let (tell, queue, next) = (tell.clone(), &queue, &next);
            scope.spawn(move || {
                while let Some((at, (url, listed))) = take(queue, next) {
                    // Nobody listens any more when the disk is full.
                    if tell.send((at, pool::download(root, url, listed, lax, fetch))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(tell);
        let mut staged = Vec::new();
        let mut work = || {
            for (at, file) in &told {
                let (url, listed) = queue[at];
                match file {
                    Ok(file) => {
                        there.insert(url.clone(), file.file.sums.clone());
                        staged.push(file);
                    }
                    Err(error) if error.is_full() => return Err(error),
                    Err(error) => errors.push(error.to_string()),
                }
                progress.remaining -= 1;
                progress.remaining_bytes -= size(listed);
                sink(Line::Progress(progress));
                if staged.len() >= BATCH {
                    pool::record(root, &std::mem::take(&mut staged))?;
                }
            }
            pool::record(root, &staged)
        };
        let done = work();
        // Whoever waits to tell something is let go.
        drop(told);
        done
    });
    done?;
    if errors.is_empty() {
        return Ok(there);
    }
    errors.sort();
    Err(Error::Invalid(format!("download errors:\n  {}", errors.join("\n  "))))
}

/// The next of a queue that several take from, with its number.
fn take<T: Copy>(queue: &[T], next: &AtomicUsize) -> Option<(usize, T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    queue.get(at).map(|item| (at, *item))
}
