//! What became of rule files that compiled without a word, so that the next start need not compile them again.
//!
//! An entry has the manifests of a file's rules and the digests of their components, not the components: machine code has a
//! cache of its own, and where it is missing a component is compiled from its source again, in a tenth of the time that
//! machine code takes. Files with any diagnostic are not here, because it must be shown again.
//!
//! Entries lie in segments, one for each run that had something new; many segments are written together as one.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    io,
    path::Path,
};

use sandtrap_engine::{
    Digest, Engine,
    cache::{PrivateDir, seal, unseal},
};
use serde::{Deserialize, Serialize};

use crate::compiler::{self, Options};

/// The folder of compiled rules in a cache.
const FOLDER: &str = "rules";
/// How a segment ends.
const EXTENSION: &str = ".rules";
/// Counts the versions of [`Entry`].
const LAYOUT: u8 = 1;
/// The longest segment that is read.
const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// The most segments of one compiler and site.
const SEGMENTS_MAX: usize = 8;
/// The most bytes of segments of all compilers and sites.
const FOLDER_BYTES_MAX: u64 = 512 << 20;

/// A rule file, by its name and text.
pub(super) type Key = [u8; Digest::BYTES];

/// What became of one rule file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry<'e> {
    pub(super) key: Key,
    /// One for each component that the file compiles to, in its order.
    #[serde(borrow)]
    pub(super) rules: Vec<CachedRule<'e>>,
    /// The filters that narrow them.
    pub(super) narrowed_by: BTreeSet<String>,
}

/// One rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CachedRule<'e> {
    /// What `describe` returns.
    #[serde(borrow)]
    pub(super) manifest: Cow<'e, str>,
    pub(super) digest: [u8; Digest::BYTES],
    pub(super) component_bytes: u64,
}

/// The segments of one compiler, with one site's additions.
#[derive(Debug)]
pub(super) struct RuleCache {
    folder: PrivateDir,
    fingerprint: Digest,
    segments: Vec<Segment>,
}

#[derive(Debug)]
struct Segment {
    name: String,
    file: Vec<u8>,
}

/// The entries of a cache, by file.
pub(super) type Entries<'c> = HashMap<Key, Entry<'c>>;

/// The key of a rule file. The compiler sees of its path no more than the name.
pub(super) fn key(file: &Path, text: &str) -> Key {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    *Digest::of_parts(&[name.as_bytes(), text.as_bytes()]).as_bytes()
}

impl RuleCache {
    /// What the engine's cache has for these options; `None` where there is no cache.
    pub(super) fn open(engine: &Engine, options: &Options) -> Option<Self> {
        let folder = engine.cache()?.subfolder(FOLDER).ok()?;
        let fingerprint = fingerprint(engine, options);
        let mut cache = Self { folder, fingerprint, segments: Vec::new() };
        let ours = cache.prefix();
        for found in cache.folder.files().ok()? {
            if found.name.starts_with(&ours)
                && found.name.ends_with(EXTENSION)
                && let Ok(file) = cache.folder.read(&found.name, SEGMENT_BYTES_MAX)
            {
                cache.segments.push(Segment { name: found.name, file });
            }
        }
        Some(cache)
    }

    /// What is known. A segment that is damaged counts for nothing.
    pub(super) fn entries(&self) -> Entries<'_> {
        let mut entries = Entries::new();
        for segment in &self.segments {
            let contents = unseal(self.fingerprint.as_bytes(), &segment.file);
            let found = contents.and_then(|contents| postcard::from_bytes::<Vec<Entry<'_>>>(contents).ok());
            entries.extend(found.unwrap_or_default().into_iter().map(|entry| (entry.key, entry)));
        }
        entries
    }

    /// Keeps what is new. `used` says which of the known entries belong to files that are still there; the others are
    /// forgotten when segments are written together.
    pub(super) fn keep(&self, known: &Entries<'_>, used: &[Key], new: &[Entry<'_>]) -> io::Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let is_last = self.segments.len().saturating_add(1) >= SEGMENTS_MAX;
        let together = used.iter().filter(|_| is_last).filter_map(|key| known.get(key));
        let entries: Vec<&Entry<'_>> = together.chain(new).collect();
        let contents = postcard::to_allocvec(&entries).map_err(io::Error::other)?;
        let mut digest = Digest::of(&contents).hex();
        digest.truncate(16);
        let name = format!("{}{digest}{EXTENSION}", self.prefix());
        self.folder.write(&name, &[&seal(self.fingerprint.as_bytes(), &contents), &contents])?;
        for segment in self.segments.iter().filter(|segment| is_last && segment.name != name) {
            self.folder.remove(&segment.name)?;
        }
        self.remove_oldest()
    }

    /// How the names of our segments begin.
    fn prefix(&self) -> String {
        let mut prefix = self.fingerprint.hex();
        prefix.truncate(16);
        prefix + "-"
    }

    /// Those of compilers that are gone, and of sites that changed, are never asked for again.
    fn remove_oldest(&self) -> io::Result<()> {
        let mut files = self.folder.files()?;
        files.retain(|file| file.name.ends_with(EXTENSION));
        files.sort_by_key(|file| file.modified);
        let mut held = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        for file in files {
            if held <= FOLDER_BYTES_MAX {
                break;
            }
            self.folder.remove(&file.name)?;
            held = held.saturating_sub(file.bytes);
        }
        Ok(())
    }
}

/// The digest of everything besides a file that its rules depend on, and whether they are accepted.
fn fingerprint(engine: &Engine, options: &Options) -> Digest {
    let Options { strict_schema, site } = options;
    // What a derived `Debug` shows is all that there is in pipelines, filters and placeholders.
    let (site, limits) = (format!("{site:?}"), format!("{:?}", engine.limits()));
    let flags = [LAYOUT, u8::from(*strict_schema)];
    Digest::of_parts(&[compiler::FINGERPRINT.as_bytes(), &flags, site.as_bytes(), limits.as_bytes()])
}
