//! Literals in the JSON text of an event: whether a key's value is worth asking for at all.
//!
//! A keyword is looked for in every value of an event, and to fetch them all costs more than everything else. So their
//! JSON is searched first, as it lies: of each literal a piece that JSON can only write in one way, save by `\u` escapes.
//! Text with one of these, or with one of the two characters that fold to ASCII, is not judged.

use memchr::memmem;

use super::grams::{GRAM, Grams, Search};
use crate::values::Json;

/// Pieces of literals.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    grams: Grams<GRAM>,
    /// One after the other.
    texts: Vec<Box<[u8]>>,
    unicode_escape: memmem::Finder<'static>,
}

/// The characters that are not ASCII and fold to it: the Kelvin sign and the long s.
const FOLD_TO_ASCII: [&str; 2] = ["\u{212a}", "\u{17f}"];

impl Pieces {
    /// Pieces of these literals; `None` where one has none that is good enough.
    pub(super) fn new<'a>(literals: impl Iterator<Item = &'a [u8]>, cost: impl Fn(&[u8]) -> f64) -> Option<Self> {
        let pieces: Option<Vec<Box<[u8]>>> = literals.map(|literal| piece(literal).map(Box::from)).collect();
        let pieces = pieces.filter(|pieces| !pieces.is_empty())?;
        let numbered: Vec<(u32, &[u8])> = (0..).zip(pieces.iter().map(|piece| &**piece)).collect();
        Some(Self { grams: Grams::new(&numbered, cost), texts: pieces, unicode_escape: memmem::Finder::new(br"\u") })
    }

    /// Whether one of the literals may be in a text of this JSON.
    pub(super) fn may_be_in(&self, json: Json<'_>) -> bool {
        let Json { text: json, plain } = json;
        let folds = || FOLD_TO_ASCII.iter().any(|c| memmem::find(json, c.as_bytes()).is_some());
        if !plain && (self.has_unicode_escape(json) || !json.is_ascii() && folds()) {
            return true;
        }
        let mut is_there = false;
        let search = self.grams.find(json, |number, start| {
            let piece = self.texts.get(number as usize)?;
            let there = json.get(start..).and_then(|rest| rest.get(..piece.len()));
            is_there |= there.is_some_and(|there| there.eq_ignore_ascii_case(piece));
            Some(piece.len())
        });
        is_there || search == Search::Flooded
    }

    /// Whether there is `\u` that begins an escape: after an even number of backslashes.
    fn has_unicode_escape(&self, json: &[u8]) -> bool {
        self.unicode_escape.find_iter(json).any(|at| {
            let before = json.get(..at).unwrap_or_default();
            before.iter().rev().take_while(|byte| **byte == b'\\').count().is_multiple_of(2)
        })
    }

    /// The memory that they use.
    pub(super) fn bytes(&self) -> usize {
        let pieces = self.texts.iter().map(|piece| piece.len().saturating_add(size_of::<Box<[u8]>>()));
        self.grams.bytes() + pieces.sum::<usize>()
    }
}

/// The longest piece of a literal without a character that JSON may escape. It must be told from a number and from a
/// word, which an event may write in another way than the value's text has it.
fn piece(literal: &[u8]) -> Option<&[u8]> {
    let may_be_escaped = |byte: &u8| !byte.is_ascii() || byte.is_ascii_control() || br#""\/"#.contains(byte);
    let pieces = literal.split(may_be_escaped).filter(|piece| piece.len() >= GRAM);
    let is_telling = |piece: &&[u8]| piece.iter().any(|byte| !b"0123456789+-.aefilnrstuy".contains(byte));
    pieces.filter(is_telling).max_by_key(|piece| piece.len())
}

#[cfg(test)]
mod tests {
    use sandtrap_wit::text::fold_char;

    use super::*;

    fn judge(literal: &str, json: &str) -> Option<bool> {
        Some(
            Pieces::new([literal.as_bytes()].into_iter(), |_| 1.0)?
                .may_be_in(Json { text: json.as_bytes(), plain: false }),
        )
    }

    #[test]
    fn a_literal_is_found_however_json_may_write_it() {
        for (literal, json, expected) in [
            (r"\mimilib.dll", r#"{"a": "C:\\x\\MimiLib.dll"}"#, Some(true)),
            (r"\mimilib.dll", r#"{"a": "C:\\x\\mimilab.dll"}"#, Some(false)),
            ("sekurlsa::", r#"{"a": "sekurls"}"#, Some(false)),
            // Escapes and characters that fold to ASCII are not judged.
            ("sekurlsa::", r#"{"a": "\u0073ekurlsa::"}"#, Some(true)),
            ("sekurlsa::", r#"{"a": "\\users"}"#, Some(false)),
            ("sekurlsa::", r#"{"a": "\\\u0073"}"#, Some(true)),
            ("sekurlsa::", "{\"a\": \"se\u{212a}urlsa::\"}", Some(true)),
            ("sekurlsa::", "{\"a\": \"\u{17f}ekurlsa::\"}", Some(true)),
            ("sekurlsa::", "{\"a\": \"\u{e9}\"}", Some(false)),
            // Pieces too short, and such as numbers and words have.
            (r"a\b\c", "{}", None),
            ("10000.0", "{}", None),
            ("true", "{}", None),
            ("\u{e9}\u{e9}\u{e9}", "{}", None),
        ] {
            assert_eq!(judge(literal, json), expected, "{literal} in {json}");
        }
    }

    #[test]
    fn only_two_characters_fold_to_ascii() {
        let folding = ('\u{80}'..=char::MAX).filter(|c| fold_char(*c).is_ascii());
        let mut expected: Vec<char> = FOLD_TO_ASCII.iter().flat_map(|text| text.chars()).collect();
        expected.sort_unstable();
        assert_eq!(folding.collect::<Vec<_>>(), expected);
    }
}
