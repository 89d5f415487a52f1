//! The values of one row as atoms see them: folded, and each key asked for once.

use sandtrap_wit::{prefilter::Value, text::fold_char};

/// Where the values of a row come from.
pub trait Row {
    /// The value of a key.
    fn value(&self, key: u32) -> Value<'_>;

    /// How the key's value is written, if that is at hand and is all that decides it. To look at it is cheaper than to ask
    /// for the value.
    fn written(&self, _key: u32) -> Option<Written<'_>> {
        None
    }

    /// JSON text, if it is at hand, in which every text of the key's value is a string, a number, `true` or `false`: where
    /// the value is dear, this may spare asking for it. There may be other things in it, but no byte order mark, and
    /// it must be JSON as the RFC has it in that a string's characters stand for themselves or are escaped.
    fn json(&self, _key: u32) -> Option<Json<'_>> {
        None
    }
}

/// JSON that has a value.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    /// The text.
    pub text: &'a [u8],
    /// Whether it is known that the text is ASCII without `\u` escapes.
    pub plain: bool,
}

/// How a value is written. Where this is equal for two rows of the same index, the key's values are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// What is made of the bytes.
    pub how: u32,
    /// The bytes, as they lie.
    pub bytes: &'a [u8],
}

/// A buffer that grew past this is given back after the row, in bytes.
const BUFFER_BYTES_MAX: usize = 1 << 20;

/// The values of a row, as far as they were asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    slots: Vec<Option<Known>>,
    /// Those of `slots` that are filled.
    filled: Vec<u32>,
    /// Folded text, one after the other.
    text: Vec<u8>,
    /// Where elements of lists lie in `text`.
    elements: Vec<Span>,
}

/// From a byte of a buffer to before another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

/// A value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known {
    Null,
    Text(Span),
    /// Of [`Values::elements`].
    Elements(Span),
    Integer(i64),
    Other,
}

impl Values {
    /// The next row, of an index with so many keys.
    pub(crate) fn begin(&mut self, keys: usize) {
        for slot in self.filled.drain(..) {
            if let Some(slot) = self.slots.get_mut(slot as usize) {
                *slot = None;
            }
        }
        self.slots.resize(keys, None);
        self.text.clear();
        self.text.shrink_to(BUFFER_BYTES_MAX);
        self.elements.clear();
        self.elements.shrink_to(BUFFER_BYTES_MAX / size_of::<Span>());
    }

    /// The value of the key in a slot.
    pub(crate) fn get(&mut self, slot: u32, keys: &[u32], row: &impl Row) -> Known {
        if let Some(Some(known)) = self.slots.get(slot as usize) {
            return *known;
        }
        let Some(key) = keys.get(slot as usize) else { return Known::Null };
        let known = match row.value(*key) {
            Value::Null => Known::Null,
            Value::Text(text) => Known::Text(self.fold(&text)),
            Value::Elements(elements) => {
                let start = self.elements.len();
                for element in elements {
                    let span = self.fold(&element);
                    self.elements.push(span);
                }
                Known::Elements(Span { start, end: self.elements.len() })
            }
            Value::Integer(integer) => Known::Integer(integer),
            Value::Other => Known::Other,
        };
        if let Some(filled) = self.slots.get_mut(slot as usize) {
            *filled = Some(known);
            self.filled.push(slot);
        }
        known
    }

    /// The bytes of a text.
    pub(crate) fn text(&self, span: Span) -> &[u8] {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The texts of a list.
    pub(crate) fn elements(&self, span: Span) -> &[Span] {
        self.elements.get(span.start..span.end).unwrap_or_default()
    }

    /// Adds a text, folded.
    fn fold(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.extend_from_slice(text.as_bytes());
        // One pass that compilers make wide, and it is seen afterwards whether that was enough.
        let mut set = 0;
        for byte in self.text.iter_mut().skip(start) {
            set |= *byte;
            *byte = byte.to_ascii_lowercase();
        }
        if !set.is_ascii() && !is_folded_beyond_ascii(text) {
            self.text.truncate(start);
            let mut bytes = [0; 4];
            for c in text.chars() {
                self.text.extend_from_slice(fold_char(c).encode_utf8(&mut bytes).as_bytes());
            }
        }
        Span { start, end: self.text.len() }
    }
}

/// Whether folding leaves every character that is not ASCII as it is. In most languages such characters are few.
fn is_folded_beyond_ascii(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = first_beyond_ascii(rest.as_bytes()) {
        let mut chars = rest.get(at..).unwrap_or_default().chars();
        if chars.next().is_some_and(|c| fold_char(c) != c) {
            return false;
        }
        rest = chars.as_str();
    }
    true
}

/// How many bytes are looked at together.
const BLOCK_BYTES: usize = 64;

/// Where the first byte is that is not ASCII.
fn first_beyond_ascii(bytes: &[u8]) -> Option<usize> {
    let block = bytes.chunks(BLOCK_BYTES).position(|block| !block.is_ascii())?;
    let start = block.saturating_mul(BLOCK_BYTES);
    Some(start + bytes.get(start..)?.iter().position(|byte| !byte.is_ascii())?)
}

#[cfg(test)]
mod tests {
    use sandtrap_wit::text;

    use super::*;

    #[test]
    fn text_is_folded_as_everywhere() {
        let long = "abcdefgh".repeat(40);
        for text in [
            "",
            "A",
            "\u{e9}t\u{e9}",
            "\u{c9}T\u{c9}",
            "a\u{17f}",
            "\u{212a}",
            &format!("{long}\u{e9}{long}\u{c9}"),
            &long,
        ] {
            let mut values = Values::default();
            let before = values.fold("X");
            let span = values.fold(text);
            assert_eq!(values.text(span), text::fold(text).as_bytes(), "{text}");
            assert_eq!(values.text(before), b"x");
            assert_eq!(is_folded_beyond_ascii(text), text::fold(text) == text.to_ascii_lowercase(), "{text}");
        }
    }
}
