//! Regular expressions of pipelines, which are Python's: found at the start of a text by a condition, anywhere by a
//! replacement. Look-around and back references are refused, as in rules.

use regex::{Captures, Regex, RegexBuilder};

/// How large a compiled expression may be, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A regular expression.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

/// What stands for what is found: text and groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replacement(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(String),
}

impl Pattern {
    /// The error is for people.
    pub(super) fn new(written: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(written).size_limit(REGEX_BYTES_MAX).build();
        // The crate draws the place on several lines; the last says what is wrong.
        let reason = |error: regex::Error| error.to_string().lines().last().unwrap_or_default().trim().to_owned();
        regex.map(Self).map_err(reason)
    }

    /// Whether it is found at the start of a text (Python's `match`).
    pub(super) fn begins(&self, text: &str) -> bool {
        // Leftmost matches come first: if one begins at the start, it is the one that is found.
        self.0.find(text).is_some_and(|found| found.start() == 0)
    }

    /// The text with everything that is found replaced (Python's `sub`); `None` if that has more than so many bytes.
    pub(super) fn replace(&self, text: &str, replacement: &Replacement, bytes_max: usize) -> Option<String> {
        let mut result = String::new();
        let mut at = 0;
        for captures in self.0.captures_iter(text) {
            let found = captures.get(0)?;
            result.push_str(text.get(at..found.start())?);
            replacement.append(&captures, &mut result, bytes_max)?;
            at = found.end();
        }
        result.push_str(text.get(at..)?);
        Some(result).filter(|result| result.len() <= bytes_max)
    }

    fn has_group(&self, name: &str) -> bool {
        match name.parse::<usize>() {
            Ok(number) => number < self.0.captures_len(),
            Err(_) => self.0.capture_names().flatten().any(|known| known == name),
        }
    }
}

impl Replacement {
    /// A replacement in Python's syntax: `\1`, `\g<1>`, `\g<name>`, `\\`, `\n`, `\t`. The error is for people.
    pub(super) fn new(written: &str, pattern: &Pattern) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = written.chars().peekable();
        while let Some(c) = rest.next() {
            if c != '\\' {
                text.push(c);
                continue;
            }
            let group = match rest.next() {
                Some('\\') | None => {
                    text.push('\\');
                    continue;
                }
                Some('n') => {
                    text.push('\n');
                    continue;
                }
                Some('t') => {
                    text.push('\t');
                    continue;
                }
                Some(digit @ '1'..='9') => {
                    let mut digits = digit.to_string();
                    digits.extend(rest.next_if(char::is_ascii_digit));
                    digits
                }
                Some('g') if rest.next_if_eq(&'<').is_some() => rest.by_ref().take_while(|c| *c != '>').collect(),
                Some(other) if other.is_ascii_alphanumeric() => {
                    return Err(format!("`\\{other}` means nothing in a replacement"));
                }
                Some(other) => {
                    text.extend(['\\', other]);
                    continue;
                }
            };
            if !pattern.has_group(&group) {
                return Err(format!("the expression has no group `{group}`"));
            }
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Group(group));
        }
        pieces.push(Piece::Text(text));
        Ok(Self(pieces))
    }

    /// `None` once the result has more than so many bytes.
    fn append(&self, captures: &Captures<'_>, result: &mut String, bytes_max: usize) -> Option<()> {
        let group = |name: &str| match name.parse() {
            Ok(number) => captures.get(number),
            Err(_) => captures.name(name),
        };
        for piece in &self.0 {
            result.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Group(name) => group(name).map_or("", |found| found.as_str()),
            });
            if result.len() > bytes_max {
                return None;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_python_s() {
        for (pattern, replacement, text, expected) in [
            ("a(b)", r"\1$1", "xab", Ok(Some("xb$1"))),
            ("(?P<n>b)", r"<\g<n>\g<0>>", "ab", Ok(Some("a<bb>"))),
            ("b", r"\\\n\.", "ab", Ok(Some("a\\\n\\."))),
            ("^(?:C:)?", "", r"C:\x", Ok(Some(r"\x"))),
            ("a", "bb", "aaa", Ok(None)),
            ("a", r"\g<0>\g<0>", "aaa", Ok(None)),
            ("a", "", "bbbbbb", Ok(None)),
            ("a", r"\1", "", Err("the expression has no group `1`")),
            ("a", r"\q", "", Err("`\\q` means nothing in a replacement")),
        ] {
            let pattern = Pattern::new(pattern).expect(pattern);
            let replaced =
                Replacement::new(replacement, &pattern).map(|replacement| pattern.replace(text, &replacement, 5));
            assert_eq!(replaced.as_ref().map(Option::as_deref).map_err(String::as_str), expected, "{replacement}");
        }
        assert!(Pattern::new("b").is_ok_and(|pattern| !pattern.begins("ab") && pattern.begins("ba")));
        assert_eq!(
            Pattern::new("(?=a)").map(|_| ()),
            Err("error: look-around, including look-ahead and look-behind, is not supported".to_owned())
        );
    }
}
