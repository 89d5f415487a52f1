//! Rule files that are loaded again and again, each only when it changed.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rayon::prelude::*;
use sandtrap_compiler::sigma::ast::Filter;
use sandtrap_engine::Engine;

use super::{
    LoadedFile, Progress, Refusal, Refused, Remarks, RuleKind, RuleSet, Selection, SiteFiles, discover,
    set::{Components, Loading, load_files},
    site::filters_of,
};
use crate::compiler::{Options, Site};

/// A file that changed so shortly before it was read may have changed again since, without another time of change: some
/// file systems count in steps of two seconds.
const TICK: Duration = Duration::from_secs(2);

/// Rules on disk.
#[derive(Debug)]
pub struct RuleFiles {
    engine: Engine,
    /// Files and folders of rules.
    paths: Vec<PathBuf>,
    pipelines: Vec<PathBuf>,
    placeholders: Vec<PathBuf>,
    strict_schema: bool,
    selection: Selection,
    components: Components,
    /// What all files were compiled with.
    options: Option<Arc<Options>>,
    /// The files that were found, in order, and where each is in this list.
    files: Vec<RuleFile>,
    places: HashMap<PathBuf, usize>,
    /// What could not be searched.
    unreadable: Vec<Refused>,
}

/// A file, and what it gave when it was read last.
#[derive(Debug)]
struct RuleFile {
    path: PathBuf,
    /// `None` if it is to be read again.
    stamp: Option<Stamp>,
    filters: Vec<Filter>,
    loaded: LoadedFile,
}

/// What changes when somebody writes to a file or puts another in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: SystemTime,
    identity: Identity,
}

#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    /// When something about it changed, in seconds and nanoseconds since 1970.
    changed: (i64, i64),
}

#[cfg(not(unix))]
type Identity = ();

impl RuleFiles {
    /// The rules that these paths name or hold and the selection takes, with what a site adds to them.
    pub fn new(engine: &Engine, files: &SiteFiles<'_>, strict_schema: bool, selection: Selection) -> Self {
        Self {
            engine: engine.clone(),
            paths: files.rules.to_vec(),
            pipelines: files.pipelines.to_vec(),
            placeholders: files.placeholders.to_vec(),
            strict_schema,
            selection,
            components: Components::ReadAgain,
            options: None,
            files: Vec::new(),
            places: HashMap::new(),
            unreadable: Vec::new(),
        }
    }

    /// The same for files that may change while their rules run: components are kept in memory.
    #[must_use]
    pub fn that_may_change(self) -> Self {
        Self { components: Components::Kept, ..self }
    }

    /// All files and folders that were named.
    pub fn paths(&self) -> Vec<PathBuf> {
        [&self.paths, &self.pipelines, &self.placeholders].into_iter().flatten().cloned().collect()
    }

