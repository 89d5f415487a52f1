//! The examples of the KQL reference pages, run through the interpreter.
//!
//! Every case of `reference_cases.json` (of the shared corpus, see its README) that parses and whose constructs are
//! supported must give the documented table, as printed. Compared leniently is only what the pages themselves print in
//! several ways; a page that cannot be met is listed with the reason.

use std::{env, fs, path::Path};

use serde::Deserialize;

use super::{ReferenceError, Table, Value, evaluate, render};
use crate::{diagnostic::Diagnostic, kql};

#[derive(Deserialize)]
struct Case {
    file: String,
    q: String,
    cols: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Cases whose documented result cannot be met: a part of the query, and why. One that is met fails the test.
const EXCEPTIONS: [(&str, &str); 6] = [
    ("range LastWeek from ago(7d)", "the result is that of the day on which the page was written, and is abridged"),
    (r#"space = "Hello\u00A0World""#, "the page prints a plain space for the no-break space"),
    ("MultiLineString = strcat(", "the page shows how a client draws the lines"),
    ("edilla') // the first character", "the page calls the column `length`, which is the query before it"),
    ("print program = ```", "the page's table draws the lines of the string as one"),
    (r#"strcat("-  ","Te st",x,"#, "the query lacks its first line, where `x` comes from"),
];

/// Fewer cases covered than this means that something stopped working.
const COVERED_MIN: usize = 12;

#[test]
fn reference_pages() {
    let Some(shared) = env::var_os("SANDTRAP_SHARED") else {
        return;
    };
    let text = fs::read_to_string(Path::new(&shared).join("corpus/kql/reference_cases.json")).expect("readable");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("an array of cases");
    let (mut covered, mut right) = (0, 0);
    let mut wrong = Vec::new();
    for case in &cases {
        let parsed = kql::parse(&case.q);
        let Some(query) = parsed.query.filter(|_| !parsed.diagnostics.iter().any(Diagnostic::is_error)) else {
            continue;
        };
        let result = evaluate(&query, &|_| None, 0);
        if matches!(result, Err(ReferenceError::Unsupported { .. })) {
            continue;
        }
        let difference = difference(case, &result);
        if let Some((_, reason)) = EXCEPTIONS.iter().find(|(part, _)| case.q.contains(part)) {
            assert!(difference.is_some(), "{} is met although {reason}", case.q);
            continue;
        }
        covered += 1;
        match difference {
            None => right += 1,
            Some(difference) => wrong.push(format!("{}\n{}\n{difference}", case.file, case.q)),
        }
    }
    println!("reference cases: {covered} covered, {right} right");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(covered >= COVERED_MIN, "only {covered} cases are covered");
}

fn difference(case: &Case, result: &Result<Table, ReferenceError>) -> Option<String> {
    let table = match result {
        Ok(table) => table,
        Err(error) => return Some(error.to_string()),
    };
    let columns: Vec<_> = table.columns.iter().map(|(name, _)| name.clone()).collect();
    let same = columns == case.cols
        && table.rows.len() == case.rows.len()
        && table.rows.iter().zip(&case.rows).all(|(row, documented)| {
            row.len() == documented.len() && row.iter().zip(documented).all(|(cell, text)| prints_as(cell, text))
        });
    let shown: Vec<Vec<_>> = table.rows.iter().map(|row| row.iter().map(render).collect()).collect();
    (!same).then(|| format!("documented {:?} {:?}\ngiven      {columns:?} {shown:?}", case.cols, case.rows))
}

/// The pages print null as nothing or as `null`, booleans with and without a capital, datetimes also in ISO 8601, and
/// dynamics with and without spaces.
fn prints_as(cell: &Value, documented: &str) -> bool {
    let documented = documented.trim();
    match cell {
        Value::Null => documented.is_empty() || documented == "null",
        Value::Bool(value) => documented.eq_ignore_ascii_case(&value.to_string()),
        Value::Datetime(ticks) => {
            super::time::parse_datetime(documented).is_some_and(|documented| documented == *ticks)
        }
        Value::Dynamic(json) => {
            serde_json::from_str(documented).is_ok_and(|documented: serde_json::Value| documented == *json)
        }
        other => render(other).trim() == documented,
    }
}
