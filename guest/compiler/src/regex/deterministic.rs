//! The tables that `sandtrap_runtime::dfa` reads; their layout stands there.

use std::collections::HashMap;

use regex_automata::{
    Anchored,
    dfa::{Automaton as _, StartKind, dense},
    nfa::thompson::NFA,
    util::{look::Look, primitives::StateID, start},
};
use sandtrap_runtime::dfa::{CLASS_WORDS, FIRST_STATE, FLAG_DETERMINISTIC, HEADER_WORDS, MATCH, NO_MATCH};

/// How many bytes the sets of states may take that lead to an automaton, for all classes of bytes together: from each set
/// it is looked where each of these leads, and 2^20 take about a hundredth of a second.
const BUILD_WORK_MAX: usize = 4 << 20;

/// How many bytes an automaton takes while it is built for each word of its table, or fewer.
const BUILT_BYTES_PER_WORD: usize = 16;

/// The table of an automaton that is in one state at a time; `None` where it would have more than so many words, or would
/// say something else: between the bytes of a character is no word's edge, and no place that is none.
pub(super) fn build(nfa: &NFA, words_max: usize) -> Option<Vec<u32>> {
    if nfa.look_set_any().contains(Look::WordAsciiNegate) {
        return None;
    }
    let (kind, anchored) = if nfa.is_always_start_anchored() {
        (StartKind::Anchored, Anchored::Yes)
    } else {
        (StartKind::Unanchored, Anchored::No)
    };
    let config = dense::Config::new().start_kind(kind).accelerate(false);
    let config = config
        .dfa_size_limit(Some(words_max.saturating_mul(BUILT_BYTES_PER_WORD)))
        .determinize_size_limit(Some(BUILD_WORK_MAX / nfa.byte_classes().alphabet_len()));
    let dfa = dense::Builder::new().configure(config).build_from_nfa(nfa).ok()?;
    let start = dfa.start_state(&start::Config::new().anchored(anchored)).ok()?;

    let classes = dfa.byte_classes();
    let units: Vec<_> = classes.representatives(..).collect();
    let mut numbers: HashMap<StateID, u16> = HashMap::from([(start, FIRST_STATE)]);
    let mut states = vec![start];
    let mut targets: Vec<u16> = Vec::new();
    let mut at = 0;
    while let Some(state) = states.get(at).copied() {
        for unit in &units {
            let next = unit.as_u8().map_or_else(|| dfa.next_eoi_state(state), |byte| dfa.next_state(state, byte));
            targets.push(if dfa.is_dead_state(next) {
                NO_MATCH
            } else if dfa.is_match_state(next) {
                // What comes after a match does not matter.
                MATCH
            } else if let Some(known) = numbers.get(&next) {
                *known
            } else {
                let number = FIRST_STATE.checked_add(u16::try_from(states.len()).ok()?)?;
                numbers.insert(next, number);
                states.push(next);
                number
            });
        }
        at += 1;
        if HEADER_WORDS + targets.len().div_ceil(2) > words_max {
            return None;
        }
    }
    let mut words = vec![FLAG_DETERMINISTIC, u32::try_from(units.len()).ok()?];
    let class_of: Vec<u8> = (0..=u8::MAX).map(|byte| classes.get(byte)).collect();
    words.extend(class_of.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])));
    debug_assert_eq!(words.len(), HEADER_WORDS);
    debug_assert_eq!(class_of.len(), CLASS_WORDS * 4);
    words.extend(targets.chunks(2).map(|two| {
        let half = |at: usize| u32::from(two.get(at).copied().unwrap_or_default());
        half(0) | half(1) << 16
    }));
    Some(words)
}
