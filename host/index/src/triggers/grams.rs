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
pub(super) struct Grams<const N: usize> {
    table: Buckets<Placed>,
    /// For few grams: whether there is one at a place.
    coarse: Option<Box<[u8; COARSE]>>,
    stride: usize,
}

/// A gram of a literal.
#[derive(Clone, Copy, Debug)]
struct Placed {
    atom: u32,
    /// Where the gram is in its literal.
    at: u32,
}

/// Places of a table of bytes: with a byte for a bit, fewer instructions for each gram.
const COARSE: usize = 1 << 14;

/// How many places there are at least for each gram.
const COARSE_PER_GRAM: usize = 24;

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "after a flood atoms are missing"]
pub(super) enum Search {
    /// Every atom was told.
    Complete,
    /// Too much had to be compared, so some atoms were not looked at.
    Flooded,
}

/// The longest stride: with each the tables grow.
const STRIDE_MAX: usize = 8;

impl<const N: usize> Grams<N> {
    /// Atoms with their literals of at least so many bytes. `cost` says how often a gram is expected in text.
    pub(super) fn new<'a>(atoms: &[(u32, &'a [u8])], cost: impl Fn(&[u8]) -> f32) -> Self {
        let shortest = atoms.iter().map(|(_, literal)| literal.len()).min().unwrap_or_default();
        let stride = (shortest + 1).saturating_sub(N).clamp(1, STRIDE_MAX);
        let mut hashed = Vec::with_capacity(atoms.len().saturating_mul(stride));
        for (atom, literal) in atoms {
            let start = rarest::<N>(literal, stride, &cost);
            let grams = literal.windows(N).enumerate().skip(start).take(stride);
            hashed.extend(
                grams.map(|(at, gram)| (hash::<N>(gram), Placed { atom: *atom, at: crate::atoms::number_of(at) })),
            );
        }
        let coarse = (hashed.len() <= COARSE / COARSE_PER_GRAM).then(|| {
            let mut coarse = Box::new([0; COARSE]);
            for (hash, _) in &hashed {
                coarse[coarse_place(*hash)] = 1;
            }
            coarse
        });
        Self { table: Buckets::new(hashed), coarse, stride }
    }

    /// Of how many bytes one is looked at, if there is an atom.
    pub(super) fn stride(&self) -> Option<usize> {
        (!self.table.is_empty()).then_some(self.stride)
    }

    /// Tells `compare` of every atom whose literal may be in the text, and where it would begin. It answers how much it
    /// compared, in bytes, or nothing where there was no need to.
    pub(super) fn find(&self, text: &[u8], compare: impl FnMut(u32, usize) -> Option<usize>) -> Search {
        if self.table.is_empty() {
            return Search::Complete;
        }
        let comparisons = text.len().saturating_mul(COMPARISONS_PER_BYTE).saturating_add(COMPARISONS_MIN);
        let mut comparing =
            Comparing::<_, N> { table: &self.table, coarse: self.coarse.as_deref(), comparisons, compare };
        // A stride that is known when this is compiled makes all bounds known, too.
        match self.stride {
            1 => comparing.find::<1>(text),
            2 => comparing.find::<2>(text),
            3 => comparing.find::<3>(text),
            4 => comparing.find::<4>(text),
            5 => comparing.find::<5>(text),
            6 => comparing.find::<6>(text),
            7 => comparing.find::<7>(text),
            _ => comparing.find::<STRIDE_MAX>(text),
        }
    }

    /// The memory that they use.
    pub(super) fn bytes(&self) -> usize {
        self.table.bytes()
    }
}

/// A search.
struct Comparing<'a, F, const N: usize> {
    table: &'a Buckets<Placed>,
    coarse: Option<&'a [u8; COARSE]>,
    /// How many are left.
    comparisons: usize,
    compare: F,
}

impl<F: FnMut(u32, usize) -> Option<usize>, const N: usize> Comparing<'_, F, N> {
    fn find<const STRIDE: usize>(&mut self, text: &[u8]) -> Search {
        let mut position = 0;
        // Nothing waits for the answer to one place before the next is looked at.
        while let Some(block) = text.get(position..position + (BLOCK - 1) * STRIDE + N) {
            if let Some(coarse) = self.coarse {
                let grams = (0..BLOCK).map(|place| block.get(place * STRIDE..place * STRIDE + N).unwrap_or_default());
                if grams.fold(0, |set, gram| set | coarse[coarse_place(hash::<N>(gram))]) == 0 {
                    position += BLOCK * STRIDE;
                    continue;
                }
            }
            let mut set = 0_u32;
            for place in 0..BLOCK {
                let gram = block.get(place * STRIDE..place * STRIDE + N).unwrap_or_default();
                set |= u32::from(self.table.may_have(hash::<N>(gram))) << place;
            }
            while set != 0 {
                let place = set.trailing_zeros() as usize;
                set &= set - 1;
                if self.compare(text, position + place * STRIDE) == Search::Flooded {
                    return Search::Flooded;
                }
            }
            position += BLOCK * STRIDE;
        }
        while let Some(gram) = text.get(position..position + N) {
            if self.table.may_have(hash::<N>(gram)) && self.compare(text, position) == Search::Flooded {
                return Search::Flooded;
            }
            position += STRIDE;
        }
        Search::Complete
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
fn rarest<const N: usize>(literal: &[u8], stride: usize, cost: impl Fn(&[u8]) -> f32) -> usize {
    let costs: Vec<f32> = literal.windows(N).map(|gram| cost(gram)).collect();
    let sums = costs.windows(stride).map(|grams| grams.iter().sum::<f32>());
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

/// Below [`COARSE`].
#[inline]
fn coarse_place(hash: u64) -> usize {
    (hash >> (u64::BITS - COARSE.trailing_zeros())) as usize
}
