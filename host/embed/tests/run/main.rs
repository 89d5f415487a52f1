//! Whole runs: components from files, events from files, verdicts in order. The components are emitted from typed
//! kernels, so that nothing here depends on a rule language.

mod pruning;
mod scene;
mod swaps;

use std::{fs, path::PathBuf};

use sandtrap_compiler::ir::{self, CompareOp, Expr, Literal};
use sandtrap_embed::{
    LookbackMode,
    evaluator::{Options, Reporting},
    rules::Refusal,
    run::{BadLines, Input},
};
use sandtrap_wit::{
    LogicalType::{Datetime, Long, String as Text},
    plan::{
        Aggregate, AggregateColumn, AggregateFunction, Bound, GroupKey, Kernel, KernelOutput, Lookback, Node,
        OutputCells, Rows, Source, SourceColumn,
    },
    prefilter::Prefilter,
};

use scene::{AS_THEY_COME, Scene, write_rule};

/// Rows of `DeviceNetworkEvents` whose port is at least `port`; of them device and port.
fn ports_from(port: i64) -> (Vec<Node>, ir::Kernel) {
    let columns = [("Timestamp", Datetime), ("DeviceName", Text), ("RemotePort", Long)];
    let source = Source {
        rows: Rows::Stream("DeviceNetworkEvents".into()),
        columns: columns.map(|(name, ty)| SourceColumn { field: vec![name.into()], ty, list: false }).to_vec(),
        prefilter: Prefilter::default(),
        lookback: Some(Lookback { column: 0, from: Bound { ago: 864_000_000_000, inclusive: true }, to: None }),
    };
    let output = |index: u32, name: &str, ty| KernelOutput { name: name.into(), ty, from: OutputCells::Input(index) };
    let kernel = Kernel {
        input: 0,
        kernel: 0,
        reads: vec![2],
        outputs: vec![output(1, "DeviceName", Text), output(2, "RemotePort", Long)],
    };
    let filter = Expr::Compare {
        op: CompareOp::GreaterEqual,
        left: Box::new(Expr::Input { column: 0, ty: Long }),
        right: Box::new(Expr::Literal(Literal::Integer(port, Long))),
    };
    let emitted =
        ir::Kernel { inputs: vec![ir::Input { ty: Long, list: false }], filter: Some(filter), computed: Vec::new() };
    (vec![Node::Source(source), Node::Kernel(kernel)], emitted)
}

fn by_device(input: u32) -> Node {
    Node::Aggregate(Aggregate {
        input,
        by: vec![GroupKey { name: "DeviceName".into(), column: 0 }],
        aggregates: vec![AggregateColumn { name: "count_".into(), function: AggregateFunction::Count }],
    })
}

fn event(device: &str, port: i64) -> String {
    format!(
        r#"{{"Type":"DeviceNetworkEvents","Timestamp":"1970-01-01T00:00:00Z","DeviceName":"{device}","RemotePort":{port}}}"#
    )
}

#[test]
fn verdicts_come_by_event_then_by_detection_and_groups_at_the_end() {
    let scene = Scene::new();
    let (nodes, kernel) = ports_from(100);
    write_rule(scene.path(), "a.wasm", "z-over-100", nodes, kernel);
    let (nodes, kernel) = ports_from(10);
    write_rule(scene.path(), "b.wasm", "a-over-10", nodes, kernel);
    let (mut nodes, kernel) = ports_from(10);
    nodes.push(by_device(1));
    write_rule(scene.path(), "c.wasm", "groups", nodes, kernel);

    let lines = [event("a", 443), event("b", 22), event("c", 5), event("a", 80)];
    let (found, summary, evaluator) =
        scene.run(vec![scene.events(&lines.each_ref().map(String::as_str))], AS_THEY_COME, BadLines::Skip);
    assert_eq!(
        found.verdicts,
        [
            r#"1 test/a-over-10 {"DeviceName":"a","RemotePort":443}"#,
            r#"1 test/z-over-100 {"DeviceName":"a","RemotePort":443}"#,
            r#"2 test/a-over-10 {"DeviceName":"b","RemotePort":22}"#,
            r#"4 test/a-over-10 {"DeviceName":"a","RemotePort":80}"#,
            r#"{"revision":null,"final":true} test/groups {"DeviceName":"a","count_":2}"#,
            r#"{"revision":null,"final":true} test/groups {"DeviceName":"b","count_":1}"#,
        ]
    );
    assert_eq!(summary.counts.events(), 4);
    let verdicts: Vec<u64> = evaluator.summaries().iter().map(|detection| detection.counters.verdicts).collect();
    assert_eq!(verdicts, [3, 2, 1], "a-over-10, groups, z-over-100");
}

