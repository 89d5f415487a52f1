//! Rule files become a rule set: read, compiled in memory, loaded into the engine, each id claimed once.
//!
//! A rule that fails costs only itself: it is collected with its file and its reasons, and the others go on. Files are
//! compiled and loaded in parallel; what comes of them is in the order of the files all the same.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rayon::prelude::*;
use sandtrap_engine::{Detection, Engine, EvaluateError};

use super::{
    FilterUse, Selection, Unreadable,
    cache::{Entries, RuleCache},
    discover, idle_filters,
    load::{Cached, Loader},
};
use crate::compiler::{self, Compilation, Diagnostic, Options};

/// The longest rule file that is read, in bytes.
pub const RULE_BYTES_MAX: u64 = 16 << 20;

/// A rule that is ready to run.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it was read.
    pub file: PathBuf,
    /// What runs.
    pub detection: Detection,
}

/// What a rule file's text is, for showing diagnostics in it, and what the compiler says about it.
#[derive(Clone, Debug)]
pub struct Remarks {
    /// The file.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// A rule that cannot run.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Where it was read.
    pub file: PathBuf,
    /// Why it cannot run.
    pub reason: Refusal,
}

/// Why a rule cannot run.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The compiler found errors.
    Source(Remarks),
    /// The file cannot be read, the component is not sound, or the id is claimed already.
    Other(String),
}

impl From<Unreadable> for Refused {
    fn from(unreadable: Unreadable) -> Self {
        Self { file: unreadable.path, reason: Refusal::Other(unreadable.error.to_string()) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.reason {
            Refusal::Source(remarks) => {
                let errors = remarks.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
                let messages: Vec<&str> = errors.map(|error| error.message.as_str()).collect();
                write!(f, "{file}: {}", messages.join("; "))
            }
            Refusal::Other(reason) => write!(f, "{file}: {reason}"),
        }
    }
}

/// The rules that a run has, and what became of the other files.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// By id.
    pub rules: Vec<Rule>,
    /// Warnings about rules that run.
    pub warnings: Vec<Remarks>,
    /// In the order of the files.
    pub refused: Vec<Refused>,
    /// How many sound rules the selection leaves out.
    pub left_out: usize,
    /// Why what was compiled could not be kept for the next start, if so.
    pub cache_problem: Option<String>,
}

/// What one file gave.
#[derive(Clone, Debug, Default)]
pub struct LoadedFile {
    /// In the order of the file; several where it is a collection of rules.
    pub detections: Vec<Detection>,
    /// The compiler's warnings about them, if there are any.
    pub remarks: Option<Remarks>,
    /// Why others of its rules cannot run.
    pub refused: Vec<Refusal>,
    /// How many sound rules the selection leaves out.
    pub left_out: usize,
    /// The filters in it, and those that narrow its rules.
    pub filters: FilterUse,
}

impl RuleSet {
    /// Loads every rule that `paths` name or hold and the selection takes. `progress` is told of each file that is done;
    /// it is called on several threads.
    pub fn load(
        engine: &Engine,
        paths: &[PathBuf],
        options: &Options,
        selection: &Selection,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Self {
        let (files, unreadable) = discover(paths);
        let options = Arc::new(options.clone());
        let loading = Loading { engine, options: &options, selection, components: Components::ReadAgain };
        let named: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let (loaded, cache_problem) = load_files(&loading, &named, true, progress);
        let refused = unreadable.into_iter().map(Refused::from).collect();
        Self { cache_problem, ..Self::of(named.into_iter().zip(loaded), refused) }
    }

    /// What these files gave, beside what is refused already.
    pub(super) fn of<'f>(loaded: impl Iterator<Item = (&'f Path, LoadedFile)>, refused: Vec<Refused>) -> Self {
        let mut set = Self { refused, ..Self::default() };
        let mut claims: BTreeMap<String, Rule> = BTreeMap::new();
        let mut filters = Vec::new();
        for (file, loaded) in loaded {
            set.warnings.extend(loaded.remarks);
            filters.push(loaded.filters);
            set.left_out = set.left_out.saturating_add(loaded.left_out);
            for reason in loaded.refused {
                set.refuse(file, reason);
            }
            for detection in loaded.detections {
                match claims.entry(detection.full_id().to_owned()) {
                    Entry::Vacant(entry) => {
                        entry.insert(Rule { file: file.to_owned(), detection });
                    }
                    Entry::Occupied(entry) => {
                        let claimed = format!(
                            "the id {} is already claimed by {}; give one of them another `id` or `namespace`",
                            entry.key(),
                            entry.get().file.display()
                        );
                        set.refuse(file, Refusal::Other(claimed));
                    }
                }
            }
        }
        set.warnings.extend(idle_filters(&filters));
        set.rules = claims.into_values().collect();
        set
    }

    /// Makes the machine code of all rules, or takes it from the cache. Otherwise each is made when its rule first runs. What
    /// is returned are the rules that cannot run.
    pub fn prepare(&self, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Vec<Refused> {
        let done = AtomicUsize::new(0);
        let prepare = |rule: &Rule| {
            let prepared = rule.detection.prepare();
            let done = done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            progress(Progress { file: &rule.file, done, of: self.rules.len() });
            let refused =
                |error: EvaluateError| Refused { file: rule.file.clone(), reason: Refusal::Other(error.to_string()) };
            prepared.err().map(refused)
        };
        self.rules.par_iter().filter_map(prepare).collect()
    }

    fn refuse(&mut self, file: &Path, reason: Refusal) {
        self.refused.push(Refused { file: file.to_owned(), reason });
    }
}

