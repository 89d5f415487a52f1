//! What Sigma's forms are read as, and what is said about those that are wrong, and where.

use std::fmt::Write as _;

use sandtrap_compiler::sigma::{
    Parsed,
    ast::{Condition, Detection, Document, FilteredRules, Item, Rule, Search, ValueData},
    parse, unused,
};
use sandtrap_wit::manifest::{Confidence, Level, Status};

/// A rule with this `detection`.
fn with(detection: &str) -> String {
    let indented = detection.replace('\n', "\n  ");
    format!("title: T\nid: i\nlogsource:\n  product: windows\ndetection:\n  {indented}\n")
}

/// A rule with one search and a condition.
fn search(search: &str) -> String {
    with(&format!("s:{search}\ncondition: s"))
}

/// Every diagnostic of a file: its code, and the text it points at.
fn found<'t>(parsed: &Parsed, text: &'t str) -> Vec<(&'static str, &'t str)> {
    parsed.diagnostics.iter().map(|found| (found.code, &text[found.span.clone()])).collect()
}

fn rules(text: &str) -> Vec<Rule> {
    let parsed = parse(text, "dir/file.yml");
    assert!(parsed.diagnostics.iter().all(|found| !found.is_error()), "{text}: {:?}", parsed.diagnostics);
    parsed
        .documents
        .into_iter()
        .map(|document| match document {
            Document::Rule(rule) => *rule,
            other => panic!("{text}: {other:?}"),
        })
        .collect()
}

fn rule(text: &str) -> Rule {
    let mut rules = rules(text);
    assert_eq!(rules.len(), 1, "{text}");
    rules.remove(0)
}

fn shown_value(value: &ValueData) -> String {
    match value {
        ValueData::Null => "null".into(),
        ValueData::Bool(value) => value.to_string(),
        ValueData::Integer(value) => value.to_string(),
        ValueData::Real(value) => format!("{value:?}"),
        ValueData::Text(value) => format!("'{value}'"),
    }
}

fn shown_item(item: &Item) -> String {
    let mut shown = item.field.clone().unwrap_or_else(|| "*".into());
    for spanned in &item.modifiers {
        write!(shown, "|{:?}", spanned.modifier).expect("a string");
    }
    let values: Vec<_> = item.values.iter().map(|value| shown_value(&value.data)).collect();
    format!("{shown}={}", values.join(","))
}

fn shown_search(search: &Search) -> String {
    let joined = |parts: &[Search], by: &str| {
        let parts: Vec<_> = parts.iter().map(shown_search).collect();
        format!("({})", parts.join(by))
    };
    match search {
        Search::All(parts) => joined(parts, " & "),
        Search::Any(parts) => joined(parts, " | "),
        Search::Item(item) => shown_item(item),
    }
}

fn shown_condition(condition: &Condition, detection: &Detection) -> String {
    let joined = |parts: &[Condition], by: &str| {
        let parts: Vec<_> = parts.iter().map(|part| shown_condition(part, detection)).collect();
        format!("({})", parts.join(by))
    };
    let name = |index: usize| detection.searches[index].name.clone();
    match condition {
        Condition::Or(parts) => joined(parts, " or "),
        Condition::And(parts) => joined(parts, " and "),
        Condition::Not(negated) => format!("not {}", shown_condition(negated, detection)),
        Condition::Search { index, .. } => name(*index),
        Condition::Of { all, searches, .. } => {
            let names: Vec<_> = searches.iter().map(|index| name(*index)).collect();
            format!("{}{{{}}}", if *all { "all" } else { "one" }, names.join(","))
        }
    }
}

