//! Regular expressions as automata that are in one state at a time: a byte costs a look into a table.
//!
//! A table, in 32-bit words:
//!
//! ```text
//! 0  FLAG_DETERMINISTIC
//! 1  number of classes: those of bytes, and as the last one the end of the text
//! 2  the class of each byte, four in a word
//! 66 for each state and class where it leads, two in a word: NO_MATCH, MATCH, or the number of a state. The text starts in
//!    the first
//! ```
//!
//! A state that has read a match says so when it reads what is behind it, since an edge may be wanted there.

/// Says that a table is one of these, not one of [`crate::regex`].
pub const FLAG_DETERMINISTIC: u32 = 1 << 31;

/// Words of the bytes' classes.
pub const CLASS_WORDS: usize = 64;
/// Words before the states.
pub const HEADER_WORDS: usize = 2 + CLASS_WORDS;

/// Nothing that follows can make a match.
pub const NO_MATCH: u16 = 0;
/// There was a match.
pub const MATCH: u16 = 1;
/// The number of the first state.
pub const FIRST_STATE: u16 = 2;

/// Bytes that are read between two looks whether it is over: an epoch check sits on every iteration of a loop.
const BLOCK_BYTES: usize = 8;

/// Whether a table is one of these.
pub fn is_deterministic(table: &[u32]) -> bool {
    table.first() == Some(&FLAG_DETERMINISTIC)
}

/// Whether the expression is found in `text`, which is UTF-8.
pub fn is_match(table: &[u32], text: &[u8]) -> bool {
    let Some((header, targets)) = table.split_first_chunk::<HEADER_WORDS>() else { return false };
    let classes = header[1] as usize;
    let run = Run { header, targets, classes };
    let mut state = FIRST_STATE;
    let (blocks, rest) = text.as_chunks::<BLOCK_BYTES>();
    for block in blocks {
        for byte in block {
            state = run.read(state, *byte);
        }
        if state < FIRST_STATE {
            return state == MATCH;
        }
    }
    for byte in rest {
        state = run.read(state, *byte);
    }
    if state >= FIRST_STATE {
        state = run.target(state, classes.wrapping_sub(1));
    }
    state == MATCH
}

struct Run<'a> {
    header: &'a [u32; HEADER_WORDS],
    targets: &'a [u32],
    classes: usize,
}

impl Run<'_> {
    /// Where a byte leads; what is over stays so.
    #[inline]
    fn read(&self, state: u16, byte: u8) -> u16 {
        if state < FIRST_STATE {
            return state;
        }
        let class = self.header[2 + usize::from(byte / 4)] >> (byte % 4 * 8) & 0xff;
        self.target(state, class as usize)
    }

    #[inline]
    fn target(&self, state: u16, class: usize) -> u16 {
        let at = usize::from(state - FIRST_STATE) * self.classes + class;
        let two = self.targets.get(at / 2).copied().unwrap_or_default();
        let [low, high, other_low, other_high] = two.to_le_bytes();
        u16::from_le_bytes(if at.is_multiple_of(2) { [low, high] } else { [other_low, other_high] })
    }
}
