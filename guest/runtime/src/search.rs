//! Searches a text for many needles at once, over a table that the compiler built.
//!
//! The table is an Aho-Corasick automaton over bytes, laid out so that it is used where it lies: no copy, no
//! allocation, nothing to prepare when a component is instantiated. The root has one entry for each class of bytes that
//! a needle starts with, every other state a short list. Measured on 6,126 Windows field values (docs/performance.md,
//! "Literal search"), the ready-made automata are far larger at the sizes that detections have: for fifteen literals
//! 68.8 KB (daachorse) and 36.6 KB (regex-automata, sparse DFA) against 1.5 KB here, for 200 literals 117 KB and 948 KB
//! against 47.5 KB.
//!
//! Layout, in 32-bit words:
//!
//! ```text
//! 0  flags               FLAG_*
//! 1  number of needles
//! 2  length in bytes of the longest needle
//! 3  word index of the needle table, NEEDLE_WORDS for each needle: its length in bytes, shifted left by 8, and its EDGE_*
//!    bits; the byte index of its tail; the length of its tail in bytes
//! 4  number of byte classes that a needle starts with: they are the classes from 1 on
//! 5  word index of the root: the state for each of those classes
//! 6  word index of the masks ([`starts`](crate::starts)), or 0 if there are none (bits 0..24); how many bytes of a needle
//!    come before its window (bits 24..32)
//! 7  byte classes: 256 bytes in 64 words; class 0 is in no needle
//! 71 needle table, masks, root, states; a state is known by the index of its first word, the root as 0
//!      word 0: state to fall back to (bits 0..24), number of transitions (bits 24..32)
//!      word 1: needle that ends here plus one, or 0 (bits 0..31); whether a shorter needle ends here too (bit 31)
//!      then, for each transition: next state (bits 0..24), byte class (bits 24..32)
//!    the tails' bytes
//! ```
//!
//! A needle's **tail** is what comes after the bytes that tell it from all others. It has no states: where the automaton has
//! read what is before it, the tail is compared with the text ahead. A list of long hashes takes a sixth of the space so.

use sandtrap_wit::text::is_term_char;

use crate::starts::{Skipped, Starts};

/// The text is folded before it is searched; needles are folded already.
pub const FLAG_FOLD: u32 = 1;
/// All needles must be found; without it, one.
pub const FLAG_ALL: u32 = 2;
/// Every needle has [`EDGE_TEXT_START`]: the search ends where no needle can be under way.
pub const FLAG_ANCHORED: u32 = 4;
/// Every needle has [`EDGE_TEXT_END`]: only the end of the text is searched.
pub const FLAG_AT_END: u32 = 8;

/// A needle must start where the text does.
pub const EDGE_TEXT_START: u32 = 1;
/// A needle must end where the text does.
pub const EDGE_TEXT_END: u32 = 2;
/// No term character may stand before the needle.
pub const EDGE_TERM_START: u32 = 4;
/// No term character may stand after the needle.
pub const EDGE_TERM_END: u32 = 8;

/// Words of the needle table for each needle.
pub const NEEDLE_WORDS: usize = 3;
/// Words before the states.
pub const HEADER_WORDS: usize = 71;
/// Where the byte classes start.
pub const CLASSES_WORD: usize = 7;
/// How many needles, states and transitions a table can number.
pub const NUMBERS_MAX: u32 = (1 << 24) - 1;
/// Set in a state's word 1 when a shorter needle ends there too.
pub const SHORTER_TOO: u32 = 1 << 31;

/// Of so many bytes of a text one may pass for a start by its masks. Where more do, looking at many places together is work
/// for nothing, and a text can be made so.
const BYTES_PER_START: usize = 16;

/// How many words of scratch [`search`] needs to mark needles as found.
pub const fn scratch_words(needles: usize) -> usize {
    needles.div_ceil(32)
}

/// Whether `text` has the needles of `table`, whose words are little-endian. With [`FLAG_FOLD`], `text` must be folded
/// already, save that ASCII may be as it is: the byte classes fold it. `found` is scratch of [`scratch_words`].
pub fn search(table: &[u8], text: &[u8], found: &mut [u32]) -> bool {
    Finding::new(table, found).search(text)
}

/// A search that goes on over several texts: with [`FLAG_ALL`], the needles may lie in different ones.
pub struct Finding<'a> {
    table: &'a [u8],
    found: &'a mut [u32],
    missing: u32,
}

impl<'a> Finding<'a> {
    /// Nothing found yet; the arguments are those of [`search`].
    pub fn new(table: &'a [u8], found: &'a mut [u32]) -> Self {
        found.fill(0);
        Self { table, found, missing: word(table, 1) }
    }

    /// Looks at one more text; true when the table's needles have been found.
    pub fn search(&mut self, text: &[u8]) -> bool {
        let Some(mut search) = Search::new(self.table, text, self.found, self.missing) else { return false };
        let answer = run(&mut search);
        self.missing = search.missing;
        answer
    }
}

