//! Literals that text must contain: by four bytes of them that are rare.
//!
//! Of each literal four successive bytes, a gram, are stored. Each four bytes of a text are looked up, independently of
//! each other and almost always in vain: one multiplication and one bit, where an automaton has to wait for each byte's
//! state before it can ask for the next. Literals that are long enough store a few successive grams, and of the text
//! only every so manieth has to be looked up. Case does not matter here.

use super::buckets::Buckets;

/// Bytes of a gram, where literals are not too short.
pub(crate) const GRAM: usize = 4;

/// Bytes of a gram for literals that are shorter.
pub(super) const SHORT_GRAM: usize = 2;

/// A text may cost as many comparisons as it has bytes times this and [`COMPARISONS_MIN`], each of up to
/// [`COMPARED_BYTES`].
const COMPARISONS_PER_BYTE: usize = 4;

/// See [`COMPARISONS_PER_BYTE`].
const COMPARISONS_MIN: usize = 1024;

/// What counts as one comparison, in bytes of the literal.
const COMPARED_BYTES: usize = 64;

/// How many places of a text are looked at together.
const BLOCK: usize = 8;

/// Atoms by grams of their literals, of `N` bytes each.
#[derive(Clone, Debug)]
pub(crate) struct Grams<const N: usize> {
    table: Buckets<Placed>,
    coarse: Coarse,
    stride: usize,
}

/// A gram of a literal.
#[derive(Clone, Copy, Debug)]
struct Placed {
    atom: u32,
    /// Where the gram is in its literal.
    at: u32,
}

/// Whether there is a gram at a place: with a byte for a bit, fewer instructions for each. Of many grams there is none.
#[derive(Clone, Debug)]
enum Coarse {
    Small(Box<[u8; SMALL]>),
    Large(Box<[u8; LARGE]>),
    None,
}

/// Places of a [`Coarse`] table.
const SMALL: usize = 1 << 14;
/// See [`SMALL`].
const LARGE: usize = 1 << 16;

/// How many places there are at least for each gram.
const PLACES_PER_GRAM: usize = 24;

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "after a flood atoms are missing"]
pub(crate) enum Search {
    /// Every atom was told.
    Complete,
    /// Too much had to be compared, so some atoms were not looked at.
    Flooded,
}

/// The longest stride.
const STRIDE_MAX: usize = 8;

/// So many grams a table may have for the sake of a longer stride.
const GRAMS_MAX: usize = 1 << 16;

impl<const N: usize> Grams<N> {
    /// Atoms with their literals of at least so many bytes. `cost` says how often a gram is expected in text.
    pub(crate) fn new(atoms: &[(u32, &[u8])], cost: impl Fn(&[u8]) -> f64) -> Self {
        let shortest = atoms.iter().map(|(_, literal)| literal.len()).min().unwrap_or_default();
        let affordable = GRAMS_MAX.checked_div(atoms.len()).unwrap_or_default().clamp(1, STRIDE_MAX);
        let stride = (shortest + 1).saturating_sub(N).clamp(1, affordable);
        let mut hashed = Vec::with_capacity(atoms.len().saturating_mul(stride));
        let sharers = Sharers::new(atoms.iter().flat_map(|(_, literal)| literal.windows(N).map(hash::<N>)));
        // Whoever has a gram is compared where the gram is.
        let cost = |gram: &[u8]| cost(gram) * sharers.of(hash::<N>(gram));
        for (atom, literal) in atoms {
            let start = rarest::<N>(literal, stride, cost);
            let grams = literal.windows(N).enumerate().skip(start).take(stride);
            hashed.extend(
                grams.map(|(at, gram)| (hash::<N>(gram), Placed { atom: *atom, at: crate::atoms::number_of(at) })),
            );
        }
        let stored = || hashed.iter().map(|(hash, _)| *hash);
        let coarse = match hashed.len().saturating_mul(PLACES_PER_GRAM) {
            1..=SMALL => Coarse::Small(Box::new(coarse(stored()))),
            places if places > SMALL && places <= LARGE => Coarse::Large(Box::new(coarse(stored()))),
            _ => Coarse::None,
        };
        Self { table: Buckets::new(hashed), coarse, stride }
    }

    /// Of how many bytes one is looked at, if there is an atom.
    pub(super) fn stride(&self) -> Option<usize> {
        (!self.table.is_empty()).then_some(self.stride)
    }

    /// Tells `compare` of every atom whose literal may be in the text, and where it would begin. It answers how much it
    /// compared, in bytes, or nothing where there was no need to.
    pub(crate) fn find(&self, text: &[u8], compare: impl FnMut(u32, usize) -> Option<usize>) -> Search {
        if self.table.is_empty() {
            return Search::Complete;
        }
        let comparisons = text.len().saturating_mul(COMPARISONS_PER_BYTE).saturating_add(COMPARISONS_MIN);
        let mut comparing = Comparing::<_, N> { table: &self.table, comparisons, compare };
        match &self.coarse {
            Coarse::Small(coarse) => comparing.find(self.stride, text, |hash| coarse[place::<SMALL>(hash)]),
            Coarse::Large(coarse) => comparing.find(self.stride, text, |hash| coarse[place::<LARGE>(hash)]),
            Coarse::None => comparing.find(self.stride, text, |hash| u8::from(self.table.may_have(hash))),
        }
    }

