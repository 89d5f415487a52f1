//! One character of a literal's last third becomes another, so that a rule stays a rule but looks for something else.
//!
//! Only ASCII letters and digits are taken, and only become one of their kind: never a wildcard, an escape or anything that
//! means more than itself. A hash stays one.

use regex_syntax::ast::{self, Ast, LiteralKind, Visitor, parse::Parser};

/// From how many hexadecimal digits on a text is a hash.
const HASH_DIGITS_MIN: usize = 32;

/// A text of a rule. `nth` says which of the eligible characters it is, and what it becomes: different ones mostly give
/// different texts. `None` if its last third has no letter and no digit.
pub(super) fn changed(text: &str, nth: usize) -> Option<String> {
    let first = last_third(text);
    let eligible: Vec<usize> = text
        .bytes()
        .enumerate()
        .filter(|(at, byte)| *at >= first && byte.is_ascii_alphanumeric())
        .map(|(at, _)| at)
        .collect();
    replaced(text, &eligible, nth)
}

/// A regular expression. `None` if it cannot be parsed, or if there is no literal letter or digit in its last third; those
/// in classes, repetitions and flags are none.
pub(super) fn changed_regex(pattern: &str, nth: usize) -> Option<String> {
    let tree = Parser::new().parse(pattern).ok()?;
    let places = Places { first: last_third(pattern), pattern, found: Vec::new() };
    let eligible = ast::visit(&tree, places).ok()?;
    let changed = replaced(pattern, &eligible, nth)?;
    Parser::new().parse(&changed).is_ok().then_some(changed)
}

/// The byte at which the last third begins.
fn last_third(text: &str) -> usize {
    let characters = text.chars().count();
    text.char_indices().nth((characters * 2) / 3).map_or(0, |(at, _)| at)
}

fn replaced(text: &str, eligible: &[usize], nth: usize) -> Option<String> {
    let at = *eligible.get(nth.checked_rem(eligible.len())?)?;
    let old = *text.as_bytes().get(at)?;
    let letters = if is_in_hash(text, at) { 6 } else { 26 };
    // Never all the way around, which would give the same character.
    let by = u8::try_from(nth % 5 + 1).ok()?;
    let turned = |first: u8, count: u8| first + (old - first + by) % count;
    let new = match old {
        b'0'..=b'9' => turned(b'0', 10),
        b'a'..=b'z' => turned(b'a', letters),
        _ => turned(b'A', letters),
    };
    let mut changed = text.to_owned();
    changed.replace_range(at..=at, char::from(new).encode_utf8(&mut [0; 4]));
    Some(changed)
}

/// Whether the byte belongs to a run of hexadecimal digits as long as a hash.
fn is_in_hash(text: &str, at: usize) -> bool {
    let is_hex = |byte: &&u8| byte.is_ascii_hexdigit();
    let (before, after) = text.as_bytes().split_at(at);
    before.iter().rev().take_while(is_hex).count() + after.iter().take_while(is_hex).count() >= HASH_DIGITS_MIN
}

/// The places of literal letters and digits from `first` on.
struct Places<'p> {
    first: usize,
    pattern: &'p str,
    found: Vec<usize>,
}

impl Visitor for Places<'_> {
    type Output = Vec<usize>;
    type Err = ();

    fn finish(self) -> Result<Vec<usize>, ()> {
        Ok(self.found)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        let Ast::Literal(literal) = ast else { return Ok(()) };
        let at = literal.span.start.offset;
        let is_eligible = self.pattern.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
        if literal.kind == LiteralKind::Verbatim && at >= self.first && is_eligible {
            self.found.push(at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_of_the_last_third_becomes_another_of_its_kind() {
        for (text, expected) in [
            (r"\cmd.exe", Some(r"\cmd.fxe")),
            ("*abc*", Some("*abd*")),
            (r"\\\\*", None),
            ("-e", Some("-f")),
            ("zzZ", Some("zzA")),
            ("12é9", Some("12é0")),
            ("", None),
        ] {
            assert_eq!(changed(text, 0).as_deref(), expected, "{text}");
        }
        let hash = "f".repeat(40);
        assert_eq!(changed(&hash, 0), Some(format!("{}a{}", "f".repeat(26), "f".repeat(13))));
    }

    #[test]
    fn variants_differ_from_the_text_and_mostly_from_each_other() {
        let text = r"\Microsoft\Windows\powershell.exe";
        let made: Vec<_> = (0..3).filter_map(|nth| changed(text, nth)).collect();
        assert_eq!(made.len(), 3);
        assert!(made.iter().all(|made| made != text && made.len() == text.len()), "{made:?}");
        assert!(made[0] != made[1] && made[1] != made[2] && made[0] != made[2], "{made:?}");
    }

    #[test]
    fn only_literals_of_an_expression_change() {
        for (pattern, expected) in [
            (r"foo\d+bar", Some(r"foo\d+car")),
            (r"foo[a-z]{2,3}", None),
            (r"foo(?P<name>\x41)", None),
            (r"^(a|b)c$", Some("^(a|b)d$")),
            (r"(unclosed", None),
        ] {
            assert_eq!(changed_regex(pattern, 0).as_deref(), expected, "{pattern}");
        }
    }
}
