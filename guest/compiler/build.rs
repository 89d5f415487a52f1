//! Chooses the runtime module that becomes part of the compiler: the committed one, or the one that the environment
//! variable `SANDTRAP_RUNTIME_WASM` names, which is how CI runs the tests on a freshly built one. And says by a digest which
//! compiler this is, for those who keep what it wrote.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

const VARIABLE: &str = "SANDTRAP_RUNTIME_WASM";
const COMMITTED: &str = "runtime/sandtrap_runtime.wasm";

/// What decides, besides the runtime, what a rule compiles to.
const INPUTS: [&str; 5] = ["src", "tables", "../../wit/src", "../../wit/detection.wit", "../../Cargo.lock"];

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // Joining an absolute path gives that path.
    let module = folder.join(env::var_os(VARIABLE).unwrap_or_else(|| COMMITTED.into()));
    assert!(module.is_file(), "{VARIABLE}: there is no {}", module.display());
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rustc-env={VARIABLE}={}", module.display());

    let mut hasher = Sha256::new();
    for input in INPUTS.map(|input| folder.join(input)).iter().chain([&module]) {
        println!("cargo::rerun-if-changed={}", input.display());
        hash(input, &mut hasher)?;
    }
    let mut fingerprint = String::new();
    for byte in hasher.finalize() {
        write!(fingerprint, "{byte:02x}").map_err(io::Error::other)?;
    }
    println!("cargo::rustc-env=SANDTRAP_COMPILER_FINGERPRINT={fingerprint}");
    Ok(())
}

/// Hashes a file, or everything below a folder in the order of its names.
fn hash(path: &Path, hasher: &mut Sha256) -> io::Result<()> {
    hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    if !path.is_dir() {
        let contents = fs::read(path)?;
        hasher.update((contents.len() as u64).to_le_bytes());
        hasher.update(contents);
        return Ok(());
    }
    let mut inner = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    inner.sort();
    hasher.update((inner.len() as u64).to_le_bytes());
    inner.iter().try_for_each(|path| hash(path, hasher))
}
