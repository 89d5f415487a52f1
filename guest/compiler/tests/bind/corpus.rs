//! Public queries, when the shared folder is at hand (`SANDTRAP_SHARED`).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sandtrap_compiler::kql::BindOptions;

use super::try_bind;

#[derive(serde::Deserialize)]
struct Entry {
    corpus: String,
    name: String,
    valid: bool,
    query: String,
}

fn shared() -> Option<PathBuf> {
    std::env::var_os("SANDTRAP_SHARED").map(PathBuf::from)
}

fn entries(shared: &Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(shared.join("corpus/kql/queries.jsonl")).expect("the corpus is there");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an entry")).collect()
}

#[test]
fn every_query_binds_or_is_refused_by_name_and_place() {
    let Some(shared) = shared() else { return };
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries(&shared) {
        let (program, diagnostics) = try_bind(&entry.query, BindOptions::default());
        let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
        assert_eq!(program.is_some(), errors.is_empty(), "{}: {errors:#?}", entry.name);
        for error in &errors {
            assert!(entry.query.get(error.span.clone()).is_some(), "{}: {error}", entry.name);
            let named = error.message.contains('`') || error.message.ends_with("is not supported yet");
            assert!(named || !error.code.starts_with("KQL05"), "{}: {error} names nothing", entry.name);
        }
        if let Some(program) = &program {
            assert_eq!(program.plan.validate().err(), None, "{}", entry.name);
        }
        let count = counts.entry(entry.corpus.clone()).or_default();
        count[0] += 1;
        count[1] += usize::from(entry.valid);
        count[2] += usize::from(entry.valid && program.is_some());
        if let (true, Some(error)) = (entry.valid, errors.first()) {
            let construct = error.message.split('`').nth(1).filter(|_| error.code > "KQL05").unwrap_or("");
            *codes.entry(format!("{} {construct}", error.code)).or_default() += 1;
        }
    }
    for (corpus, [all, valid, bound]) in &counts {
        println!("{corpus}: {bound} of {valid} valid queries bind ({all} in all)");
    }
    let mut codes: Vec<_> = codes.into_iter().collect();
    codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (code, count) in codes.iter().take(25) {
        println!("{count:5} {code}");
    }
    assert!(counts["rmm"][2] >= 160, "{counts:?}");
}
