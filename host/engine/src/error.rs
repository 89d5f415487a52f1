//! What can go wrong with a component, as a caller sees it. The caller adds where the component came from; these
//! errors say what is wrong with it and, of an evaluation, whose it was.

use std::fmt;

use crate::failure::Failure;

/// Why a component was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    kind: LoadErrorKind,
    message: String,
}

/// What kind of thing is wrong with a refused component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The bytes are no valid WebAssembly component: truncated, damaged, or something else.
    Invalid,
    /// It has an import.
    Import,
    /// It does not export the interface of a detection.
    Interface,
    /// It is larger than a cap allows.
    Limit,
    /// It trapped, ran out of time or memory, or answered nonsense while it was started and described.
    Describe,
    /// Its manifest is not one that this host understands.
    Manifest,
}

impl LoadError {
    pub(crate) fn new(kind: LoadErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What kind of thing is wrong.
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LoadError {}

/// Why a batch was not evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluateError {
    detection: String,
    kernel: u32,
    kind: EvaluateErrorKind,
    message: String,
}

/// Whose fault it is that a batch was not evaluated, and what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvaluateErrorKind {
    /// The component trapped.
    Trap,
    /// The component used up its time.
    Deadline,
    /// The component asked for more memory than it may have.
    Memory,
    /// The component answered, and the answer breaks the contract.
    Malformed,
    /// The component cannot be run at all, now or later: no machine code can be made of it, or its manifest section lied.
    Unusable,
    /// The caller asked for a kernel that the plan does not have, or gave columns that it does not read.
    Request,
}

impl EvaluateError {
    pub(crate) fn of(detection: &str, kernel: u32, failure: &Failure) -> Self {
        let kind = match failure {
            Failure::Trap(_) => EvaluateErrorKind::Trap,
            Failure::Deadline(_) => EvaluateErrorKind::Deadline,
            Failure::Memory(_) => EvaluateErrorKind::Memory,
            Failure::Malformed(_) => EvaluateErrorKind::Malformed,
            Failure::Unusable(_) => EvaluateErrorKind::Unusable,
        };
        Self { detection: detection.into(), kernel, kind, message: failure.to_string() }
    }

    /// Of a detection that cannot be run, whatever the kernel.
    pub(crate) fn unusable(detection: &str, failure: &Failure) -> Self {
        Self::of(detection, 0, failure)
    }

    pub(crate) fn request(detection: &str, kernel: u32, message: String) -> Self {
        Self { detection: detection.into(), kernel, kind: EvaluateErrorKind::Request, message }
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> EvaluateErrorKind {
        self.kind
    }

    /// `namespace/id` of the detection.
    pub fn detection(&self) -> &str {
        &self.detection
    }
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, kernel {}: {}", self.detection, self.kernel, self.message)
    }
}

impl std::error::Error for EvaluateError {}
