//! Where strings begin and end in a text, found for all of them at once.
//!
//! Quotes and backslashes become bits of a word for each 64 bytes, and arithmetic on the words tells which quotes are
//! escaped, as in simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019, section 3.1.1).

use wide::u8x16;

/// How many bytes are looked at in one go: the bits of a word.
pub(super) const BLOCK: usize = 64;

/// How many bytes a vector has.
const LANES: usize = 16;

/// How many marks are written in one go.
const RUN: usize = 8;

/// The bits at odd places.
const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;

/// The quotes of a text.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Where they are, ascending, and behind those of the last text anything.
    quotes: Vec<u32>,
    found: usize,
    plain: bool,
}

/// What a block has, a bit for each byte.
#[derive(Clone, Copy)]
struct Bits {
    quotes: u64,
    backslashes: u64,
}

impl Marks {
    /// The quotes that begin or end a string, if the text is JSON.
    pub(super) fn quotes(&self) -> &[u32] {
        self.quotes.get(..self.found).unwrap_or_default()
    }

    /// Whether the last text is ASCII and no `\u` escape is in it: its characters stand for themselves, save for a few that
    /// are escaped by a letter or their own.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Looks at a text. False if something is in it that is left to `serde_json`: control characters, which JSON allows
    /// between tokens only, escapes that are none, and escaped surrogates.
    pub(super) fn read(&mut self, text: &str) -> bool {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("avx") {
            #[expect(unsafe_code, reason = "the same function, for processors of the last ten years")]
            // SAFETY: the processor has the instructions, as was just asked. The function is safe but for needing them.
            return unsafe { self.read_newer(text) };
        }
        self.read_any(text)
    }

    /// The same in fewer instructions.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "popcnt,bmi1,avx")]
    fn read_newer(&mut self, text: &str) -> bool {
        self.read_any(text)
    }

    #[expect(clippy::inline_always, reason = "so that it is compiled for the newer instructions, too")]
    #[inline(always)]
    fn read_any(&mut self, text: &str) -> bool {
        self.found = 0;
        // Marks are written in runs, whose ends lie behind the last mark.
        let room = text.len().saturating_add(BLOCK);
        if self.quotes.len() < room {
            self.quotes.resize(room, 0);
        }
        let bytes = text.as_bytes();
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut last = [b' '; BLOCK];
        if let Some(start) = last.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        let mut bounds = Bounds { lowest: u8x16::splat(u8::MAX), set: u8x16::splat(0) };
        let (mut next_is_escaped, mut base) = (0, 0);
        self.plain = true;
        for block in blocks.iter().chain(std::iter::once(&last)) {
            let bits = bits(block, &mut bounds);
            let mut quotes = bits.quotes;
            if bits.backslashes | next_is_escaped != 0 {
                let escaped = escaped(bits.backslashes, &mut next_is_escaped);
                // Nearly always it is one of these that is escaped.
                let others = escaped & !(bits.quotes | bits.backslashes);
                if others != 0 {
                    match escapes(bytes, base, others) {
                        Escapes::Letters => {}
                        Escapes::Units => self.plain = false,
                        Escapes::Unsound => return false,
                    }
                }
                quotes &= !escaped;
            }
            self.put(quotes, base);
            base = base.saturating_add(BLOCK);
        }
        self.plain &= bounds.set.to_array().is_ascii();
        next_is_escaped == 0 && bounds.lowest.to_array().iter().all(|byte| *byte >= b' ')
    }

