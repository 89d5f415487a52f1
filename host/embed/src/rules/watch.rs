//! Word of changes among rule files, when they are complete.
//!
//! What is named is watched, and so is the folder that it lies in: a rules folder may be a link that is switched, or be
//! deleted and made again. A file that is being written is waited for until it is closed, or until nobody has written to it
//! for a good while; one that is moved into its place is complete. Where many files change at once it is waited until
//! they are all there. As a last resort, for file systems that say nothing, it is looked every now and then.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use notify::{
    Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind},
};

use super::RuleKind;

/// For how long nothing happens before a change counts as complete.
const QUIET: Duration = Duration::from_millis(5);

/// The same where many files change.
const QUIET_OF_MANY: Duration = Duration::from_millis(100);

/// How many changes are many.
const MANY: usize = 16;

/// A file that was not written to for so long, but not closed either, counts as complete.
const STALE: Duration = Duration::from_secs(1);

/// Changes that follow each other without a pause are looked at after so long.
const RESTLESS: Duration = Duration::from_secs(5);

/// How often it is looked without word.
const LOOK_UP: Duration = Duration::from_secs(10);

/// Watches files and folders.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    words: Receiver<notify::Result<Event>>,
    watched: Vec<Watched>,
    /// What is watched for them.
    watching: Vec<PathBuf>,
    looked: Instant,
}

/// Something that was named.
#[derive(Debug)]
struct Watched {
    named: PathBuf,
    /// The same from the root.
    path: PathBuf,
    /// What it leads to, if it is there.
    target: Option<PathBuf>,
}

/// What changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// Nothing but what these paths are, as far as there is word of it. They begin as what was named does.
    Paths(HashSet<PathBuf>),
    /// Anything.
    Anything,
}

/// What is known of changes so far.
#[derive(Debug, Default)]
struct Changes {
    count: usize,
    paths: HashSet<PathBuf>,
    /// Whether more may have changed than these.
    others: bool,
    /// Files that somebody writes to, and since when nobody has.
    open: HashMap<PathBuf, Instant>,
}

impl Watch {
    /// Watches these files and folders. Those that are not there are waited for.
    pub(super) fn new(paths: &[PathBuf]) -> io::Result<Self> {
        let (sender, words) = channel();
        // Links to folders are not followed when rules are searched for either.
        let config = Config::default().with_follow_symlinks(false);
        let notifier = RecommendedWatcher::new(sender, config).map_err(io::Error::other)?;
        let watched = paths.iter().map(|named| {
            let path = std::path::absolute(named).unwrap_or_else(|_| named.clone());
            Watched { named: named.clone(), path, target: None }
        });
        let mut watch =
            Self { watcher: notifier, words, watched: watched.collect(), watching: Vec::new(), looked: Instant::now() };
        watch.renew();
        Ok(watch)
    }

