//! Queries as text and the tables they should give.

use sandtrap_wit::LogicalType;
use serde_json::json;

use super::{ReferenceError, Table, evaluate, render, value::Value};
use crate::kql;

/// 2024-01-05 00:00:00.
const NOW: i64 = 17_044_128_000_000_000;

/// Table `T`: text, a long, a datetime and a dynamic, with everything missing somewhere.
fn table(name: &str) -> Option<Table> {
    let columns = [
        ("Text", LogicalType::String),
        ("Number", LogicalType::Long),
        ("Time", LogicalType::Datetime),
        ("Ratio", LogicalType::Real),
        ("Bag", LogicalType::Dynamic),
        ("Flag", LogicalType::Bool),
    ];
    let rows = [
        json!({"Text": "Alpha.exe", "Number": 1, "Time": "2024-01-04T00:00:00Z", "Ratio": 0.5, "Bag": ["a", "b"], "Flag": true}),
        json!({"Text": "beta", "Number": 2, "Time": "2024-01-01T00:00:00Z", "Bag": ["b", null, 3], "Flag": false}),
        json!({"Text": "", "Number": null, "Bag": "c"}),
        json!({"Text": "ALPHA.EXE", "Number": "2", "Time": "2024-01-04T12:00:00Z", "Ratio": 2.5}),
    ];
    let columns = columns.map(|(name, ty)| (name.to_owned(), ty)).to_vec();
    (name == "T").then(|| Table::from_json(columns, &rows))
}

fn run(text: &str) -> Result<Table, ReferenceError> {
    let parsed = kql::parse(text);
    let errors: Vec<_> = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    assert!(errors.is_empty(), "{text}: {errors:?}");
    evaluate(&parsed.query.expect("a query without errors has a tree"), &table, NOW)
}

/// `a,b: 1,2; 3,4`: names of columns, then rows.
fn shown(text: &str) -> String {
    let table = run(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let names: Vec<_> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let rows: Vec<_> = table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",")).collect();
    format!("{}: {}", names.join(","), rows.join("; "))
}

fn cell(value: &Value) -> String {
    if *value == Value::Null { "null".to_owned() } else { render(value) }
}

#[test]
fn scalars() {
    for (expression, expected) in [
        // Null.
        ("long(null) == long(null)", "null"),
        ("long(null) == 1", "false"),
        ("long(null) != long(null)", "null"),
        ("long(null) != 1", "true"),
        ("long(null) < 1", "null"),
        ("long(null) in (1, long(null))", "false"),
        ("long(null) !in (1)", "true"),
        ("long(null) between (1 .. 2)", "null"),
        ("3 between (long(null) .. 2)", "false"),
        ("not(bool(null))", "null"),
        ("bool(null) and false", "false"),
        ("bool(null) and true", "null"),
        ("bool(null) or true", "true"),
        ("bool(null) or false", "null"),
        ("1 + long(null)", "null"),
        ("isnull(long(null))", "true"),
        ("isnull('')", "false"),
        ("isempty('')", "true"),
        ("isempty(long(null))", "true"),
        ("isnotempty(1)", "true"),
        ("isnotempty('')", "false"),
        ("iff(bool(null), 'a', 'b')", "b"),
        // Case.
        ("'A' == 'a'", "false"),
        ("'É' =~ 'é'", "true"),
        ("'straße' =~ 'STRASSE'", "false"),
        ("'A' in ('a', 'b')", "false"),
        ("'A' in~ ('a', 'b')", "true"),
        ("'A' !in~ ('a')", "false"),
        ("'A' has_cs 'a'", "false"),
        ("'A' has 'a'", "true"),
        ("'A' !has 'a'", "false"),
        ("'abc' startswith 'AB'", "true"),
        ("'abc' !endswith_cs 'C'", "true"),
        // Lists.
        ("'a b' has_any ('x', 'B')", "true"),
        ("'a b' has_all ('a', 'x')", "false"),
        ("'a' has_any (dynamic([]))", "false"),
        ("'a' has_all (dynamic([]))", "true"),
        ("2 in (dynamic([1, 'x', 2.0]))", "true"),
        ("'1' in (dynamic([1]))", "false"),
        ("'a' in (dynamic(['a']), 'b')", "true"),
        // Numbers.
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("1 / 0", "null"),
        ("-10 % 4", "2"),
        ("1 == 1.0", "true"),
        ("real(nan) == real(nan)", "false"),
        ("real(nan) != real(nan)", "true"),
        ("1 < 1.5", "true"),
        ("5 between (5 .. 9)", "true"),
        ("9 !between (5 .. 9)", "false"),
        // Time.
        ("now()", "2024-01-05 00:00:00.0000000"),
        ("now(-1d)", "2024-01-04 00:00:00.0000000"),
        ("ago(12h)", "2024-01-04 12:00:00.0000000"),
        ("now() - datetime(2024-01-04)", "1.00:00:00"),
        ("1d / 5h", "4.8"),
        ("1.5 * 1h", "01:30:00"),
        ("datetime(2024-01-04) between (ago(1d) .. now())", "true"),
        ("datetime(2024-01-04) between (datetime(2024-01-01) .. 3d)", "true"),
        // Text.
        ("strlen('⒦⒰⒮⒯⒪')", "5"),
        ("tolower('ÀB')", "àb"),
        ("toupper('ßé')", "ßÉ"),
        ("strcat('a', '', 'b')", "ab"),
    ] {
        assert_eq!(shown(&format!("print x = {expression}")), format!("x: {expected}"), "{expression}");
    }
}

