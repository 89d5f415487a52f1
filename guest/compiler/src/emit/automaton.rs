//! Builds the literal tables that `sandtrap_runtime::search` reads; their layout stands there.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use sandtrap_runtime::{
    search::{
        CLASSES_WORD, EDGE_TERM_END, EDGE_TERM_START, EDGE_TEXT_END, EDGE_TEXT_START, FLAG_ALL, FLAG_ANCHORED,
        FLAG_AT_END, FLAG_FOLD, HEADER_WORDS, NEEDLE_WORDS, NUMBERS_MAX, SHORTER_TOO, ends_with_term_char,
        starts_with_term_char,
    },
    starts::MASK_BYTES,
};

use super::{
    EmitError,
    windows::{Windows, windows},
};
use crate::ir::{MatchKind, Quantifier};

/// A tail of fewer bytes is not worth its entry.
const TAIL_BYTES_MIN: usize = 3;

/// A table for `needles`, which are not empty, without duplicates and, with `fold`, folded.
pub(super) fn build(
    needles: &[String],
    kind: MatchKind,
    fold: bool,
    quantifier: Quantifier,
) -> Result<Vec<u32>, EmitError> {
    let heads = heads(needles);
    let trie = Trie::new(&heads);
    let classes = Classes::new(&heads, fold);
    let mut flags = 0;
    if fold {
        flags |= FLAG_FOLD;
    }
    if quantifier == Quantifier::All {
        flags |= FLAG_ALL;
    }
    if matches!(kind, MatchKind::StartsWith | MatchKind::Equals) {
        flags |= FLAG_ANCHORED;
    }
    if matches!(kind, MatchKind::EndsWith | MatchKind::Equals) {
        flags |= FLAG_AT_END;
    }
    let longest = needles.iter().map(String::len).max().unwrap_or(0);
    let needle_table = HEADER_WORDS;
    let masks = needle_table + needles.len() * NEEDLE_WORDS;
    let windows = if flags & (FLAG_ANCHORED | FLAG_AT_END) == 0 { windows(needles, fold) } else { None };
    let root = masks + if windows.is_some() { MASK_BYTES / 4 } else { 0 };
    let first_state = root + classes.starts;
    let offsets = trie.offsets(first_state);
    let tails =
        || needles.iter().zip(&heads).map(|(needle, head)| needle.as_bytes().get(head.len()..).unwrap_or_default());
    if offsets.end + tails().map(<[u8]>::len).sum::<usize>() > NUMBERS_MAX as usize / 4
        || longest > NUMBERS_MAX as usize
    {
        return Err(EmitError::new(format!("{} literals are too many for one condition", needles.len())));
    }
    let mut words =
        vec![flags, word(needles.len()), word(longest), word(needle_table), word(classes.starts), word(root)];
    words.push(windows.as_ref().map_or(0, |windows| word(masks) | u32::from(windows.ahead) << 24));
    words.extend(little_endian(&classes.map));
    debug_assert_eq!(words.len(), HEADER_WORDS);
    debug_assert_eq!(words.len() - 64, CLASSES_WORD);
    let mut tail_start = offsets.end * 4;
    for (needle, tail) in needles.iter().zip(tails()) {
        words.extend([word(needle.len()) << 8 | edges(needle, kind), word(tail_start), word(tail.len())]);
        tail_start += tail.len();
    }
    words.extend(windows.iter().flat_map(|Windows { masks, .. }| little_endian(masks)));
    let mut root_row = vec![0; classes.starts];
    for (byte, next) in &trie.states[0].next {
        root_row[classes.of(*byte) - 1] = word(offsets.of(*next));
    }
    words.extend(root_row);
    for state in trie.states.iter().skip(1) {
        let fallback = if state.fallback == 0 { 0 } else { offsets.of(state.fallback) };
        words.push(word(fallback) | word(state.next.len()) << 24);
        let ends = state.needle.map_or(0, |needle| word(needle) + 1);
        words.push(if state.shorter_too { ends | SHORTER_TOO } else { ends });
        words.extend(state.next.iter().map(|(byte, next)| word(offsets.of(*next)) | word(classes.of(*byte)) << 24));
    }
    let bytes: Vec<u8> = tails().flatten().copied().collect();
    words.extend(little_endian(&bytes));
    Ok(words)
}

