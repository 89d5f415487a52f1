//! Tokens of KQL text.

use crate::diagnostic::Span;

/// One token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a token is. Keywords are identifiers: nearly all of Kusto's are contextual.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A name or keyword.
    Identifier(String),
    /// A string literal of any form, unescaped.
    String(String),
    /// An integer.
    Long(i64),
    /// A number with a fraction or an exponent.
    Real(f64),
    /// A number with a unit of time: ticks of 100 ns.
    Timespan(i64),
    /// `datetime(...)`, `long(...)` and their like, with the text between the parentheses.
    Typed {
        /// The word before the parenthesis, in lower case.
        ty: String,
        /// What stands between the parentheses, without spaces around it.
        text: String,
    },
    /// An operator or punctuation.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// What the token is, for a message.
    pub(super) fn describe(&self) -> String {
        match &self.kind {
            TokenKind::Identifier(name) => format!("`{name}`"),
            TokenKind::String(_) => "a string".into(),
            TokenKind::Long(_) | TokenKind::Real(_) => "a number".into(),
            TokenKind::Timespan(_) => "a timespan".into(),
            TokenKind::Typed { ty, .. } => format!("`{ty}(...)`"),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end of the query".into(),
        }
    }
}
