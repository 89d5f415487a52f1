//! Chooses the windows that `sandtrap_runtime::starts` looks for: three bytes of each needle, at the same place of all.

use sandtrap_runtime::starts::{self, BUCKETS, MASK_BYTES, WINDOW_BYTES};
use sandtrap_wit::text::commonness;

/// How many places of the needles are tried.
const PLACES_MAX: usize = 32;

/// Where more of the places of a text may be starts, by guess, windows are no help.
const PASSING_MAX: f64 = 0.1;

/// Where the windows lie, and what they look like.
pub(super) struct Windows {
    pub(super) masks: [u8; MASK_BYTES],
    /// How many bytes of a needle come before its window.
    pub(super) ahead: u8,
}

/// The rarest windows of needles, none of which is empty; `None` where they would let too much pass.
pub(super) fn windows(needles: &[String], fold: bool) -> Option<Windows> {
    let shortest = needles.iter().map(String::len).min()?;
    let places = (shortest + 1).saturating_sub(WINDOW_BYTES).clamp(1, PLACES_MAX);
    let rate = |ahead: u8| -> f64 { needles.iter().map(|needle| rate(window(needle, ahead))).sum() };
    let (_, ahead) = (0_u8..)
        .take(places)
        .map(|ahead| (rate(ahead), ahead))
        .min_by(|(rate, _), (other, _)| rate.total_cmp(other))?;
    let masks = masks(needles, ahead, fold);
    (passing(&masks) <= PASSING_MAX).then_some(Windows { masks, ahead })
}

/// A needle's window; shorter where the needle ends.
fn window(needle: &str, ahead: u8) -> &[u8] {
    let rest = needle.as_bytes().get(usize::from(ahead)..).unwrap_or_default();
    rest.get(..WINDOW_BYTES).unwrap_or(rest)
}

/// How often a window is in text, compared with others.
fn rate(window: &[u8]) -> f64 {
    window.iter().copied().map(commonness).product()
}

/// The masks for windows after so many bytes. Past a needle's end may be anything.
fn masks(needles: &[String], ahead: u8, fold: bool) -> [u8; MASK_BYTES] {
    let mut windows: Vec<&[u8]> = needles.iter().map(|needle| window(needle, ahead)).collect();
    windows.sort_unstable();
    windows.dedup();
    let mut masks = [0; MASK_BYTES];
    // Neighbours have their first byte in common more often than not.
    for (bucket, windows) in windows.chunks(windows.len().div_ceil(BUCKETS).max(1)).enumerate() {
        for (window, place) in windows.iter().flat_map(|window| (0..WINDOW_BYTES).map(move |place| (window, place))) {
            let bytes = match window.get(place) {
                Some(byte) if fold => vec![*byte, byte.to_ascii_uppercase()],
                Some(byte) => vec![*byte],
                None => (0..=u8::MAX).collect(),
            };
            for byte in bytes {
                starts::set(&mut masks, place, byte, bucket);
            }
        }
    }
    masks
}

/// In how much of the places of a text a needle may start, from 0 to 1, by guess.
fn passing(masks: &[u8; MASK_BYTES]) -> f64 {
    let printable = || (b' '..=b'~').map(|byte| (byte, commonness(byte.to_ascii_lowercase())));
    let all: f64 = printable().map(|(_, commonness)| commonness).sum();
    let mut windows = [1.0; BUCKETS];
    for place in 0..WINDOW_BYTES {
        let mut passing = [0.0; BUCKETS];
        for (byte, commonness) in printable() {
            let buckets = starts::buckets(masks, place, byte);
            for (bucket, passing) in passing.iter_mut().enumerate() {
                *passing += f64::from(buckets >> bucket & 1) * commonness / all;
            }
        }
        windows.iter_mut().zip(passing).for_each(|(window, passing)| *window *= passing);
    }
    1.0 - windows.iter().map(|window| 1.0 - window).product::<f64>()
}