#[test]
fn searches_are_maps_lists_and_keywords() {
    for (written, expected) in [
        ("\n  A: x", "(A='x')"),
        ("\n  A: x\n  B.c d: [1, '1', -2.5, true, null_]", "(A='x' & B.c d=1,'1',-2.5,true,'null_')"),
        ("\n  A: null\n  B:\n  C: ~\n  D: ''", "(A=null & B=null & C=null & D='')"),
        ("\n  - A: x\n    B: y\n  - C: z", "((A='x' & B='y') | (C='z'))"),
        ("\n  - x\n  - 'y z'\n  - 4", "*='x','y z',4"),
        (" x", "*='x'"),
        (" 0x10", "*=16"),
        ("\n  - x\n  - A: y", "(*='x' | (A='y'))"),
        ("\n  - [x, y]\n  - - A: z", "(*='x','y' | ((A='z')))"),
        ("\n  '|all': [x, y]", "(*|All='x','y')"),
        ("\n  '|contains|all': [x, y]\n  A: z", "(*|Contains|All='x','y' & A='z')"),
        ("\n  '': x", "(*='x')"),
        ("\n  A|contains|all: [x, y]", "(A|Contains|All='x','y')"),
        ("\n  A|wide|base64offset|contains: x", "(A|Utf16Le|Base64Offset|Contains='x')"),
        ("\n  A|base64|base64: x", "(A|Base64|Base64='x')"),
        ("\n  A|contains|windash: ' -x'", "(A|Contains|Windash=' -x')"),
        ("\n  A|contains|expand: '%x%'", "(A|Contains|Expand='%x%')"),
        ("\n  A|re|i|s: '^x.*'", "(A|Re|Insensitive|SingleLine='^x.*')"),
        ("\n  A|re|ignorecase|neq: x", "(A|Re|Insensitive|Neq='x')"),
        ("\n  A|exists: true", "(A|Exists=true)"),
        ("\n  A|cidr: [10.0.0.0/8, 'fe80::/10', 192.0.2.1]", "(A|Cidr='10.0.0.0/8','fe80::/10','192.0.2.1')"),
        ("\n  A|cidr|expand: '%nets%'", "(A|Cidr|Expand='%nets%')"),
        ("\n  A|gte: 1.5", "(A|Gte=1.5)"),
        ("\n  A|hour|gte: 24", "(A|Hour|Gte=24)"),
        ("\n  A|minute: [0, 59]", "(A|Minute=0,59)"),
        ("\n  A|fieldref|startswith|neq: B", "(A|FieldRef|StartsWith|Neq='B')"),
        ("\n  A|neq: null", "(A|Neq=null)"),
        ("\n  A|cased|contains: 5", "(A|Cased|Contains=5)"),
        ("\n  A*: x", "(A*='x')"),
        ("\n  A: 2024-01-01\n  B: yes\n  C: 1_000", "(A='2024-01-01' & B='yes' & C='1_000')"),
        ("\n  A: |\n    x\n    y", "(A='x\ny\n')"),
    ] {
        let rule = rule(&search(written));
        assert_eq!(shown_search(&rule.detection.searches[0].search), expected, "{written}");
    }
}

#[test]
fn searches_that_are_wrong_say_where() {
    for (written, expected) in [
        ("\n  - A: 1\n  - {}", vec![("SIG0101", "{}")]),
        (" {}", vec![("SIG0101", "s")]),
        (" []", vec![("SIG0101", "s")]),
        ("\n  A: []", vec![("SIG0101", "A")]),
        ("\n  A:\n    B: x", vec![("SIG0102", "B")]),
        ("\n  A: [x, [y]]", vec![("SIG0102", "y")]),
        ("\n  A: [x, null]", vec![("SIG0103", "null")]),
        ("\n  - x\n  - ~", vec![("SIG0104", "~")]),
        (" null", vec![("SIG0104", "null")]),
        ("\n  A: 1\n  B: 2\n  A: 3", vec![("SIG0002", "A")]),
        ("\n  ? [A]\n  : 1", vec![("SIG0002", "[A]")]),
    ] {
        let text = search(written);
        let parsed = parse(&text, "f.yml");
        assert_eq!(found(&parsed, &text), expected, "{written}");
        let is_wrong = parsed.diagnostics.iter().any(sandtrap_compiler::diagnostic::Diagnostic::is_error);
        assert_eq!(parsed.documents.is_empty(), is_wrong, "{written}");
    }
}

