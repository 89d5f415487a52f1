//! Text operators, written independently of `sandtrap_wit::text`: a disagreement must show up in the tests.
//!
//! Folding is derived from the standard library's case mappings and a list of exceptions; terms from ICU's general
//! categories. <https://learn.microsoft.com/kusto/query/datatypes-string-operators>

use icu_properties::{CodePointMapData, props::GeneralCategory};

use crate::kql::ast::TextOpKind;

/// Whether two texts that differ only in case are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// They are not.
    Sensitive,
    /// They are.
    Folded,
}

/// A text as characters, ready to be compared.
pub(super) fn characters(text: &str, case: Case) -> Vec<char> {
    match case {
        Case::Sensitive => text.chars().collect(),
        Case::Folded => text.chars().map(fold).collect(),
    }
}

/// Whether the needle lies in the haystack in the way the operator asks for. The empty needle always does.
pub(super) fn matches(haystack: &str, needle: &str, kind: TextOpKind, case: Case) -> bool {
    let (haystack, needle) = (characters(haystack, case), characters(needle, case));
    match kind {
        TextOpKind::StartsWith => haystack.starts_with(&needle),
        TextOpKind::EndsWith => haystack.ends_with(&needle),
        TextOpKind::Contains => occurrences(&haystack, &needle).next().is_some(),
        TextOpKind::Has => occurrences(&haystack, &needle)
            .any(|at| starts_term(&haystack, &needle, at) && ends_term(&haystack, &needle, at)),
        TextOpKind::HasPrefix => occurrences(&haystack, &needle).any(|at| starts_term(&haystack, &needle, at)),
        TextOpKind::HasSuffix => occurrences(&haystack, &needle).any(|at| ends_term(&haystack, &needle, at)),
    }
}

/// Where the needle starts in the haystack: every occurrence, overlapping ones too.
fn occurrences<'a>(haystack: &'a [char], needle: &'a [char]) -> impl Iterator<Item = usize> + 'a {
    (0..=haystack.len()).filter(move |at| haystack.get(*at..).is_some_and(|rest| rest.starts_with(needle)))
}

/// No term runs across the left edge of the needle at `at`.
fn starts_term(haystack: &[char], needle: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| haystack.get(before));
    !(needle.first().is_some_and(is_term) && before.is_some_and(is_term))
}

/// No term runs across the right edge of the needle at `at`.
fn ends_term(haystack: &[char], needle: &[char], at: usize) -> bool {
    !(needle.last().is_some_and(is_term) && haystack.get(at + needle.len()).is_some_and(is_term))
}

/// A letter or a decimal digit; the underscore delimits.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "its callers have references")]
fn is_term(c: &char) -> bool {
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(*c),
        GeneralCategory::UppercaseLetter
            | GeneralCategory::LowercaseLetter
            | GeneralCategory::TitlecaseLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::DecimalNumber
    )
}

/// Simple case folding: `CaseFolding.txt`, statuses C and S.
///
/// In general the fold of a character is the lower case of its upper case (ς and σ meet in Σ, ſ and s in S). The
/// standard library's mappings are full, so a mapping to several characters is not a simple one and is left out.
fn fold(c: char) -> char {
    match c {
        // Turkish: İ has only a full folding, and ı has none although its upper case is I. Cherokee folds to upper case,
        // which is older in Unicode than its lower case.
        'İ' | 'ı' | '\u{13A0}'..='\u{13F5}' => c,
        '\u{13F8}'..='\u{13FD}' | '\u{AB70}'..='\u{ABBF}' => single(c.to_uppercase()).unwrap_or(c),
        // Equivalent characters whose upper case takes several characters.
        '\u{1FD3}' => '\u{0390}',
        '\u{1FE3}' => '\u{03B0}',
        '\u{FB05}' => '\u{FB06}',
        // New in Unicode 18; the standard library has 17.
        '\u{A7DD}' => '\u{0277}',
        '\u{A7E2}' => '\u{027C}',
        '\u{AB6C}' => '\u{AB4B}',
        '\u{AB6D}' => '\u{AB4C}',
        '\u{1DF95}' => 'ß',
        '\u{1DF40}' | '\u{1DF48}' | '\u{1DF4A}' | '\u{1DF4D}' | '\u{1DF51}' | '\u{1DF68}' | '\u{1DF6A}'
        | '\u{1DF6C}' | '\u{1DF6E}' | '\u{1DF72}' | '\u{1DF74}' | '\u{1DF76}' | '\u{1DF78}' | '\u{1DF7A}'
        | '\u{1DF7C}' | '\u{1DF7E}' => char::from_u32(u32::from(c) + 1).unwrap_or(c),
        _ => to_lower(single(c.to_uppercase()).unwrap_or(c)),
    }
}

