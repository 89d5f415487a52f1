//! What emitted code calls to test the elements of a row of a column of lists. A column goes in as the address of its
//! record, as the canonical ABI lowered it, with the row.

use core::{ptr, slice};

use crate::{
    address, arena,
    column::elements,
    exports::{bytes, folded, folded_unless_ascii},
    number, regex,
    search::{self, Finding},
    text::{self, Kind},
    wildcard,
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

/// Whether an element is what a pattern of a table ([`wildcard`]) describes.
#[unsafe(no_mangle)]
extern "C" fn rt_wildcard_elements(table: usize, len: usize, column: usize, row: usize) -> u32 {
    // SAFETY: the table is one that the compiler wrote, the column one of the batch.
    let (table, elements) = unsafe { (bytes(table, len), elements(column, row)) };
    let fold = table.first().is_some_and(|flags| flags & wildcard::FLAG_FOLD != 0);
    u32::from(any(elements, fold, |text| wildcard::matches(table, text)))
}

/// Whether the expression of a table ([`regex`]) of so many words is found in an element.
#[unsafe(no_mangle)]
extern "C" fn rt_regex_elements(table: usize, words: usize, column: usize, row: usize) -> u32 {
    // SAFETY: the compiler wrote the table, at an aligned address; the column is one of the batch.
    let (table, elements) =
        unsafe { (slice::from_raw_parts(ptr::with_exposed_provenance::<u32>(table), words), elements(column, row)) };
    let top = arena::top();
    let scratch_words = regex::scratch_words(table);
    let scratch = arena::allocate(scratch_words * 4, 4);
    // SAFETY: fresh, aligned memory of that length.
    let scratch = unsafe { slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut::<u32>(scratch), scratch_words) };
    let answer = any(elements, false, |text| regex::is_match(table, text, scratch));
    arena::set_top(top);
    u32::from(answer)
}

/// Whether an element is an address in a network of a table ([`address`]).
#[unsafe(no_mangle)]
extern "C" fn rt_cidr_elements(table: usize, len: usize, column: usize, row: usize) -> u32 {
    // SAFETY: the table is one that the compiler wrote, the column one of the batch.
    let (table, elements) = unsafe { (bytes(table, len), elements(column, row)) };
    u32::from(any(elements, false, |text| address::in_networks(table, text)))
}

/// Whether an element is a number that compares so with a constant; `comparison` is a [`number::Comparison`].
#[unsafe(no_mangle)]
extern "C" fn rt_number_elements(comparison: u32, constant: f64, column: usize, row: usize) -> u32 {
    // SAFETY: the column is one of the batch.
    let elements = unsafe { elements(column, row) };
    u32::from(any(elements, false, |text| number::compares(text, comparison, constant)))
}

/// Whether an element of the second column lies in an element of the first; `kind` is a [`text::Kind`].
#[unsafe(no_mangle)]
extern "C" fn rt_field_elements(kind: u32, fold: u32, column: usize, other: usize, row: usize) -> u32 {
    // SAFETY: both columns are of the batch.
    let (mut elements, needles) = unsafe { (elements(column, row), elements(other, row)) };
    let Some(kind) = Kind::from_number(kind) else { return 0 };
    let (fold, top) = (fold != 0, arena::top());
    let answer = elements.any(|text| {
        let text = if fold { folded(text) } else { text };
        let mut needles = needles;
        let answer = needles.any(|needle| {
            let from = arena::top();
            let answer = text::matches(kind, text, if fold { folded(needle) } else { needle });
            arena::set_top(from);
            answer
        });
        arena::set_top(top);
        answer
    });
    u32::from(answer)
}

/// Whether an element passes. With `fold` it is folded first, unless it is ASCII: that is the test's to fold.
fn any(elements: impl Iterator<Item = &'static [u8]>, fold: bool, mut test: impl FnMut(&[u8]) -> bool) -> bool {
    for text in elements {
        let top = arena::top();
        let passes = test(if fold { folded_unless_ascii(text) } else { text });
        arena::set_top(top);
        if passes {
            return true;
        }
    }
    false
}
