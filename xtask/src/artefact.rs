//! Built `.wasm` files that are committed, each with a record of its digest and of what built it.
//!
//! They are committed so that neither users nor tests need a WebAssembly toolchain. The record makes the bytes
//! checkable: whoever has the same compiler can build the same file.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::toolchain::{Identity, Toolchain};

/// What to do with a freshly built artefact.
pub(crate) enum Goal {
    /// Replace the committed one and its record.
    Commit,
    /// Compare with the committed one.
    Check,
    /// Write it elsewhere and leave the committed one alone.
    Out(PathBuf),
}

/// A committed file and the record beside its source.
pub(crate) struct Artefact {
    /// The `.wasm` file.
    pub(crate) wasm: PathBuf,
    /// Its [`Record`], as JSON.
    pub(crate) record: PathBuf,
}

/// What is known of a committed artefact.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Record {
    /// SHA-256 of the file, in lower-case hex.
    sha256: String,
    /// Its size.
    bytes: usize,
    /// What built it.
    built_with: Identity,
}

impl Artefact {
    /// Builds with `build`, and does with the result what `goal` says.
    pub(crate) fn make(
        &self,
        goal: &Goal,
        build: impl FnOnce(&Toolchain) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<()> {
        match goal {
            Goal::Commit => {
                let toolchain = Toolchain::find(None)?;
                let bytes = build(&toolchain)?;
                self.commit(&bytes, toolchain.identity)
            }
            Goal::Out(path) => {
                let bytes = build(&Toolchain::find(None)?)?;
                fs::write(path, &bytes).with_context(|| format!("could not write {}", path.display()))?;
                println!("{}: {} bytes", path.display(), bytes.len());
                Ok(())
            }
            Goal::Check => {
                let record = self.read_record()?;
                let toolchain = Toolchain::find(Some(&record.built_with))?;
                let bytes = build(&toolchain)?;
                self.check(&record, &bytes, &toolchain.identity)
            }
        }
    }

    fn commit(&self, bytes: &[u8], built_with: Identity) -> anyhow::Result<()> {
        let record = Record { sha256: sha256(bytes), bytes: bytes.len(), built_with };
        write(&self.wasm, bytes)?;
        let mut json = serde_json::to_string_pretty(&record)?;
        json.push('\n');
        write(&self.record, json.as_bytes())?;
        println!("{}: {} bytes, sha256 {}", self.wasm.display(), record.bytes, record.sha256);
        Ok(())
    }

    /// The committed file must be what its record says, and, with the recorded compiler, what the source gives.
    fn check(&self, record: &Record, rebuilt: &[u8], at_hand: &Identity) -> anyhow::Result<()> {
        let wasm = self.wasm.display();
        let committed = fs::read(&self.wasm).with_context(|| format!("could not read {wasm}"))?;
        ensure!(
            sha256(&committed) == record.sha256,
            "{wasm} is not the file that {} describes; rebuild both",
            self.record.display()
        );
        if record.built_with != *at_hand {
            println!(
                "{wasm}: cannot compare bytes.\n  built with: {}\n  at hand:    {}",
                record.built_with.summary(),
                at_hand.summary()
            );
            return Ok(());
        }
        if committed != rebuilt {
            bail!(
                "{wasm} is not what its source gives: {} bytes committed, {} rebuilt with the same compiler.\nRebuild it \
                 without --check and commit the result.",
                committed.len(),
                rebuilt.len()
            );
        }
        println!("{wasm}: the same bytes, {} of them", committed.len());
        Ok(())
    }

    fn read_record(&self) -> anyhow::Result<Record> {
        let path = self.record.display();
        let json = fs::read(&self.record).with_context(|| format!("could not read {path}"))?;
        serde_json::from_slice(&json).with_context(|| format!("{path} is not a record of a built artefact"))
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(rustc: &str) -> Identity {
        Identity {
            rustc: vec![rustc.into()],
            cargo: "cargo 1".into(),
            linker: "LLD 1".into(),
            standard_library: "prebuilt".into(),
        }
    }

    #[test]
    fn a_committed_artefact_is_compared_only_with_what_the_same_compiler_built() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let artefact = Artefact { wasm: folder.path().join("a.wasm"), record: folder.path().join("a.json") };
        artefact.commit(b"one", identity("rustc 1")).expect("the folder can be written to");
        let record = artefact.read_record().expect("just written");
        for (what, rebuilt, compiler, ok) in [
            ("same bytes, same compiler", "one", "rustc 1", true),
            ("other bytes, same compiler", "two", "rustc 1", false),
            ("other bytes, other compiler: nothing to say", "two", "rustc 2", true),
        ] {
            assert_eq!(artefact.check(&record, rebuilt.as_bytes(), &identity(compiler)).is_ok(), ok, "{what}");
        }
        fs::write(&artefact.wasm, "tampered").expect("the folder can be written to");
        let refused = artefact.check(&record, b"one", &identity("rustc 2"));
        assert!(refused.is_err(), "a file that its record does not describe is refused whatever the compiler");
    }
}
