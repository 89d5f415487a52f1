//! Fingerprints of bytes: equal ones mean equal bytes, whoever chose these.
//!
//! This is NH of UMAC (Black, Halevi, Krawczyk, Krovetz and Rogaway, "UMAC: Fast and Secure Message Authentication", 1999,
//! theorem 4.2) with words of 64 bits: two different texts of the same length have the same sum with a chance of at most
//! 2^-64, as long as they were chosen without knowledge of the key. Nothing that anybody sees depends on it.

use std::hash::{BuildHasher, RandomState};

/// How long a text may be, in bytes.
pub(crate) const BYTES_MAX: usize = 2048;

/// Bytes that are multiplied with each other.
const PAIR: usize = 16;

/// Words of the key.
const WORDS: usize = BYTES_MAX / size_of::<u64>();

/// Makes fingerprints with a key of its own.
#[derive(Clone, Debug)]
pub(crate) struct Fingerprints {
    key: Box<[[u64; 2]]>,
}

/// What texts of the same length are told apart by: the lower half of the sum, and the upper one.
pub(crate) type Fingerprint = [u64; 2];

impl Default for Fingerprints {
    fn default() -> Self {
        // SipHash, with a key from the operating system.
        let random = RandomState::new();
        let words = (0..WORDS as u64).step_by(2);
        Self { key: words.map(|word| [random.hash_one(word), random.hash_one(word | 1)]).collect() }
    }
}

impl Fingerprints {
    /// The fingerprint of a text, of which no more than [`BYTES_MAX`] bytes are looked at.
    #[inline]
    pub(crate) fn of(&self, bytes: &[u8]) -> Fingerprint {
        let (pairs, rest) = bytes.as_chunks::<PAIR>();
        let mut sum = 0_u128;
        let mut key = self.key.iter();
        for (pair, key) in pairs.iter().zip(&mut key) {
            sum = sum.wrapping_add(product(*pair, *key));
        }
        if let (false, Some(key)) = (rest.is_empty(), key.next()) {
            let mut last = [0; PAIR];
            if let Some(start) = last.get_mut(..rest.len()) {
                start.copy_from_slice(rest);
            }
            sum = sum.wrapping_add(product(last, *key));
        }
        halves(sum)
    }
}

/// It has 128 bits at most, as each factor has 64.
#[inline]
fn product(pair: [u8; PAIR], key: [u64; 2]) -> u128 {
    let [low, high] = halves(u128::from_le_bytes(pair));
    u128::from(low.wrapping_add(key[0])).wrapping_mul(u128::from(high.wrapping_add(key[1])))
}

#[inline]
fn halves(number: u128) -> [u64; 2] {
    [number & u128::from(u64::MAX), number >> u64::BITS].map(|half| u64::try_from(half).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn different_texts_of_the_same_length_have_different_fingerprints() {
        let fingerprints = Fingerprints::default();
        let mut known: HashMap<(usize, Fingerprint), Vec<u8>> = HashMap::new();
        for length in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, BYTES_MAX - 1, BYTES_MAX] {
            // All zeros, and one bit set in each place; two equal words, and words that changed places.
            let zeros = vec![0; length];
            let bits = (0..length * 8).map(|bit| {
                let mut text = zeros.clone();
                text[bit / 8] = 1 << (bit % 8);
                text
            });
            let counted: Vec<u8> = (0..length).map(|place| u8::try_from(place / 8).unwrap_or(u8::MAX)).collect();
            let mut swapped = counted.clone();
            swapped.rotate_left(8 % length);
            let reversed = counted.iter().rev().copied().collect();
            let ones = vec![u8::MAX; length];
            for text in bits.chain([zeros.clone(), counted, swapped, reversed, ones]) {
                let other = known.entry((length, fingerprints.of(&text))).or_insert_with(|| text.clone());
                assert_eq!(*other, text);
            }
        }
    }

    #[test]
    fn a_fingerprint_depends_on_every_byte_and_on_the_key_alone() {
        let (one, other) = (Fingerprints::default(), Fingerprints::default());
        let text = b"C:\\Windows\\System32\\svchost.exe -k netsvcs";
        assert_eq!(one.of(text), one.of(text));
        assert_ne!(one.of(text), other.of(text), "each has a key of its own");
    }
}
