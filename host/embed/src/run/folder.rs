//! Folders as inputs: every event file below one, in the order of their paths.
//!
//! What counts as an event file goes by its name ([`EXTENSIONS`]), because a folder of logs has other things in it, and
//! what was left out is counted with its reason ([`Skipped`]). Links are followed; a folder or file that was met already
//! is not read again, so that links in a circle end.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use walkdir::{DirEntry, WalkDir};

use super::input::Input;

/// The extensions of event files, in lower case. A file that is named itself is read whatever its name is.
pub const EXTENSIONS: [&str; 7] = ["evtx", "gz", "json", "jsonl", "log", "ndjson", "zst"];

/// What is inside an archive is files, not events.
const ARCHIVES: [&str; 2] = [".tar.gz", ".tar.zst"];

/// How many levels below a folder are looked into.
const LEVELS_MAX: usize = 64;

/// How many files of one folder are read.
const FILES_MAX: usize = 1_000_000;

/// Why a file below a folder is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its name does not end as an event file's does.
    Name,
    /// Its name begins with a dot.
    Hidden,
    /// It was met before, through a link.
    Again,
    /// It is neither a file nor a folder.
    Special,
}

impl SkipReason {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Name => "not named like an event file",
            Self::Hidden => "hidden",
            Self::Again => "a link to what was read already",
            Self::Special => "no file",
        }
    }
}

/// What below folders was not read.
#[derive(Clone, Debug, Default)]
pub struct Skipped {
    reasons: BTreeMap<SkipReason, (u64, PathBuf)>,
}

impl Skipped {
    /// Each reason with how many there are and the first of them.
    pub fn reasons(&self) -> impl Iterator<Item = (SkipReason, u64, &Path)> {
        self.reasons.iter().map(|(reason, (count, first))| (*reason, *count, first.as_path()))
    }

    fn add(&mut self, reason: SkipReason, path: &Path) {
        let (count, _) = self.reasons.entry(reason).or_insert_with(|| (0, path.to_owned()));
        *count = count.saturating_add(1);
    }
}

/// What a run is to read, in order.
#[derive(Debug)]
pub(super) enum Planned {
    Read(Input),
    /// What is of this name cannot be read.
    Failed(Arc<str>, io::Error),
}

/// The inputs with the files of folders in place of the folders.
pub(super) fn plan(inputs: Vec<Input>) -> (Vec<Planned>, Skipped) {
    let (mut planned, mut skipped) = (Vec::new(), Skipped::default());
    for input in inputs {
        match input {
            Input::File(path) if path.is_dir() => files(&path, &mut planned, &mut skipped),
            input => planned.push(Planned::Read(input)),
        }
    }
    (planned, skipped)
}

fn name(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

fn files(folder: &Path, planned: &mut Vec<Planned>, skipped: &mut Skipped) {
    let before = planned.len();
    let mut met = HashSet::new();
    let mut walk = WalkDir::new(folder).follow_links(true).max_depth(LEVELS_MAX).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        if planned.len().saturating_sub(before) >= FILES_MAX {
            let reason = format!("it has more than {FILES_MAX} event files; the others were not read");
            planned.push(Planned::Failed(name(folder), io::Error::other(reason)));
            return;
        }
        match entry {
            Ok(entry) => {
                let enter = take(entry.clone(), &mut met, planned, skipped);
                if entry.file_type().is_dir() && !enter {
                    walk.skip_current_dir();
                }
            }
            Err(error) if error.loop_ancestor().is_some() => {
                skipped.add(SkipReason::Again, error.path().unwrap_or(folder));
            }
            Err(error) => {
                let path = name(error.path().unwrap_or(folder));
                planned.push(Planned::Failed(path, error.into()));
            }
        }
    }
    if planned.len() == before {
        let reason = format!("there is no event file in it; their names end in .{}", EXTENSIONS.join(", ."));
        planned.push(Planned::Failed(name(folder), io::Error::other(reason)));
    }
}

