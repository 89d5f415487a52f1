//! Batches in memory, in the layout of `detection.wit`: what readers fill, the engine lowers into components and
//! the dataflow groups and sorts.
//!
//! A [`Column`] keeps the contract's rules by construction: offsets ascend, text is UTF-8, a cell without a value
//! holds the empty text or zero, an absent cell is not valid, and bitmaps that say nothing are not there. So equal
//! cells lie alike, whoever built the column, and who reads values need not look at bitmaps first. Columns of lists
//! are not built here yet: no source asks for one.

use std::sync::Arc;

use crate::{LogicalType, PhysicalType};

/// The most text that one column of a batch may hold, in bytes: offsets stay below 2^31.
pub const COLUMN_BYTES_MAX: usize = (1 << 31) - 1;

/// Rows of typed columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// How many rows each column has.
    pub rows: usize,
    /// The columns; shared, because many detections read the same ones.
    pub columns: Vec<Arc<Column>>,
}

/// One value of a column, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// The event does not have the field.
    Absent,
    /// The event has the field, without a value.
    Null,
    /// Text; JSON where the column is dynamic.
    Text(&'a str),
    /// An integer, or ticks.
    Integer(i64),
    /// A real.
    Real(f64),
    /// A boolean.
    Boolean(bool),
}

impl Cell<'_> {
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }
}

/// A [`Cell`] that owns its text. Whether a cell without a value is absent or null is not kept.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedCell {
    /// No value.
    Null,
    /// Text; JSON where the column is dynamic.
    Text(Box<str>),
    /// An integer, or ticks.
    Integer(i64),
    /// A real.
    Real(f64),
    /// A boolean.
    Boolean(bool),
}

impl OwnedCell {
    /// The cell, borrowed.
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Text(text) => Cell::Text(text),
            Self::Integer(value) => Cell::Integer(*value),
            Self::Real(value) => Cell::Real(*value),
            Self::Boolean(value) => Cell::Boolean(*value),
        }
    }

    /// The bytes it owns besides itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            _ => 0,
        }
    }
}

impl From<Cell<'_>> for OwnedCell {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Absent | Cell::Null => Self::Null,
            Cell::Text(text) => Self::Text(text.into()),
            Cell::Integer(value) => Self::Integer(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Boolean(value) => Self::Boolean(value),
        }
    }
}

/// The cells of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Cell `i` is `text[offsets[i]..offsets[i + 1]]`.
    Text {
        /// One more than there are cells.
        offsets: Vec<u32>,
        /// The cells one after the other.
        text: String,
    },
    /// Integers and ticks.
    Integers(Vec<i64>),
    /// Reals.
    Reals(Vec<f64>),
    /// A bitmap.
    Booleans(Bitmap),
}

/// One column of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    values: Values,
    validity: Option<Bitmap>,
    absent: Option<Bitmap>,
    len: usize,
}

/// Bits packed least significant first; bits past the last are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    bytes: Vec<u8>,
    len: usize,
}

impl Bitmap {
    /// `len` bits of the same value.
    pub fn filled(value: bool, len: usize) -> Self {
        let mut bitmap = Self { bytes: vec![if value { 0xff } else { 0 }; len.div_ceil(8)], len };
        bitmap.clear_tail();
        bitmap
    }

    /// Takes packed bytes; `None` when there are not exactly enough of them. Bits past the last are cleared.
    pub fn from_bytes(bytes: Vec<u8>, len: usize) -> Option<Self> {
        (bytes.len() == len.div_ceil(8)).then(|| {
            let mut bitmap = Self { bytes, len };
            bitmap.clear_tail();
            bitmap
        })
    }

    fn clear_tail(&mut self) {
        if let (Some(last), used @ 1..) = (self.bytes.last_mut(), self.len % 8) {
            *last &= (1 << used) - 1;
        }
    }

    /// Adds a bit.
    pub fn push(&mut self, value: bool) {
        if self.len.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if value && let Some(last) = self.bytes.last_mut() {
            *last |= 1 << (self.len % 8);
        }
        self.len += 1;
    }

    /// The bit at `index`; false past the end.
    pub fn get(&self, index: usize) -> bool {
        index < self.len && self.bytes.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }

    /// The packed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bits there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a bit is set.
    fn any(&self) -> bool {
        self.bytes.iter().any(|byte| *byte != 0)
    }

    /// Whether every bit is set.
    fn all(&self) -> bool {
        *self == Self::filled(true, self.len)
    }

