//! `cargo xtask runtime` and `cargo xtask examples`: what is built from this workspace for WebAssembly.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use wit_component::ComponentEncoder;

use crate::{
    artefact::{Artefact, Goal},
    toolchain::{Kind, Toolchain},
};

/// Lists the compilers that can build for WebAssembly.
pub(crate) fn toolchains() -> anyhow::Result<()> {
    for toolchain in Toolchain::all()? {
        println!("{}", toolchain.identity.summary());
    }
    Ok(())
}

/// The runtime that the compiler links into detections: a core module.
pub(crate) fn runtime(goal: &Goal) -> anyhow::Result<()> {
    let folder = crate::root().join("guest/compiler/runtime");
    let artefact =
        Artefact { wasm: folder.join("sandtrap_runtime.wasm"), record: folder.join("sandtrap_runtime.json") };
    artefact.make(goal, |toolchain| toolchain.build("sandtrap-runtime", Kind::Runtime))
}

/// Every detection in guest/examples: a component each.
pub(crate) fn examples(goal: &Goal) -> anyhow::Result<()> {
    let root = crate::root();
    let examples = examples_of(&root)?;
    ensure!(!examples.is_empty(), "guest/examples has no crate");
    for example in examples {
        let artefact = Artefact { wasm: example.component, record: example.folder.join("component.json") };
        artefact.make(goal, |toolchain| component(toolchain, &example.package))?;
    }
    Ok(())
}

/// One crate of guest/examples.
struct Example {
    package: String,
    folder: PathBuf,
    component: PathBuf,
}

/// The crates of guest/examples. Each says in `package.metadata.sandtrap.component` where its component is committed:
/// among the rules, where `sandtrap run rules/` finds it.
fn examples_of(root: &std::path::Path) -> anyhow::Result<Vec<Example>> {
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let mut examples = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(folder) = package.manifest_path.parent().map(|folder| folder.as_std_path().to_owned()) else {
            continue;
        };
        if folder.parent().is_none_or(|parent| !parent.ends_with("guest/examples")) {
            continue;
        }
        let component = package.metadata["sandtrap"]["component"].as_str().with_context(|| {
            format!("{}: package.metadata.sandtrap.component does not say where it goes", package.manifest_path)
        })?;
        examples.push(Example { package: package.name.to_string(), component: root.join(component), folder });
    }
    Ok(examples)
}

/// Builds a core module and wraps it into a component.
fn component(toolchain: &Toolchain, package: &str) -> anyhow::Result<Vec<u8>> {
    let module = toolchain.build(package, Kind::Component)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .with_context(|| format!("{package} is not a detection: does it call `sandtrap_sdk::export!`?"))
}
