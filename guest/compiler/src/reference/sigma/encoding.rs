//! Encodings of values (appendix "Modifiers", "Encoding").

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64, padded.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = sextets(bytes);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// What of the Base64 of the bytes is there wherever they stand in a text: three variants, for one, two or no bytes
/// before them that fill up a group of three. Characters that bits of neighbours go into are left out.
pub(super) fn base64_offsets(bytes: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
        let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        sextets(&padded).get(first..end).unwrap_or_default().to_owned()
    })
}

/// A character for every six bits, the last of which zeros fill up.
fn sextets(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let character = |six: &[u8]| {
        let value = (0..6).fold(0, |value, at| value * 2 + six.get(at).copied().unwrap_or(0));
        ALPHABET.get(usize::from(value)).map_or('A', |c| char::from(*c))
    };
    bits.chunks(6).map(character).collect()
}

/// UTF-16, low byte first.
pub(super) fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// UTF-16, high byte first.
pub(super) fn utf16be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    /// What the three variants are for: the Base64 of any text that has the value in it has one of them.
    #[test]
    fn an_offset_is_found_wherever_the_value_stands() {
        for value in ["a", "ab", "abc", "foobar", "\u{20AC}"] {
            let variants = base64_offsets(value.as_bytes());
            for before in 0..4 {
                for after in 0..4 {
                    let whole = base64(format!("{}{value}{}", "~".repeat(before), "\u{1}".repeat(after)).as_bytes());
                    let variant = variants.get(before % 3).expect("one of three");
                    assert!(whole.contains(variant.as_str()), "{value} behind {before}: {whole}, {variant}");
                }
            }
        }
    }

    #[test]
    fn utf16_is_as_the_specification_shows_it() {
        assert_eq!(utf16le("cmd"), [0x63, 0, 0x6d, 0, 0x64, 0]);
        assert_eq!(utf16be("cmd"), [0, 0x63, 0, 0x6d, 0, 0x64]);
    }
}