/// Bytes as words; the last one ends with zeros.
fn little_endian(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks(4).map(|bytes| {
        let mut four = [0; 4];
        four[..bytes.len()].copy_from_slice(bytes);
        u32::from_le_bytes(four)
    })
}

/// What the automaton reads of each needle: all of it, or as much as no other needle begins with.
fn heads(needles: &[String]) -> Vec<&[u8]> {
    let mut sorted: Vec<&[u8]> = needles.iter().map(String::as_bytes).collect();
    sorted.sort_unstable();
    let shared = |one: &[u8], other: &[u8]| one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let head = |needle: &String| {
        let needle = needle.as_bytes();
        let at = sorted.partition_point(|other| *other < needle);
        let neighbours = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten().filter_map(|at| sorted.get(at));
        let own = neighbours.map(|other| shared(needle, other)).max().unwrap_or(0) + 1;
        if own + TAIL_BYTES_MIN <= needle.len() { own } else { needle.len() }
    };
    needles.iter().map(|needle| needle.as_bytes().get(..head(needle)).unwrap_or_default()).collect()
}

/// What must hold at the edges of a needle.
fn edges(needle: &str, kind: MatchKind) -> u32 {
    let term_start = if starts_with_term_char(needle.as_bytes()) { EDGE_TERM_START } else { 0 };
    let term_end = if ends_with_term_char(needle.as_bytes()) { EDGE_TERM_END } else { 0 };
    match kind {
        MatchKind::Contains => 0,
        MatchKind::StartsWith => EDGE_TEXT_START,
        MatchKind::EndsWith => EDGE_TEXT_END,
        MatchKind::Equals => EDGE_TEXT_START | EDGE_TEXT_END,
        MatchKind::Term => term_start | term_end,
        MatchKind::TermPrefix => term_start,
        MatchKind::TermSuffix => term_end,
    }
}

