//! Which files of the paths that a person names are rules.
//!
//! Folders are searched in the order of their names, so that the same tree always gives the same rule set. Tests
//! (`*.test.yaml`), the streams folder, hidden files and links to folders are passed over, and so is a component whose
//! source is there too: it may be older than an edit of the source.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// How deep folders are searched.
const DEPTH_MAX: usize = 32;

/// What a rule file holds, by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// KQL text, or YAML: Sigma, or an envelope around KQL.
    Source,
    /// A component.
    Component,
}

impl RuleKind {
    /// The kind of a file; `None` when it cannot be a rule.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let extension = path.extension().and_then(OsStr::to_str)?.to_ascii_lowercase();
        match extension.as_str() {
            "kql" => Some(Self::Source),
            "yaml" | "yml" if !is_test(name) => Some(Self::Source),
            "wasm" => Some(Self::Component),
            _ => None,
        }
    }
}

fn is_test(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".test.yaml", ".test.yml"].iter().any(|ending| name.ends_with(ending))
}

/// A path that gives no rules, and why.
#[derive(Debug)]
pub struct Unreadable {
    /// The path.
    pub path: PathBuf,
    /// What the system says.
    pub error: io::Error,
}

/// The rule files that `paths` name or hold, each once, and the paths that could not be searched.
pub fn discover(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Unreadable>) {
    let mut files = Vec::new();
    let mut unreadable = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => search(path, is_rule, DEPTH_MAX, &mut files, &mut unreadable),
            Ok(_) if is_rule(path) => files.push(path.clone()),
            Ok(_) => unreadable.push(Unreadable {
                path: path.clone(),
                error: io::Error::other("not a rule: expected a folder or a .kql, .yaml, .yml or .wasm file"),
            }),
            Err(error) => unreadable.push(Unreadable { path: path.clone(), error }),
        }
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    (without_compiled_sources(files), unreadable)
}

/// Leaves out `NAME.wasm` where `NAME.kql`, `.yaml` or `.yml` beside it is a rule too.
fn without_compiled_sources(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_source = |file: &&PathBuf| RuleKind::of(file) == Some(RuleKind::Source);
    let sources: HashSet<PathBuf> = files.iter().filter(is_source).map(|file| file.with_extension("")).collect();
    files.retain(|file| {
        RuleKind::of(file) == Some(RuleKind::Source) || !sources.contains(file.with_extension("").as_path())
    });
    files
}

/// The files of tests in the folders among `paths`. What cannot be searched gives none: [`discover`] says so.
pub(crate) fn discover_tests(paths: &[PathBuf]) -> Vec<PathBuf> {
    let is_test_file = |path: &Path| path.file_name().and_then(OsStr::to_str).is_some_and(is_test);
    let mut files = Vec::new();
    for path in paths.iter().filter(|path| path.is_dir()) {
        search(path, is_test_file, DEPTH_MAX, &mut files, &mut Vec::new());
    }
    files
}

fn is_rule(path: &Path) -> bool {
    RuleKind::of(path).is_some()
}

/// Collects the files that `wanted` takes.
fn search(
    folder: &Path,
    wanted: fn(&Path) -> bool,
    depth: usize,
    files: &mut Vec<PathBuf>,
    unreadable: &mut Vec<Unreadable>,
) {
    let Some(depth) = depth.checked_sub(1) else {
        let error = io::Error::other(format!("folders are nested deeper than {DEPTH_MAX} levels"));
        unreadable.push(Unreadable { path: folder.to_owned(), error });
        return;
    };
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            unreadable.push(Unreadable { path: folder.to_owned(), error });
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && name != "streams" => search(&path, wanted, depth, files, unreadable),
            Ok(kind) if !kind.is_dir() && path.is_file() && wanted(&path) => files.push(path),
            Ok(_) => {}
            Err(error) => unreadable.push(Unreadable { path, error }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_rules_in_order_and_nothing_else() {
        let root = tempfile::tempdir().expect("a folder");
        for file in [
            "b.kql",
            "a/z.yaml",
            "a/y.yml",
            "a/x.WASM",
            "a/z.test.yaml",
            "a/z.test.yml",
            "streams/windows.yaml",
            ".git/hook.kql",
            "README.md",
            "a/no_extension",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
        let named =
            [root.path().to_owned(), root.path().join("b.kql"), root.path().join("README.md"), "nowhere".into()];
        let (files, unreadable) = discover(&named);
        let files: Vec<_> = files.iter().map(|file| file.strip_prefix(root.path()).expect("inside")).collect();
        assert_eq!(files, ["a/x.WASM", "a/y.yml", "a/z.yaml", "b.kql"].map(Path::new), "each once");
        assert_eq!(unreadable.len(), 2);
        assert!(unreadable[0].error.to_string().contains("not a rule"), "{unreadable:?}");
    }

    #[test]
    fn a_source_counts_and_not_the_component_beside_it() {
        let root = tempfile::tempdir().expect("a folder");
        for file in ["a.kql", "a.wasm", "b.wasm", "b.yaml", "c.WASM", "c.yml", "d.test.yaml", "d.wasm", "e/a.wasm"] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
        let inside = |file: &str| root.path().join(file);
        for (named, expected) in [
            (vec![root.path().to_owned()], &["a.kql", "b.yaml", "c.yml", "d.wasm", "e/a.wasm"][..]),
            (vec![inside("b.wasm"), inside("b.yaml")], &["b.yaml"]),
            (vec![inside("b.wasm")], &["b.wasm"]),
        ] {
            let (files, unreadable) = discover(&named);
            assert!(unreadable.is_empty(), "{unreadable:?}");
            assert_eq!(files, expected.iter().map(|file| inside(file)).collect::<Vec<_>>(), "{named:?}");
        }
    }
}
