//! No text makes the parser panic, run out of stack or point outside the text.

use std::{env, fs, path::Path};

use proptest::prelude::*;
use sandtrap_compiler::kql::{HEIGHT_MAX, QUERY_BYTES_MAX, parse};

/// Queries to mutate: much of the grammar in few characters.
const QUERIES: [&str; 4] = [
    "let a = now(-5d); let b = dynamic(['x', \"y\", {'z': datetime(2024-01-01)}]); T | where Time between (a .. now()) \
     and (Name has_any (b) or Url !in~ ('é', @'c\\', h'd')) | summarize N=count(), min(Time) by Name, bin(Time, 1h)",
    "datatable (['a b']: string, c: long) ['x' 'y', -1] | extend d = c * 2 + 1.5e3, e = c.f[0].['g'] | top 5 by d desc nulls last",
    "print a = ```x|y```, b = 0x1F, c = timespan(1.02:03:04.5), d = 74be27de-1e4e-49d9-b579-fe0b331d3642",
    "let T2 = (U | join kind=inner (V | where f(a, b=1)) on $left.a == $right.b | count); // comment\nT2 | mv-expand x | sort by y",
];

/// What the queries are cut into and joined from.
const PIECES: [&str; 28] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    ";",
    ",",
    "'",
    "\"",
    "@'",
    "```",
    "\\",
    "!",
    "$",
    "#",
    "é",
    "\u{200b}",
    "..",
    "==",
    "in",
    "has_any",
    "not(",
    "datetime(",
    "dynamic(",
    "//",
    "-",
];

/// Every promise that holds for any text.
fn check(text: &str) {
    let parsed = parse(text);
    let errors = parsed.diagnostics.iter().filter(|found| found.is_error()).count();
    assert_eq!(parsed.query.is_some(), errors == 0, "{text:?}: a tree or an error, {:?}", parsed.diagnostics);
    for found in &parsed.diagnostics {
        assert!(text.get(found.span.clone()).is_some(), "{text:?}: {found} is not in the text");
    }
}

/// At least 2,000 cases; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { failure_persistence: None, cases: asked.cases.max(2_000), ..asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn pieces_of_queries(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        check(&pieces.join(" "));
        check(&pieces.concat());
    }

    #[test]
    fn mutated_queries(
        query in prop::sample::select(&QUERIES[..]),
        piece in prop::sample::select(&PIECES[..]),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let characters: Vec<char> = query.chars().collect();
        let (from, to) = (from.index(characters.len()), to.index(characters.len()));
        let before: String = characters[..from].iter().collect();
        let behind: String = characters[to..].iter().collect();
        check(&format!("{before}{piece}{behind}"));
    }
}

#[test]
fn depth_is_an_error() {
    for (first, open) in [
        ("", "("),
        ("", "not("),
        ("", "-("),
        ("", "a["),
        ("", "f(1 + "),
        ("", "a in ("),
        ("", "a between ("),
        ("", "T | where ("),
        ("", "(T | where a in ("),
        ("dynamic(", "["),
        ("dynamic(", "{'a':"),
    ] {
        let deep = format!("{first}{}", open.repeat(50_000));
        for text in [format!("T | where {deep}"), format!("let a = {deep}"), deep.clone(), format!("print {deep}")] {
            let parsed = parse(&text);
            let codes: Vec<_> = parsed.diagnostics.iter().map(|found| found.code).collect();
            assert!(codes.contains(&"KQL0204"), "{open} is {codes:?}");
        }
    }
}

/// The deepest trees that are accepted; dropping and cloning them walks them.
#[test]
fn the_deepest_accepted_trees_fit_the_stack_of_a_thread() {
    let chain = format!("1{}", " + 1".repeat(HEIGHT_MAX as usize - 2));
    let mut accepted = 0;
    for (open, close) in
        [("(", ")"), ("not(", ")"), ("a[", "]"), ("f(1, ", ")"), ("a in (", ")"), ("(T | where a in (", "))")]
    {
        for depth in 1..HEIGHT_MAX as usize {
            for inner in ["a", chain.as_str()] {
                let text = format!("T | where {}{inner}{}", open.repeat(depth), close.repeat(depth));
                if let Some(query) = parse(&text).query {
                    assert_eq!(query.clone(), query);
                    accepted += 1;
                }
            }
        }
    }
    assert!(accepted > 100, "only {accepted} are accepted");
}

#[test]
fn long_rules_are_no_deep_trees() {
    for word in ["or", "and"] {
        let text = format!("T | where {}", vec!["a has 'b'"; 20_000].join(&format!(" {word} ")));
        assert_eq!(parse(&text).diagnostics, []);
    }
    let list = format!("T | where a in ({})", vec!["'b'"; 100_000].join(", "));
    assert_eq!(parse(&list).diagnostics, []);
}

#[test]
fn a_query_has_a_greatest_length() {
    let text = format!("T // {}", " ".repeat(QUERY_BYTES_MAX));
    let parsed = parse(&text);
    assert_eq!((parsed.query, parsed.diagnostics[0].code), (None, "KQL0101"));
}

/// With `SANDTRAP_SHARED`: valid queries of the public corpus are accepted or use something that is named, those of the
/// RMM hunts are accepted; and nothing happens to queries that are cut short or lack a symbol.
#[test]
fn the_public_corpus() {
    let Some(shared) = env::var_os("SANDTRAP_SHARED") else { return };
    let text = fs::read_to_string(Path::new(&shared).join("corpus/kql/queries.jsonl")).expect("the corpus is readable");
    let mut refused = Vec::new();
    for line in text.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let query = entry["query"].as_str().expect("a query");
        check(query);
        let parsed = parse(query);
        if entry["valid"] == true && entry["corpus"] == "rmm" {
            assert!(parsed.query.is_some(), "{}: {:?}", entry["path"], parsed.diagnostics);
        }
        let named = |code: &str| matches!(code, "KQL0202" | "KQL0205" | "KQL0206" | "KQL0207" | "KQL0208");
        let errors = parsed.diagnostics.iter().filter(|found| found.is_error() && !named(found.code));
        if entry["valid"] == true && errors.count() > 0 {
            refused.push(format!("{}: {:?}", entry["path"], parsed.diagnostics));
        }
        for (at, c) in query.char_indices().filter(|(_, c)| !c.is_alphanumeric() && *c != ' ').step_by(7) {
            check(&query[..at]);
            check(&format!("{}{}", &query[..at], &query[at + c.len_utf8()..]));
        }
    }
    for refusal in &refused {
        println!("{refusal}");
    }
    // `datetime(now)`, `datetime("Insert date")` and `where a = true`, none of which runs.
    assert!(refused.len() <= 3, "{} valid queries are refused", refused.len());
}
