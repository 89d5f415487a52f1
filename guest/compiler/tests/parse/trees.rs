//! Trees, drawn: `(a + (b has 'c'))`.

use sandtrap_compiler::kql::{
    ast::{DataSource, Expr, ExprKind, LetValue, Literal, OperatorKind, Pipeline},
    parse,
};

fn pipeline(text: &str) -> Pipeline {
    let parsed = parse(text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    parsed.query.unwrap_or_else(|| panic!("{text}: no tree")).body
}

/// The tree of a condition.
fn condition(text: &str) -> Expr {
    let query = format!("T | where {text}");
    match pipeline(&query).operators.pop().map(|operator| operator.kind) {
        Some(OperatorKind::Where(expr)) => expr,
        other => panic!("{text}: {other:?}"),
    }
}

/// An expression with parentheses around everything that has operands. Operators are shown as they are written.
fn shown(expr: &Expr, text: &str) -> String {
    let all = |list: &[Expr]| list.iter().map(|expr| shown(expr, text)).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Literal(_) => text[expr.span.clone()].to_owned(),
        ExprKind::Unary { operand, .. } => {
            format!("({}{})", &text[expr.span.start..=expr.span.start], shown(operand, text))
        }
        ExprKind::Binary { left, op_span, right, .. } => {
            format!("({} {} {})", shown(left, text), &text[op_span.clone()], shown(right, text))
        }
        ExprKind::List { left, op_span, right, .. } => {
            format!("({} {} [{}])", shown(left, text), &text[op_span.clone()], all(right))
        }
        ExprKind::Between { negated, value, low, high } => {
            let not = if *negated { "!" } else { "" };
            format!("({} {not}between {} .. {})", shown(value, text), shown(low, text), shown(high, text))
        }
        ExprKind::Call { name, arguments } => format!("{}({})", name.text, all(arguments)),
        ExprKind::Member { target, member } => format!("({}.{})", shown(target, text), member.text),
        ExprKind::Index { target, index } => format!("({}[{}])", shown(target, text), shown(index, text)),
        ExprKind::Subquery(pipeline) => format!("<{}>", &text[pipeline.span.clone()]),
        ExprKind::Star => "*".into(),
        ExprKind::Error => "error".into(),
    }
}

#[test]
fn precedence_is_that_of_microsoft_s_parser() {
    for (text, tree) in [
        ("a + b has 'c'", "(a + (b has 'c'))"),
        ("a * b has 'c'", "(a * (b has 'c'))"),
        ("-a has 'c'", "((-a) has 'c')"),
        ("a == b has 'c'", "(a == (b has 'c'))"),
        ("a < b has 'c'", "(a < (b has 'c'))"),
        ("a == b < c", "(a == (b < c))"),
        ("a < b == c", "((a < b) == c)"),
        ("a in (b) and c", "((a in [b]) and c)"),
        ("a + b in (c)", "((a + b) in [c])"),
        ("a < b in (c)", "((a < b) in [c])"),
        ("a between (1..2) and b", "((a between 1 .. 2) and b)"),
        ("a has b + c", "((a has b) + c)"),
        ("a matches regex b + c", "((a matches regex b) + c)"),
        ("-a.b", "(-(a.b))"),
        ("-a[0]", "(-(a[0]))"),
        ("a % b * c", "((a % b) * c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c", "((a and b) or c)"),
        ("(a or b) and c", "((a or b) and c)"),
        ("not(a) or b", "(not(a) or b)"),
        ("a or b or c or d", "((a or b) or (c or d))"),
        ("a !in~ ('b', \"c\")", "(a !in~ ['b', \"c\"])"),
        ("a !has_cs b and a hassuffix c", "((a !has_cs b) and (a hassuffix c))"),
        ("a in ((U | project b))", "(a in [<U | project b>])"),
        ("a in (U | project b)", "(a in [<U | project b>])"),
        ("f(a, b=1).c['d']", "((f(a, 1).c)['d'])"),
        ("['a b'] == a.['c d']", "(a b == (a['c d']))"),
        ("* has 'a'", "(* has 'a')"),
        ("a : 'b'", "(a : 'b')"),
    ] {
        let query = format!("T | where {text}");
        assert_eq!(shown(&condition(text), &query), tree, "{text}");
    }
}

