//! Regular expressions, as automata over bytes: a text is read once, and all states that it may have led to are kept. For
//! expressions of which [`crate::dfa`] would be too large, or that ask for a place which is no word's edge.
//!
//! A table, in 32-bit words:
//!
//! ```text
//! 0  flags               FLAG_*
//! 1  number of states
//! 2  the state that a match starts in
//! 3  the bytes that a match starts with: 256 bits, if FLAG_FIRST_BYTES says so
//! 11 states, two words each:
//!      word 0: KIND_* (bits 0..8), for a range its first (8..16) and last byte (16..24), for a look LOOK_* (8..16)
//!      word 1: next state (bits 0..16); the other branch of a split, or the range to try next (16..32); or NOWHERE
//! ```

use crate::dfa;

/// A match starts where the text does.
pub const FLAG_ANCHORED: u32 = 1;
/// The bytes in the header say what a match starts with.
pub const FLAG_FIRST_BYTES: u32 = 2;

/// Both states, without reading.
pub const KIND_SPLIT: u32 = 0;
/// The next state, if a byte of a range is read.
pub const KIND_RANGE: u32 = 1;
/// The next state, without reading, if the place in the text is so.
pub const KIND_LOOK: u32 = 2;
/// A match.
pub const KIND_MATCH: u32 = 3;

/// At the start of the text.
pub const LOOK_START: u32 = 0;
/// At its end.
pub const LOOK_END: u32 = 1;
/// There or after a line feed.
pub const LOOK_LINE_START: u32 = 2;
/// There or before a line feed.
pub const LOOK_LINE_END: u32 = 3;
/// Between a letter, digit or underscore of ASCII and something else.
pub const LOOK_WORD_EDGE: u32 = 4;
/// Not there.
pub const LOOK_NOT_WORD_EDGE: u32 = 5;

/// No state.
pub const NOWHERE: u16 = u16::MAX;
/// How many states a table has at most.
pub const STATES_MAX: usize = 8_192;
/// Words before the states.
pub const HEADER_WORDS: usize = 11;

/// How many words of scratch [`is_match`] needs for a table.
pub fn scratch_words(table: &[u32]) -> usize {
    if dfa::is_deterministic(table) {
        return 0;
    }
    states(table) * 4
}

fn states(table: &[u32]) -> usize {
    (table.get(1).copied().unwrap_or(0) as usize).min(STATES_MAX)
}

/// Whether the expression of a table, of either kind, is found in `text`, which is UTF-8. `scratch` has [`scratch_words`].
pub fn is_match(table: &[u32], text: &[u8], scratch: &mut [u32]) -> bool {
    if dfa::is_deterministic(table) {
        return dfa::is_match(table, text);
    }
    let states = states(table);
    let Some((header, entries)) = table.split_first_chunk::<HEADER_WORDS>() else { return false };
    let Some((seen, rest)) = scratch.split_at_mut_checked(states) else { return false };
    let Some((current, rest)) = rest.split_at_mut_checked(states) else { return false };
    let Some((next, stack)) = rest.split_at_mut_checked(states) else { return false };
    seen.fill(0);
    let mut run = Run { header, entries: entries.as_chunks().0, text, seen, stack };
    run.matches(&mut Set::new(current), &mut Set::new(next))
}

/// States that read a byte.
struct Set<'a> {
    states: &'a mut [u32],
    len: usize,
}

impl<'a> Set<'a> {
    fn new(states: &'a mut [u32]) -> Self {
        Self { states, len: 0 }
    }

    #[inline]
    fn push(&mut self, state: u32) {
        if let Some(slot) = self.states.get_mut(self.len) {
            *slot = state;
            self.len += 1;
        }
    }
}

struct Run<'a> {
    header: &'a [u32; HEADER_WORDS],
    entries: &'a [[u32; 2]],
    text: &'a [u8],
    /// For each state one more than the place in the text where it was reached last.
    seen: &'a mut [u32],
    stack: &'a mut [u32],
}

