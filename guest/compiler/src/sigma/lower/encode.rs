//! Modifiers that make texts of texts: `windash`, `utf16le` and its kin, `base64`, `base64offset` (appendix "Sigma
//! Modifiers", "String Modifiers").

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::pattern;
use crate::ir::{Pattern, Piece};

/// What `windash` exchanges: hyphen, slash, en dash, em dash, horizontal bar.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// So many texts one value may become: five flags with five dashes each.
pub(super) const EXPANSIONS_MAX: usize = 3_125;

/// UTF-16 with its byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Utf16 {
    Little,
    Big,
    /// Little endian after a byte order mark.
    Marked,
}

/// Text as bytes, and as text again if it can be that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes {
    /// What `base64` encodes.
    pub(super) bytes: Vec<u8>,
    /// What an event's text is compared with where no `base64` follows. UTF-16 of ASCII is text, too: with U+0000
    /// between its letters.
    pub(super) text: Option<String>,
}

/// The pattern with every combination of dashes where a flag begins; `None` if there are too many.
///
/// The specification says only that the five characters are exchanged. A flag begins where pySigma finds one
/// (`\B[-/]\b`): no letter, digit or `_` before the dash, and one behind it. Elsewhere, as in `a-b`, a dash is itself.
pub(super) fn windash(pattern: &Pattern) -> Option<Vec<Pattern>> {
    let mut results = vec![Pattern(Vec::new())];
    for piece in &pattern.0 {
        let Piece::Literal(text) = piece else {
            results.iter_mut().for_each(|result| pattern::push(result, piece.clone()));
            continue;
        };
        let mut start = 0;
        for at in flags(text) {
            let before = text.get(start..at).unwrap_or_default();
            if results.len().saturating_mul(DASHES.len()) > EXPANSIONS_MAX {
                return None;
            }
            let variants = |result: &Pattern| DASHES.map(|dash| with_text(result.clone(), &format!("{before}{dash}")));
            results = results.iter().flat_map(variants).collect();
            start = at.saturating_add(text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
        }
        let rest = text.get(start..).unwrap_or_default();
        results = results.into_iter().map(|result| with_text(result, rest)).collect();
    }
    Some(results)
}

fn with_text(mut pattern: Pattern, text: &str) -> Pattern {
    pattern::push(&mut pattern, Piece::Literal(text.to_owned()));
    pattern
}

/// Where flags begin.
fn flags(text: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut after_word = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let before_word = characters.peek().is_some_and(|(_, next)| is_word(*next));
        if DASHES.contains(&c) && !after_word && before_word {
            found.push(at);
        }
        after_word = is_word(c);
    }
    found
}

/// A text as UTF-16.
pub(super) fn utf16(text: &str, kind: Utf16) -> Bytes {
    let mut bytes = if kind == Utf16::Marked { vec![0xff, 0xfe] } else { Vec::new() };
    for unit in text.encode_utf16() {
        bytes.extend(if kind == Utf16::Big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    }
    Bytes { bytes, text: utf16_text(text, kind) }
}

/// The same as text, if it is ASCII: no other text's UTF-16 can stand in JSON.
pub(super) fn utf16_text(text: &str, kind: Utf16) -> Option<String> {
    if !text.is_ascii() {
        return None;
    }
    let mark = if kind == Utf16::Marked { "\u{feff}" } else { "" };
    let wide = text.chars().flat_map(|c| if kind == Utf16::Big { ['\0', c] } else { [c, '\0'] });
    Some(mark.chars().chain(wide).collect())
}

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// What Base64 of any text that has these bytes in it contains, for each of the three places where they can begin.
/// Characters that depend on the bytes around are left out. `None` of less than two bytes: too few say nothing.
pub(super) fn base64_offset(bytes: &[u8]) -> Option<[String; 3]> {
    if bytes.len() < 2 {
        return None;
    }
    // Of the first group of four characters, two or three depend on one or two bytes before; of the last, all that
    // stand for part of a byte do.
    Some([(0, 0), (1, 2), (2, 3)].map(|(shift, skipped)| {
        let mut shifted = vec![0; shift];
        shifted.extend_from_slice(bytes);
        let encoded = STANDARD.encode(&shifted);
        let dependent = match shifted.len() % 3 {
            0 => 0,
            1 => 3,
            _ => 2,
        };
        encoded.get(skipped..encoded.len().saturating_sub(dependent)).unwrap_or_default().to_owned()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windashed(written: &str) -> Vec<String> {
        let plain = |pattern: &Pattern| match pattern.0.as_slice() {
            [Piece::Literal(text)] => text.clone(),
            pieces => format!("{pieces:?}"),
        };
        windash(&pattern::parse(written)).expect("not too many").iter().map(plain).collect()
    }

    #[test]
    fn windash_exchanges_what_begins_a_flag() {
        assert_eq!(windashed(" -enc"), [" -enc", " /enc", " –enc", " —enc", " ―enc"]);
        assert_eq!(windashed("/c"), ["-c", "/c", "–c", "—c", "―c"]);
        assert_eq!(windashed("–x"), ["-x", "/x", "–x", "—x", "―x"]);
        // Inside a word, before a blank, and the second of two are no flags.
        for written in ["a-b", "C:/a", "a - b", "-"] {
            let expected = if written == "C:/a" { 5 } else { 1 };
            assert_eq!(windashed(written).len(), expected, "{written}");
        }
        assert_eq!(windashed("--no"), ["--no", "-/no", "-–no", "-—no", "-―no"]);
        assert_eq!(windashed("-a -b").len(), 25);
        assert_eq!(windash(&pattern::parse("-a -b -c -d -e")).map(|all| all.len()), Some(EXPANSIONS_MAX));
        assert_eq!(windash(&pattern::parse("-a -b -c -d -e -f")), None);
        let wild = windash(&pattern::parse("*-a*")).expect("not too many");
        assert_eq!((wild.len(), &wild[1]), (5, &pattern::parse("*/a*")));
    }

    #[test]
    fn utf_16_is_bytes_and_sometimes_text() {
        // The specification's examples.
        assert_eq!(utf16("cmd", Utf16::Little).bytes, b"c\0m\0d\0");
        assert_eq!(utf16("cmd", Utf16::Big).bytes, b"\0c\0m\0d");
        assert_eq!(utf16("cmd", Utf16::Marked).bytes, b"\xff\xfec\0m\0d\0");
        assert_eq!(utf16("a", Utf16::Little).text.as_deref(), Some("a\0"));
        assert_eq!(utf16("a", Utf16::Big).text.as_deref(), Some("\0a"));
        assert_eq!(utf16("a", Utf16::Marked).text.as_deref(), Some("\u{feff}a\0"));
        assert_eq!(utf16("é", Utf16::Little), Bytes { bytes: vec![0xe9, 0], text: None });
    }

    #[test]
    fn base64_at_every_offset_is_found_wherever_the_bytes_stand() {
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64(b"foob"), "Zm9vYg==");
        for text in ["foobar", "IEX", "ab", "/bin/bash", "http://", "é"] {
            let variants = base64_offset(text.as_bytes()).expect("two bytes or more");
            for before in 0..6 {
                for after in ["", "x", "yy", "zzz"] {
                    let whole = base64(format!("{}{text}{after}", "\u{7f}".repeat(before)).as_bytes());
                    let variant = &variants[before % 3];
                    assert!(!variant.is_empty() && whole.contains(variant.as_str()), "{text}: {variant} in {whole}");
                }
            }
        }
        assert_eq!(base64_offset(b"x"), None);
    }
}
