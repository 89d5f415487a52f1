//! Whole flows, by the plans that queries compile to: what the table says at the end, and what is reported on the way.

use std::{convert::Infallible, sync::Arc};

use sandtrap_dataflow::{Flow, Kernels, Limits, Overflow, Shape, Table, inline_rows, run_kernel};
use sandtrap_wit::{
    LogicalType::{self, Datetime, Dynamic, Long, Real, String as Text},
    batch::{Batch, Cell, Column, ColumnBuilder},
    plan::{
        Aggregate, AggregateColumn, AggregateFunction, GroupKey, Kernel, KernelOutput, Limit, MAKE_SET_SIZE, Node,
        Nulls, Order, OutputCells, Plan, Rows, Sort, SortKey, Source, SourceColumn,
    },
};
use serde_json::{Value, json};

/// Kernel 0 picks the rows whose first cell is an integer over 1 and computes its double.
struct OverOne;

impl Kernels for OverOne {
    type Error = Infallible;

    fn evaluate(&mut self, _: u32, batch: &Batch) -> Result<(Vec<u32>, Vec<Column>), Infallible> {
        let mut rows = Vec::new();
        let mut doubles = ColumnBuilder::of(Long);
        for (index, row) in (0_u32..).zip(0..batch.rows) {
            if let Cell::Integer(value @ 2..) = batch.columns[0].cell(row) {
                rows.push(index);
                doubles.push(Cell::Integer(value * 2));
            }
        }
        Ok((rows, vec![doubles.finish()]))
    }
}

const COLUMNS: [(&str, LogicalType); 4] = [("Device", Text), ("Port", Long), ("At", Datetime), ("Score", Real)];

fn source() -> Node {
    let wanted = |(name, ty): &(&str, LogicalType)| SourceColumn { field: vec![(*name).into()], ty: *ty, list: false };
    let columns = COLUMNS.iter().map(wanted).collect();
    Node::Source(Source {
        rows: Rows::Stream("DeviceNetworkEvents".into()),
        columns,
        prefilter: sandtrap_wit::prefilter::Prefilter::default(),
        lookback: None,
    })
}

/// Rows of `COLUMNS`, written as JSON.
fn batch(rows: &[Value]) -> Batch {
    let Node::Source(source) = source() else { unreachable!("it is a source") };
    let rows = Rows::Inline(rows.iter().map(|row| row.as_array().expect("a row").clone()).collect());
    inline_rows(&Source { rows, ..source }).expect("rows of the types").expect("inline rows")
}

fn aggregate(input: u32, by: &[(&str, u32)], aggregates: &[(&str, AggregateFunction)]) -> Node {
    Node::Aggregate(Aggregate {
        input,
        by: by.iter().map(|(name, column)| GroupKey { name: (*name).into(), column: *column }).collect(),
        aggregates: aggregates
            .iter()
            .map(|(name, function)| AggregateColumn { name: (*name).into(), function: *function })
            .collect(),
    })
}

fn sort(input: u32, column: u32, order: Order, nulls: Nulls) -> Node {
    Node::Sort(Sort { input, by: vec![SortKey { column, order, nulls }] })
}

fn limit(input: u32, rows: u64) -> Node {
    Node::Limit(Limit { input, rows })
}

fn over_one(input: u32, reads: u32, passed: &[(u32, &str, LogicalType)]) -> Node {
    let passed = passed.iter().map(|(index, name, ty)| (OutputCells::Input(*index), *name, *ty));
    let outputs = passed
        .chain([(OutputCells::Computed(0), "Double", Long)])
        .map(|(from, name, ty)| KernelOutput { name: name.into(), ty, from })
        .collect();
    Node::Kernel(Kernel { input, kernel: 0, reads: vec![reads], outputs })
}

fn flow(nodes: Vec<Node>) -> Flow {
    Flow::new(&Plan { nodes }, Limits::default()).expect("a sound plan")
}

