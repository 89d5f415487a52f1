//! What emitted code calls. Text goes in as pointer and length; a text comes out as one i64, the pointer in its upper
//! half. The emitted code passes only ranges that lie in linear memory, because the canonical ABI put the batch there
//! and the compiler the tables.

use core::{ptr, slice};

use crate::{arena, date, number, search, text};

/// The bytes at `start`.
///
/// # Safety
/// `start..start + len` lies in linear memory, and nothing writes to it while the slice is in use.
pub(crate) unsafe fn bytes<'a>(start: usize, len: usize) -> &'a [u8] {
    // SAFETY: by this function's own contract; an empty slice needs a non-null, aligned pointer only.
    unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(start.max(1)), len) }
}

/// New memory, to write to.
fn new_bytes<'a>(len: usize) -> &'a mut [u8] {
    let start = arena::allocate(len, 1);
    // SAFETY: the arena gives each range out once.
    unsafe { slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut(start.max(1)), len) }
}

fn pack(text: &[u8]) -> u64 {
    (text.as_ptr().addr() as u64) << 32 | text.len() as u64
}

#[unsafe(no_mangle)]
extern "C" fn rt_allocate(bytes: usize, align: usize) -> usize {
    arena::allocate(bytes, align)
}

#[unsafe(no_mangle)]
extern "C" fn rt_reset() {
    arena::reset();
}

/// The canonical ABI's allocator.
#[unsafe(no_mangle)]
extern "C" fn rt_realloc(old: usize, old_len: usize, align: usize, new_len: usize) -> usize {
    let new = arena::allocate(new_len, align);
    if old_len > 0 {
        // SAFETY: the host names a range that it got from this function, and the new one is fresh, so they do not meet.
        unsafe {
            ptr::copy_nonoverlapping(
                ptr::with_exposed_provenance::<u8>(old),
                ptr::with_exposed_provenance_mut(new),
                old_len.min(new_len),
            );
        }
    }
    new
}

/// Searches for the needles of a table ([`search`]) of so many words.
#[unsafe(no_mangle)]
extern "C" fn rt_search(table: usize, words: usize, start: usize, len: usize) -> u32 {
    // SAFETY: the table is one that the compiler wrote, the text one of the batch, of its data or of this arena.
    let (table, text) = unsafe { (bytes(table, words * 4), bytes(start, len)) };
    let top = arena::top();
    let (flags, needles) = search::flags_and_needles(table);
    let text = if flags & search::FLAG_FOLD != 0 { folded_unless_ascii(text) } else { text };
    let found_words = if flags & search::FLAG_ALL == 0 { 0 } else { search::scratch_words(needles) };
    let found = arena::allocate(found_words * 4, 4);
    // SAFETY: fresh, aligned memory of that length.
    let found = unsafe { slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut::<u32>(found), found_words) };
    let answer = search::search(table, text, found);
    arena::set_top(top);
    u32::from(answer)
}

/// Searches for a needle that is only known now; `kind` is a [`text::Kind`].
#[unsafe(no_mangle)]
extern "C" fn rt_match(kind: u32, fold: u32, start: usize, len: usize, needle: usize, needle_len: usize) -> u32 {
    // SAFETY: both are texts of the batch, of the compiler's data or of this arena.
    let (mut text, mut needle) = unsafe { (bytes(start, len), bytes(needle, needle_len)) };
    let top = arena::top();
    if fold != 0 {
        (text, needle) = (folded(text), folded(needle));
    }
    let answer = text::Kind::from_number(kind).is_some_and(|kind| text::matches(kind, text, needle));
    arena::set_top(top);
    u32::from(answer)
}

/// The folded text; ASCII stays as it is.
pub(crate) fn folded_unless_ascii(text: &[u8]) -> &[u8] {
    if text::is_ascii(text) { text } else { folded(text) }
}

pub(crate) fn folded<'a>(from: &[u8]) -> &'a [u8] {
    mapped(from, sandtrap_wit::text::fold_char)
}

fn mapped<'a>(from: &[u8], map: impl Fn(char) -> char) -> &'a [u8] {
    let out = new_bytes(text::folded_bytes_max(from.len()));
    let len = text::map_chars(from, out, map);
    out.get(..len).unwrap_or_default()
}