fn run(search: &mut Search<'_>) -> bool {
    while search.go_to_start() {
        while let Some(byte) = search.text.get(search.at) {
            search.at += 1;
            if search.enter(search.classes[usize::from(*byte)]) {
                return search.answer;
            }
            if search.state == 0 {
                break;
            }
        }
    }
    search.answer
}

/// Whether a needle can start with a byte: the classes of such bytes are the first so many.
fn is_start(classes: &[u8; 256], starts: u8, byte: u8) -> bool {
    classes[usize::from(byte)].wrapping_sub(1) < starts
}

/// Where the first byte is with which a needle can start.
fn first_start(text: &[u8], classes: &[u8; 256], starts: u8) -> Option<usize> {
    let is_start = |byte: &u8| is_start(classes, starts, *byte);
    // An epoch check sits on every iteration of a loop; eight bytes share one.
    let (blocks, _) = text.as_chunks::<8>();
    let before = blocks.iter().position(|block| block.iter().any(is_start)).unwrap_or(blocks.len()) * 8;
    Some(before + text.get(before..)?.iter().position(is_start)?)
}

struct Search<'a> {
    table: &'a [u8],
    classes: &'a [u8; 256],
    text: &'a [u8],
    found: &'a mut [u32],
    /// How many classes a needle starts with.
    starts: u8,
    /// What tells of many places at once that none starts there.
    masks: Option<Starts<'a>>,
    /// How often the masks may still let a place pass; see [`BYTES_PER_START`].
    passes_left: usize,
    root: usize,
    flags: u32,
    missing: u32,
    state: usize,
    /// Bytes of `text` that have been read.
    at: usize,
    answer: bool,
}