/// The table's rows as JSON.
fn rows(table: &Table) -> Vec<Value> {
    let cell = |column: &Arc<Column>, ty: LogicalType, row: usize| match column.cell(row) {
        Cell::Absent | Cell::Null => Value::Null,
        Cell::Text(text) if ty == Dynamic => serde_json::from_str(text).expect("dynamic cells are JSON"),
        Cell::Text(text) => text.into(),
        Cell::Integer(value) => value.into(),
        Cell::Real(value) if value.is_nan() => "NaN".into(),
        Cell::Real(value) => value.into(),
        Cell::Boolean(value) => value.into(),
    };
    (0..table.batch.rows)
        .map(|row| table.columns.iter().zip(&table.batch.columns).map(|(named, c)| cell(c, named.ty, row)).collect())
        .collect()
}

fn finished(flow: &Flow) -> Vec<Value> {
    rows(&flow.finish(&mut OverOne).expect("the kernel answers"))
}

fn changed(flow: &mut Flow) -> Vec<Value> {
    rows(&flow.changes(&mut OverOne).expect("the kernel answers").table)
}

#[test]
fn summarize_gives_one_row_for_each_group_in_order_of_appearance() {
    let count = ("Count", AggregateFunction::Count);
    let ports = ("Ports", AggregateFunction::MakeSet { column: 1, size: MAKE_SET_SIZE });
    let first = ("FirstSeen", AggregateFunction::Min(2));
    let mut hunt = flow(vec![source(), aggregate(0, &[("Device", 0), ("Score", 3)], &[first, ports, count])]);
    assert_eq!(hunt.shape(), Shape::Grouped);
    hunt.push(&batch(&[json!(["b", 443, 20, 0.0]), json!(["a", 80, 30, null]), json!(["b", 22, 10, -0.0])]));
    hunt.push(&batch(&[json!(["a", null, null, null]), json!([null, 1, 1, 1.0]), json!(["", 2, 2, 1.0])]));
    assert_eq!(
        finished(&hunt),
        [
            json!(["b", 0.0, 10, [443, 22], 2]),
            json!(["a", null, 30, [80], 2]), // null is a key like any other
            json!(["", 1.0, 1, [1, 2], 2]),  // text without a value is the empty text
        ]
    );
}

#[test]
fn summarize_without_keys_gives_one_row_even_of_nothing() {
    let all = [
        ("count_", AggregateFunction::Count),
        ("min_Port", AggregateFunction::Min(1)),
        ("set_Port", AggregateFunction::MakeSet { column: 1, size: 2 }),
        ("dcount_Port", AggregateFunction::Dcount(1)),
    ];
    let mut hunt = flow(vec![source(), aggregate(0, &[], &all)]);
    assert_eq!(changed(&mut hunt), Vec::<Value>::new(), "nothing happened, so there is nothing to report");
    assert_eq!(finished(&hunt), [json!([0, null, [], 0])]);
    let by_device = flow(vec![source(), aggregate(0, &[("Device", 0)], &all)]);
    assert_eq!(finished(&by_device), Vec::<Value>::new());
}

#[test]
fn nodes_above_an_aggregate_see_its_rows() {
    // summarize Count = count() by Device | where Count > 1 | extend Double = Count * 2 | top 1 by Device asc
    let mut hunt = flow(vec![
        source(),
        aggregate(0, &[("Device", 0)], &[("Count", AggregateFunction::Count)]),
        over_one(1, 1, &[(0, "Device", Text), (1, "Count", Long)]),
        sort(2, 0, Order::Asc, Nulls::First),
        limit(3, 1),
    ]);
    hunt.push(&batch(&[json!(["b", 1, 1, 1.0]), json!(["a", 1, 1, 1.0]), json!(["c", 1, 1, 1.0])]));
    assert_eq!(changed(&mut hunt), Vec::<Value>::new(), "no group has two rows yet");
    hunt.push(&batch(&[json!(["b", 1, 1, 1.0]), json!(["a", 1, 1, 1.0])]));
    assert_eq!(changed(&mut hunt), [json!(["b", 2, 4]), json!(["a", 2, 4])], "while streaming, no sort and no limit");
    assert_eq!(finished(&hunt), [json!(["a", 2, 4])]);
}

