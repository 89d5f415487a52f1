//! What tabular operators become.

use super::{bind, plan};

fn check(query: &str, expected: &[&str]) {
    assert_eq!(plan(query), expected.join("\n"), "{query}");
}

#[test]
fn where_project_and_extend_become_one_kernel_that_asks_for_what_it_uses() {
    check(
        "DeviceNetworkEvents | where RemotePort == 443 | extend Url = tolower(RemoteUrl), Port = RemotePort \
         | where Url has 'a' | project Timestamp, Url, Port, RemotePort",
        &[
            "source DeviceNetworkEvents (Timestamp:datetime, RemotePort:int, RemoteUrl:string) prefilter RemotePort[443]",
            "kernel where (and (== RemotePort 443:long) (has~ (ToLower RemoteUrl) [\"a\"])) \
             -> Timestamp, Url=(ToLower RemoteUrl), Port=RemotePort, RemotePort",
        ],
    );
}

#[test]
fn a_table_without_operators_is_a_kernel_that_passes_every_column() {
    let (program, _) = bind("DeviceFileCertificateInfo");
    let columns = program.plan.validate().expect("the plan is valid").pop().expect("a result");
    assert_eq!(program.plan.nodes.len(), 2, "a detection has a kernel");
    assert_eq!(columns.len(), 19);
    assert_eq!(columns[0].name, "Timestamp");
}

#[test]
fn the_time_filter_becomes_the_lookback() {
    let cases = [
        ("Timestamp > ago(1h)", "lookback Timestamp 3600s..", ""),
        ("ago(1h) <= Timestamp", "lookback Timestamp =3600s..", ""),
        ("Timestamp between (now(-1h) .. now())", "lookback Timestamp =3600s..=0s", ""),
        ("Timestamp > ago(1h) and Timestamp < now()", "lookback Timestamp 3600s..0s", ""),
        ("TimeGenerated >= now() - 1h", "lookback TimeGenerated =3600s..", ""),
        // Of several bounds the tightest counts. What is about another column stays in the filter.
        ("Timestamp > ago(1h) and Timestamp > ago(2h)", "lookback Timestamp 3600s..", ""),
        ("Timestamp > ago(2h) | where Timestamp > ago(1h)", "lookback Timestamp 3600s..", ""),
        ("Timestamp >= ago(1h) and ago(1h) < Timestamp", "lookback Timestamp 3600s..", ""),
        (
            "Timestamp < now() and Timestamp between (ago(3h) .. ago(1h)) and Timestamp < ago(1h)",
            "lookback Timestamp =10800s..3600s",
            "",
        ),
        ("Timestamp > ago(1h) and TimeGenerated < now()", "lookback Timestamp 3600s..", " where (< TimeGenerated now)"),
    ];
    for (condition, lookback, filter) in cases {
        let plan = plan(&format!("DeviceNetworkEvents | where {condition} | project Timestamp, TimeGenerated"));
        let (source, kernel) = plan.split_once('\n').expect("two nodes");
        // A bound that stays in the filter is in the prefilter, too.
        let source = source.split_once(" prefilter ").map_or(source, |(source, _)| source);
        assert!(source.ends_with(lookback), "{condition}\n{source}");
        assert_eq!(kernel, format!("kernel{filter} -> Timestamp, TimeGenerated"), "{condition}");
    }
}

#[test]
fn other_time_filters_stay_in_the_filter() {
    for (condition, expected) in [
        ("Timestamp < ago(1h)", "(< Timestamp (+:datetime now -36000000000:timespan))"),
        (
            "InitiatingProcessCreationTime > ago(1h)",
            "(> InitiatingProcessCreationTime (+:datetime now -36000000000:timespan))",
        ),
        ("Timestamp > datetime(1970-01-01)", "(> Timestamp 0:datetime)"),
        (
            "Timestamp > ago(1h) or RemotePort == 1",
            "(or (> Timestamp (+:datetime now -36000000000:timespan)) (== RemotePort 1:long))",
        ),
    ] {
        let (program, _) = bind(&format!("DeviceNetworkEvents | where {condition}"));
        assert!(!super::show::program(&program).contains("lookback"), "{condition}");
        assert_eq!(super::filter(condition), expected, "{condition}");
    }
}

