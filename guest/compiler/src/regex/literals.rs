//! Literals that a match must have, for the prefilter, which looks for them in folded text.
//!
//! The expression is folded, too: each of its characters is replaced by what it folds to. Then the folded text of a match
//! matches the folded expression, whether or not case mattered, and what every match of that has is necessary.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition, literal::Extractor};
use sandtrap_wit::text::{fold, fold_char};

/// How many characters a class has at most to be looked into.
const CLASS_MAX: usize = 16;
/// How many literals are worth looking for.
const LITERALS_MAX: usize = 32;
/// How many bytes of a literal are worth looking for.
const LITERAL_BYTES_MAX: usize = 64;
/// How many parts of a sequence literals are looked for from.
const PARTS_MAX: usize = 256;

/// Literals of which a match has one, the most telling that were found.
pub(super) fn required(hir: &Hir) -> Option<Vec<String>> {
    best(&folded(hir))
}

/// Recursion is as deep as the parser allows.
fn folded(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Hir::literal(fold(text).into_bytes()),
            Err(_) => hir.clone(),
        },
        HirKind::Class(Class::Unicode(class)) if characters(class) <= CLASS_MAX => {
            let all = class.iter().flat_map(|range| range.start()..=range.end()).map(fold_char);
            Hir::class(Class::Unicode(ClassUnicode::new(all.map(|c| ClassUnicodeRange::new(c, c)))))
        }
        HirKind::Class(_) => hir.clone(),
        HirKind::Repetition(repetition) => {
            Hir::repetition(Repetition { sub: Box::new(folded(&repetition.sub)), ..repetition.clone() })
        }
        HirKind::Capture(capture) => folded(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(folded).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(folded).collect()),
    }
}

fn characters(class: &ClassUnicode) -> usize {
    class.iter().map(ClassUnicodeRange::len).sum()
}

fn best(hir: &Hir) -> Option<Vec<String>> {
    let inner = match hir.kind() {
        HirKind::Repetition(repetition) if repetition.min > 0 => best(&repetition.sub),
        HirKind::Concat(parts) => {
            let each = parts.iter().filter_map(best);
            // What follows a part may go on with it: each place of the sequence is a start.
            let starts = (0..parts.len().min(PARTS_MAX)).filter(|at| is_start(parts, *at));
            let from = starts.filter_map(|at| prefixes(&Hir::concat(parts.get(at..)?.to_vec())));
            each.chain(from).max_by_key(|literals| telling(literals))
        }
        HirKind::Alternation(branches) => {
            let each: Option<Vec<Vec<String>>> = branches.iter().map(best).collect();
            each.map(|literals| distinct(literals.concat())).filter(|literals| literals.len() <= LITERALS_MAX)
        }
        _ => None,
    };
    inner.into_iter().chain(prefixes(hir)).max_by_key(|literals| telling(literals))
}

/// Whether a part can start a literal; in a long sequence only those that are worth trying.
fn is_start(parts: &[Hir], at: usize) -> bool {
    parts
        .get(at)
        .is_some_and(|part| matches!(part.kind(), HirKind::Literal(_) | HirKind::Class(_) | HirKind::Alternation(_)))
}

/// The literals that a match starts with.
fn prefixes(hir: &Hir) -> Option<Vec<String>> {
    let mut extractor = Extractor::new();
    extractor.limit_class(CLASS_MAX).limit_literal_len(LITERAL_BYTES_MAX).limit_total(LITERALS_MAX);
    let found = extractor.extract(hir);
    let literals = found.literals()?.iter().map(|literal| whole_characters(literal.as_bytes())).collect();
    let literals: Vec<String> = distinct(literals);
    // The start of a literal is as necessary, and many literals may start alike.
    let longest = literals.iter().map(String::len).max().unwrap_or(0);
    let candidates = (1..=longest).map(|len| {
        let cut = |literal: &String| whole_characters(literal.as_bytes().get(..len).unwrap_or(literal.as_bytes()));
        distinct(literals.iter().map(cut).collect())
    });
    candidates.filter(|all| all.iter().all(|literal| !literal.is_empty())).max_by_key(|literals| telling(literals))
}

/// A literal may have been cut anywhere.
fn whole_characters(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).into_owned(),
    }
}

/// Without those that have another one in them.
fn distinct(mut literals: Vec<String>) -> Vec<String> {
    literals.sort_unstable();
    literals.dedup();
    let others = literals.clone();
    literals.retain(|literal| !others.iter().any(|other| other != literal && literal.contains(other.as_str())));
    literals
}

/// More is better: a byte of the shortest literal is worth two more literals.
fn telling(literals: &[String]) -> isize {
    let shortest = literals.iter().map(String::len).min().unwrap_or(0);
    (shortest * 2).cast_signed() - literals.len().cast_signed()
}