#[test]
fn tables() {
    for (query, expected) in [
        ("T | where Number == 2 | project Text", "Text: beta; ALPHA.EXE"),
        ("T | where Number != 2 | project Text", "Text: Alpha.exe; "),
        ("T | where not(Number > 1) | project Text", "Text: Alpha.exe"),
        ("T | where Text has 'exe' | count", "Count: 2"),
        ("T | where Missing == '' | count", "Count: 4"),
        (
            "T | extend Number = Number + 1, Twice = Number * 2 | project Number, Twice",
            "Number,Twice: 2,2; 3,4; null,null; 3,4",
        ),
        ("T | project Number + 1, Text, Number * 2 | take 1", "Column1,Text,Column2: 2,Alpha.exe,2"),
        ("T | project strlen(Text) | take 1", "strlen_Text: 9"),
        ("T | distinct Number", "Number: 1; 2; null"),
        ("T | project Number | distinct *", "Number: 1; 2; null"),
        ("T | sort by Number | project Number", "Number: 2; 2; 1; null"),
        ("T | sort by Number asc | project Number", "Number: null; 1; 2; 2"),
        ("T | sort by Number desc nulls first | project Number", "Number: null; 2; 2; 1"),
        ("T | sort by Number asc nulls last, Text asc | project Text", "Text: Alpha.exe; ALPHA.EXE; beta; "),
        ("T | top 2 by Time | project Text", "Text: ALPHA.EXE; Alpha.exe"),
        ("T | top -1 by Time | project Text", "Text: "),
        ("let n = 2; T | take n | project Text", "Text: Alpha.exe; beta"),
        ("let S = T | where Number == 1; let R = S; R | project Text", "Text: Alpha.exe"),
        ("let Number = 5; T | where Number == 1 | project Text", "Text: Alpha.exe"),
        ("let names = dynamic(['BETA']); T | where Text in~ (names) | project Text", "Text: beta"),
        ("let S = T | where Number == 2 | project Text; let R = S; T | where Text in (R) | count", "Count: 2"),
        ("range x from 1 to 10 step 4", "x: 1; 5; 9"),
        ("range x from 3 to 1 step -1", "x: 3; 2; 1"),
        ("range x from 1 to 2 step -1", "x: "),
        ("range t from 0h to 2h step 1h | count", "Count: 3"),
        ("datatable(a: string, b: real) ['x', 1, '', real(null)]", "a,b: x,1; ,null"),
        ("print 1, x = 2, 'c'", "print_0,x,print_2: 1,2,c"),
    ] {
        assert_eq!(shown(query), expected, "{query}");
    }
}

