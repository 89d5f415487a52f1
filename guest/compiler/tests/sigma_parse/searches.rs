//! Searches and modifiers.

use sandtrap_compiler::{diagnostic::Diagnostic, sigma::parse};

use super::show::{found, rule, search, shown_search};

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
        ("\n  A|lt: '1'", "(A|Lt='1')"),
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
        let is_wrong = parsed.diagnostics.iter().any(Diagnostic::is_error);
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
        ("A|exists", "[true, false]", vec![("SIG0204", "true")]),
        ("A|lt", "x", vec![("SIG0204", "x")]),
        ("A|lt", "'1x'", vec![("SIG0204", "'1x'")]),
        ("A|hour", "'24'", vec![("SIG0207", "'24'")]),
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
