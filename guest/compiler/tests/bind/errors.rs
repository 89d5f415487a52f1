//! What is refused, and how the refusal reads.

use sandtrap_compiler::{diagnostic::Severity, kql::BindOptions};

use super::{bind, try_bind};

/// The one error of a query: its code, the text it points at, its message.
fn error(query: &str) -> String {
    let (program, diagnostics) = try_bind(query, BindOptions::default());
    assert_eq!(program, None, "{query} should not bind");
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| {
            let at = query.get(diagnostic.span.clone()).unwrap_or("a span outside the query");
            let help = diagnostic.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            format!("{} at `{at}`: {}{help}", diagnostic.code, diagnostic.message)
        })
        .collect();
    errors.join("\n")
}

fn check(cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        assert_eq!(error(query), *expected, "{query}");
    }
}

#[test]
fn names_that_stand_for_nothing() {
    const TABLES: &str =
        "DeviceFileCertificateInfo, DeviceFileEvents, DeviceNetworkEvents, DeviceProcessEvents, SecurityEvent";
    check(&[
        (
            "deviceNetworkEvents",
            &format!(
                "KQL0301 at `deviceNetworkEvents`: the table `deviceNetworkEvents` is not known; \
                 did you mean `DeviceNetworkEvents`? The tables are: {TABLES}"
            ),
        ),
        (
            "SigninLogs",
            &format!("KQL0301 at `SigninLogs`: the table `SigninLogs` is not known; the tables are: {TABLES}"),
        ),
        (
            "DeviceNetworkEvents | project RemoteUrl | where RemoteURL == 'a'",
            "KQL0303 at `RemoteURL`: `RemoteURL` is neither a column here nor a `let`; did you mean `RemoteUrl`?",
        ),
        (
            "let ports = 5; DeviceNetworkEvents | take prots",
            "KQL0303 at `prots`: `prots` is neither a column here nor a `let`",
        ),
        ("let n = 5; n | take 1", "KQL0304 at `n`: `n` stands for a scalar, and rows are wanted here"),
        (
            "DeviceNetworkEvents | where SecurityEvent == 1",
            "KQL0304 at `SecurityEvent`: `SecurityEvent` stands for rows, and a scalar is wanted here",
        ),
        (
            "DeviceNetworkEvents | project a = 1, a = 2",
            "KQL0305 at `a`: the column `a` is there twice; give one of them another name",
        ),
        ("let a = 1; let a = 2; print a", "KQL0306 at `a`: `a` is bound twice"),
        // A `let` sees only the ones before it.
        ("let a = b; let b = 1; print a", "KQL0303 at `b`: `b` is neither a column here nor a `let`"),
    ]);
}

