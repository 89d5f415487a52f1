//! Invariant 3: a component's answers equal the reference interpreter's for the query it was compiled from.
//!
//! Generated queries run over generated rows, once compiled, in the sandbox and through the dataflow, and once in the
//! interpreter, which shares no evaluation code with either. A query that gives verdicts about single rows also runs
//! through the evaluator as `sandtrap run` calls it, whose verdicts must be the same rows in some order. Along the way every row that a component picks is held
//! against the prefilter that it declared, which must admit it. A failure prints the seed, the query and the row.

mod generate;
mod random;
mod run;
mod streamed;

use random::Random;
use run::{Outcome, Sandbox};

/// Queries and the rows for each: 50,000 pairs at least. `SANDTRAP_DIFFERENTIAL_QUERIES` asks for more.
const QUERIES: u64 = 640;
const ROWS: usize = 100;

#[test]
fn components_equal_the_reference_interpreter() {
    let sandbox = Sandbox::new();
    let (mut compared, mut refused, mut rows_given, mut sorted_verdicts) = (0, 0, 0, 0);
    let more = std::env::var("SANDTRAP_DIFFERENTIAL_QUERIES").ok().and_then(|text| text.parse().ok());
    for seed in 0..more.unwrap_or(QUERIES).max(QUERIES) {
        let mut random = Random::new(seed);
        let query = generate::query(&mut random);
        let rows: Vec<_> = (0..ROWS).map(|_| generate::row(&mut random)).collect();
        match sandbox.compare(&query, &rows) {
            Ok(Outcome::Equal { rows, streamed }) => {
                compared += 1;
                rows_given += rows;
                sorted_verdicts += if streamed && query.contains("| sort") { rows } else { 0 };
            }
            Ok(Outcome::BothRefuse) => refused += 1,
            Ok(Outcome::BinderRefuses(reason)) => panic!("seed {seed}\n{query}\nonly the binder refuses it: {reason}"),
            Err(difference) => panic!("seed {seed}\n{query}\n{difference}"),
        }
    }
    println!("{compared} queries over {ROWS} rows each, {rows_given} rows given, {refused} queries refused by both");
    assert!(compared * ROWS >= 50_000, "only {compared} queries were compared");
    assert!(sorted_verdicts > 0, "no sorted query gave verdicts as rows came");
    assert!(rows_given > compared, "most queries give no rows: the generator misses");
}

/// The examples of the KQL reference pages: the interpreter gives what the pages document (its own tests), and the
/// component gives what the interpreter does.
#[test]
fn components_equal_the_reference_pages() {
    let Some(shared) = std::env::var_os("SANDTRAP_SHARED") else { return };
    let path = std::path::Path::new(&shared).join("corpus/kql/reference_cases.json");
    let text = std::fs::read_to_string(path).expect("the reference cases are readable");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("an array of cases");
    let sandbox = Sandbox::new();
    let (mut compared, mut refused) = (0, 0);
    for case in &cases {
        let query = case["q"].as_str().expect("a query");
        if sandtrap_compiler::kql::parse(query).query.is_none() {
            refused += 1;
            continue;
        }
        match sandbox.compare(query, &[]) {
            Ok(Outcome::Equal { .. }) => compared += 1,
            Ok(Outcome::BothRefuse) => refused += 1,
            Ok(Outcome::BinderRefuses(reason)) => {
                println!("refused: {query}\n  {reason}");
                refused += 1;
            }
            Err(difference) => panic!("{}\n{query}\n{difference}", case["file"]),
        }
    }
    println!("reference pages: {compared} of {} cases covered and right, {refused} refused by name", cases.len());
    assert!(compared >= 15, "only {compared} cases are covered");
}
