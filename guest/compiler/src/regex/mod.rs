//! Regular expressions of rules, checked and ready to be emitted.
//!
//! The flavour is what the Sigma specification takes of PCRE (appendix "Modifiers", "Regular Expression"), in the
//! syntax of the `regex-syntax` crate. As in PCRE without its Unicode mode, `\d`, `\s`, `\w` and `\b` are about ASCII,
//! and a class has neither classes nor operators in it. Matching takes time linear in the text, so look-around and back
//! references are refused.

mod automaton;
mod deterministic;
mod literals;
mod parse;
mod rewrite;
#[cfg(test)]
mod tests;
mod translate;

use std::fmt;

pub use literals::{Literal, Required};

use crate::diagnostic::Span;

use regex_syntax::hir::Hir;

/// The longest pattern in bytes.
pub const PATTERN_BYTES_MAX: usize = 16 << 10;

/// A regular expression that can be emitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Regex {
    pattern: String,
    flags: Flags,
    hir: Hir,
    table: Vec<u32>,
}

impl Regex {
    /// Checks an expression and makes its table.
    pub fn new(pattern: &str, flags: Flags) -> Result<Self, RegexError> {
        let whole = 0..pattern.len();
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(RegexError::new(whole, format!("it has {} bytes", pattern.len()))
                .help(format!("{PATTERN_BYTES_MAX} are allowed; split it into several values")));
        }
        let hir = parse::parse(pattern, flags)?;
        let table = automaton::build(&hir).ok_or_else(|| {
            RegexError::new(whole, "it becomes too large").help("repeat less often, or split it into several values")
        })?;
        Ok(Self { pattern: pattern.to_owned(), flags, hir, table })
    }

    /// As written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// How it is read.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// What every text that matches has in it once it is folded ([`sandtrap_wit::text`]).
    pub fn required(&self) -> Required {
        literals::required(&self.hir)
    }

    /// The table that `sandtrap_runtime::regex` reads.
    pub(crate) fn table(&self) -> &[u32] {
        &self.table
    }
}

/// How a regular expression is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `i`: case does not matter.
    pub insensitive: bool,
    /// `m`: `^` and `$` are also at the ends of lines.
    pub multi_line: bool,
    /// `s`: `.` is also a line feed.
    pub single_line: bool,
}

/// Why a regular expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexError {
    /// Where in the pattern, in bytes.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl RegexError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RegexError {}