    /// The bits that are set in both.
    fn and(&self, other: &Self) -> Self {
        let bytes = self.bytes.iter().zip(&other.bytes).map(|(one, other)| one & other).collect();
        Self { bytes, len: self.len.min(other.len) }
    }
}

impl FromIterator<bool> for Bitmap {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let mut bitmap = Self::default();
        bits.into_iter().for_each(|bit| bitmap.push(bit));
        bitmap
    }
}

/// Why parts do not make a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnError {
    /// The number of cells is not the number of rows.
    Length,
    /// Offsets do not start at 0, descend, or do not end at the end of the text.
    Offsets,
    /// A cell is not valid UTF-8.
    Utf8,
    /// A bitmap does not have exactly the bytes it needs.
    Bitmap,
    /// A cell is said to be absent and to have a value.
    Absent,
    /// A column of lists where cells were expected.
    Lists,
}

impl std::fmt::Display for ColumnError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Length => "the number of cells is not the number of rows",
            Self::Offsets => "text offsets do not ascend from 0 to the end of the text",
            Self::Utf8 => "a text cell is not valid UTF-8",
            Self::Bitmap => "a bitmap is too short or too long",
            Self::Absent => "a cell is marked absent and valid; clear its validity bit",
            Self::Lists => "a column of lists where plain cells were expected",
        })
    }
}

impl std::error::Error for ColumnError {}

impl Values {
    /// Text from untrusted parts: offsets must ascend from 0 to the end, each cell must be UTF-8 by itself.
    pub fn text(offsets: Vec<u32>, bytes: Vec<u8>) -> Result<Self, ColumnError> {
        let ascending = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        let end = offsets.last().map(|end| *end as usize);
        if offsets.first() != Some(&0) || end != Some(bytes.len()) || !ascending {
            return Err(ColumnError::Offsets);
        }
        let text = String::from_utf8(bytes).map_err(|_| ColumnError::Utf8)?;
        if offsets.iter().any(|offset| !text.is_char_boundary(*offset as usize)) {
            return Err(ColumnError::Utf8);
        }
        Ok(Self::Text { offsets, text })
    }

    fn len(&self) -> usize {
        match self {
            Self::Text { offsets, .. } => offsets.len().saturating_sub(1),
            Self::Integers(values) => values.len(),
            Self::Reals(values) => values.len(),
            Self::Booleans(values) => values.len(),
        }
    }

    /// The same cells, those that are not valid emptied.
    fn emptied(self, validity: &Bitmap) -> Self {
        match self {
            Self::Text { offsets, text } => emptied_text(offsets, text, validity),
            Self::Integers(values) => Self::Integers(emptied(values, validity)),
            Self::Reals(values) => Self::Reals(emptied(values, validity)),
            Self::Booleans(values) => Self::Booleans(values.and(validity)),
        }
    }
}

fn emptied<T: Default>(mut values: Vec<T>, validity: &Bitmap) -> Vec<T> {
    let invalid = values.iter_mut().enumerate().filter(|(index, _)| !validity.get(*index));
    invalid.for_each(|(_, value)| *value = T::default());
    values
}

fn emptied_text(offsets: Vec<u32>, text: String, validity: &Bitmap) -> Values {
    let cells = || offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize).enumerate();
    if cells().all(|(index, range)| range.is_empty() || validity.get(index)) {
        return Values::Text { offsets, text };
    }
    let mut builder = ColumnBuilder::new(PhysicalType::Text);
    for (index, range) in cells() {
        builder.push(if validity.get(index) { Cell::Text(text.get(range).unwrap_or_default()) } else { Cell::Null });
    }
    builder.values
}

