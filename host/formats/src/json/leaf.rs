//! A scalar or list as it stands in a line, and what its text is.

use std::borrow::Cow;

use bumpalo::Bump;
use memchr::memchr;
use serde_json::Value;

use super::marks::unit;

/// How many digits an integer has at most that surely is its own text.
const DIGITS_MAX: usize = 18;

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
        let long = texts.iter().map(|text| text.len()).max().unwrap_or_default();
        // What is written with escapes is six times as long at most.
        let short = raw.len() <= long.saturating_mul(6).saturating_add(2);
        short && raw.starts_with('"') && texts.contains_text(string(raw, made))
    }
}

trait ContainsText {
    fn contains_text(&self, text: &str) -> bool;
}

impl ContainsText for [String] {
    fn contains_text(&self, text: &str) -> bool {
        self.iter().any(|known| known == text)
    }
}

/// Whether a number is written as `serde_json` would: no fraction, no exponent, no zero with a sign, not too long.
fn is_plain_integer(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    digits.len() <= DIGITS_MAX && digits.iter().all(u8::is_ascii_digit) && bytes != b"-0"
}

/// What a string that was read as JSON before says, quotes and escapes gone.
fn string<'t>(raw: &'t str, made: &'t Bump) -> &'t str {
    let inside = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    match memchr(b'\\', inside.as_bytes()) {
        None => inside,
        Some(first) => unescaped(inside, first, made),
    }
}

fn unescaped<'t>(inside: &str, first: usize, made: &'t Bump) -> &'t str {
    let mut text = bumpalo::collections::String::with_capacity_in(inside.len(), made);
    let (mut from, mut backslash) = (0, Some(first));
    while let Some(at) = backslash {
        text.push_str(inside.get(from..at).unwrap_or_default());
        let (character, bytes) = escape(inside.as_bytes(), at.saturating_add(1));
        text.push(character);
        from = at.saturating_add(1).saturating_add(bytes);
        let rest = inside.as_bytes().get(from..).unwrap_or_default();
        backslash = memchr(b'\\', rest).map(|distance| from.saturating_add(distance));
    }
    text.push_str(inside.get(from..).unwrap_or_default());
    text.into_bump_str()
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
