//! Columns: what goes in comes out, and what comes from outside is checked.

use proptest::prelude::*;

use super::*;
use crate::{LogicalType, PhysicalType};

#[test]
fn cells_come_back_as_they_went_in() {
    let cells = [Cell::Text("a"), Cell::Null, Cell::Text(""), Cell::Absent, Cell::Text("é")];
    let mut builder = ColumnBuilder::of(LogicalType::String);
    assert!(cells.iter().all(|cell| builder.push(*cell)));
    assert!(!builder.push(Cell::Integer(1)), "a cell of another kind is null and said to be wrong");
    let column = builder.finish();
    let back: Vec<Cell<'_>> = (0..7).map(|index| column.cell(index)).collect();
    assert_eq!(back[..5], cells);
    assert_eq!(back[5..], [Cell::Null, Cell::Absent]);
    assert_eq!(column.gather(&[4, 3, 0]).cell(1), Cell::Absent);
}

#[test]
fn text_from_outside_is_checked() {
    assert_eq!(Values::text(vec![0, 2, 1], b"ab".to_vec()), Err(ColumnError::Offsets));
    assert_eq!(Values::text(vec![1, 2], b"ab".to_vec()), Err(ColumnError::Offsets));
    assert_eq!(Values::text(vec![0, 1], b"ab".to_vec()), Err(ColumnError::Offsets));
    assert_eq!(Values::text(vec![], vec![]), Err(ColumnError::Offsets));
    assert_eq!(Values::text(vec![0, 1], vec![0xff]), Err(ColumnError::Utf8));
    assert_eq!(Values::text(vec![0, 1, 2], "é".into()), Err(ColumnError::Utf8), "a character split over two cells");
}

#[test]
fn cells_without_a_value_are_empty_however_the_column_was_built() {
    let bits = |bits: &[u8]| Some(bits.iter().map(|bit| *bit == 1).collect::<Bitmap>());
    let text = |cells: &str| {
        let offsets = (0..=cells.len()).map(|end| u32::try_from(end).expect("a short text")).collect();
        Values::text(offsets, cells.into()).expect("cells of one byte")
    };
    for (values, cells) in [
        (text("abc"), [Cell::Text("a"), Cell::Null, Cell::Absent]),
        (Values::Integers(vec![7, 8, 9]), [Cell::Integer(7), Cell::Null, Cell::Absent]),
        (Values::Reals(vec![7.0, f64::NAN, 9.0]), [Cell::Real(7.0), Cell::Null, Cell::Absent]),
        (Values::Booleans(Bitmap::filled(true, 3)), [Cell::Boolean(true), Cell::Null, Cell::Absent]),
    ] {
        let column = Column::new(values, bits(&[1, 0, 0]), bits(&[0, 0, 1])).expect("sound parts");
        let mut builder = ColumnBuilder::new(column.physical());
        assert!(cells.iter().all(|cell| builder.push(*cell)));
        assert_eq!(column, builder.finish(), "what was in a cell without a value is gone");
    }
}

#[test]
fn bitmaps_of_a_column_agree() {
    let column = |validity: Option<Bitmap>, absent| Column::new(Values::Integers(vec![0, 0]), validity, absent);
    let bits = |bits: [bool; 2]| Some(bits.into_iter().collect::<Bitmap>());
    assert_eq!(column(bits([true, true]), bits([false, false])), column(None, None), "they say nothing");
    assert_eq!(column(bits([true, false]), bits([true, false])), Err(ColumnError::Absent));
    assert_eq!(column(None, bits([true, false])), Err(ColumnError::Absent), "without validity every cell is valid");
    assert!(column(bits([false, false]), bits([true, false])).is_ok());
    assert_eq!(column(Some(Bitmap::filled(true, 3)), None), Err(ColumnError::Bitmap));
}

