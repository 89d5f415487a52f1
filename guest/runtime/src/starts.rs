//! Where a needle can start: many places of a text are looked at together.
//!
//! Three successive bytes of each needle, the same ones of all, are its window. Needles are in [`BUCKETS`] buckets, and masks
//! say for each byte of a window and each half of that byte in which buckets a needle has it there. A place where the
//! halves of three bytes have no bucket in common is no needle's. This is the filter of Teddy, the searcher of Hyperscan.

/// Bytes of a window.
pub const WINDOW_BYTES: usize = 3;
/// How many buckets there are: a mask has a bit for each.
pub const BUCKETS: usize = 8;
/// How many masks each half of a byte has.
const HALVES: usize = 16;
/// Bytes of the masks: of each byte of the window those of its lower half, then those of its upper half.
pub const MASK_BYTES: usize = WINDOW_BYTES * 2 * HALVES;

/// How many places one instruction looks at.
const LANES: usize = 16;
/// How many places are looked at together: an epoch check sits on every iteration of a loop, and costs more than sixteen.
const PLACES: usize = 4 * LANES;
/// The bytes that they take.
const BLOCK_BYTES: usize = PLACES + WINDOW_BYTES - 1;

/// The masks of a table.
#[derive(Clone, Copy)]
pub struct Starts<'a> {
    /// See [`MASK_BYTES`].
    pub masks: &'a [u8; MASK_BYTES],
    /// How many bytes of a needle come before its window.
    pub ahead: usize,
}

/// What lies before the first place that must be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// A needle may start after so many bytes.
    Here(usize),
    /// None starts within so many bytes; what is left is too short to be looked at so.
    Short(usize),
}

impl Starts<'_> {
    /// How much of a text has no needle's start.
    pub fn skip(&self, text: &[u8]) -> Skipped {
        let mut at = 0;
        loop {
            let block = text.get(at + self.ahead..).and_then(|rest| rest.first_chunk::<BLOCK_BYTES>());
            let Some(block) = block else { return Skipped::Short(at) };
            let places = places(self.masks, block);
            if places != 0 {
                return Skipped::Here(at + places.trailing_zeros() as usize);
            }
            at += PLACES;
        }
    }
}

/// Writes a byte of a window into masks. Nothing happens past their end.
pub fn set(masks: &mut [u8; MASK_BYTES], place: usize, byte: u8, bucket: usize) {
    let halves = [usize::from(byte & 0xf), HALVES + usize::from(byte >> 4)];
    for half in halves {
        if let Some(mask) = masks.get_mut(place * 2 * HALVES + half) {
            *mask |= 1 << (bucket % BUCKETS);
        }
    }
}

/// The buckets of which a needle may have the byte at this place of its window.
pub fn buckets(masks: &[u8; MASK_BYTES], place: usize, byte: u8) -> u8 {
    let mask = |half: usize| masks.get(place * 2 * HALVES + half).copied().unwrap_or_default();
    mask(usize::from(byte & 0xf)) & mask(HALVES + usize::from(byte >> 4))
}

/// A bit for each place of a block where a window may lie.
#[cfg(not(target_feature = "simd128"))]
fn places(masks: &[u8; MASK_BYTES], block: &[u8; BLOCK_BYTES]) -> u64 {
    let may_be =
        |window: &[u8]| (0..).zip(window).fold(u8::MAX, |set, (at, byte)| set & buckets(masks, at, *byte)) != 0;
    (0..).zip(block.windows(WINDOW_BYTES)).fold(0, |places, (at, window)| places | u64::from(may_be(window)) << at)
}

/// A bit for each place of a block where a window may lie.
#[cfg(target_feature = "simd128")]
fn places(masks: &[u8; MASK_BYTES], block: &[u8; BLOCK_BYTES]) -> u64 {
    use core::arch::wasm32::{
        u8x16_bitmask, u8x16_eq, u8x16_shr, u8x16_splat, u8x16_swizzle, v128_and, v128_any_true, v128_or,
    };

    let buckets = |at: usize, place: usize| {
        let (bytes, masks_at) = (sixteen(block, at + place), place * 2 * HALVES);
        let lower = u8x16_swizzle(sixteen(masks, masks_at), v128_and(bytes, u8x16_splat(0xf)));
        v128_and(lower, u8x16_swizzle(sixteen(masks, masks_at + HALVES), u8x16_shr(bytes, 4)))
    };
    let lanes =
        [0, LANES, 2 * LANES, 3 * LANES].map(|at| v128_and(v128_and(buckets(at, 0), buckets(at, 1)), buckets(at, 2)));
    let [first, second, third, fourth] = lanes;
    if !v128_any_true(v128_or(v128_or(first, second), v128_or(third, fourth))) {
        return 0;
    }
    let none = |lane| u64::from(u8x16_bitmask(u8x16_eq(lane, u8x16_splat(0))));
    let [first, second, third, fourth] = lanes.map(none);
    !(first | second << LANES | third << (2 * LANES) | fourth << (3 * LANES))
}

/// Sixteen bytes from a place on; zeros where there are none.
#[cfg(target_feature = "simd128")]
pub(crate) fn sixteen(bytes: &[u8], at: usize) -> core::arch::wasm32::v128 {
    let half =
        |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |half| u64::from_le_bytes(*half));
    core::arch::wasm32::u64x2(half(at), half(at + 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_found_where_they_lie_and_nothing_before_them_is_kept() {
        let mut masks = [0; MASK_BYTES];
        for (at, byte) in b"xyz".iter().enumerate() {
            set(&mut masks, at, *byte, 3);
        }
        for ahead in 0..4 {
            let starts = Starts { masks: &masks, ahead };
            for at in 0..2 * PLACES {
                let mut text = [b'.'; 200];
                text[at + ahead..at + ahead + 3].copy_from_slice(b"xyz");
                assert_eq!(starts.skip(&text), Skipped::Here(at), "{ahead} ahead of {at}");
            }
            let places = (200 - ahead - (WINDOW_BYTES - 1)) / PLACES * PLACES;
            assert_eq!(starts.skip(&[b'.'; 200]), Skipped::Short(places));
            assert_eq!(starts.skip(b"xyz"), Skipped::Short(0));
        }
    }

    #[test]
    fn bytes_of_different_buckets_make_no_window() {
        let mut masks = [0; MASK_BYTES];
        for (bucket, window) in [b"abc", b"xyz"].into_iter().enumerate() {
            for (at, byte) in window.iter().enumerate() {
                set(&mut masks, at, *byte, bucket);
            }
        }
        let starts = Starts { masks: &masks, ahead: 0 };
        let text = format!("abz xyc ayz xbc    xyz{}", "-".repeat(50));
        assert_eq!(starts.skip(text.as_bytes()), Skipped::Here(19));
    }
}
