//! Reading values from a text whose quotes are known.

use super::leaf::Leaf;

/// How long a number may be, in bytes: a longer one could be more than a number can be.
const NUMBER_BYTES_MAX: usize = 64;

/// How deep lists are followed. `serde_json` reads 128 levels in all.
const DEPTH_MAX: usize = 32;

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'t> {
    pub(super) bytes: &'t [u8],
    /// Where the text's quotes are that are not escaped.
    pub(super) quotes: &'t [u32],
    /// The next byte.
    pub(super) at: usize,
    /// The next quote, in `quotes`.
    pub(super) quote: usize,
}

impl<'t> Cursor<'t> {
    /// The next byte.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes past a byte, if it is this one.
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Goes past spaces. Other blanks are control characters, which the text has none of.
    pub(super) fn spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Goes past a string, and says what is between its quotes.
    pub(super) fn string(&mut self) -> Option<&'t [u8]> {
        let start = self.at;
        self.skip_string()?;
        self.bytes.get(start + 1..self.at - 1)
    }

    #[inline]
    fn skip_string(&mut self) -> Option<()> {
        let [open, close] = *self.quotes.get(self.quote..)?.first_chunk::<2>()?;
        if open as usize != self.at {
            return None;
        }
        self.at = close as usize + 1;
        self.quote += 2;
        Some(())
    }

    /// Goes past a scalar or a list. `None` if there is none, or one that is left to `serde_json`.
    #[inline]
    pub(super) fn leaf(&mut self) -> Option<Leaf> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.skip_string()?,
            b'[' => self.list(0)?,
            _ => self.other()?,
        }
        // A text is shorter than 4 GiB.
        Some(Leaf { start: u32::try_from(start).ok()?, end: u32::try_from(self.at).ok()? })
    }

    fn other(&mut self) -> Option<()> {
        let word: &[u8] = match self.peek()? {
            b't' => b"true",
            b'f' => b"false",
            b'n' => b"null",
            _ => return self.number(),
        };
        self.bytes.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    /// Exponents are left to `serde_json`: they may go out of range.
    fn number(&mut self) -> Option<()> {
        let start = self.at;
        let _ = self.take(b'-');
        let whole = self.digits()?;
        if whole.len() > 1 && whole.first() == Some(&b'0') {
            return None;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        let sound = !matches!(self.peek(), Some(b'e' | b'E')) && self.at - start <= NUMBER_BYTES_MAX;
        sound.then_some(())
    }

    /// One digit at least.
    fn digits(&mut self) -> Option<&'t [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        rest.get(..digits).filter(|digits| !digits.is_empty())
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.take(b'[')?;
        self.elements(b']', depth, Self::element)
    }

    /// Elements with commas between them, and the bracket behind them.
    fn elements(&mut self, close: u8, depth: usize, element: fn(&mut Self, usize) -> Option<()>) -> Option<()> {
        if depth >= DEPTH_MAX {
            return None;
        }
        self.spaces();
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            element(self, depth + 1)?;
            self.spaces();
            if self.take(close).is_some() {
                return Some(());
            }
            self.take(b',')?;
            self.spaces();
        }
    }

    fn element(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b'[' => self.list(depth),
            b'{' => {
                self.at += 1;
                self.elements(b'}', depth, Self::member)
            }
            _ => self.other(),
        }
    }

    fn member(&mut self, depth: usize) -> Option<()> {
        self.skip_string()?;
        self.spaces();
        self.take(b':')?;
        self.spaces();
        self.element(depth)
    }
}