#[test]
fn modifiers_that_are_wrong_say_where() {
    for (key, value, expected) in [
        ("A|contain", "x", vec![("SIG0201", "contain")]),
        ("A|Contains", "x", vec![("SIG0201", "Contains")]),
        ("A|", "x", vec![("SIG0201", "A|")]),
        ("A|re|contains", "x", vec![("SIG0202", "contains")]),
        ("A|startswith|re", "x", vec![("SIG0202", "re")]),
        ("A|cidr|startswith", "10.0.0.0/8", vec![("SIG0202", "startswith")]),
        ("A|i", "x", vec![("SIG0202", "i")]),
        ("A|contains|s", "x", vec![("SIG0202", "s")]),
        ("A|i|re", "x", vec![("SIG0203", "i")]),
        ("A|lt|gt", "1", vec![("SIG0202", "gt")]),
        ("A|lt|neq", "1", vec![("SIG0202", "neq")]),
        ("A|hour|minute", "1", vec![("SIG0202", "minute")]),
        ("A|startswith|endswith", "x", vec![("SIG0202", "endswith")]),
        ("A|contains|contains", "x", vec![("SIG0202", "contains")]),
        ("A|utf16le|utf16be", "x", vec![("SIG0202", "utf16be")]),
        ("A|exists|contains", "true", vec![("SIG0202", "contains")]),
        ("A|all|exists", "true", vec![("SIG0202", "exists")]),
        ("A|cased|re", "x", vec![("SIG0202", "re")]),
        ("A|expand|lt", "'%x%'", vec![("SIG0202", "lt")]),
        ("A|contains|base64", "x", vec![("SIG0203", "base64")]),
        ("A|endswith|wide|base64offset", "x", vec![("SIG0203", "wide")]),
        ("A|base64|windash", "x", vec![("SIG0203", "windash")]),
        ("A|base64|expand", "x", vec![("SIG0203", "expand")]),
        ("A|exists", "'true'", vec![("SIG0204", "'true'")]),
        ("A|exists", "1", vec![("SIG0204", "1")]),
        ("A|exists", "[true, false]", vec![("SIG0204", "true"), ("SIG0204", "false")]),
        ("A|lt", "x", vec![("SIG0204", "x")]),
        ("A|lt", "'1'", vec![("SIG0204", "'1'")]),
        ("A|lt", "true", vec![("SIG0204", "true")]),
        ("A|hour", "1.5", vec![("SIG0204", "1.5")]),
        ("A|re", "15", vec![("SIG0204", "15")]),
        ("A|contains", "null", vec![("SIG0204", "null")]),
        ("A|base64", "a*b", vec![("SIG0204", "a*b")]),
        ("A|base64offset", "[ok, 'a\\\\?']", vec![("SIG0204", "'a\\\\?'")]),
        ("A|cidr", "10.0.0.0/33", vec![("SIG0204", "10.0.0.0/33")]),
        ("A|cidr", "10.0.*", vec![("SIG0204", "10.0.*")]),
        ("A|cidr", "10.0.0.0/+8", vec![("SIG0204", "10.0.0.0/+8")]),
        ("A|fieldref", "B*", vec![("SIG0204", "B*")]),
        ("A|fieldref", "''", vec![("SIG0204", "''")]),
        ("A|fieldref", "5", vec![("SIG0204", "5")]),
        ("'|exists'", "true", vec![("SIG0205", "exists")]),
        ("'|gte'", "5", vec![("SIG0205", "gte")]),
        ("'|fieldref'", "B", vec![("SIG0205", "fieldref")]),
        ("A|contains|all", "x", vec![("SIG0206", "all")]),
        ("A|hour", "24", vec![("SIG0207", "24")]),
        ("A|month", "[0, 12]", vec![("SIG0207", "0")]),
    ] {
        let text = search(&format!("\n  {key}: {value}"));
        let parsed = parse(&text, "f.yml");
        assert_eq!(found(&parsed, &text), expected, "{key}: {value}");
        assert!(parsed.diagnostics.iter().all(|found| found.help.is_some()), "{key}: what to do");
    }
}

#[test]
fn an_unknown_modifier_is_told_the_nearest() {
    let text = search("\n  A|contain: x");
    let parsed = parse(&text, "f.yml");
    assert_eq!(parsed.diagnostics[0].help.as_deref(), Some("did you mean `contains`?"));
}

#[test]
fn base64_takes_escaped_wildcards() {
    for value in [r"a\*b", r"a\?", r"a\b\\", r"\\\*"] {
        let text = search(&format!("\n  A|base64: '{value}'"));
        assert_eq!(found(&parse(&text, "f.yml"), &text), [], "{value}");
    }
}

/// Four searches, two of a kind, and one that patterns leave alone.
const SEARCHES: &str = "sel_a: a\nsel_b: b\nother-1: c\n_hidden: d\n";