#[test]
fn values_of_the_wrong_type() {
    check(&[
        (
            "DeviceNetworkEvents | where RemotePort == '443'",
            "KQL0508 at `RemotePort == '443'`: comparing int with string, which converts the constant, is not supported yet; \
             write the number without quotes, or compare with a text column",
        ),
        (
            "DeviceNetworkEvents | where Timestamp > '2024-01-01'",
            "KQL0508 at `Timestamp > '2024-01-01'`: comparing datetime with string, which converts the constant, \
             is not supported yet; write the time as `datetime(...)`",
        ),
        (
            "DeviceNetworkEvents | where IsInitiatingProcessRemoteSession == 1",
            "KQL0508 at `IsInitiatingProcessRemoteSession == 1`: comparing bool with long, which converts the constant, \
             is not supported yet",
        ),
        // Without a constant there is nothing to convert.
        (
            "DeviceNetworkEvents | where RemotePort == RemoteUrl",
            "KQL0401 at `RemotePort == RemoteUrl`: int cannot be compared with string; \
             write the number without quotes, or compare with a text column",
        ),
        (
            "DeviceNetworkEvents | where Timestamp > 5",
            "KQL0401 at `Timestamp > 5`: datetime cannot be compared with long",
        ),
        (
            "DeviceNetworkEvents | project x = RemoteUrl + 'a'",
            "KQL0402 at `RemoteUrl + 'a'`: `+` does not apply to string and string; join texts with `strcat(...)`",
        ),
        (
            "DeviceNetworkEvents | where RemoteUrl between ('a' .. 'b')",
            "KQL0401 at `RemoteUrl between ('a' .. 'b')`: `between` takes numbers and times, and here is string; \
             compare texts with `>=` and `<=`",
        ),
        (
            "DeviceNetworkEvents | where RemoteUrl",
            "KQL0403 at `RemoteUrl`: a condition is wanted here, and this is string",
        ),
        (
            "DeviceNetworkEvents | where RemotePort has '44'",
            "KQL0404 at `RemotePort has '44'`: `has` compares text, and one side is int; \
             converting with `tostring(...)` is not supported yet",
        ),
        (
            "DeviceNetworkEvents | where Timestamp > ago(5)",
            "KQL0405 at `5`: `ago` takes timespan here, and this is long; write a timespan such as `5d` or `24h`",
        ),
        ("print strlen()", "KQL0405 at `strlen`: `strlen` takes 1 argument, and here are 0"),
        (
            "DeviceNetworkEvents | where RemotePort in ('a')",
            "KQL0406 at `'a'`: the list has string where int is compared",
        ),
        (
            "DeviceNetworkEvents | where RemoteUrl has_any (dynamic([5]))",
            "KQL0406 at `dynamic([5])`: `has_any` searches for text, and the list has something else; write the element in quotes",
        ),
        (
            "DeviceNetworkEvents | where RemoteUrl in (LocalIP)",
            "KQL0407 at `LocalIP`: the list of `in` must be constant; list constants, or compare with `==` and `or`",
        ),
        ("datatable (t: datetime) [now()]", "KQL0407 at `now()`: the values of a `datatable` must be constant"),
        (
            "DeviceNetworkEvents | summarize x = RemotePort",
            "KQL0408 at `RemotePort`: the column `RemotePort` stands outside an aggregation function; \
             use it in an aggregation function such as `max(...)`, or group by it",
        ),
        (
            "DeviceNetworkEvents | where count() > 5",
            "KQL0408 at `count`: the aggregation function `count` stands outside `summarize`",
        ),
        ("DeviceNetworkEvents | take -1", "KQL0409 at `-1`: `take` takes a whole number of rows from 0"),
        (
            "datatable (a: int, b: int) [1]",
            "KQL0409 at `datatable (a: int, b: int) [1]`: 1 values do not fill rows of 2 columns",
        ),
        (
            "DeviceNetworkEvents | where Timestamp > now() - 10675199d - 10675199d",
            "KQL0409 at `now() - 10675199d`: this is before the year 1 or after the year 9999 whatever `now()` is",
        ),
        (
            "DeviceNetworkEvents | where Timestamp > ago(3000000d) - 3000000d",
            "KQL0409 at `ago(3000000d) - 3000000d`: this is before the year 1 or after the year 9999 whatever `now()` is",
        ),
        ("datatable (a: int) [3000000000]", "KQL0409 at `3000000000`: this long does not fit a column of type int"),
    ]);
}

#[test]
fn constructs_that_are_not_supported_are_named() {
    check(&[
        (
            "DeviceNetworkEvents | join (SecurityEvent) on DeviceId | where Whatever == 1",
            "KQL0501 at `join`: the operator `join` is not supported yet",
        ),
        (
            "DeviceNetworkEvents | mv-expand x | where Whatever == 1 | render timechart",
            "KQL0501 at `mv-expand`: the operator `mv-expand` is not supported yet\n\
             KQL0501 at `render`: the operator `render` is not supported yet",
        ),
        (
            "DeviceNetworkEvents | where tostring(RemotePort) == 'a'",
            "KQL0502 at `tostring`: the function `tostring` is not supported yet",
        ),
        (
            "DeviceNetworkEvents | summarize countif(RemotePort == 1)",
            "KQL0502 at `countif`: the aggregation function `countif` is not supported yet",
        ),
        (
            "DeviceNetworkEvents | where RemoteUrl matches regex 'a'",
            "KQL0504 at `matches regex`: the operator `matches regex` is not supported yet",
        ),
        (
            "DeviceNetworkEvents | where RemoteUrl in ((SecurityEvent | project Account))",
            "KQL0504 at `(SecurityEvent | project Account)`: a tabular expression in `in` needs a join, which is not supported yet; \
             list the values themselves, or put them into a `let` with `dynamic([...])`",
        ),
        (
            "range t from ago(1d) to datetime(2024-01-01) step 1h",
            "KQL0504 at `ago(1d)`: `range` over values that are not constant, such as `now()`, is not supported yet",
        ),
        (
            "print d = dynamic({'a': 1}) | where d.a == 1",
            "KQL0504 at `d.a`: access to a member of a dynamic value is not supported yet",
        ),
        ("print d = dynamic([1]) | where d == 1", "KQL0505 at `d == 1`: `==` on a dynamic value is not supported yet"),
        (
            "range x from 1 to 1000000 step 1",
            "KQL0507 at `range x from 1 to 1000000 step 1`: the range has no end or more than 100000 values",
        ),
        (
            "range x from 1 to 2 step 0",
            "KQL0507 at `range x from 1 to 2 step 0`: the range has no end or more than 100000 values",
        ),
    ]);
}

