//! Columns of lists on their way into a component: the offsets arrive, and only where they were asked for.

mod common;

use std::sync::Arc;

use common::{Answer, Cells, Guest};
use sandtrap_engine::{Engine, EvaluateErrorKind, Instance, Limits};
use sandtrap_wit::{
    LogicalType,
    batch::{Cell, Column, ColumnBuilder, Values},
};

/// Computes for each row 100 times the number of its elements plus the bytes of their text, and adds 1,000 to a row of
/// a column that came without list offsets.
///
/// The column's record: whether there are list offsets at 24, where they are at 28 and how many at 32, and of its text
/// the offsets at 40.
const MEASURE: &str = r"
    (local $i i32) (local $from i32) (local $to i32) (local $lists i32) (local $offsets i32) (local $numbers i32)
    (local $found i32) (local $extra i64)
    (local.set $found (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.shl (local.get $rows) (i32.const 2))))
    (local.set $numbers (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.shl (local.get $rows) (i32.const 3))))
    (local.set $lists (i32.load offset=28 (local.get $columns)))
    (local.set $offsets (i32.load offset=40 (local.get $columns)))
    (block $done (loop $next_row
        (br_if $done (i32.ge_u (local.get $i) (local.get $rows)))
        (local.set $from (local.get $i))
        (local.set $to (i32.add (local.get $i) (i32.const 1)))
        (local.set $extra (i64.const 1000))
        (if (i32.load8_u offset=24 (local.get $columns)) (then
            (if (i32.ne (i32.load offset=32 (local.get $columns)) (i32.add (local.get $rows) (i32.const 1)))
                (then (unreachable)))
            (local.set $extra (i64.const 0))
            (local.set $to (i32.load offset=4
                (i32.add (local.get $lists) (i32.shl (local.get $i) (i32.const 2)))))
            (local.set $from (i32.load (i32.add (local.get $lists) (i32.shl (local.get $i) (i32.const 2)))))))
        (i32.store (i32.add (local.get $found) (i32.shl (local.get $i) (i32.const 2))) (local.get $i))
        (i64.store (i32.add (local.get $numbers) (i32.shl (local.get $i) (i32.const 3)))
            (i64.add (local.get $extra) (i64.extend_i32_u (i32.add
                (i32.mul (i32.sub (local.get $to) (local.get $from)) (i32.const 100))
                (i32.sub
                    (i32.load (i32.add (local.get $offsets) (i32.shl (local.get $to) (i32.const 2))))
                    (i32.load (i32.add (local.get $offsets) (i32.shl (local.get $from) (i32.const 2)))))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next_row)))
    (i32.store (i32.const 64) (local.get $found))
    (i32.store (i32.const 68) (local.get $rows))
    (i32.store (i32.const 72) (i32.const 256))
    (i32.store (i32.const 76) (i32.const 1))
    (memory.fill (i32.const 256) (i32.const 0) (i32.const 56))
    (i32.store8 (i32.const 292) (i32.const 1))
    (i32.store (i32.const 296) (local.get $numbers))
    (i32.store (i32.const 300) (local.get $rows))
    (i32.const 64)";

fn manifest(list: bool) -> Vec<u8> {
    let list = if list { r#", "list": true"# } else { "" };
    format!(
        r#"{{"schema": 1, "namespace": "test", "id": "measure", "title": "A test", "plan": {{"nodes": [
            {{"source": {{"rows": {{"stream": "S"}}, "columns": [{{"field": ["A"], "type": "string"{list}}}]}}}},
            {{"kernel": {{"input": 0, "kernel": 0, "reads": [0], "outputs": [
                {{"name": "B", "type": "long", "from": {{"computed": 0}}}}]}}}}]}}}}"#
    )
    .into_bytes()
}

fn instance(guest: &Guest) -> Instance {
    let engine = Engine::new(Limits::default()).expect("an engine");
    Instance::new(&engine.load(&guest.component()).expect("a sound component"))
}

fn measuring(list: bool) -> Instance {
    instance(&Guest { manifest: manifest(list), ..Guest::evaluating("measure", MEASURE) })
}

/// A column of these lists; without a value where there is none.
fn column(rows: &[Option<&[&str]>]) -> Vec<Arc<Column>> {
    let mut builder = ColumnBuilder::of(LogicalType::String);
    for row in rows {
        match row {
            Some(elements) => assert!(builder.push_elements(elements.iter().copied().map(Cell::Text))),
            None => builder.push_null(),
        }
    }
    vec![Arc::new(builder.finish())]
}

#[test]
fn the_offsets_of_lists_arrive() {
    let mut instance = measuring(true);
    for (rows, expected) in [
        (&[Some(&["ab", "c"][..]), None, Some(&["d"]), Some(&[]), Some(&["", ""])][..], &[203, 0, 101, 0, 200][..]),
        // Each row has one element or no value: the batch has no offsets, and what has no value is the empty text.
        (&[Some(&["ab"]), None, Some(&[""])], &[1102, 1100, 1100]),
        (&[Some(&["a", "b", "c"])], &[303]),
        (&[], &[]),
    ] {
        let answer = instance.evaluate(0, 0, u32::try_from(rows.len()).expect("a few rows"), &column(rows));
        let matches = answer.expect("the component answers");
        assert_eq!(matches.columns[0].values(), &Values::Integers(expected.to_vec()), "{rows:?}");
    }
}

#[test]
fn a_component_that_did_not_ask_for_lists_never_gets_them() {
    let mut instance = measuring(false);
    let error = instance.evaluate(0, 0, 1, &column(&[Some(&["a", "b"])])).expect_err("it reads no lists");
    assert_eq!(error.kind(), EvaluateErrorKind::Request);
    assert!(error.to_string().contains("column 0 is of lists, which the kernel does not read"), "{error}");
    let matches = instance.evaluate(0, 0, 1, &column(&[Some(&["ab"])])).expect("a plain column");
    assert_eq!(matches.columns[0].values(), &Values::Integers(vec![1102]));
}

#[test]
fn a_computed_column_is_not_of_lists_even_where_lists_are_read() {
    let answer = Answer::rows(&[0]).column_with(&Cells::Integers(&[1]), [None, None], Some(&[0, 1]));
    let guest = Guest { manifest: manifest(true), ..Guest::answering("listing", "long", &answer) };
    let error = instance(&guest).evaluate(0, 0, 1, &column(&[Some(&["a", "b"])])).expect_err("refused");
    assert_eq!(error.kind(), EvaluateErrorKind::Malformed, "{error}");
    assert!(error.to_string().contains("column of lists"), "{error}");
}
