//! A scalar or list as it stands in a line, and what its text is.

use std::borrow::Cow;

use bumpalo::Bump;
use memchr::memchr;
use serde_json::Value;

use super::marks::{BLOCK, places, unit};

/// How many digits an integer has at most that surely is its own text.
const DIGITS_MAX: usize = 18;

/// How many bytes are copied at once.
const RUN: usize = 16;

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

    /// How many bytes it has in the line.
    pub(crate) fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// The text, if it is one that is written with escapes.
    pub(crate) fn unescaped(self, line: &str) -> Option<Box<str>> {
        let raw = self.raw(line).strip_prefix('"')?;
        let inside = raw.get(..raw.len().checked_sub(1)?)?.as_bytes();
        memchr(b'\\', inside)?;
        let mut room = vec![0; inside.len().saturating_add(RUN)];
        let length = unescape(inside, &mut room);
        room.truncate(length);
        String::from_utf8(room).ok().map(String::into_boxed_str)
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
    if memchr(b'\\', inside.as_bytes()).is_none() {
        return inside;
    }
    let room: &'t mut [u8] = made.alloc_slice_fill_copy(inside.len().saturating_add(RUN), 0);
    let length = unescape(inside.as_bytes(), room);
    std::str::from_utf8(room.get(..length).unwrap_or_default()).unwrap_or_default()
}

/// Writes a text without its escapes, and says how long it is: it is UTF-8, for whole characters are copied, or made. Where
/// escapes are is found for a block at once, so that no search waits for another. There must be room for as many bytes and
/// another [`RUN`].
fn unescape(inside: &[u8], room: &mut [u8]) -> usize {
    let mut text = Text { bytes: room, length: 0 };
    // What lies before `from` is done.
    let mut from = 0_usize;
    let (blocks, rest) = inside.as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    if let Some(start) = last.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    let mut base = 0_usize;
    for block in blocks.iter().chain(std::iter::once(&last)) {
        let mut backslashes = places(block, b'\\');
        while backslashes != 0 {
            let at = base.saturating_add(backslashes.trailing_zeros() as usize);
            backslashes &= backslashes.wrapping_sub(1);
            // It is itself what is escaped.
            if at < from {
                continue;
            }
            text.add(inside, from, at);
            from = at.saturating_add(2);
            match inside.get(at.saturating_add(1)) {
                Some(byte @ (b'\\' | b'"' | b'/')) => text.add_character(char::from(*byte)),
                Some(b'u') => {
                    text.add_character(unit(inside, from).and_then(char::from_u32).unwrap_or_default());
                    from = from.saturating_add(4);
                }
                other => text.add_character(other.map_or(char::REPLACEMENT_CHARACTER, |byte| control(*byte))),
            }
        }
        base = base.saturating_add(BLOCK);
    }
    text.add(inside, from, inside.len());
    text.length
}

/// A text that grows into room which is there.
struct Text<'t> {
    bytes: &'t mut [u8],
    length: usize,
}

impl Text<'_> {
    /// Adds some of these bytes. Nearly always they are few, and copied as if they were as many as a run has.
    #[inline]
    fn add(&mut self, bytes: &[u8], from: usize, to: usize) {
        let count = to.saturating_sub(from);
        let run = bytes.get(from..).and_then(|rest| rest.first_chunk::<RUN>());
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        match (run, room.first_chunk_mut::<RUN>()) {
            (Some(run), Some(room)) if count <= RUN => *room = *run,
            _ => {
                if let (Some(room), Some(some)) = (room.get_mut(..count), bytes.get(from..to)) {
                    room.copy_from_slice(some);
                }
            }
        }
        self.length = self.length.saturating_add(count);
    }

    /// Adds a character. Its escape has at least as many bytes.
    #[inline]
    fn add_character(&mut self, character: char) {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        if room.len() >= character.len_utf8() {
            self.length = self.length.saturating_add(character.encode_utf8(room).len());
        }
    }
}

/// The control character that a letter behind a backslash is.
fn control(letter: u8) -> char {
    match letter {
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        _ => char::REPLACEMENT_CHARACTER,
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
