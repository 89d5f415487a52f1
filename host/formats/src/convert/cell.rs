//! JSON values to cells of a logical type. docs/values.md states every rule; the table test below holds them.
//!
//! A value that has no sensible cell of the wanted type is null and counted, never a guess and never an error: one odd
//! field must not cost the event.

use std::borrow::Cow;

use sandtrap_wit::{LogicalType, batch::Cell};
use serde_json::{Number, Value};

use super::datetime::{format_datetime, parse_datetime, parse_timespan};

/// A cell, with its text owned where it had to be built.
#[derive(Clone, Debug, PartialEq)]
pub enum Converted<'v> {
    /// The field is there without a value.
    Null,
    /// There is a value, but no cell of the wanted type for it: a null that is counted.
    Unconvertible,
    /// Text; JSON where the type is dynamic.
    Text(Cow<'v, str>),
    /// An integer, or ticks.
    Integer(i64),
    /// A real.
    Real(f64),
    /// A boolean.
    Boolean(bool),
}

impl Converted<'_> {
    /// The cell to put into a column.
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Self::Null | Self::Unconvertible => Cell::Null,
            Self::Text(text) => Cell::Text(text),
            Self::Integer(value) => Cell::Integer(*value),
            Self::Real(value) => Cell::Real(*value),
            Self::Boolean(value) => Cell::Boolean(*value),
        }
    }
}

impl Converted<'_> {
    /// The same with its text owned.
    pub(crate) fn into_owned(self) -> Converted<'static> {
        match self {
            Self::Null => Converted::Null,
            Self::Unconvertible => Converted::Unconvertible,
            Self::Text(text) => Converted::Text(Cow::Owned(text.into_owned())),
            Self::Integer(value) => Converted::Integer(value),
            Self::Real(value) => Converted::Real(value),
            Self::Boolean(value) => Converted::Boolean(value),
        }
    }
}

/// The cell of that type for a JSON value.
pub fn from_json(value: &Value, ty: LogicalType) -> Converted<'_> {
    match value {
        Value::Null => Converted::Null,
        Value::String(text) => from_text(Cow::Borrowed(text), ty),
        Value::Number(number) => from_number(number, ty),
        Value::Bool(value) => match ty {
            LogicalType::Bool => Converted::Boolean(*value),
            LogicalType::String | LogicalType::Dynamic => Converted::Text(Cow::Owned(value.to_string())),
            _ => Converted::Unconvertible,
        },
        Value::Array(_) | Value::Object(_) => match ty {
            LogicalType::String | LogicalType::Dynamic => Converted::Text(Cow::Owned(value.to_string())),
            _ => Converted::Unconvertible,
        },
    }
}

/// The cell of that type for a text. The empty text is a value of a string column only.
pub fn from_text(text: Cow<'_, str>, ty: LogicalType) -> Converted<'_> {
    if ty == LogicalType::String {
        return Converted::Text(text);
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Converted::Null;
    }
    let converted = match ty {
        LogicalType::Bool => boolean_from_text(trimmed).map(Converted::Boolean),
        LogicalType::Int => integer_from_text(trimmed).filter(|value| fits_int(*value)).map(Converted::Integer),
        LogicalType::Long => integer_from_text(trimmed).map(Converted::Integer),
        LogicalType::Real => real_from_text(trimmed).map(Converted::Real),
        LogicalType::Datetime => parse_datetime(trimmed).map(Converted::Integer),
        LogicalType::Timespan => parse_timespan(trimmed).map(Converted::Integer),
        LogicalType::Guid => guid_from_text(trimmed).map(|guid| Converted::Text(Cow::Owned(guid))),
        LogicalType::String | LogicalType::Dynamic => Some(Converted::Text(Cow::Owned(dynamic_from_text(&text)))),
    };
    converted.unwrap_or(Converted::Unconvertible)
}

/// The cell of that type for an instant.
pub fn from_instant(ticks: i64, ty: LogicalType) -> Converted<'static> {
    match (ty, format_datetime(ticks)) {
        (LogicalType::Datetime, _) => Converted::Integer(ticks),
        (LogicalType::String, Some(text)) => Converted::Text(Cow::Owned(text)),
        (LogicalType::Dynamic, Some(text)) => Converted::Text(Cow::Owned(Value::String(text).to_string())),
        _ => Converted::Unconvertible,
    }
}

