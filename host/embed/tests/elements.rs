//! The tests of elements, through components: columns of lists go in as the engine lowers them, rows come out.

use std::sync::Arc;

use sandtrap_compiler::{
    emit,
    ir::{
        CompareOp, DatePart, ElementTest, Expr, Function, Input, Kernel, Literal, MatchKind, Network, Pattern, Piece,
        Program, Quantifier, TextMatch,
    },
    regex::{Flags, Regex},
};
use sandtrap_engine::{Engine, Instance, Limits};
use sandtrap_wit::{
    LogicalType, TICKS_PER_DAY,
    batch::{Cell, Column, ColumnBuilder},
    manifest::Manifest,
    plan::Plan,
};
use serde_json::json;

/// A row of a column: absent, null, or its elements.
enum Row {
    Absent,
    Null,
    Of(&'static [&'static str]),
}
use Row::{Absent, Null, Of};

fn column(rows: &[Row]) -> Arc<Column> {
    let mut builder = ColumnBuilder::of(LogicalType::String);
    for row in rows {
        match row {
            Absent => builder.push_absent(),
            Null => builder.push_null(),
            Of(elements) => assert!(builder.push_elements(elements.iter().map(|text| Cell::Text(text)))),
        }
    }
    Arc::new(builder.finish())
}

fn manifest(lists: &[bool]) -> Manifest {
    let columns: Vec<_> = lists
        .iter()
        .enumerate()
        .map(|(at, list)| json!({"field": [format!("c{at}")], "type": if *list { "string" } else { "datetime" }, "list": list}))
        .collect();
    let reads: Vec<usize> = (0..lists.len()).collect();
    let plan: Plan = serde_json::from_value(json!({"nodes": [
        {"source": {"rows": {"stream": "s"}, "columns": columns}},
        {"kernel": {"input": 0, "kernel": 0, "reads": reads, "outputs": []}},
    ]}))
    .expect("a plan");
    serde_json::from_value(
        json!({"schema": 1, "namespace": "test", "id": "elements", "title": "elements", "plan": plan}),
    )
    .expect("a manifest")
}

/// The rows that a filter picks; the first `lists` columns are lists, others datetimes.
fn picked(filter: Expr, columns: &[Arc<Column>], lists: usize) -> Vec<u32> {
    let lists: Vec<bool> = (0..columns.len()).map(|at| at < lists).collect();
    let manifest = manifest(&lists);
    let ty = |list: bool| if list { LogicalType::String } else { LogicalType::Datetime };
    let inputs = lists.iter().map(|list| Input { ty: ty(*list), list: *list }).collect();
    let kernel = Kernel { inputs, filter: Some(filter), computed: Vec::new() };
    let program = Program { plan: manifest.plan.clone(), kernels: vec![kernel] };
    let component = emit::component(&program, &manifest).expect("a component");
    let engine = Engine::new(Limits::default()).expect("an engine");
    let detection = engine.load(&component).expect("it loads");
    let rows = u32::try_from(columns[0].rows()).expect("few rows");
    Instance::new(&detection).evaluate(0, 0, rows, columns).expect("it answers").rows
}

fn search(needles: &[&str], kind: MatchKind, quantifier: Quantifier) -> Expr {
    let haystack = Box::new(Expr::Input { column: 0, ty: LogicalType::String });
    let needles = needles.iter().map(ToString::to_string).collect();
    Expr::TextMatch(TextMatch { haystack, needles, kind, fold: true, quantifier })
}

