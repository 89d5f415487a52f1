//! A pattern to the intermediate form of `regex-syntax`, or to an error in our words.

use regex_syntax::{
    ast::{self, ErrorKind, parse::ParserBuilder},
    hir::Hir,
};

use super::{
    Flags, RegexError,
    rewrite::{Rewritten, rewrite},
    translate,
};

/// How deep groups and repetitions nest; recursion goes as deep.
const NESTING_MAX: u32 = 64;

pub(super) fn parse(pattern: &str, flags: Flags) -> Result<Hir, RegexError> {
    let rewritten = rewrite(pattern)?;
    let mut parser = ParserBuilder::new().nest_limit(NESTING_MAX).build();
    let parsed = parser.parse_with_comments(&rewritten.text).map_err(|error| explain(&error, pattern, &rewritten))?;
    // Whether a bracket opens a class was decided before comments were known.
    if let Some(comment) = parsed.comments.iter().find(|comment| comment.comment.contains(['[', ']', '(', '\\'])) {
        return Err(RegexError::new(span(&comment.span, &rewritten), "a bracket or backslash in a comment")
            .help("leave the comment out"));
    }
    translate::translate(&parsed.ast, &rewritten, flags)
}

/// The bytes of the pattern that a span of the rewritten one is.
pub(super) fn span(span: &ast::Span, rewritten: &Rewritten) -> crate::diagnostic::Span {
    let start = rewritten.origin(span.start.offset);
    start..rewritten.origin(span.end.offset).max(start)
}

fn explain(error: &ast::Error, pattern: &str, rewritten: &Rewritten) -> RegexError {
    let mut at = span(error.span(), rewritten);
    if matches!(error.kind(), ErrorKind::RepetitionMissing) {
        let after = pattern.get(at.start..).and_then(|after| after.chars().next());
        at.end = at.start + after.map_or(0, char::len_utf8);
    } else if at.is_empty() {
        // What is missing is shown by the character before it.
        let before = pattern.get(..at.start).and_then(|before| before.chars().next_back());
        at.start -= before.map_or(0, char::len_utf8);
    }
    let shown = pattern.get(at.clone()).unwrap_or_default();
    let (message, help) = match error.kind() {
        ErrorKind::UnsupportedLookAround => (
            format!("look-around, `{shown}`, is not supported: matching takes time linear in the text"),
            "test the two things as two values, with `all` or with `not` in the condition",
        ),
        ErrorKind::UnsupportedBackreference => (
            format!("a back reference or octal escape, `{shown}`, is not supported"),
            "repeat the expression that the group has; a character by its number is `\\x` and two hexadecimal digits",
        ),
        ErrorKind::RepetitionCountDecimalEmpty
        | ErrorKind::RepetitionCountUnclosed
        | ErrorKind::DecimalEmpty
        | ErrorKind::DecimalInvalid => ("a `{` that starts no count".into(), "write a plain brace as `\\{`"),
        ErrorKind::RepetitionMissing => {
            (format!("`{shown}` with nothing before it to repeat"), "write a plain one with a backslash before it")
        }
        ErrorKind::EscapeUnrecognized | ErrorKind::ClassEscapeInvalid => {
            (format!("the escape `{shown}` is not known"), "a plain backslash is `\\\\`")
        }
        ErrorKind::NestLimitExceeded(_) => (
            format!("groups and repetitions nest deeper than {NESTING_MAX}"),
            "split the expression into several values",
        ),
        ErrorKind::GroupUnopened => ("a `)` without its `(`".into(), "write a plain one as `\\)`"),
        ErrorKind::GroupUnclosed => ("a `(` without its `)`".into(), "write a plain one as `\\(`"),
        ErrorKind::ClassUnclosed => ("a `[` without its `]`".into(), "write a plain one as `\\[`"),
        other => (format!("{other}"), "correct the expression"),
    };
    RegexError::new(at, message).help(help)
}
