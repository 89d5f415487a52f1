//! Literals that a match must have, for the prefilter, which looks for them in folded text.
//!
//! The expression is folded, too: each of its characters is replaced by what it folds to. Then the folded text of a match
//! matches the folded expression, whether or not case mattered, and what every match of that has is necessary.

use std::collections::HashSet;

use regex_syntax::hir::{
    Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition,
    literal::{ExtractKind, Extractor},
};
use sandtrap_wit::text::{fold, fold_char};

use crate::ir::MatchKind;

/// How many characters a class has at most to be looked into.
const CLASS_MAX: usize = 16;
/// How many characters a class has at most to be folded; it may have fewer then.
const FOLDED_CLASS_MAX: usize = 64;
/// How many literals are worth looking for.
const LITERALS_MAX: usize = 64;
/// How many bytes of a literal are worth looking for.
const LITERAL_BYTES_MAX: usize = 64;
/// How many parts of a sequence literals are looked for from.
const PARTS_MAX: usize = 256;
/// How many of the lists that a sequence gives are kept: the most telling.
const LISTS_MAX: usize = 12;

/// What the folded text of every match has in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    /// One of these.
    OneOf(Vec<Literal>),
    /// All that these say; of none, nothing is known.
    All(Vec<Required>),
    /// What one of these says.
    Any(Vec<Required>),
}

/// A text that a match has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The text, folded and not empty.
    pub text: String,
    /// Where: anywhere, or at the start or end of the text that is searched.
    pub kind: MatchKind,
}

/// What every match has.
pub(super) fn required(hir: &Hir) -> Required {
    find(&folded(hir))
}

/// Recursion is as deep as the parser allows.
fn folded(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => hir.clone(),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Hir::literal(fold(text).into_bytes()),
            Err(_) => hir.clone(),
        },
        HirKind::Class(class) => folded_class(class),
        HirKind::Repetition(repetition) => {
            Hir::repetition(Repetition { sub: Box::new(folded(&repetition.sub)), ..repetition.clone() })
        }
        HirKind::Capture(capture) => folded(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(folded).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(folded).collect()),
    }
}

/// A class that is too large stays as it is: nothing looks into it.
fn folded_class(class: &Class) -> Hir {
    let characters = match class {
        Class::Unicode(class) => class.clone(),
        Class::Bytes(bytes) => match bytes.to_unicode_class() {
            Some(class) => class,
            None => return Hir::class(Class::Bytes(bytes.clone())),
        },
    };
    if characters.iter().map(ClassUnicodeRange::len).sum::<usize>() > FOLDED_CLASS_MAX {
        return Hir::class(Class::Unicode(characters));
    }
    let all = characters.iter().flat_map(|range| range.start()..=range.end()).map(fold_char);
    Hir::class(Class::Unicode(ClassUnicode::new(all.map(|c| ClassUnicodeRange::new(c, c)))))
}

fn find(hir: &Hir) -> Required {
    match hir.kind() {
        HirKind::Repetition(repetition) if repetition.min > 0 => find(&repetition.sub),
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(branches) => {
            // Few short branches are better seen as a whole: `cmd|cmd32` is `cmd`.
            let whole = ends(hir, &ExtractKind::Prefix).map(|texts| list(texts, MatchKind::Contains));
            let each = Required::Any(branches.iter().map(find).collect());
            Required::All(whole.into_iter().chain([each]).collect())
        }
        _ => of_sequence(std::slice::from_ref(hir)),
    }
}

