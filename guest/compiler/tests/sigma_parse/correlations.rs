//! Filters and correlation rules.

use sandtrap_compiler::sigma::{
    ast::{Document, FilteredRules},
    parse,
};

use super::show::{found, search, shown_condition};

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