#[test]
fn summarize() {
    for (query, expected) in [
        ("T | summarize count() by Number", "Number,count_: 1,1; 2,2; null,1"),
        (
            "T | summarize min(Number), max(Number), dcount(Number), make_set(Number)",
            "min_Number,max_Number,dcount_Number,set_Number: 1,2,2,[1,2]",
        ),
        ("T | summarize make_set(Bag)", r#"set_Bag: ["a","b",3,"c"]"#),
        ("T | summarize make_set(Text, 2)", r#"set_Text: ["Alpha.exe","beta"]"#),
        (
            "T | summarize make_set(Time) by Flag",
            concat!(
                r#"Flag,set_Time: true,["2024-01-04T00:00:00.0000000Z"]; false,["2024-01-01T00:00:00.0000000Z"]; "#,
                r#"null,["2024-01-04T12:00:00.0000000Z"]"#
            ),
        ),
        ("T | summarize min(Text), dcount(Text)", "min_Text,dcount_Text: ,4"),
        ("T | summarize max(Number) - min(Number)", "Column1: 1"),
        ("T | summarize min(Number + 1), min(Number + 2)", "min_,min_1: 2,3"),
        (
            "T | summarize n = count() by tolower(Text), Number / 2",
            "Column1,Column2,n: alpha.exe,0,1; beta,1,1; ,null,1; alpha.exe,1,1",
        ),
        ("T | summarize by AccountUpn", "AccountUpn: "),
        (
            "T | where false | summarize count(), min(Number), make_set(Number), dcount(Text)",
            "count_,min_Number,set_Number,dcount_Text: 0,null,[],0",
        ),
        ("T | where false | summarize count() by Text", "Text,count_: "),
    ] {
        assert_eq!(shown(query), expected, "{query}");
    }
}

#[test]
fn types_of_columns() {
    use LogicalType::{Bool, Datetime, Dynamic, Long, Real, String, Timespan};
    let table = run(
        "T | where false | project Number + 1, Number * 1.0, Time - Time, Time + 1d, Text, Bag, Number == 1, Missing",
    );
    let types: Vec<_> = table.expect("it runs").columns.into_iter().map(|(_, ty)| ty).collect();
    assert_eq!(types, [Long, Real, Timespan, Datetime, String, Dynamic, Bool, String]);
}

#[test]
fn what_kusto_refuses_is_a_type_or_name_error() {
    for query in [
        "T | where Text == 1",
        "T | where Number has 'x'",
        "T | where Number",
        "T | where Text between ('a' .. 'b')",
        "T | where Number in ('a')",
        "T | where false | where Text < 1",
        "T | where count() > 1",
        "T | summarize Number by Text",
        "T | summarize count() by Bag",
        "T | take 'a'",
        "print 1d + 1",
        "print strlen('a', 'b')",
        "range x from 1 to 2 step 0",
    ] {
        assert!(matches!(run(query), Err(ReferenceError::Type { .. })), "{query}: {:?}", run(query));
    }
    for query in [
        "Nowhere",
        "T | project Text | where Missing == ''",
        "T | project Text, Text = Number",
        "let a = 1; let a = 2; print a",
        "let a = b; let b = 1; print a",
    ] {
        assert!(matches!(run(query), Err(ReferenceError::Name { .. })), "{query}: {:?}", run(query));
    }
}

#[test]
fn what_it_does_not_know_is_named_with_its_place() {
    for (query, construct, start) in [
        ("T | where bin(Number, 2) == 1", "function `bin`", 10),
        ("T | where Text matches regex 'a'", "operator `matches regex`", 15),
        ("T | join T on Text", "the operator `join`", 4),
        ("T | where Time > '2024-01-01'", "a comparison of datetime with string", 15),
        ("T | where Bag has 'a'", "the text of a dynamic", 14),
        ("union T, T", "union", 0),
    ] {
        let error = run(query).expect_err(query);
        assert!(matches!(error, ReferenceError::Unsupported { .. }), "{query}: {error}");
        assert!(error.to_string().contains(construct), "{query}: {error}");
        assert_eq!(error.span().start, start, "{query}: {error}");
    }
}

#[test]
fn a_column_that_is_not_there_is_null_of_the_type_that_it_is_used_with() {
    for (expression, expected) in [
        ("Foo", ""),
        ("Foo > 5", "null"),
        ("Foo == true", "false"),
        ("Foo != 5", "true"),
        ("Foo == ''", "true"),
        ("Foo == Bar", "true"),
        ("Foo > ago(1d)", "null"),
        ("Foo in (1, 2)", "false"),
        ("Foo !in (1, 2)", "true"),
        ("Foo in ('')", "true"),
        ("Number in (Foo)", "false"),
        ("Text in ('', Foo)", "false"),
        ("Foo between (1 .. 2)", "null"),
        ("Foo + 1", "null"),
        ("Time + Foo", "null"),
        ("not(Foo)", "null"),
        ("isnull(Foo)", "false"),
        ("isempty(Foo)", "true"),
        ("iff(Foo, 1, 2)", "2"),
        ("strlen(Foo)", "0"),
        ("Foo has 'a'", "false"),
    ] {
        assert_eq!(shown(&format!("T | take 1 | project x = {expression}")), format!("x: {expected}"), "{expression}");
    }
    assert_eq!(
        shown("T | where Foo or Number == 1 | summarize dcount(Foo), max(Foo) by Foo"),
        "Foo,dcount_Foo,max_Foo: ,1,"
    );
}