#[test]
fn conditions_are_joined_as_the_specification_says() {
    for (written, expected) in [
        ("sel_a", "sel_a"),
        ("sel_a or sel_b and not other-1", "(sel_a or (sel_b and not other-1))"),
        ("(sel_a or sel_b) and other-1", "((sel_a or sel_b) and other-1)"),
        ("sel_a OR sel_b Or other-1", "(sel_a or sel_b or other-1)"),
        ("NOT (sel_a AND sel_b)", "not (sel_a and sel_b)"),
        ("not not sel_a", "not not sel_a"),
        ("not sel_a and sel_b", "(not sel_a and sel_b)"),
        ("1 of them", "one{sel_a,sel_b,other-1}"),
        ("all of them", "all{sel_a,sel_b,other-1}"),
        ("any of sel_*", "one{sel_a,sel_b}"),
        ("All Of *_b", "all{sel_b}"),
        ("1 of s*_*b", "one{sel_b}"),
        ("1 of sel_a", "one{sel_a}"),
        ("1 of *", "one{sel_a,sel_b,other-1}"),
        ("1 of _*", "one{_hidden}"),
        ("_hidden and not 1 of sel_*", "(_hidden and not one{sel_a,sel_b})"),
        ("((sel_a))", "sel_a"),
        ("\n    - sel_a\n    - not sel_b", "sel_a; not sel_b"),
        (">\n    sel_a\n    and sel_b", "(sel_a and sel_b)"),
        ("'sel_a'", "sel_a"),
    ] {
        let detection = rule(&with(&format!("{SEARCHES}condition: {written}"))).detection;
        let shown: Vec<_> = detection.conditions.iter().map(|part| shown_condition(part, &detection)).collect();
        assert_eq!(shown.join("; "), expected, "{written}");
    }
}

#[test]
fn keywords_may_name_searches() {
    let detection = rule(&with("all: a\nthem: b\n1: c\ncondition: all and them and 1 of them and 1")).detection;
    assert_eq!(shown_condition(&detection.conditions[0], &detection), "(all and them and one{all,them,1} and 1)");
}

#[test]
fn conditions_that_are_wrong_say_where() {
    let deep = "(".repeat(65) + "sel_a" + &")".repeat(65);
    let nots = "not ".repeat(65) + "sel_a";
    let long = "sel_a and ".repeat(2_048) + "sel_a";
    for (written, expected) in [
        ("sel_a and", vec![("SIG0301", "")]),
        ("sel_a sel_b", vec![("SIG0301", "sel_b")]),
        ("or sel_a", vec![("SIG0301", "or")]),
        ("(sel_a", vec![("SIG0301", "")]),
        ("sel_a)", vec![("SIG0301", ")")]),
        ("not", vec![("SIG0301", "")]),
        ("''", vec![("SIG0301", "")]),
        ("1 of", vec![("SIG0301", "")]),
        ("1 of (sel_a)", vec![("SIG0301", "(")]),
        ("sel_a and sel_c", vec![("SIG0302", "sel_c")]),
        ("Sel_a", vec![("SIG0302", "Sel_a")]),
        ("sel_*", vec![("SIG0302", "sel_*")]),
        ("'sel_a and it''s'", vec![("SIG0302", "it''s")]),
        ("1 of selection*", vec![("SIG0303", "selection*")]),
        ("1 of *hidden", vec![("SIG0303", "*hidden")]),
        ("2 of sel_*", vec![("SIG0304", "2")]),
        ("most of them", vec![("SIG0304", "most")]),
        ("sel_a | count() by User > 5", vec![("SIG0305", "| count() by User > 5")]),
        ("[sel_a, sel_c]", vec![("SIG0302", "sel_c")]),
        ("[sel_c, or]", vec![("SIG0302", "sel_c"), ("SIG0301", "or")]),
        ("[]", vec![("SIG0004", "condition")]),
        ("{a: b}", vec![("SIG0004", "condition")]),
        ("", vec![("SIG0003", "detection")]),
        (deep.as_str(), vec![("SIG0011", "(")]),
        (nots.as_str(), vec![("SIG0011", "not")]),
        (long.as_str(), vec![("SIG0011", long.as_str())]),
        ("sel_a\ntimeframe: 5m", vec![("SIG0305", "timeframe")]),
    ] {
        let text = with(&format!("{SEARCHES}condition: {written}"));
        let parsed = parse(&text, "f.yml");
        assert_eq!((found(&parsed, &text), parsed.documents), (expected, vec![]), "{written}");
    }
}