/// A row as the tests write it: `Err` has no value, absent or null.
type Written<'a> = Result<&'a [&'a str], Cell<'a>>;

fn lists(rows: &[Written<'_>]) -> Column {
    let mut builder = ColumnBuilder::of(LogicalType::String);
    for row in rows {
        match row {
            Ok(elements) => assert!(builder.push_elements(elements.iter().copied().map(Cell::Text))),
            Err(Cell::Absent) => builder.push_absent(),
            Err(_) => builder.push_null(),
        }
    }
    builder.finish()
}

#[test]
fn lists_have_offsets_from_the_first_that_is_no_cell() {
    const ABSENT: Written<'_> = Err(Cell::Absent);
    const NULL: Written<'_> = Err(Cell::Null);
    type Case<'a> = (&'a [Written<'a>], Option<&'a [u32]>, &'a [u32], &'a str);
    let cases: &[Case<'_>] = &[
        (&[], None, &[0], ""),
        (&[Ok(&["a"]), ABSENT, Ok(&["b"]), NULL], None, &[0, 1, 1, 2, 2], "ab"),
        (&[Ok(&[])], Some(&[0, 0]), &[0], ""),
        (&[Ok(&["a"]), NULL, Ok(&["b", "c"])], Some(&[0, 1, 1, 3]), &[0, 1, 2, 3], "abc"),
        (&[Ok(&["a", "b"]), NULL, ABSENT, Ok(&["c"])], Some(&[0, 2, 2, 2, 3]), &[0, 1, 2, 3], "abc"),
        (&[NULL, Ok(&[]), Ok(&[""]), NULL, Ok(&["", "é"])], Some(&[0, 0, 0, 1, 1, 3]), &[0, 0, 0, 2], "é"),
    ];
    for (rows, offsets, text_offsets, text) in cases {
        let column = lists(rows);
        assert_eq!(column.lists(), *offsets, "{rows:?}");
        assert_eq!(column.values(), &Values::Text { offsets: text_offsets.to_vec(), text: (*text).into() }, "{rows:?}");
        assert_eq!(column.rows(), rows.len());
        assert_eq!(column.cells(), text_offsets.len() - 1);
    }
}

#[test]
fn a_cell_of_a_list_is_its_only_element() {
    let column = lists(&[Ok(&["a", "b"]), Ok(&["c"]), Ok(&[]), Err(Cell::Null), Err(Cell::Absent)]);
    let cells: Vec<Cell<'_>> = (0..6).map(|row| column.cell(row)).collect();
    assert_eq!(cells, [Cell::Null, Cell::Text("c"), Cell::Null, Cell::Null, Cell::Absent, Cell::Absent]);
}

#[test]
fn a_list_that_does_not_fit_the_column_is_null() {
    for physical in [PhysicalType::Text, PhysicalType::Integers, PhysicalType::Reals, PhysicalType::Booleans] {
        let own = match physical {
            PhysicalType::Text => Cell::Text("a"),
            PhysicalType::Integers => Cell::Integer(1),
            PhysicalType::Reals => Cell::Real(1.0),
            PhysicalType::Booleans => Cell::Boolean(true),
        };
        let other = if physical == PhysicalType::Integers { Cell::Real(0.5) } else { Cell::Integer(7) };
        let mut builder = ColumnBuilder::new(physical);
        assert!(builder.push_elements([own, own, own]));
        assert!(!builder.push_elements([own, own, other]), "{physical:?}");
        assert!(!builder.push_elements([other]), "{physical:?}");
        assert!(builder.push_elements([Cell::Null, own, Cell::Absent, own]), "what is null is no element");
        assert!(builder.push(own));
        let column = builder.finish();
        assert_eq!(column.lists(), Some(&[0, 3, 3, 3, 5, 6][..]), "{physical:?}");
        assert_eq!((column.rows(), column.cells()), (5, 6));
        let Row::Elements(elements) = column.row(3) else { panic!("the row has a value") };
        assert_eq!(elements.collect::<Vec<_>>(), [own, own], "{physical:?}");
        assert!(matches!(column.row(1), Row::Null) && matches!(column.row(2), Row::Null));
    }
}

#[test]
fn lists_from_outside_are_checked() {
    let values = || Values::Integers(vec![1, 2, 3]);
    let bits = |bits: &[u8]| Some(bits.iter().map(|bit| *bit == 1).collect::<Bitmap>());
    for (offsets, validity, absent, expected) in [
        (vec![], None, None, ColumnError::ListOffsets),
        (vec![0], None, None, ColumnError::ListOffsets),
        (vec![1, 3], None, None, ColumnError::ListOffsets),
        (vec![0, 2], None, None, ColumnError::ListOffsets),
        (vec![0, 4], None, None, ColumnError::ListOffsets),
        (vec![0, 2, 1, 3], None, None, ColumnError::ListOffsets),
        (vec![0, u32::MAX, 3], None, None, ColumnError::ListOffsets),
        (vec![0, 1, 3], bits(&[1, 1, 1]), None, ColumnError::Bitmap),
        (vec![0, 1, 3], None, bits(&[0, 0, 0]), ColumnError::Bitmap),
        (vec![0, 1, 3], None, bits(&[1, 0]), ColumnError::Absent),
    ] {
        assert_eq!(Column::with_lists(values(), offsets.clone(), validity, absent), Err(expected), "{offsets:?}");
    }
}

#[test]
fn equal_lists_lie_alike_however_the_column_was_built() {
    let text = |cells: &str| {
        let offsets = (0..=cells.len()).map(|end| u32::try_from(end).expect("a short text")).collect();
        Values::text(offsets, cells.into()).expect("cells of one byte")
    };
    let bits = |bits: &[u8]| Some(bits.iter().map(|bit| *bit == 1).collect::<Bitmap>());
    let (absent, null) = (Err(Cell::Absent), Err(Cell::Null));
    for (cells, offsets, validity, absence, expected) in [
        ("abc", vec![0, 1, 3], None, None, &[Ok(&["a"][..]), Ok(&["b", "c"])][..]),
        ("abc", vec![0, 1, 2, 3], None, None, &[Ok(&["a"]), Ok(&["b"]), Ok(&["c"])]),
        ("abc", vec![0, 1, 2, 3], bits(&[1, 0, 0]), bits(&[0, 1, 0]), &[Ok(&["a"]), absent, null]),
        ("ab", vec![0, 1, 1, 1, 2], bits(&[1, 0, 0, 1]), bits(&[0, 1, 0, 0]), &[Ok(&["a"]), absent, null, Ok(&["b"])]),
        ("abcd", vec![0, 2, 3, 4], bits(&[1, 0, 1]), None, &[Ok(&["a", "b"]), null, Ok(&["d"])]),
        ("ab", vec![0, 2, 2], bits(&[1, 0]), None, &[Ok(&["a", "b"]), null]),
        ("", vec![0], None, None, &[]),
    ] {
        let column = Column::with_lists(text(cells), offsets.clone(), validity, absence).expect("sound parts");
        assert_eq!(column, lists(expected), "{cells} {offsets:?}");
    }
}

/// What a row of a column of lists holds, without any layout.
#[derive(Clone, Debug, PartialEq)]
enum Naive {
    Absent,
    Null,
    List(Vec<String>),
}

fn naive(row: Row<'_>) -> Naive {
    match row {
        Row::Absent => Naive::Absent,
        Row::Null => Naive::Null,
        Row::Elements(elements) => {
            let length = elements.len();
            let texts: Vec<String> = elements
                .map(|element| match element {
                    Cell::Text(text) => text.to_owned(),
                    other => panic!("{other:?} in a column of text"),
                })
                .collect();
            assert_eq!(texts.len(), length, "the iterator knows how many there are");
            Naive::List(texts)
        }
    }
}

fn any_row() -> impl Strategy<Value = Naive> {
    prop_oneof![
        1 => Just(Naive::Absent),
        1 => Just(Naive::Null),
        4 => "[a-cé]{0,2}".prop_map(|text| Naive::List(vec![text])),
        2 => proptest::collection::vec("[a-cé]{0,2}", 0..4).prop_map(Naive::List),
    ]
}

proptest! {
    #[test]
    fn built_and_gathered_lists_are_the_rows_that_went_in(
        rows in proptest::collection::vec(any_row(), 0..24),
        picks in proptest::collection::vec(0..32_u32, 0..24),
    ) {
        let mut builder = ColumnBuilder::of(LogicalType::String);
        for row in &rows {
            match row {
                Naive::Absent => builder.push_absent(),
                Naive::Null => builder.push_null(),
                Naive::List(texts) => prop_assert!(builder.push_elements(texts.iter().map(|text| Cell::Text(text)))),
            }
        }
        prop_assert_eq!(builder.len(), rows.len());
        let column = builder.finish();
        let back: Vec<Naive> = (0..column.rows()).map(|row| naive(column.row(row))).collect();
        prop_assert_eq!(&back, &rows);

        let picked: Vec<Naive> =
            picks.iter().map(|pick| rows.get(*pick as usize).cloned().unwrap_or(Naive::Absent)).collect();
        let gathered = column.gather(&picks);
        let back: Vec<Naive> = (0..gathered.rows()).map(|row| naive(gathered.row(row))).collect();
        prop_assert_eq!(&back, &picked);

        // The parts of a column make that column, and lists are only there when one of them has not one element.
        for column in [column, gathered] {
            let (values, validity, absent) = (column.values().clone(), column.validity().cloned(), column.absent().cloned());
            let again = match column.lists() {
                None => Column::new(values, validity, absent),
                Some(offsets) => Column::with_lists(values, offsets.to_vec(), validity, absent),
            };
            let needed = (0..column.rows()).any(|row| matches!(naive(column.row(row)), Naive::List(texts) if texts.len() != 1));
            prop_assert_eq!(column.lists().is_some(), needed);
            prop_assert_eq!(again.as_ref(), Ok(&column));
        }
    }
}
