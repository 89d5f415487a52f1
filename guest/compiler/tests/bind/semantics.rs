//! What expressions mean once they are typed.

use super::{filter, value};

#[test]
fn comparisons_are_typed() {
    for (condition, expected) in [
        ("RemotePort == 443", "(== RemotePort 443:long)"),
        ("443 < RemotePort", "(< 443:long RemotePort)"),
        ("RemotePort > 1.5", "(> (real RemotePort) 1.5)"),
        ("RemotePort != LocalPort", "(!= RemotePort LocalPort)"),
        ("Timestamp > datetime(2024-01-01)", "(> Timestamp 17040672000000000:datetime)"),
        ("RemoteUrl == 'a'", r#"(equals RemoteUrl ["a"])"#),
        ("'a' == RemoteUrl", r#"(equals RemoteUrl ["a"])"#),
        ("RemoteUrl != 'a'", r#"(not (equals RemoteUrl ["a"]))"#),
        ("RemoteUrl =~ 'a'", r#"(equals~ RemoteUrl ["a"])"#),
        ("RemoteUrl !~ 'a'", r#"(not (equals~ RemoteUrl ["a"]))"#),
        ("RemoteUrl == LocalIP", "(== RemoteUrl LocalIP)"),
        ("RemoteUrl =~ LocalIP", "(equals~ RemoteUrl LocalIP)"),
        ("RemoteUrl < 'a'", r#"(< RemoteUrl "a")"#),
        ("IsInitiatingProcessRemoteSession", "IsInitiatingProcessRemoteSession"),
        ("IsInitiatingProcessRemoteSession == true", "(== IsInitiatingProcessRemoteSession true)"),
        ("RemotePort between (1 .. 5)", "(and (>= RemotePort 1:long) (<= RemotePort 5:long))"),
        ("RemotePort !between (1 .. 5)", "(not (and (>= RemotePort 1:long) (<= RemotePort 5:long)))"),
        (
            "InitiatingProcessCreationTime between (datetime(2024-01-01) .. 1s)",
            "(and (>= InitiatingProcessCreationTime 17040672000000000:datetime) \
             (<= InitiatingProcessCreationTime 17040672010000000:datetime))",
        ),
    ] {
        assert_eq!(filter(condition), expected, "{condition}");
    }
}

#[test]
fn text_operators_keep_their_needles_as_written() {
    for (condition, expected) in [
        ("RemoteUrl has 'Kr'", r#"(has~ RemoteUrl ["Kr"])"#),
        ("RemoteUrl !has 'Kr'", r#"(not (has~ RemoteUrl ["Kr"]))"#),
        ("RemoteUrl has_cs 'Kr'", r#"(has RemoteUrl ["Kr"])"#),
        ("RemoteUrl !has_cs 'Kr'", r#"(not (has RemoteUrl ["Kr"]))"#),
        ("RemoteUrl hasprefix 'Kr'", r#"(hasprefix~ RemoteUrl ["Kr"])"#),
        ("RemoteUrl hassuffix_cs 'Kr'", r#"(hassuffix RemoteUrl ["Kr"])"#),
        ("RemoteUrl contains 'a'", r#"(contains~ RemoteUrl ["a"])"#),
        ("RemoteUrl contains_cs 'a'", r#"(contains RemoteUrl ["a"])"#),
        ("RemoteUrl startswith 'a'", r#"(startswith~ RemoteUrl ["a"])"#),
        ("RemoteUrl !endswith_cs 'a'", r#"(not (endswith RemoteUrl ["a"]))"#),
        ("RemoteUrl has LocalIP", "(has~ RemoteUrl LocalIP)"),
        ("RemoteUrl has strcat('a', '-', 'b')", r#"(has~ RemoteUrl ["a-b"])"#),
        ("RemoteUrl has_any ('a', 'b')", r#"(has~ RemoteUrl ["a", "b"])"#),
        ("RemoteUrl has_all (dynamic(['a', 'b']))", r#"(has~-all RemoteUrl ["a", "b"])"#),
        ("RemoteUrl has_any (dynamic([]))", "(has~ RemoteUrl [])"),
    ] {
        assert_eq!(filter(condition), expected, "{condition}");
    }
}

#[test]
fn lists_take_what_can_be_equal() {
    for (condition, expected) in [
        ("RemotePort in (443, 80, 443)", "(in RemotePort [80, 443])"),
        ("RemotePort !in (80)", "(not (in RemotePort [80]))"),
        ("RemotePort in (dynamic([80, 443, 'x', 1.5, 22.0, null]))", "(in RemotePort [22, 80, 443])"),
        ("RemotePort in (80, dynamic([1]), long(null))", "(in RemotePort [1, 80])"),
        ("RemoteUrl in ('a', 'B')", r#"(equals RemoteUrl ["a", "B"])"#),
        ("RemoteUrl in~ (dynamic(['a', 5]), 'c')", r#"(equals~ RemoteUrl ["a", "c"])"#),
        ("RemoteUrl !in~ ('a')", r#"(not (equals~ RemoteUrl ["a"]))"#),
        ("Timestamp in (datetime(1970-01-01))", "(in Timestamp [0])"),
        (
            "RemotePort * 1.0 in (1, 2.5)",
            "(or (== (*:real (real RemotePort) 1.0) 1.0) (== (*:real (real RemotePort) 1.0) 2.5))",
        ),
    ] {
        assert_eq!(filter(condition), expected, "{condition}");
    }
}

#[test]
fn logic_is_flat() {
    for (condition, expected) in [
        (
            "RemotePort == 1 and RemotePort == 2 and not(RemotePort == 3)",
            "(and (== RemotePort 1:long) (== RemotePort 2:long) (not (== RemotePort 3:long)))",
        ),
        (
            "RemotePort == 1 or (RemotePort == 2 or RemotePort == 3)",
            "(or (== RemotePort 1:long) (== RemotePort 2:long) (== RemotePort 3:long))",
        ),
        ("isempty(RemoteUrl)", "(isempty RemoteUrl)"),
        ("isnotempty(RemoteUrl)", "(not (isempty RemoteUrl))"),
        // A value of another type than text is empty when it is null.
        ("isempty(RemotePort)", "(isnull RemotePort)"),
        ("isnull(RemotePort)", "(isnull RemotePort)"),
        ("isnotnull(RemoteUrl)", "(not (isnull RemoteUrl))"),
    ] {
        assert_eq!(filter(condition), expected, "{condition}");
    }
}

#[test]
fn arithmetic_has_kusto_s_types() {
    for (expression, expected) in [
        ("1 + 2 * 3", "7:long"),
        ("-5 % 3", "1:long"),
        ("7 / 2", "3:long"),
        ("1 / 0", "null:long"),
        ("7 / 2.0", "3.5"),
        ("+RemotePort", "(long RemotePort)"),
        ("-RemotePort", "(-:long 0:int RemotePort)"),
        ("RemotePort + LocalPort", "(+:long RemotePort LocalPort)"),
        ("RemotePort + 0.5", "(+:real (real RemotePort) 0.5)"),
        ("2 * 1h + 30m", "90000000000:timespan"),
        ("1.5 * 1h", "54000000000:timespan"),
        ("1d / 30m", "48.0"),
        ("Timestamp - InitiatingProcessCreationTime", "(-:timespan Timestamp InitiatingProcessCreationTime)"),
        ("Timestamp + 1tick", "(+:datetime Timestamp 1:timespan)"),
        ("datetime(1970-01-02) - datetime(1970-01-01)", "864000000000:timespan"),
        ("now()", "now"),
        ("now(-1s)", "(+:datetime now -10000000:timespan)"),
        ("ago(1s)", "(+:datetime now -10000000:timespan)"),
        ("ago(1s) + 1s", "now"),
        ("now() - ago(1s)", "10000000:timespan"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn functions_are_typed() {
    for (expression, expected) in [
        ("strlen(RemoteUrl)", "(Strlen RemoteUrl)"),
        ("tolower(RemoteUrl)", "(ToLower RemoteUrl)"),
        ("toupper(RemoteUrl)", "(ToUpper RemoteUrl)"),
        ("strcat(RemoteUrl, ':', 'x')", r#"(Strcat RemoteUrl ":" "x")"#),
        ("iff(RemotePort == 1, 'a', RemoteUrl)", r#"(if (== RemotePort 1:long) "a" RemoteUrl)"#),
        ("iif(RemotePort == 1, 1, RemotePort)", "(if (== RemotePort 1:long) 1:long (long RemotePort))"),
        ("iff(RemotePort == 1, 1, 0.5)", "(if (== RemotePort 1:long) 1.0 0.5)"),
        ("isempty(dynamic({}))", r#"(or (isnull {}:dynamic) (equals {}:dynamic ["\"\""]))"#),
        ("long(null)", "null:long"),
        ("dynamic({'a': [1, 'b']})", r#"{"a":[1,"b"]}:dynamic"#),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn a_missing_column_is_null_of_the_type_that_it_is_used_with() {
    for (condition, expected) in [
        ("Foo > 5", "(> null:long 5:long)"),
        ("5.5 > Foo", "(> 5.5 null:real)"),
        ("Foo == true", "(== null:bool true)"),
        ("Foo", "null:bool"),
        ("not(Foo) or Foo", "(or (not null:bool) null:bool)"),
        ("Foo == 'a'", r#"(equals "a" [""])"#),
        ("Foo == Bar", "(equals \"\" [\"\"])"),
        ("Foo =~ Bar", "(equals~ \"\" [\"\"])"),
        ("Foo has 'a'", r#"(has~ "" ["a"])"#),
        ("RemoteUrl has Foo", r#"(has~ RemoteUrl [""])"#),
        ("Foo in (1, 2)", "(in null:long [1, 2])"),
        ("Foo in (Bar, 1)", "(in null:long [1])"),
        ("Foo in (dynamic(['a']))", r#"(equals "" ["a"])"#),
        ("Foo in~ ('a')", r#"(equals~ "" ["a"])"#),
        ("Foo has_any ('a', Bar)", r#"(has~ "" ["a", ""])"#),
        ("RemotePort in (Foo, 1)", "(in RemotePort [1])"),
        ("RemoteUrl in (Foo, 'a')", r#"(equals RemoteUrl ["", "a"])"#),
        ("Foo > ago(1s)", "(> null:datetime (+:datetime now -10000000:timespan))"),
        ("Foo between (1 .. Bar)", "(and (>= null:long 1:long) (<= null:long null:long))"),
        ("RemotePort between (Foo .. 5)", "(and (>= RemotePort null:int) (<= RemotePort 5:long))"),
        ("Foo between (Bar .. Baz)", "(and (>= null:long null:long) (<= null:long null:long))"),
        ("isnull(Foo)", r#"(isnull "")"#),
        ("isempty(Foo)", r#"(isempty "")"#),
    ] {
        assert_eq!(filter(condition), expected, "{condition}");
    }
    for (expression, expected) in [
        ("Foo", r#""""#),
        ("Foo + 1", "null:long"),
        ("-Foo", "null:long"),
        ("Foo * Bar", "null:long"),
        ("Foo * 1h", "null:timespan"),
        ("Timestamp + Foo", "(+:datetime Timestamp null:timespan)"),
        ("Timestamp - Foo", "(-:timespan Timestamp null:datetime)"),
        ("strlen(Foo)", r#"(Strlen "")"#),
        ("strcat(RemoteUrl, Foo)", r#"(Strcat RemoteUrl "")"#),
        ("ago(Foo)", "(-:datetime now null:timespan)"),
        ("iff(Foo, Bar, 1)", "(if null:bool null:long 1:long)"),
        ("iff(Foo, Bar, Baz)", r#"(if null:bool "" "")"#),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}