#[test]
fn unused_searches_are_listed() {
    for (condition, expected) in [
        ("sel_a", vec!["sel_b", "other-1", "_hidden"]),
        ("1 of sel_* and not _hidden", vec!["other-1"]),
        ("[all of them, _hidden]", vec![]),
    ] {
        let detection = rule(&with(&format!("{SEARCHES}condition: {condition}"))).detection;
        let names: Vec<_> = unused(&detection).iter().map(|search| search.name.as_str()).collect();
        assert_eq!(names, expected, "{condition}");
    }
}

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
    assert_eq!(found(&parsed, text), []);
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
fn a_rule_without_an_id_has_the_name_of_its_file() {
    let text = with("s: x\ncondition: s").replace("id: i\n", "");
    for (name, expected) in [("a.yml", "a"), ("/x/y.z/a.b.yaml", "a.b"), (r"C:\x\a.yml", "a"), ("a", "a")] {
        let Document::Rule(rule) = &parse(&text, name).documents[0] else { panic!("a rule") };
        assert_eq!(rule.metadata.id, expected);
    }
    assert_eq!(found(&parse(&text, ".yml"), &text), [("SIG0008", "title")]);
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

#[test]
fn filters_name_rules() {
    let filter = |rules: &str| {
        format!("title: F\nlogsource: {{product: windows}}\nfilter:\n{rules}  sel: {{A: x}}\n  condition: not sel\n")
    };
    let read = |text: &str| {
        let parsed = parse(text, "f.yml");
        assert_eq!(found(&parsed, text), [], "{text}");
        match parsed.documents.into_iter().next() {
            Some(Document::Filter(filter)) => *filter,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(&filter("  rules: any\n")).rules, FilteredRules::Any);
    let text = filter("  rules:\n    - r1\n    - r2\n");
    let read = read(&text);
    let FilteredRules::Named(rules) = &read.rules else { panic!("names") };
    let shown: Vec<_> = rules.iter().map(|(name, span)| (name.as_str(), &text[span.clone()])).collect();
    assert_eq!(shown, [("r1", "r1"), ("r2", "r2")]);
    assert_eq!((read.title.as_str(), read.id.as_ref()), ("F", None));
    assert_eq!(shown_condition(&read.detection.conditions[0], &read.detection), "not sel");
    for (written, expected) in [
        ("", vec![("SIG0003", "filter")]),
        ("  rules: []\n", vec![("SIG0003", "rules")]),
        ("  rules: {a: b}\n", vec![("SIG0004", "{a: b}")]),
    ] {
        let text = filter(written);
        let parsed = parse(&text, "f.yml");
        assert_eq!((found(&parsed, &text), parsed.documents), (expected, vec![]), "{written}");
    }
}

fn correlation(keys: &str) -> String {
    format!("title: C\nid: c\ncorrelation:\n  {}\n", keys.replace('\n', "\n  "))
}

#[test]
fn correlation_rules_of_every_type_are_read() {
    for (kind, condition) in [
        ("event_count", "{gte: 10}"),
        ("value_count", "{gt: 1, lte: 5, field: User}"),
        ("value_count", "{gte: 3, field: [User, Host]}"),
        ("temporal", ""),
        ("temporal", "{gte: 2}"),
        ("temporal_ordered", ""),
        ("value_sum", "{field: bytes, gt: 1.5}"),
        ("value_avg", "{field: bytes, neq: 0}"),
        ("value_percentile", "{field: bytes, lte: 1, percentile: 95}"),
        ("value_median", "{field: bytes, eq: -1}"),
    ] {
        let text = correlation(&format!(
            "type: {kind}\nrules: [a, b]\ngroup-by: [User, ip]\ntimespan: 90m\ncondition: {condition}\n\
             aliases:\n  ip: {{a: src, b: dst}}\ngenerate: true"
        ));
        let parsed = parse(&text, "f.yml");
        assert_eq!(found(&parsed, &text), [], "{kind}");
        let Document::Correlation(read) = &parsed.documents[0] else { panic!("{kind}") };
        assert_eq!(&text[read.kind_span.clone()], kind);
        assert_eq!((read.rules.as_slice(), read.timespan_seconds), (&["a".to_owned(), "b".to_owned()][..], 5_400));
        assert_eq!(read.group_by, ["User", "ip"]);
    }
}

#[test]
fn timespans_are_numbers_and_letters() {
    for (written, seconds) in [("30s", 30), ("5m", 300), ("1h", 3_600), ("7d", 604_800), ("2w", 1_209_600)] {
        let text = correlation(&format!("type: temporal\nrules: a\ngroup-by: b\ntimespan: {written}"));
        let Document::Correlation(read) = &parse(&text, "f.yml").documents[0] else { panic!("{written}") };
        assert_eq!(read.timespan_seconds, seconds);
    }
    for written in ["5", "m", "5M", "1y", "-5m", "+5m", "0s", "1.5h", "1h30m", "5 m", "99999999999999999999s", "5ö"] {
        let text = correlation(&format!("type: temporal\nrules: a\ngroup-by: b\ntimespan: {written}"));
        assert_eq!(found(&parse(&text, "f.yml"), &text), [("SIG0402", written)]);
    }
}

#[test]
fn correlation_rules_that_are_wrong_say_where() {
    let rest = "\nrules: [a]\ngroup-by: [b]\ntimespan: 5m";
    for (written, expected) in [
        (format!("type: count{rest}"), vec![("SIG0401", "count")]),
        (rest.trim_start().to_owned(), vec![("SIG0003", "correlation")]),
        ("type: temporal\ngroup-by: b\ntimespan: 5m".to_owned(), vec![("SIG0003", "correlation")]),
        ("type: temporal\nrules: []\ngroup-by: b\ntimespan: 5m".to_owned(), vec![("SIG0003", "correlation")]),
        ("type: temporal\nrules: a\ngroup-by: b".to_owned(), vec![("SIG0003", "correlation")]),
        ("type: temporal\nrules: a\ntimespan: 5m".to_owned(), vec![("SIG0405", "correlation")]),
        (format!("type: event_count{rest}"), vec![("SIG0403", "event_count")]),
        (format!("type: event_count{rest}\ncondition: gte 5"), vec![("SIG0403", "condition")]),
        (format!("type: event_count{rest}\ncondition: {{}}"), vec![("SIG0403", "condition")]),
        (format!("type: event_count{rest}\ncondition: {{gte: x}}"), vec![("SIG0403", "x")]),
        (format!("type: event_count{rest}\ncondition: {{gte: -1}}"), vec![("SIG0403", "-1")]),
        (format!("type: event_count{rest}\ncondition: {{gte: 1.5}}"), vec![("SIG0403", "1.5")]),
        (format!("type: event_count{rest}\ncondition: {{gte: 1, field: a}}"), vec![("SIG0403", "field")]),
        (format!("type: event_count{rest}\ncondition: {{gte: 1, max: 3}}"), vec![("SIG0006", "max")]),
        (format!("type: value_count{rest}\ncondition: {{gte: 1}}"), vec![("SIG0403", "condition")]),
        (format!("type: value_sum{rest}\ncondition: {{gte: 1, field: [a, b]}}"), vec![("SIG0403", "field")]),
        (
            format!("type: value_percentile{rest}\ncondition: {{gte: 1, field: a, percentile: 101}}"),
            vec![("SIG0403", "percentile")],
        ),
        (
            format!("type: value_sum{rest}\ncondition: {{gte: 1, field: a, percentile: 50}}"),
            vec![("SIG0403", "percentile")],
        ),
        (format!("type: temporal{rest}\naliases: x"), vec![("SIG0404", "aliases")]),
        (format!("type: temporal{rest}\naliases: {{x: y}}"), vec![("SIG0404", "x")]),
        (format!("type: temporal{rest}\naliases: {{x: {{c: f}}}}"), vec![("SIG0404", "c")]),
        (format!("type: temporal{rest}\naliases: {{x: {{a: }}}}"), vec![("SIG0404", "a")]),
        (format!("type: temporal{rest}\ngenerate: maybe"), vec![("SIG0004", "maybe")]),
        (format!("type: temporal{rest}\ntimeframe: 5m"), vec![("SIG0006", "timeframe")]),
    ] {
        let text = correlation(&written);
        assert_eq!(found(&parse(&text, "f.yml"), &text), expected, "{written}");
    }
}

#[test]
fn a_file_may_have_rules_and_their_correlation() {
    let text = format!("{}---\n{}", correlation("type: temporal\nrules: i\ngroup-by: A\ntimespan: 5m"), search(" x"));
    let parsed = parse(&text, "f.yml");
    assert_eq!(found(&parsed, &text), []);
    assert!(matches!(parsed.documents.as_slice(), [Document::Correlation(_), Document::Rule(_)]));
}
