//! Modifiers that make texts of texts: `windash`, `utf16le` and its kin, `base64`, `base64offset` (appendix "Sigma
//! Modifiers", "String Modifiers").

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::pattern;
use crate::ir::{Pattern, Piece};

/// What `windash` exchanges: hyphen, slash, en dash, em dash, horizontal bar.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// So many texts one value may become: five dashes make 3,125.
pub(super) const EXPANSIONS_MAX: usize = 4_000;

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

/// The pattern with each of its dashes as every dash; `None` if there are too many.
///
/// The specification exchanges the five characters wherever they stand, and so do we. pySigma looks only for `-` and `/` where
/// a flag begins (`\B[-/]\b`), rsigma for `-` anywhere: what they match is matched here, too.
pub(super) fn windash(pattern: &Pattern) -> Option<Vec<Pattern>> {
    let mut results = vec![Pattern(Vec::new())];
    for piece in &pattern.0 {
        let Piece::Literal(text) = piece else {
            for result in &mut results {
                pattern::push(result, piece.clone());
            }
            continue;
        };
        for part in text.split_inclusive(DASHES) {
            let plain = part.strip_suffix(DASHES).unwrap_or(part);
            for result in &mut results {
                pattern::push(result, Piece::Literal(plain.to_owned()));
            }
            if plain.len() == part.len() {
                continue;
            }
            if results.len().saturating_mul(DASHES.len()) > EXPANSIONS_MAX {
                return None;
            }
            results = results.iter().flat_map(|result| DASHES.map(|dash| with(result, dash))).collect();
        }
    }
    Some(results)
}

fn with(pattern: &Pattern, c: char) -> Pattern {
    let mut pattern = pattern.clone();
    pattern::push(&mut pattern, Piece::Literal(c.to_string()));
    pattern
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
    fn windash_exchanges_every_dash() {
        assert_eq!(windashed(" -enc"), [" -enc", " /enc", " –enc", " —enc", " ―enc"]);
        assert_eq!(windashed("/c"), ["-c", "/c", "–c", "—c", "―c"]);
        assert_eq!(windashed("a–"), ["a-", "a/", "a–", "a—", "a―"]);
        assert_eq!(windashed("none"), ["none"]);
        assert_eq!(windashed(""), ["[]"]);
        assert_eq!(windashed("--no").len(), 25);
        assert_eq!(windash(&pattern::parse("-a -b -c -d -e")).map(|all| all.len()), Some(3_125));
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
