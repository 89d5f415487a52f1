//! A text column of `detection.wit` where the canonical ABI put it, and the elements of its rows.
//!
//! The host checked the column's lists and offsets when it made the batch, so they are not checked again.

use core::{ptr, slice};

/// A list, or none: whether there is one, then pointer and length.
#[repr(C)]
struct Optional {
    is_some: u8,
    start: usize,
    len: usize,
}

/// A `column` whose values are `text`.
#[repr(C)]
struct TextColumn {
    validity: Optional,
    absent: Optional,
    lists: Optional,
    case: u8,
    offsets: usize,
    offset_count: usize,
    bytes: usize,
    byte_count: usize,
}

/// The elements of a row.
#[derive(Clone, Copy)]
pub(crate) struct Elements {
    offsets: usize,
    bytes: usize,
    at: usize,
    end: usize,
}

/// The elements of a row of the text column at `address`: none where the row has no value, the cell itself where the
/// column has no lists.
///
/// # Safety
/// `address` is that of a text column that the host lowered, and the column has that row.
pub(crate) unsafe fn elements(address: usize, row: usize) -> Elements {
    // SAFETY: by this function's own contract; validity has a bit and lists have two words for each row.
    unsafe {
        let column = &*ptr::with_exposed_provenance::<TextColumn>(address);
        let (offsets, bytes) = (column.offsets, column.bytes);
        if column.validity.is_some & 1 != 0 {
            let byte = *ptr::with_exposed_provenance::<u8>(column.validity.start + row / 8);
            if byte >> (row % 8) & 1 == 0 {
                return Elements { offsets, bytes, at: 0, end: 0 };
            }
        }
        let (at, end) = if column.lists.is_some & 1 != 0 {
            let lists = ptr::with_exposed_provenance::<u32>(column.lists.start).add(row);
            (*lists as usize, *lists.add(1) as usize)
        } else {
            (row, row + 1)
        };
        Elements { offsets, bytes, at, end }
    }
}

impl Iterator for Elements {
    type Item = &'static [u8];

    fn next(&mut self) -> Option<&'static [u8]> {
        if self.at >= self.end {
            return None;
        }
        // SAFETY: `elements` was promised a column that the host lowered, so this cell and its bytes exist.
        unsafe {
            let offset = ptr::with_exposed_provenance::<u32>(self.offsets).add(self.at);
            let (start, end) = (*offset as usize, *offset.add(1) as usize);
            self.at += 1;
            Some(slice::from_raw_parts(
                ptr::with_exposed_provenance((self.bytes + start).max(1)),
                end.saturating_sub(start),
            ))
        }
    }
}
