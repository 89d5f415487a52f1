//! One rule file to its detections: from the cache, or compiled and checked.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sandtrap_engine::{ComponentSource, Detection, Digest, Engine, Known};

use super::{
    CompiledFile, FilterUse, LoadedFile, Refusal, Remarks, RuleKind, Selection,
    cache::{CachedRule, Entries, Entry, Key, key},
    set::{Components, compile_text, read, read_text},
};
use crate::{
    compiler::{Diagnostic, Options},
    evaluator::check_plan,
};

/// Turns rule files into detections.
pub(super) struct Loader<'l> {
    pub(super) engine: &'l Engine,
    pub(super) options: Arc<Options>,
    pub(super) selection: &'l Selection,
    /// What the cache knows; `None` where there is no cache.
    pub(super) known: Option<&'l Entries<'l>>,
    pub(super) components: Components,
}

/// What the cache has to do with a file that was loaded.
pub(super) enum Cached {
    /// It is not for the cache.
    No,
    /// It came from there.
    Used(Key),
    /// It should be kept.
    New(Entry<'static>),
}

impl Loader<'_> {
    pub(super) fn load(&self, file: &Path) -> (LoadedFile, Cached) {
        let mut loaded = LoadedFile::default();
        if RuleKind::of(file) == Some(RuleKind::Component) {
            let detection = read(file).and_then(|bytes| match self.components {
                Components::ReadAgain => self.component(&bytes, StoredComponent(file.to_owned())),
                Components::Kept => {
                    self.component(&bytes, KeptComponent { file: file.to_owned(), bytes: bytes.clone() })
                }
            });
            match detection {
                Ok(detection) => self.select(&mut loaded, detection),
                Err(reason) => loaded.refused.push(reason),
            }
            return (loaded, Cached::No);
        }
        let text: Arc<str> = match read_text(file) {
            Ok(text) => text.into(),
            Err(reason) => {
                loaded.refused.push(reason);
                return (loaded, Cached::No);
            }
        };
        let key = key(file, &text);
        if let Some(loaded) =
            self.known.and_then(|known| known.get(&key)).and_then(|entry| self.restore(file, &text, entry))
        {
            return (loaded, Cached::Used(key));
        }
        self.compile(file, &text, key)
    }

    /// What was compiled before; `None` where it does not fit, for whatever reason.
    fn restore(&self, file: &Path, text: &Arc<str>, entry: &Entry<'_>) -> Option<LoadedFile> {
        let mut loaded =
            LoadedFile { filters: FilterUse::narrowed_by(entry.narrowed_by.clone()), ..LoadedFile::default() };
        for (place, rule) in entry.rules.iter().enumerate() {
            let known = Known {
                manifest: &rule.manifest,
                digest: Digest::from_bytes(rule.digest),
                component_bytes: usize::try_from(rule.component_bytes).ok()?,
                source: Arc::new(self.compiled_again(file, text, place)),
            };
            let detection = self.engine.restore(known).ok()?;
            check_plan(&detection.manifest().plan).ok()?;
            self.select(&mut loaded, detection);
        }
        Some(loaded)
    }

    fn compile(&self, file: &Path, text: &Arc<str>, key: Key) -> (LoadedFile, Cached) {
        let compiled = compile_text(file, text, &self.options);
        let mut loaded =
            LoadedFile { remarks: compiled.warnings(), filters: FilterUse::of(&compiled), ..LoadedFile::default() };
        let mut new = self.known.is_some().then(|| Entry {
            key,
            rules: Vec::new(),
            narrowed_by: loaded.filters.narrowed_by.clone(),
        });
        let mut place = 0_usize;
        for compilation in compiled.compilations {
            let (Some(component), Some(manifest)) = (compilation.component, compilation.manifest) else {
                new = None;
                if compilation.diagnostics.iter().any(Diagnostic::is_error) {
                    let text = text.to_string();
                    let remarks = Remarks { file: file.to_owned(), text, diagnostics: compilation.diagnostics };
                    loaded.refused.push(Refusal::Source(remarks));
                }
                // Without errors it is a Sigma filter: it changed other rules and is none itself.
                continue;
            };
            let detection = self.component(&component, self.compiled_again(file, text, place));
            place = place.saturating_add(1);
            let is_taken = self.selection.takes(&manifest);
            let rule = detection.as_ref().ok().and_then(CachedRule::of);
            new = new.zip(rule.filter(|_| compilation.diagnostics.is_empty())).map(|(mut entry, rule)| {
                entry.rules.push(rule);
                entry
            });
            match detection {
                _ if !is_taken => loaded.left_out = loaded.left_out.saturating_add(1),
                Ok(detection) => loaded.detections.push(detection),
                Err(reason) => loaded.refused.push(reason),
            }
        }
        (loaded, new.map_or(Cached::No, Cached::New))
    }

    fn select(&self, loaded: &mut LoadedFile, detection: Detection) {
        if self.selection.takes(detection.manifest()) {
            loaded.detections.push(detection);
        } else {
            loaded.left_out = loaded.left_out.saturating_add(1);
        }
    }

    fn component(&self, bytes: &[u8], source: impl ComponentSource + 'static) -> Result<Detection, Refusal> {
        let loaded = self.engine.load_from(bytes, Arc::new(source));
        let detection = loaded.map_err(|error| Refusal::Other(error.to_string()))?;
        check_plan(&detection.manifest().plan).map_err(Refusal::Other)?;
        Ok(detection)
    }

    fn compiled_again(&self, file: &Path, text: &Arc<str>, place: usize) -> CompiledAgain {
        CompiledAgain { file: file.to_owned(), text: Arc::clone(text), place, options: Arc::clone(&self.options) }
    }
}

impl CachedRule<'_> {
    /// That of a detection that was just loaded; `None` where its manifest is not what we would write.
    fn of(detection: &Detection) -> Option<CachedRule<'static>> {
        let manifest = serde_json::to_string(detection.manifest()).ok()?;
        let is_same = Digest::of(manifest.as_bytes()) == *detection.manifest_digest();
        let rule = CachedRule {
            manifest: manifest.into(),
            digest: *detection.component_digest().as_bytes(),
            component_bytes: detection.component_bytes() as u64,
        };
        is_same.then_some(rule)
    }
}

/// A rule whose component is compiled when it is asked for: its text is a tenth as long.
struct CompiledAgain {
    file: PathBuf,
    text: Arc<str>,
    /// Which of the file's components.
    place: usize,
    options: Arc<Options>,
}

impl ComponentSource for CompiledAgain {
    fn read(&self) -> io::Result<Vec<u8>> {
        let compiled: CompiledFile = compile_text(&self.file, &self.text, &self.options);
        let mut components = compiled.compilations.into_iter().filter_map(|compilation| compilation.component);
        components.nth(self.place).ok_or_else(|| io::Error::other("it does not compile any more"))
    }
}

impl fmt::Debug for CompiledAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())
    }
}

/// A component in memory, whose file may change.
struct KeptComponent {
    file: PathBuf,
    bytes: Vec<u8>,
}

impl ComponentSource for KeptComponent {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.bytes.clone())
    }
}

impl fmt::Debug for KeptComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())
    }
}

/// A component in a file.
struct StoredComponent(PathBuf);

impl ComponentSource for StoredComponent {
    fn read(&self) -> io::Result<Vec<u8>> {
        read(&self.0).map_err(|refusal| match refusal {
            Refusal::Other(reason) => io::Error::other(reason),
            Refusal::Source(_) => io::Error::other("it is no component"),
        })
    }
}

impl fmt::Debug for StoredComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.display())
    }
}
