//! Number functions that have no WebAssembly instruction.

/// KQL's `%` on reals: the remainder that is never negative.
pub fn real_modulo(left: f64, right: f64) -> f64 {
    let remainder = left % right;
    if remainder < 0.0 { remainder + right.abs() } else { remainder }
}

/// KQL's `%` on integers: the remainder that is never negative; 0 for a divisor of 0, which is null to the caller.
pub fn integer_modulo(left: i64, right: i64) -> i64 {
    let remainder = left.checked_rem(right).unwrap_or(0);
    if remainder < 0 { remainder.wrapping_add(right.wrapping_abs()) } else { remainder }
}

/// Whether a sorted set has a value.
pub fn set_contains(set: &[i64], value: i64) -> bool {
    set.binary_search(&value).is_ok()
}

/// How two numbers are compared: the numbers of `CompareOp` in emitted code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Comparison {
    /// `==`
    Equal = 0,
    /// `!=`
    NotEqual = 1,
    /// `<`
    Less = 2,
    /// `<=`
    LessEqual = 3,
    /// `>`
    Greater = 4,
    /// `>=`
    GreaterEqual = 5,
}

/// Whether a text is a number, as JSON writes it (RFC 8259, section 6) and with ASCII white space around it, that compares
/// so with a constant. `comparison` is a [`Comparison`]; of another number nothing is true.
pub fn compares(text: &[u8], comparison: u32, constant: f64) -> bool {
    let Some(order) = decimal(text).and_then(|number| number.partial_cmp(&constant)) else { return false };
    match comparison {
        n if n == Comparison::Equal as u32 => order.is_eq(),
        n if n == Comparison::NotEqual as u32 => order.is_ne(),
        n if n == Comparison::Less as u32 => order.is_lt(),
        n if n == Comparison::LessEqual as u32 => order.is_le(),
        n if n == Comparison::Greater as u32 => order.is_gt(),
        n if n == Comparison::GreaterEqual as u32 => order.is_ge(),
        _ => false,
    }
}

/// The number that a text is; too large a one is infinite.
fn decimal(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let (integer, rest) = digits(unsigned)?;
    if integer.len() > 1 && integer.first() == Some(&b'0') {
        return None;
    }
    let rest = match rest.split_first() {
        Some((b'.', fraction)) => digits(fraction)?.1,
        _ => rest,
    };
    let rest = match rest.split_first() {
        Some((b'e' | b'E', exponent)) => {
            let sign = usize::from(matches!(exponent.first(), Some(b'+' | b'-')));
            digits(exponent.get(sign..)?)?.1
        }
        _ => rest,
    };
    if !rest.is_empty() {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// The digits, one at least, that a text starts with, and what follows.
fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 { None } else { text.split_at_checked(end) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_json_s() {
        for (text, expected) in [
            ("0", Some(0.0)),
            ("-0", Some(0.0)),
            (" 4624\r\n", Some(4624.0)),
            ("1.50", Some(1.5)),
            ("1e3", Some(1000.0)),
            ("1E-2", Some(0.01)),
            ("-2.5e+1", Some(-25.0)),
            ("1e999", Some(f64::INFINITY)),
            ("9007199254740993", Some(9_007_199_254_740_992.0)),
            ("", None),
            ("-", None),
            ("+1", None),
            ("01", None),
            ("1.", None),
            (".5", None),
            ("1e", None),
            ("1e+", None),
            ("0x10", None),
            ("1 2", None),
            ("1,5", None),
            ("NaN", None),
            ("inf", None),
            ("-Infinity", None),
            ("\u{661}", None),
            ("1\u{a0}", None),
        ] {
            assert_eq!(decimal(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn comparisons_are_the_operators() {
        use Comparison::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        let all = [Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual];
        for (text, expected) in [
            ("1", [false, true, true, true, false, false]),
            ("2.0", [true, false, false, true, false, true]),
            ("3", [false, true, false, false, true, true]),
            ("two", [false; 6]),
        ] {
            assert_eq!(all.map(|op| compares(text.as_bytes(), op as u32, 2.0)), expected, "{text}");
        }
    }

    proptest! {
        /// `serde_json` reads a number where we do, and the same one but for its last digits, which it does not round.
        #[test]
        fn agrees_with_serde_json(text in "-?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,2})?") {
            let theirs = serde_json::from_str::<f64>(&text).ok();
            match (decimal(text.as_bytes()), theirs) {
                (Some(ours), Some(theirs)) => prop_assert!((ours - theirs).abs() <= theirs.abs() * 1e-15, "{ours} {theirs}"),
                (ours, theirs) => prop_assert_eq!(ours, theirs),
            }
        }
    }
}
