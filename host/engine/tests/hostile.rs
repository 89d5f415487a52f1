//! Hostile and broken components: each is refused or contained with a message that says why, and an honest detection
//! beside it keeps giving the same answers (invariants 1 and 5).

mod common;

use std::{sync::Arc, time::Duration};

use common::{Answer, Cells, Guest, manifest};
use sandtrap_engine::{Engine, EvaluateErrorKind, Instance, Limits, LoadErrorKind, Matches};
use sandtrap_wit::{
    INTERFACE,
    batch::{Cell, Column, Values},
};

const NOW: i64 = 17_000_000_000_000_000;

fn engine() -> Engine {
    let limits = Limits {
        evaluate_deadline: Duration::from_millis(100),
        describe_deadline: Duration::from_millis(100),
        memory_bytes: 8 << 20,
        output_bytes: 64 << 10,
        manifest_bytes: 64 << 10,
        ..Limits::default()
    };
    Engine::new(limits).expect("an engine")
}

fn batch() -> Vec<Arc<Column>> {
    vec![Arc::new(Column::new(Values::Integers(vec![5, 0, -7, 0]), None, None).expect("a column"))]
}

fn run(instance: &mut Instance) -> Result<Matches, sandtrap_engine::EvaluateError> {
    instance.evaluate(0, NOW, 4, &batch())
}

fn assert_honest(instance: &mut Instance) {
    let matches = run(instance).expect("the honest detection answers");
    assert_eq!(matches.rows, [0, 2]);
    assert_eq!(matches.columns.len(), 1);
    assert_eq!(matches.columns[0].values(), &Values::Integers(vec![10, -14]));
}

/// Loads a guest that is expected to load and fail, runs it twice beside an honest one, and compares how it fails.
fn assert_contained(engine: &Engine, guest: &Guest, kind: EvaluateErrorKind, words: &[&str]) {
    let mut honest = Instance::new(&engine.load(&Guest::honest("honest").component()).expect("honest"));
    let mut hostile = Instance::new(&engine.load(&guest.component()).expect("loads"));
    assert_honest(&mut honest);
    for _ in 0..2 {
        let error = run(&mut hostile).expect_err("the hostile detection fails");
        let message = error.to_string();
        assert_eq!(error.kind(), kind, "{message}");
        assert!(message.contains(hostile.detection().full_id()), "{message}: names the detection");
        for word in words {
            assert!(message.contains(word), "{message}: says {word:?}");
        }
        assert_honest(&mut honest);
    }
}

fn assert_refused(engine: &Engine, component: &[u8], kind: LoadErrorKind, words: &[&str]) {
    let error = engine.load(component).expect_err("the component is refused");
    let message = error.to_string();
    assert_eq!(error.kind(), kind, "{message}");
    for word in words {
        assert!(message.contains(word), "{message}: says {word:?}");
    }
}

#[test]
fn an_honest_detection_is_described_and_evaluated() {
    let detection = engine().load(&Guest::honest("honest").component()).expect("honest");
    assert_eq!(detection.full_id(), "test/honest");
    assert_eq!(detection.digest().len(), 64);
    assert_eq!(detection.columns_of_nodes()[1][0].name, "B");
    let mut instance = Instance::new(&detection);
    for _ in 0..100 {
        assert_honest(&mut instance);
    }
    let none = instance.evaluate(0, NOW, 0, &[Arc::new(integers(vec![]))]).expect("an empty batch");
    assert!(none.rows.is_empty());
}

fn integers(values: Vec<i64>) -> Column {
    Column::new(Values::Integers(values), None, None).expect("a column")
}