#[test]
fn literals_have_values() {
    const DAY: i64 = 864_000_000_000;
    for (text, literal) in [
        ("1", Literal::Long(1)),
        ("0x1F", Literal::Long(31)),
        ("0xFFFFFFFFFFFFFFFF", Literal::Long(-1)),
        ("int(-5)", Literal::Int(-5)),
        ("1.", Literal::Real(1.0)),
        ("1e3", Literal::Real(1000.0)),
        ("real(-inf)", Literal::Real(f64::NEG_INFINITY)),
        ("True", Literal::Bool(true)),
        ("bool(0)", Literal::Bool(false)),
        ("5d", Literal::Timespan(5 * DAY)),
        ("1.5h", Literal::Timespan(DAY / 16)),
        ("time(2)", Literal::Timespan(2 * DAY)),
        ("timespan(1.02:03:04.5)", Literal::Timespan(DAY + 73_845_000_000)),
        ("datetime(1970-01-02)", Literal::Datetime(DAY)),
        ("datetime('1970-01-02 00:00:00Z')", Literal::Datetime(DAY)),
        ("guid(74BE27DE-1e4e-49d9-b579-fe0b331d3642)", Literal::Guid("74be27de-1e4e-49d9-b579-fe0b331d3642".into())),
        ("'a' \"b\" // c\n @'\\d''e' h'f'", Literal::String("ab\\d'ef".into())),
        ("'\\400\\u00e9'", Literal::String(" 0é".into())),
        ("@```a\n'b'```", Literal::String("a\n'b'".into())),
        ("dynamic(null)", Literal::Null(sandtrap_wit::LogicalType::Dynamic)),
        ("long(null)", Literal::Null(sandtrap_wit::LogicalType::Long)),
        ("datetime(null)", Literal::Null(sandtrap_wit::LogicalType::Datetime)),
        (
            "dynamic({'a': [1, -2.5, @'\\b', true, null, datetime(1970-01-02), 5d], \"c\": {}})",
            Literal::Dynamic(serde_json::json!({
                "a": [1, -2.5, "\\b", true, null, "1970-01-02T00:00:00.0000000Z", "5.00:00:00"], "c": {}
            })),
        ),
    ] {
        assert_eq!(condition(text).kind, ExprKind::Literal(literal), "{text}");
    }
}

