//! Whether a text has one JSON object per line, or JSON that does not care about lines.
//!
//! The beginning decides, once, and no more of it is waited for than the first line that is not blank: an array of
//! objects, an object that does not end on its line, two objects on one line and an [envelope](super::envelope) are
//! records. All else are lines, what is no JSON included: the reader of lines says best what is wrong with it.

use super::scan::{End, Scanner};

/// The byte order mark of UTF-8.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// How much of the beginning is looked at, in bytes. What has not shown itself as records by then is lines.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How the events of a text are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One object per line.
    Lines,
    /// Arrays, envelopes and objects, however they are laid out.
    Records,
}

/// Decides while the beginning comes in.
#[derive(Debug)]
pub(crate) struct Decider {
    /// Follows the object that the text begins with.
    scanner: Scanner,
    /// How that object ended, if its end was seen.
    end: Option<End>,
}

impl Decider {
    pub(crate) fn new() -> Self {
        Self { scanner: Scanner::new(), end: None }
    }

    /// The shape of the text that begins with `head`; `None` while more of it is needed.
    pub(crate) fn decide(&mut self, head: &[u8], ended: bool) -> Option<Shape> {
        let decided = self.look(head, ended);
        let enough = ended || head.len() >= HEAD_BYTES_MAX;
        decided.or_else(|| enough.then_some(Shape::Lines))
    }

    fn look(&mut self, head: &[u8], ended: bool) -> Option<Shape> {
        let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
        match text {
            [] => None,
            [b'{', ..] => self.object(text, ended),
            [b'[', elements @ ..] => match elements.trim_ascii_start() {
                [] => None,
                [b'{' | b']', ..] => Some(Shape::Records),
                _ => Some(Shape::Lines),
            },
            _ if BOM.starts_with(text) => None,
            _ => Some(Shape::Lines),
        }
    }

    fn object(&mut self, text: &[u8], ended: bool) -> Option<Shape> {
        let newline = text.iter().position(|byte| *byte == b'\n');
        let line = newline.and_then(|at| text.get(..at)).unwrap_or(text);
        self.end = self.end.or_else(|| self.scanner.follow(line));
        if self.scanner.envelope().is_some() && self.end != Some(End::Broken) {
            return Some(Shape::Records);
        }
        match self.end {
            Some(End::Whole) => match line.get(self.scanner.at()..).unwrap_or_default().trim_ascii() {
                [] if newline.is_none() && !ended => None,
                [b'{', ..] => Some(Shape::Records),
                _ => Some(Shape::Lines),
            },
            Some(End::Broken) => Some(Shape::Lines),
            // No string goes over the end of a line: that is a line which was cut off.
            None if newline.is_some() && !self.scanner.in_string() => Some(Shape::Records),
            None if newline.is_some() => Some(Shape::Lines),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_decides() {
        for (text, expected) in [
            ("", Shape::Lines),
            (" \r\n\t", Shape::Lines),
            ("{\"a\":1}\n{\"a\":2}\n", Shape::Lines),
            ("\n\n  {\"a\":1}  \n", Shape::Lines),
            ("{\"a\":1}", Shape::Lines),
            ("{\"a\":1}{\"a\":2}\n", Shape::Records),
            ("{\"a\":1} {\"a\":2}", Shape::Records),
            ("{\n\"a\":1\n}\n", Shape::Records),
            ("{\"a\": {\n  \"b\": 1 } }\n", Shape::Records),
            ("{}\n", Shape::Lines),
            ("[{\"a\":1}]", Shape::Records),
            ("[\n  {", Shape::Records),
            ("[]", Shape::Records),
            ("[1, 2]\n", Shape::Lines),
            ("[2024-05-01] a log line\n", Shape::Lines),
            ("[", Shape::Lines),
            ("{\"Records\":[{\"a\":1}]}\n", Shape::Records),
            ("{\"value\":[{", Shape::Records),
            ("{\"value\":[1]}\n", Shape::Lines),
            ("{\"a\":\"cut o\n{\"a\":1}\n", Shape::Lines),
            ("{\"a\":1} # why\n", Shape::Lines),
            ("{\"a\" {\"b\":1}}\n", Shape::Lines),
            ("not JSON\n[{}]", Shape::Lines),
            ("\u{feff}[{}]", Shape::Records),
            ("\u{feff}{}\n", Shape::Lines),
        ] {
            assert_eq!(Decider::new().decide(text.as_bytes(), true), Some(expected), "{text:?} at once");
            let mut decider = Decider::new();
            let shape = (0..=text.len()).find_map(|to| decider.decide(&text.as_bytes()[..to], to == text.len()));
            assert_eq!(shape, Some(expected), "{text:?} byte by byte");
        }
    }

    #[test]
    fn nothing_is_waited_for_behind_the_first_line() {
        for text in ["{\"a\":1}\n", "{\n", "x", "[{", "[]", "{\"Records\":[{", "{}{"] {
            assert!(Decider::new().decide(text.as_bytes(), false).is_some(), "{text:?}");
        }
        for text in ["", "\n", "{\"a\":1}", "[", "{\"a\"", "{\"Records\":[", "\u{feff}"] {
            assert_eq!(Decider::new().decide(text.as_bytes(), false), None, "{text:?}");
        }
        let long = [b"{\"a\":\"".to_vec(), vec![b'x'; HEAD_BYTES_MAX]].concat();
        assert_eq!(Decider::new().decide(&long, false), Some(Shape::Lines));
    }
}
