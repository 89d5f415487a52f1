//! Every rule of the `SigmaHQ` repository is read.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use sandtrap_compiler::{
    diagnostic::Diagnostic,
    sigma::{ast::Document, is_sigma, parse},
};

/// How many rules the shared corpus has.
const RULES: usize = 3_757;

fn rules(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of rules") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rules(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            found.push(path);
        }
    }
}

#[test]
fn every_rule_of_the_corpus_is_read_without_errors() {
    let Some(shared) = env::var_os("SANDTRAP_SHARED") else { return };
    let mut paths = Vec::new();
    for entry in fs::read_dir(Path::new(&shared).join("corpus/sigma")).expect("the corpus") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rules")) {
            rules(&path, &mut paths);
        }
    }
    paths.sort();
    assert_eq!(paths.len(), RULES);
    let mut wrong = Vec::new();
    let mut warnings: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a rule in UTF-8");
        let name = path.to_string_lossy();
        let parsed = parse(&text, &name);
        let is_one_rule = matches!(parsed.documents.as_slice(), [Document::Rule(_)]);
        if !is_sigma(&text) || !is_one_rule || parsed.diagnostics.iter().any(Diagnostic::is_error) {
            wrong.push(format!("{name}: {:?}", parsed.diagnostics));
        }
        for found in parsed.diagnostics {
            assert!(text.get(found.span.clone()).is_some(), "{name}: {found} is not in the file");
            warnings.entry(found.code).or_insert_with(|| (0, format!("{name}: {found}"))).0 += 1;
        }
    }
    println!("{warnings:#?}");
    assert!(wrong.is_empty(), "{} are not read: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}
