//! Finds a compiler for `wasm32-unknown-unknown` and builds crates with it.
//!
//! Any of these will do: a `rustc` that has the target's standard library (`rustup target add
//! wasm32-unknown-unknown`), one that has the library's source (`rustup component add rust-src`), or Debian's packages
//! `rustc-web` and `rust-web-src`. Where there is only source, Cargo builds the library with `-Zbuild-std`. The same
//! compiler gives the same bytes on every machine: paths are remapped and the profile is given here, not taken from
//! the workspace. This file does not know what is built or where the result goes.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

const TARGET: &str = "wasm32-unknown-unknown";

/// What is built when only the source of the standard library is there.
const BUILD_STD: &str = "std,panic_abort";

/// The profile that components and the runtime are built with, whatever the workspace's profiles say.
const PROFILE: &str = "component";

/// Where Debian puts the compiler of `rustc-web`.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// What is built, and so what it is optimised for.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// The runtime: for speed, with the names that the compiler's linker and its readable output use.
    Runtime,
    /// A component: for size, without names.
    Component,
}

/// What decides over the bytes that come out, apart from the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Identity {
    /// `rustc --version --verbose`, line by line.
    pub(crate) rustc: Vec<String>,
    /// `cargo --version`.
    pub(crate) cargo: String,
    /// The linker's version.
    pub(crate) linker: String,
    /// Where the standard library came from.
    pub(crate) standard_library: String,
}

impl Identity {
    /// One line that tells one compiler from another.
    pub(crate) fn summary(&self) -> String {
        let rustc = self.rustc.first().map_or("an unknown rustc", String::as_str);
        format!("{rustc}, {}, {}, standard library {}", self.cargo, self.linker, self.standard_library)
    }
}

/// Where the standard library comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StandardLibrary {
    Prebuilt,
    FromSource,
}

/// A compiler that can build for [`TARGET`].
pub(crate) struct Toolchain {
    rustc: PathBuf,
    sysroot: PathBuf,
    library: StandardLibrary,
    linker: PathBuf,
    /// What it calls itself.
    pub(crate) identity: Identity,
}

impl Toolchain {
    /// Every one there is, the most convenient first; never none.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        let mut found = Vec::new();
        for rustc in ["rustc", DEBIAN_RUSTC].map(PathBuf::from) {
            let Ok(sysroot) = output(Command::new(&rustc).args(["--print", "sysroot"])) else { continue };
            let sysroot = PathBuf::from(sysroot);
            if found.iter().any(|other: &Self| other.sysroot == sysroot) {
                continue;
            }
            let Some(library) = standard_library(&sysroot) else { continue };
            let Some(linker) = linker(&sysroot) else { continue };
            let identity = identity(&rustc, &linker, library)?;
            found.push(Self { rustc, sysroot, library, linker, identity });
        }
        ensure!(
            !found.is_empty(),
            "no Rust compiler here can build for {TARGET}.\nInstall the target with `rustup target add {TARGET}`, or its \
             source with `rustup component add rust-src`; on Debian: `apt-get install rustc-web rust-web-src` beside \
             a rustup toolchain, whose rust-lld is the linker."
        );
        Ok(found)
    }

    /// The one whose identity is `wanted`, else the first of [`Self::all`].
    pub(crate) fn find(wanted: Option<&Identity>) -> anyhow::Result<Self> {
        let mut all = Self::all()?;
        let at = all.iter().position(|toolchain| Some(&toolchain.identity) == wanted).unwrap_or(0);
        Ok(all.swap_remove(at))
    }

    /// Builds the library `package` of this workspace as a core module and gives its bytes.
    pub(crate) fn build(&self, package: &str, kind: Kind) -> anyhow::Result<Vec<u8>> {
        let root = crate::root();
        let target_dir = root.join("target/wasm");
        let mut cargo = Command::new(cargo());
        // `cargo rustc --crate-type`, because Cargo skips link-time optimisation for a crate that is an rlib too.
        cargo.current_dir(&root).args(["rustc", "--package", package, "--lib", "--crate-type", "cdylib"]);
        cargo.args(["--profile", PROFILE, "--target", TARGET, "--target-dir"]).arg(&target_dir);
        for setting in profile(kind) {
            cargo.arg("--config").arg(format!("profile.{PROFILE}.{setting}"));
        }
        cargo.env("RUSTC", &self.rustc).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &self.linker);
        cargo.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags(&root, kind)?.join("\u{1f}"));
        // What the caller's environment would change, and with it the bytes.
        cargo.env_remove("RUSTFLAGS").env_remove("RUSTC_WRAPPER").env_remove("CARGO_BUILD_TARGET");
        if self.library == StandardLibrary::FromSource {
            cargo.env("RUSTC_BOOTSTRAP", "1").arg(format!("-Zbuild-std={BUILD_STD}"));
        }
        let status = cargo.status().context("could not start cargo")?;
        ensure!(status.success(), "building {package} for {TARGET} failed; cargo's message is above");
        let module = target_dir.join(TARGET).join(PROFILE).join(format!("{}.wasm", package.replace('-', "_")));
        std::fs::read(&module).with_context(|| format!("cargo did not leave {}", module.display()))
    }

    /// Flags that keep this machine's paths out of the result, and what the target has.
    fn rustflags(&self, root: &Path, kind: Kind) -> anyhow::Result<Vec<String>> {
        let root = root.canonicalize().context("the repository's folder is gone")?;
        let registry = match (env::var_os("CARGO_HOME"), env::home_dir()) {
            (Some(home), _) => PathBuf::from(home),
            (None, Some(home)) => home.join(".cargo"),
            (None, None) => bail!("there is neither CARGO_HOME nor a home folder"),
        }
        .join("registry/src");
        let library = self.sysroot.join("lib/rustlib/src/rust");
        let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
        let mut flags = vec![remap(&root, "/sandtrap"), remap(&registry, "/registry"), remap(&library, "/rust")];
        if matches!(kind, Kind::Runtime) {
            // Every engine has 128-bit vectors by now; they are part of WebAssembly 2.0.
            flags.push("-Ctarget-feature=+simd128".to_owned());
        }
        Ok(flags)
    }
}