/// How rule files are loaded.
#[derive(Clone, Copy)]
pub(super) struct Loading<'l> {
    pub(super) engine: &'l Engine,
    pub(super) options: &'l Arc<Options>,
    pub(super) selection: &'l Selection,
    pub(super) components: Components,
}

/// Where the component of a `.wasm` file is while its detection runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Components {
    /// In the file, which is read again when machine code is to be made. It must be the same then.
    ReadAgain,
    /// In memory.
    Kept,
}

impl<'l> Loading<'l> {
    /// With what a cache knows, if there is one.
    fn with(self, known: Option<&'l Entries<'l>>) -> Loader<'l> {
        let Self { engine, options, selection, components } = self;
        Loader { engine, options: Arc::clone(options), selection, known, components }
    }
}

/// Loads files in parallel, and says why what was compiled could not be kept for the next start, if so.
pub(super) fn load_files(
    loading: &Loading<'_>,
    files: &[&Path],
    with_cache: bool,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> (Vec<LoadedFile>, Option<String>) {
    let Loading { engine, options, .. } = *loading;
    let cache = if with_cache { RuleCache::open(engine, options) } else { None };
    let known = cache.as_ref().map(RuleCache::entries);
    let loader = loading.with(known.as_ref());
    let done = AtomicUsize::new(0);
    let load = |file: &&Path| {
        let result = loader.load(file);
        progress(Progress { file, done: done.fetch_add(1, Ordering::Relaxed).saturating_add(1), of: files.len() });
        result
    };
    let (results, cached): (Vec<LoadedFile>, Vec<Cached>) = files.par_iter().map(load).unzip();
    let kept = cache.as_ref().zip(known.as_ref()).map_or(Ok(()), |(cache, known)| keep(cache, known, cached));
    (results, kept.err().map(|error| error.to_string()))
}

/// Keeps for the next start what was compiled in this one.
fn keep(cache: &RuleCache, known: &Entries<'_>, cached: Vec<Cached>) -> io::Result<()> {
    let (mut used, mut new) = (Vec::new(), Vec::new());
    for cached in cached {
        match cached {
            Cached::Used(key) => used.push(key),
            Cached::New(entry) => new.push(entry),
            Cached::No => {}
        }
    }
    cache.keep(known, &used, &new)
}

/// How far loading has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// A file that was just loaded.
    pub file: &'a Path,
    /// How many files are loaded.
    pub done: usize,
    /// How many files there are.
    pub of: usize,
}

/// The detections of one rule file, without the cache.
pub fn load_file(engine: &Engine, file: &Path, options: &Options, selection: &Selection) -> LoadedFile {
    let options = Arc::new(options.clone());
    Loading { engine, options: &options, selection, components: Components::ReadAgain }.with(None).load(file).0
}

/// A source file, and what each of its rules compiles to.
#[derive(Clone, Debug)]
pub struct CompiledFile {
    /// The file.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// One for each rule; one alone with errors where the file as a whole cannot be read.
    pub compilations: Vec<Compilation>,
}

impl CompiledFile {
    /// What there is to say about the rules that compiled.
    pub fn warnings(&self) -> Option<Remarks> {
        let sound =
            self.compilations.iter().filter(|compilation| !compilation.diagnostics.iter().any(Diagnostic::is_error));
        let diagnostics: Vec<Diagnostic> = sound.flat_map(|compilation| compilation.diagnostics.clone()).collect();
        let remarks = || Remarks { file: self.file.clone(), text: self.text.clone(), diagnostics };
        (!self.compilations.is_empty()).then(remarks).filter(|remarks| !remarks.diagnostics.is_empty())
    }
}

/// Compiles a source file. An error means that its text cannot be had.
pub fn compile_file(file: &Path, options: &Options) -> Result<CompiledFile, Refusal> {
    Ok(compile_text(file, &read_text(file)?, options))
}

/// Compiles what a source file holds.
pub(super) fn compile_text(file: &Path, text: &str, options: &Options) -> CompiledFile {
    let compilations = compiler::compile(&file.to_string_lossy(), text, options);
    CompiledFile { file: file.to_owned(), text: text.to_owned(), compilations }
}

/// The text of a rule file.
pub fn read_text(file: &Path) -> Result<String, Refusal> {
    String::from_utf8(read(file)?).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let mut lines = before.split(|byte| *byte == b'\n');
        let (line, column) = (lines.clone().count(), lines.next_back().map_or(0, <[u8]>::len).saturating_add(1));
        Refusal::Other(format!("the file is not UTF-8 in line {line}, at byte {column}; save it as UTF-8"))
    })
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, Refusal> {
    let bytes = fs::metadata(file).map_err(|error| Refusal::Other(error.to_string()))?.len();
    if bytes > RULE_BYTES_MAX {
        let limit = RULE_BYTES_MAX >> 20;
        return Err(Refusal::Other(format!("the file has {bytes} bytes; a rule may have {limit} MiB")));
    }
    fs::read(file).map_err(|error| Refusal::Other(error.to_string()))
}
