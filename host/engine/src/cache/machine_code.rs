//! Machine code by component and engine.

use std::{
    hash::{Hash as _, Hasher},
    io,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use super::{PrivateDir, seal, unseal};
use crate::{Digest, Limits, detection::Identity};

/// The longest file of machine code that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// After so many written bytes the folder's size is looked at again.
const BYTES_BETWEEN_LOOKS: u64 = 64 << 20;

/// A file that was used is marked so when its mark is older than this.
const MARK_AGE_MAX: Duration = Duration::from_hours(24);

/// How a file of machine code ends.
const EXTENSION: &str = ".code";

/// The machine code of components that were compiled before.
#[derive(Debug)]
pub(crate) struct MachineCode {
    folder: PrivateDir,
    /// Of everything besides the component that its machine code depends on.
    engine: Digest,
    bytes_max: u64,
    /// How many bytes were written since the folder's size was last looked at.
    written: AtomicU64,
    /// What first kept a file from being written.
    problem: OnceLock<String>,
}

impl MachineCode {
    /// That of an engine, in a folder that may hold `bytes_max` bytes of it.
    pub(crate) fn new(folder: PrivateDir, wasmtime: &wasmtime::Engine, limits: &Limits, bytes_max: u64) -> Self {
        let engine = fingerprint(wasmtime, limits);
        // The first file that is written looks at the size.
        let written = AtomicU64::new(BYTES_BETWEEN_LOOKS);
        Self { folder, engine, bytes_max, written, problem: OnceLock::new() }
    }

    /// What first kept a file from being written, if anything did.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.get().map(String::as_str)
    }

    /// The machine code of that component, and the digest of what its `describe` returns.
    pub(crate) fn find(&self, wasmtime: &wasmtime::Engine, component: &Digest) -> Option<(Digest, Component)> {
        let name = self.name(component);
        let file = self.folder.read(&name, FILE_BYTES_MAX).ok()?;
        let (manifest, image) = unseal(&self.context(component), &file)?.split_first_chunk()?;
        let compiled = deserialize(wasmtime, image)?;
        self.mark_used(&name);
        Some((Digest::from_bytes(*manifest), compiled))
    }

    /// Keeps the machine code of a component whose `describe` was asked. Whether that was possible.
    pub(crate) fn keep(&self, identity: &Identity, compiled: &Component) -> bool {
        let kept = compiled.serialize().map_err(|error| io::Error::other(error.to_string())).and_then(|image| {
            let mut contents = identity.manifest.as_bytes().to_vec();
            contents.extend_from_slice(&image);
            self.make_room(contents.len() as u64)?;
            let seal = seal(&self.context(&identity.component), &contents);
            self.folder.write(&self.name(&identity.component), &[&seal, &contents])
        });
        if let Err(error) = &kept {
            self.problem
                .get_or_init(|| format!("machine code cannot be kept in {}: {error}", self.folder.path().display()));
        }
        kept.is_ok()
    }

    fn name(&self, component: &Digest) -> String {
        let (component, mut engine) = (component.hex(), self.engine.hex());
        engine.truncate(16);
        format!("{component}-{engine}{EXTENSION}")
    }

    /// What a file's seal says besides its contents.
    fn context(&self, component: &Digest) -> Vec<u8> {
        [component.as_bytes().as_slice(), self.engine.as_bytes()].concat()
    }

    /// Removes the files that were not used for longest, down to three quarters of what the folder may hold, if with `more`
    /// bytes it would hold too much.
    fn make_room(&self, more: u64) -> io::Result<()> {
        let written = self.written.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        if written <= BYTES_BETWEEN_LOOKS.min(self.bytes_max / 4) {
            return Ok(());
        }
        self.written.store(more, Ordering::Relaxed);
        let mut files = self.folder.files()?;
        files.retain(|file| file.name.ends_with(EXTENSION));
        let mut held = files.iter().fold(more, |sum, file| sum.saturating_add(file.bytes));
        if held <= self.bytes_max {
            return Ok(());
        }
        files.sort_by_key(|file| file.modified);
        for file in files {
            if held <= self.bytes_max / 4 * 3 {
                break;
            }
            self.folder.remove(&file.name)?;
            held = held.saturating_sub(file.bytes);
        }
        Ok(())
    }

    fn mark_used(&self, name: &str) {
        let mark = || {
            let file = self.folder.file(name)?;
            let now = SystemTime::now();
            if file.metadata()?.modified()? < now.checked_sub(MARK_AGE_MAX).unwrap_or(now) {
                file.set_modified(now)?;
            }
            io::Result::Ok(())
        };
        // A file without a mark is removed a little earlier, and made again.
        let _ = mark();
    }
}

#[expect(unsafe_code, reason = "the only way to have machine code without compiling it")]
fn deserialize(wasmtime: &wasmtime::Engine, image: &[u8]) -> Option<Component> {
    // SAFETY: `image` must be what `Component::serialize` returned. It is a copy in our memory, which nobody changes now, of a
    // file whose seal was checked on that same copy: so it is, in whole, what some process wrote under this seal. Such a
    // process is one of this user. The file and its folder belong to that user and nobody else can write either, both as
    // looked at through the descriptors that were read (`PrivateDir`); root aside, which needs no file to run code here. A
    // process of the same user might forge a file on purpose. It could as well replace this program, and a key for the
    // seal would lie where it can read it. What is left is our own code, and that seals nothing but what `serialize` returned
    // (`MachineCode::keep`), under the digest of the component, so that another component's code is not taken for it, and
    // under that of the engine: wasmtime's `precompile_compatibility_hash`, which covers its version, its settings, and
    // the CPU's features. Wasmtime compares these again.
    unsafe { Component::deserialize(wasmtime, image) }.ok()
}

/// The digest of everything besides a component that its machine code, and whether it may have any, depends on.
fn fingerprint(wasmtime: &wasmtime::Engine, limits: &Limits) -> Digest {
    let mut hashing = Hashing(Sha256::new());
    wasmtime.precompile_compatibility_hash().hash(&mut hashing);
    // Caps on a component's shape are checked before it is compiled, and not again.
    format!("{} {limits:?}", env!("CARGO_PKG_VERSION")).hash(&mut hashing);
    Digest::from_bytes(hashing.0.finalize().into())
}

/// Feeds what is hashed to SHA-256: the standard library's own hashers may change from one version to the next.
struct Hashing(Sha256);

impl Hasher for Hashing {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The first 64 bits.
    fn finish(&self) -> u64 {
        let digest: [u8; Digest::BYTES] = self.0.clone().finalize().into();
        digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}
