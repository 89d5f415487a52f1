//! The texts of datetime, timespan, guid and number literals.
//!
//! <https://learn.microsoft.com/kusto/query/scalar-data-types/datetime> and `/timespan`.

pub(super) use sandtrap_wit::time::{datetime_text, timespan_text};
use sandtrap_wit::{
    LogicalType, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND,
    time::{DATETIME_MAX, DATETIME_MIN, days_from_civil},
};

use super::ast::Literal;

/// Digits after the decimal point of a second that a tick can hold.
const FRACTION_DIGITS: usize = 7;

/// Ticks of a unit of time as KQL abbreviates it.
pub(super) fn unit_ticks(unit: &str) -> Option<i64> {
    Some(match unit {
        "d" | "day" | "days" => TICKS_PER_DAY,
        "h" | "hr" | "hrs" | "hour" | "hours" => TICKS_PER_HOUR,
        "m" | "min" | "minute" | "minutes" => TICKS_PER_MINUTE,
        "s" | "sec" | "second" | "seconds" => TICKS_PER_SECOND,
        "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => TICKS_PER_SECOND / 1000,
        "micro" | "micros" | "microsecond" | "microseconds" => TICKS_PER_SECOND / 1_000_000,
        "tick" | "ticks" => 1,
        _ => return None,
    })
}

/// `digits` (an integer or a decimal) times `ticks`, exactly where it can be; `None` past 64 bits.
pub(super) fn scaled(digits: &str, ticks: i64) -> Option<i64> {
    if let Ok(whole) = digits.parse::<i64>() {
        return whole.checked_mul(ticks);
    }
    let product = digits.parse::<f64>().ok()? * to_real(ticks);
    // The bounds of i64 as reals; the cast saturates within them.
    #[expect(clippy::cast_possible_truncation, reason = "checked against the bounds")]
    (product.abs() < 9.2e18).then(|| product.round() as i64)
}

#[expect(clippy::cast_precision_loss, reason = "ticks of a unit are below 2^53")]
fn to_real(ticks: i64) -> f64 {
    ticks as f64
}

/// The literal `ty(text)`; `None` when the text is none of that type.
pub(super) fn typed(ty: &str, text: &str) -> Option<Literal> {
    let ty = match ty {
        "datetime" | "date" => LogicalType::Datetime,
        "timespan" | "time" => LogicalType::Timespan,
        "guid" => LogicalType::Guid,
        "bool" | "boolean" => LogicalType::Bool,
        "long" | "int64" => LogicalType::Long,
        "int" | "int32" => LogicalType::Int,
        "real" | "double" => LogicalType::Real,
        "string" => LogicalType::String,
        _ => return None,
    };
    if text == "null" || text.is_empty() && matches!(ty, LogicalType::Datetime) {
        return Some(Literal::Null(ty));
    }
    match ty {
        LogicalType::Datetime => datetime(unquoted(text)).map(Literal::Datetime),
        LogicalType::Timespan => timespan(unquoted(text)).map(Literal::Timespan),
        LogicalType::Guid => guid(unquoted(text)).map(Literal::Guid),
        LogicalType::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(Literal::Bool(true)),
            "false" | "0" => Some(Literal::Bool(false)),
            _ => None,
        },
        LogicalType::Long => integer(text).map(Literal::Long),
        LogicalType::Int => integer(text).filter(|value| i32::try_from(*value).is_ok()).map(Literal::Int),
        LogicalType::Real => match text.to_ascii_lowercase().as_str() {
            "nan" => Some(Literal::Real(f64::NAN)),
            "+inf" | "inf" => Some(Literal::Real(f64::INFINITY)),
            "-inf" => Some(Literal::Real(f64::NEG_INFINITY)),
            text => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Literal::Real),
        },
        _ => None,
    }
}

fn unquoted(text: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(text).trim()
}

fn integer(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok().map(u64::cast_signed),
        None => text.parse().ok(),
    }
}

/// Hexadecimal digits in groups of 8, 4, 4, 4 and 12, with or without dashes and braces.
fn guid(text: &str) -> Option<String> {
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let digits: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    if digits.len() != 32 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
    Some(groups.join("-"))
}