/// The simple lower case of a character (`UnicodeData.txt`).
pub(super) fn to_lower(c: char) -> char {
    // The one character whose full lower case has several characters; its simple one is plain i.
    if c == 'İ' { 'i' } else { single(c.to_lowercase()).unwrap_or(c) }
}

/// The simple upper case of a character (`UnicodeData.txt`).
pub(super) fn to_upper(c: char) -> char {
    let distance = match c {
        // Greek with iota subscript: simply the title case, which the standard library does not have.
        '\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}' => 8,
        '\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}' => 9,
        _ => return single(c.to_uppercase()).unwrap_or(c),
    };
    char::from_u32(u32::from(c) + distance).unwrap_or(c)
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next()?;
    mapped.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_terms_agree_with_the_contract() {
        for c in '\0'..=char::MAX {
            assert_eq!(fold(c), sandtrap_wit::text::fold_char(c), "fold of {c:?} (U+{:04X})", u32::from(c));
            assert_eq!(is_term(&c), sandtrap_wit::text::is_term_char(c), "{c:?} (U+{:04X})", u32::from(c));
        }
    }

    #[test]
    fn has_asks_for_a_boundary_only_at_edges_that_are_term_characters() {
        for (haystack, needle, expected) in [
            ("www.server-eye.de/x", "server-eye.de", true),
            ("notserver-eye.de", "server-eye.de", false),
            ("server-eye.dev", "server-eye.de", false),
            ("server-eye.dev server-eye.de", "server-eye.de", true),
            ("a.exe", ".exe", true),
            ("a.exes", ".exe", false),
            ("Krämer IT", "Kr", false),
            ("KRÄMER it", "krämer IT", true),
            ("file_name", "name", true),
            ("name2", "name", false),
            ("anything", "", true),
            ("", "", true),
            ("", "a", false),
            ("xa b", "a ", false),
            ("b .b-", " ", true),
            ("aXaXa", "aXa", false),
            ("xaa aa", "aa", true),
            ("-a-a-a", "-a-a", true),
            ("1.1.1x 1.1.1", "1.1", true),
            ("273\u{212A} k", "273k", true),
            ("STRASSE", "straße", false),
        ] {
            assert_eq!(
                matches(haystack, needle, TextOpKind::Has, Case::Folded),
                expected,
                "{haystack:?} has {needle:?}"
            );
        }
    }

    #[test]
    fn the_other_operators() {
        use TextOpKind::{Contains, EndsWith, HasPrefix, HasSuffix, StartsWith};
        for (kind, case, haystack, needle, expected) in [
            (Contains, Case::Folded, "notSERVER", "ts", true),
            (Contains, Case::Sensitive, "notSERVER", "ts", false),
            (StartsWith, Case::Folded, "Éa", "é", true),
            (StartsWith, Case::Sensitive, "Éa", "é", false),
            (EndsWith, Case::Folded, "a.EXE", ".exe", true),
            (EndsWith, Case::Folded, "a", "aa", false),
            (HasPrefix, Case::Folded, "x-error", "err", true),
            (HasPrefix, Case::Folded, "err or", "r o", false),
            (HasSuffix, Case::Folded, "x-error", "err", false),
            (HasSuffix, Case::Folded, "x-error", "ROR", true),
            (HasSuffix, Case::Sensitive, "x-error", "ROR", false),
        ] {
            assert_eq!(matches(haystack, needle, kind, case), expected, "{haystack:?} {kind:?} {case:?} {needle:?}");
        }
    }

    #[test]
    fn lower_and_upper_case_are_one_character_each() {
        let lower: String = "ÀßİΣǅ".chars().map(to_lower).collect();
        assert_eq!(lower, "àßiσǆ");
        let upper: String = "àßıςǆᾳ".chars().map(to_upper).collect();
        assert_eq!(upper, "ÀßIΣǄᾼ");
    }
}
