//! What a rule says about itself, and files that are no rules.

use sandtrap_compiler::sigma::{
    ast::{Condition, Document, Search},
    parse,
};
use sandtrap_wit::manifest::{Confidence, Level, Status};

use super::show::{found, rule, with};

#[test]
fn everything_a_manifest_has_can_be_said() {
    let text = "\
title: ' A title '
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
name: a_name
related:
  - id: 08fbc97d-0a2f-491c-ae21-8ffcfd3174e9
    type: derived
taxonomy: sigma
status: test
description: |
  Two
  lines.
license: MIT
namespace: acme
version: 1.10
confidence: low
author: A, B (C),, D
references:
  - https://a.example
date: 2024-02-29
modified: '2024-12-31'
tags:
  - attack.command-and-control
  - attack.defense_evasion
  - attack.t1059.001
  - attack.g0016
  - cve.2021-44228
fields: [A, B]
falsepositives: Unlikely
level: high
scope: [server]
logsource:
  category: Process_Creation
  product: windows
  definition: all
detection:
  s: x
  condition: s
our_own: {a: [b]}
";
    let parsed = parse(text, "f.yml");
    assert_eq!(found(&parsed, text), [("SIG0005", "attack.defense_evasion")], "as it was written before version 2");
    let rule = rule(text);
    let metadata = rule.metadata;
    assert_eq!(metadata.id, "929a690e-bef0-4204-a928-ef5e620d6fcc");
    assert_eq!((metadata.namespace.as_str(), metadata.title.as_str()), ("acme", "A title"));
    assert_eq!(metadata.description, "Two\nlines.");
    assert_eq!(metadata.version.as_deref(), Some("1.10"));
    assert_eq!(metadata.licence.as_deref(), Some("MIT"));
    assert_eq!(metadata.authors, ["A", "B (C)", "D"]);
    assert_eq!(metadata.references, ["https://a.example"]);
    assert_eq!(metadata.false_positives, ["Unlikely"]);
    assert_eq!((metadata.level, metadata.status), (Some(Level::High), Some(Status::Test)));
    assert_eq!(metadata.confidence, Some(Confidence::Low));
    assert_eq!(metadata.attack.tactics, ["Command and Control", "Defense Evasion"]);
    assert_eq!(metadata.attack.techniques, ["T1059.001"]);
    assert_eq!(metadata.tags, ["attack.g0016", "cve.2021-44228"]);
    assert_eq!((rule.name.as_deref(), rule.taxonomy.as_str()), (Some("a_name"), "sigma"));
    assert_eq!(rule.logsource.to_string(), "windows/process_creation/*");
    assert_eq!(&text[rule.logsource_span], "logsource");
    assert_eq!(rule.fields, ["A", "B"]);
    assert_eq!(rule.span, 0..text.trim_end().len());
}

#[test]
fn places_are_those_of_the_file() {
    let text = with("sé: {A|contains|all: [x, \"y\\u00e9\"]}\ncondition: 1 of s* and not sé");
    let detection = rule(&text).detection;
    assert_eq!(&text[detection.searches[0].span.clone()], "sé");
    let Search::All(items) = &detection.searches[0].search else { panic!("a map") };
    let Search::Item(item) = &items[0] else { panic!("an item") };
    assert_eq!(&text[item.span.clone()], "A|contains|all");
    assert_eq!(&text[item.modifiers[1].span.clone()], "all");
    assert_eq!(&text[item.values[1].span.clone()], "\"y\\u00e9\"");
    let Condition::And(parts) = &detection.conditions[0] else { panic!("an and") };
    let Condition::Of { span, .. } = &parts[0] else { panic!("an of") };
    assert_eq!(&text[span.clone()], "1 of s*");
    let Condition::Not(negated) = &parts[1] else { panic!("a not") };
    let Condition::Search { span, .. } = negated.as_ref() else { panic!("a search") };
    assert_eq!(&text[span.clone()], "sé");
}