#[test]
fn a_let_in_a_list_that_stands_for_rows_needs_a_join() {
    let found = error(
        "let files = DeviceFileEvents | distinct SHA1; DeviceNetworkEvents | where InitiatingProcessSHA1 in (files)",
    );
    assert!(found.starts_with("KQL0504 at `files`: a tabular expression in `in` needs a join"), "{found}");
}

#[test]
fn a_missing_column_is_a_warning_once_and_an_error_if_the_schema_is_strict() {
    let query = "DeviceNetworkEvents | where AccountUpn == '' | summarize count() by AccountUpn";
    let (_, diagnostics) = bind(query);
    let [warning] = diagnostics.as_slice() else { panic!("one warning: {diagnostics:#?}") };
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(warning.code, "KQL0302");
    assert_eq!(warning.message, "the table `DeviceNetworkEvents` has no column `AccountUpn`");
    assert_eq!(warning.help.as_deref(), Some("did you mean `InitiatingProcessAccountUpn`?"));
    assert_eq!(query.get(warning.span.clone()), Some("AccountUpn"));
    let (program, diagnostics) = try_bind(query, BindOptions { strict_schema: true });
    assert_eq!(program, None);
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.code == "KQL0302" && diagnostic.is_error()));
}

#[test]
fn names_that_stand_for_each_other_do_not_outgrow_the_compiler() {
    let doublings: Vec<String> = (0..40).map(|n| format!("let a{} = strcat(a{n}, a{n});", n + 1)).collect();
    let doubling = format!("let a0 = tolower('x'); {}", doublings.concat());
    assert!(error(&format!("{doubling} print a40")).starts_with("KQL0507 "));
    // Computed columns are put into kernels of their own instead.
    let mut columns = String::from("DeviceNetworkEvents | project x = RemotePort + 1");
    for _ in 0..100 {
        columns += "| extend x = x + x";
    }
    let (program, _) = bind(&columns);
    assert!(program.kernels.len() > 5);
    let chain = |count| format!("DeviceNetworkEvents | where {}", vec!["RemotePort == 1"; count].join(" or "));
    bind(&chain(511));
    // One node for `or`, three for each comparison.
    let refused = error(&chain(512));
    assert!(refused.starts_with("KQL0507 ") && refused.contains("have 1537 operators and values"), "{refused}");
    // Columns of at most 256 nodes are copied, and this makes too many copies of one.
    let sum = vec!["x"; 40].join(" + ");
    let doubled = "| extend x = x + x".repeat(6);
    assert!(
        error(&format!("DeviceNetworkEvents | project x = RemotePort {doubled} | project y = {sum}"))
            .starts_with("KQL0507 ")
    );
}

/// The warnings about comparisons with `now()`: the texts that they point at.
fn not_lookbacks(query: &str) -> Vec<&str> {
    let (_, diagnostics) = bind(query);
    let found = diagnostics.iter().filter(|diagnostic| diagnostic.code == "KQL0410");
    found.map(|diagnostic| query.get(diagnostic.span.clone()).expect("a span of the query")).collect()
}

#[test]
fn a_comparison_with_now_that_is_not_a_lookback_is_a_warning() {
    for (condition, expected) in [
        ("Timestamp > ago(1d)", vec![]),
        ("Timestamp between (ago(2d) .. now()) and RemotePort == 1", vec![]),
        ("Timestamp > ago(30d) | where Timestamp > ago(1d)", vec![]),
        ("Timestamp > datetime(2024-01-01)", vec![]),
        ("InitiatingProcessCreationTime > ago(1d)", vec![]),
        ("now() - Timestamp < 1d", vec!["now() - Timestamp < 1d"]),
        ("Timestamp + 1d > now()", vec!["Timestamp + 1d > now()"]),
        ("Timestamp > ago(1d) or RemotePort == 1", vec!["Timestamp > ago(1d)"]),
        ("not(Timestamp > ago(1d))", vec!["Timestamp > ago(1d)"]),
        ("Timestamp !between (ago(2d) .. ago(1d))", vec!["Timestamp !between (ago(2d) .. ago(1d))"]),
        // Without a lower end there is no lookback.
        ("Timestamp < ago(1d)", vec!["Timestamp < ago(1d)"]),
        // Only the first column of time makes one.
        ("Timestamp > ago(1d) and TimeGenerated > ago(2d)", vec!["TimeGenerated > ago(2d)"]),
        ("RemotePort == 1 | extend age = now() - Timestamp | where age < 1d", vec!["age < 1d"]),
        ("RemotePort == 1 | take 5 | where Timestamp > ago(1d)", vec!["Timestamp > ago(1d)"]),
    ] {
        assert_eq!(not_lookbacks(&format!("DeviceNetworkEvents | where {condition}")), expected, "{condition}");
    }
}
