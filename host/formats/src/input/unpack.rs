//! Packed inputs: gzip with all its members, Zstandard with all its frames, read as one stream.
//!
//! Damaged data ends the stream with an error that says where in the packed bytes; what was unpacked before is given
//! before. Memory is bounded by gzip's window of 32 KiB and [`ZSTD_WINDOW_BYTES_MAX`].

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

/// The largest window of a Zstandard frame, in bytes: what `zstd` itself reads without being told to take more
/// (`--long=27`).
pub const ZSTD_WINDOW_BYTES_MAX: u64 = 128 << 20;

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

/// Unpacks gzip.
pub(crate) struct Gzip<R> {
    decoder: MultiGzDecoder<Counted<R>>,
}

impl<R: BufRead> Gzip<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { decoder: MultiGzDecoder::new(Counted { input, bytes: 0 }) }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => damaged("gzip", self.decoder.get_ref().bytes, &error),
        })
    }
}

/// Unpacks Zstandard.
pub(crate) struct Zstd<R> {
    input: Counted<R>,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    pub(crate) fn new(input: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
        Self { input: Counted { input, bytes: 0 }, decoder, in_frame: false }
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

    /// The frame is read to its end. Not every frame has a checksum.
    fn end(&mut self) -> io::Result<()> {
        self.in_frame = false;
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
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                // One block at a time: what can be had is had before more input is waited for.
                if let Err(error) = self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1)) {
                    return Err(self.damaged(&error));
                }
            }
            let read = Read::read(&mut self.decoder, buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.end()?;
        }
    }
}
