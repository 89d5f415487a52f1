//! The parser accepts what Microsoft's own parser accepts.
//!
//! `microsoft.txt` has one query per line, as a JSON string, with the verdict of npm's `@kusto/language-service-next`
//! 12.4.1 before it. `cargo xtask kql-oracle` compares whole rules; here each line is about one point of the grammar.

use sandtrap_compiler::{
    diagnostic::Diagnostic,
    kql::{Parsed, parse},
};

/// Queries that we refuse and Microsoft's parser accepts, and why. One that is accepted fails the test.
const STRICTER: &[(&str, &[&str])] = &[
    (
        "values are checked here, not later",
        &[
            "print long(x)",
            "print datetime(abc)",
            "print datetime(2020-13-01)",
            "print time(x)",
            "print long(null), long('5'), long(-5), long(+5), long(1.5), long( 5 ), long(0x10), long(true), long()",
            "print int(99999999999)",
            "print bool(x)",
            "print real(x)",
            "print guid(x)",
            "print 99999999999999999999",
            "print 0x1FFFFFFFFFFFFFFFF",
            "print 9223372036854775808",
            "print -9223372036854775808",
        ],
    ),
    ("a detection has one result", &["T | take 5; T", "print 1;print 2", "T | where a\n;U"]),
    ("a detection has a result", &["let x=1", "let x=1;", "// c", "", "  "]),
    ("an operator without anything to do is a slip", &["T | summarize", "T | project"]),
    (
        "no known query is written like this",
        &[
            "T | extend by = 1",
            "T | distinct x=a",
            "let | count",
            "T | where [a] == 1",
            "T | where ['a'](1)",
            "T | where {a}",
        ],
    ),
];

/// Queries that we accept and Microsoft's parser refuses, and why. One that is refused fails the test.
const LAXER: &[(&str, &[&str])] = &[
    (
        "few words are reserved here; a column or table of such a name is looked up like any other",
        &[
            "T | project title, query, first",
            "T | project where",
            "T | project title",
            "T | project first",
            "T | project last",
            "T | project of",
            "T | project to",
            "T | project print",
            "T | project set",
            "T | project sample",
            "T | project as",
            "T | project find",
            "T | project search",
            "T | project union",
            "T | project materialize",
            "T | project toscalar",
            "T | project queries",
            "where | count",
            "search | count",
            "print | count",
            "set | count",
        ],
    ),
    (
        "the binder refuses it, with a better message",
        &[
            "materialize(T)",
            "T | project *",
            "T | project a=*",
            "T | summarize *",
            "T | summarize count() by *",
            "T | where a == *",
            "datatable(a:foo)[1]",
            "datatable(a:long)[1+1]",
        ],
    ),
    ("white space does no harm", &["T | take 5;;", "T | where a matches  regex 'x'", "T | where a matches\nregex 'x'"]),
];

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
        // What is known and not supported is accepted as far as the grammar goes.
        let ours = errors.iter().all(|error| error.message.contains("not supported"));
        let expected = if is_among(&query, STRICTER) || is_among(&query, LAXER) { !theirs } else { theirs };
        if ours != expected {
            wrong.push(format!("{query:?}: Microsoft's parser {verdict} it, ours says {errors:?}"));
        }
        assert_eq!(parsed.query.is_some(), errors.is_empty(), "{query:?}: a tree or an error");
    }
    assert!(wrong.is_empty(), "{} lines\n{}", wrong.len(), wrong.join("\n"));
}