    /// Loads what changed since the last call, and gives all rules: those of files that did not change are the same as
    /// before. Warnings are of pipelines and placeholders; errors of these leave nothing to load.
    pub fn load(&mut self, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<(RuleSet, Vec<Remarks>), Vec<Refused>> {
        let (site, warnings) = self.site()?;
        self.search();
        let all: Vec<usize> = (0..self.files.len()).collect();
        Ok((self.load_stale(site, &all, progress), warnings))
    }

    /// The same where it is known that nothing changed but what these paths are.
    pub(super) fn load_changed(&mut self, changed: &HashSet<PathBuf>) -> Result<RuleSet, Vec<Refused>> {
        // What may be a new rule, or have been a folder of rules, is to be searched for.
        let is_no_rule = |path: &PathBuf| {
            RuleKind::of(path).is_none() && !path.is_dir() && !self.files.iter().any(|file| file.path.starts_with(path))
        };
        let is_known = |path: &PathBuf| is_no_rule(path) || self.places.contains_key(path) && path.is_file();
        if self.files.is_empty() || !changed.iter().all(is_known) {
            return self.load(&|_| {}).map(|(set, _)| set);
        }
        let (site, _) = self.site()?;
        let mut places: Vec<usize> = changed.iter().filter_map(|path| self.places.get(path).copied()).collect();
        for place in &places {
            if let Some(file) = self.files.get_mut(*place) {
                file.stamp = None;
            }
        }
        places.extend(self.files.iter().enumerate().filter(|(_, file)| file.stamp.is_none()).map(|(place, _)| place));
        places.sort_unstable();
        places.dedup();
        Ok(self.load_stale(site, &places, &|_| {}))
    }

    fn site(&self) -> Result<(Site, Vec<Remarks>), Vec<Refused>> {
        let files = SiteFiles { rules: &self.paths, pipelines: &self.pipelines, placeholders: &self.placeholders };
        files.read_without_filters()
    }

    /// Finds the files that are there now.
    fn search(&mut self) {
        let (found, unreadable) = discover(&self.paths);
        self.unreadable = unreadable.into_iter().map(Refused::from).collect();
        let mut before: HashMap<PathBuf, RuleFile> =
            std::mem::take(&mut self.files).into_iter().map(|file| (file.path.clone(), file)).collect();
        let file = |path: PathBuf| {
            let known = before.remove(&path);
            known.unwrap_or_else(|| RuleFile { path, stamp: None, filters: Vec::new(), loaded: LoadedFile::default() })
        };
        self.files = found.into_iter().map(file).collect();
        self.places = self.files.iter().enumerate().map(|(place, file)| (file.path.clone(), place)).collect();
    }

    /// Loads those files in these places that changed, or all where the site did.
    fn load_stale(&mut self, mut site: Site, places: &[usize], progress: &(dyn Fn(Progress<'_>) + Sync)) -> RuleSet {
        let mut stale = Vec::new();
        for place in places {
            let Some(file) = self.files.get_mut(*place) else { continue };
            let stamp = Stamp::of(&file.path);
            if stamp.is_none() || stamp != file.stamp {
                file.stamp = stamp;
                stale.push(*place);
            }
        }
        let path = |place: &usize| self.files.get(*place).map(|file| file.path.as_path());
        let filters: Vec<Option<Vec<Filter>>> =
            stale.par_iter().map(|place| path(place).map(filters_of).unwrap_or_default()).collect();
        for (place, filters) in stale.iter().zip(filters) {
            if let Some(file) = self.files.get_mut(*place) {
                // What could not be read this time may be the next.
                file.stamp = file.stamp.filter(|_| filters.is_some());
                file.filters = filters.unwrap_or_default();
            }
        }
        site.filters.extend(self.files.iter().flat_map(|file| file.filters.iter().cloned()));
        let options = self.options_with(site);
        let is_same = self.options.replace(Arc::clone(&options)).is_some_and(|before| Arc::ptr_eq(&before, &options));
        if !is_same {
            // Another site makes other rules of the same files.
            stale = (0..self.files.len()).collect();
        }
        // The cache forgets what files that are not loaded gave, and to read it takes longer than to compile a few.
        let with_cache = !is_same;
        let paths: Vec<&Path> = stale.iter().filter_map(|place| Some(self.files.get(*place)?.path.as_path())).collect();
        let (loaded, cache_problem) = load_files(&self.loading(&options), &paths, with_cache, progress);
        for (place, loaded) in stale.iter().zip(loaded) {
            if let Some(file) = self.files.get_mut(*place) {
                let is_unreadable = loaded.refused.iter().any(|refusal| matches!(refusal, Refusal::Other(_)));
                file.stamp = file.stamp.filter(|_| !is_unreadable);
                file.loaded = loaded;
            }
        }
        let loaded = self.files.iter().map(|file| (file.path.as_path(), file.loaded.clone()));
        RuleSet { cache_problem, ..RuleSet::of(loaded, self.unreadable.clone()) }
    }

    fn loading<'l>(&'l self, options: &'l Arc<Options>) -> Loading<'l> {
        Loading { engine: &self.engine, options, selection: &self.selection, components: self.components }
    }

    /// The options of the last call, if they are the same with that site.
    fn options_with(&self, site: Site) -> Arc<Options> {
        // What a derived `Debug` shows is all that there is in it.
        let is_same = |before: &&Arc<Options>| format!("{:?}", before.site) == format!("{site:?}");
        match self.options.as_ref().filter(is_same) {
            Some(before) => Arc::clone(before),
            None => Arc::new(Options { strict_schema: self.strict_schema, site: Arc::new(site) }),
        }
    }
}

impl Stamp {
    /// That of a file; `None` if it may change without one.
    fn of(file: &Path) -> Option<Self> {
        let found = fs::metadata(file).ok()?;
        let modified = found.modified().ok()?;
        let stamp = Self { bytes: found.len(), modified, identity: identity(&found) };
        let is_old = |time: SystemTime| SystemTime::now().duration_since(time).is_ok_and(|age| age > TICK);
        (is_old(modified) && is_old(changed(&found).unwrap_or(modified))).then_some(stamp)
    }
}

#[cfg(unix)]
fn identity(found: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    Identity { device: found.dev(), inode: found.ino(), changed: (found.ctime(), found.ctime_nsec()) }
}

#[cfg(unix)]
fn changed(found: &fs::Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt as _;
    let (seconds, nanoseconds) = (u64::try_from(found.ctime()).ok()?, u32::try_from(found.ctime_nsec()).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {}

#[cfg(not(unix))]
fn changed(_: &fs::Metadata) -> Option<SystemTime> {
    None
}

#[cfg(test)]
mod tests {
    use std::thread;

    use sandtrap_engine::Limits;

    use super::*;

    fn rules(files: &mut RuleFiles) -> Vec<(String, sandtrap_engine::Detection)> {
        let (set, _) = files.load(&|_| {}).expect("a sound site");
        assert!(set.refused.is_empty(), "{:?}", set.refused);
        set.rules.into_iter().map(|rule| (rule.detection.full_id().to_owned(), rule.detection)).collect()
    }

    /// The rules in a folder, loaded once and long after they were written.
    fn settled(folder: &Path) -> RuleFiles {
        let engine = Engine::new(Limits::default()).expect("an engine");
        let paths = [folder.to_owned()];
        let site = SiteFiles { rules: &paths, pipelines: &[], placeholders: &[] };
        let mut files = RuleFiles::new(&engine, &site, false, Selection::default());
        rules(&mut files);
        thread::sleep(TICK * 2);
        files
    }

    #[test]
    fn a_file_is_loaded_again_when_it_changed_and_not_otherwise() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
        write("a.kql", "DeviceFileEvents | where ActionType == 'a'");
        write("b.kql", "DeviceFileEvents | where ActionType == 'b'");
        let mut files = settled(folder.path());
        let first = rules(&mut files);
        let same = rules(&mut files);
        let is_same = |one: &sandtrap_engine::Detection, other: &sandtrap_engine::Detection| {
            std::ptr::eq(one.manifest(), other.manifest())
        };
        assert!(first.iter().zip(&same).all(|((_, one), (_, other))| is_same(one, other)), "nothing changed");

        // As long as before, and at once again.
        for text in ["DeviceFileEvents | where ActionType == 'c'", "DeviceFileEvents | where ActionType == 'd'"] {
            write("b.kql", text);
            let after = rules(&mut files);
            assert!(is_same(&first[0].1, &after[0].1), "a.kql did not change");
            assert!(after[1].1.manifest().plan != first[1].1.manifest().plan, "b.kql did");
        }
        write("c.kql", "DeviceFileEvents | where ActionType == 'e'");
        fs::remove_file(folder.path().join("a.kql")).expect("it is there");
        let ids: Vec<String> = rules(&mut files).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), 2, "{ids:?}");
        assert!(ids[0].ends_with('b') && ids[1].ends_with('c'), "{ids:?}");
    }

    #[test]
    fn a_filter_that_comes_or_goes_changes_the_rules_that_it_narrows() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
        let logsource = "logsource: {product: windows, category: process_creation}";
        write(
            "rule.yml",
            &format!(
                "title: t\nid: 6f3e2987-db24-4c78-a860-b4f4095a7095\n{logsource}\ndetection: {{sel: {{Image: a}}, condition: sel}}\n"
            ),
        );
        let mut files = settled(folder.path());
        let alone = rules(&mut files);
        write(
            "filter.yml",
            &format!(
                "title: f\n{logsource}\nfilter: {{rules: [6f3e2987-db24-4c78-a860-b4f4095a7095], sel: {{User: b}}, condition: not sel}}\n"
            ),
        );
        let narrowed = rules(&mut files);
        assert_ne!(alone[0].1.digest(), narrowed[0].1.digest());
        fs::remove_file(folder.path().join("filter.yml")).expect("it is there");
        assert_eq!(rules(&mut files)[0].1.digest(), alone[0].1.digest());
    }
}