fn profile(kind: Kind) -> [&'static str; 8] {
    let (level, strip) = match kind {
        Kind::Runtime => ("opt-level=3", "strip=\"debuginfo\""),
        Kind::Component => ("opt-level=\"s\"", "strip=true"),
    };
    [
        "inherits=\"release\"",
        level,
        "lto=\"fat\"",
        "codegen-units=1",
        "panic=\"abort\"",
        "debug=false",
        strip,
        "incremental=false",
    ]
}

/// The cargo that runs us, or whichever is found.
fn cargo() -> std::ffi::OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn standard_library(sysroot: &Path) -> Option<StandardLibrary> {
    if sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
        return Some(StandardLibrary::Prebuilt);
    }
    sysroot.join("lib/rustlib/src/rust/library/Cargo.toml").is_file().then_some(StandardLibrary::FromSource)
}

/// `rust-lld` of the compiler itself, else of the `rustc` found first, else of the system.
fn linker(sysroot: &Path) -> Option<PathBuf> {
    let default_sysroot = output(Command::new("rustc").args(["--print", "sysroot"])).map(PathBuf::from).ok();
    let mut candidates = Vec::new();
    for sysroot in [Some(sysroot), default_sysroot.as_deref()].into_iter().flatten() {
        let hosts = std::fs::read_dir(sysroot.join("lib/rustlib")).into_iter().flatten().flatten();
        candidates.extend(hosts.map(|host| host.path().join("bin/rust-lld")));
    }
    candidates.push(PathBuf::from("/usr/bin/rust-lld"));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

fn identity(rustc: &Path, linker: &Path, library: StandardLibrary) -> anyhow::Result<Identity> {
    let version = output(Command::new(rustc).args(["--version", "--verbose"]))?;
    Ok(Identity {
        rustc: version.lines().map(str::to_owned).collect(),
        cargo: output(Command::new(cargo()).arg("--version"))?,
        linker: output(Command::new(linker).args(["-flavor", "wasm", "--version"]))?,
        standard_library: match library {
            StandardLibrary::Prebuilt => "prebuilt".into(),
            StandardLibrary::FromSource => format!("built from source ({BUILD_STD})"),
        },
    })
}

/// Runs a command and gives what it printed, without the last newline.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("could not start {}", command.get_program().display()))?;
    ensure!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
