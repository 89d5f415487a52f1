//! Why a plan cannot be run. Raised when a detection is loaded, never by an event.

use std::fmt;

/// Why a plan cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowError {
    message: String,
}

impl FlowError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FlowError {}