#[test]
fn more_events_than_a_round_has_are_all_seen_in_order() {
    const EVENTS: u64 = 20_000;
    let lines: Vec<String> = (1..=20_000).map(|port| event("d", port)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let expected: Vec<String> =
        (1..=EVENTS).map(|port| format!(r#"{port} test/all {{"DeviceName":"d","RemotePort":{port}}}"#)).collect();
    for workers in 0..3 {
        let mut scene = Scene::new();
        scene.workers = workers;
        let (nodes, kernel) = ports_from(1);
        write_rule(scene.path(), "a.wasm", "all", nodes, kernel);
        let (found, _, evaluator) = scene.run(vec![scene.events(&lines)], AS_THEY_COME, BadLines::Skip);
        assert!(found.verdicts == expected, "{workers} more workers");
        let counters = evaluator.summaries()[0].counters;
        assert_eq!((counters.rows, counters.verdicts), (EVENTS, EVENTS), "{workers} more workers");
    }
}

#[test]
fn a_component_that_traps_costs_only_itself_and_says_which_events() {
    let scene = Scene::new();
    let (nodes, kernel) = ports_from(1);
    write_rule(scene.path(), "honest.wasm", "honest", nodes, kernel);
    let (mut nodes, kernel) = ports_from(1);
    if let Some(Node::Kernel(node)) = nodes.get_mut(1) {
        // The component has no such kernel and traps when it is asked for it.
        node.kernel = 7;
    }
    write_rule(scene.path(), "trap.wasm", "trap", nodes, kernel);
    let lines = [event("a", 443), event("b", 22)];
    let (found, _, evaluator) =
        scene.run(vec![scene.events(&lines.each_ref().map(String::as_str))], AS_THEY_COME, BadLines::Skip);
    assert_eq!(found.verdicts.len(), 2, "{:?}", found.verdicts);
    assert_eq!(found.errors.len(), 1);
    assert!(found.errors[0].contains("test/trap, kernel 7: trapped"), "{}", found.errors[0]);
    assert!(found.errors[0].contains("2 events not evaluated"), "{}", found.errors[0]);
    let trapped = &evaluator.summaries()[1];
    let failures = (trapped.counters.unevaluated, trapped.counters.failures);
    assert_eq!(failures, (2, 3), "both together, and each alone");
}

#[test]
fn a_lookback_is_applied_when_asked_for() {
    let scene = Scene::new();
    let (nodes, kernel) = ports_from(1);
    write_rule(scene.path(), "a.wasm", "a", nodes, kernel);
    let late = event("late", 1).replace("1970-01-01", "1970-01-03");
    let input = || vec![scene.events(&[&event("early", 1), &late])];
    let two_days = 2 * 864_000_000_000;
    let query = Options { now: two_days, lookback: LookbackMode::Query, ..AS_THEY_COME };
    assert_eq!(scene.run(input(), query, BadLines::Skip).0.verdicts.len(), 1, "only the last day counts");
    let all = Options { now: two_days, ..AS_THEY_COME };
    assert_eq!(scene.run(input(), all, BadLines::Skip).0.verdicts.len(), 2);
}

#[test]
fn tables_are_given_instead_of_verdicts_when_asked_for() {
    let scene = Scene::new();
    let (nodes, kernel) = ports_from(1);
    write_rule(scene.path(), "a.wasm", "a", nodes, kernel);
    let options = Options { reporting: Reporting::Tables, ..AS_THEY_COME };
    let (found, ..) = scene.run(vec![scene.events(&[&event("d", 1)])], options, BadLines::Skip);
    assert_eq!((found.verdicts.len(), found.answers), (0, vec!["test/a 1 rows".to_owned()]));
}

#[test]
fn a_bad_line_is_skipped_or_stops_and_a_missing_input_is_said() {
    let scene = Scene::new();
    let (nodes, kernel) = ports_from(1);
    write_rule(scene.path(), "a.wasm", "a", nodes, kernel);
    let lines = [event("a", 1), "not json".to_owned(), event("b", 1)];
    let inputs = || {
        let missing = Input::File(PathBuf::from("nowhere.ndjson"));
        vec![missing, scene.events(&lines.each_ref().map(String::as_str))]
    };
    let (found, summary, _) = scene.run(inputs(), AS_THEY_COME, BadLines::Skip);
    assert_eq!((found.verdicts.len(), summary.bad_lines, summary.failed_inputs), (2, 1, 1));
    assert!(found.errors[0].starts_with("nowhere.ndjson: "), "{:?}", found.errors);
    assert!(found.errors[1].contains("events.ndjson:2: the line is not JSON"), "{:?}", found.errors);
    let (found, summary, _) = scene.run(inputs(), AS_THEY_COME, BadLines::Stop);
    assert_eq!((found.verdicts.len(), summary.stopped), (1, true), "what came before the bad line is not lost");
}

#[test]
fn what_comes_before_a_bad_element_of_an_envelope_is_not_lost_and_what_comes_after_is_not_looked_at() {
    let scene = Scene::new();
    let (nodes, kernel) = ports_from(1);
    write_rule(scene.path(), "a.wasm", "a", nodes, kernel);
    let envelope = format!(r#"{{"Records":[{},7,{}]}}"#, event("b", 1), event("c", 1));
    let lines = [event("a", 1), envelope, event("d", 1)];
    let input = || vec![scene.events(&lines.each_ref().map(String::as_str))];
    let (found, summary, _) = scene.run(input(), AS_THEY_COME, BadLines::Skip);
    assert_eq!((found.verdicts.len(), summary.bad_lines, summary.stopped), (4, 1, false), "{:?}", found.errors);
    let (found, summary, _) = scene.run(input(), AS_THEY_COME, BadLines::Stop);
    assert_eq!((found.verdicts.len(), summary.bad_lines, summary.stopped), (2, 1, true), "{:?}", found.errors);
}

#[test]
fn values_that_cannot_be_converted_are_counted_by_column_however_many_workers_there_are() {
    const EVENTS: u64 = 20_000;
    let line = event("a", 1).replace(r#""RemotePort":1"#, r#""RemotePort":"x""#);
    let lines = vec![line.as_str(); 20_000];
    for workers in 0..3 {
        let mut scene = Scene::new();
        scene.workers = workers;
        let (nodes, kernel) = ports_from(1);
        write_rule(scene.path(), "a.wasm", "a", nodes, kernel);
        let (_, summary, _) = scene.run(vec![scene.events(&lines)], AS_THEY_COME, BadLines::Skip);
        let cells: Vec<u64> = summary.unconverted.iter().map(|column| column.cells).collect();
        assert_eq!(cells, [EVENTS], "{workers} more workers");
    }
}

#[test]
fn one_bad_rule_is_refused_and_the_others_are_loaded() {
    let scene = Scene::new();
    let (nodes, kernel) = ports_from(1);
    write_rule(scene.path(), "a.wasm", "same", nodes, kernel);
    let (nodes, kernel) = ports_from(2);
    write_rule(scene.path(), "b.wasm", "same", nodes, kernel);
    let (mut nodes, kernel) = ports_from(3);
    if let Some(Node::Kernel(node)) = nodes.get_mut(1) {
        node.outputs[0].name = "RemotePort".into();
    }
    write_rule(scene.path(), "c.wasm", "twice", nodes, kernel);
    fs::write(scene.path().join("d.wasm"), b"\0asm").expect("a file");
    fs::write(scene.path().join("e.kql"), b"\xff").expect("a file");
    let set = scene.rules();
    assert_eq!(set.rules.len(), 1);
    let reasons: Vec<String> = set.refused.iter().map(ToString::to_string).collect();
    let expected = [
        ("b.wasm", "the id test/same is already claimed by"),
        ("c.wasm", "two columns of the result are called \"RemotePort\""),
        ("d.wasm", ""),
        ("e.kql", "the file is not UTF-8 in line 1"),
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, (file, text)) in reasons.iter().zip(expected) {
        assert!(reason.contains(file) && reason.contains(text), "{reason}");
    }
    assert!(set.refused.iter().all(|refused| matches!(refused.reason, Refusal::Other(_))));
}
