//! Why the reference interpreter gives no table.

use std::fmt;

use crate::diagnostic::Span;

/// Why the reference interpreter gives no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// The interpreter does not know the construct. Whether Kusto does is left open.
    Unsupported {
        /// What it is: ``function `bin` ``.
        construct: String,
        /// Where.
        span: Span,
    },
    /// Kusto refuses these types here.
    Type {
        /// What is wrong.
        message: String,
        /// Where.
        span: Span,
    },
    /// A table, column or `let` of that name is missing, or is there twice.
    Name {
        /// What is wrong.
        message: String,
        /// Where.
        span: Span,
    },
}

impl ReferenceError {
    pub(super) fn unsupported(construct: impl Into<String>, span: &Span) -> Self {
        Self::Unsupported { construct: construct.into(), span: span.clone() }
    }

    pub(super) fn ty(message: impl Into<String>, span: &Span) -> Self {
        Self::Type { message: message.into(), span: span.clone() }
    }

    pub(super) fn name(message: impl Into<String>, span: &Span) -> Self {
        Self::Name { message: message.into(), span: span.clone() }
    }

    /// Where in the query's text.
    pub fn span(&self) -> &Span {
        match self {
            Self::Unsupported { span, .. } | Self::Type { span, .. } | Self::Name { span, .. } => span,
        }
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { start, end } = self.span();
        match self {
            Self::Unsupported { construct, .. } => {
                write!(f, "the reference interpreter does not know {construct} (bytes {start}..{end})")
            }
            Self::Type { message, .. } | Self::Name { message, .. } => {
                write!(f, "{message} (bytes {start}..{end})")
            }
        }
    }
}

impl std::error::Error for ReferenceError {}
