//! Rule files become a rule set: read, compiled in memory, loaded into the engine, each id claimed once.
//!
//! A rule that fails costs only itself: it is collected with its file and its reasons, and the others go on. Files are
//! compiled and loaded in parallel; what comes of them is in the order of the files all the same.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt, fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;
use sandtrap_engine::{Detection, Engine};

use super::{RuleKind, Selection, discover};
use crate::{
    compiler::{self, Compilation, Diagnostic, Options},
    evaluator::check_plan,
};

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
#[derive(Debug)]
pub struct Refused {
    /// Where it was read.
    pub file: PathBuf,
    /// Why it cannot run.
    pub reason: Refusal,
}

/// Why a rule cannot run.
#[derive(Debug)]
pub enum Refusal {
    /// The compiler found errors.
    Source(Remarks),
    /// The file cannot be read, the component is not sound, or the id is claimed already.
    Other(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.reason {
            Refusal::Source(remarks) => {
                let errors = remarks.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
                errors.map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ").fmt(f)
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
}

/// What one file gave.
#[derive(Debug, Default)]
pub struct LoadedFile {
    /// In the order of the file; several where it is a collection of rules.
    pub detections: Vec<Detection>,
    /// The compiler's warnings about them, if there are any.
    pub remarks: Option<Remarks>,
    /// Why others of its rules cannot run.
    pub refused: Vec<Refusal>,
    /// How many sound rules the selection leaves out.
    pub left_out: usize,
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
        let mut set = Self::default();
        for missing in unreadable {
            set.refuse(&missing.path, Refusal::Other(missing.error.to_string()));
        }
        let done = AtomicUsize::new(0);
        let load = |file: &PathBuf| {
            let loaded = load_file(engine, file, options, selection);
            progress(Progress { file, done: done.fetch_add(1, Ordering::Relaxed).saturating_add(1), of: files.len() });
            loaded
        };
        let loaded: Vec<LoadedFile> = files.par_iter().map(load).collect();
        let mut claims: BTreeMap<String, Rule> = BTreeMap::new();
        for (file, loaded) in files.iter().zip(loaded) {
            set.warnings.extend(loaded.remarks);
            set.left_out = set.left_out.saturating_add(loaded.left_out);
            for reason in loaded.refused {
                set.refuse(file, reason);
            }
            for detection in loaded.detections {
                match claims.entry(detection.manifest().full_id()) {
                    Entry::Vacant(entry) => {
                        entry.insert(Rule { file: file.clone(), detection });
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
        set.rules = claims.into_values().collect();
        set
    }

    fn refuse(&mut self, file: &Path, reason: Refusal) {
        self.refused.push(Refused { file: file.to_owned(), reason });
    }
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

/// The detections of one rule file.
pub fn load_file(engine: &Engine, file: &Path, options: &Options, selection: &Selection) -> LoadedFile {
    let mut loaded = LoadedFile::default();
    if RuleKind::of(file) == Some(RuleKind::Component) {
        match read(file).and_then(|component| load_component(engine, &component)) {
            Ok(detection) if selection.takes(detection.manifest()) => loaded.detections.push(detection),
            Ok(_) => loaded.left_out = 1,
            Err(reason) => loaded.refused.push(reason),
        }
        return loaded;
    }
    let compiled = match compile_file(file, options) {
        Ok(compiled) => compiled,
        Err(reason) => {
            loaded.refused.push(reason);
            return loaded;
        }
    };
    loaded.remarks = compiled.warnings();
    for compilation in compiled.compilations {
        match (compilation.component, compilation.manifest) {
            (Some(_), Some(manifest)) if !selection.takes(&manifest) => {
                loaded.left_out = loaded.left_out.saturating_add(1);
            }
            (Some(component), _) => match load_component(engine, &component) {
                Ok(detection) => loaded.detections.push(detection),
                Err(reason) => loaded.refused.push(reason),
            },
            (None, _) if compilation.diagnostics.iter().any(Diagnostic::is_error) => {
                let text = compiled.text.clone();
                let remarks = Remarks { file: file.to_owned(), text, diagnostics: compilation.diagnostics };
                loaded.refused.push(Refusal::Source(remarks));
            }
            // A Sigma filter: it changed other rules and is none itself.
            (None, _) => {}
        }
    }
    loaded
}

fn load_component(engine: &Engine, component: &[u8]) -> Result<Detection, Refusal> {
    let detection = engine.load(component).map_err(|error| Refusal::Other(error.to_string()))?;
    check_plan(&detection.manifest().plan).map_err(Refusal::Other)?;
    Ok(detection)
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
        let sound = self.compilations.iter().filter(|compilation| !compilation.diagnostics.iter().any(Diagnostic::is_error));
        let diagnostics: Vec<Diagnostic> = sound.flat_map(|compilation| compilation.diagnostics.clone()).collect();
        let remarks = || Remarks { file: self.file.clone(), text: self.text.clone(), diagnostics };
        (!self.compilations.is_empty()).then(remarks).filter(|remarks| !remarks.diagnostics.is_empty())
    }
}

/// Compiles a source file. An error means that its text cannot be had.
pub fn compile_file(file: &Path, options: &Options) -> Result<CompiledFile, Refusal> {
    let text = read_text(file)?;
    let compilations = compiler::compile(&file.to_string_lossy(), &text, options);
    Ok(CompiledFile { file: file.to_owned(), text, compilations })
}

/// The text of a rule file.
pub fn read_text(file: &Path) -> Result<String, Refusal> {
    String::from_utf8(read(file)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Refusal::Other(format!("the file is not UTF-8 at byte {at}; save it as UTF-8"))
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Refusal> {
    let bytes = fs::metadata(file).map_err(|error| Refusal::Other(error.to_string()))?.len();
    if bytes > RULE_BYTES_MAX {
        let limit = RULE_BYTES_MAX >> 20;
        return Err(Refusal::Other(format!("the file has {bytes} bytes; a rule may have {limit} MiB")));
    }
    fs::read(file).map_err(|error| Refusal::Other(error.to_string()))
}