#[test]
fn a_request_that_the_plan_does_not_have_is_the_callers_error() {
    let mut instance = Instance::new(&engine().load(&Guest::honest("honest").component()).expect("honest"));
    let text = Column::new(Values::text(vec![0, 1], b"a".to_vec()).expect("text"), None, None).expect("a column");
    let cases: [(u32, u32, Vec<Arc<Column>>, &str); 4] = [
        (1, 4, batch(), "no such kernel"),
        (0, 3, batch(), "4 cells for 3 rows"),
        (0, 0, vec![], "given 0 columns"),
        (0, 1, vec![Arc::new(text)], "Text where the plan has long"),
    ];
    for (kernel, rows, columns, words) in cases {
        let error = instance.evaluate(kernel, NOW, rows, &columns).expect_err(words);
        assert_eq!(error.kind(), EvaluateErrorKind::Request);
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_honest(&mut instance);
}

#[test]
fn imports_are_refused_by_name() {
    let engine = engine();
    let wit = sandtrap_wit::DETECTION_WIT
        .replace("world sandboxed {", "world sandboxed {\n import exfiltrate: func(secret: u32);\n");
    let importing = Guest {
        wit,
        preamble: r#"(import "$root" "exfiltrate" (func $exfiltrate (param i32)))"#.into(),
        ..Guest::honest("importing")
    };
    assert_refused(&engine, &importing.component(), LoadErrorKind::Import, &["exfiltrate", "invariant 1"]);
    for text in [
        r#"(component (import "wasi:cli/environment@0.2.0" (instance)))"#,
        r#"(component (import "wasi:cli/environment@0.2.0" (func)))"#,
        r#"(component (type $t u32) (import "wasi:cli/environment@0.2.0" (type (eq $t))))"#,
    ] {
        let component = wat::parse_str(text).expect("text");
        assert_refused(&engine, &component, LoadErrorKind::Import, &["wasi:cli/environment@0.2.0"]);
    }
}

#[test]
fn what_is_no_detection_is_refused() {
    let engine = engine();
    let honest = Guest::honest("honest");
    assert_refused(&engine, &honest.module(), LoadErrorKind::Invalid, &["core module"]);
    assert_refused(&engine, b"", LoadErrorKind::Invalid, &["not a valid component"]);
    assert_refused(&engine, b"DeviceNetworkEvents | take 1", LoadErrorKind::Invalid, &["not a valid component"]);
    assert_refused(&engine, b"\0asm\x0d\0\x01\0", LoadErrorKind::Interface, &["does not export", INTERFACE]);
    let other = r#"(component (instance $i) (export "sandtrap:detection/detection@0.9.0" (instance $i)))"#;
    let other = wat::parse_str(other).expect("text");
    assert_refused(
        &engine,
        &other,
        LoadErrorKind::Interface,
        &["exports sandtrap:detection/detection@0.9.0", INTERFACE],
    );
    let empty = r#"(component (instance $i) (export "sandtrap:detection/detection@0.1.0" (instance $i)))"#;
    assert_refused(&engine, &wat::parse_str(empty).expect("text"), LoadErrorKind::Interface, &["no function describe"]);
}

#[test]
fn an_interface_of_another_shape_is_refused() {
    let guest = Guest { wit: sandtrap_wit::DETECTION_WIT.replace("rows: u32", "rows: s32"), ..Guest::honest("shape") };
    assert_refused(&engine(), &guest.component(), LoadErrorKind::Interface, &["evaluate does not have the type"]);
}

#[test]
fn a_truncated_or_damaged_file_is_refused_or_runs_within_its_limits() {
    let engine = engine();
    let component = Guest::honest("honest").component();
    for len in (0..component.len()).step_by(7) {
        engine.load(&component[..len]).expect_err("a truncated component");
    }
    let mut honest = Instance::new(&engine.load(&component).expect("honest"));
    for index in (0..component.len()).step_by(31) {
        let mut damaged = component.clone();
        damaged[index] ^= 0x55;
        if let Ok(detection) = engine.load(&damaged) {
            // Some damage leaves a valid component; whatever that answers, it stays within its sandbox.
            let _ = run(&mut Instance::new(&detection));
        }
        assert_honest(&mut honest);
    }
}

#[test]
fn components_beyond_a_cap_are_refused_before_they_are_compiled() {
    let base = Limits::default();
    let nested = r"(component (component (component)))";
    let twice = "(component (core module $m) (core instance (instantiate $m)) (core instance (instantiate $m)))";
    let table = "(component (core module (table 1000000 funcref)))";
    let memory = "(component (core module (memory 65536)))";
    let functions = "(component (core module (func) (func) (func)))";
    let data = r#"(component (core module (memory 1) (data "0123456789")))"#;
    let cases = [
        (nested, base.clone(), "nested"),
        (twice, Limits { parts: 0, ..base.clone() }, "core modules"),
        ("(component (core module) (core module))", Limits { parts: 1, ..base.clone() }, "2 core modules"),
        (table, base.clone(), "table elements"),
        (memory, base.clone(), "bytes of memory"),
        (functions, Limits { functions: 2, ..base.clone() }, "3 functions"),
        (functions, Limits { function_bytes: 1, ..base.clone() }, "bytes of one function"),
        (data, Limits { data_bytes: 9, ..base.clone() }, "bytes of data"),
        (data, Limits { component_bytes: 8, ..base }, "bytes, more than"),
    ];
    for (text, limits, words) in cases {
        let engine = Engine::new(limits).expect("an engine");
        assert_refused(&engine, &wat::parse_str(text).expect("text"), LoadErrorKind::Limit, &[words]);
    }
}

#[test]
fn a_component_that_misbehaves_while_it_is_described_is_refused() {
    let engine = engine();
    let described = |describe: &str| Guest { describe: describe.into(), ..Guest::honest("bad") };
    let giant = Guest { manifest: vec![b' '; 100_000], ..Guest::honest("giant") };
    let start = |body: &str| Guest { preamble: body.into(), ..Guest::honest("start") };
    let cases = [
        (described("(loop (br 0)) (unreachable)"), "deadline"),
        (described("(unreachable)"), "unreachable"),
        (described("(i32.store (i32.const 8) (i32.const 0x7fffffff)) (i32.const 8)"), "out of bounds"),
        (Guest { manifest: b"{\"schema\": 1, \"title\": \"\xff\"}".to_vec(), ..Guest::honest("utf8") }, "utf-8"),
        (giant, "more than 65536 bytes"),
        (start("(start $s) (func $s (loop (br 0)))"), "deadline"),
        (start("(start $s) (func $s (unreachable))"), "unreachable"),
        (start("(start $s) (func $s (loop (drop (memory.grow (i32.const 16))) (br 0)))"), "cap of 8388608"),
    ];
    for (guest, words) in cases {
        assert_refused(&engine, &guest.component(), LoadErrorKind::Describe, &[words]);
    }
}

#[test]
fn a_manifest_that_this_host_does_not_understand_is_refused_by_name() {
    let engine = engine();
    let good = manifest("bad", "long");
    let many = r#"{"limit": {"input": 1, "rows": 1}},"#.repeat(100);
    let cases = [
        (good.replace("\"schema\": 1", "\"schema\": 2"), "schema 2"),
        (good.replace("\"title\"", "\"requires\": [\"time-travel\"], \"title\""), "time-travel"),
        (good.replace("\"source\"", "\"window\""), "unknown variant `window`"),
        (good.replace("\"reads\": [0]", "\"reads\": [7]"), "plan node 1"),
        (good.replace("test", ""), "must not be empty"),
        ("[".repeat(10_000), "not one that this host understands"),
        ("{}".into(), "missing field `schema`"),
        (
            good.replace("\"columns\"", "\"prefilter\": [[{\"column\": 0, \"telepathy\": \"x\"}]], \"columns\""),
            "telepathy",
        ),
    ];
    for (text, words) in cases {
        let guest = Guest { manifest: text.into_bytes(), ..Guest::honest("bad") };
        assert_refused(&engine, &guest.component(), LoadErrorKind::Manifest, &[words]);
    }
    let limits = [
        (good.replace("\"nodes\": [", &format!("\"nodes\": [{many}")), "plan nodes"),
        (good.replace("\"title\"", "\"limits\": {\"memory-bytes\": 999999999}, \"title\""), "asks for 999999999"),
    ];
    for (text, words) in limits {
        let guest = Guest { manifest: text.into_bytes(), ..Guest::honest("bad") };
        assert_refused(&engine, &guest.component(), LoadErrorKind::Limit, &[words]);
    }
}

#[test]
fn endless_loops_bombs_and_traps_are_contained() {
    let engine = engine();
    let deep = Guest {
        preamble: "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))".into(),
        ..Guest::evaluating("deep", "(call $deep (i32.const 1))")
    };
    let cases = [
        (Guest::evaluating("loop", "(loop (br 0)) (unreachable)"), EvaluateErrorKind::Deadline, "deadline of 100 ms"),
        (Guest::evaluating("trap", "(unreachable)"), EvaluateErrorKind::Trap, "unreachable"),
        (
            Guest::evaluating("zero", "(i32.div_u (i32.const 1) (i32.const 0))"),
            EvaluateErrorKind::Trap,
            "divide by zero",
        ),
        (Guest::evaluating("wild", "(i32.load (i32.const -8))"), EvaluateErrorKind::Trap, "out of bounds"),
        (deep, EvaluateErrorKind::Trap, "call stack exhausted"),
        (
            Guest::evaluating("bomb", "(loop (drop (memory.grow (i32.const 1))) (br 0)) (unreachable)"),
            EvaluateErrorKind::Memory,
            "cap of 8388608",
        ),
    ];
    for (guest, kind, words) in cases {
        assert_contained(&engine, &guest, kind, &[words]);
    }
}

#[test]
fn a_manifest_may_ask_for_less_memory() {
    let text = manifest("small", "long").replace("\"title\"", "\"limits\": {\"memory-bytes\": 262144}, \"title\"");
    let guest = Guest {
        manifest: text.into_bytes(),
        ..Guest::evaluating("small", "(drop (memory.grow (i32.const 8))) (unreachable)")
    };
    assert_contained(&engine(), &guest, EvaluateErrorKind::Memory, &["cap of 262144"]);
}

#[test]
fn malformed_answers_are_contained() {
    let engine = engine();
    let two = || Answer::rows(&[0, 2]);
    let ff: Option<&[u8]> = Some(&[0xff]);
    let long: Option<&[u8]> = Some(&[1, 1]);
    let cases = [
        ("long", Answer::rows(&[4]).column(&Cells::Integers(&[1])), "row 4 is out of range"),
        ("long", Answer::rows(&[u32::MAX]).column(&Cells::Integers(&[1])), "out of range"),
        ("long", Answer::rows(&[2, 0]).column(&Cells::Integers(&[1, 2])), "ascend"),
        ("long", Answer::rows(&[1, 1]).column(&Cells::Integers(&[1, 2])), "ascend"),
        ("long", Answer::claimed_rows(0, 100_000_000), "out of bounds"),
        ("long", Answer::claimed_rows(0, u32::MAX), "out of bounds"),
        ("long", Answer::claimed_rows(0, 30_000), "more than 65536 bytes"),
        ("long", Answer::claimed_rows(2, 1), "aligned"),
        ("long", two(), "0 computed columns where the plan has 1"),
        ("long", two().column(&Cells::Integers(&[1])), "1 cells for 2 rows"),
        ("long", two().column(&Cells::Integers(&[1, 2, 3])), "3 cells for 2 rows"),
        ("long", two().column(&Cells::Reals(&[1.0, 2.0])), "reals where the plan has long"),
        ("long", two().column(&Cells::Unknown(9)), "discriminant"),
        ("long", two().column(&Cells::At(0, 100_000_000)), "out of bounds"),
        ("long", two().column_with(&Cells::Integers(&[1, 2]), [long, None], None), "bitmap"),
        ("long", two().column_with(&Cells::Integers(&[1, 2]), [ff, long], None), "bitmap"),
        ("long", two().column_with(&Cells::Integers(&[1, 2]), [None, None], Some(&[0, 1, 2])), "column of lists"),
        ("bool", two().column(&Cells::Booleans(&[])), "bitmap"),
        ("string", two().column(&Cells::Text(&[0, 1, 2], b"a\xff")), "UTF-8"),
        ("string", two().column(&Cells::Text(&[0, 1, 2], "é".as_bytes())), "UTF-8"),
        ("string", two().column(&Cells::Text(&[0, 2, 1], b"ab")), "offsets"),
        ("string", two().column(&Cells::Text(&[1, 1, 2], b"ab")), "offsets"),
        ("string", two().column(&Cells::Text(&[0, 1, 9], b"ab")), "offsets"),
        ("string", two().column(&Cells::Text(&[], b"")), "offsets"),
        ("string", two().column(&Cells::Text(&[0, 2], b"ab")), "1 cells for 2 rows"),
    ];
    for (ty, answer, words) in cases {
        assert_contained(&engine, &Guest::answering("liar", ty, &answer), EvaluateErrorKind::Malformed, &[words]);
    }
}

#[test]
fn well_formed_answers_of_every_layout_are_taken() {
    /// Type, cells, bitmaps, and the cells that come back.
    type Case<'a> = (&'a str, Cells<'a>, [Option<&'a [u8]>; 2], [Cell<'a>; 2]);
    let engine = engine();
    let none: [Option<&[u8]>; 2] = [None, None];
    let second: [Option<&[u8]>; 2] = [Some(&[0b10]), Some(&[0b01])];
    let cases: [Case<'_>; 5] = [
        ("string", Cells::Text(&[0, 0, 2], "é".as_bytes()), none, [Cell::Text(""), Cell::Text("é")]),
        ("datetime", Cells::Integers(&[i64::MIN, 7]), none, [Cell::Integer(i64::MIN), Cell::Integer(7)]),
        ("real", Cells::Reals(&[-0.5, 1e300]), none, [Cell::Real(-0.5), Cell::Real(1e300)]),
        ("bool", Cells::Booleans(&[0b1111_1110]), none, [Cell::Boolean(false), Cell::Boolean(true)]),
        ("long", Cells::Integers(&[0, 7]), second, [Cell::Absent, Cell::Integer(7)]),
    ];
    for (ty, cells, bitmaps, expected) in cases {
        let answer = Answer::rows(&[1, 3]).column_with(&cells, bitmaps, None);
        let detection = engine.load(&Guest::answering("fixed", ty, &answer).component()).expect("loads");
        let matches = run(&mut Instance::new(&detection)).expect("answers");
        assert_eq!(matches.rows, [1, 3]);
        assert_eq!([matches.columns[0].cell(0), matches.columns[0].cell(1)], expected, "{ty}");
    }
}

#[test]
fn detections_keep_their_engine_alive() {
    let detection =
        engine().load(&Guest::evaluating("loop", "(loop (br 0)) (unreachable)").component()).expect("loads");
    // The engine is gone; its clock is not.
    let error = run(&mut Instance::new(&detection)).expect_err("an endless loop");
    assert_eq!(error.kind(), EvaluateErrorKind::Deadline);
}
