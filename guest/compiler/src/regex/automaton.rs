//! The tables that `sandtrap_runtime::regex` reads; their layout stands there.

use regex_automata::nfa::thompson::{Compiler, Config, NFA, State, Transition, WhichCaptures};
use regex_automata::util::{look::Look, primitives::StateID};
use regex_syntax::hir::{
    self, Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition,
};
use sandtrap_runtime::regex::{
    FLAG_ANCHORED, FLAG_FIRST_BYTES, HEADER_WORDS, KIND_LOOK, KIND_MATCH, KIND_RANGE, KIND_SPLIT, LOOK_END,
    LOOK_LINE_END, LOOK_LINE_START, LOOK_NOT_WORD_EDGE, LOOK_START, LOOK_WORD_EDGE, NOWHERE, STATES_MAX,
};

use super::deterministic;

/// How many bytes an automaton may take while it is built.
const BUILD_BYTES_MAX: usize = 1 << 20;

/// So many words a table of the second kind may have, or as many as the first.
const DETERMINISTIC_WORDS_MIN: usize = 1024;

/// The table of an expression; `None` where it would be too large.
pub(super) fn build(hir: &Hir) -> Option<Vec<u32>> {
    let (table, deterministic) = tables(hir)?;
    Some(deterministic.unwrap_or(table))
}

/// Both tables of an expression, the second only where it is not much larger.
pub(super) fn tables(hir: &Hir) -> Option<(Vec<u32>, Option<Vec<u32>>)> {
    let nfa = nfa(hir)?;
    let mut table = Table { states: Vec::new(), numbers: vec![None; nfa.states().len()], waiting: Vec::new() };
    let start = table.number(nfa.start_anchored());
    while let Some(id) = table.waiting.pop() {
        table.place(&nfa, id)?;
    }
    let (first_bytes, usable) = first_bytes(&table.states, start);
    let mut flags = 0;
    if nfa.is_always_start_anchored() {
        flags |= FLAG_ANCHORED;
    }
    if usable {
        flags |= FLAG_FIRST_BYTES;
    }
    let mut words = vec![flags, u32::try_from(table.states.len()).ok()?, u32::from(start)];
    words.extend(first_bytes);
    debug_assert_eq!(words.len(), HEADER_WORDS);
    words.extend(
        table.states.iter().flat_map(|state| [state.head, u32::from(state.next) | u32::from(state.other) << 16]),
    );
    let words_max = words.len().max(DETERMINISTIC_WORDS_MIN);
    let deterministic = match counted_run(hir) {
        Some(counted) => self::nfa(&counted).and_then(|nfa| deterministic::build(&nfa, words_max)),
        None => deterministic::build(&nfa, words_max),
    };
    Some((words, deterministic))
}

fn nfa(hir: &Hir) -> Option<NFA> {
    let config = Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(BUILD_BYTES_MAX));
    Compiler::new().configure(config).build_from_hir(&valid_text(hir)).ok()
}

/// For an expression that only asks for so many characters of a class in a row, another that matches the same texts: it
/// counts them from the start, and again after each character that is none of them. Without, a match may have begun at each
/// of the last characters, and the sets of states that a deterministic automaton is made from are as large as the count.
fn counted_run(hir: &Hir) -> Option<Hir> {
    let HirKind::Repetition(run @ Repetition { min: 2.., sub, .. }) = hir.kind() else { return None };
    let mut others = match sub.kind() {
        HirKind::Class(Class::Unicode(class)) => class.clone(),
        HirKind::Literal(literal) => {
            let mut characters = std::str::from_utf8(&literal.0).ok()?.chars();
            let (Some(character), None) = (characters.next(), characters.next()) else { return None };
            ClassUnicode::new([ClassUnicodeRange::new(character, character)])
        }
        _ => return None,
    };
    others.negate();
    let times = |min, max| Hir::repetition(Repetition { min, max, ..run.clone() });
    let fewer = Hir::concat(vec![times(0, Some(run.min - 1)), Hir::class(Class::Unicode(others))]);
    let again = Repetition { min: 0, max: None, greedy: true, sub: Box::new(fewer) };
    Some(Hir::concat(vec![Hir::look(hir::Look::Start), Hir::repetition(again), times(run.min, Some(run.min))]))
}

/// As the expression, for text that is known to be UTF-8: a class with all characters beyond ASCII reads the first byte of
/// one and then bytes within characters, which are that one's, since no class starts with such a byte. Recursion is as
/// deep as the parser allows.
fn valid_text(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            let ends = class.ranges().last().is_some_and(|last| last.start() <= '\u{80}' && last.end() == char::MAX);
            if !ends {
                return hir.clone();
            }
            let ascii = class.ranges().iter().filter(|range| range.start().is_ascii());
            let ascii = ascii.map(|range| ClassBytesRange::new(range.start() as u8, range.end().min('\x7f') as u8));
            let bytes = |first, last| Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(first, last)])));
            let within = Repetition { min: 0, max: None, greedy: true, sub: Box::new(bytes(0x80, 0xbf)) };
            let beyond = Hir::concat(vec![bytes(0xc2, 0xf4), Hir::repetition(within)]);
            Hir::alternation(vec![Hir::class(Class::Bytes(ClassBytes::new(ascii))), beyond])
        }
        HirKind::Repetition(repetition) => {
            Hir::repetition(Repetition { sub: Box::new(valid_text(&repetition.sub)), ..repetition.clone() })
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(valid_text).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(valid_text).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) | HirKind::Capture(_) => {
            hir.clone()
        }
    }
}