/// -1, 0 or 1 as the left text is less than, equal to or greater than the right one, byte by byte.
#[unsafe(no_mangle)]
extern "C" fn rt_compare(left: usize, left_len: usize, right: usize, right_len: usize) -> i32 {
    // SAFETY: both are texts of the batch, of the compiler's data or of this arena.
    unsafe { bytes(left, left_len).cmp(bytes(right, right_len)) as i32 }
}

#[unsafe(no_mangle)]
extern "C" fn rt_strlen(start: usize, len: usize) -> u64 {
    // SAFETY: a text of the batch, of the compiler's data or of this arena.
    unsafe { text::length(bytes(start, len)) as u64 }
}

#[unsafe(no_mangle)]
extern "C" fn rt_to_lower(start: usize, len: usize) -> u64 {
    // SAFETY: a text of the batch, of the compiler's data or of this arena.
    pack(unsafe { mapped(bytes(start, len), text::lower_char) })
}

#[unsafe(no_mangle)]
extern "C" fn rt_to_upper(start: usize, len: usize) -> u64 {
    // SAFETY: a text of the batch, of the compiler's data or of this arena.
    pack(unsafe { mapped(bytes(start, len), text::upper_char) })
}

/// The right text after the left one.
#[unsafe(no_mangle)]
extern "C" fn rt_concat(left: usize, left_len: usize, right: usize, right_len: usize) -> u64 {
    let Some(len) = left_len.checked_add(right_len) else { core::arch::wasm32::unreachable() };
    let out = new_bytes(len);
    // SAFETY: both are texts of the batch, of the compiler's data or of this arena; `out` is fresh.
    let (left, right) = unsafe { (bytes(left, left_len), bytes(right, right_len)) };
    let (head, tail) = out.split_at_mut_checked(left_len).unwrap_or_default();
    head.copy_from_slice(left);
    tail.copy_from_slice(right);
    pack(out)
}

/// A part of a datetime; `number` is a [`date::Part`].
#[unsafe(no_mangle)]
extern "C" fn rt_date_part(number: u32, ticks: i64) -> i64 {
    date::part(number, ticks)
}

#[unsafe(no_mangle)]
extern "C" fn rt_set_contains(set: usize, len: usize, value: i64) -> u32 {
    // SAFETY: the compiler put that many integers at an aligned address.
    let set = unsafe { slice::from_raw_parts(ptr::with_exposed_provenance::<i64>(set), len) };
    u32::from(number::set_contains(set, value))
}

#[unsafe(no_mangle)]
extern "C" fn rt_real_modulo(left: f64, right: f64) -> f64 {
    number::real_modulo(left, right)
}

#[unsafe(no_mangle)]
extern "C" fn rt_integer_modulo(left: i64, right: i64) -> i64 {
    number::integer_modulo(left, right)
}

/// Makes a text column out of `rows` pairs of pointer and length: writes the column's offsets (pointer, length) and bytes
/// (pointer, length) to `target`.
#[unsafe(no_mangle)]
extern "C" fn rt_gather_text(pairs: usize, rows: usize, target: usize) {
    // SAFETY: the emitted code allocated that many pairs, aligned to four bytes.
    let pairs = unsafe { slice::from_raw_parts(ptr::with_exposed_provenance::<[u32; 2]>(pairs), rows) };
    let Some(total) = pairs.iter().try_fold(0_usize, |sum, [_, len]| sum.checked_add(*len as usize)) else {
        core::arch::wasm32::unreachable()
    };
    let offsets = arena::allocate((rows + 1) * 4, 4);
    let text = new_bytes(total);
    let address = text.as_ptr().addr();
    let mut at = 0;
    for (row, [start, len]) in pairs.iter().enumerate() {
        write_word(offsets + row * 4, at);
        let end = at + *len as usize;
        // SAFETY: a text of the batch, of the compiler's data or of this arena.
        let from = unsafe { bytes(*start as usize, *len as usize) };
        if let Some(to) = text.get_mut(at..end) {
            to.copy_from_slice(from);
        }
        at = end;
    }
    write_word(offsets + rows * 4, at);
    for (index, word) in [offsets, rows + 1, address, total].into_iter().enumerate() {
        write_word(target + index * 4, word);
    }
}

fn write_word(at: usize, value: usize) {
    // SAFETY: `at` is four bytes inside memory that the arena gave out, aligned to four.
    unsafe { ptr::with_exposed_provenance_mut::<u32>(at).write(value as u32) }
}
