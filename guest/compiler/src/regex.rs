//! Regular expressions of rules, checked and ready to be emitted.
//!
//! The flavour is what the Sigma specification takes of PCRE (appendix "Modifiers", "Regular Expression"), in the
//! syntax of the `regex-syntax` crate. As in PCRE without its Unicode mode, `\d`, `\s`, `\w` and `\b` are about ASCII.
//! Matching takes time linear in the text, so look-around and back references are refused.

use std::fmt;

use crate::diagnostic::Span;

/// A regular expression that can be emitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Regex {
    pattern: String,
    flags: Flags,
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

impl Regex {
    /// A regular expression.
    pub fn new(pattern: &str, flags: Flags) -> Result<Self, RegexError> {
        Ok(Self { pattern: pattern.to_owned(), flags })
    }

    /// As written in the rule.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// How it is read.
    pub fn flags(&self) -> Flags {
        self.flags
    }
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

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RegexError {}
