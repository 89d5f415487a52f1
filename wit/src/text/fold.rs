//! Case folding: Unicode simple case folding (statuses C and S of CaseFolding.txt) of the version in
//! [`super::UNICODE_VERSION`], for atom and haystack alike.
//!
//! Simple folding maps one character to one character: É folds to é, the Kelvin sign to k, and ß stays ß. For ASCII it
//! is ASCII lower-casing, which is the fast path of whoever knows a text to be ASCII.

use super::tables::FOLDS;

/// The simple case folding of a character.
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = c as u32;
    let at = FOLDS.partition_point(|range| range.last < code);
    match FOLDS.get(at) {
        Some(range) if range.first <= code && (code - range.first).is_multiple_of(range.step) => {
            char::from_u32(code.wrapping_add_signed(range.delta)).unwrap_or(c)
        }
        _ => c,
    }
}

/// Folds `text` character by character into `write`.
pub fn fold_to(text: &str, write: impl FnMut(char)) {
    text.chars().map(fold_char).for_each(write);
}

/// The folded text.
#[cfg(feature = "std")]
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// Whether folding would leave `text` as it is.
pub fn is_folded(text: &str) -> bool {
    text.chars().all(|c| fold_char(c) == c)
}

/// A run of characters that fold alike: every `step`-th from `first` to `last` folds to itself plus `delta`.
pub(super) struct FoldRange {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) step: u32,
    pub(super) delta: i32,
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::collections::BTreeMap;

    use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

    use super::*;

    #[test]
    fn folds_the_cases_that_matter() {
        for (from, to) in [
            ("É", "é"),
            ("\u{212A}", "k"),
            ("ß", "ß"),
            ("\u{1E9E}", "ß"),
            ("ſ", "s"),
            ("Σς", "σσ"),
            ("İ", "İ"),
            ("ABCxyz09_", "abcxyz09_"),
        ] {
            assert_eq!(fold(from), to, "{from}");
        }
    }

    /// `regex-syntax` carries its own copy of the Unicode data, here of version 16: of the characters that it knows,
    /// those that fold alike are those that it calls case-insensitively equal, for every character.
    #[test]
    fn agrees_with_regex_syntax() {
        let known = known_to_regex_syntax();
        let characters = || known.iter().flat_map(|range| range.start()..=range.end());
        let mut alike: BTreeMap<char, Vec<char>> = BTreeMap::new();
        characters().for_each(|c| alike.entry(fold_char(c)).or_default().push(c));
        for c in characters() {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
            class.try_case_fold_simple().expect("the case data is compiled in");
            let equal: Vec<char> = class.iter().flat_map(|range| range.start()..=range.end()).collect();
            assert_eq!(Some(&equal), alike.get(&fold_char(c)), "{c:?}");
        }
        assert!(characters().count() > 250_000, "most of Unicode was compared");
    }

    fn known_to_regex_syntax() -> ClassUnicode {
        let newest = regex_syntax::parse(r"\p{Age:16.0}").expect("a property of regex-syntax 0.8");
        assert!(regex_syntax::parse(r"\p{Age:17.0}").is_err(), "regex-syntax knows a newer Unicode: compare with that");
        match newest.into_kind() {
            HirKind::Class(Class::Unicode(class)) => class,
            other => panic!("a class of characters, not {other:?}"),
        }
    }
}