/// What all parts of a sequence have, and what lies where they meet.
fn of_sequence(parts: &[Hir]) -> Required {
    let mut lists = Vec::new();
    let is_look = |part: Option<&Hir>, look: Look| part.is_some_and(|part| *part.kind() == HirKind::Look(look));
    if is_look(parts.first(), Look::Start) {
        let rest = Hir::concat(parts.get(1..).unwrap_or_default().to_vec());
        lists.extend(ends(&rest, &ExtractKind::Prefix).map(|texts| (texts, MatchKind::StartsWith)));
    }
    if is_look(parts.last(), Look::End) {
        let rest = Hir::concat(parts.get(..parts.len().saturating_sub(1)).unwrap_or_default().to_vec());
        lists.extend(ends(&rest, &ExtractKind::Suffix).map(|texts| (texts, MatchKind::EndsWith)));
    }
    // What follows a part may go on with it: each place of the sequence is a start.
    for at in (0..parts.len().min(PARTS_MAX)).filter(|at| is_start(parts, *at)) {
        let rest = Hir::concat(parts.get(at..).unwrap_or_default().to_vec());
        lists.extend(ends(&rest, &ExtractKind::Prefix).map(|texts| (texts, MatchKind::Contains)));
    }
    let mut seen = HashSet::new();
    lists.retain(|(texts, kind)| seen.insert((texts.clone(), *kind)));
    lists.sort_by_key(|(texts, _)| std::cmp::Reverse(telling(texts)));
    lists.truncate(LISTS_MAX);
    let mut all: Vec<Required> = lists.into_iter().map(|(texts, kind)| list(texts, kind)).collect();
    let inner = |part: &&Hir| matches!(part.kind(), HirKind::Repetition(_) | HirKind::Alternation(_));
    if parts.len() > 1 {
        all.extend(parts.iter().take(PARTS_MAX).filter(inner).map(find).filter(|found| !found.is_nothing()));
    }
    Required::All(all)
}

/// Whether a part can start a literal; in a long sequence only those that are worth trying.
fn is_start(parts: &[Hir], at: usize) -> bool {
    parts
        .get(at)
        .is_some_and(|part| matches!(part.kind(), HirKind::Literal(_) | HirKind::Class(_) | HirKind::Alternation(_)))
}

fn list(texts: Vec<String>, kind: MatchKind) -> Required {
    Required::OneOf(texts.into_iter().map(|text| Literal { text, kind }).collect())
}

/// The literals that a match starts or ends with.
fn ends(hir: &Hir, kind: &ExtractKind) -> Option<Vec<String>> {
    let mut extractor = Extractor::new();
    extractor.kind(kind.clone()).limit_class(CLASS_MAX).limit_literal_len(LITERAL_BYTES_MAX).limit_total(LITERALS_MAX);
    let found = extractor.extract(hir);
    let at_start = matches!(kind, ExtractKind::Prefix);
    let literals: Vec<Vec<u8>> = found.literals()?.iter().map(|literal| literal.as_bytes().to_vec()).collect();
    // The end of a literal is as necessary, and many literals may be alike there.
    let longest = literals.iter().map(Vec::len).max().unwrap_or(0);
    let cut = |literal: &Vec<u8>, len: usize| {
        let from = if at_start { 0 } else { literal.len().saturating_sub(len) };
        let to = if at_start { len.min(literal.len()) } else { literal.len() };
        whole_characters(literal.get(from..to).unwrap_or_default())
    };
    let candidates = (1..=longest).map(|len| distinct(literals.iter().map(|literal| cut(literal, len)).collect()));
    candidates.filter(|all| all.iter().all(|literal| !literal.is_empty())).max_by_key(|literals| telling(literals))
}

/// A literal may have been cut anywhere.
fn whole_characters(bytes: &[u8]) -> String {
    let is_start = |byte: &u8| !(0x80..0xc0).contains(byte);
    let bytes = bytes.get(bytes.iter().position(is_start).unwrap_or(bytes.len())..).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).into_owned(),
    }
}

/// Each once.
fn distinct(mut literals: Vec<String>) -> Vec<String> {
    literals.sort_unstable();
    literals.dedup();
    literals
}

/// More is better: a byte of the shortest literal is worth two more literals.
fn telling(literals: &[String]) -> isize {
    let shortest = literals.iter().map(String::len).min().unwrap_or(0);
    (shortest * 2).cast_signed() - literals.len().cast_signed()
}

impl Required {
    /// Whether it says nothing.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::OneOf(_) => false,
            Self::All(parts) => parts.iter().all(Self::is_nothing),
            Self::Any(branches) => branches.iter().any(Self::is_nothing),
        }
    }
}