    /// Adds the marks of a block.
    #[inline]
    fn put(&mut self, mut bits: u64, base: usize) {
        #[expect(clippy::cast_possible_truncation, reason = "who has longer texts does not ask")]
        let base = base as u32;
        let count = bits.count_ones() as usize;
        let mut at = self.found;
        while bits != 0 {
            let Some(run) = self.quotes.get_mut(at..at.saturating_add(RUN)) else { break };
            for mark in run {
                *mark = base.wrapping_add(bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
            }
            at = at.saturating_add(RUN);
        }
        self.found = self.found.saturating_add(count);
    }
}

/// What is known of all bytes of a text, for each lane.
#[derive(Clone, Copy)]
struct Bounds {
    /// The least byte.
    lowest: u8x16,
    /// The bits that are set in any byte.
    set: u8x16,
}

/// What a block has.
#[inline]
fn bits(block: &[u8; BLOCK], bounds: &mut Bounds) -> Bits {
    let mut bits = Bits { quotes: 0, backslashes: 0 };
    let (vectors, _) = block.as_chunks::<LANES>();
    for (place, bytes) in vectors.iter().enumerate() {
        let vector = u8x16::new(*bytes);
        let mask = |byte: u8| u64::from(vector.simd_eq(u8x16::splat(byte)).to_bitmask()) << (place * LANES);
        bits.quotes |= mask(b'"');
        bits.backslashes |= mask(b'\\');
        bounds.lowest = bounds.lowest.min(vector);
        bounds.set |= vector;
    }
    bits
}

/// Where a block has that byte, a bit for each.
#[inline]
pub(super) fn places(block: &[u8; BLOCK], byte: u8) -> u64 {
    let (vectors, _) = block.as_chunks::<LANES>();
    let masks = vectors.iter().map(|bytes| u8x16::new(*bytes).simd_eq(u8x16::splat(byte)).to_bitmask());
    masks.rev().fold(0, |bits, mask| bits << LANES | u64::from(mask))
}

/// The bytes that are escaped by a backslash. `next_is_escaped` says whether the last block escapes the first byte of
/// this one, and then the same of the next.
#[inline]
fn escaped(backslashes: u64, next_is_escaped: &mut u64) -> u64 {
    let potential = backslashes & !*next_is_escaped;
    let codes = ((potential << 1) | ODD).wrapping_sub(potential) ^ ODD;
    let escaped = codes ^ (backslashes | *next_is_escaped);
    *next_is_escaped = (codes & backslashes) >> (BLOCK - 1);
    escaped
}

/// What follows backslashes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// Letters that stand for a character each.
    Letters,
    /// Characters by their numbers, too.
    Units,
    /// Something that is no escape, or one of which somebody must think twice.
    Unsound,
}

/// What these bytes of a block are, which come behind a backslash each.
#[cold]
fn escapes(bytes: &[u8], base: usize, mut places: u64) -> Escapes {
    let mut found = Escapes::Letters;
    while places != 0 {
        let at = base.saturating_add(places.trailing_zeros() as usize);
        places &= places.wrapping_sub(1);
        match bytes.get(at) {
            Some(b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
            Some(b'u') => match unit(bytes, at.saturating_add(1)) {
                Some(0xd800..0xe000) | None => return Escapes::Unsound,
                Some(_) => found = Escapes::Units,
            },
            _ => return Escapes::Unsound,
        }
    }
    found
}

/// The number that the four digits from here on are.
pub(super) fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.iter().try_fold(0, |unit: u32, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | value)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, one byte after the other.
    fn slowly(text: &str) -> Option<Vec<u32>> {
        let bytes = text.as_bytes();
        let (mut quotes, mut at) = (Vec::new(), 0);
        while let Some(byte) = bytes.get(at) {
            match byte {
                0..b' ' => return None,
                b'"' => quotes.push(u32::try_from(at).unwrap_or(u32::MAX)),
                b'\\' => {
                    at += 1;
                    let sound = match bytes.get(at) {
                        Some(b'u') => {
                            let digits = text.get(at + 1..at + 5).filter(|digits| !digits.contains('+'));
                            let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                            unit.and_then(char::from_u32).is_some()
                        }
                        Some(byte) => br#""\/bfnrt"#.contains(byte),
                        None => false,
                    };
                    if !sound {
                        return None;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Some(quotes)
    }

    proptest! {
        #[test]
        fn marks_are_what_reading_byte_by_byte_finds(
            text in r#"([a-f0-9é ]{0,9}|["\\]|\\["\\/bnrfutx]|\\u[dD0][0-9a-f]{3}|\x01|x{60}){0,40}"#,
        ) {
            let mut marks = Marks::default();
            for _ in 0..2 {
                let read = marks.read(&text).then(|| marks.quotes().to_vec());
                prop_assert_eq!(&read, &slowly(&text));
                if read.is_some() {
                    // Backslashes that are escaped themselves are none of an escape's.
                    let plain = text.is_ascii() && !text.replace(r"\\", "").contains(r"\u");
                    prop_assert_eq!(marks.is_plain(), plain);
                }
                prop_assert!(marks.read(&"\"".repeat(200)), "a longer text between");
                prop_assert_eq!(marks.quotes().len(), 200);
            }
        }
    }
}
