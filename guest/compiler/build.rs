//! Chooses the runtime module that becomes part of the compiler: the committed one, or the one that the environment
//! variable `SANDTRAP_RUNTIME_WASM` names, which is how CI runs the tests on a freshly built one.

use std::{env, path::PathBuf};

const VARIABLE: &str = "SANDTRAP_RUNTIME_WASM";
const COMMITTED: &str = "runtime/sandtrap_runtime.wasm";

fn main() {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // Joining an absolute path gives that path.
    let module = folder.join(env::var_os(VARIABLE).unwrap_or_else(|| COMMITTED.into()));
    assert!(module.is_file(), "{VARIABLE}: there is no {}", module.display());
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed={}", module.display());
    println!("cargo::rustc-env={VARIABLE}={}", module.display());
}
