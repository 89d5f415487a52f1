//! The index says what `Prefilter::admits_values` says, of any prefilters and any rows.

mod support;

use proptest::prelude::*;
use sandtrap_index::{Index, Indexed, Row, Scratch};
use sandtrap_wit::prefilter::{Atom, Clause, Prefilter, Test};
use support::{Cell, Cells, Event, admitted};

/// Columns of each detection, and keys of the index. Fewer keys than columns: detections share them.
const COLUMNS: u32 = 4;

/// Pieces of text that share beginnings and ends, that fold to each other, and that are longer than any gram.
const PIECES: [&str; 16] = [
    "a",
    "aa",
    "ab",
    "k",
    "s",
    "\u{e9}",
    ".exe",
    "\\powershell.exe",
    "\\pwsh.exe",
    " -enc ",
    "-encodedcommand",
    "0123456789abcdef0123456789abcdef",
    "sha256=0123456789",
    "\\system32\\",
    "x",
    "\u{1f980}",
];

fn folded() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..4).prop_map(|pieces| pieces.concat())
}

/// Text in which case and characters that fold to ASCII change what is compared with literals.
fn text() -> impl Strategy<Value = String> {
    (folded(), any::<u64>(), 0..4_u8).prop_map(|(text, bits, trap)| {
        let cased = text.chars().enumerate().map(|(at, c)| match (c, trap) {
            ('k', 1) => '\u{212a}',
            ('s', 1) => '\u{17f}',
            ('\u{e9}', 2) => '\u{c9}',
            (c, 3) if bits >> (at % 64) & 1 == 1 => c.to_ascii_uppercase(),
            (c, _) => c,
        });
        cased.collect()
    })
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        folded().prop_map(Test::Contains),
        folded().prop_map(Test::Prefix),
        folded().prop_map(Test::Suffix),
        folded().prop_map(Test::Equals),
        any::<bool>().prop_map(Test::Exists),
        prop::collection::vec(-3..4_i64, 0..4).prop_map(Test::Integers),
        (-3..4_i64, -3..4_i64).prop_map(|(low, high)| Test::Range(low, high)),
    ]
}

fn prefilter() -> impl Strategy<Value = Prefilter> {
    // A column too many: one that has no key.
    let atom = (0..=COLUMNS, test(), prop::bool::weighted(0.3)).prop_map(|(column, test, negated)| Atom {
        column,
        negated,
        test,
    });
    let clause = prop::collection::vec(atom, 0..5).prop_map(|atoms| Clause { atoms });
    prop::collection::vec(prop_oneof![9 => clause, 1 => Just(Clause::default())], 0..4)
        .prop_map(|clauses| Prefilter { clauses })
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        1 => Just(Cell::Null),
        8 => text().prop_map(Cell::Text),
        2 => prop::collection::vec(text(), 0..4).prop_map(Cell::Elements),
        2 => (-4..5_i64).prop_map(Cell::Integer),
        1 => Just(Cell::Other),
    ]
}

/// Looks at every row, again and again until the index has learned from them, and once more with what it chose then.
fn check(prefilters: &[(Prefilter, Vec<u32>)], rows: &[impl Row]) -> Result<(), TestCaseError> {
    let indexed: Vec<Indexed<'_>> =
        prefilters.iter().map(|(prefilter, columns)| Indexed { prefilter, columns }).collect();
    let mut index = Index::new(&indexed);
    let always = (0..).zip(&indexed).filter(|(_, one)| one.prefilter.is_always());
    prop_assert_eq!(index.unpruned(), always.map(|(number, _)| number).collect::<Vec<u32>>());
    let mut scratch = Scratch::default();
    for _ in 0..2 {
        // Once more when values have been seen, and once more when they are remembered.
        for (number, row) in rows.iter().enumerate().cycle().take(3 * rows.len()) {
            let mut found = Vec::new();
            index.candidates(row, &mut scratch, &mut found);
            prop_assert_eq!(&found, &admitted(&indexed, row), "row {}", number);
        }
        for row in rows.iter().cycle().take(ROWS_LEARNED_FROM) {
            index.candidates(row, &mut scratch, &mut Vec::new());
        }
        match index.tuned() {
            Some(tuned) => index = tuned,
            None => prop_assert!(false, "the index has seen enough rows"),
        }
        prop_assert!(index.tuned().is_none(), "it wants more rows first");
    }
    Ok(())
}

/// As many rows as two choices of witnesses take.
const ROWS_LEARNED_FROM: usize = 64 + 32 * 192;

/// A prefilter of literals in the value of key 0.
fn keywords() -> impl Strategy<Value = Prefilter> {
    let atom = folded().prop_map(|literal| Atom::new(0, Test::Contains(literal)));
    let clause = prop::collection::vec(atom, 1..4).prop_map(|atoms| Clause { atoms });
    prop::collection::vec(clause, 1..3).prop_map(|clauses| Prefilter { clauses })
}

/// A prefilter that asks many things of the value of key 0, once the value is there.
fn exclusions() -> impl Strategy<Value = Prefilter> {
    let atom = (prop_oneof![folded(), "[ab\\\\.]{8,20}"], any::<bool>())
        .prop_map(|(literal, negated)| Atom { negated, ..Atom::new(0, Test::Contains(literal)) });
    prop::collection::vec(atom, 1..8).prop_map(|atoms| {
        let there = Atom::new(0, Test::Exists(true));
        let clauses = [there].into_iter().chain(atoms).map(|atom| Clause { atoms: vec![atom] });
        Prefilter { clauses: clauses.collect() }
    })
}

/// Text that is too long to look for one literal after the other in it.
fn long_text() -> impl Strategy<Value = Cell> {
    (text(), prop_oneof![Just("-"), Just("aab\\")], text())
        .prop_map(|(start, filler, end)| Cell::Text(format!("{start}{}{end}", filler.repeat(600))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn long_texts_are_searched_for_many_literals(
        prefilters in prop::collection::vec((exclusions(), Just(vec![0])), 1..12),
        rows in prop::collection::vec(long_text().prop_map(|cell| Cells(vec![cell])), 1..8),
    ) {
        check(&prefilters, &rows)?;
    }

    #[test]
    fn an_index_says_what_prefilters_say(
        prefilters in prop::collection::vec((prefilter(), prop::collection::vec(0..5_u32, COLUMNS as usize)), 0..24),
        rows in prop::collection::vec(prop::collection::vec(cell(), 5).prop_map(Cells), 1..24),
    ) {
        check(&prefilters, &rows)?;
    }

    #[test]
    fn json_that_is_at_hand_changes_nothing(
        prefilters in prop::collection::vec((keywords(), Just(vec![0])), 1..8),
        rows in prop::collection::vec((prop::collection::vec(text(), 0..4), any::<u64>()), 1..24),
    ) {
        let rows: Vec<Event> = rows.into_iter().map(|(texts, bits)| Event::new(texts, bits)).collect();
        check(&prefilters, &rows)?;
    }
}