/// A state of the table.
#[derive(Clone, Copy)]
struct Entry {
    head: u32,
    next: u16,
    other: u16,
}

struct Table {
    states: Vec<Entry>,
    /// The number in the table of each state of the automaton, once it has one.
    numbers: Vec<Option<u16>>,
    waiting: Vec<StateID>,
}

impl Table {
    /// A place for one more state. Past [`STATES_MAX`], which `place` checks, the number is none.
    fn fresh(&mut self) -> u16 {
        let number = u16::try_from(self.states.len()).unwrap_or(NOWHERE);
        self.states.push(Entry { head: KIND_SPLIT, next: NOWHERE, other: NOWHERE });
        number
    }

    /// The number of a state, which is placed later if it is new.
    fn number(&mut self, id: StateID) -> u16 {
        if let Some(number) = self.numbers.get(id.as_usize()).copied().flatten() {
            return number;
        }
        let number = self.fresh();
        if let Some(slot) = self.numbers.get_mut(id.as_usize()) {
            *slot = Some(number);
        }
        self.waiting.push(id);
        number
    }

    fn set(&mut self, number: u16, head: u32, next: u16, other: u16) {
        if let Some(entry) = self.states.get_mut(usize::from(number)) {
            *entry = Entry { head, next, other };
        }
    }

    /// Writes a state; `None` where there are too many or a look is not one of ours.
    fn place(&mut self, nfa: &NFA, id: StateID) -> Option<()> {
        let at = self.number(id);
        match nfa.state(id) {
            State::ByteRange { trans } => self.ranges(at, std::slice::from_ref(trans)),
            State::Sparse(sparse) => self.ranges(at, &sparse.transitions),
            State::Dense(dense) => {
                let transition = |byte| Some(Transition { start: byte, end: byte, next: dense.matches_byte(byte)? });
                self.ranges(at, &(0..=u8::MAX).filter_map(transition).collect::<Vec<_>>());
            }
            State::Look { look, next } => {
                let look = look_number(*look)?;
                let next = self.number(*next);
                self.set(at, KIND_LOOK | look << 8, next, NOWHERE);
            }
            State::Union { alternates } => self.split(at, alternates),
            State::BinaryUnion { alt1, alt2 } => self.split(at, &[*alt1, *alt2]),
            State::Capture { next, .. } => self.split(at, &[*next]),
            State::Fail => {}
            State::Match { .. } => self.set(at, KIND_MATCH, NOWHERE, NOWHERE),
        }
        (self.states.len() <= STATES_MAX).then_some(())
    }

    /// One state for each range, each naming the next to try.
    fn ranges(&mut self, mut at: u16, transitions: &[Transition]) {
        for (index, transition) in transitions.iter().enumerate() {
            let next = self.number(transition.next);
            let other = if index + 1 < transitions.len() { self.fresh() } else { NOWHERE };
            let head = KIND_RANGE | u32::from(transition.start) << 8 | u32::from(transition.end) << 16;
            self.set(at, head, next, other);
            at = other;
        }
    }

    fn split(&mut self, mut at: u16, targets: &[StateID]) {
        for (index, target) in targets.iter().enumerate() {
            let next = self.number(*target);
            let other = if index + 2 < targets.len() {
                self.fresh()
            } else {
                targets.get(index + 1).map_or(NOWHERE, |last| self.number(*last))
            };
            self.set(at, KIND_SPLIT, next, other);
            if index + 2 >= targets.len() {
                return;
            }
            at = other;
        }
    }
}

fn look_number(look: Look) -> Option<u32> {
    Some(match look {
        Look::Start => LOOK_START,
        Look::End => LOOK_END,
        Look::StartLF => LOOK_LINE_START,
        Look::EndLF => LOOK_LINE_END,
        Look::WordAscii => LOOK_WORD_EDGE,
        Look::WordAsciiNegate => LOOK_NOT_WORD_EDGE,
        _ => return None,
    })
}

/// The bytes that a match may start with, and whether every match starts with one: not where it may be empty.
fn first_bytes(states: &[Entry], start: u16) -> ([u32; 8], bool) {
    let (mut bytes, mut usable) = ([0; 8], true);
    let (mut seen, mut waiting) = (vec![false; states.len()], vec![start]);
    while let Some(at) = waiting.pop() {
        let Some(entry) = states.get(usize::from(at)) else { continue };
        if std::mem::replace(&mut seen[usize::from(at)], true) {
            continue;
        }
        match entry.head & 0xff {
            KIND_RANGE => {
                for byte in entry.head >> 8 & 0xff..=entry.head >> 16 & 0xff {
                    bytes[(byte / 32) as usize] |= 1 << (byte % 32);
                }
                waiting.push(entry.other);
            }
            KIND_MATCH => usable = false,
            _ => waiting.extend([entry.next, entry.other]),
        }
    }
    (bytes, usable)
}
