//! Rule files become a rule set: read, compiled in memory, loaded into the engine, each id claimed once.
//!
//! A rule that fails costs only itself: it is collected with its file and its reasons, and the others go on.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt, fs,
    path::{Path, PathBuf},
};

use sandtrap_engine::{Detection, Engine};

use super::{RuleKind, discover};
use crate::{
    compiler::{self, Diagnostic, Options},
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
}

impl RuleSet {
    /// Loads every rule that `paths` name or hold. `progress` is told of each file before it is read.
    pub fn load(engine: &Engine, paths: &[PathBuf], options: &Options, mut progress: impl FnMut(Progress<'_>)) -> Self {
        let (files, unreadable) = discover(paths);
        let mut set = Self::default();
        for missing in unreadable {
            set.refuse(&missing.path, Refusal::Other(missing.error.to_string()));
        }
        let mut claims: BTreeMap<String, Rule> = BTreeMap::new();
        for (done, file) in files.iter().enumerate() {
            progress(Progress { file, done, of: files.len() });
            match load_rule(engine, file, options) {
                Ok((detection, remarks)) => {
                    set.warnings.extend(remarks.filter(|remarks| !remarks.diagnostics.is_empty()));
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
                Err(reason) => set.refuse(file, reason),
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
    /// The file that is loaded now.
    pub file: &'a Path,
    /// How many files were loaded before it.
    pub done: usize,
    /// How many files there are.
    pub of: usize,
}

/// One rule file as a detection, with the compiler's warnings if there was anything to compile.
pub fn load_rule(engine: &Engine, file: &Path, options: &Options) -> Result<(Detection, Option<Remarks>), Refusal> {
    let (component, remarks) = match RuleKind::of(file) {
        Some(RuleKind::Component) => (read(file)?, None),
        _ => compile_rule(file, options).map(|(component, remarks)| (component, Some(remarks)))?,
    };
    let detection = engine.load(&component).map_err(|error| Refusal::Other(error.to_string()))?;
    check_plan(&detection.manifest().plan).map_err(Refusal::Other)?;
    Ok((detection, remarks))
}

/// The component that a source file compiles to, and the compiler's warnings.
pub fn compile_rule(file: &Path, options: &Options) -> Result<(Vec<u8>, Remarks), Refusal> {
    let text = read_text(file)?;
    let compilation = compiler::compile(&file.to_string_lossy(), &text, options);
    let remarks = Remarks { file: file.to_owned(), text, diagnostics: compilation.diagnostics };
    match compilation.component {
        Some(component) => Ok((component, remarks)),
        None => Err(Refusal::Source(remarks)),
    }
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