#[test]
fn statements_and_sources() {
    let parsed = parse("let a = 5d; let T2 = U | count; let f = (x: int) { x + 1 }; let ['b c'] = dynamic([1]); T2;");
    assert_eq!(parsed.diagnostics, []);
    let query = parsed.query.expect("a tree");
    let lets: Vec<_> = query
        .lets
        .iter()
        .map(|statement| {
            let kind = match &statement.value {
                LetValue::Scalar(_) => "scalar",
                LetValue::Tabular(_) => "tabular",
                LetValue::Unsupported { construct, .. } => construct,
            };
            (statement.name.text.as_str(), kind)
        })
        .collect();
    assert_eq!(lets, [("a", "scalar"), ("T2", "tabular"), ("f", "user-defined function"), ("b c", "scalar")]);
    for (text, construct) in [
        ("union T, U | count", "union"),
        ("search in (T) 'x' | count", "search"),
        ("find where a == 1", "find"),
        ("externaldata(a: string)[@'x;y|z'] with (format='csv') | count", "externaldata"),
        ("_GetWatchlist('x') | count", "function call _GetWatchlist()"),
        ("materialize(T) | count", "function call materialize()"),
        ("cluster('a').database('b').T | count", "reference to another database"),
    ] {
        match pipeline(text).source {
            DataSource::Unsupported { construct: found, .. } => assert_eq!(found, construct, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn an_operator_that_is_not_supported_is_skipped_as_a_whole() {
    let text = "T | join kind=inner (U | where a == 'x|y;' | project b) on $left.a == $right.b | mv-expand c=f(a)[0] to typeof(string)
        | parse a with * 'x|' b:string ')' | project-away c*, d | count";
    let kinds: Vec<_> = pipeline(text).operators.into_iter().map(|operator| operator.kind).collect();
    let unsupported = ["join", "mv-expand", "parse", "project-away"].map(|name| OperatorKind::Unsupported(name.into()));
    assert_eq!(kinds, unsupported.into_iter().chain([OperatorKind::Count]).collect::<Vec<_>>());
}

#[test]
fn spans_are_those_of_the_text() {
    let text = "T\n| where a == 'é' and b in (1, 2)\n| sort by  a asc";
    let pipeline = pipeline(text);
    let shown: Vec<_> = pipeline.operators.iter().map(|operator| &text[operator.span.clone()]).collect();
    assert_eq!(shown, ["where a == 'é' and b in (1, 2)", "sort by  a asc"]);
    assert_eq!(&text[pipeline.span], text);
}

#[test]
fn several_errors_are_found_at_once() {
    let text = "let a = ;\nT | where | where b == | Sha1 in (c) | extend d = 'e | take 5";
    let found: Vec<_> = parse(text).diagnostics.iter().map(|found| (found.code, &text[found.span.clone()])).collect();
    let expected =
        [("KQL0201", ";"), ("KQL0201", "|"), ("KQL0201", "|"), ("KQL0209", "Sha1"), ("KQL0105", "'e | take 5")];
    assert_eq!(found, expected);
}

#[test]
fn errors_name_what_is_wrong_and_where() {
    for (text, code, place) in [
        ("T | where a == 'b\\q'", "KQL0106", "\\q"),
        ("T | where a == 99999999999999999999", "KQL0103", "99999999999999999999"),
        ("T | where a > 99999999999d", "KQL0104", "99999999999d"),
        ("T | where a == \"b", "KQL0105", "\"b"),
        ("T | where a > datetime(2024-01-01\n", "KQL0105", "datetime(2024-01-01"),
        ("T | where a > datetime(2024-02-30)", "KQL0107", "datetime(2024-02-30)"),
        ("T | where a == 74be27de-1e4e-49d9-b579-fe0b331d3642", "KQL0108", "74be27de-1e4e-49d9-b579-fe0b331d3642"),
        ("T | where ölgröße == 1", "KQL0102", "ölgröße"),
        ("öße | count", "KQL0102", "öße"),
        ("T | where a § b", "KQL0102", "§"),
        ("T | where a == b == c", "KQL0211", "=="),
        ("T | where a and or b", "KQL0210", "or"),
        ("T | where (a", "KQL0201", ""),
        ("T | where a)", "KQL0201", ")"),
        ("T | where a in 'b'", "KQL0201", "'b'"),
        ("T | where a in ('b',)", "KQL0201", ")"),
        ("T | count as N", "KQL0208", "as"),
        ("T | where a == decimal(1)", "KQL0208", "decimal(1)"),
        ("T | top 5 by a, b", "KQL0201", ","),
        ("set notruncation; T", "KQL0205", "set"),
        ("T; U", "KQL0206", "U"),
        ("T | extend (a, b) = f(c)", "KQL0207", "(a, b)"),
        ("let a = 1 T", "KQL0203", "T"),
        ("1 + 2", "KQL0202", "1 + 2"),
        ("", "KQL0202", ""),
        ("#connect x\nT", "KQL0110", "#connect x"),
    ] {
        let parsed = parse(text);
        let found: Vec<_> = parsed.diagnostics.iter().map(|found| (found.code, &text[found.span.clone()])).collect();
        assert_eq!((found.first(), parsed.query), (Some(&(code, place)), None), "{text}\n{:?}", parsed.diagnostics);
    }
}

#[test]
fn a_comma_that_is_missing_in_a_list_is_a_warning() {
    for text in ["T | where a in ('b' 'c', 'd')", "T | where a has_any ('b'\n'c')", "let a = dynamic(['b' 'c']); T"] {
        let parsed = parse(text);
        let codes: Vec<_> = parsed.diagnostics.iter().map(|found| (found.code, found.is_error())).collect();
        assert_eq!((codes, parsed.query.is_some()), (vec![("KQL0109", false)], true), "{text}");
    }
}
