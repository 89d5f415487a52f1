//! What holds for the tree as a whole: which crate may depend on which (Invariant 7), and what every file starts with.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Past this a file has a second subject. Generated tables are not read.
const LINES_MAX: usize = 700;

/// Files that no one reads, let alone edits.
const GENERATED: &[&str] = &["wit/src/text/tables.rs"];

/// Which of our own crates each crate may use outside tests. A crate that is not here fails the test: say where it
/// stands in docs/ARCHITECTURE.md first.
const EDGES: &[(&str, &[&str])] = &[
    ("sandtrap-wit", &[]),
    ("sandtrap-runtime", &["sandtrap-wit"]),
    ("sandtrap-compiler", &["sandtrap-wit", "sandtrap-runtime"]),
    ("sandtrap-sdk", &["sandtrap-wit"]),
    ("sandtrap-example-dga-entropy", &["sandtrap-sdk"]),
    ("sandtrap-engine", &["sandtrap-wit"]),
    ("sandtrap-dataflow", &["sandtrap-wit"]),
    ("sandtrap-formats", &["sandtrap-wit"]),
    ("sandtrap-index", &["sandtrap-wit"]),
    (
        "sandtrap-embed",
        &[
            "sandtrap-wit",
            "sandtrap-compiler",
            "sandtrap-engine",
            "sandtrap-dataflow",
            "sandtrap-formats",
            "sandtrap-index",
        ],
    ),
    (
        "sandtrap",
        // Everything through embed, which hands through the types of those below it.
        &["sandtrap-wit", "sandtrap-embed", "sandtrap-compiler", "sandtrap-engine", "sandtrap-formats"],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn metadata() -> Metadata {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).exec().expect("cargo metadata describes the workspace")
}

/// The crates of the workspace with their dependencies of one kind, by name.
fn dependencies(metadata: &Metadata, kinds: &[DependencyKind]) -> BTreeMap<String, BTreeSet<String>> {
    let of = |package: &cargo_metadata::Package| {
        let used = package.dependencies.iter().filter(|dependency| kinds.contains(&dependency.kind));
        used.map(|dependency| dependency.name.clone()).collect()
    };
    metadata.workspace_packages().into_iter().map(|package| (package.name.to_string(), of(package))).collect()
}

/// Everything that is built into `package`, its own crate left out.
fn reached_from(metadata: &Metadata, package: &str) -> BTreeSet<String> {
    let nodes = metadata.resolve.as_ref().map(|resolve| resolve.nodes.as_slice()).unwrap_or_default();
    let name = |id| metadata.packages.iter().find(|package| package.id == id).map(|package| package.name.to_string());
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = vec![package.into()];
    while let Some(at) = open.pop() {
        let node = nodes.iter().find(|node| name(node.id.clone()).is_some_and(|name| name == at));
        let used = node.into_iter().flat_map(|node| &node.deps);
        for used in used.filter(|used| used.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)) {
            let used = name(used.pkg.clone()).expect("a dependency is a package");
            if reached.insert(used.clone()) {
                open.push(used);
            }
        }
    }
    reached
}

#[test]
fn crates_depend_only_on_those_below_them() {
    let tools = ["xtask", "sandtrap-benches"];
    let dependencies = dependencies(&metadata(), &[DependencyKind::Normal, DependencyKind::Build]);
    let ours: BTreeSet<&String> = dependencies.keys().collect();
    for (name, used) in &dependencies {
        if tools.contains(&name.as_str()) {
            continue;
        }
        let (_, allowed) =
            EDGES.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} is new here"));
        for used in used.iter().filter(|used| ours.contains(used)) {
            assert!(allowed.contains(&used.as_str()), "{name} must not depend on {used}");
        }
    }
}

#[test]
fn invariant_7_compiler_and_engine_meet_only_in_wit() {
    let metadata = metadata();
    let compiler = reached_from(&metadata, "sandtrap-compiler");
    let engine = reached_from(&metadata, "sandtrap-engine");
    assert!(compiler.contains("sandtrap-wit") && engine.contains("sandtrap-wit"), "the walk sees dependencies");
    for host in ["wasmtime", "sandtrap-engine", "sandtrap-dataflow", "sandtrap-formats"] {
        assert!(!compiler.contains(host), "the compiler must not reach {host}");
    }
    for guest in ["sandtrap-compiler", "sandtrap-runtime", "sandtrap-sdk"] {
        assert!(!engine.contains(guest), "the engine must not reach {guest}");
    }
}

#[test]
fn every_file_says_what_it_is_and_has_one_subject() {
    let mut files = Vec::new();
    for folder in ["wit", "guest", "host", "benches", "xtask"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 20, "only {} files found: is the walk broken?", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file is text");
        let lines = text.lines().count();
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not open with `//!`: say what it is", file.display()));
        }
        if lines > LINES_MAX && !GENERATED.iter().any(|generated| file.ends_with(generated)) {
            wrong.push(format!("{} has {lines} lines: look for its second subject", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
