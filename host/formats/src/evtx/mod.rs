//! Windows event logs.

mod log;

pub use log::EVTX_HELD_BYTES_MAX;
pub(crate) use log::Log;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
