//! Which files of the paths that a person names are rules.
//!
//! Folders are searched in the order of their names, so that the same tree always gives the same rule set. Tests
//! (`*.test.yaml`), the streams folder, hidden files and links to folders are passed over.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// How deep folders are searched.
const DEPTH_MAX: usize = 32;

/// What a rule file holds, by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// KQL text, or a YAML envelope around it.
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
    name.to_ascii_lowercase().rsplit_once('.').is_some_and(|(stem, _)| stem.strip_suffix(".test").is_some())
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
            Ok(found) if found.is_dir() => search(path, DEPTH_MAX, &mut files, &mut unreadable),
            Ok(_) if RuleKind::of(path).is_some() => files.push(path.clone()),
            Ok(_) => unreadable.push(Unreadable {
                path: path.clone(),
                error: io::Error::other("not a rule: expected a folder or a .kql, .yaml, .yml or .wasm file"),
            }),
            Err(error) => unreadable.push(Unreadable { path: path.clone(), error }),
        }
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    (files, unreadable)
}

fn search(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, unreadable: &mut Vec<Unreadable>) {
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
            Ok(kind) if kind.is_dir() && name != "streams" => search(&path, depth, files, unreadable),
            Ok(kind) if !kind.is_dir() && path.is_file() && RuleKind::of(&path).is_some() => files.push(path),
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
}
