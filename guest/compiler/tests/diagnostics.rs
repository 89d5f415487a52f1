//! Every code that the compiler gives is documented in docs/diagnostics.md, and nothing else is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What codes begin with; four digits follow.
const PREFIXES: [&str; 6] = ["KQL", "SIG", "PIP", "SEN", "RUL", "EMIT"];

/// The codes in a text that stand between `quote` and the same again.
fn codes(text: &str, quote: char) -> BTreeSet<String> {
    let is_code = |word: &&str| {
        PREFIXES
            .iter()
            .filter_map(|prefix| word.strip_prefix(prefix))
            .any(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.split(quote).map(str::trim).filter(is_code).map(str::to_owned).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_code_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    files(&root.join("src"), &mut sources);
    let given: BTreeSet<_> =
        sources.iter().flat_map(|path| codes(&fs::read_to_string(path).expect("a source"), '"')).collect();
    let document = fs::read_to_string(root.join("../../docs/diagnostics.md")).expect("docs/diagnostics.md");
    let documented = codes(&document, '|');
    assert!(given.len() > 40, "only {given:?} were found");
    let undocumented: Vec<_> = given.difference(&documented).collect();
    let unknown: Vec<_> = documented.difference(&given).collect();
    assert!(
        undocumented.is_empty() && unknown.is_empty(),
        "not documented: {undocumented:?}; never given: {unknown:?}"
    );
}
