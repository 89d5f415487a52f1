//! From a hash to what was stored under it: a table of bits, and behind each of its words a bucket.
//!
//! Nearly every question ends at a bit that is not set. The words have a bit for each hash, and there are as many words
//! as hashes, so one in some forty bits is set; the bucket behind a word has the one or two entries that set them.

/// Entries by hash.
#[derive(Clone, Debug)]
pub(super) struct Buckets<T> {
    /// How far a hash is shifted so that a word's place is left.
    shift: u32,
    words: Vec<u32>,
    /// Where each word's bucket begins in `entries`, and the end.
    starts: Vec<u32>,
    /// With the lower half of the hash.
    entries: Vec<(u32, T)>,
}

/// Words have 32 bits.
const WORD_BITS: u32 = 5;

impl<T: Copy> Buckets<T> {
    /// A table of these entries.
    pub(super) fn new(mut hashed: Vec<(u64, T)>) -> Self {
        let words = hashed.len().saturating_mul(2).max(16).next_power_of_two();
        let shift = u64::BITS - words.trailing_zeros();
        hashed.sort_by_key(|(hash, _)| *hash);
        let mut table = Self {
            shift,
            words: vec![0; words],
            starts: Vec::with_capacity(words.saturating_add(1)),
            entries: Vec::with_capacity(hashed.len()),
        };
        for (hash, entry) in hashed {
            let at = table.place(hash);
            // The hashes ascend, and so do the places: up to this one all buckets have begun.
            table.starts.resize(at.saturating_add(1).max(table.starts.len()), number(table.entries.len()));
            let bit = table.bit(hash);
            if let Some(word) = table.words.get_mut(at) {
                *word |= bit;
            }
            table.entries.push((lower(hash), entry));
        }
        table.starts.resize(words.saturating_add(1), number(table.entries.len()));
        table
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether something may be stored under a hash.
    #[inline]
    pub(super) fn may_have(&self, hash: u64) -> bool {
        self.words.get(self.place(hash)).is_some_and(|word| word & self.bit(hash) != 0)
    }

    /// What is stored under a hash, and now and then something else.
    pub(super) fn get(&self, hash: u64) -> impl Iterator<Item = T> {
        let at = self.place(hash);
        let bounds = self.starts.get(at).zip(self.starts.get(at.saturating_add(1)));
        let bucket = bounds.and_then(|(start, end)| self.entries.get(*start as usize..*end as usize));
        let tag = lower(hash);
        bucket.unwrap_or_default().iter().filter(move |(known, _)| *known == tag).map(|(_, entry)| *entry)
    }

    /// The memory that it uses.
    pub(super) fn bytes(&self) -> usize {
        (self.words.capacity() + self.starts.capacity()) * size_of::<u32>()
            + self.entries.capacity() * size_of::<(u32, T)>()
    }

    /// Below the number of words, for `shift` leaves no more bits.
    #[inline]
    fn place(&self, hash: u64) -> usize {
        usize::try_from(hash >> self.shift).unwrap_or(usize::MAX)
    }

    /// Those next to the place's.
    #[inline]
    fn bit(&self, hash: u64) -> u32 {
        1 << (lower(hash >> (self.shift - WORD_BITS)) % u32::BITS)
    }
}

/// The lower half.
fn lower(hash: u64) -> u32 {
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}

fn number(place: usize) -> u32 {
    crate::atoms::number_of(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_found_and_nothing_is_lost() {
        for count in [0_u64, 1, 2, 3, 100, 1000] {
            let hash = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let table = Buckets::new((0..count).map(|number| (hash(number), number)).collect());
            assert_eq!(table.is_empty(), count == 0);
            for number in 0..count {
                assert!(table.may_have(hash(number)));
                assert!(table.get(hash(number)).any(|entry| entry == number), "{number} of {count}");
            }
            let others = (count..count + 10_000).filter(|number| table.may_have(hash(*number))).count();
            assert!(others < 1_000, "{others} of 10,000 others may be in a table of {count}");
            assert_eq!((count..count + 10_000).map(|number| table.get(hash(number)).count()).sum::<usize>(), 0);
        }
    }

    #[test]
    fn equal_hashes_share_a_bucket() {
        let table = Buckets::new(vec![(u64::MAX, 'a'), (0, 'b'), (u64::MAX, 'c')]);
        assert_eq!(table.get(u64::MAX).collect::<Vec<_>>(), ['a', 'c']);
        assert_eq!(table.get(0).collect::<Vec<_>>(), ['b']);
    }
}
