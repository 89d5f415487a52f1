//! The one place that knows how a text of a rule is written: wildcards, escapes and placeholders.
//!
//! "String Wildcard" and "Escape Character" of the rules specification:
//!
//! | written | means |
//! |---|---|
//! | `*` | any text, the empty one too |
//! | `?` | one character |
//! | `\*`, `\?` | a plain `*`, `?` |
//! | `\\` | one backslash: `\\*` is a backslash and a wildcard, `\\\*` a backslash and a plain `*` |
//! | `\` before anything else, or at the end | itself |
//!
//! Placeholders ("Placeholders") are looked for only where the `expand` modifier says so: `%name%`, with `\%` for a plain
//! percent sign. There `\\%name%` is a backslash and a placeholder, by the rule for `\\`.

use crate::ir::{MatchKind, Pattern, Piece};

const ESCAPE: char = '\\';
const MARK: char = '%';

/// A piece of a text that may have placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sigma) enum Part<'a> {
    /// Written text, its wildcards and escapes as they are.
    Written(&'a str),
    /// A plain percent sign.
    Percent,
    /// The name between two percent signs.
    Placeholder(&'a str),
}

/// How a text is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// As plain text that lies so.
    Plain(MatchKind, String),
    /// As a pattern.
    Wildcards(Pattern),
}

/// The pattern that a written text means.
pub(in crate::sigma) fn parse(written: &str) -> Pattern {
    let mut pattern = Pattern(Vec::new());
    let mut rest = written.chars();
    let mut pending = None;
    while let Some(c) = pending.take().or_else(|| rest.next()) {
        match c {
            '*' => push(&mut pattern, Piece::AnyText),
            '?' => push(&mut pattern, Piece::AnyCharacter),
            ESCAPE => match rest.next() {
                Some(next @ ('*' | '?' | ESCAPE)) => push_char(&mut pattern, next),
                next => {
                    push_char(&mut pattern, ESCAPE);
                    pending = next;
                }
            },
            c => push_char(&mut pattern, c),
        }
    }
    pattern
}

/// A written text that means the pattern.
pub(in crate::sigma) fn written(pattern: &Pattern) -> String {
    let mut written = String::new();
    for piece in &pattern.0 {
        match piece {
            Piece::AnyText => written.push('*'),
            Piece::AnyCharacter => written.push('?'),
            Piece::Literal(text) => {
                for c in text.chars() {
                    if matches!(c, '*' | '?' | ESCAPE) {
                        written.push(ESCAPE);
                    }
                    written.push(c);
                }
            }
        }
    }
    written
}

/// The pattern as pySigma's pipelines see it: backslashes as they are, `*` and `?` for wildcards, `\*` and `\?` for plain
/// ones.
pub(in crate::sigma) fn plain_of(pattern: &Pattern) -> String {
    let mut plain = String::new();
    for piece in &pattern.0 {
        match piece {
            Piece::AnyText => plain.push('*'),
            Piece::AnyCharacter => plain.push('?'),
            Piece::Literal(text) => plain.push_str(&text.replace('*', "\\*").replace('?', "\\?")),
        }
    }
    plain
}

/// The pattern of a text in which nothing is special.
pub(super) fn literal(text: &str) -> Pattern {
    let mut pattern = Pattern(Vec::new());
    push(&mut pattern, Piece::Literal(text.to_owned()));
    pattern
}

/// Adds a piece. Texts side by side become one, as do two `*`.
pub(super) fn push(pattern: &mut Pattern, piece: Piece) {
    match (pattern.0.last_mut(), piece) {
        (_, Piece::Literal(text)) if text.is_empty() => {}
        (Some(Piece::Literal(last)), Piece::Literal(text)) => last.push_str(&text),
        (Some(Piece::AnyText), Piece::AnyText) => {}
        (_, piece) => pattern.0.push(piece),
    }
}

fn push_char(pattern: &mut Pattern, c: char) {
    if let Some(Piece::Literal(last)) = pattern.0.last_mut() {
        last.push(c);
    } else {
        pattern.0.push(Piece::Literal(c.to_string()));
    }
}

/// The text that a pattern without wildcards is.
pub(super) fn plain(pattern: &Pattern) -> Option<&str> {
    match pattern.0.as_slice() {
        [] => Some(""),
        [Piece::Literal(text)] => Some(text),
        _ => None,
    }
}

/// The pattern with any text before it.
pub(super) fn ending(pattern: Pattern) -> Pattern {
    let mut result = Pattern(vec![Piece::AnyText]);
    for piece in pattern.0 {
        push(&mut result, piece);
    }
    result
}

/// The pattern with any text behind it.
pub(super) fn starting(mut pattern: Pattern) -> Pattern {
    push(&mut pattern, Piece::AnyText);
    pattern
}

/// How a pattern is compared with least effort.
pub(super) fn shape(pattern: Pattern) -> Shape {
    use Piece::{AnyText, Literal};
    let (kind, text) = match pattern.0.as_slice() {
        [] => (MatchKind::Equals, ""),
        // Any text at all: the empty text is in every text.
        [AnyText] => (MatchKind::Contains, ""),
        [Literal(text)] => (MatchKind::Equals, text.as_str()),
        [Literal(text), AnyText] => (MatchKind::StartsWith, text.as_str()),
        [AnyText, Literal(text)] => (MatchKind::EndsWith, text.as_str()),
        [AnyText, Literal(text), AnyText] => (MatchKind::Contains, text.as_str()),
        _ => return Shape::Wildcards(pattern),
    };
    Shape::Plain(kind, text.to_owned())
}