#[test]
fn a_group_is_reported_when_it_appears_and_when_its_row_changes() {
    let last = ("LastSeen", AggregateFunction::Max(2));
    let mut hunt = flow(vec![source(), aggregate(0, &[("Device", 0)], &[last])]);
    hunt.push(&batch(&[json!(["a", 1, 5, 0.0]), json!(["b", 1, 5, 0.0])]));
    assert_eq!(changed(&mut hunt), [json!(["a", 5]), json!(["b", 5])]);
    hunt.push(&batch(&[json!(["b", 1, 7, 0.0]), json!(["a", 1, 4, 0.0]), json!(["b", 1, 8, 0.0])]));
    assert_eq!(changed(&mut hunt), [json!(["b", 8])], "an older event of a changes nothing");
    assert_eq!(changed(&mut hunt), Vec::<Value>::new());
}

#[test]
fn reports_of_a_group_are_numbered_from_the_first_that_passes() {
    // summarize Count = count() by Device | where Count > 1 | extend Double = Count * 2
    let mut hunt = flow(vec![
        source(),
        aggregate(0, &[("Device", 0)], &[("Count", AggregateFunction::Count)]),
        over_one(1, 1, &[(0, "Device", Text)]),
    ]);
    let mut revisions_after = |device: &str| {
        hunt.push(&batch(&[json!([device, 1, 1, 1.0])]));
        hunt.changes(&mut OverOne).expect("the kernel answers").revisions
    };
    assert_eq!(["a", "b", "a", "a", "b"].map(&mut revisions_after), [vec![], vec![], vec![1], vec![2], vec![1]]);
}

#[test]
fn groups_of_groups_are_reported_when_their_rows_differ() {
    // summarize Ports = dcount(Port) by Device | summarize Devices = count() by Ports
    let mut hunt = flow(vec![
        source(),
        aggregate(0, &[("Device", 0)], &[("Ports", AggregateFunction::Dcount(1))]),
        aggregate(1, &[("Ports", 1)], &[("Devices", AggregateFunction::Count)]),
    ]);
    hunt.push(&batch(&[json!(["a", 1, 0, 0.0]), json!(["b", 1, 0, 0.0])]));
    assert_eq!(changed(&mut hunt), [json!([1, 2])]);
    hunt.push(&batch(&[json!(["a", 1, 0, 0.0])]));
    assert_eq!(changed(&mut hunt), Vec::<Value>::new());
    hunt.push(&batch(&[json!(["a", 2, 0, 0.0])]));
    assert_eq!(changed(&mut hunt), [json!([2, 1]), json!([1, 1])]);
}

#[test]
fn sort_puts_nulls_and_nan_where_the_reference_does() {
    let scores = [json!(0.5), json!(null), json!(-1.0), json!(7.0)];
    let given: Vec<Value> = scores.iter().map(|score| json!(["d", 1, 1, score])).collect();
    let input = with_a_nan_score(&batch(&given));
    for (order, nulls, expected) in [
        (Order::Asc, Nulls::First, json!([null, "NaN", -1.0, 0.5, 7.0])),
        (Order::Asc, Nulls::Last, json!([-1.0, 0.5, 7.0, "NaN", null])),
        (Order::Desc, Nulls::First, json!([null, "NaN", 7.0, 0.5, -1.0])),
        (Order::Desc, Nulls::Last, json!([7.0, 0.5, -1.0, "NaN", null])),
    ] {
        let mut hunt = flow(vec![source(), sort(0, 3, order, nulls)]);
        assert_eq!(hunt.shape(), Shape::RowWise);
        hunt.push(&input);
        let sorted: Value = finished(&hunt).iter().map(|row| row[3].clone()).collect();
        assert_eq!(sorted, expected, "{order:?} {nulls:?}");
    }
}

/// The batch and one more row, which is all null but for a NaN in the last column.
fn with_a_nan_score(input: &Batch) -> Batch {
    let columns = input.columns.iter().enumerate().map(|(index, column)| {
        let mut builder = ColumnBuilder::new(column.physical());
        (0..column.rows()).for_each(|row| assert!(builder.push(column.cell(row))));
        builder.push(if index == 3 { Cell::Real(f64::NAN) } else { Cell::Null });
        Arc::new(builder.finish())
    });
    Batch { rows: input.rows + 1, columns: columns.collect() }
}

