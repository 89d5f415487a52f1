//! Instants and spans of time as text, both ways.
//!
//! Instants are ticks of 100 ns since 1970-01-01 UTC, in the proleptic Gregorian calendar, for the years 1 to 9999 that
//! Kusto's datetime has (<https://learn.microsoft.com/kusto/query/scalar-data-types/datetime>); what lies outside is
//! no instant. A text without a zone is UTC. Digits past the seventh of a fraction are cut off.

use sandtrap_wit::{
    TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND,
    time::{DATETIME_MAX, DATETIME_MIN, datetime_text, days_from_civil},
};

pub use sandtrap_wit::time::timespan_text as format_timespan;

/// Reads `2023-09-06 14:20:34.292`, `2023-09-06T14:20:34.2921234Z`, `2023-09-06T16:20:34+02:00`, `2023-09-06`.
pub fn parse_datetime(text: &str) -> Option<i64> {
    let mut rest = Digits(text.trim().as_bytes());
    let (year, month, day) = (rest.number(4)?, rest.after(b"-", 2)?, rest.after(b"-", 2)?);
    let days = days_from_civil(year, month, day)?;
    if rest.0.is_empty() {
        return in_range(days.checked_mul(TICKS_PER_DAY)?);
    }
    let (hour, minute) = (rest.after(b"Tt ", 2)?, rest.after(b":", 2)?);
    let second = if rest.0.first() == Some(&b':') { rest.after(b":", 2)? } else { 0 };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = if matches!(rest.0.first(), Some(b'.' | b',')) { rest.fraction()? } else { 0 };
    let zone = rest.zone()?;
    let time = hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second * TICKS_PER_SECOND + fraction;
    in_range(days.checked_mul(TICKS_PER_DAY)?.checked_add(time)?.checked_sub(zone)?)
}

/// An instant that is so many of `ticks_per_unit` after 1970.
pub fn from_epoch(count: i64, ticks_per_unit: i64) -> Option<i64> {
    in_range(count.checked_mul(ticks_per_unit)?)
}

/// Writes RFC 3339 in UTC with seven digits, as Kusto prints datetimes: `2024-01-01T00:00:00.0000000Z`. `None` outside
/// the years 1 to 9999.
pub fn format_datetime(ticks: i64) -> Option<String> {
    in_range(ticks).map(datetime_text)
}

/// Reads Kusto's form of a timespan, `[-][d.]hh:mm[:ss[.fffffff]]`
/// (<https://learn.microsoft.com/kusto/query/scalar-data-types/timespan>).
pub fn parse_timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (clock, days) = match (text.find('.'), text.find(':')) {
        (Some(dot), Some(colon)) if dot < colon => (text.get(dot + 1..)?, text.get(..dot)?),
        _ => (text, "0"),
    };
    let mut rest = Digits(clock.as_bytes());
    let (hour, minute) = (rest.number(2)?, rest.after(b":", 2)?);
    let second = if rest.0.is_empty() { 0 } else { rest.after(b":", 2)? };
    let fraction = if rest.0.is_empty() { 0 } else { rest.fraction()? };
    if !rest.0.is_empty() || hour > 23 || minute > 59 || second > 59 || !days.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let time = hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second * TICKS_PER_SECOND + fraction;
    let span = days.parse::<i64>().ok()?.checked_mul(TICKS_PER_DAY)?.checked_add(time)?;
    Some(if negative { -span } else { span })
}

fn in_range(ticks: i64) -> Option<i64> {
    (DATETIME_MIN..=DATETIME_MAX).contains(&ticks).then_some(ticks)
}

/// What is left of a text to read.
struct Digits<'t>(&'t [u8]);