fn from_number(number: &Number, ty: LogicalType) -> Converted<'static> {
    let converted = match ty {
        LogicalType::Bool => number.as_f64().map(|value| Converted::Boolean(value != 0.0)),
        LogicalType::Int => integer(number).filter(|value| fits_int(*value)).map(Converted::Integer),
        LogicalType::Long => integer(number).map(Converted::Integer),
        LogicalType::Real => number.as_f64().map(Converted::Real),
        LogicalType::String | LogicalType::Dynamic => Some(Converted::Text(Cow::Owned(number.to_string()))),
        // A bare number may be seconds, milliseconds or ticks: a streams file says so (`epoch_seconds`), nobody guesses.
        LogicalType::Datetime | LogicalType::Timespan | LogicalType::Guid => None,
    };
    converted.unwrap_or(Converted::Unconvertible)
}

/// The integer that a JSON number is; a fraction has none.
pub(crate) fn integer(number: &Number) -> Option<i64> {
    /// 2^63. Its negative is in range, but an integer below the range arrives rounded to it.
    const PAST_LONG: f64 = 9_223_372_036_854_775_808.0;
    let real = || number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() < PAST_LONG);
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
    number.as_i64().or_else(|| if number.is_u64() { None } else { real().map(|value| value as i64) })
}

fn fits_int(value: i64) -> bool {
    i32::try_from(value).is_ok()
}

fn boolean_from_text(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ => None,
    }
}

