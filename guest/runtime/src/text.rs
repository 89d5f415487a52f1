//! Text functions: folding, searching for a needle that is only known at run time, case and length.

use sandtrap_wit::text::fold_char;

use crate::search::{decode, ends_with_term_char, starts_with_term_char};

/// How many bytes share an iteration: an epoch check sits on every one.
const BLOCK_BYTES: usize = 64;

/// Whether a text is ASCII.
pub fn is_ascii(text: &[u8]) -> bool {
    let (blocks, rest) = text.as_chunks();
    let (words, bytes) = rest.as_chunks();
    blocks.iter().all(is_ascii_block) && is_ascii_words(words) && bytes.iter().all(u8::is_ascii)
}

#[cfg(not(target_feature = "simd128"))]
fn is_ascii_block(block: &[u8; BLOCK_BYTES]) -> bool {
    is_ascii_words(block.as_chunks().0)
}

#[cfg(target_feature = "simd128")]
fn is_ascii_block(block: &[u8; BLOCK_BYTES]) -> bool {
    use core::arch::wasm32::{i8x16_bitmask, v128_or};

    let [first, second, third, fourth] = [0, 16, 32, 48].map(|at| crate::starts::sixteen(block, at));
    i8x16_bitmask(v128_or(v128_or(first, second), v128_or(third, fourth))) == 0
}

fn is_ascii_words(words: &[[u8; 8]]) -> bool {
    const UPPER_BITS: u64 = 0x8080_8080_8080_8080;
    words.iter().fold(0, |set, word| set | u64::from_le_bytes(*word)) & UPPER_BITS == 0
}

/// How a needle must lie: the numbers of `MatchKind` in emitted code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// It is the whole text.
    Equals = 0,
    /// Anywhere.
    Contains = 1,
    /// At the start.
    StartsWith = 2,
    /// At the end.
    EndsWith = 3,
    /// As a term.
    Term = 4,
    /// At the start of a term.
    TermPrefix = 5,
    /// At the end of a term.
    TermSuffix = 6,
}

impl Kind {
    /// From its number in emitted code.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Equals,
            1 => Self::Contains,
            2 => Self::StartsWith,
            3 => Self::EndsWith,
            4 => Self::Term,
            5 => Self::TermPrefix,
            6 => Self::TermSuffix,
            _ => return None,
        })
    }
}

/// The most bytes that folding can make of `bytes`: some two-byte characters fold to three bytes.
pub const fn folded_bytes_max(bytes: usize) -> usize {
    bytes + bytes / 2 + 1
}

/// Maps `text` character by character into `out`, which is long enough; returns how many bytes were written.
pub fn map_chars(text: &[u8], out: &mut [u8], map: impl Fn(char) -> char) -> usize {
    let mut rest = text;
    let mut written = 0;
    while let Some(c) = decode(rest) {
        let to = map(c);
        let mut buffer = [0; 4];
        let bytes = to.encode_utf8(&mut buffer).as_bytes();
        if let Some(target) = out.get_mut(written..written + bytes.len()) {
            target.copy_from_slice(bytes);
            written += bytes.len();
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    written
}

/// Folds `text` into `out`, which has [`folded_bytes_max`]; returns how many bytes were written.
pub fn fold(text: &[u8], out: &mut [u8]) -> usize {
    map_chars(text, out, fold_char)
}

/// Unicode simple lower case: one character to one (`Simple_Lowercase_Mapping` of UnicodeData.txt).
pub fn lower_char(c: char) -> char {
    // The one character whose full mapping is longer; its simple mapping drops the dot.
    if c == '\u{130}' { 'i' } else { single(c.to_lowercase()).unwrap_or(c) }
}

/// Unicode simple upper case: one character to one (`Simple_Uppercase_Mapping` of UnicodeData.txt).
pub fn upper_char(c: char) -> char {
    single(c.to_uppercase()).unwrap_or(match c {
        // Greek letters with an iota below: their full mapping writes it out, the simple one is the title-case letter.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => above(c, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => above(c, 9),
        c => c,
    })
}

fn above(c: char, distance: u32) -> char {
    char::from_u32(u32::from(c) + distance).unwrap_or(c)
}

/// The only character of a mapping.
fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    mapped.next().filter(|_| mapped.next().is_none())
}

/// Whether `needle` lies in `text` as `kind` says; both are folded already if the comparison folds.
pub fn matches(kind: Kind, text: &[u8], needle: &[u8]) -> bool {
    match kind {
        Kind::Equals => text == needle,
        Kind::StartsWith => text.starts_with(needle),
        Kind::EndsWith => text.ends_with(needle),
        Kind::Contains | Kind::Term | Kind::TermPrefix | Kind::TermSuffix => contains(kind, text, needle),
    }
}

fn contains(kind: Kind, text: &[u8], needle: &[u8]) -> bool {
    let left = matches!(kind, Kind::Term | Kind::TermPrefix) && starts_with_term_char(needle);
    let right = matches!(kind, Kind::Term | Kind::TermSuffix) && ends_with_term_char(needle);
    let Some(&first) = needle.first() else { return true };
    let last_start = text.len().wrapping_sub(needle.len());
    if last_start > text.len() {
        return false;
    }
    let mut from = 0;
    while let Some(at) = text.get(from..=last_start).and_then(|rest| rest.iter().position(|byte| *byte == first)) {
        let start = from + at;
        let (before, rest) = text.split_at_checked(start).unwrap_or_default();
        if rest.starts_with(needle) {
            let after = rest.get(needle.len()..).unwrap_or_default();
            if !(left && ends_with_term_char(before) || right && starts_with_term_char(after)) {
                return true;
            }
        }
        from = start + 1;
    }
    false
}

/// The number of code points.
pub fn length(text: &[u8]) -> usize {
    text.iter().filter(|byte| *byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ICU4X carries the simple mappings themselves, of a newer Unicode: the letters that differ have no case yet in the
    /// standard library.
    #[test]
    fn cases_are_the_simple_mappings() {
        let mapper = icu_casemap::CaseMapper::new();
        for c in '\0'..=char::MAX {
            for (ours, theirs) in
                [(lower_char(c), mapper.simple_lowercase(c)), (upper_char(c), mapper.simple_uppercase(c))]
            {
                assert!(
                    ours == theirs || ours == c && c.max(theirs) >= '\u{a7c0}',
                    "{c:?}: {ours:?} is not {theirs:?}"
                );
            }
        }
    }
}
