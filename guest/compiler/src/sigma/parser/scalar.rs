//! What a scalar means: YAML 1.2's core schema (<https://yaml.org/spec/1.2.2/#103-core-schema>), which knows neither
//! dates nor `yes` and `no`: they are text.

use saphyr_parser::ScalarStyle;

use super::ast::{Value, ValueData};
use crate::yaml::{Data, Node};

/// The value that a scalar stands for; `None` for a list or a mapping.
pub(super) fn value(node: &Node) -> Option<Value> {
    let Data::Scalar { text, style } = &node.data else { return None };
    let data = match style {
        _ if node.is_null() => ValueData::Null,
        ScalarStyle::Plain => plain(text),
        _ => ValueData::Text(text.clone()),
    };
    Some(Value { data, span: node.span.clone() })
}

fn plain(text: &str) -> ValueData {
    match text {
        "true" | "True" | "TRUE" => return ValueData::Bool(true),
        "false" | "False" | "FALSE" => return ValueData::Bool(false),
        _ => {}
    }
    number(text).unwrap_or_else(|| ValueData::Text(text.to_owned()))
}

/// A number as the core schema writes it; `None` for anything else, `.inf` and `.nan` included, and for what overflows.
pub(in crate::sigma) fn number(text: &str) -> Option<ValueData> {
    let based = |digits: &str, radix| {
        // `from_str_radix` would take a sign.
        digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric())
            .then(|| i128::from_str_radix(digits, radix).ok().filter(is_integer))?
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return based(digits, 16).map(ValueData::Integer);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return based(digits, 8).map(ValueData::Integer);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    // Beyond the first character the standard library's grammar is the schema's.
    let is_number = unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit());
    if !is_number {
        return None;
    }
    if let Some(integer) = text.parse().ok().filter(is_integer) {
        return Some(ValueData::Integer(integer));
    }
    text.parse().ok().filter(|real: &f64| real.is_finite()).map(ValueData::Real)
}

/// Whether a whole number is kept as one: those that readers of JSON keep as whole numbers, which is what they are compared
/// with.
fn is_integer(number: &i128) -> bool {
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_what_the_core_schema_says() {
        let text = |text: &str| ValueData::Text(text.to_owned());
        for (written, expected) in [
            ("true", ValueData::Bool(true)),
            ("FALSE", ValueData::Bool(false)),
            ("tRUE", text("tRUE")),
            ("yes", text("yes")),
            ("0", ValueData::Integer(0)),
            ("-17", ValueData::Integer(-17)),
            ("+17", ValueData::Integer(17)),
            ("007", ValueData::Integer(7)),
            ("0x1F", ValueData::Integer(31)),
            ("0o17", ValueData::Integer(15)),
            ("0x", text("0x")),
            ("0x+1", text("0x+1")),
            ("0o8", text("0o8")),
            ("-0x1", text("-0x1")),
            ("9223372036854775807", ValueData::Integer(i128::from(i64::MAX))),
            ("18446744073709551615", ValueData::Integer(i128::from(u64::MAX))),
            ("18446744073709551616", ValueData::Real(18_446_744_073_709_551_616.0)),
            ("0x8000000000000000", ValueData::Integer(1 << 63)),
            ("0x10000000000000000", text("0x10000000000000000")),
            ("1.5", ValueData::Real(1.5)),
            (".5", ValueData::Real(0.5)),
            ("5.", ValueData::Real(5.0)),
            ("-1e3", ValueData::Real(-1000.0)),
            ("1e999", text("1e999")),
            (".inf", text(".inf")),
            ("inf", text("inf")),
            (".", text(".")),
            ("-", text("-")),
            ("1.2.3", text("1.2.3")),
            ("1_000", text("1_000")),
            ("2024-01-01", text("2024-01-01")),
            ("12:30", text("12:30")),
        ] {
            assert_eq!(plain(written), expected, "{written}");
        }
    }
}