/// The placeholders of a written text and what stands between them. A single percent sign is itself.
pub(in crate::sigma) fn parts(written: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let slice = |from: usize, to: usize| written.get(from..to).unwrap_or_default();
    while let Some(c) = written.get(at..).and_then(|rest| rest.chars().next()) {
        let after = at.saturating_add(c.len_utf8());
        let next = written.get(after..).and_then(|rest| rest.chars().next());
        let (end, part) = match (c, next) {
            (ESCAPE, Some(MARK)) => (after.saturating_add(MARK.len_utf8()), Part::Percent),
            (ESCAPE, Some(escaped)) => {
                at = after.saturating_add(escaped.len_utf8());
                continue;
            }
            (MARK, _) => match written.get(after..).and_then(|rest| rest.find(MARK)) {
                Some(length) if length > 0 => {
                    let end = after.saturating_add(length);
                    (end.saturating_add(MARK.len_utf8()), Part::Placeholder(slice(after, end)))
                }
                _ => {
                    at = after;
                    continue;
                }
            },
            _ => {
                at = after;
                continue;
            }
        };
        if start < at {
            parts.push(Part::Written(slice(start, at)));
        }
        parts.push(part);
        start = end;
        at = end;
    }
    if start < written.len() {
        parts.push(Part::Written(slice(start, written.len())));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wildcards as `<*>` and `<?>`, plain text as it is.
    fn shown(written: &str) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::AnyCharacter => "<?>".into(),
            Piece::AnyText => "<*>".into(),
        };
        parse(written).0.iter().map(piece).collect()
    }

    #[test]
    fn wildcards_and_escapes_are_the_specification_s() {
        for (written, meant) in [
            // "String Wildcard".
            ("prog?.exe", "prog<?>.exe"),
            ("antivirus_V*.exe", "antivirus_V<*>.exe"),
            // "Escape Character": a plain backslash as one or two.
            (r"C:\Windows", r"C:\Windows"),
            (r"C:\\Windows", r"C:\Windows"),
            // A wildcard as a plain character.
            (r"\*", "*"),
            (r"\?", "?"),
            // A backslash and a wildcard.
            (r"\\*", r"\<*>"),
            (r"\\?x", r"\<?>x"),
            // Both plain.
            (r"\\\*", r"\*"),
            (r"\\\?", r"\?"),
            // Three or four are two.
            (r"\\\x", r"\\x"),
            (r"\\\\x", r"\\x"),
            (r"\\\\", r"\\"),
            (r"\\\", r"\\"),
            // A share: two backslashes are written as four, or three before a name.
            (r"\\\\host\share", r"\\host\share"),
            // At the end, and before what is not special.
            (r"\", r"\"),
            (r"a\", r"a\"),
            (r"\n\%\\", r"\n\%\"),
            (r"\\\\*", r"\\<*>"),
            ("**", "<*>"),
            ("*?*", "<*><?><*>"),
            ("", ""),
            ("é*ß", "é<*>ß"),
        ] {
            assert_eq!(shown(written), meant, "{written}");
            assert_eq!(parse(&super::written(&parse(written))), parse(written), "{written}");
        }
    }

    #[test]
    fn a_pattern_takes_the_simplest_shape() {
        use MatchKind::{Contains, EndsWith, Equals, StartsWith};
        for (written, expected) in [
            ("", Some((Equals, ""))),
            ("*", Some((Contains, ""))),
            ("**", Some((Contains, ""))),
            ("a", Some((Equals, "a"))),
            ("a*", Some((StartsWith, "a"))),
            ("*a", Some((EndsWith, "a"))),
            ("*a*", Some((Contains, "a"))),
            (r"a\*", Some((Equals, "a*"))),
            (r"a\\*", Some((StartsWith, r"a\"))),
            ("a*b", None),
            ("?", None),
            ("*?", None),
        ] {
            match shape(parse(written)) {
                Shape::Plain(kind, text) => assert_eq!(Some((kind, text.as_str())), expected, "{written}"),
                Shape::Wildcards(pattern) => assert_eq!((expected, pattern), (None, parse(written)), "{written}"),
            }
        }
    }

    #[test]
    fn placeholders_stand_between_percent_signs() {
        use Part::{Percent, Placeholder, Written};
        for (written, expected) in [
            ("%name%", vec![Placeholder("name")]),
            ("a%b%c%d%", vec![Written("a"), Placeholder("b"), Written("c"), Placeholder("d")]),
            // The specification's example.
            (r"\%plain%name%", vec![Percent, Written("plain"), Placeholder("name")]),
            ("100%", vec![Written("100%")]),
            ("%%", vec![Written("%%")]),
            (r"C:\\%name%", vec![Written(r"C:\\"), Placeholder("name")]),
            (r"\*%é%", vec![Written(r"\*"), Placeholder("é")]),
            ("", vec![]),
        ] {
            assert_eq!(parts(written), expected, "{written}");
        }
    }
}
