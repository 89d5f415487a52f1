//! Packed inputs: gzip with all its members, Zstandard with all its frames, read as one stream.
//!
//! Damaged data ends the stream with an error that says where in the packed bytes; all that was unpacked before is given
//! before. Memory is bounded by gzip's window of 32 KiB and [`ZSTD_WINDOW_BYTES_MAX`].

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

/// The largest window of a Zstandard frame, in bytes: what `zstd` itself reads without being told to take more
/// (`--long=27`).
pub const ZSTD_WINDOW_BYTES_MAX: u64 = 128 << 20;

/// An empty raw block, marked as a frame's last, and a checksum that nobody compares (RFC 8878, section 3.1.1).
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Counts what is consumed.
#[derive(Debug)]
struct Counted<R> {
    input: R,
    bytes: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.input.consume(bytes);
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }
}

/// Says where unpacking failed. An error of the input itself, such as a disk's, stays as it is.
fn damaged(packing: &str, bytes: u64, error: &dyn std::error::Error) -> io::Error {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some errors repeat their cause.
        let text = error.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        cause = error.source();
    }
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the {packing} data is damaged or cut off at byte {bytes}: {reason}"),
    )
}

/// Unpacks gzip. Zeros behind a member are padding, as tapes have it, and are skipped.
pub(crate) struct Gzip<R> {
    /// Of the member that is being read; `None` at the end.
    decoder: Option<GzDecoder<Counted<R>>>,
}

impl<R: BufRead> Gzip<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { decoder: Some(GzDecoder::new(Counted { input, bytes: 0 })) }
    }

    /// Begins the next member, if there is one.
    fn begin(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let input = decoder.get_mut();
        loop {
            let chunk = input.fill_buf()?;
            if chunk.is_empty() {
                self.decoder = None;
                return Ok(());
            }
            let zeros = chunk.iter().take_while(|byte| **byte == 0).count();
            let only_zeros = zeros == chunk.len();
            input.consume(zeros);
            if !only_zeros {
                break;
            }
        }
        self.decoder = self.decoder.take().map(|decoder| GzDecoder::new(decoder.into_inner()));
        Ok(())
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(decoder) = &mut self.decoder {
            match decoder.read(buffer) {
                Ok(0) => self.begin()?,
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    let error = damaged("gzip", decoder.get_ref().bytes, &error);
                    self.decoder = None;
                    return Err(error);
                }
            }
        }
        Ok(0)
    }
}

/// Unpacks Zstandard.
pub(crate) struct Zstd<R> {
    input: Counted<R>,
    decoder: FrameDecoder,
    in_frame: bool,
    /// Why the frame cannot be read on. It is said behind what was unpacked of it.
    failed: Option<io::Error>,
}

impl<R: BufRead> Zstd<R> {
    pub(crate) fn new(input: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
        Self { input: Counted { input, bytes: 0 }, decoder, in_frame: false, failed: None }
    }

    /// Begins the next frame, if there is one. Frames that hold no data are skipped.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.input) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut (&mut self.input).take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(self.damaged(&io::Error::from(io::ErrorKind::UnexpectedEof)));
                    }
                }
                Err(error) => return Err(self.damaged(&error)),
            }
        }
        Ok(false)
    }

    fn damaged(&self, error: &dyn std::error::Error) -> io::Error {
        damaged("zstd", self.input.bytes, error)
    }

    /// Unpacks one block, so that what can be had is had before more input is waited for.
    fn unpack(&mut self) {
        if let Err(error) = self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1)) {
            self.failed = Some(self.damaged(&error));
            // The decoder keeps back a window of what it unpacked until it has seen the frame's last block. If it took
            // this one for damaged too, nothing more could be had, and what is said stays true.
            drop(self.decoder.decode_blocks(&LAST_BLOCK[..], BlockDecodingStrategy::All));
        }
    }

    /// The frame is read to its end. Not every frame has a checksum.
    fn end(&mut self) -> io::Result<()> {
        self.in_frame = false;
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(expected), Some(found)) if expected != found => {
                Err(self.damaged(&io::Error::other("the frame's checksum is wrong")))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.in_frame && !self.begin()? {
                return Ok(0);
            }
            while self.failed.is_none() && self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.unpack();
            }
            let read = Read::read(&mut self.decoder, buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.end()?;
        }
    }
}