/// The word at an index; 0 past the end.
#[inline]
fn word(table: &[u8], at: usize) -> u32 {
    let bytes = table.get(at * 4..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn masks(table: &[u8]) -> Option<Starts<'_>> {
    let masks = word(table, 6);
    let at = (masks & NUMBERS_MAX) as usize;
    let masks = Starts { masks: table.get(at * 4..)?.first_chunk()?, ahead: (masks >> 24) as usize };
    (at != 0).then_some(masks)
}

/// The flags and the number of needles of a table.
pub fn flags_and_needles(table: &[u8]) -> (u32, usize) {
    (word(table, 0), word(table, 1) as usize)
}

impl<'a> Search<'a> {
    fn new(table: &'a [u8], text: &'a [u8], found: &'a mut [u32], missing: u32) -> Option<Self> {
        let (flags, longest) = (word(table, 0), word(table, 2) as usize);
        let at = if flags & FLAG_AT_END != 0 { text.len().saturating_sub(longest) } else { 0 };
        if flags & FLAG_ANCHORED != 0 && at > 0 {
            return None;
        }
        Some(Self {
            table,
            classes: table.get(CLASSES_WORD * 4..)?.first_chunk()?,
            text,
            found,
            starts: u8::try_from(word(table, 4)).ok()?,
            masks: masks(table),
            passes_left: text.len() / BYTES_PER_START + 1,
            root: word(table, 5) as usize,
            flags,
            missing,
            state: 0,
            at,
            answer: false,
        })
    }

    #[inline]
    fn word(&self, at: usize) -> u32 {
        word(self.table, at)
    }

    /// Goes past bytes with which no needle starts, which are most of most texts. Whether there is another.
    fn go_to_start(&mut self) -> bool {
        if self.flags & FLAG_ANCHORED != 0 {
            return self.at < self.text.len();
        }
        while let Some(masks) = self.masks.filter(|_| self.passes_left > 0) {
            match masks.skip(self.text.get(self.at..).unwrap_or_default()) {
                Skipped::Here(bytes) => {
                    self.at += bytes;
                    self.passes_left -= 1;
                    if self.text.get(self.at).is_some_and(|byte| is_start(self.classes, self.starts, *byte)) {
                        return true;
                    }
                    self.at += 1;
                }
                Skipped::Short(bytes) => {
                    self.at += bytes;
                    break;
                }
            }
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let start = first_start(rest, self.classes, self.starts);
        self.at += start.unwrap_or_default();
        start.is_some()
    }

    /// Goes on to the state for the class just read; true when the answer is known.
    #[inline(never)]
    fn enter(&mut self, class: u8) -> bool {
        let anchored = self.flags & FLAG_ANCHORED != 0;
        self.state = if class == 0 || anchored && self.state == 0 && self.at != 1 { 0 } else { self.next(class) };
        if self.state == 0 {
            return anchored;
        }
        self.word(self.state + 1) != 0 && self.report()
    }

    fn next(&self, class: u8) -> usize {
        let mut state = self.state;
        while state != 0 {
            let head = self.word(state);
            let transitions = state + 2..state + 2 + (head >> 24) as usize;
            for next in transitions.map(|at| self.word(at)) {
                if next >> 24 == u32::from(class) {
                    return (next & NUMBERS_MAX) as usize;
                }
            }
            if self.flags & FLAG_ANCHORED != 0 {
                return 0;
            }
            state = (head & NUMBERS_MAX) as usize;
        }
        let start = usize::from(class.wrapping_sub(1));
        if start < usize::from(self.starts) { self.word(self.root + start) as usize } else { 0 }
    }

    /// Looks at the needles that end here, longest first; true when the answer is known.
    fn report(&mut self) -> bool {
        let mut state = self.state;
        while state != 0 {
            let ends = self.word(state + 1);
            let needle = ends & !SHORTER_TOO;
            if needle != 0 && self.fits(needle - 1) && self.mark(needle - 1) {
                self.answer = true;
                return true;
            }
            if ends & SHORTER_TOO == 0 {
                return false;
            }
            state = (self.word(state) & NUMBERS_MAX) as usize;
        }
        false
    }

    /// Whether the needle that ends here lies as it must.
    fn fits(&self, needle: u32) -> bool {
        let place = self.word(3) as usize + needle as usize * NEEDLE_WORDS;
        let (entry, tail_len) = (self.word(place), self.word(place + 2) as usize);
        let text = self.text;
        let Some(start) = (self.at + tail_len).checked_sub((entry >> 8) as usize) else { return false };
        let Some(end) = self.tail_end(self.word(place + 1) as usize, tail_len) else { return false };
        let clear = |edge: u32, is_clear: &dyn Fn() -> bool| entry & edge == 0 || is_clear();
        clear(EDGE_TEXT_START, &|| start == 0)
            && clear(EDGE_TEXT_END, &|| end == text.len())
            && clear(EDGE_TERM_START, &|| !ends_with_term_char(text.get(..start).unwrap_or_default()))
            && clear(EDGE_TERM_END, &|| !starts_with_term_char(text.get(end..).unwrap_or_default()))
    }

    /// Where a needle ends whose tail is ahead; `None` where something else is.
    #[inline]
    fn tail_end(&self, tail: usize, len: usize) -> Option<usize> {
        if len == 0 {
            return Some(self.at);
        }
        let end = self.at.checked_add(len)?;
        let (ahead, tail) = (self.text.get(self.at..end)?, self.table.get(tail..tail.checked_add(len)?)?);
        let is_tail = if self.flags & FLAG_FOLD == 0 {
            ahead == tail
        } else {
            // What is not ASCII has been folded already, as has the tail.
            ahead.iter().zip(tail).all(|(ahead, tail)| ahead.to_ascii_lowercase() == *tail)
        };
        is_tail.then_some(end)
    }

    /// Notes a needle as found; true when that was the last one wanted.
    fn mark(&mut self, needle: u32) -> bool {
        if self.flags & FLAG_ALL == 0 {
            return true;
        }
        if let Some(word) = self.found.get_mut(needle as usize / 32) {
            let bit = 1 << (needle % 32);
            if *word & bit == 0 {
                *word |= bit;
                self.missing = self.missing.saturating_sub(1);
            }
        }
        self.missing == 0
    }
}

/// Whether the last character of a text is a term character.
pub fn ends_with_term_char(text: &[u8]) -> bool {
    let Some(last) = text.last() else { return false };
    if last.is_ascii() {
        return last.is_ascii_alphanumeric();
    }
    // A character has at most four bytes; walk back to its first.
    let start = (1..=4)
        .find(|back| text.len().checked_sub(*back).and_then(|at| text.get(at)).is_some_and(|b| b & 0xc0 != 0x80));
    let tail = start.and_then(|back| text.get(text.len() - back..)).unwrap_or_default();
    decode(tail).is_some_and(is_term_char)
}

/// Whether the first character of a text is a term character.
pub fn starts_with_term_char(text: &[u8]) -> bool {
    match text.first() {
        None => false,
        Some(first) if first.is_ascii() => first.is_ascii_alphanumeric(),
        Some(_) => decode(text).is_some_and(is_term_char),
    }
}

/// The first character of a text.
pub(crate) fn decode(text: &[u8]) -> Option<char> {
    let first = u32::from(*text.first()?);
    let tail = |at: usize| text.get(at).map(|byte| u32::from(byte & 0x3f));
    let code = match first {
        0..=0x7f => first,
        0xc0..=0xdf => (first & 0x1f) << 6 | tail(1)?,
        0xe0..=0xef => (first & 0x0f) << 12 | tail(1)? << 6 | tail(2)?,
        _ => (first & 0x07) << 18 | tail(1)? << 12 | tail(2)? << 6 | tail(3)?,
    };
    char::from_u32(code)
}