impl Column {
    /// A column from untrusted parts.
    ///
    /// What lies in a cell without a value is emptied rather than refused: Arrow leaves it undefined, and who builds
    /// columns with an Arrow library does nothing wrong. A cell that is absent and valid at once is refused, for
    /// either reading would be a guess.
    pub fn new(values: Values, validity: Option<Bitmap>, absent: Option<Bitmap>) -> Result<Self, ColumnError> {
        let len = values.len();
        if [&validity, &absent].into_iter().flatten().any(|bitmap| bitmap.len() != len) {
            return Err(ColumnError::Bitmap);
        }
        let validity = validity.filter(|validity| !validity.all());
        let absent = absent.filter(Bitmap::any);
        if absent.as_ref().is_some_and(|absent| validity.as_ref().is_none_or(|validity| validity.and(absent).any())) {
            return Err(ColumnError::Absent);
        }
        let values = match &validity {
            None => values,
            Some(validity) => values.emptied(validity),
        };
        Ok(Self { values, validity, absent, len })
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The cells as they lie.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Which cells have a value; `None` when all do.
    pub fn validity(&self) -> Option<&Bitmap> {
        self.validity.as_ref()
    }

    /// Which cells stand for a field that the event does not have; `None` when there is none.
    pub fn absent(&self) -> Option<&Bitmap> {
        self.absent.as_ref()
    }

    /// How the cells lie.
    pub fn physical(&self) -> PhysicalType {
        match self.values {
            Values::Text { .. } => PhysicalType::Text,
            Values::Integers(_) => PhysicalType::Integers,
            Values::Reals(_) => PhysicalType::Reals,
            Values::Booleans(_) => PhysicalType::Booleans,
        }
    }

    /// The cell at `index`; absent past the end.
    pub fn cell(&self, index: usize) -> Cell<'_> {
        if index >= self.len || self.absent.as_ref().is_some_and(|absent| absent.get(index)) {
            return Cell::Absent;
        }
        if self.validity.as_ref().is_some_and(|validity| !validity.get(index)) {
            return Cell::Null;
        }
        match &self.values {
            Values::Text { offsets, text } => {
                let range = offsets[index] as usize..offsets[index + 1] as usize;
                Cell::Text(text.get(range).unwrap_or_default())
            }
            Values::Integers(values) => Cell::Integer(values[index]),
            Values::Reals(values) => Cell::Real(values[index]),
            Values::Booleans(values) => Cell::Boolean(values.get(index)),
        }
    }

    /// The cells at `rows`, in that order.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Self {
        let mut builder = ColumnBuilder::new(self.physical());
        for row in rows {
            builder.push(self.cell(*row as usize));
        }
        builder.finish()
    }
}

/// Builds a column cell by cell.
#[derive(Debug)]
pub struct ColumnBuilder {
    values: Values,
    validity: Bitmap,
    absent: Bitmap,
    any_null: bool,
    any_absent: bool,
}

impl ColumnBuilder {
    /// An empty column of that layout.
    pub fn new(physical: PhysicalType) -> Self {
        let values = match physical {
            PhysicalType::Text => Values::Text { offsets: vec![0], text: String::new() },
            PhysicalType::Integers => Values::Integers(Vec::new()),
            PhysicalType::Reals => Values::Reals(Vec::new()),
            PhysicalType::Booleans => Values::Booleans(Bitmap::default()),
        };
        Self { values, validity: Bitmap::default(), absent: Bitmap::default(), any_null: false, any_absent: false }
    }

    /// An empty column for cells of that type.
    pub fn of(ty: LogicalType) -> Self {
        Self::new(ty.physical())
    }

    /// Adds a cell. One of another kind than the column's, or text that would not fit under [`COLUMN_BYTES_MAX`], is
    /// added as null and answered with false.
    pub fn push(&mut self, cell: Cell<'_>) -> bool {
        let fits = match (&mut self.values, cell) {
            (Values::Text { offsets, text }, Cell::Text(value)) => {
                let fits = text.len() + value.len() <= COLUMN_BYTES_MAX;
                text.push_str(if fits { value } else { "" });
                offsets.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
                fits
            }
            (Values::Integers(values), Cell::Integer(value)) => {
                values.push(value);
                true
            }
            (Values::Reals(values), Cell::Real(value)) => {
                values.push(value);
                true
            }
            (Values::Booleans(values), Cell::Boolean(value)) => {
                values.push(value);
                true
            }
            (values, cell) => {
                match values {
                    Values::Text { offsets, text } => offsets.push(u32::try_from(text.len()).unwrap_or(u32::MAX)),
                    Values::Integers(values) => values.push(0),
                    Values::Reals(values) => values.push(0.0),
                    Values::Booleans(values) => values.push(false),
                }
                self.validity.push(false);
                self.any_null = true;
                self.absent.push(cell == Cell::Absent);
                self.any_absent |= cell == Cell::Absent;
                return cell.is_null();
            }
        };
        self.validity.push(fits);
        self.any_null |= !fits;
        self.absent.push(false);
        fits
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.validity.len()
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column.
    pub fn finish(self) -> Column {
        Column {
            len: self.validity.len(),
            values: self.values,
            validity: self.any_null.then_some(self.validity),
            absent: self.any_absent.then_some(self.absent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
