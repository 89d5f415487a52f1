//! Inputs as users have them: packed or not, in UTF-8 or UTF-16, one object per line or not, or a Windows event log.
//!
//! What an input is shows in its bytes, never in its name ([`open`]). Everything is read as it streams in, in bounded
//! memory; only an event log that cannot be sought in is held ([`EVTX_HELD_BYTES_MAX`](crate::evtx::EVTX_HELD_BYTES_MAX)).
//! docs/inputs.md says for people what is recognised.

pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod line;
pub(crate) mod object;
mod open;
mod peek;
mod records;
mod scan;
mod shape;
mod sniff;
mod unpack;
mod utf16;

pub use error::{ReadError, ReadErrorKind};
pub use open::{Access, Raw, Reader, open};
pub(crate) use shape::BOM;
pub use unpack::ZSTD_WINDOW_BYTES_MAX;

/// The longest event that is read, in bytes of JSON: a line without its end, or a record. The rest of a longer one is
/// skipped.
pub const EVENT_BYTES_MAX: usize = 4 << 20;

#[cfg(test)]
mod tests;
