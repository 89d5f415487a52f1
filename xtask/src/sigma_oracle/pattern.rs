//! A text that a regular expression matches, found by walking it.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::generate::Generator;

/// How much longer than needed a repetition gets at most.
const MORE_MAX: usize = 3;
/// Past this a repetition that has to be longer is cut: the text will not match, and need not.
const REPEATED_MAX: usize = 64;

/// A text that the expression matches, but for look-around and anchors. Empty if it cannot be understood. Printable ASCII
/// where a class has it: whether `\d` is only that, nobody says (specification 2.1.0, modifiers, "Regular Expression").
pub(super) fn example(pattern: &str, generator: &mut Generator) -> String {
    let mut made = String::new();
    if let Ok(hir) = regex_syntax::parse(pattern) {
        walk(&hir, generator, &mut made);
    }
    made
}

fn walk(hir: &Hir, generator: &mut Generator, made: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => made.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            let ranges: Vec<(char, char)> = class.iter().map(|range| (range.start(), range.end())).collect();
            let plain = |(start, end): &(char, char)| ((*start).max(' '), (*end).min('~'));
            let plain: Vec<(char, char)> = ranges.iter().map(plain).filter(|(start, end)| start <= end).collect();
            let chosen = generator.one_of(if plain.is_empty() { &ranges } else { &plain }).copied();
            // The middle of a range: in ASCII its ends are often punctuation.
            let middle = |(start, end): (char, char)| char::from_u32(u32::midpoint(start.into(), end.into()));
            made.extend(chosen.and_then(middle));
        }
        HirKind::Class(Class::Bytes(class)) => {
            made.extend(generator.one_of(class.ranges()).map(|range| char::from(range.start())));
        }
        HirKind::Repetition(repetition) => {
            let least = usize::try_from(repetition.min).unwrap_or(REPEATED_MAX).min(REPEATED_MAX);
            let most = repetition.max.and_then(|most| usize::try_from(most).ok()).unwrap_or(REPEATED_MAX);
            let more = generator.below(MORE_MAX.min(most.saturating_sub(least)).saturating_add(1));
            for _ in 0..least.saturating_add(more) {
                walk(&repetition.sub, generator, made);
            }
        }
        HirKind::Capture(capture) => walk(&capture.sub, generator, made),
        HirKind::Concat(parts) => parts.iter().for_each(|part| walk(part, generator, made)),
        HirKind::Alternation(parts) => {
            if let Some(part) = generator.one_of(parts) {
                walk(part, generator, made);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_what_the_expression_says() {
        for (pattern, allowed) in [
            ("^ab{2}$", &["abb"][..]),
            ("a(b|c)d?", &["ab", "ac", "abd", "acd"]),
            ("[xz]{1,2}", &["x", "z", "xx", "xz", "zx", "zz"]),
            (r"\d", &["4"]),
            ("(", &[""]),
        ] {
            for seed in 0..20 {
                let found = example(pattern, &mut Generator::new(seed));
                assert!(allowed.contains(&found.as_str()), "{pattern} gave {found}");
            }
        }
    }
}