/// Takes what is met on the way. For a folder, whether to enter it.
fn take(entry: DirEntry, met: &mut HashSet<PathBuf>, planned: &mut Vec<Planned>, skipped: &mut Skipped) -> bool {
    let (depth, kind) = (entry.depth(), entry.file_type());
    let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
    let path = entry.into_path();
    let skip = if depth > 0 && hidden {
        Some(SkipReason::Hidden)
    } else if kind.is_file() && !is_event_file(&path) {
        Some(SkipReason::Name)
    } else if !kind.is_file() && !kind.is_dir() {
        Some(SkipReason::Special)
    } else {
        // What cannot be resolved cannot be opened either, and then says why.
        fs::canonicalize(&path).is_ok_and(|real| !met.insert(real)).then_some(SkipReason::Again)
    };
    match skip {
        Some(reason) => skipped.add(reason, &path),
        None if kind.is_file() => planned.push(Planned::Read(Input::File(path))),
        None if depth >= LEVELS_MAX => {
            let reason = format!("folders are read {LEVELS_MAX} levels deep, and this one lies deeper");
            planned.push(Planned::Failed(name(&path), io::Error::other(reason)));
        }
        None => return true,
    }
    false
}

/// Whether the file of that name is read when its folder is.
fn is_event_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.contains(&extension) && !ARCHIVES.iter().any(|archive| name.ends_with(archive))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned_of(folder: &Path) -> (Vec<String>, Vec<(SkipReason, u64)>) {
        let (planned, skipped) = plan(vec![Input::File(folder.to_owned())]);
        let below = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let text = |planned: Planned| match planned {
            Planned::Read(Input::File(path)) => below(&path),
            Planned::Read(Input::Stdin) => "-".to_owned(),
            Planned::Failed(name, error) => format!("{}: {error}", below(Path::new(&*name))),
        };
        (planned.into_iter().map(text).collect(), skipped.reasons().map(|(reason, count, _)| (reason, count)).collect())
    }

    fn write(folder: &Path, files: &[&str]) {
        for file in files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
    }

    #[test]
    fn a_folder_gives_its_event_files_in_order_and_says_what_it_left_out() {
        let root = tempfile::tempdir().expect("a folder");
        write(
            root.path(),
            &[
                "b.EVTX",
                "a.json",
                "a/z.ndjson",
                "a/b/x.jsonl.gz",
                "c.log.zst",
                "d.log",
                "notes.txt",
                "README",
                "x.tar.gz",
                ".hidden.json",
                ".git/config.json",
                "B.json",
            ],
        );
        let (files, skipped) = planned_of(root.path());
        assert_eq!(files, ["B.json", "a/b/x.jsonl.gz", "a/z.ndjson", "a.json", "b.EVTX", "c.log.zst", "d.log"]);
        assert_eq!(skipped, [(SkipReason::Name, 3), (SkipReason::Hidden, 2)]);
    }

    #[test]
    fn a_folder_without_event_files_is_an_error_that_says_what_they_are() {
        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), &["notes.txt"]);
        let (files, _) = planned_of(root.path());
        assert_eq!(
            files,
            [": there is no event file in it; their names end in .evtx, .gz, .json, .jsonl, .log, .ndjson, .zst"]
        );
    }

    #[test]
    fn what_is_named_itself_is_read_whatever_its_name() {
        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), &["notes.txt"]);
        let (planned, skipped) = plan(vec![Input::Stdin, Input::File(root.path().join("notes.txt"))]);
        assert_eq!((planned.len(), skipped.reasons().count()), (2, 0));
        assert!(planned.iter().all(|planned| matches!(planned, Planned::Read(_))));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end_and_nothing_is_read_twice() {
        use std::os::unix::fs::symlink;

        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), &["a/x.json", "b/y.json"]);
        symlink(root.path(), root.path().join("a/up")).expect("a link");
        symlink(root.path().join("b"), root.path().join("a/side")).expect("a link");
        symlink(root.path().join("a/x.json"), root.path().join("z.json")).expect("a link");
        symlink(root.path().join("nowhere"), root.path().join("gone.json")).expect("a link");
        let (files, skipped) = planned_of(root.path());
        assert_eq!(files[..2], ["a/side/y.json", "a/x.json"]);
        assert_eq!(files.len(), 3, "{files:?}");
        assert!(files[2].starts_with("gone.json: "), "{files:?}");
        assert_eq!(skipped, [(SkipReason::Again, 3)]);
    }
}