/// Decimal with an optional sign, or hexadecimal after `0x`, as Windows writes process and logon ids.
pub(crate) fn integer_from_text(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        // `from_str_radix` takes a second sign.
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            i64::from_str_radix(hex, 16).ok().map(|value| if negative { -value } else { value })
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

fn real_from_text(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if unsigned.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        return Some(sign * f64::INFINITY);
    }
    // A finite number too large for a real is out of range, not infinite.
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Lower case without braces, as Kusto prints guids.
fn guid_from_text(text: &str) -> Option<String> {
    let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let groups = bare.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let digits = bare.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (groups && digits).then(|| bare.to_ascii_lowercase())
}

/// Exports of Defender tables write dynamic columns as text that holds JSON: an object or array in a text is that
/// object or array, any other text is a JSON string.
fn dynamic_from_text(text: &str) -> String {
    if text.trim_start().starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        return value.to_string();
    }
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use LogicalType::{Bool, Datetime, Dynamic, Guid, Int, Long, Real, String as Text, Timespan};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The table of docs/values.md: `value -> type -> cell`, `?` for null, `!` for null and counted.
    #[test]
    fn every_conversion_is_as_documented() {
        for (value, ty, expected) in [
            ("null", Text, "?"),
            ("null", Long, "?"),
            ("null", Dynamic, "?"),
            (r#""""#, Text, ""),
            (r#""""#, Long, "?"),
            (r#"" ""#, Real, "?"),
            (r#""""#, Dynamic, "?"),
            (r#""""#, Guid, "?"),
            ("443", Text, "443"),
            ("1.0", Text, "1.0"),
            ("-0.5", Text, "-0.5"),
            ("1e3", Text, "1000.0"),
            ("true", Text, "true"),
            (r#"{"b":1,"a":[ null ]}"#, Text, r#"{"b":1,"a":[null]}"#),
            (r#"{"a":1,"a":2}"#, Text, r#"{"a":2}"#),
            (r#"" x ""#, Text, " x "),
            ("18446744073709551615", Text, "18446744073709551615"),
            ("18446744073709551616", Text, "1.8446744073709552e+19"),
            ("443", Long, "443"),
            (r#""443""#, Long, "443"),
            (r#"" +443 ""#, Long, "443"),
            (r#""-7""#, Long, "-7"),
            (r#""0x1f4""#, Long, "500"),
            (r#""0X3E7""#, Int, "999"),
            (r#""-0x10""#, Long, "-16"),
            (r#""0x""#, Long, "!"),
            (r#""0x-1""#, Long, "!"),
            (r#""0xffffffffffffffff""#, Long, "!"),
            (r#""0xffffffff""#, Int, "!"),
            ("3.0", Int, "3"),
            ("3.5", Int, "!"),
            ("1e3", Long, "1000"),
            (r#""3.0""#, Long, "!"),
            (r#""1,000""#, Long, "!"),
            ("2147483647", Int, "2147483647"),
            ("2147483648", Int, "!"),
            ("2147483648", Long, "2147483648"),
            ("9223372036854775807", Long, "9223372036854775807"),
            ("9223372036854775808", Long, "!"),
            ("9223372036854775808.0", Long, "!"),
            ("-9223372036854775808", Long, "-9223372036854775808"),
            ("-9223372036854775809", Long, "!"),
            (r#""%%1936""#, Long, "!"),
            (r#""-""#, Long, "!"),
            ("true", Long, "!"),
            ("[1]", Long, "!"),
            ("1", Real, "1.0"),
            ("0.25", Real, "0.25"),
            (r#""1e-2""#, Real, "0.01"),
            (r#""NaN""#, Real, "NaN"),
            (r#""-Infinity""#, Real, "-inf"),
            (r#""1e999""#, Real, "!"),
            (r#""abc""#, Real, "!"),
            ("false", Real, "!"),
            ("true", Bool, "true"),
            (r#""False""#, Bool, "false"),
            (r#""1""#, Bool, "true"),
            ("0", Bool, "false"),
            ("0.5", Bool, "true"),
            (r#""yes""#, Bool, "!"),
            ("{}", Bool, "!"),
            (r#""1970-01-01T00:00:01Z""#, Datetime, "10000000"),
            ("1693999999", Datetime, "!"),
            (r#""soon""#, Datetime, "!"),
            (r#""00:00:01""#, Timespan, "10000000"),
            ("1", Timespan, "!"),
            ("1.50", Dynamic, "1.5"),
            (r#""a\"b""#, Dynamic, r#""a\"b""#),
            (r#""{\"a\": 1}""#, Dynamic, r#"{"a":1}"#),
            (r#""{oops""#, Dynamic, r#""{oops""#),
            (r#""1""#, Dynamic, r#""1""#),
            ("[1, 2]", Dynamic, "[1,2]"),
            (r#""{5770385F-C22A-43E0-BF4C-06F5698FFBD9}""#, Guid, "5770385f-c22a-43e0-bf4c-06f5698ffbd9"),
            (r#""5770385fc22a43e0bf4c06f5698ffbd9""#, Guid, "!"),
            (r#""{5770385F""#, Guid, "!"),
            ("1", Guid, "!"),
        ] {
            let json: Value = serde_json::from_str(value).unwrap_or_else(|error| unreachable!("{value}: {error}"));
            let shown = match from_json(&json, ty) {
                Converted::Null => "?".to_owned(),
                Converted::Unconvertible => "!".to_owned(),
                Converted::Text(text) => text.into_owned(),
                Converted::Integer(value) => value.to_string(),
                Converted::Real(value) => format!("{value:?}"),
                Converted::Boolean(value) => value.to_string(),
            };
            assert_eq!(shown, expected, "{value} as {ty}");
        }
    }

    #[test]
    fn an_instant_is_a_datetime_or_its_text() {
        assert_eq!(from_instant(0, Datetime), Converted::Integer(0));
        assert_eq!(from_instant(0, Text), Converted::Text("1970-01-01T00:00:00.0000000Z".into()));
        assert_eq!(from_instant(0, Dynamic), Converted::Text("\"1970-01-01T00:00:00.0000000Z\"".into()));
        assert_eq!(from_instant(0, Long), Converted::Unconvertible);
        assert_eq!(from_json(&json!("x"), Long).as_cell(), Cell::Null);
    }

    proptest! {
        /// Any text to any type: no panic, and only a string column takes every text.
        #[test]
        fn any_text_can_be_converted(text in r#"(\PC|[-+0-9.:TZ{}"x]){0,40}"#) {
            for ty in [Bool, Int, Long, Real, Datetime, Timespan, Guid, Dynamic] {
                let converted = from_text(Cow::Borrowed(&text), ty);
                let physical = converted.as_cell();
                prop_assert!(ty != Int || !matches!(physical, Cell::Integer(value) if i32::try_from(value).is_err()));
                if let (Dynamic, Cell::Text(json)) = (ty, physical) {
                    prop_assert!(serde_json::from_str::<Value>(json).is_ok(), "a dynamic cell holds JSON: {}", json);
                }
            }
            prop_assert_eq!(from_text(Cow::Borrowed(&text), Text), Converted::Text(Cow::Borrowed(&text)));
        }
    }
}