    /// The memory that they use.
    pub(crate) fn bytes(&self) -> usize {
        let coarse = match &self.coarse {
            Coarse::Small(coarse) => size_of_val(&**coarse),
            Coarse::Large(coarse) => size_of_val(&**coarse),
            Coarse::None => 0,
        };
        self.table.bytes() + coarse
    }
}

/// About how many literals have each gram.
struct Sharers(Box<[u8]>);

impl Sharers {
    fn new(grams: impl Iterator<Item = u64>) -> Self {
        let mut counts = vec![0_u8; LARGE];
        for gram in grams {
            if let Some(count) = counts.get_mut(place::<LARGE>(gram)) {
                *count = count.saturating_add(1);
            }
        }
        Self(counts.into())
    }

    fn of(&self, gram: u64) -> f64 {
        self.0.get(place::<LARGE>(gram)).copied().map_or(1.0, f64::from)
    }
}

/// A search.
struct Comparing<'a, F, const N: usize> {
    table: &'a Buckets<Placed>,
    /// How many are left.
    comparisons: usize,
    compare: F,
}

impl<F: FnMut(u32, usize) -> Option<usize>, const N: usize> Comparing<'_, F, N> {
    /// Looks at every so manieth place. `may_have` is 1 for a hash that may be there, else 0.
    fn find(&mut self, stride: usize, text: &[u8], may_have: impl Fn(u64) -> u8) -> Search {
        // A stride that is known when this is compiled makes all bounds known, too.
        match stride {
            1 => self.find_at::<1>(text, may_have),
            2 => self.find_at::<2>(text, may_have),
            3 => self.find_at::<3>(text, may_have),
            4 => self.find_at::<4>(text, may_have),
            5 => self.find_at::<5>(text, may_have),
            6 => self.find_at::<6>(text, may_have),
            7 => self.find_at::<7>(text, may_have),
            _ => self.find_at::<STRIDE_MAX>(text, may_have),
        }
    }

    fn find_at<const STRIDE: usize>(&mut self, text: &[u8], may_have: impl Fn(u64) -> u8) -> Search {
        let mut position = 0;
        // Nothing waits for the answer to one place before the next is looked at.
        while let Some(block) = text.get(position..position + (BLOCK - 1) * STRIDE + N) {
            let mut set = 0_u32;
            for place in 0..BLOCK {
                let gram = block.get(place * STRIDE..place * STRIDE + N).unwrap_or_default();
                set |= u32::from(may_have(hash::<N>(gram))) << place;
            }
            while set != 0 {
                let place = set.trailing_zeros() as usize;
                set &= set - 1;
                if self.look_at(text, position + place * STRIDE) == Search::Flooded {
                    return Search::Flooded;
                }
            }
            position += BLOCK * STRIDE;
        }
        while let Some(gram) = text.get(position..position + N) {
            if may_have(hash::<N>(gram)) != 0 && self.look_at(text, position) == Search::Flooded {
                return Search::Flooded;
            }
            position += STRIDE;
        }
        Search::Complete
    }

    #[inline]
    fn look_at(&mut self, text: &[u8], position: usize) -> Search {
        let gram = text.get(position..).unwrap_or_default();
        if self.table.may_have(hash::<N>(gram)) { self.compare(text, position) } else { Search::Complete }
    }

    /// Compares what is stored under the gram at a place.
    fn compare(&mut self, text: &[u8], position: usize) -> Search {
        let gram = text.get(position..).unwrap_or_default();
        for placed in self.table.get(hash::<N>(gram)) {
            let Some(start) = position.checked_sub(placed.at as usize) else { continue };
            let Some(bytes) = (self.compare)(placed.atom, start) else { continue };
            let spent = (bytes / COMPARED_BYTES).saturating_add(1);
            let Some(left) = self.comparisons.checked_sub(spent) else { return Search::Flooded };
            self.comparisons = left;
        }
        Search::Complete
    }
}

/// Where the successive grams start that are expected least often in text.
fn rarest<const N: usize>(literal: &[u8], stride: usize, cost: impl Fn(&[u8]) -> f64) -> usize {
    let costs: Vec<f64> = literal.windows(N).map(cost).collect();
    let sums = costs.windows(stride).map(|grams| grams.iter().sum::<f64>());
    sums.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(start, _)| start)
}

/// A gram as a number.
pub(crate) fn number(gram: &[u8]) -> u32 {
    gram.first_chunk::<GRAM>().map_or(0, |gram| u32::from_le_bytes(*gram))
}

/// Of a gram in any case: a few other bytes are taken for each other, too, which costs a comparison now and then. The
/// factor is odd, so that different grams have different lower halves.
#[inline]
fn hash<const N: usize>(gram: &[u8]) -> u64 {
    let number = gram.first_chunk::<N>().map_or(0, |gram| {
        let mut bytes = [0; GRAM];
        bytes[..N].copy_from_slice(gram);
        u32::from_le_bytes(bytes)
    });
    u64::from(number | 0x2020_2020).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A table of these hashes.
fn coarse<const PLACES: usize>(hashes: impl Iterator<Item = u64>) -> [u8; PLACES] {
    let mut table = [0; PLACES];
    for hash in hashes {
        table[place::<PLACES>(hash)] = 1;
    }
    table
}

/// A hash's place among so many, below that number for no more bits are left.
#[inline]
fn place<const PLACES: usize>(hash: u64) -> usize {
    usize::try_from(hash >> (u64::BITS - PLACES.trailing_zeros())).unwrap_or_default()
}
