//! A scalar or list as it stands in a line, and what its text is.

use std::borrow::Cow;

use bumpalo::Bump;
use memchr::memchr;
use serde_json::Value;

use super::marks::unit;

/// How many digits an integer has at most that surely is its own text.
const DIGITS_MAX: usize = 18;

/// How many bytes are looked at at once.
const WORD: usize = 8;

/// Where a value lies in its line: from its first byte, which may be a quote, to behind its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'t> {
    Null,
    Bool(bool),
    String(&'t str),
    /// An integer that is written as `serde_json` writes it.
    Integer(&'t str),
    /// Another number, or a list.
    Other(Value),
}

impl Leaf {
    /// The bytes in the line.
    pub(crate) fn raw(self, line: &str) -> &str {
        line.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The value. What must be unescaped comes to lie in `made`.
    pub(crate) fn read<'t>(self, line: &'t str, made: &'t Bump) -> Scalar<'t> {
        let raw = self.raw(line);
        match raw.as_bytes() {
            [b'"', ..] => Scalar::String(string(raw, made)),
            [b'n', ..] => Scalar::Null,
            [b't', ..] => Scalar::Bool(true),
            [b'f', ..] => Scalar::Bool(false),
            bytes if is_plain_integer(bytes) => Scalar::Integer(raw),
            // It was read as JSON before.
            _ => Scalar::Other(serde_json::from_str(raw).unwrap_or_default()),
        }
    }

    /// Whether it is one of these texts.
    pub(crate) fn is_one_of(self, line: &str, texts: &[String], made: &Bump) -> bool {
        let raw = self.raw(line);
        let long = texts.iter().map(String::len).max().unwrap_or_default();
        // What is written with escapes is six times as long at most.
        let short = raw.len() <= long.saturating_mul(6).saturating_add(2);
        short && raw.starts_with('"') && {
            let text = string(raw, made);
            texts.iter().any(|known| known == text)
        }
    }
}

/// Whether a number is written as `serde_json` would: no fraction, no exponent, no zero with a sign, not too long.
fn is_plain_integer(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    digits.len() <= DIGITS_MAX && digits.iter().all(u8::is_ascii_digit) && bytes != b"-0"
}

/// What a string that was read as JSON before says, quotes and escapes gone.
#[inline]
fn string<'t>(raw: &'t str, made: &'t Bump) -> &'t str {
    let inside = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    match memchr(b'\\', inside.as_bytes()) {
        None => inside,
        Some(first) => unescaped(inside.as_bytes(), first, made),
    }
}

/// The text without its escapes, of which `first` is the first. Bytes are copied a word at a time, and of each word
/// those count that come before the next backslash.
fn unescaped<'t>(inside: &[u8], first: usize, made: &'t Bump) -> &'t str {
    let text: &'t mut [u8] = made.alloc_slice_fill_copy(inside.len().saturating_add(WORD), 0);
    if let (Some(to), Some(from)) = (text.get_mut(..first), inside.get(..first)) {
        to.copy_from_slice(from);
    }
    let (mut from, mut to) = (first, first);
    while let Some(rest) = inside.get(from..).filter(|rest| !rest.is_empty()) {
        let before = match rest.first_chunk::<WORD>() {
            Some(word) => {
                if let Some(place) = text.get_mut(to..).and_then(|room| room.first_chunk_mut()) {
                    *place = *word;
                }
                before_backslash(u64::from_le_bytes(*word))
            }
            None => copy_last(rest, text.get_mut(to..).unwrap_or_default()),
        };
        (from, to) = (from.saturating_add(before), to.saturating_add(before));
        if inside.get(from) == Some(&b'\\') {
            let (character, bytes) = escape(inside, from.saturating_add(1));
            let room = text.get_mut(to..).unwrap_or_default();
            to = to.saturating_add(if room.len() < WORD { 0 } else { character.encode_utf8(room).len() });
            from = from.saturating_add(1).saturating_add(bytes);
        }
    }
    // Whole characters were copied, or made.
    std::str::from_utf8(text.get(..to).unwrap_or_default()).unwrap_or_default()
}

/// How many bytes of a word come before the first backslash in it.
#[inline]
fn before_backslash(word: u64) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; WORD]);
    const TOPS: u64 = u64::from_le_bytes([0x80; WORD]);
    // The lowest byte that is zero has its top bit set here, whatever is in those above.
    let others = word ^ u64::from_le_bytes([b'\\'; WORD]);
    let zeros = others.wrapping_sub(ONES) & !others & TOPS;
    zeros.trailing_zeros() as usize / WORD
}

/// Copies what is less than a word, up to a backslash. How many bytes.
fn copy_last(rest: &[u8], room: &mut [u8]) -> usize {
    let before = rest.iter().take_while(|byte| **byte != b'\\').count();
    for (to, from) in room.iter_mut().zip(rest.iter().take(before)) {
        *to = *from;
    }
    before
}

/// The character that is escaped here, behind its backslash, and how many bytes say so.
fn escape(bytes: &[u8], at: usize) -> (char, usize) {
    match bytes.get(at) {
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'u') => {
            let character = unit(bytes, at.saturating_add(1)).and_then(char::from_u32);
            (character.unwrap_or(char::REPLACEMENT_CHARACTER), 5)
        }
        Some(byte) => (char::from(*byte), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

impl<'t> Scalar<'t> {
    /// As JSON.
    pub(crate) fn into_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::String(text) => Value::String(text.to_owned()),
            Self::Integer(text) => text.parse::<i64>().map_or(Value::Null, Value::from),
            Self::Other(value) => value,
        }
    }

    /// Its text, if it is a scalar that has one.
    pub(crate) fn text(&self) -> Option<Cow<'t, str>> {
        match self {
            Self::String(text) | Self::Integer(text) => Some(Cow::Borrowed(text)),
            Self::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
            Self::Other(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
            Self::Null | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Value {
        let leaf = Leaf { start: 0, end: u32::try_from(json.len()).unwrap_or(u32::MAX) };
        leaf.read(json, &Bump::new()).into_json()
    }

    #[test]
    fn plain_integers_are_their_text() {
        for (json, plain) in [
            ("0", true),
            ("-1", true),
            ("999999999999999999", true),
            ("9999999999999999999", false),
            ("-0", false),
            ("1.0", false),
            ("-9223372036854775808", false),
        ] {
            assert_eq!(is_plain_integer(json.as_bytes()), plain, "{json}");
            assert_eq!(Some(read(json)), serde_json::from_str(json).ok(), "{json}");
        }
    }

    #[test]
    fn texts_are_compared_unescaped() {
        let texts = ["-".to_owned(), "é".to_owned()];
        for (raw, one) in
            [("\"-\"", true), (r#""\u002d""#, true), (r#""\u00e9""#, true), ("\"--\"", false), ("-1", false)]
        {
            let leaf = Leaf { start: 0, end: u32::try_from(raw.len()).unwrap_or(u32::MAX) };
            assert_eq!(leaf.is_one_of(raw, &texts, &Bump::new()), one, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn values_are_what_serde_json_reads(text in r#"(\PC|\\["\\/bnrft]|\\u00[0-9a-f]{2}|\\u[1-9][0-9a-f]{3}){0,20}"#) {
            let json = format!("\"{}\"", text.replace('"', "'").replace("\\'", "\\\""));
            if let Ok(value) = serde_json::from_str::<Value>(&json) {
                prop_assert_eq!(read(&json), value);
            }
        }
    }
}
