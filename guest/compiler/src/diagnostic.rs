//! Diagnostics: what is wrong with a rule, where, and what to do about it.
//!
//! The compiler only describes; whoever shows a diagnostic to a person renders it (the command line uses
//! `annotate-snippets`). Codes are stable and documented in docs/diagnostics.md.

use std::{fmt, ops::Range};

/// Bytes of the rule file's text, from the first to one past the last.
pub type Span = Range<usize>;

/// One finding about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code such as `KQL0102`.
    pub code: &'static str,
    /// Whether the rule can be compiled all the same.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where, in bytes of the rule file.
    pub span: Span,
    /// A few words to stand under the span; may be empty.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Whether a rule with a diagnostic can be compiled all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It can, and may not do what its author meant.
    Warning,
    /// It cannot.
    Error,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), span, label: String::new(), help: None }
    }

    /// A warning at `span`.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// With a few words under the span.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it keeps the rule from being compiled.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (bytes {}..{})", self.code, self.message, self.span.start, self.span.end)
    }
}

impl std::error::Error for Diagnostic {}
