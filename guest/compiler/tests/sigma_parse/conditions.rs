//! Conditions.

use sandtrap_compiler::sigma::{parse, unused};

use super::show::{found, rule, shown_condition, with};

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