#[test]
fn documents_that_are_wrong_say_where() {
    let rest = "logsource: {product: a}\ndetection:\n  s: x\n  condition: s\n";
    let long = "x".repeat(257);
    for (head, expected) in [
        ("id: i\n", vec![("SIG0003", "id")]),
        ("id: i\ntitle: ''\n", vec![("SIG0003", "''")]),
        ("id: i\ntitle: [T]\n", vec![("SIG0004", "title")]),
        ("title: T\nid: a/b\n", vec![("SIG0008", "a/b")]),
        ("title: T\nnamespace: ''\n", vec![("SIG0008", "''")]),
        ("title: T\ntitle: U\n", vec![("SIG0002", "title")]),
        ("title: T\nfields:\n  - {A: B}\n", vec![("SIG0004", "{A: B}")]),
        ("title: T\nfilter: {}\n", vec![("SIG0001", "filter")]),
        ("title: T\naction: glob\n", vec![("SIG0010", "glob")]),
        ("title: T\naction: repeat\n", vec![("SIG0010", "action")]),
        ("title: T\nlevel: severe\n", vec![("SIG0005", "severe")]),
        ("title: T\nstatus: available\n", vec![("SIG0005", "available")]),
        ("title: T\ndate: 2023-02-29\n", vec![("SIG0005", "2023-02-29")]),
        ("title: T\nmodified: 2024/01/01\n", vec![("SIG0005", "2024/01/01")]),
        ("title: T\ndate: 2024-+1-01\n", vec![("SIG0005", "2024-+1-01")]),
        ("title: T\ntags: [attack.t1059, 'Not a tag']\n", vec![("SIG0005", "'Not a tag'")]),
        ("title: T\nrelated:\n  - id: a\n    type: obsoletes\n", vec![("SIG0005", "obsoletes")]),
        ("title: T\nrelated:\n  - id: a\n", vec![("SIG0005", "id: a")]),
        ("title: T\nrelated: a\n", vec![("SIG0005", "related")]),
        ("title: T\nfalsepositives:\n  - Admins: many\n", vec![("SIG0005", "Admins: many")]),
        ("title: T\ntaxonomy: ecs\n", vec![("SIG0007", "ecs")]),
    ] {
        let text = format!("{head}{rest}");
        let parsed = parse(&text, "f.yml");
        assert_eq!(found(&parsed, &text), expected, "{head}");
    }
    let text = format!("title: {long}\n{rest}");
    assert_eq!(found(&parse(&text, "f.yml"), &text), [("SIG0005", long.as_str())]);
}

#[test]
fn logsources_that_are_wrong_say_where() {
    for (written, expected) in [
        ("logsource:\n", vec![("SIG0003", "title")]),
        ("", vec![("SIG0003", "title")]),
        ("logsource: windows\n", vec![("SIG0004", "logsource")]),
        ("logsource: {}\n", vec![("SIG0012", "logsource")]),
        ("logsource: {definition: x}\n", vec![("SIG0012", "logsource")]),
        ("logsource: {product: a/b}\n", vec![("SIG0012", "a/b")]),
        ("logsource: {product: '*'}\n", vec![("SIG0012", "'*'")]),
        ("logsource: {product: ''}\n", vec![("SIG0012", "''")]),
        ("logsource: {product: [a]}\n", vec![("SIG0004", "product")]),
        ("logsource: {product: a, servise: b}\n", vec![("SIG0006", "servise")]),
    ] {
        let text = format!("title: T\n{written}detection:\n  s: x\n  condition: s\n");
        assert_eq!(found(&parse(&text, "f.yml"), &text), expected, "{written}");
    }
}

#[test]
fn what_is_no_document_says_so() {
    for (text, expected) in [
        ("", vec![("SIG0001", "")]),
        ("- a\n", vec![("SIG0001", "- a")]),
        ("just text", vec![("SIG0001", "just text")]),
        ("title: T\nlogsource: {product: a}\n", vec![("SIG0003", "title")]),
        ("title: a: b\n", vec![("RUL0004", "")]),
        ("title: &a T\nother: *a\n", vec![("RUL0005", "&a T")]),
        ("title: T\nlogsource: {product: a}\ndetection: {condition: 1 of them}\n", vec![("SIG0303", "them")]),
    ] {
        let parsed = parse(text, "f.yml");
        let codes: Vec<_> = found(&parsed, text).into_iter().map(|(code, _)| code).collect();
        assert_eq!((codes, parsed.documents), (expected.iter().map(|(code, _)| *code).collect(), vec![]), "{text}");
    }
    let large = " ".repeat(sandtrap_compiler::rule::FILE_BYTES_MAX + 1);
    assert_eq!(found(&parse(&large, "f.yml"), &large), [("RUL0002", "")]);
}

#[test]
fn a_rule_without_an_id_has_the_name_of_its_file() {
    let text = with("s: x\ncondition: s").replace("id: i\n", "");
    for (name, expected) in [("a.yml", "a"), ("/x/y.z/a.b.yaml", "a.b"), (r"C:\x\a.yml", "a"), ("a", "a")] {
        let Document::Rule(rule) = &parse(&text, name).documents[0] else { panic!("a rule") };
        assert_eq!(rule.metadata.id, expected);
    }
    assert_eq!(found(&parse(&text, ".yml"), &text), [("SIG0008", "title")]);
}