/// Numbers here are below [`NUMBERS_MAX`], which `build` checks.
fn word(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Which bytes the heads tell apart. Class 0 is every byte that is in none; the bytes that one starts with come first.
struct Classes {
    map: [u8; 256],
    starts: usize,
}

impl Classes {
    fn new(heads: &[&[u8]], fold: bool) -> Self {
        let starting: BTreeSet<u8> = heads.iter().filter_map(|head| head.first().copied()).collect();
        let others: BTreeSet<u8> = heads.iter().flat_map(|head| head.iter().copied()).collect();
        let mut map = [0; 256];
        // UTF-8 never uses 0xff, so there are at most 255 classes.
        for (class, byte) in (1..=u8::MAX).zip(starting.iter().chain(others.difference(&starting))) {
            map[usize::from(*byte)] = class;
        }
        if fold {
            for byte in b'A'..=b'Z' {
                map[usize::from(byte)] = map[usize::from(byte.to_ascii_lowercase())];
            }
        }
        Self { map, starts: starting.len() }
    }

    fn of(&self, byte: u8) -> usize {
        usize::from(self.map[usize::from(byte)])
    }
}

#[derive(Default)]
struct State {
    next: BTreeMap<u8, usize>,
    /// The state for the longest proper suffix of this one that is in the trie.
    fallback: usize,
    needle: Option<usize>,
    /// Whether a needle ends at a state along the fallbacks.
    shorter_too: bool,
}

struct Trie {
    states: Vec<State>,
}

/// The word index of each state.
struct Offsets {
    starts: Vec<usize>,
    end: usize,
}

impl Offsets {
    fn of(&self, state: usize) -> usize {
        self.starts[state]
    }
}

impl Trie {
    fn new(heads: &[&[u8]]) -> Self {
        let mut trie = Self { states: vec![State::default()] };
        for (index, head) in heads.iter().enumerate() {
            let mut at = 0;
            for byte in head.iter().copied() {
                let fresh = trie.states.len();
                let next = *trie.states[at].next.entry(byte).or_insert(fresh);
                if next == fresh {
                    trie.states.push(State::default());
                }
                at = next;
            }
            trie.states[at].needle = Some(index);
        }
        trie.link();
        trie
    }

    /// Sets the fallbacks, nearest states first, as Aho and Corasick do.
    fn link(&mut self) {
        let mut queue: VecDeque<usize> = self.states[0].next.values().copied().collect();
        while let Some(at) = queue.pop_front() {
            let children: HashMap<u8, usize> = self.states[at].next.iter().map(|(byte, next)| (*byte, *next)).collect();
            for (byte, child) in children {
                let mut fallback = self.states[at].fallback;
                let target = loop {
                    if let Some(next) = self.states[fallback].next.get(&byte) {
                        break *next;
                    }
                    if fallback == 0 {
                        break 0;
                    }
                    fallback = self.states[fallback].fallback;
                };
                self.states[child].fallback = target;
                self.states[child].shorter_too =
                    self.states[target].needle.is_some() || self.states[target].shorter_too;
                queue.push_back(child);
            }
        }
    }

    fn offsets(&self, first: usize) -> Offsets {
        let mut end = first;
        let mut starts = vec![0];
        for state in self.states.iter().skip(1) {
            starts.push(end);
            end += 2 + state.next.len();
        }
        Offsets { starts, end }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sandtrap_runtime::{
        search::{scratch_words, search},
        text,
    };

    use super::*;
    use crate::emit::text::runtime_kind;

    fn run(needles: &[String], kind: MatchKind, fold: bool, quantifier: Quantifier, haystack: &str) -> bool {
        let table = build(needles, kind, fold, quantifier).expect("a small table");
        let haystack =
            if fold && !haystack.is_ascii() { sandtrap_wit::text::fold(haystack) } else { haystack.to_owned() };
        let table: Vec<u8> = table.iter().flat_map(|word| word.to_le_bytes()).collect();
        search(&table, haystack.as_bytes(), &mut vec![0; scratch_words(needles.len())])
    }

    #[test]
    fn terms_are_bounded_where_the_needle_is() {
        let has =
            |haystack: &str, needle: &str| run(&[needle.to_owned()], MatchKind::Term, true, Quantifier::Any, haystack);
        for (haystack, needle, expected) in [
            ("www.server-eye.de/x", "server-eye.de", true),
            ("notserver-eye.de", "server-eye.de", false),
            ("server-eye.dev", "server-eye.de", false),
            ("a.exe", ".exe", true),
            ("a.exec", ".exe", false),
            ("Krämer IT", "kr", false),
            ("a_KVM_b", "kvm", true),
            ("xkvm kvm", "kvm", true),
            ("\u{212A}VM", "kvm", true),
        ] {
            assert_eq!(has(haystack, needle), expected, "{haystack} has {needle}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        /// The table answers as one search per needle does.
        #[test]
        fn agrees_with_one_search_per_needle(
            needles in proptest::collection::btree_set("[aAbk.éÉß_\u{212A}]{1,4}|[ab]{1,9}|[abké]{3,6}", 1..6),
            haystack in "b{0,150}[ak]?|(bab){20,60}|[aAbBk.éÉß_ \u{212A}]{0,12}|[aAbB]{0,30}|[aAbBk. ]{60,200}|[._]{60,90}[aAbBké.]{0,9}[._]{50,80}",
            kind in prop::sample::select(vec![MatchKind::Equals, MatchKind::Contains, MatchKind::StartsWith,
                MatchKind::EndsWith, MatchKind::Term, MatchKind::TermPrefix, MatchKind::TermSuffix]),
            fold: bool,
            all: bool,
        ) {
            let quantifier = if all { Quantifier::All } else { Quantifier::Any };
            let mut needles: Vec<String> = needles.into_iter()
                .map(|needle| if fold { sandtrap_wit::text::fold(&needle) } else { needle }).collect();
            needles.sort();
            needles.dedup();
            let folded = if fold { sandtrap_wit::text::fold(&haystack) } else { haystack.clone() };
            let mut each = needles.iter()
                .map(|needle| text::matches(runtime_kind(kind), folded.as_bytes(), needle.as_bytes()));
            let expected = if all { each.all(|found| found) } else { each.any(|found| found) };
            prop_assert_eq!(run(&needles, kind, fold, quantifier, &haystack), expected);
        }
    }
}
