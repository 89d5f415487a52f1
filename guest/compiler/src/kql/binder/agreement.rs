//! The binder against the reference interpreter, which types and names columns by code of its own: over empty tables
//! both must give the same columns, and neither may take what the other calls an error.

use sandtrap_wit::LogicalType;

use super::{BindOptions, bind};
use crate::{
    diagnostic::Diagnostic,
    kql::{self, tables},
    reference::{ReferenceError, Table, evaluate},
};

/// How the two differ over a query, if they do.
fn difference(query: &str) -> Option<String> {
    let parsed = kql::parse(query);
    let ast = parsed.query.filter(|_| !parsed.diagnostics.iter().any(Diagnostic::is_error))?;
    let bound = bind(&ast, &BindOptions::default());
    let empty =
        |name: &str| tables::find(name).map(|table| Table { columns: table.columns().to_vec(), rows: Vec::new() });
    let errors: Vec<String> = bound.diagnostics.iter().filter(|it| it.is_error()).map(ToString::to_string).collect();
    // What is not supported yet, or too large, is no disagreement, and the reference has no limits.
    if errors.iter().any(|error| error.starts_with("KQL05")) {
        return None;
    }
    let expected = evaluate(&ast, &empty, 0);
    match (bound.program, expected) {
        (Some(program), Ok(expected)) => {
            let columns = program.plan.validate().ok()?.pop()?;
            let columns: Vec<(String, LogicalType)> = columns.into_iter().map(|it| (it.name, it.ty)).collect();
            (columns != expected.columns).then(|| format!("bound     {columns:?}\nreference {:?}", expected.columns))
        }
        (Some(_), Err(error @ (ReferenceError::Type { .. } | ReferenceError::Name { .. }))) => {
            Some(format!("binds, and the reference says: {error}"))
        }
        (None, Ok(_)) => Some(format!("the reference takes it, and the binder says: {errors:?}")),
        _ => None,
    }
}

fn check<'a>(queries: impl Iterator<Item = &'a str>) {
    let differences: Vec<String> =
        queries.filter_map(|query| difference(query).map(|it| format!("{query}\n{it}"))).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

#[test]
fn both_give_the_same_columns() {
    check(
        [
            "DeviceNetworkEvents",
            "DeviceNetworkEvents | extend 1, 2 | project Column2, RemotePort + 1, LocalPort / 2.0",
            "DeviceNetworkEvents | extend RemotePort = strlen(RemoteUrl), strlen(RemoteUrl)",
            "DeviceNetworkEvents | summarize count(), max(Timestamp) - min(Timestamp), x = count() by tolower(RemoteUrl), 1",
            "DeviceNetworkEvents | summarize by AccountUpn | distinct *",
            "DeviceNetworkEvents | distinct RemoteUrl, tolower(RemoteUrl), RemotePort | count",
            "DeviceNetworkEvents | project a = 1d / 1h, b = 1d / 2, c = iff(true, int(1), 2), d = -int(1), e = +int(1)",
            "DeviceNetworkEvents | project RemoteUrl, x = RemoteUrl | summarize make_set(x), dcount(x), min(x) by RemoteUrl",
            "DeviceNetworkEvents | summarize max_RemotePort = count(), max(RemotePort), max(RemotePort) by max = 1",
            "print 1, x = 'a', strlen('b'), now(), dynamic([1])",
            "datatable (a: int, b: real) [1, 2.5] | where a !between (1 .. 2) | top 1 by a + b",
            "range x from 1 to 10 step 1 | summarize min(x), max(x) by x % 3",
            "DeviceNetworkEvents | project a, a",
            "DeviceNetworkEvents | project RemoteUrl | where RemotePort == 1",
            "DeviceNetworkEvents | where Timestamp between ('a' .. 'b')",
            "print +'a'",
        ]
        .into_iter(),
    );
}

#[test]
fn both_give_missing_columns_the_same_types() {
    let conditions = [
        "Foo > 5",
        "5.5 > Foo",
        "Foo == true",
        "Foo",
        "not(Foo) or Foo",
        "Foo == 'a'",
        "Foo == Bar",
        "Foo in (1, 2)",
        "Foo in (Bar, 1)",
        "Foo in (dynamic(['a', 1]))",
        "RemotePort in (Foo, 1)",
        "Foo in (Bar)",
        "Foo has_any ('a', Bar)",
        "Foo > ago(1d)",
        "Foo between (1 .. Bar)",
        "RemotePort between (Foo .. 5)",
        "Foo between (Bar .. Baz)",
        "Foo between (ago(1d) .. 1h)",
        "isnull(Foo) or isempty(Foo)",
        "Foo between ('a' .. 'b')",
        "Foo in (1, 'a')",
        "Foo + 1 > 5",
        "Foo + 'a' == ''",
    ];
    let values = [
        "Foo",
        "Foo + 1",
        "-Foo",
        "Foo * Bar",
        "Foo * 1h",
        "1h * Foo",
        "1h / Foo",
        "Timestamp + Foo",
        "Foo + Timestamp",
        "Timestamp - Foo",
        "Foo - 1d",
        "strlen(Foo)",
        "strcat(Foo, Bar)",
        "ago(Foo)",
        "iff(Foo, Bar, 1)",
        "iff(Foo, Bar, Baz)",
    ];
    let others = ["sort by Foo", "summarize count(), max(Foo), make_set(Foo), dcount(Foo) by Foo, Bar", "distinct Foo"];
    let conditions = conditions.iter().map(|condition| format!("DeviceNetworkEvents | where {condition}"));
    let values = values.iter().map(|value| format!("DeviceNetworkEvents | project x = {value}"));
    let others = others.iter().map(|operator| format!("DeviceNetworkEvents | {operator}"));
    let queries: Vec<String> = conditions.chain(values).chain(others).collect();
    check(queries.iter().map(String::as_str));
}

#[test]
fn both_give_the_same_columns_for_public_queries() {
    let Some(shared) = std::env::var_os("SANDTRAP_SHARED").map(std::path::PathBuf::from) else { return };
    let read = |name: &str| std::fs::read_to_string(shared.join("corpus/kql").join(name)).expect("the corpus is there");
    let lines = read("queries.jsonl");
    let queries = lines.lines().map(|line| serde_json::from_str(line).expect("a line is an entry"));
    let cases: Vec<serde_json::Value> = serde_json::from_str(&read("reference_cases.json")).expect("an array of cases");
    let queries: Vec<serde_json::Value> = queries.collect();
    let texts = queries.iter().filter_map(|entry| entry["query"].as_str());
    check(texts.chain(cases.iter().filter_map(|case| case["q"].as_str())));
}
