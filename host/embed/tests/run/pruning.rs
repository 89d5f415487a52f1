//! Invariant 2: with the index and without it the verdicts are the same, whatever the prefilters say. The components here
//! pick every row they are asked about, so that a verdict tells exactly whom the prefilter admitted.

use std::fmt::Write as _;

use proptest::{bool::weighted, collection::vec, prelude::*, sample::select};
use sandtrap_compiler::ir;
use sandtrap_embed::{
    evaluator::{Options, Pruning},
    run::BadLines,
};
use sandtrap_wit::{
    LogicalType::{Long, String as Text},
    plan::{Kernel, KernelOutput, Node, OutputCells, Rows, Source, SourceColumn},
    prefilter::{Atom, Clause, Prefilter, Test},
    text,
};
use serde_json::{Map, Value, json};

use super::scene::{AS_THEY_COME, Scene, write_rule};

/// The columns of both sources: text, text, a number; those of the logsource are lists.
const FIELDS: [&str; 3] = ["Image", "CommandLine", "ProcessId"];
const COLUMNS: [&str; 3] = ["DeviceName", "RemoteUrl", "RemotePort"];

/// A detection that picks every row it is asked about.
fn everything(prefilter: Prefilter, lists: bool) -> (Vec<Node>, ir::Kernel) {
    let (stream, fields) =
        if lists { ("windows/process_creation/*", FIELDS) } else { ("DeviceNetworkEvents", COLUMNS) };
    let types = if lists { [Text; 3] } else { [Text, Text, Long] };
    let columns = fields.iter().zip(types);
    let source = Source {
        rows: Rows::Stream(stream.into()),
        columns: columns.map(|(name, ty)| SourceColumn { field: vec![(*name).into()], ty, list: lists }).collect(),
        prefilter,
        lookback: None,
    };
    let output = KernelOutput { name: "first".into(), ty: Text, from: OutputCells::Input(0) };
    let kernel = Kernel { input: 0, kernel: 0, reads: vec![0], outputs: vec![output] };
    let input = ir::Input { ty: Text, list: lists };
    let emitted = ir::Kernel { inputs: vec![input], filter: None, computed: Vec::new() };
    (vec![Node::Source(source), Node::Kernel(kernel)], emitted)
}

/// Texts of few letters, so that literals are found, nested and overlapping; some fold to ASCII, some to more letters.
fn word(most: usize) -> impl Strategy<Value = String> {
    let letter = select(vec![
        "a", "b", "A", "B", "\\", ".", "k", "\u{212a}", "\u{17f}", "s", "\u{e9}", "\u{c9}", "\u{130}", "0",
    ]);
    vec(letter, 0..most).prop_map(|letters| letters.concat())
}

fn test(column: u32, lists: bool) -> BoxedStrategy<Test> {
    let literal = || word(7).prop_map(|word| text::fold(&word));
    let exists = any::<bool>().prop_map(Test::Exists);
    if column == 2 && !lists {
        let number = || -3_i64..4;
        return prop_oneof![
            exists,
            vec(number(), 0..4).prop_map(Test::Integers),
            (number(), number()).prop_map(|(low, high)| Test::Range(low, high)),
        ]
        .boxed();
    }
    prop_oneof![
        1 => exists,
        4 => literal().prop_map(Test::Contains),
        2 => literal().prop_map(Test::Prefix),
        2 => literal().prop_map(Test::Suffix),
        2 => literal().prop_map(Test::Equals),
    ]
    .boxed()
}

fn prefilter(lists: bool) -> impl Strategy<Value = Prefilter> {
    let atom = (0_u32..3).prop_flat_map(move |column| {
        (test(column, lists), weighted(0.3)).prop_map(move |(test, negated)| Atom { column, negated, test })
    });
    let clause = vec(atom, 0..5).prop_map(|atoms| Clause { atoms });
    vec(clause, 0..4).prop_map(|clauses| Prefilter { clauses })
}

/// A value of any JSON type; mostly text.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => word(12).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => (-4_i64..5).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => vec(word(9), 0..4).prop_map(|words| json!(words)),
        1 => word(3).prop_map(|word| json!({ "a": word })),
        1 => Just(json!(1.5)),
    ]
}

fn event(lists: bool) -> impl Strategy<Value = Value> {
    let names = if lists { FIELDS } else { COLUMNS };
    vec(proptest::option::weighted(0.8, value()), 3).prop_map(move |values| {
        let mut fields = Map::new();
        if lists {
            fields.insert("Channel".into(), json!("Microsoft-Windows-Sysmon/Operational"));
            fields.insert("EventID".into(), json!(1));
        } else {
            fields.insert("Type".into(), json!("DeviceNetworkEvents"));
        }
        let present = names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        fields.extend(present);
        Value::Object(fields)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_with_the_index_are_those_without(
        of_lists in vec(prefilter(true), 12),
        of_cells in vec(prefilter(false), 12),
        events in vec(prop_oneof![event(true), event(false)], 1..80),
    ) {
        let scene = Scene::new();
        let rules = of_lists.into_iter().map(|prefilter| (prefilter, true));
        let rules = rules.chain(of_cells.into_iter().map(|prefilter| (prefilter, false)));
        for (number, (prefilter, lists)) in rules.enumerate() {
            let (nodes, kernel) = everything(prefilter, lists);
            write_rule(scene.path(), &format!("{number:02}.wasm"), &format!("{number:02}"), nodes, kernel);
        }
        let mut lines = String::new();
        for event in &events {
            writeln!(lines, "{event}").expect("a string grows");
        }
        let run = |pruning| {
            let options = Options { pruning, ..AS_THEY_COME };
            let (found, ..) = scene.run(vec![scene.events(&[&lines])], options, BadLines::Stop);
            assert!(found.errors.is_empty(), "{:?}", found.errors);
            found.verdicts
        };
        prop_assert_eq!(run(Pruning::Index), run(Pruning::EachPrefilter), "events:\n{}", lines);
    }
}
