//! No Sigma file makes reading it panic, a diagnostic point outside it, or a document that is not what the tree promises.

use proptest::prelude::*;
use sandtrap_compiler::{
    diagnostic::{Diagnostic, Span},
    sigma::{
        Parsed,
        ast::{Condition, Detection, Document, Search},
        is_sigma, parse, unused,
    },
};

/// A file with every form, to mutate.
const FILE: &str = "\u{feff}action: global
title: 'Tité'
tags: [attack.t1059, attack.execution]
date: 2024-01-01
---
id: \"r\\u00e9\"
name: one
logsource:
    product: windows
    category: process_creation
detection:
    selection_img:
        - Image|endswith: '\\cmd.exe'
          OriginalFileName: cmd.exe
        - Hashes|contains|all: [a, 'b*', 0x1F]
    selection_cli:
        CommandLine|re|i: 'a.*b'
        ParentImage: null
        Size|gte: 1.5
        Dst|cidr: 10.0.0.0/8
        Other|exists: true
        A|fieldref: B
        Time|hour: 3
    keywords:
        '|all':
            - é
            - '\u{2014}x'
    condition: >
        all of selection_* and not (keywords or
        1 of them)
fields: [A]
level: high
---
action: repeat
detection:
    condition: [keywords, selection_img]
---
action: reset
---
title: F
logsource: {product: windows}
filter:
    rules: [one]
    sel: {User|startswith: adm_}
    condition: not sel
---
title: C
correlation:
    type: value_count
    rules: [one]
    group-by: [Host]
    timespan: 5m
    condition: {gte: 5, field: User}
    aliases: {h: {one: Host}}
";

/// What Sigma, and YAML, are made of.
const PIECES: [&str; 54] = [
    ":",
    ": ",
    "-",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "\r\n",
    "'",
    "\"",
    "|",
    ">",
    "|2-",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!!str ",
    "#",
    "---\n",
    "...",
    "\\",
    "%",
    "\t",
    "|all",
    "|contains",
    "|re",
    "|base64",
    "|exists",
    "|windash",
    "|lt",
    "|cidr",
    " and ",
    " or ",
    " not ",
    "(",
    ")",
    " 1 of ",
    " all of ",
    "them",
    "sel*",
    "null",
    "true",
    "0x",
    "action: global\n",
    "action: repeat\n",
    "timeframe: 5m\n",
    "condition: ",
    "é",
    "?",
    "*",
];

fn check_span(text: &str, span: &Span) {
    assert!(text.get(span.clone()).is_some(), "{text:?}: {span:?} is not in the file");
}

fn check_condition(text: &str, condition: &Condition, searches: usize) {
    match condition {
        Condition::Or(parts) | Condition::And(parts) => {
            assert!(parts.len() > 1, "{text:?}: nothing is joined");
            for part in parts {
                check_condition(text, part, searches);
            }
        }
        Condition::Not(negated) => check_condition(text, negated, searches),
        Condition::Search { index, span } => {
            assert!(*index < searches, "{text:?}: {index}");
            check_span(text, span);
        }
        Condition::Of { searches: taken, span, .. } => {
            assert!(!taken.is_empty() && taken.iter().all(|index| *index < searches), "{text:?}: {taken:?}");
            check_span(text, span);
        }
    }
}

fn check_search(text: &str, search: &Search) {
    match search {
        Search::All(parts) | Search::Any(parts) => {
            assert!(!parts.is_empty(), "{text:?}: an empty search");
            for part in parts {
                check_search(text, part);
            }
        }
        Search::Item(item) => {
            assert!(!item.values.is_empty(), "{text:?}: no values");
            check_span(text, &item.span);
            item.values.iter().for_each(|value| check_span(text, &value.span));
            item.modifiers.iter().for_each(|modifier| check_span(text, &modifier.span));
        }
    }
}

fn check_detection(text: &str, detection: &Detection) {
    assert!(!detection.conditions.is_empty() && unused(detection).len() <= detection.searches.len());
    for search in &detection.searches {
        check_span(text, &search.span);
        check_search(text, &search.search);
    }
    for condition in &detection.conditions {
        check_condition(text, condition, detection.searches.len());
    }
}

/// Every promise that holds for any file.
fn check(text: &str) -> Parsed {
    is_sigma(text);
    let parsed = parse(text, "a.yml");
    for found in &parsed.diagnostics {
        check_span(text, &found.span);
    }
    for document in &parsed.documents {
        match document {
            Document::Rule(rule) => {
                check_span(text, &rule.span);
                check_detection(text, &rule.detection);
            }
            Document::Filter(filter) => {
                check_span(text, &filter.span);
                check_detection(text, &filter.detection);
            }
            Document::Correlation(rule) => check_span(text, &rule.span),
        }
    }
    parsed
}

/// At least 2,000 cases; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { failure_persistence: None, cases: asked.cases.max(2_000), ..asked }
}

fn boundary(text: &str, at: prop::sample::Index) -> usize {
    let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    boundaries[at.index(boundaries.len())]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn pieces(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        check(&pieces.concat());
    }

    #[test]
    fn any_condition(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30)) {
        let condition = pieces.concat().replace('\'', "''").replace('\n', " ");
        check(&format!("title: T\nlogsource: {{product: a}}\ndetection:\n  sel: x\n  them: y\n  condition: '{condition}'\n"));
    }

    #[test]
    fn any_key(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..8), value in "[-%*?0-9a-z. ]{0,6}") {
        let key = pieces.concat().replace('\'', "''").replace('\n', " ");
        check(&format!("title: T\nlogsource: {{product: a}}\ndetection:\n  s: {{'F{key}': {value}}}\n  condition: s\n"));
    }

    #[test]
    fn mutated_files(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..3),
        from in any::<prop::sample::Index>(),
        length in 0_usize..12,
    ) {
        let from = boundary(FILE, from);
        let to = FILE.char_indices().map(|(at, _)| at).find(|at| *at >= from + length).unwrap_or(FILE.len());
        check(&format!("{}{}{}", &FILE[..from], pieces.concat(), &FILE[to..]));
    }

    #[test]
    fn shuffled_lines(lines in prop::collection::vec(prop::sample::select(FILE.lines().collect::<Vec<_>>()), 0..30)) {
        check(&lines.join("\n"));
    }
}

#[test]
fn the_file_itself_is_read() {
    let parsed = check(FILE);
    assert_eq!(parsed.documents.len(), 4);
    assert!(!parsed.diagnostics.iter().any(Diagnostic::is_error), "{:?}", parsed.diagnostics);
}

#[test]
fn a_flood_of_mistakes_is_cut_short() {
    let keys = "|x".repeat(50_000);
    let same = "a: 1\n".repeat(20_000);
    let undefined = "x and ".repeat(2_000) + "x";
    for text in [
        format!("title: T\ndetection: {{s: {{'{keys}': 1}}}}\n"),
        same,
        format!("title: T\nlogsource: {{product: a}}\ndetection:\n  s: x\n  condition: [{undefined}]\n"),
    ] {
        let parsed = check(&text);
        assert!((1..=200).contains(&parsed.diagnostics.len()), "{}", parsed.diagnostics.len());
        assert_eq!(parsed.documents, []);
    }
}