#[test]
fn text_sorts_by_bytes_and_equal_rows_keep_their_order() {
    let mut hunt = flow(vec![source(), sort(0, 0, Order::Desc, Nulls::Last)]);
    hunt.push(&batch(&[json!(["a", 1, 0, 0.0]), json!(["Z", 2, 0, 0.0]), json!([null, 3, 0, 0.0])]));
    hunt.push(&batch(&[json!(["a", 4, 0, 0.0]), json!(["", 5, 0, 0.0]), json!(["é", 6, 0, 0.0])]));
    let ports: Value = finished(&hunt).iter().map(|row| row[1].clone()).collect();
    assert_eq!(ports, json!([6, 1, 4, 2, 3, 5]), "text is never null: both empty ones come last, in order");
}

#[test]
fn take_keeps_the_first_rows_and_top_the_best_of_all_batches() {
    let mut take = flow(vec![source(), limit(0, 3)]);
    let mut top = flow(vec![source(), sort(0, 1, Order::Desc, Nulls::Last), limit(1, 3)]);
    for start in 0..40_i64 {
        let given: Vec<Value> =
            (0..250).map(|row| json!(["d", (start * 250 + row) * 7919 % 10_000, row, 0.0])).collect();
        take.push(&batch(&given));
        top.push(&batch(&given));
    }
    let ports = |flow: &Flow| finished(flow).iter().map(|row| row[1].clone()).collect::<Value>();
    assert_eq!(take.shape(), Shape::Limited);
    assert_eq!(ports(&take), json!([0, 7919, 5838]));
    assert_eq!(ports(&top), json!([9999, 9998, 9997]));
    assert_eq!(changed(&mut top), Vec::<Value>::new(), "its result is known at the end only");
    assert_eq!(finished(&flow(vec![source(), limit(0, 0)])), Vec::<Value>::new());
}

#[test]
fn a_flood_of_keys_is_counted_and_hides_no_group_that_was_there() {
    let nodes = vec![source(), aggregate(0, &[("Device", 0)], &[("Count", AggregateFunction::Count)])];
    let limits = Limits { groups_max: 2, ..Limits::default() };
    let mut hunt = Flow::new(&Plan { nodes }, limits).expect("a sound plan");
    hunt.push(&batch(&["a", "b", "c", "d", "a"].map(|device| json!([device, 1, 1, 1.0]))));
    let table = hunt.finish(&mut OverOne).expect("no kernel to fail");
    assert_eq!(rows(&table), [json!(["a", 2]), json!(["b", 1])]);
    assert_eq!(table.overflow.to_string(), "2 rows and 0 values did not fit into the memory of the detection");
}

#[test]
fn bytes_are_bounded_for_sets_and_for_rows() {
    let limits = Limits { bytes_max: 10_000, ..Limits::default() };
    let set = ("Ports", AggregateFunction::MakeSet { column: 1, size: MAKE_SET_SIZE });
    let given: Vec<Value> = (0..1_000).map(|port| json!(["d", port, 1, 1.0])).collect();

    let nodes = vec![source(), aggregate(0, &[], &[set])];
    let mut hunt = Flow::new(&Plan { nodes }, limits).expect("a sound plan");
    hunt.push(&batch(&given));
    let kept = finished(&hunt)[0][0].as_array().expect("a set").len();
    assert!(kept > 50 && kept < 1_000, "{kept} elements");
    assert_eq!(hunt.overflow().values, 1_000 - kept as u64);

    let mut rows = Flow::new(&Plan { nodes: vec![source()] }, limits).expect("a sound plan");
    given.chunks(100).for_each(|chunk| rows.push(&batch(chunk)));
    let kept = finished(&rows).len();
    assert!(kept > 0 && kept < 1_000, "{kept} rows");
    assert_eq!(rows.overflow().rows, 1_000 - kept as u64);
}

#[test]
fn the_front_is_for_the_caller_and_sorting_a_row_wise_detection_stays_row_wise() {
    let hunt = flow(vec![source(), over_one(0, 1, &[(0, "Device", Text)]), sort(1, 1, Order::Desc, Nulls::Last)]);
    assert_eq!((hunt.shape(), hunt.chain().feed, hunt.chain().front.len()), (Shape::RowWise, 1, 1));
    assert_eq!(hunt.feed_columns().iter().map(|column| &*column.name).collect::<Vec<_>>(), ["Device", "Double"]);

    let input = batch(&[json!(["a", 1, 0, 0.0]), json!(["b", 5, 0, 0.0])]);
    let picked = run_kernel(&hunt.chain().front[0], &input, &mut OverOne).expect("the kernel answers");
    assert_eq!(picked.rows, [1]);
    assert_eq!(picked.batch.columns[0].cell(0), Cell::Text("b"));
    assert_eq!(picked.batch.columns[1].cell(0), Cell::Integer(10));
}

