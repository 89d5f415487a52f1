//! The cells of a column as they lie, one after the other.

use super::{Bitmap, COLUMN_BYTES_MAX, Cell, ColumnError};
use crate::PhysicalType;

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

    /// No cells of that layout.
    pub(super) fn none(physical: PhysicalType) -> Self {
        match physical {
            PhysicalType::Text => Self::Text { offsets: vec![0], text: String::new() },
            PhysicalType::Integers => Self::Integers(Vec::new()),
            PhysicalType::Reals => Self::Reals(Vec::new()),
            PhysicalType::Booleans => Self::Booleans(Bitmap::default()),
        }
    }

    /// Adds a cell that has a value; false, and nothing is added, when it has none, is of another kind, or its text
    /// would not fit under [`COLUMN_BYTES_MAX`].
    #[inline]
    pub(super) fn push(&mut self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Text { offsets, text }, Cell::Text(value)) => {
                let fits = text.len() + value.len() <= COLUMN_BYTES_MAX;
                if fits {
                    text.push_str(value);
                    offsets.push(offset(text.len()));
                }
                fits
            }
            (Self::Integers(values), Cell::Integer(value)) => {
                values.push(value);
                true
            }
            (Self::Reals(values), Cell::Real(value)) => {
                values.push(value);
                true
            }
            (Self::Booleans(values), Cell::Boolean(value)) => {
                values.push(value);
                true
            }
            _ => false,
        }
    }

    /// Adds what a plain cell without a value holds.
    pub(super) fn push_empty(&mut self) {
        match self {
            Self::Text { offsets, text } => offsets.push(offset(text.len())),
            Self::Integers(values) => values.push(0),
            Self::Reals(values) => values.push(0.0),
            Self::Booleans(values) => values.push(false),
        }
    }

    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text { offsets, .. } => offsets.len().saturating_sub(1),
            Self::Integers(values) => values.len(),
            Self::Reals(values) => values.len(),
            Self::Booleans(values) => values.len(),
        }
    }

    /// The cell at `index`, which must be one of them.
    pub(super) fn cell(&self, index: usize) -> Cell<'_> {
        match self {
            Self::Text { offsets, text } => {
                let range = offsets[index] as usize..offsets[index + 1] as usize;
                Cell::Text(text.get(range).unwrap_or_default())
            }
            Self::Integers(values) => Cell::Integer(values[index]),
            Self::Reals(values) => Cell::Real(values[index]),
            Self::Booleans(values) => Cell::Boolean(values.get(index)),
        }
    }

    /// Drops the cells from `cells` on.
    pub(super) fn truncate(&mut self, cells: usize) {
        match self {
            Self::Text { offsets, text } => {
                offsets.truncate(cells + 1);
                text.truncate(offsets.last().map_or(0, |end| *end as usize));
            }
            Self::Integers(values) => values.truncate(cells),
            Self::Reals(values) => values.truncate(cells),
            Self::Booleans(values) => values.truncate(cells),
        }
    }

    /// Drops the cells from `start` on for which `keep` is false; those are empty. `keep` gets the distance from
    /// `start`.
    pub(super) fn retain_from(&mut self, start: usize, keep: impl Fn(usize) -> bool) {
        match self {
            // The end of an empty cell is where it began: without the offset the text is as it was.
            Self::Text { offsets, .. } => retain_from(offsets, start + 1, keep),
            Self::Integers(values) => retain_from(values, start, keep),
            Self::Reals(values) => retain_from(values, start, keep),
            Self::Booleans(values) => {
                let kept = (start..values.len()).filter(|cell| keep(cell - start));
                let kept: Vec<bool> = kept.map(|cell| values.get(cell)).collect();
                values.truncate(start);
                for value in kept {
                    values.push(value);
                }
            }
        }
    }

    /// The same cells, those that are not valid emptied.
    pub(super) fn emptied(self, validity: &Bitmap) -> Self {
        match self {
            Self::Text { offsets, text } => emptied_text(offsets, text, validity),
            Self::Integers(values) => Self::Integers(emptied(values, validity)),
            Self::Reals(values) => Self::Reals(emptied(values, validity)),
            Self::Booleans(values) => Self::Booleans(values.and(validity)),
        }
    }
}

fn retain_from<T: Copy>(values: &mut Vec<T>, start: usize, keep: impl Fn(usize) -> bool) {
    let mut end = start;
    for index in start..values.len() {
        if keep(index - start) {
            values[end] = values[index];
            end += 1;
        }
    }
    values.truncate(end);
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
    let mut kept = Values::none(PhysicalType::Text);
    for (index, range) in cells() {
        let value = if validity.get(index) { text.get(range).unwrap_or_default() } else { "" };
        kept.push(Cell::Text(value));
    }
    kept
}

/// A place in text or among cells. Both are bounded far below `u32::MAX`.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
