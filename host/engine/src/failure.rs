//! What a running component did wrong: wasmtime's errors, sorted into the kinds that callers tell apart.

use std::{fmt, time::Duration};

use wasmtime::Trap;

use crate::memory::MemoryRefused;

/// What a component did wrong while it ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It trapped; wasmtime's words.
    Trap(String),
    /// It used up this time.
    Deadline(Duration),
    /// It asked for more memory or table space than it may have.
    Memory(MemoryRefused),
    /// It broke the contract or the canonical ABI.
    Malformed(String),
    /// It never ran: there is no machine code of it, or it is not what its manifest says.
    Unusable(String),
}

impl Failure {
    /// Sorts an error of a call that had `deadline` and might hand back `output_bytes`.
    pub(crate) fn of(error: &wasmtime::Error, deadline: Duration, output_bytes: usize) -> Self {
        if let Some(refused) = error.downcast_ref::<MemoryRefused>() {
            return Self::Memory(refused.clone());
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => Self::Deadline(deadline),
            Some(trap) => Self::Trap(trap.to_string()),
            None => {
                let cause = error.root_cause().to_string();
                // Wasmtime's type for this is private; its text is held by `tests/hostile.rs`.
                if cause.contains("fuel allocated for hostcalls") {
                    return Self::Malformed(format!("the answer has more than {output_bytes} bytes"));
                }
                Self::Malformed(cause)
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(trap) => write!(f, "trapped: {trap}"),
            Self::Deadline(deadline) => write!(f, "ran longer than its deadline of {} ms", deadline.as_millis()),
            Self::Memory(refused) => write!(f, "{refused}"),
            Self::Malformed(reason) => write!(f, "malformed answer: {reason}"),
            Self::Unusable(reason) => write!(f, "cannot be run: {reason}"),
        }
    }
}
