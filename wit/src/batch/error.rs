//! What can be wrong with a column that somebody else built.

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
    /// Offsets of lists do not start at 0, descend, or do not end at the number of cells.
    ListOffsets,
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
            Self::ListOffsets => "list offsets do not ascend from 0 to the number of cells",
        })
    }
}

impl std::error::Error for ColumnError {}
