//! Prefilters and rows that want an index to take too much memory or time: it stays exact, and as large as its input.

mod support;

use sandtrap_index::{Index, Indexed, Scratch};
use sandtrap_wit::prefilter::{Atom, Clause, Prefilter, Test};
use support::{Cell, Cells, Event, admitted};

fn clause(tests: impl IntoIterator<Item = Test>) -> Prefilter {
    let atoms = tests.into_iter().map(|test| Atom::new(0, test)).collect();
    Prefilter { clauses: vec![Clause { atoms }] }
}

fn text(text: impl Into<String>) -> Cells {
    Cells(vec![Cell::Text(text.into())])
}

/// Asks an index of these prefilters, all about key 0, and says how large it is, in bytes.
fn check(prefilters: &[Prefilter], rows: &[Cells]) -> usize {
    let indexed: Vec<Indexed<'_>> = prefilters.iter().map(|prefilter| Indexed { prefilter, columns: &[0] }).collect();
    let index = Index::new(&indexed);
    let mut scratch = Scratch::default();
    for row in rows {
        let mut found = Vec::new();
        index.candidates(row, &mut scratch, &mut found);
        assert_eq!(found, admitted(&indexed, row));
    }
    index.bytes()
}

/// The most memory for each atom, besides twice its literal, in bytes; and what an index has anyway.
const ATOM_BYTES_MAX: usize = 400;
/// What learning takes, and less than a table for searching, in bytes.
const LEARNING_BYTES: usize = 128 << 10;
/// See [`LEARNING_BYTES`].
const SEARCHED_BYTES_MIN: usize = 16 << 10;
/// See [`ATOM_BYTES_MAX`].
const INDEX_BYTES_MAX: usize = 1 << 20;

#[test]
fn nested_literals() {
    const DEPTH: usize = 3_000;
    let literal = |length: usize| "a".repeat(length);
    for test in [Test::Contains, Test::Prefix, Test::Suffix, Test::Equals] {
        let each: Vec<Prefilter> = (0..DEPTH).map(|length| clause([test(literal(length))])).collect();
        let rows = [text(literal(DEPTH)), text(literal(DEPTH / 2)), text(literal(100) + "b" + &literal(50)), text("")];
        let bytes = check(&each, &rows);
        let literals = DEPTH * DEPTH / 2;
        assert!(bytes < INDEX_BYTES_MAX + 2 * literals + ATOM_BYTES_MAX * DEPTH, "{bytes} bytes");
        // And all of them in one clause.
        check(&[clause((1..DEPTH).map(|length| test(literal(length))))], &rows);
    }
}

#[test]
fn a_flood_of_places_that_nearly_match() {
    let common = "aaab".repeat(40);
    let numbers = || (0..200).map(|number| format!("{common}{number}"));
    let each: Vec<Prefilter> = numbers().map(|literal| clause([Test::Contains(literal)])).collect();
    let flood = "aaab".repeat(5_000);
    let rows = [text(flood.clone()), text(flood.clone() + "7"), text("x".to_owned() + &flood), text(&common)];
    check(&each, &rows);
    check(&[clause(numbers().map(Test::Contains))], &rows);
    // The same where JSON is looked at first.
    let indexed: Vec<Indexed<'_>> = each.iter().map(|prefilter| Indexed { prefilter, columns: &[0] }).collect();
    let row = Event::new(vec![flood + "7"], 0);
    let mut found = Vec::new();
    Index::new(&indexed).candidates(&row, &mut Scratch::default(), &mut found);
    assert_eq!(found, [7]);
}

#[test]
fn very_many_atoms() {
    const ATOMS: usize = 100_000;
    let literal = |number: usize| format!("literal number {number:06}");
    for test in [Test::Contains, Test::Prefix, Test::Suffix, Test::Equals] {
        let one = [clause((0..ATOMS).map(|number| test(literal(number))))];
        let bytes = check(&one, &[text(literal(4_711)), text("LITERAL NUMBER 099999"), text("literal number 1")]);
        assert!(bytes < INDEX_BYTES_MAX + ATOMS * (ATOM_BYTES_MAX + 2 * 21), "{bytes} bytes");
    }
    let integers = clause((0..100_000).map(|number| Test::Integers(vec![number, -number])));
    let ranges = clause((0..100_000).map(|number| Test::Range(number * 10, number * 10 + 5)));
    let rows = [-99_999, 99_999, 7, 8, i64::MIN, i64::MAX].map(|integer| Cells(vec![Cell::Integer(integer)]));
    let prefilters = [integers, ranges, clause([Test::Range(i64::MAX, i64::MIN)])];
    check(&prefilters, &rows);
    check(&prefilters, &[Cell::Null, Cell::Other].map(|cell| Cells(vec![cell])));
}

#[test]
fn literals_and_texts_that_are_very_long() {
    let long = "abcdefgh".repeat(1 << 16);
    for test in [Test::Contains, Test::Prefix, Test::Suffix, Test::Equals] {
        let prefilters = [clause([test(long.clone())]), clause([test(long.clone() + "i")]), clause([test("h".into())])];
        check(&prefilters, &[text(&long), text(long.clone() + "i"), text("x".to_owned() + &long), text("h")]);
    }
}

#[test]
fn a_list_of_very_many_elements() {
    let elements: Vec<String> = (0..50_000).map(|number| format!("Element {number}")).collect();
    let prefilters = [
        clause([Test::Contains("element 4999".into())]),
        clause([Test::Equals("element 49999".into())]),
        clause([Test::Suffix("x".into())]),
        clause([Test::Exists(true)]),
    ];
    check(&prefilters, &[Cells(vec![Cell::Elements(elements)]), Cells(vec![Cell::Elements(Vec::new())])]);
}

#[test]
fn an_index_of_nothing() {
    assert!(check(&[], &[text("a"), Cells(Vec::new())]) < INDEX_BYTES_MAX);
    // What is not searched has no tables for it.
    let small = check(&[clause([Test::Equals("a".into())])], &[text("a")]);
    assert!(small < SEARCHED_BYTES_MIN + LEARNING_BYTES, "{small} bytes");
    check(&[Prefilter::default(), clause([])], &[text("a"), Cells(Vec::new())]);
}