fn any(test: ElementTest) -> Expr {
    Expr::AnyElement { column: 0, test }
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

#[test]
fn rows_are_picked_by_their_elements() {
    use MatchKind::{Contains, EndsWith, Equals, StartsWith};
    use Quantifier::{All, Any};
    let first = [
        /* 0 */ Absent,
        /* 1 */ Null,
        /* 2 */ Of(&[]),
        /* 3 */ Of(&[""]),
        /* 4 */ Of(&["PowerShell.exe"]),
        /* 5 */ Of(&["cmd.exe", "-ENC É"]),
        /* 6 */ Of(&["10.1.2.3", "fe80::1"]),
        /* 7 */ Of(&["4624", ""]),
        /* 8 */ Of(&["straße\u{212A}"]),
    ];
    // One text a row is lowered without lists.
    let plain = [Absent, Null, Of(&[""]), Of(&["a"]), Of(&["É.exe"])];
    let literal = |text: &str| Piece::Literal(text.to_owned());
    let wildcards = |pieces: &[Piece], fold| ElementTest::Wildcards { patterns: vec![Pattern(pieces.to_vec())], fold };
    let regex = |pattern| ElementTest::Regex(Regex::new(pattern, Flags::default()).expect(pattern));
    let network = |address: [u8; 4], prefix| Network { address: address.into(), prefix };
    let number = |op, value| ElementTest::Number { op, value };
    let cases: Vec<(Expr, &[u32], &[u32])> = vec![
        (Expr::Exists { column: 0 }, &[1, 2, 3, 4, 5, 6, 7, 8], &[1, 2, 3, 4]),
        (not(Expr::Exists { column: 0 }), &[0], &[0]),
        (Expr::HasValue { column: 0 }, &[2, 3, 4, 5, 6, 7, 8], &[2, 3, 4]),
        (search(&["EXE"], Contains, Any), &[4, 5], &[4]),
        (not(search(&["EXE"], Contains, Any)), &[0, 1, 2, 3, 6, 7, 8], &[0, 1, 2, 3]),
        (search(&["cmd", "é"], Contains, All), &[5], &[]),
        (search(&["cmd", "power"], StartsWith, Any), &[4, 5], &[]),
        (search(&["cmd", "-enc"], StartsWith, All), &[5], &[]),
        (search(&[".EXE", "é"], EndsWith, Any), &[4, 5], &[4]),
        (search(&["STRAßEk"], Equals, Any), &[8], &[]),
        (search(&[""], Contains, Any), &[3, 4, 5, 6, 7, 8], &[2, 3, 4]),
        (search(&["", "exe"], Contains, All), &[4, 5], &[4]),
        (search(&[""], StartsWith, All), &[3, 4, 5, 6, 7, 8], &[2, 3, 4]),
        (search(&[""], Equals, Any), &[3, 7], &[2]),
        (search(&["", "a"], Equals, Any), &[3, 7], &[2, 3]),
        (search(&["", "4624"], Equals, All), &[7], &[]),
        (search(&[], Contains, All), &[0, 1, 2, 3, 4, 5, 6, 7, 8], &[0, 1, 2, 3, 4]),
        (search(&[], Contains, Any), &[], &[]),
        (any(wildcards(&[Piece::AnyText, literal("shell"), Piece::AnyCharacter, literal("EXE")], true)), &[4], &[]),
        (any(wildcards(&[Piece::AnyText, literal(".exe")], false)), &[4, 5], &[4]),
        (any(wildcards(&[Piece::AnyCharacter, literal(".EXE")], true)), &[], &[4]),
        (any(wildcards(&[literal("-enc "), Piece::AnyCharacter], true)), &[5], &[]),
        (any(wildcards(&[], true)), &[3, 7], &[2]),
        (any(regex(r"^[A-Z]\w+\.exe$")), &[4], &[]),
        (any(regex("^.{5}$")), &[], &[4]),
        (any(regex("(?i)ß?K$")), &[8], &[]),
        (any(regex("")), &[3, 4, 5, 6, 7, 8], &[2, 3, 4]),
        (any(ElementTest::Cidr(vec![network([192, 168, 0, 0], 16), network([10, 0, 0, 0], 8)])), &[6], &[]),
        (any(number(CompareOp::GreaterEqual, 4624.0)), &[7], &[]),
        (any(number(CompareOp::NotEqual, 4624.0)), &[], &[]),
    ];
    for (filter, of_lists, of_plain) in cases {
        assert_eq!(picked(filter.clone(), &[column(&first)], 1), of_lists, "{filter:?}");
        assert_eq!(picked(filter.clone(), &[column(&plain)], 1), of_plain, "{filter:?}");
    }
}

#[test]
fn fields_are_compared_with_each_other() {
    let left = [Of(&["Admin", "é"]), Of(&["C:\\Temp\\a.exe"]), Absent, Of(&[""]), Null, Of(&["x"])];
    let right = [Of(&["x", "ADMIN"]), Of(&["a.EXE"]), Absent, Of(&["", "y"]), Of(&[""]), Null];
    for (kind, fold, expected) in [
        (MatchKind::Equals, true, &[0, 3][..]),
        (MatchKind::Equals, false, &[3]),
        (MatchKind::EndsWith, true, &[0, 1, 3]),
        (MatchKind::Contains, false, &[3]),
        (MatchKind::StartsWith, true, &[0, 3]),
    ] {
        let filter = any(ElementTest::Field { column: 1, kind, fold });
        assert_eq!(picked(filter, &[column(&left), column(&right)], 2), expected, "{kind:?} {fold}");
    }
}

#[test]
fn parts_of_datetimes_are_null_of_null() {
    let mut times = ColumnBuilder::of(LogicalType::Datetime);
    // 1970-01-01 00:00, the tick before it, 2024-12-30 (week 1 of 2025), none.
    for ticks in [Some(0), Some(-1), Some(20_087 * TICKS_PER_DAY + 36_000_000_000), None] {
        times.push(ticks.map_or(Cell::Null, Cell::Integer));
    }
    let columns = [Arc::new(times.finish())];
    for (part, value, expected) in [
        (DatePart::Year, 1969, &[1][..]),
        (DatePart::Month, 12, &[1, 2]),
        (DatePart::Day, 1, &[0]),
        (DatePart::Week, 1, &[0, 1, 2]),
        (DatePart::Hour, 1, &[2]),
        (DatePart::Minute, 59, &[1]),
    ] {
        let time = Expr::Input { column: 0, ty: LogicalType::Datetime };
        let part = Expr::Call { function: Function::DatePart(part), arguments: vec![time] };
        let value = Box::new(Expr::Literal(Literal::Integer(value, LogicalType::Long)));
        let filter = Expr::Compare { op: CompareOp::Equal, left: Box::new(part), right: value };
        assert_eq!(picked(filter.clone(), &columns, 0), expected, "{filter:?}");
    }
}

/// Components look at 64 places of a text together, with instructions that only they have: each place in a block, and what
/// is around the blocks' borders, has to be tried here.
#[test]
fn a_needle_is_found_at_each_place_of_a_long_text() {
    const PLACES: usize = 150;
    let at_each_place = |needle: &str, filler: &str| -> Vec<String> {
        let with = |at: usize| format!("{}{needle}{}", filler.repeat(at), filler.repeat(PLACES - at));
        (0..=PLACES).map(with).chain([filler.repeat(PLACES)]).collect()
    };
    let texts = |texts: &[String]| {
        let mut builder = ColumnBuilder::of(LogicalType::String);
        for text in texts {
            assert!(builder.push_elements([Cell::Text(text)]));
        }
        Arc::new(builder.finish())
    };
    let each = (0..=u32::try_from(PLACES).expect("few places")).collect::<Vec<_>>();
    // Fillers: bytes that no needle has; one with which a needle begins, over and over; and nearly the needle.
    for filler in [".", "e", "eeqq", "\u{212A}"] {
        for needle in ["EEQQQ", "k3", "-enc aquic", "ÉX"] {
            let rows = at_each_place(needle, filler);
            let picked = |needles: &[&str], kind| picked(search(needles, kind, Quantifier::Any), &[texts(&rows)], 1);
            let case = format!("{needle:?} in {filler:?}");
            // U+212A folds to `k`, which then begins the needle; the lowercase of it is what the columns are asked for.
            assert_eq!(picked(&[needle], MatchKind::Contains), each, "{case}");
            assert_eq!(picked(&[needle, "neverthere"], MatchKind::Contains), each, "{case}, of two");
            assert_eq!(picked(&[needle], MatchKind::StartsWith), [0], "{case}, at the start");
            assert_eq!(picked(&[needle], MatchKind::EndsWith), [each[PLACES]], "{case}, at the end");
            assert_eq!(picked(&["neverthere", "eeqqz"], MatchKind::Contains), [] as [u32; 0], "{case}, others");
        }
    }
}
