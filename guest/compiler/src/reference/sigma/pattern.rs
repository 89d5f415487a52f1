//! Text with wildcards ("String Wildcard", "Escape Character", "Placeholders").

use std::collections::BTreeSet;

use crate::reference::text::{Case, characters};

/// What one position of a pattern takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`: one character.
    One,
    /// `*`: any text, the empty one too.
    Any,
    /// `%name%` where placeholders are looked for.
    Placeholder(String),
}

/// Reads a value as it is written in a rule.
///
/// A backslash makes a wildcard or a backslash behind it plain (and, where placeholders are looked for, a percent
/// character); before anything else it is itself.
pub(super) fn parse(text: &str, placeholders: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest: Vec<char> = text.chars().rev().collect();
    while let Some(c) = rest.pop() {
        match (c, rest.last().copied()) {
            ('\\', Some(next)) if matches!(next, '*' | '?' | '\\') || placeholders && next == '%' => {
                rest.pop();
                tokens.push(Token::Char(next));
            }
            ('*', _) => tokens.push(Token::Any),
            ('?', _) => tokens.push(Token::One),
            ('%', _) if placeholders => {
                let name: String = rest.iter().rev().take_while(|c| is_name(**c)).collect();
                let after = rest.len().checked_sub(name.chars().count() + 1);
                if !name.is_empty() && after.and_then(|after| rest.get(after)) == Some(&'%') {
                    rest.truncate(after.unwrap_or_default());
                    tokens.push(Token::Placeholder(name));
                } else {
                    tokens.push(Token::Char('%'));
                }
            }
            (c, _) => tokens.push(Token::Char(c)),
        }
    }
    tokens
}

/// What names of placeholders are made of (pySigma: `\w`).
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A text without wildcards.
pub(super) fn plain(text: &str) -> Vec<Token> {
    text.chars().map(Token::Char).collect()
}

/// Whether the pattern describes the text from end to end.
pub(super) fn is_match(pattern: &[Token], text: &str, case: Case) -> bool {
    let text = characters(text, case);
    // Where in the text the part of the pattern that was read so far can end.
    let mut ends = BTreeSet::from([0]);
    for token in pattern {
        ends = match token {
            Token::Char(c) => {
                let wanted = characters(&c.to_string(), case);
                ends.into_iter().filter(|end| text.get(*end) == wanted.first()).map(|end| end + 1).collect()
            }
            Token::One => ends.into_iter().filter(|end| *end < text.len()).map(|end| end + 1).collect(),
            Token::Any => ends.first().map(|first| (*first..=text.len()).collect()).unwrap_or_default(),
            Token::Placeholder(_) => BTreeSet::new(),
        };
    }
    ends.contains(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(tokens: &[Token]) -> String {
        let one = |token: &Token| match token {
            Token::Char(c) => c.to_string(),
            Token::One => "<?>".into(),
            Token::Any => "<*>".into(),
            Token::Placeholder(name) => format!("<{name}>"),
        };
        tokens.iter().map(one).collect()
    }

    #[test]
    fn escapes_are_those_of_the_specification() {
        for (text, expected) in [
            (r"C:\Windows\x", r"C:\Windows\x"),
            (r"C:\\Windows", r"C:\Windows"),
            (r"\*", "*"),
            (r"\?", "?"),
            (r"\\*", r"\<*>"),
            (r"\\\*", r"\*"),
            (r"\\\x", r"\\x"),
            (r"\\\\x", r"\\x"),
            (r"a\", r"a\"),
            (r"prog?.exe", "prog<?>.exe"),
            (r"\%a%", r"\%a%"),
        ] {
            assert_eq!(written(&parse(text, false)), expected, "{text}");
        }
    }

    #[test]
    fn placeholders_are_between_percent_characters() {
        for (text, expected) in [
            ("%name%", "<name>"),
            ("a%name%b%c%", "a<name>b<c>"),
            (r"\%plain%name%", "%plain<name>"),
            ("100%", "100%"),
            ("%%", "%%"),
            ("%a b%", "%a b%"),
            ("%a b%c%", "%a b<c>"),
        ] {
            assert_eq!(written(&parse(text, true)), expected, "{text}");
        }
    }

    #[test]
    fn a_pattern_describes_the_whole_text() {
        for (pattern, text, expected) in [
            ("prog?.exe", "progA.exe", true),
            ("prog?.exe", "prog.exe", false),
            ("prog?.exe", "prog\u{1F600}.exe", true),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "aXbYbcd", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("\u{212A}\u{DF}", "k\u{1E9E}", true),
            ("\u{DF}", "ss", false),
        ] {
            assert_eq!(is_match(&parse(pattern, false), text, Case::Folded), expected, "{pattern} on {text}");
        }
        assert!(!is_match(&parse("A*", false), "ab", Case::Sensitive));
    }
}
