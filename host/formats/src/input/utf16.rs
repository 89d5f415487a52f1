//! UTF-16 as UTF-8, as it streams in.
//!
//! Windows tools write UTF-16: `Out-File` of Windows PowerShell, `wevtutil`, regedit. Half a surrogate pair becomes a byte
//! that is no UTF-8, so that the reader behind replaces and counts it like any other text that is no Unicode.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// How much is converted at once, in bytes of UTF-8.
const BUFFER_BYTES: usize = 64 << 10;

/// What stands for half a surrogate pair: no UTF-8 has this byte.
const NO_UNICODE: u8 = 0xff;

/// An input in UTF-16, read in UTF-8.
pub(crate) struct Utf16<R> {
    input: R,
    decoder: Decoder,
    converted: Box<[u8]>,
    /// What of `converted` is there and not consumed.
    from: usize,
    to: usize,
    ended: bool,
}

impl<R: BufRead> Utf16<R> {
    /// `input` stands behind its byte order mark.
    pub(crate) fn new(input: R, encoding: &'static Encoding) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            converted: vec![0; BUFFER_BYTES].into_boxed_slice(),
            from: 0,
            to: 0,
            ended: false,
        }
    }

    /// Converts some more input into the empty buffer.
    fn convert(&mut self) -> io::Result<()> {
        let input = self.input.fill_buf()?;
        let last = input.is_empty();
        // One byte is kept for a mark.
        let room = self.converted.len().saturating_sub(1);
        let output = self.converted.get_mut(..room).unwrap_or_default();
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(input, output, last);
        self.input.consume(read);
        (self.from, self.to) = (0, written);
        match result {
            DecoderResult::Malformed(..) => {
                if let Some(mark) = self.converted.get_mut(written) {
                    *mark = NO_UNICODE;
                    self.to = written.saturating_add(1);
                }
            }
            DecoderResult::InputEmpty => self.ended = last,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Utf16<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.from >= self.to && !self.ended {
            self.convert()?;
        }
        Ok(self.converted.get(self.from..self.to).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.from = self.from.saturating_add(bytes).min(self.to);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use encoding_rs::{UTF_16BE, UTF_16LE};
    use proptest::prelude::*;

    use super::*;

    fn read(units: &[u16], encoding: &'static Encoding, capacity: usize) -> Vec<u8> {
        let big = encoding == UTF_16BE;
        let bytes: Vec<u8> =
            units.iter().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
        let mut text = Vec::new();
        let ended = Utf16::new(BufReader::with_capacity(capacity, &bytes[..]), encoding).read_to_end(&mut text);
        assert!(ended.is_ok(), "{ended:?}");
        text
    }

    #[test]
    fn half_a_pair_and_half_a_unit_are_marked() {
        for (bytes, expected) in [
            (&b"a\0\x3d\xd8b\0"[..], &b"a\xffb"[..]),
            (b"\x00\xdc", b"\xff"),
            (b"\x3d\xd8\x00\xde", "\u{1f600}".as_bytes()),
            (b"a\0b", b"a\xff"),
            (b"", b""),
        ] {
            let mut text = Vec::new();
            let ended = Utf16::new(bytes, UTF_16LE).read_to_end(&mut text);
            assert!(ended.is_ok() && text == expected, "{bytes:?}: {text:?}");
        }
    }

    proptest! {
        /// Any units, cut anywhere: what comes out means what the standard library says.
        #[test]
        fn any_units_can_be_read(
            units in proptest::collection::vec(prop_oneof![0xD7F0_u16..0xE010, any::<u16>()], 0..40),
            capacity in 1_usize..7,
        ) {
            let expected = String::from_utf16_lossy(&units);
            for encoding in [UTF_16LE, UTF_16BE] {
                let text = read(&units, encoding, capacity);
                prop_assert_eq!(String::from_utf8_lossy(&text), expected.as_str());
            }
        }
    }
}
