//! Files of several documents.

use sandtrap_compiler::sigma::{ast::Document, parse};

use super::show::{found, rules, shown_search, with};

#[test]
fn a_wrong_document_costs_no_other() {
    let good = with("s: x\ncondition: s").replace("id: i\n", "");
    let bad = with("s: x\ncondition: t");
    let text = format!("---\n{good}---\n{bad}---\n&a title: T\n---\n{good}---\n");
    let parsed = parse(&text, "dir/name.yml");
    assert_eq!(found(&parsed, &text).into_iter().map(|(code, _)| code).collect::<Vec<_>>(), ["SIG0302", "RUL0005"]);
    let ids: Vec<_> = parsed
        .documents
        .iter()
        .map(|document| match document {
            Document::Rule(rule) => (rule.metadata.id.as_str(), &text[rule.span.clone()][..8]),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [("name", "title: T"), ("name-2", "title: T")]);
}

#[test]
fn collections_are_put_together() {
    let text = "\
action: global
title: T
id: g
detection:
  s: {A: 1, B: 2}
  condition: s
---
action: global
level: low
---
logsource: {product: a}
---
title: U
id: u
level: high
logsource: {product: b}
detection:
  s: {B: 3}
---
action: repeat
logsource: {service: c}
---
action: reset
---
title: V
id: v
logsource: {product: d}
detection:
  s: x
  condition: s
";
    let shown: Vec<_> = rules(text)
        .into_iter()
        .map(|rule| {
            let search = shown_search(&rule.detection.searches[0].search);
            let metadata = rule.metadata;
            format!("{} {} {:?} {} {search}", metadata.title, metadata.id, metadata.level, rule.logsource)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "T g Some(Low) a/*/* (A=1 & B=2)",
            "U u Some(High) b/*/* (A=1 & B=3)",
            "U u-2 Some(High) b/*/c (A=1 & B=3)",
            "V v None d/*/* *='x'",
        ]
    );
    assert_eq!(found(&parse(text, "f.yml"), text), [("SIG0009", "u")]);
}

#[test]
fn merged_parts_keep_their_places() {
    let text = "\
action: global
title: T
detection:
  s: {A|contan: 1}
---
logsource: {product: a}
detection:
  condition: s and t
---
logsource: {product: b}
detection:
  condition: s
---
action: repeat
detection: {condition: u}
";
    let parsed = parse(text, "f.yml");
    let expected = [("SIG0201", "contan"), ("SIG0302", "t"), ("SIG0302", "u")];
    assert_eq!((found(&parsed, text), parsed.documents), (expected.to_vec(), vec![]));
}

#[test]
fn a_repeat_of_what_is_wrong_is_not_reported_again() {
    let text = "- no rule\n---\naction: repeat\nlevel: low\n";
    assert_eq!(found(&parse(text, "f.yml"), text), [("SIG0001", "- no rule")]);
}

#[test]
fn collections_cannot_explode() {
    let values = "x, ".repeat(20_000);
    let mut text = format!("action: global\ntitle: T\nlogsource: {{product: a}}\ndetection:\n  s: [{values}x]\n");
    for _ in 0..60 {
        text += "---\ndetection: {condition: s}\n";
    }
    let parsed = parse(&text, "f.yml");
    assert!(!parsed.documents.is_empty() && parsed.documents.len() < 60, "{}", parsed.documents.len());
    assert!(parsed.diagnostics.iter().all(|found| found.code == "SIG0011"), "{:?}", parsed.diagnostics);
}
