//! Lines that hold what is no Unicode: bytes that are not UTF-8, and `\uD800` to `\uDFFF` without the other half.
//!
//! Windows strings are 16-bit units that need not pair up, so a file name or command line can be such. JSON readers
//! refuse it, and who can name a file could hide every event that names it. So the offending part becomes U+FFFD, and
//! the event is kept. Nothing else about a line is mended, and a sound line never comes here.

/// How many bytes `\uXXXX` has.
const ESCAPE_BYTES: usize = 6;

/// The line with U+FFFD in place of what is no Unicode; `None` when there is nothing to replace.
pub(crate) fn repaired(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let lossy = matches!(text, std::borrow::Cow::Owned(_));
    let mut bytes = text.into_owned().into_bytes();
    let replaced = replace_lone_surrogates(&mut bytes);
    if lossy || replaced { String::from_utf8(bytes).ok() } else { None }
}

/// Replaces in place, so that columns in messages stay right. Whether there was one.
fn replace_lone_surrogates(json: &mut [u8]) -> bool {
    let (mut at, mut replaced) = (0, false);
    while let Some(found) = json.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += found;
        at += match (unit(json, at), unit(json, at + ESCAPE_BYTES)) {
            // Another escape; its second byte may be a backslash that starts none.
            (None, _) => 2,
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE_BYTES,
            (Some(0xD800..=0xDFFF), _) => {
                if let Some(escape) = json.get_mut(at..at + ESCAPE_BYTES) {
                    escape.copy_from_slice(br"\ufffd");
                }
                replaced = true;
                ESCAPE_BYTES
            }
            _ => ESCAPE_BYTES,
        };
    }
    replaced
}

/// The 16-bit unit that is escaped here.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + ESCAPE_BYTES)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |unit: u16, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_no_unicode_is_replaced() {
        for (line, expected) in [
            (&br#"{"a":"\ud800"}"#[..], Some(r#"{"a":"\ufffd"}"#)),
            (br#"{"a":"\uDFFFx"}"#, Some(r#"{"a":"\ufffdx"}"#)),
            (br#"{"\udc00\ud800":1}"#, Some(r#"{"\ufffd\ufffd":1}"#)),
            (br#"{"a":"\ud800\ud83d\ude00\ude00"}"#, Some(r#"{"a":"\ufffd\ud83d\ude00\ufffd"}"#)),
            (br#"{"a":"\ud800\u0041"}"#, Some(r#"{"a":"\ufffd\u0041"}"#)),
            (br#"{"a":"\\\ud800"}"#, Some(r#"{"a":"\\\ufffd"}"#)),
            (b"{\"a\":\"x\xffy\"}", Some("{\"a\":\"x\u{fffd}y\"}")),
            (b"{\"a\":\"\xed\xa0\x80\\ud800\"}", Some("{\"a\":\"\u{fffd}\u{fffd}\u{fffd}\\ufffd\"}")),
            (br#"{"a":"\\ud800"}"#, None),
            (br#"{"a":"\ud83d\ude00"}"#, None),
            (br#"{"a":"\ud8"}"#, None),
            (br#"{"a":"\ud8+0"}"#, None),
            (b"\\", None),
            (b"{", None),
        ] {
            assert_eq!(repaired(line).as_deref(), expected, "{}", String::from_utf8_lossy(line));
        }
    }

    proptest! {
        /// Any 16-bit units, each escaped, as a JSON string: what comes out is JSON and means what UTF-16 says.
        #[test]
        fn any_units_can_be_read(units in proptest::collection::vec(
            prop_oneof![0xD7F0_u16..0xE010, any::<u16>()], 0..12,
        )) {
            let escaped: Vec<String> = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let line = format!("\"{}\"", escaped.concat());
            let text = repaired(line.as_bytes()).unwrap_or(line);
            let read: Result<String, _> = serde_json::from_str(&text);
            prop_assert_eq!(read.ok(), Some(String::from_utf16_lossy(&units)));
        }
    }
}
