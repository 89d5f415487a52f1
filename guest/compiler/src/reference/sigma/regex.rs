//! Regular expressions, in the part of PCRE that the specification takes (appendix "Modifiers", "Regular Expression").
//!
//! The `regex` crate matches; what it reads otherwise than PCRE without its Unicode mode is rewritten first: `\d`, `\s`,
//! `\w` and `\b` are about ASCII, an escaped `<` is one, and a class has no classes or operators in it.

use regex::{Regex, RegexBuilder};

/// The sub-modifiers `i`, `m` and `s`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    pub(super) insensitive: bool,
    pub(super) multi_line: bool,
    pub(super) single_line: bool,
}

/// Compiles an expression, or says what of it is not supported.
pub(super) fn compile(pattern: &str, flags: Flags) -> Result<Regex, String> {
    RegexBuilder::new(&rewrite(pattern, flags)?)
        .case_insensitive(flags.insensitive)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.single_line)
        .build()
        .map_err(|error| error.to_string())
}

fn rewrite(pattern: &str, flags: Flags) -> Result<String, String> {
    let mut written = String::new();
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    let mut after_quantifier = false;
    while let Some(c) = rest.next() {
        if !in_class && after_quantifier && matches!(c, '*' | '+') {
            return Err("a possessive quantifier".into());
        }
        after_quantifier = matches!(c, '*' | '+' | '?' | '}');
        match c {
            '\\' => {
                let escaped = rest.next().ok_or("a backslash at the end")?;
                if in_class && flags.insensitive && matches!(escaped, 'w' | 'W') {
                    return Err(format!("`\\{escaped}` in a class of an expression that ignores case"));
                }
                match escaped {
                    'd' => written += "[0-9]",
                    'D' => written += "[^0-9]",
                    's' => written += r"[\t\n\x0B\x0C\r ]",
                    'S' => written += r"[^\t\n\x0B\x0C\r ]",
                    // Not folded: without regard to case the Kelvin sign would be a `k`, and so a letter of ASCII.
                    'w' if in_class => written += "[0-9A-Za-z_]",
                    'W' if in_class => written += "[^0-9A-Za-z_]",
                    'w' => written += "(?-i:[0-9A-Za-z_])",
                    'W' => written += "(?-i:[^0-9A-Za-z_])",
                    'b' if !in_class => written += r"(?-u:\b)",
                    'b' | 'B' => return Err(format!("`\\{escaped}` here")),
                    '<' | '>' => written.push(escaped),
                    escaped => written.extend(['\\', escaped]),
                }
            }
            '[' if !in_class => {
                in_class = true;
                written.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    written.push('^');
                }
                // First in a class, a closing bracket is plain.
                if rest.next_if_eq(&']').is_some() {
                    written += r"\]";
                }
            }
            '[' if rest.peek() == Some(&':') => {
                written.push('[');
                // `[:alpha:]` is copied with its own bracket.
                for c in rest.by_ref() {
                    written.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' | '&' | '~' if in_class => written.extend(['\\', c]),
            ']' => {
                in_class = false;
                written.push(']');
            }
            c => written.push(c),
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_pcre_reads_them() {
        for (pattern, insensitive, text, expected) in [
            ("a.c", false, "xabcx", true),
            ("a.c", false, "xabCx", false),
            ("a.c", true, "xABCx", true),
            ("^b", false, "a\nb", false),
            (r"\d", false, "\u{663}", false),
            (r"[\d]", false, "3", true),
            (r"[^\d]", false, "3", false),
            (r"^\w$", true, "\u{212A}", false),
            ("^k$", true, "\u{212A}", true),
            (r"\bb", false, "\u{e9}b", true),
            (r"\<a\>", false, "<a>", true),
            ("[[a]", false, "[", true),
            ("[a&&b]", false, "&", true),
            ("[]a]", false, "]", true),
            ("[[:digit:]]+$", false, "a1", true),
            (r"[\D]", false, "3", false),
            (r"a\.b", false, "a.b", true),
        ] {
            let flags = Flags { insensitive, multi_line: false, single_line: false };
            let regex = compile(pattern, flags).expect(pattern);
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_needs_backtracking_is_refused() {
        for pattern in ["(?=a)", "(?<!a)b", r"(a)\1", "(?>a)", "a++", "(", r"a\"] {
            let flags = Flags { insensitive: false, multi_line: false, single_line: false };
            assert!(compile(pattern, flags).is_err(), "{pattern}");
        }
    }
}
