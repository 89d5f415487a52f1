//! What was found in values lately: events say the same again and again.
//!
//! Of most keys a few values make up most events: images, users, call traces. How a value is written is at hand before it is
//! fetched, unescaped, folded and searched; if the same was seen lately, so are the triggers that it pulls.
//!
//! One table serves all keys of all indexes, each value in the one place that its hash says. A value is remembered when it
//! is seen for the second time there, and one that was of use since it was last challenged is not replaced at once, so that
//! values that never come again do not push out those that do. What is remembered is compared whole.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::values::Written;

/// How many values are remembered.
const VALUES: usize = 1 << 13;

/// How long a value may be written to be remembered, in bytes. Longer ones are not hashed either.
const WRITTEN_BYTES_MAX: usize = 2048;

/// How many triggers a value may pull to be remembered.
const ATOMS_MAX: usize = 64;

/// Of how many watches it is known which value they had last. Others share with these.
const WATCHES: usize = 1 << 10;

/// How much of a value lies in the table itself, in bytes: most are not longer, and so they are in one place of memory.
const INLINE_BYTES: usize = 80;

/// Values that were seen lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    hasher: RandomState,
    /// [`VALUES`], or none yet.
    seen: Box<[Seen]>,
    /// Where the last value of a watch is: most often the next is the same. [`WATCHES`], or none yet.
    last: Box<[usize]>,
}

/// A place of the table.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Of whichever value was seen here last.
    hash: u64,
    /// Where it was looked for, and how it is written, if it is remembered.
    watch: Option<u64>,
    how: u32,
    /// Whether it was of use since another value came.
    used: bool,
    written: SmallVec<[u8; INLINE_BYTES]>,
    atoms: SmallVec<[u32; 2]>,
}

impl Seen {
    /// Another value comes here.
    fn challenge(&mut self, hash: u64) {
        if self.used {
            self.used = false;
        } else {
            (self.hash, self.watch) = (hash, None);
        }
    }

    fn is(&self, watch: u64, written: Written<'_>) -> bool {
        self.watch == Some(watch) && self.how == written.how && self.written.as_slice() == written.bytes
    }
}

/// What is remembered of a value.
#[derive(Debug)]
pub(crate) enum Recall<'r> {
    /// The atoms that it pulls.
    Atoms(&'r [u32]),
    /// Nothing, and it would be worth it: the place to [learn](Recent::learn) it at.
    Worth(usize),
    /// Nothing.
    Nothing,
}

impl Recent {
    /// What the watch of that number finds in a value.
    pub(crate) fn recall(&mut self, watch: u64, written: Written<'_>) -> Recall<'_> {
        if written.bytes.len() > WRITTEN_BYTES_MAX {
            return Recall::Nothing;
        }
        if self.seen.is_empty() {
            self.seen = vec![Seen::default(); VALUES].into();
            self.last = vec![0; WATCHES].into();
        }
        // Remainders are below the lengths.
        let last = usize::try_from(watch % WATCHES as u64).unwrap_or_default();
        let mut place = self.last.get(last).copied().unwrap_or_default();
        if !self.seen.get(place).is_some_and(|seen| seen.is(watch, written)) {
            let hash = self.hash(watch, written);
            place = usize::try_from(hash % VALUES as u64).unwrap_or_default();
            let Some(seen) = self.seen.get_mut(place) else { return Recall::Nothing };
            if seen.hash != hash || seen.watch.is_some() && !seen.is(watch, written) {
                seen.challenge(hash);
                return Recall::Nothing;
            }
            if seen.watch.is_none() {
                return Recall::Worth(place);
            }
            if let Some(last) = self.last.get_mut(last) {
                *last = place;
            }
        }
        self.seen.get_mut(place).map_or(Recall::Nothing, |seen| {
            seen.used = true;
            Recall::Atoms(&seen.atoms)
        })
    }

    fn hash(&self, watch: u64, written: Written<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(watch ^ u64::from(written.how).rotate_left(u32::BITS));
        hasher.write(written.bytes);
        hasher.finish()
    }

    /// Remembers, at a place that was [worth](Recall::Worth) it, the atoms of a watch that a value pulls.
    pub(crate) fn learn(&mut self, place: usize, watch: u64, written: Written<'_>, atoms: &[u32]) {
        let Some(seen) = self.seen.get_mut(place).filter(|_| atoms.len() <= ATOMS_MAX) else { return };
        seen.watch = Some(watch);
        seen.how = written.how;
        seen.written.clear();
        seen.written.extend_from_slice(written.bytes);
        seen.atoms.clear();
        seen.atoms.extend_from_slice(atoms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(how: u32, bytes: &[u8]) -> Written<'_> {
        Written { how, bytes }
    }

    fn atoms(recent: &mut Recent, watch: u64, written: Written<'_>) -> Option<Vec<u32>> {
        match recent.recall(watch, written) {
            Recall::Atoms(atoms) => Some(atoms.to_vec()),
            Recall::Worth(_) | Recall::Nothing => None,
        }
    }

    #[test]
    fn a_value_is_remembered_from_its_second_time_on_where_it_was_looked_for_and_as_it_was_written() {
        let mut recent = Recent::default();
        assert!(matches!(recent.recall(7, written(1, b"a")), Recall::Nothing));
        let Recall::Worth(place) = recent.recall(7, written(1, b"a")) else { panic!("it comes again") };
        recent.learn(place, 7, written(1, b"a"), &[3, 5]);
        assert_eq!(atoms(&mut recent, 7, written(1, b"a")), Some(vec![3, 5]));
        for (watch, other) in
            [(8, written(1, b"a")), (7, written(2, b"a")), (7, written(1, b"b")), (7, written(1, b""))]
        {
            assert_eq!(atoms(&mut recent, watch, other), None);
        }
    }

    #[test]
    fn what_only_shares_a_hash_is_not_taken_for_the_same() {
        let mut recent = Recent::default();
        assert!(matches!(recent.recall(7, written(0, b"a")), Recall::Nothing));
        let Recall::Worth(place) = recent.recall(7, written(0, b"a")) else { panic!("it comes again") };
        recent.learn(place, 7, written(0, b"b"), &[3]);
        assert_eq!(atoms(&mut recent, 7, written(0, b"a")), None);
    }

    #[test]
    fn what_is_used_outlives_what_never_comes_again() {
        let mut recent = Recent::default();
        let often = written(0, b"often");
        let once: Vec<String> = (0..4 * VALUES).map(|number| number.to_string()).collect();
        let mut hits = 0;
        for value in &once {
            match recent.recall(0, often) {
                Recall::Atoms(_) => hits += 1,
                Recall::Worth(place) => recent.learn(place, 0, often, &[]),
                Recall::Nothing => {}
            }
            let _ = recent.recall(0, written(0, value.as_bytes()));
        }
        assert!(hits + 20 > once.len(), "{hits} of {}", once.len());
    }

    #[test]
    fn what_is_long_is_not_remembered() {
        let mut recent = Recent::default();
        let long = vec![b'x'; WRITTEN_BYTES_MAX + 1];
        for _ in 0..3 {
            assert!(matches!(recent.recall(0, written(0, &long)), Recall::Nothing));
        }
    }
}