#[test]
fn kernels_above_a_sort_belong_to_the_rows_of_a_row_wise_detection() {
    // where Port > 1 | sort by Device desc | where Double > 1 | project Device, Double
    let above = over_one(2, 1, &[(0, "Device", Text)]);
    let mut hunt =
        flow(vec![source(), over_one(0, 1, &[(0, "Device", Text)]), sort(1, 0, Order::Desc, Nulls::Last), above]);
    assert_eq!((hunt.shape(), hunt.chain().front.len(), hunt.chain().kernels().count()), (Shape::RowWise, 1, 2));

    let input = batch(&[json!(["a", 1, 0, 0.0]), json!(["b", 5, 0, 0.0]), json!(["c", 3, 0, 0.0])]);
    let mut streamed = input.clone();
    for kernel in hunt.chain().kernels() {
        streamed = run_kernel(kernel, &streamed, &mut OverOne).expect("the kernel answers").batch;
    }
    let table = Table { columns: hunt.result_columns().to_vec(), batch: streamed, overflow: Overflow::default() };
    assert_eq!(rows(&table), [json!(["b", 20]), json!(["c", 12])], "in the order of the source");

    hunt.push(&run_kernel(&hunt.chain().front[0].clone(), &input, &mut OverOne).expect("the kernel answers").batch);
    assert_eq!(finished(&hunt), [json!(["c", 12]), json!(["b", 20])], "in the order of the sort");
}

#[test]
fn only_kernels_and_sorts_are_row_wise() {
    let count = || aggregate(1, &[], &[("Count", AggregateFunction::Count)]);
    let sorted = || sort(0, 1, Order::Asc, Nulls::First);
    for (nodes, expected) in [
        (vec![source()], Shape::RowWise),
        (vec![source(), sorted(), over_one(1, 1, &[]), sort(2, 0, Order::Asc, Nulls::First)], Shape::RowWise),
        (vec![source(), sorted(), limit(1, 3), over_one(2, 1, &[])], Shape::Limited),
        (vec![source(), sorted(), over_one(1, 1, &[]), limit(2, 3)], Shape::Limited),
        (vec![source(), sorted(), count(), over_one(2, 0, &[])], Shape::Grouped),
        (vec![source(), limit(0, 3), count()], Shape::Grouped),
    ] {
        assert_eq!(flow(nodes.clone()).shape(), expected, "{nodes:?}");
    }
}