    /// Waits until something changed and is complete. `None` if nothing did for so long.
    pub(super) fn wait(&mut self, timeout: Duration) -> Option<Changed> {
        let mut changes = Changes::default();
        let until = Instant::now().checked_add(timeout).unwrap_or_else(Instant::now);
        while changes.count == 0 {
            // There may be word of others' files without end.
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.is_due();
            }
            match self.words.recv_timeout(left) {
                Ok(word) => self.note(word, &mut changes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(left),
            }
        }
        let began = Instant::now();
        let (mut last, mut known) = (began, changes.count);
        while began.elapsed() < RESTLESS {
            if changes.count > known {
                (last, known) = (Instant::now(), changes.count);
            }
            let quiet = if changes.count > MANY { QUIET_OF_MANY } else { QUIET };
            // Words that are not of our files do not count.
            let left = quiet.saturating_sub(last.elapsed());
            if left.is_zero() {
                changes.open.retain(|_, written| written.elapsed() < STALE);
                if changes.open.is_empty() {
                    break;
                }
                last = Instant::now();
                continue;
            }
            match self.words.recv_timeout(left) {
                Ok(word) => self.note(word, &mut changes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(left),
            }
        }
        if !changes.others && self.looked.elapsed() < LOOK_UP {
            return Some(Changed::Paths(changes.paths));
        }
        self.renew();
        self.looked = Instant::now();
        Some(Changed::Anything)
    }

    /// Whether it is to be looked without word, because that may not come.
    fn is_due(&mut self) -> Option<Changed> {
        if self.looked.elapsed() < LOOK_UP {
            return None;
        }
        self.renew();
        self.looked = Instant::now();
        Some(Changed::Anything)
    }

    fn note(&self, word: notify::Result<Event>, changes: &mut Changes) {
        let Ok(event) = word else {
            (changes.count, changes.others) = (changes.count.saturating_add(1), true);
            return;
        };
        let named: Vec<PathBuf> = event.paths.iter().flat_map(|path| self.named(path)).collect();
        // A file that is no rule says nothing, however often it is written to.
        let is_named = |path: &PathBuf| self.watched.iter().any(|watched| *path == watched.named);
        let named: Vec<PathBuf> = named
            .into_iter()
            .filter(|path| is_named(path) || RuleKind::of(path).is_some() || !path.is_file())
            .collect();
        let is_ours = event.need_rescan() || !named.is_empty();
        // Who reads a file changes nothing, and neither do we.
        let is_reading = match event.kind {
            EventKind::Access(kind) => kind != AccessKind::Close(AccessMode::Write),
            _ => false,
        };
        if !is_ours || is_reading {
            return;
        }
        changes.count = changes.count.saturating_add(1);
        let is_folder = matches!(
            event.kind,
            EventKind::Create(CreateKind::Folder)
                | EventKind::Remove(RemoveKind::Folder)
                | EventKind::Any
                | EventKind::Other
        );
        changes.others |= event.need_rescan() || is_folder || named.iter().any(|path| is_named(path) || path.is_dir());
        changes.paths.extend(named);
        let is_written = match event.kind {
            EventKind::Modify(ModifyKind::Data(_)) => true,
            // A link is there at once.
            EventKind::Create(CreateKind::File) => event.paths.iter().all(|path| is_new_file(path)),
            _ => false,
        };
        for path in event.paths {
            if is_written {
                changes.open.insert(path, Instant::now());
            } else {
                changes.open.remove(&path);
            }
        }
    }

    /// A path as whoever named it, or what it lies below, would write it.
    fn named(&self, path: &Path) -> Vec<PathBuf> {
        let below = |watched: &Watched| {
            let mut roots = std::iter::once(&watched.path).chain(&watched.target);
            let rest = roots.find_map(|root| path.strip_prefix(root).ok())?;
            Some(if rest.as_os_str().is_empty() { watched.named.clone() } else { watched.named.join(rest) })
        };
        self.watched.iter().filter_map(below).collect()
    }

    /// Watches what is there now, which may be something else than what was.
    fn renew(&mut self) {
        for path in self.watching.drain(..) {
            // It may be gone.
            let _ = self.watcher.unwatch(&path);
        }
        for watched in &mut self.watched {
            watched.target = fs::canonicalize(&watched.path).ok();
        }
        let targets: BTreeSet<PathBuf> = self.watched.iter().filter_map(|watched| watched.target.clone()).collect();
        let is_below = |path: &Path, others: &BTreeSet<PathBuf>| others.iter().any(|other| path.starts_with(other));
        let parents = self.watched.iter().filter_map(|watched| fs::canonicalize(watched.path.parent()?).ok());
        let parents: BTreeSet<PathBuf> = parents.filter(|parent| !is_below(parent, &targets)).collect();
        let targets = targets.into_iter().map(|target| (target, RecursiveMode::Recursive));
        for (path, mode) in targets.chain(parents.into_iter().map(|parent| (parent, RecursiveMode::NonRecursive))) {
            // What cannot be watched is looked at without word.
            if self.watcher.watch(&path, mode).is_ok() {
                self.watching.push(path);
            }
        }
    }
}

/// Whether it is a file that somebody has only just begun to write.
fn is_new_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0)
}
