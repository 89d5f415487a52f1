//! Looking at the beginning of an input without taking it away.

use std::io::{self, BufRead, Read};

/// An input whose beginning was looked at and is still there.
#[derive(Debug)]
pub(crate) struct Peeked<R> {
    /// What was looked at.
    head: Vec<u8>,
    /// How much of it was consumed since.
    used: usize,
    rest: R,
}

impl<R: BufRead> Peeked<R> {
    pub(crate) fn new(rest: R) -> Self {
        Self { head: Vec::new(), used: 0, rest }
    }

    /// Shows `decide` ever more of the beginning until it has decided. It is told whether that is all there is, and has
    /// to decide then. So nothing waits for more input than it needs.
    pub(crate) fn look<T>(&mut self, mut decide: impl FnMut(&[u8], bool) -> Option<T>) -> io::Result<Option<T>> {
        loop {
            let chunk = match self.rest.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let (ended, read) = (chunk.is_empty(), chunk.len());
            self.head.extend_from_slice(chunk);
            self.rest.consume(read);
            let decided = decide(&self.head, ended);
            if decided.is_some() || ended {
                return Ok(decided);
            }
        }
    }
}

impl<R: BufRead> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Peeked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.head.get(self.used..) {
            Some(head) if !head.is_empty() => Ok(head),
            _ => self.rest.fill_buf(),
        }
    }

    fn consume(&mut self, bytes: usize) {
        if self.used < self.head.len() {
            self.used = self.used.saturating_add(bytes);
        } else {
            self.rest.consume(bytes);
        }
    }
}