#[test]
fn a_lookback_asks_for_its_column_even_if_nothing_else_does() {
    check(
        "DeviceNetworkEvents | where Timestamp > ago(5d) | count",
        &[
            "source DeviceNetworkEvents (Timestamp:datetime) lookback Timestamp 432000s..",
            "kernel -> ",
            "aggregate Count=count() by ",
        ],
    );
}

#[test]
fn summarize_computes_before_and_after() {
    check(
        "DeviceNetworkEvents | summarize count(), min(Timestamp), Last=max(Timestamp), make_set(RemoteUrl, 5), \
         dcount(RemoteUrl), Span = max(Timestamp) - min(Timestamp) by DeviceName, Host = tolower(RemoteUrl)",
        &[
            "source DeviceNetworkEvents (Timestamp:datetime, DeviceName:string, RemoteUrl:string)",
            "kernel -> DeviceName, $1=(ToLower RemoteUrl), Timestamp, RemoteUrl",
            "aggregate count_=count(), min_Timestamp=min(Timestamp), Last=max(Timestamp), \
             set_RemoteUrl=make_set(RemoteUrl, 5), dcount_RemoteUrl=dcount(RemoteUrl) by DeviceName, Host=$1",
            "kernel -> DeviceName, Host, count_, min_Timestamp, Last, set_RemoteUrl, dcount_RemoteUrl, \
             Span=(-:timespan Last min_Timestamp)",
        ],
    );
}

#[test]
fn what_follows_a_summarize_is_a_kernel_of_its_own() {
    check(
        "DeviceNetworkEvents | summarize Hits = count() by RemoteUrl | where Hits > 5 | top 3 by Hits",
        &[
            "source DeviceNetworkEvents (RemoteUrl:string)",
            "kernel -> RemoteUrl",
            "aggregate Hits=count() by RemoteUrl",
            "kernel where (> Hits 5:long) -> RemoteUrl, Hits",
            "sort hits desc nulls last",
            "limit 3",
        ],
    );
    // Grouping groups needs no kernel in between, and aggregates that nobody asks for are not computed.
    check(
        "DeviceNetworkEvents | summarize count(), max(Timestamp) by RemoteUrl, RemotePort | summarize count() by RemotePort",
        &[
            "source DeviceNetworkEvents (RemotePort:int, RemoteUrl:string)",
            "kernel -> RemoteUrl, RemotePort",
            "aggregate  by RemoteUrl, RemotePort",
            "aggregate count_=count() by RemotePort",
        ],
    );
}

#[test]
fn names_that_the_query_leaves_open_are_kusto_s() {
    for (operator, expected) in [
        ("project RemotePort + 1, RemoteUrl, strlen(RemoteUrl)", "Column1 RemoteUrl strlen_RemoteUrl"),
        ("project RemotePort + 1, Column1 = 2", "Column1 Column11"),
        ("project Column1 = 1 | extend 2, 3", "Column1 Column2 Column3"),
        ("project a = 1 | extend a = 2, b = 3", "a b"),
        ("summarize count(), count(), max(RemotePort + 1), count_ = min(RemotePort)", "count_ count_1 max_ count_2"),
        ("summarize by RemoteUrl, tolower(RemoteUrl)", "RemoteUrl Column1"),
        ("distinct RemoteUrl, RemotePort", "RemoteUrl RemotePort"),
        ("count", "Count"),
    ] {
        let (program, _) = bind(&format!("DeviceNetworkEvents | {operator}"));
        let columns = program.plan.validate().expect("the plan is valid").pop().expect("a result");
        let names: Vec<String> = columns.into_iter().map(|column| column.name).collect();
        assert_eq!(names.join(" "), expected, "{operator}");
    }
}

