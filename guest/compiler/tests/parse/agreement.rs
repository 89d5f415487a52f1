//! The parser accepts what Microsoft's own parser accepts.
//!
//! `microsoft.txt` has one query per line, as a JSON string, with the verdict of npm's `@kusto/language-service-next`
//! 12.4.1 before it. `cargo xtask kql-oracle` compares whole rules; here each line is about one point of the grammar.

use sandtrap_compiler::{
    diagnostic::Diagnostic,
    kql::{Parsed, parse},
};

/// Queries that we refuse and Microsoft's parser accepts, and why. One that is accepted fails the test.
const STRICTER: &[(&str, &[&str])] = &[];

/// Queries that we accept and Microsoft's parser refuses, and why. One that is refused fails the test.
const LAXER: &[(&str, &[&str])] = &[];

fn errors(parsed: &Parsed) -> Vec<&Diagnostic> {
    parsed.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect()
}

fn is_among(query: &str, exceptions: &[(&str, &[&str])]) -> bool {
    exceptions.iter().any(|(_, queries)| queries.contains(&query))
}

#[test]
fn grammar() {
    let mut wrong = Vec::new();
    for line in include_str!("microsoft.txt").lines() {
        let (verdict, query) = line.split_once(' ').expect("a verdict and a query");
        let query: String = serde_json::from_str(query).expect("a JSON string");
        let parsed = parse(&query);
        let errors = errors(&parsed);
        let theirs = verdict == "accepts";
        let ours = errors.iter().all(|error| error.message.contains("not supported"));
        let expected = if is_among(&query, STRICTER) || is_among(&query, LAXER) { !theirs } else { theirs };
        if ours != expected {
            wrong.push(format!("{query:?}: Microsoft's parser {verdict} it, ours says {errors:?}"));
        }
        assert_eq!(parsed.query.is_some(), errors.is_empty(), "{query:?}: a tree or an error");
    }
    assert!(wrong.is_empty(), "{} lines\n{}", wrong.len(), wrong.join("\n"));
}
