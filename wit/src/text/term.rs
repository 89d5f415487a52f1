//! Terms: what KQL's `has` family matches. A term is a maximal run of letters and digits.

use super::tables::LETTERS_AND_DIGITS;

/// Whether a character belongs to a term: general category L (letters) or Nd (decimal digits). The underscore and
/// all punctuation delimit; accented letters are letters.
pub fn is_term_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let code = c as u32;
    let at = LETTERS_AND_DIGITS.partition_point(|(_, last)| *last < code);
    LETTERS_AND_DIGITS.get(at).is_some_and(|(first, _)| *first <= code)
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_only() {
        for c in ['a', 'Z', '0', 'ä', 'É', 'ß', '中', 'ﬁ', '٣'] {
            assert!(is_term_char(c), "{c}");
        }
        for c in ['_', '-', '.', ' ', '\u{a0}', '€', '½', '²', '\u{301}', 'Ⅷ'] {
            assert!(!is_term_char(c), "{c}");
        }
    }
}
