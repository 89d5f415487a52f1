//! No rule file makes loading panic, or a diagnostic or the query point outside the file.

use proptest::prelude::*;
use sandtrap_compiler::rule::load;

/// A file with every kind of scalar, to mutate.
const FILE: &str = "\u{feff}id: 'é'
name: \"n\\u00e9\"
severity: High
tactics: [CommandAndControl]
requiredDataConnectors:
    - connectorId: X
    dataTypes:
        - T
query: |
  T | where a == 'é'

    | count
version: 1.0.0 # comment
";

/// What YAML is made of.
const PIECES: [&str; 26] = [
    ":", ": ", "-", "- ", "\n", "\n  ", "\r\n", "'", "\"", "|", ">", "|2-", "[", "]", "{", "}", ",", "&a ", "*a",
    "!!str ", "#", "---\n", "...", "\\", "%", "\t",
];

/// Every promise that holds for any file.
fn check(name: &str, text: &str) {
    let loaded = load(name, text);
    let errors = loaded.diagnostics.iter().filter(|found| found.is_error()).count();
    assert_eq!(loaded.rule.is_some(), errors == 0, "{text:?}: a rule or an error, {:?}", loaded.diagnostics);
    for found in &loaded.diagnostics {
        assert!(text.get(found.span.clone()).is_some(), "{text:?}: {found} is not in the file");
    }
    let Some(rule) = loaded.rule else { return };
    let mut before = 0;
    for (at, c) in rule.query.char_indices() {
        let span = rule.locate(&(at..at + c.len_utf8()));
        assert!(text.get(span.clone()).is_some() && before <= span.start, "{text:?}: {at} is at {span:?}");
        before = span.start;
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
        check("a.yaml", &text);
        check("a.kql", &text);
    }

    #[test]
    fn any_query_in_any_style(query in "[ -~é\n\r\t]{0,60}", style in prop::sample::select(vec!["|\n  ", "|-\n    ", ">\n  ", ">+\n ", "", "'", "\""])) {
        let indented = query.replace('\n', "\n    ");
        let close = if matches!(style, "'" | "\"") { style } else { "" };
        check("a.yml", &format!("id: a\nname: b\nquery: {style}{indented}{close}\nkind: Scheduled\n"));
    }

    #[test]
    fn pieces(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        check("a.yaml", &pieces.concat());
    }

    #[test]
    fn mutated_files(
        piece in prop::sample::select(&PIECES[..]),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let characters: Vec<char> = FILE.chars().collect();
        let (from, to) = (from.index(characters.len()), to.index(characters.len()));
        let before: String = characters[..from].iter().collect();
        let behind: String = characters[to..].iter().collect();
        check("a.yaml", &format!("{before}{piece}{behind}"));
    }
}

#[test]
fn the_file_itself_loads() {
    let loaded = load("a.yaml", FILE);
    assert!(loaded.rule.is_some(), "{:?}", loaded.diagnostics);
    check("a.yaml", FILE);
}