#[test]
fn an_answer_that_does_not_fit_the_plan_is_refused() {
    struct Liar(Vec<u32>, Vec<Column>);
    impl Kernels for Liar {
        type Error = Infallible;
        fn evaluate(&mut self, _: u32, _: &Batch) -> Result<(Vec<u32>, Vec<Column>), Infallible> {
            Ok((self.0.clone(), self.1.clone()))
        }
    }
    let integers = |cells: usize| {
        let mut builder = ColumnBuilder::of(Long);
        (0..cells).for_each(|_| assert!(builder.push(Cell::Integer(0))));
        builder.finish()
    };
    let Node::Kernel(kernel) = over_one(0, 1, &[]) else { unreachable!("it is a kernel") };
    let input = batch(&[json!(["a", 1, 0, 0.0])]);
    for (liar, reason) in [
        (Liar(vec![1], vec![integers(1)]), "rows that do not exist"),
        (Liar(vec![0], vec![integers(2)]), "computed too few cells"),
        (Liar(vec![0], vec![]), "did not compute long Double"),
        (Liar(vec![0], vec![batch(&[json!(["a", 1, 0, 0.0])]).columns[0].as_ref().clone()]), "did not compute"),
    ] {
        let mut liar = liar;
        let error = run_kernel(&kernel, &input, &mut liar).expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn plans_that_cannot_be_run_are_refused_by_name() {
    let set = aggregate(0, &[], &[("Set", AggregateFunction::MakeSet { column: 1, size: 9 })]);
    let min = aggregate(1, &[], &[("Least", AggregateFunction::Min(0))]);
    for (nodes, reason) in [
        (vec![], "at least one node"),
        (vec![limit(0, 1)], "not an earlier node"),
        (
            vec![source(), set.clone(), sort(1, 0, Order::Asc, Nulls::First)],
            "plan node 2: sort of Set, which is dynamic",
        ),
        (vec![source(), set, min], "plan node 2: min of Set, which is dynamic"),
    ] {
        let error = Flow::new(&Plan { nodes }, Limits::default()).expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn inline_cells_of_the_wrong_type_are_refused() {
    let Node::Source(source) = source() else { unreachable!("it is a source") };
    assert_eq!(inline_rows(&source), Ok(None), "a stream brings no rows");
    let inline = Source { rows: Rows::Inline(vec![vec![json!("a"), json!("443"), json!(0), json!(0.5)]]), ..source };
    let error = inline_rows(&inline).expect_err("443 is text").to_string();
    assert_eq!(error, "inline row 0: Port is not of type long");
}

#[test]
fn inline_rows_are_no_lists() {
    let Node::Source(mut source) = source() else { unreachable!("it is a source") };
    source.columns[0].list = true;
    source.rows = Rows::Inline(vec![vec![json!("a"), json!(443), json!(0), json!(0.5)]]);
    let error = inline_rows(&source).expect_err("Device is a list").to_string();
    assert_eq!(error, "column Device: inline rows have no lists");
}

#[test]
fn lists_pass_through_row_by_row() {
    /// The texts of a row; `None` without a value.
    type Row<'a> = Option<&'a [&'a str]>;
    let batch = |rows: &[(Row<'_>, i64)]| {
        let (mut devices, mut ports) = (ColumnBuilder::of(Text), ColumnBuilder::of(Long));
        for (texts, port) in rows {
            match texts {
                Some(texts) => assert!(devices.push_elements(texts.iter().copied().map(Cell::Text))),
                None => devices.push_null(),
            }
            assert!(ports.push(Cell::Integer(*port)));
        }
        let [at, score] = [Datetime, Real].map(|ty| {
            let mut none = ColumnBuilder::of(ty);
            for _ in rows {
                none.push_null();
            }
            Arc::new(none.finish())
        });
        Batch { rows: rows.len(), columns: vec![Arc::new(devices.finish()), Arc::new(ports.finish()), at, score] }
    };
    let Node::Source(mut source) = source() else { unreachable!("it is a source") };
    source.columns[0].list = true;
    // where Port > 1 | sort by Double asc | take 5
    let kernel = over_one(0, 1, &[(0, "Device", Text)]);
    let nodes = vec![Node::Source(source), kernel, sort(1, 1, Order::Asc, Nulls::First), limit(2, 5)];
    let mut hunt = flow(nodes);
    let chunks: [&[(Row<'_>, i64)]; 2] = [
        &[(Some(&["x", "y"]), 9), (Some(&["dropped", "z"]), 1), (Some(&[]), 5), (None, 7), (Some(&["last", "l"]), 99)],
        &[(Some(&["plain"]), 6), (None, 1), (None, 8)],
    ];
    for rows in chunks {
        let Node::Kernel(kernel) = over_one(0, 1, &[(0, "Device", Text)]) else { unreachable!("it is a kernel") };
        hunt.push(&run_kernel(&kernel, &batch(rows), &mut OverOne).expect("the kernel answers").batch);
    }
    let table = hunt.finish(&mut OverOne).expect("the kernel answers");
    let devices: Vec<String> = (0..table.batch.rows)
        .map(|row| match table.batch.columns[0].row(row) {
            sandtrap_wit::batch::Row::Elements(elements) => format!("{:?}", elements.collect::<Vec<_>>()),
            other => format!("{other:?}"),
        })
        .collect();
    let expected = ["[]", r#"[Text("plain")]"#, "Null", "Null", r#"[Text("x"), Text("y")]"#];
    assert_eq!(devices, expected, "in the order of the ports");
    assert!(table.columns[0].list && !table.columns[1].list);
}