impl Digits<'_> {
    /// Exactly so many digits; at most nine, so that the number fits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        self.0 = tail;
        head.iter().try_fold(0, |number: i64, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
    }

    /// One of `separators`, then exactly so many digits.
    fn after(&mut self, separators: &[u8], digits: usize) -> Option<i64> {
        let (first, tail) = self.0.split_first()?;
        self.0 = tail;
        if separators.contains(first) { self.number(digits) } else { None }
    }

    /// A point and at least one digit, as ticks.
    fn fraction(&mut self) -> Option<i64> {
        let (point, tail) = self.0.split_first()?;
        let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (head, tail) = tail.split_at_checked(digits)?;
        self.0 = tail;
        let padded = head.iter().copied().chain(std::iter::repeat(b'0')).take(7);
        (digits > 0 && matches!(point, b'.' | b','))
            .then(|| padded.fold(0, |ticks, byte| ticks * 10 + i64::from(byte - b'0')))
    }

    /// Nothing, `Z`, `+hh:mm` or `+hhmm`, as ticks to subtract; then the end.
    fn zone(&mut self) -> Option<i64> {
        let Some((sign, tail)) = self.0.split_first() else { return Some(0) };
        self.0 = tail;
        let sign = match sign {
            b'Z' | b'z' if tail.is_empty() => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hour = self.number(2)?;
        let minute = if self.0.first() == Some(&b':') { self.after(b":", 2)? } else { self.number(2)? };
        (self.0.is_empty() && hour <= 23 && minute <= 59)
            .then_some(sign * (hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn datetimes_are_read_and_written() {
        for (text, written) in [
            ("1970-01-01", "1970-01-01T00:00:00.0000000Z"),
            ("2023-09-06 14:20:34.292", "2023-09-06T14:20:34.2920000Z"),
            ("2023-09-06T14:20:34.29212345678Z", "2023-09-06T14:20:34.2921234Z"),
            ("2023-09-06T14:20Z", "2023-09-06T14:20:00.0000000Z"),
            ("2023-09-06T14:20:34,5Z", "2023-09-06T14:20:34.5000000Z"),
            ("2024-02-29t23:30:00+02:00", "2024-02-29T21:30:00.0000000Z"),
            ("2024-03-01T00:30:00.1-0130", "2024-03-01T02:00:00.1000000Z"),
            ("  2000-02-29z", ""),
            ("  2000-02-29 ", "2000-02-29T00:00:00.0000000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"),
            ("0001-01-01T00:00:00+01:00", ""),
            ("0000-12-31", ""),
            ("2023-02-29", ""),
            ("1900-02-29", ""),
            ("2023-13-01", ""),
            ("2023-00-01", ""),
            ("2023-01-00", ""),
            ("2023-01-01T24:00:00", ""),
            ("2023-01-01T12:60", ""),
            ("2023-01-01T12:00:60Z", ""),
            ("2023-01-01T12:00:00.Z", ""),
            ("2023-01-01T12:00:00 UTC", ""),
            ("2023-01-01T12", ""),
            ("2023-1-1", ""),
            ("20230101", ""),
            ("1693999999", ""),
            ("٢٠٢٣-01-01", ""),
            ("", ""),
        ] {
            assert_eq!(parse_datetime(text).and_then(format_datetime).unwrap_or_default(), written, "{text}");
        }
        assert_eq!(parse_datetime("1970-01-01T00:00:00.0000001Z"), Some(1));
        assert_eq!(parse_datetime("1969-12-31T23:59:59.9999999Z"), Some(-1));
        assert_eq!(format_datetime(i64::MAX), None);
        assert_eq!(from_epoch(i64::MAX, TICKS_PER_SECOND), None);
    }

    #[test]
    fn timespans_are_read_and_written() {
        for (text, written) in [
            ("1.02:03:04.5", "1.02:03:04.5000000"),
            ("00:00:00", "00:00:00"),
            ("02:03", "02:03:00"),
            ("-00:00:00.0000001", "-00:00:00.0000001"),
            ("10675199.02:48:05.4775807", "10675199.02:48:05.4775807"),
            ("99999999999.00:00:00", ""),
            ("24:00:00", ""),
            ("1.2:03:04", ""),
            ("-.00:00", ""),
            ("5", ""),
            ("5d", ""),
            ("", ""),
        ] {
            assert_eq!(parse_timespan(text).map(format_timespan).unwrap_or_default(), written, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_survives_its_text(ticks in DATETIME_MIN..=DATETIME_MAX) {
            prop_assert_eq!(format_datetime(ticks).and_then(|text| parse_datetime(&text)), Some(ticks));
        }

        #[test]
        fn every_timespan_survives_its_text(ticks in i64::MIN + 1..) {
            prop_assert_eq!(parse_timespan(&format_timespan(ticks)), Some(ticks));
        }
    }
}