impl Run<'_> {
    fn matches<'p, 's>(&mut self, mut current: &'p mut Set<'s>, mut next: &'p mut Set<'s>) -> bool {
        let [flags, _, start, ..] = *self.header;
        let text = self.text;
        let mut at = 0;
        loop {
            if flags & FLAG_ANCHORED != 0 {
                if at == 0 && self.reach(start, 0, current) {
                    return true;
                }
                if current.len == 0 {
                    return false;
                }
            } else {
                if flags & FLAG_FIRST_BYTES != 0 && current.len == 0 {
                    let rest = text.get(at..).unwrap_or_default();
                    let Some(skip) = rest.iter().position(|byte| self.may_start(*byte)) else { return false };
                    at += skip;
                }
                let byte = text.get(at).copied();
                let starts = flags & FLAG_FIRST_BYTES == 0 || byte.is_some_and(|byte| self.may_start(byte));
                // A match starts with a character, not within one.
                if starts && byte.is_none_or(|byte| byte & 0xc0 != 0x80) && self.reach(start, at, current) {
                    return true;
                }
            }
            let Some(byte) = text.get(at).copied() else { return false };
            at += 1;
            next.len = 0;
            for index in 0..current.len {
                let Some(target) = current.states.get(index).and_then(|state| self.read(*state, byte)) else {
                    continue;
                };
                if self.reach(target, at, next) {
                    return true;
                }
            }
            core::mem::swap(&mut current, &mut next);
        }
    }

    #[inline]
    fn may_start(&self, byte: u8) -> bool {
        self.header.get(3 + usize::from(byte / 32)).is_some_and(|word| word >> (byte % 32) & 1 != 0)
    }

    #[inline]
    fn entry(&self, state: u32) -> Option<[u32; 2]> {
        self.entries.get(state as usize).copied()
    }

    /// Where a state goes on a byte.
    #[inline]
    fn read(&self, mut state: u32, byte: u8) -> Option<u32> {
        let byte = u32::from(byte);
        loop {
            let [head, targets] = self.entry(state)?;
            if (head >> 8 & 0xff..=head >> 16 & 0xff).contains(&byte) {
                return Some(targets & 0xffff);
            }
            state = targets >> 16;
        }
    }

    /// Adds a state, and those that it leads to without reading, at a place in the text; true at a match.
    fn reach(&mut self, state: u32, at: usize, set: &mut Set<'_>) -> bool {
        let mut depth = 0;
        self.push(state, at, &mut depth);
        while depth > 0 {
            depth -= 1;
            let Some(state) = self.stack.get(depth).copied() else { return false };
            let Some([head, targets]) = self.entry(state) else { continue };
            match head & 0xff {
                KIND_RANGE => set.push(state),
                KIND_MATCH => return true,
                KIND_LOOK => {
                    if self.is_so(head >> 8 & 0xff, at) {
                        self.push(targets & 0xffff, at, &mut depth);
                    }
                }
                _ => {
                    self.push(targets >> 16, at, &mut depth);
                    self.push(targets & 0xffff, at, &mut depth);
                }
            }
        }
        false
    }

    /// Puts a state on the stack unless it was reached here before.
    #[inline]
    fn push(&mut self, state: u32, at: usize, depth: &mut usize) {
        let Some(seen) = self.seen.get_mut(state as usize) else { return };
        let stamp = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if *seen == stamp {
            return;
        }
        *seen = stamp;
        if let Some(slot) = self.stack.get_mut(*depth) {
            *slot = state;
            *depth += 1;
        }
    }

    #[inline(never)]
    fn is_so(&self, look: u32, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.text.get(at)).copied();
        let after = self.text.get(at).copied();
        let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match look {
            LOOK_START => before.is_none(),
            LOOK_END => after.is_none(),
            LOOK_LINE_START => before.is_none_or(|byte| byte == b'\n'),
            LOOK_LINE_END => after.is_none_or(|byte| byte == b'\n'),
            LOOK_WORD_EDGE => is_word(before) != is_word(after),
            // Within a character there is no such place either.
            LOOK_NOT_WORD_EDGE => is_word(before) == is_word(after) && after.is_none_or(|byte| byte & 0xc0 != 0x80),
            _ => false,
        }
    }
}
