//! Literals that text must be, start with or end with: by a hash of as much of them as text is certain to have.
//!
//! A literal is stored under its first or last 1, 2, 4, 8 or 16 bytes, as many as it has. Of a text the same ends are
//! looked up, so the number of literals does not matter; what is found is compared whole by who asks. Whole literals are
//! stored under all of their bytes.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::buckets::Buckets;

/// How many bytes of a literal are hashed.
const ENDS: [usize; 5] = [1, 2, 4, 8, 16];

/// Atoms by an end of their literal.
#[derive(Clone, Debug)]
pub(super) struct Anchored {
    hasher: RandomState,
    whole: Buckets<u32>,
    /// Which of [`ENDS`] there are among the first and the last bytes of literals.
    first: [bool; ENDS.len()],
    last: [bool; ENDS.len()],
    ends: Buckets<u32>,
}

/// Which bytes of a literal tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    First,
    Last,
    Whole,
}

impl Anchored {
    /// Atoms with their literals, of which those for [`End::First`] and [`End::Last`] are not empty.
    pub(super) fn new<'a>(atoms: impl Iterator<Item = (u32, End, &'a [u8])>) -> Self {
        let hasher = RandomState::default();
        let (mut whole, mut ends) = (Vec::new(), Vec::new());
        let (mut first, mut last) = ([false; ENDS.len()], [false; ENDS.len()]);
        for (atom, end, literal) in atoms {
            let class = ENDS.iter().rposition(|bytes| *bytes <= literal.len()).unwrap_or_default();
            match end {
                End::Whole => whole.push((hasher.hash_one(literal), atom)),
                End::First => {
                    first[class] = true;
                    ends.extend(hash(&hasher, class, End::First, literal).map(|hash| (hash, atom)));
                }
                End::Last => {
                    last[class] = true;
                    ends.extend(hash(&hasher, class, End::Last, literal).map(|hash| (hash, atom)));
                }
            }
        }
        Self { hasher, whole: Buckets::new(whole), first, last, ends: Buckets::new(ends) }
    }

    /// Whether there is no atom.
    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.ends.is_empty()
    }

    /// Tells of every atom that may hold of a text.
    #[inline]
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(u32)) {
        if !self.whole.is_empty() {
            let hash = self.hasher.hash_one(text);
            if self.whole.may_have(hash) {
                self.whole.get(hash).for_each(&mut found);
            }
        }
        if self.ends.is_empty() {
            return;
        }
        for (end, present) in [(End::First, &self.first), (End::Last, &self.last)] {
            for (class, _) in present.iter().enumerate().filter(|(_, present)| **present) {
                // A class that is longer than the text is followed by longer ones only.
                let Some(hash) = hash(&self.hasher, class, end, text) else { break };
                if self.ends.may_have(hash) {
                    self.ends.get(hash).for_each(&mut found);
                }
            }
        }
    }

    /// The memory that they use.
    pub(super) fn bytes(&self) -> usize {
        self.whole.bytes() + self.ends.bytes()
    }
}

/// The hash of an end; `None` of text that is too short.
#[inline]
fn hash(hasher: &RandomState, class: usize, end: End, text: &[u8]) -> Option<u64> {
    let bytes = *ENDS.get(class)?;
    let part = match end {
        End::First => text.get(..bytes),
        End::Last => text.get(text.len().checked_sub(bytes)?..),
        End::Whole => None,
    }?;
    let mut number = [0; 16];
    number.get_mut(..bytes)?.copy_from_slice(part);
    Some(hasher.hash_one((u128::from_le_bytes(number), class, end == End::First)))
}
