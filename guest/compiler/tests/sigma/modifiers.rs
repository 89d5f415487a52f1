//! What each modifier makes of its values: `key, values -> condition`, with the section of the specification it is from.

use sandtrap_compiler::sigma::ast::{Condition, Search, ValueData};

use crate::trees::{filter, item, plan, rule, search, text, texts};

fn filters(cases: &[(&str, &[&str], &str)]) {
    for (key, values, expected) in cases {
        assert_eq!(filter(key, &texts(values)).as_deref(), Ok(*expected), "{key}: {values:?}");
    }
}

#[test]
fn texts_are_compared_as_their_wildcards_say() {
    filters(&[
        // "General", "String Wildcard".
        ("Image", &["cmd.exe"], r#"(equals~ Image ["cmd.exe"])"#),
        ("Image", &["a", "b", "a"], r#"(equals~ Image ["a", "b"])"#),
        (
            "Image",
            &["*\\cmd.exe", "a*", "*b*"],
            "(or (endswith~ Image [\"\\\\cmd.exe\"]) (startswith~ Image [\"a\"]) (contains~ Image [\"b\"]))",
        ),
        ("Image", &["a*b", "c?", "d"], r#"(or (any Image ~ a<*>b|c<?>) (equals~ Image ["d"]))"#),
        ("Image", &["*"], r#"(contains~ Image [""])"#),
        // "Special Field Values".
        ("Image", &[""], r#"(equals~ Image [""])"#),
        // "Keywords search".
        ("", &["mimikatz", "a*b"], r#"(or (contains~ * ["mimikatz"]) (any * ~ <*>a<*>b<*>))"#),
        ("|all", &["x", "y"], r#"(contains~-all * ["x", "y"])"#),
        ("|re", &["x.y"], "(any * /x.y/)"),
    ]);
}

#[test]
fn generic_modifiers() {
    filters(&[
        ("Image|startswith", &["a", "b*", "c*d"], r#"(or (startswith~ Image ["a", "b"]) (any Image ~ c<*>d<*>))"#),
        ("Image|endswith", &["a", "*b"], r#"(endswith~ Image ["a", "b"])"#),
        ("Image|contains", &["a", "*b", "*c*", ""], r#"(contains~ Image ["a", "b", "c", ""])"#),
        ("Image|contains|all", &["a", "b"], r#"(contains~-all Image ["a", "b"])"#),
        (
            "Image|all",
            &["*a", "*b*", "c*d", "e*f"],
            "(and (endswith~ Image [\"a\"]) (contains~ Image [\"b\"]) (any Image ~ c<*>d) (any Image ~ e<*>f))",
        ),
        ("Image|cased", &["A"], r#"(equals Image ["A"])"#),
        ("Image|contains|cased", &["A?B"], "(any Image <*>A<?>B<*>)"),
        ("Image|neq", &["a", "b"], r#"(not (equals~ Image ["a", "b"]))"#),
        ("Image|contains|all|neq", &["a", "b"], r#"(not (contains~-all Image ["a", "b"]))"#),
    ]);
    assert_eq!(filter("F|exists", &[ValueData::Bool(true)]).as_deref(), Ok("(exists F)"));
    assert_eq!(filter("F|exists", &[ValueData::Bool(false)]).as_deref(), Ok("(not (exists F))"));
}

#[test]
fn what_is_not_text() {
    for (key, value, expected) in [
        ("F", ValueData::Integer(4688), r#"(equals~ F ["4688"])"#),
        ("F", ValueData::Integer(-1), r#"(equals~ F ["-1"])"#),
        ("F", ValueData::Real(1.5), r#"(equals~ F ["1.5"])"#),
        ("F", ValueData::Bool(true), r#"(equals~ F ["true"])"#),
        ("F|cased", ValueData::Bool(true), r#"(equals~ F ["true"])"#),
        ("F", ValueData::Null, "(not (has-value F))"),
        ("F|neq", ValueData::Null, "(has-value F)"),
        ("F|contains", ValueData::Integer(7), r#"(contains~ F ["7"])"#),
        ("", ValueData::Integer(7), r#"(contains~ * ["7"])"#),
        // "Numeric Modifiers".
        ("F|lt", ValueData::Integer(7), "(any F < 7.0)"),
        ("F|lte", ValueData::Real(7.5), "(any F <= 7.5)"),
        ("F|gt", ValueData::Integer(-7), "(any F > -7.0)"),
        ("F|gte", ValueData::Integer(7), "(any F >= 7.0)"),
        ("F|gte", text(" 7 "), "(any F >= 7.0)"),
        // "Time Modifiers".
        ("F|hour|gte", ValueData::Integer(7), "(and (not (isnull (DatePart(Hour) F))) (>= (DatePart(Hour) F) 7:long))"),
        ("F|lt|hour", ValueData::Real(7.0), "(and (not (isnull (DatePart(Hour) F))) (< (DatePart(Hour) F) 7:long))"),
        ("F|minute", ValueData::Integer(7), "(in (DatePart(Minute) F) [7])"),
        ("F|hour", ValueData::Integer(7), "(in (DatePart(Hour) F) [7])"),
        ("F|day", ValueData::Integer(7), "(in (DatePart(Day) F) [7])"),
        ("F|week", ValueData::Integer(7), "(in (DatePart(Week) F) [7])"),
        ("F|month", ValueData::Integer(7), "(in (DatePart(Month) F) [7])"),
        ("F|year|neq", ValueData::Integer(2024), "(not (in (DatePart(Year) F) [2024]))"),
    ] {
        assert_eq!(filter(key, std::slice::from_ref(&value)).as_deref(), Ok(expected), "{key}: {value:?}");
    }
    let hours = [ValueData::Integer(3), ValueData::Integer(1), ValueData::Integer(3)];
    assert_eq!(filter("F|hour", &hours).as_deref(), Ok("(in (DatePart(Hour) F) [1, 3])"));
}

#[test]
fn string_modifiers() {
    filters(&[
        ("C|windash", &["-x"], r#"(equals~ C ["-x", "/x", "–x", "—x", "―x"])"#),
        ("C|windash|contains", &[" -x y"], r#"(contains~ C [" -x y", " /x y", " –x y", " —x y", " ―x y"])"#),
        ("C|contains|windash", &["-x"], r#"(contains~ C ["-x", "/x", "–x", "—x", "―x"])"#),
        (
            "C|windash|contains|all",
            &["a", "-b"],
            "(and (contains~ C [\"a\"]) (contains~ C [\"-b\", \"/b\", \"–b\", \"—b\", \"―b\"]))",
        ),
        ("C|base64", &["foobar"], r#"(equals~ C ["Zm9vYmFy"])"#),
        ("C|base64|contains", &["foo"], r#"(contains~ C ["Zm9v"])"#),
        ("C|base64offset|contains", &["foobar"], r#"(contains~ C ["Zm9vYmFy", "Zvb2Jhc", "mb29iYX"])"#),
        ("C|utf16le|base64", &["foo"], r#"(equals~ C ["ZgBvAG8A"])"#),
        ("C|utf16be|base64", &["foo"], r#"(equals~ C ["AGYAbwBv"])"#),
        ("C|utf16|base64", &["foo"], r#"(equals~ C ["//5mAG8AbwA="])"#),
        ("C|utf16le", &["ab"], r#"(equals~ C ["a\0b\0"])"#),
        ("C|utf16be|contains", &["ab"], r#"(contains~ C ["\0a\0b"])"#),
        ("C|utf16le", &["a*b"], "(any C ~ a\0<*>b\0)"),
        ("C|re", &["^a.*b$", "c"], "(or (any C /^a.*b$/) (any C /c/))"),
        ("C|re|i", &["a"], "(any C /a/i)"),
        ("C|re|m|s", &["a"], "(any C /a/ms)"),
        ("C|re|contains", &["a"], "(any C /a/)"),
        ("C|re|all", &["a", "b"], "(and (any C /a/) (any C /b/))"),
        (
            "C|cidr",
            &["10.0.0.0/8", "::1", "::ffff:10.0.0.0/104", "fe80::/10"],
            "(any C in 10.0.0.0/8|::1/128|fe80::/10)",
        ),
        ("C|cidr", &["0.0.0.0/0", "::/0", "1.2.3.4"], "(any C in 0.0.0.0/0|::/0|1.2.3.4/32)"),
        ("C|fieldref", &["D"], "(any C equals~ D)"),
        ("C|fieldref|startswith", &["D"], "(any C startswith~ D)"),
        ("C|fieldref|endswith|cased", &["D"], "(any C endswith D)"),
        ("C|contains|fieldref", &["D"], "(any C contains~ D)"),
        ("C|fieldref|contains|neq", &["D"], "(not (any C contains~ D))"),
        // "Placeholders".
        ("C|expand", &["%servers%"], r#"(or (startswith~ C ["srv"]) (any C ~ dc<?>))"#),
        ("C|expand|contains", &[r"\%x\\%servers%"], r#"(or (contains~ C ["%x\\srv"]) (any C ~ <*>%x\dc<?><*>))"#),
        ("C|expand|cidr", &["%net%"], "(any C in 10.0.0.0/8|192.168.0.0/16)"),
        ("C", &["%servers%"], r#"(equals~ C ["%servers%"])"#),
    ]);
}

#[test]
fn what_cannot_be_lowered_is_said_where_it_stands() {
    use ValueData::{Bool, Integer, Null};
    for (key, value, expected) in [
        ("C|contains", Null, "SIG0602 100..101 `contains` takes text"),
        ("C|exists", text("true"), "SIG0602 100..101 `exists` takes `true` or `false`, without quotes"),
        ("|exists", Bool(true), "SIG0601 100..101 `exists` is about a field, and keywords have none"),
        ("", Null, "SIG0601 100..101 `null` is about a field, and keywords have none"),
        ("|fieldref", text("D"), "SIG0601 100..101 `fieldref` is about a field, and keywords have none"),
        ("|hour", Integer(1), "SIG0601 1..5 `a time modifier` is about a field, and keywords have none"),
        ("C|base64", text("a*"), "SIG0602 100..101 `base64` of a text with wildcards is not possible"),
        ("C|contains|base64", text("a"), "SIG0602 100..101 `base64` of a text with wildcards is not possible"),
        ("C|base64offset", text("a"), "SIG0602 100..101 `base64offset` of less than two bytes could be anything"),
        ("C|utf16le", text("é"), "SIG0602 100..101 UTF-16 of characters beyond ASCII is no text that an event"),
        ("C|utf16le|utf16be", text("a"), "SIG0601 10..20 `utf16be` cannot stand here: the text is UTF-16 already"),
        ("C|contains|re", text("a"), "SIG0601 10..20 `re` cannot stand here: it takes the value as it is written"),
        ("C|re|startswith", text("a"), "SIG0601 10..20 `startswith` cannot stand here: a regular expression says"),
        ("C|i", text("a"), "SIG0601 10..20 `i` cannot stand here: it is about a regular expression"),
        ("C|lt", text("x"), "SIG0602 100..101 `lt` takes a number"),
        ("C|hour", ValueData::Real(7.5), "SIG0602 100..101 `hour` takes a whole number"),
        ("C|hour|day", Integer(7), "SIG0601 10..20 `day` cannot stand here: it takes the value as it is written"),
        ("C|fieldref", text("D*"), "SIG0602 100..101 `fieldref` takes the name of a field, without wildcards"),
        ("C|fieldref|contains|endswith", text("D"), "SIG0601 10..20 `endswith` cannot stand here: one of"),
        ("C|cidr", text("10.0.0.1/8"), "SIG0604 100..101 `10.0.0.1/8` is not the first address of its network"),
        ("C|cidr", text("10.0.0.0/33"), "SIG0604 100..101 `/33` is no length of a network: it is 0 to 32"),
        ("C|cidr", text("::/+8"), "SIG0604 100..101 `/+8` is no length of a network"),
        ("C|cidr", text("10.0.0.*"), "SIG0604 100..101 `10.0.0.*` is no network"),
        ("C|expand", text("%x%"), "SIG0605 100..101 nothing is known about the placeholder `%x%`"),
        ("C|expand", text("%none%"), "SIG0605 100..101 nothing is known about the placeholder `%none%`"),
        ("C|windash", text("-a -b -c -d -e -f"), "SIG0606 100..101 this value stands for more than 4000 texts"),
    ] {
        let errors = filter(key, &[value]).expect_err(key);
        assert!(errors.len() == 1 && errors[0].starts_with(expected), "{key}: {errors:?}");
    }
}

#[test]
fn one_rule_tells_all_its_errors() {
    let searches = vec![
        Search::All(vec![item("A|lt", &[text("x")]), item("B|re|endswith", &[text("x")])]),
        item("C|expand", &[text("%x%")]),
        item("D", &[text("x")]),
    ];
    let errors = plan(&rule(searches, vec![search(2)])).expect_err("three errors");
    let codes: Vec<_> = errors.iter().map(|error| &error[..7]).collect();
    assert_eq!(codes, ["SIG0602", "SIG0601", "SIG0605"]);
}

#[test]
fn conditions_and_plans() {
    let searches = || {
        vec![
            Search::All(vec![item("Image|endswith", &texts(&[r"\a.exe"])), item("Id", &[ValueData::Integer(1)])]),
            item("Image|endswith", &texts(&[r"\b.exe"])),
            item("Image|endswith", &texts(&[r"\c.exe"])),
            item("When|hour", &[ValueData::Integer(3)]),
            item("", &texts(&["word"])),
        ]
    };
    let of = |all: bool, searches: &[usize]| Condition::Of { all, searches: searches.to_vec(), span: 0..1 };
    let not = |condition: Condition| Condition::Not(Box::new(condition));
    for (conditions, expected) in [
        // `1 of them` joins the searches of one field.
        (
            vec![of(false, &[1, 2])],
            r#"source windows/process_creation/* ([Image]:string) prefilter Image$\b.exe|Image$\c.exe
kernel where (endswith~ Image ["\\b.exe", "\\c.exe"]) -> Image"#,
        ),
        (
            vec![of(true, &[1, 2])],
            r#"source windows/process_creation/* ([Image]:string) prefilter Image$\b.exe & Image$\c.exe
kernel where (endswith~-all Image ["\\b.exe", "\\c.exe"]) -> Image"#,
        ),
        // Only what the condition reads is asked for.
        (
            vec![Condition::And(vec![search(0), not(Condition::Or(vec![search(1), search(4)]))])],
            r#"source windows/process_creation/* ([Image]:string, [Id]:string, [*]:string) prefilter Image$\a.exe & Id=1 & !*~word & !Image$\b.exe
kernel where (and (endswith~ Image ["\\a.exe"]) (equals~ Id ["1"]) (not (or (endswith~ Image ["\\b.exe"]) (contains~ * ["word"])))) -> Image, Id"#,
        ),
        // Several conditions: one must hold.
        (
            vec![search(3), not(not(search(2)))],
            r#"source windows/process_creation/* ([Image]:string, When:datetime) prefilter Image$\c.exe|When?true
kernel where (or (in (DatePart(Hour) When) [3]) (endswith~ Image ["\\c.exe"])) -> Image, When"#,
        ),
    ] {
        assert_eq!(plan(&rule(searches(), conditions)).as_deref(), Ok(expected));
    }
    let mut shown = rule(searches(), vec![search(3)]);
    shown.fields = ["User", "When", "User"].map(str::to_owned).to_vec();
    assert_eq!(
        plan(&shown).as_deref(),
        Ok("source windows/process_creation/* (When:datetime, [User]:string, [When]:string) prefilter When?true\n\
            kernel where (in (DatePart(Hour) When) [3]) -> User, When")
    );
}

#[test]
fn a_condition_cannot_grow_without_limit() {
    let values: Vec<_> = (0..1_000).map(|n| text(&format!("a{n}*b"))).collect();
    let many = Condition::And((0..2_000).map(|_| Condition::Not(Box::new(search(0)))).collect());
    let errors = plan(&rule(vec![item("A", &values)], vec![many])).expect_err("too large");
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("SIG0606"), "{errors:?}");
    let several = Search::Any((0..2_000).map(|n| item(&format!("F{n}"), &texts(&["x"]))).collect());
    let errors = plan(&rule(vec![several], vec![search(0)])).expect_err("too large");
    assert!(errors[0].contains("4001 operators"), "{errors:?}");
}
