//! What was found in values lately: events say the same again and again.
//!
//! Of most keys a few values make up most events: images, users, call traces. How a value is written is at hand before it is
//! fetched, unescaped, folded and searched; if the same was seen lately, so are the triggers that it pulls.
//!
//! One table serves all keys of all indexes, each value in the one place that its [fingerprint](crate::fingerprint) says. A
//! value is remembered when it is seen for the second time there, and one that was of use since it was last challenged is
//! not replaced at once, so that values that never come again do not push out those that do. The values themselves are not
//! kept: the table should leave room in the cache for others.

use smallvec::SmallVec;

use crate::{
    fingerprint::{BYTES_MAX, Fingerprint, Fingerprints},
    values::Written,
};

/// How many values are remembered.
const VALUES: usize = 1 << 13;

/// How many triggers a value may pull to be remembered.
const ATOMS_MAX: usize = 64;

/// Spreads what has few bits set.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Values that were seen lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    fingerprints: Fingerprints,
    /// [`VALUES`], or none yet.
    seen: Box<[Seen]>,
    /// For each of these the atoms that it pulls: most pull none, and then this is not looked at.
    pulled: Box<[SmallVec<[u32; 2]>]>,
}

/// A place of the table. Two of them lie in one line of a cache.
#[derive(Clone, Copy, Debug)]
struct Seen {
    fingerprint: Fingerprint,
    watch: u64,
    how: u32,
    bytes: u16,
    what: What,
    /// Whether it was of use since another value came.
    used: bool,
}

const _: () = assert!(size_of::<Seen>() == 32, "half a line");

/// Which value it is.
#[derive(Clone, Copy, Debug)]
struct Identity {
    fingerprint: Fingerprint,
    /// Where it is looked for.
    watch: u64,
    how: u32,
    /// How long it is.
    bytes: u16,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// It was here last.
    Seen,
    /// It pulls no triggers.
    PullsNone,
    /// It pulls some.
    PullsSome,
}

impl Seen {
    const NOTHING: Self =
        Self { fingerprint: [0; 2], watch: u64::MAX, how: 0, bytes: 0, what: What::Seen, used: false };

    fn is(&self, value: Identity) -> bool {
        let Identity { fingerprint, watch, how, bytes } = value;
        self.fingerprint == fingerprint && self.watch == watch && self.how == how && self.bytes == bytes
    }

    /// Another value comes here.
    fn challenge(&mut self, value: Identity) {
        if self.used {
            self.used = false;
        } else {
            let Identity { fingerprint, watch, how, bytes } = value;
            *self = Self { fingerprint, watch, how, bytes, what: What::Seen, used: false };
        }
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
        let bytes = u16::try_from(written.bytes.len()).ok().filter(|_| written.bytes.len() <= BYTES_MAX);
        let Some(bytes) = bytes else { return Recall::Nothing };
        if self.seen.is_empty() {
            self.seen = vec![Seen::NOTHING; VALUES].into();
            self.pulled = vec![SmallVec::new(); VALUES].into();
        }
        let value = Identity { fingerprint: self.fingerprints.of(written.bytes), watch, how: written.how, bytes };
        let place = place(value);
        let Some(seen) = self.seen.get_mut(place) else { return Recall::Nothing };
        if !seen.is(value) {
            seen.challenge(value);
            return Recall::Nothing;
        }
        match seen.what {
            What::Seen => Recall::Worth(place),
            What::PullsNone => {
                seen.used = true;
                Recall::Atoms(&[])
            }
            What::PullsSome => {
                seen.used = true;
                self.pulled.get(place).map_or(Recall::Nothing, |pulled| Recall::Atoms(pulled))
            }
        }
    }

    /// Remembers, at a place that was [worth](Recall::Worth) it, the atoms that its value pulls.
    pub(crate) fn learn(&mut self, place: usize, atoms: &[u32]) {
        let Some(seen) = self.seen.get_mut(place).filter(|_| atoms.len() <= ATOMS_MAX) else { return };
        seen.what = if atoms.is_empty() { What::PullsNone } else { What::PullsSome };
        if let Some(pulled) = self.pulled.get_mut(place) {
            pulled.clear();
            pulled.extend_from_slice(atoms);
        }
    }
}

/// Where a value is.
fn place(value: Identity) -> usize {
    let [low, high] = value.fingerprint;
    let about = value.watch.rotate_left(u32::BITS) ^ u64::from(value.how) ^ u64::from(value.bytes).rotate_left(48);
    let mixed = (high ^ low ^ about).wrapping_mul(SPREAD);
    // A remainder is below the length.
    usize::try_from((mixed >> u32::BITS) % VALUES as u64).unwrap_or_default()
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
        recent.learn(place, &[3, 5]);
        assert_eq!(atoms(&mut recent, 7, written(1, b"a")), Some(vec![3, 5]));
        for (watch, other) in
            [(8, written(1, b"a")), (7, written(2, b"a")), (7, written(1, b"b")), (7, written(1, b""))]
        {
            assert_eq!(atoms(&mut recent, watch, other), None);
        }
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
                Recall::Worth(place) => recent.learn(place, &[]),
                Recall::Nothing => {}
            }
            let _ = recent.recall(0, written(0, value.as_bytes()));
        }
        assert!(hits + 20 > once.len(), "{hits} of {}", once.len());
    }

    #[test]
    fn what_is_long_is_not_remembered() {
        let mut recent = Recent::default();
        let long = vec![b'x'; BYTES_MAX + 1];
        for _ in 0..3 {
            assert!(matches!(recent.recall(0, written(0, &long)), Recall::Nothing));
        }
    }
}