#[test]
fn sorts_know_where_nulls_go_and_drop_what_only_they_need() {
    check(
        "DeviceNetworkEvents | project RemotePort, RemoteUrl | sort by RemotePort, RemoteUrl asc, strlen(RemoteUrl) desc nulls first",
        &[
            "source DeviceNetworkEvents (RemotePort:int, RemoteUrl:string)",
            "kernel -> RemotePort, RemoteUrl, $sort2=(Strlen RemoteUrl)",
            "sort remoteport desc nulls last, remoteurl asc nulls first, $sort2 desc nulls first",
            "kernel -> RemotePort, RemoteUrl",
        ],
    );
}

#[test]
fn lets_stand_for_scalars_arrays_and_rows() {
    check(
        "let n = 2 * 3; let ports = dynamic([80, 443]); let since = ago(1h); let base = DeviceNetworkEvents | where Timestamp > since; \
         let again = base; again | where RemotePort in (ports) | take n",
        &[
            &format!(
                "source DeviceNetworkEvents ({}) lookback Timestamp 3600s.. prefilter RemotePort[80, 443]",
                all_columns()
            ),
            &format!("kernel where (in RemotePort [80, 443]) -> {}", all_names()),
            "limit 6",
        ],
    );
    // A column hides a `let`.
    assert_eq!(super::value("RemotePort"), "passed through");
    check(
        "let RemotePort = 1; DeviceNetworkEvents | project x = RemotePort",
        &["source DeviceNetworkEvents (RemotePort:int)", "kernel -> x=RemotePort"],
    );
}

fn all_columns() -> String {
    let table = sandtrap_compiler::kql::tables::find("DeviceNetworkEvents").expect("a table");
    let columns = table.columns().iter().map(|(name, ty)| format!("{name}:{ty}"));
    columns.collect::<Vec<_>>().join(", ")
}

fn all_names() -> String {
    let table = sandtrap_compiler::kql::tables::find("DeviceNetworkEvents").expect("a table");
    table.columns().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

#[test]
fn rows_can_be_written_into_the_query() {
    check("print 1 + 1, s = 'a'", &["source inline [[]] ()", "kernel -> print_0=2:long, s=\"a\""]);
    check(
        "print x = strlen('abc') | where x > 2",
        &["source inline [[]] ()", "kernel where (> (Strlen \"abc\") 2:long) -> x=(Strlen \"abc\")"],
    );
    check(
        "datatable (a: long, b: string, c: datetime, d: real, e: dynamic) \
         [1, 'x', datetime(1970-01-01), 2, dynamic([1]), long(null), '', datetime(null), real(null), dynamic(null)] | where a > 0",
        &[
            r#"source inline [[1,"x",0,2.0,"[1]"],[null,"",null,null,null]] (a:long, b:string, c:datetime, d:real, e:dynamic)"#,
            "kernel where (> a 0:long) -> a, b, c, d, e",
        ],
    );
    check("range x from 1 to 5 step 2", &["source inline [[1],[3],[5]] (x:long)"]);
    check("range x from 3 to 1 step -1", &["source inline [[3],[2],[1]] (x:long)"]);
    check("range x from 1 to 2 step 0.5", &["source inline [[1.0],[1.5],[2.0]] (x:real)"]);
    check(
        "range t from datetime(1970-01-01) to datetime(1970-01-01 00:00:02) step 1s | summarize max(t)",
        &["source inline [[0],[10000000],[20000000]] (t:datetime)", "aggregate max_t=max(t) by "],
    );
}

#[test]
fn a_missing_column_that_is_kept_is_empty_text() {
    check(
        "DeviceNetworkEvents | where AccountUpn has 'a' | summarize count() by AccountUpn",
        &[
            "source DeviceNetworkEvents ()",
            "kernel where (has~ \"\" [\"a\"]) -> $0=\"\"",
            "aggregate count_=count() by AccountUpn=$0",
        ],
    );
}
