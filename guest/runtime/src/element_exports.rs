//! What emitted code calls to test the elements of a row of a column of lists. A column goes in as the address of its
//! record, as the canonical ABI lowered it, with the row.

use core::{ptr, slice};

use crate::{
    arena,
    column::elements,
    exports::{bytes, folded_unless_ascii},
    search::{self, Finding},
};

/// Searches the elements for the needles of a table ([`search`]) of so many words; where all are wanted, they may lie in
/// different elements.
#[unsafe(no_mangle)]
extern "C" fn rt_search_elements(table: usize, words: usize, column: usize, row: usize) -> u32 {
    // SAFETY: the table is one that the compiler wrote, the column one of the batch.
    let (table, elements) = unsafe { (bytes(table, words * 4), elements(column, row)) };
    let top = arena::top();
    let (flags, needles) = search::flags_and_needles(table);
    let found_words = if flags & search::FLAG_ALL == 0 { 0 } else { search::scratch_words(needles) };
    let found = arena::allocate(found_words * 4, 4);
    // SAFETY: fresh, aligned memory of that length.
    let found = unsafe { slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut::<u32>(found), found_words) };
    let mut finding = Finding::new(table, found);
    let answer = any(elements, flags & search::FLAG_FOLD != 0, |text| finding.search(text));
    arena::set_top(top);
    u32::from(answer)
}

/// Whether there is an element of at most so many bytes.
#[unsafe(no_mangle)]
extern "C" fn rt_has_element(column: usize, row: usize, bytes_max: usize) -> u32 {
    // SAFETY: the column is one of the batch.
    u32::from(unsafe { elements(column, row) }.any(|text| text.len() <= bytes_max))
}

/// Whether an element passes. With `fold` it is folded first, unless it is ASCII: that is the test's to fold.
fn any(elements: impl Iterator<Item = &'static [u8]>, fold: bool, mut test: impl FnMut(&[u8]) -> bool) -> bool {
    for text in elements {
        let top = arena::top();
        if test(if fold { folded_unless_ascii(text) } else { text }) {
            return true;
        }
        arena::set_top(top);
    }
    false
}
