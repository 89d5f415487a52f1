//! Every query of the public corpus either compiles or is refused with a named construct and its place.
//!
//! Runs when `SANDTRAP_SHARED` names the folder with the corpora; prints how many queries of which collection compile.

use std::{collections::BTreeMap, fs, path::Path};

use sandtrap_compiler::kql::{self, BindOptions};

#[derive(Default)]
struct Tally {
    queries: usize,
    valid: usize,
    parse: usize,
    compile: usize,
}

#[test]
fn corpus() {
    let Some(shared) = std::env::var_os("SANDTRAP_SHARED") else { return };
    let text = fs::read_to_string(Path::new(&shared).join("corpus/kql/queries.jsonl")).expect("the corpus is readable");
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let query = entry["query"].as_str().expect("a query");
        let valid = entry["valid"].as_bool().unwrap_or(false);
        let tally = tallies.entry(entry["corpus"].as_str().unwrap_or("?").to_owned()).or_default();
        tally.queries += 1;
        tally.valid += usize::from(valid);
        let parsed = kql::parse(query);
        let place = format!("{} {}", entry["path"], entry["name"]);
        for diagnostic in &parsed.diagnostics {
            assert!(query.get(diagnostic.span.clone()).is_some(), "{place}: {diagnostic} is not in the query");
        }
        let Some(tree) = parsed.query else {
            let first =
                parsed.diagnostics.iter().find(|found| found.is_error()).expect("a reason for refusing a query");
            if valid {
                *reasons.entry(format!("{} {}", first.code, first.message)).or_default() += 1;
                if std::env::var_os("SHOW").is_some() {
                    println!(
                        "{place}: {first}\n   {:?}",
                        &query[first.span.start..].chars().take(60).collect::<String>()
                    );
                }
            }
            continue;
        };
        tally.parse += 1;
        let bound = kql::bind(&tree, &BindOptions::default());
        for diagnostic in &bound.diagnostics {
            assert!(query.get(diagnostic.span.clone()).is_some(), "{place}: {diagnostic} is not in the query");
        }
        if bound.program.is_some() {
            tally.compile += usize::from(valid);
        } else {
            let first = bound.diagnostics.iter().find(|found| found.is_error());
            let first = first.unwrap_or_else(|| panic!("{place}: refused without a reason"));
            *reasons.entry(format!("{} {}", first.code, first.message)).or_default() += 1;
        }
    }
    for (corpus, Tally { queries, valid, parse, compile }) in &tallies {
        println!("{corpus}: {queries} queries, {valid} valid, {parse} parse, {compile} of the valid ones compile");
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in reasons.iter().take(25) {
        println!("{count:5} {reason}");
    }
    assert!(tallies["rmm"].compile >= 160, "at least 160 of the 164 valid RMM hunts compile");
}