/// Ticks of a datetime: a date, optionally a time behind `T` or a space, optionally `Z` or an offset.
pub(crate) fn datetime(text: &str) -> Option<i64> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?.trim())),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (first, second, third) = (parts.next()?, parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let days = match (second, third) {
        (Some(month), Some(day)) if first.len() == 4 => days_from_civil(number(first)?, number(month)?, number(day)?)?,
        // Kusto reads MM-dd-yyyy too.
        (Some(day), Some(year)) if year.len() == 4 => days_from_civil(number(year)?, number(first)?, number(day)?)?,
        (Some(month), None) if first.len() == 4 => days_from_civil(number(first)?, number(month)?, 1)?,
        (None, None) if first.len() == 4 => days_from_civil(number(first)?, 1, 1)?,
        _ => return None,
    };
    let ticks = days.checked_mul(TICKS_PER_DAY)?;
    let Some(time) = time.filter(|time| !time.is_empty()) else { return Some(ticks) };
    let (clock, offset) = split_offset(time)?;
    let utc = ticks.checked_add(clock_ticks(clock)?)?.checked_sub(offset)?;
    // An offset can lead out of the years 1 to 9999.
    (DATETIME_MIN..=DATETIME_MAX).contains(&utc).then_some(utc)
}

/// The clock and, in ticks, the offset from UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock.trim_end(), 0));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, 0)) };
    let (hours, minutes) = time.get(at + 1..)?.split_once(':').unwrap_or((time.get(at + 1..)?, "0"));
    let ticks = number(hours)? * TICKS_PER_HOUR + number(minutes)? * TICKS_PER_MINUTE;
    let sign = if time.get(at..)?.starts_with('-') { -1 } else { 1 };
    Some((time.get(..at)?.trim_end(), sign * ticks))
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fffffff`.
fn clock_ticks(clock: &str) -> Option<i64> {
    let mut parts = clock.split(':');
    let (hours, minutes) = (number(parts.next()?)?, number(parts.next()?)?);
    let (seconds, fraction) = match parts.next() {
        None => (0, 0),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
            (number(whole)?, fraction_ticks(fraction)?)
        }
    };
    let valid = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    valid.then(|| hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE + seconds * TICKS_PER_SECOND + fraction)
}

/// Digits behind a second's decimal point; digits below a tick are dropped.
fn fraction_ticks(digits: &str) -> Option<i64> {
    let kept: String = digits.chars().chain(std::iter::repeat('0')).take(FRACTION_DIGITS).collect();
    digits.chars().all(|c| c.is_ascii_digit()).then(|| kept.parse().ok())?
}

/// Ticks of `5d`, `[-][d.]hh:mm[:ss[.fffffff]]` or a plain number of days.
fn timespan(text: &str) -> Option<i64> {
    if let Some(positive) = text.strip_prefix('-') {
        return timespan(positive)?.checked_neg();
    }
    if text.contains(':') {
        let (days, clock) = match text.split_once('.') {
            Some((days, clock)) if clock.contains(':') => (number(days)?, clock),
            _ => (0, text),
        };
        return days.checked_mul(TICKS_PER_DAY)?.checked_add(clock_ticks(clock)?);
    }
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(unit_at)?;
    let ticks = if unit.is_empty() { TICKS_PER_DAY } else { unit_ticks(unit)? };
    scaled(digits.trim(), ticks)
}

/// An unsigned number of at most 8 digits: whatever is computed with it fits 64 bits.
fn number(text: &str) -> Option<i64> {
    ((1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetimes_in_the_documented_forms() {
        const DAY: i64 = 19_844 * TICKS_PER_DAY; // 2024-05-01
        for (text, ticks) in [
            ("2024-05-01", DAY),
            ("2024-05-01 10:20", DAY + 10 * TICKS_PER_HOUR + 20 * TICKS_PER_MINUTE),
            ("2024-05-01T10:20:30.1234567Z", DAY + 372_301_234_567),
            ("2024-05-01 00:00:00+02:00", DAY - 2 * TICKS_PER_HOUR),
            ("2024-05", DAY),
            ("1970-01-01", 0),
            ("0001-01-01", -621_355_968_000_000_000),
        ] {
            assert_eq!(datetime(text), Some(ticks), "{text}");
        }
        assert!(datetime("9999-12-31T23:59:59.9999999").is_some() && datetime("9999-12-31T23:59:59+14:00").is_some());
        for text in [
            "2024-13-01",
            "2024-02-30",
            "x",
            "",
            "2024-05-01 25:00",
            "2024-05-01 1",
            "20240-01-01",
            "9999-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00+00:01",
        ] {
            assert_eq!(datetime(text), None, "{text}");
        }
    }

    #[test]
    fn timespans_in_the_documented_forms() {
        for (text, ticks) in [
            ("2", 2 * TICKS_PER_DAY),
            ("5d", 5 * TICKS_PER_DAY),
            ("1.02:03:04.5", TICKS_PER_DAY + 73_845_000_000),
            ("-0:01:00", -TICKS_PER_MINUTE),
            ("15 seconds", 15 * TICKS_PER_SECOND),
        ] {
            assert_eq!(timespan(text), Some(ticks), "{text}");
        }
        assert_eq!(timespan("five days"), None);
    }
}
