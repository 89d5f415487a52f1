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
        Some(range) if range.first <= code && (code - range.first) % range.step == 0 => {
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

    /// `regex-syntax` carries its own copy of the Unicode data: two characters fold alike exactly when it calls them
    /// case-insensitively equal.
    #[test]
    fn agrees_with_regex_syntax() {
        for c in ('\0'..=char::MAX).filter(|c| fold_char(*c) != *c) {
            let pattern = format!("(?i)^{}$", regex_syntax::escape(&c.to_string()));
            let hir = regex_syntax::parse(&pattern).expect("an escaped character is a pattern");
            let folded = fold_char(c);
            let mut found = false;
            walk(&hir, &mut |class| {
                found |= class.iter().any(|range| range.start() <= folded && folded <= range.end())
            });
            assert!(found, "{c:?} does not fold to {folded:?} for regex-syntax");
        }
        let pairs = regex_syntax::parse(r"(?i)[\x{0}-\x{10FFFF}]").is_ok();
        assert!(pairs);
    }

    fn walk(hir: &regex_syntax::hir::Hir, see: &mut impl FnMut(&regex_syntax::hir::ClassUnicode)) {
        use regex_syntax::hir::{Class, HirKind};
        match hir.kind() {
            HirKind::Class(Class::Unicode(class)) => see(class),
            HirKind::Concat(parts) => parts.iter().for_each(|part| walk(part, see)),
            _ => {}
        }
    }
}
