//! How the characters of a label are spread, and whether that looks generated.

/// Shorter labels have too few characters to say anything.
const CHARACTERS_MIN: usize = 10;
/// Bits per character. A label of ten characters can have 3.3 at most, English words of that length have about 2.9.
const ENTROPY_MIN: f64 = 3.2;
/// This many consonants in a row are hard to say in most languages.
const CONSONANT_RUN_MIN: usize = 5;
/// English text has some 40 % vowels. Letters drawn evenly have 23 % (with y), but so has `knightsbridge`: half of the
/// names without digits are let go rather than report that.
const VOWELS_PERCENT_MAX: usize = 22;
/// Names have a year or a number at one end; generated ones change between letters and digits again and again.
const CHANGES_MIN: usize = 3;

/// What was counted in a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    characters: usize,
    letters: usize,
    vowels: usize,
    consonant_run: usize,
    changes: usize,
    entropy: f64,
}

impl Shape {
    /// Counts. `None` for a label that is not plain ASCII, or only its encoding (`xn--`): its letters are those of
    /// Punycode, not of the name.
    pub fn of(label: &str) -> Option<Self> {
        if !label.is_ascii() || label.starts_with("xn--") {
            return None;
        }
        let mut shape =
            Self { characters: 0, letters: 0, vowels: 0, consonant_run: 0, changes: 0, entropy: entropy(label) };
        let mut run = 0;
        let mut last_is_digit = None;
        for byte in label.bytes().filter(u8::is_ascii_alphanumeric) {
            let vowel = matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
            let digit = byte.is_ascii_digit();
            shape.characters += 1;
            shape.letters += usize::from(!digit);
            shape.vowels += usize::from(vowel);
            shape.changes += usize::from(last_is_digit.is_some_and(|last| last != digit));
            run = if vowel || digit { 0 } else { run + 1 };
            shape.consonant_run = shape.consonant_run.max(run);
            last_is_digit = Some(digit);
        }
        Some(shape)
    }

    /// Shannon entropy in bits per character.
    pub fn entropy(&self) -> f64 {
        self.entropy
    }

    /// Long, evenly spread, and either unpronounceable or a mix of letters and digits.
    pub fn looks_generated(&self) -> bool {
        let unpronounceable = self.consonant_run >= CONSONANT_RUN_MIN
            && self.vowels.saturating_mul(100) <= self.letters.saturating_mul(VOWELS_PERCENT_MAX);
        self.characters >= CHARACTERS_MIN
            && self.entropy >= ENTROPY_MIN
            && (unpronounceable || self.changes >= CHANGES_MIN)
    }
}

/// Shannon entropy of the bytes, in bits for each.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 128];
    let mut total = 0_u32;
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(1);
            total = total.saturating_add(1);
        }
    }
    let total = f64::from(total);
    let share = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total);
    // Summed as p * log2(1 / p), so that a text of one character gives 0 and not -0.
    share.map(|share| share * (1.0 / share).log2()).sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_bits_per_character() {
        for (text, bits) in [("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0), ("abcdefgh", 3.0), ("", 0.0)] {
            assert!((entropy(text) - bits).abs() < 1e-12, "{text} has {bits}, not {}", entropy(text));
        }
    }

    #[test]
    fn each_condition_counts() {
        for (label, generated, why) in [
            ("qxkzvwpjth", true, "ten consonants, all different"),
            ("qxkzvwpjt", false, "nine characters are too few"),
            ("qxqxqxqxqxqx", false, "two letters only: one bit for each"),
            ("microsoftonline", false, "can be said"),
            ("a1b2c3d4e5", true, "letters and digits alternate"),
            ("conference2024", false, "one change: a year at the end"),
        ] {
            assert_eq!(Shape::of(label).map(|shape| shape.looks_generated()), Some(generated), "{label}: {why}");
        }
        assert_eq!(Shape::of("xn--bcher-kva"), None, "Punycode");
        assert_eq!(Shape::of("krämer"), None, "not ASCII");
    }
}
