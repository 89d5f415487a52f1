//! Calendar arithmetic: ticks of 100 ns since 1970-01-01 UTC to and from text.
//!
//! Proleptic Gregorian, no leap seconds, as Kusto's datetime
//! (<https://learn.microsoft.com/kusto/query/scalar-data-types/datetime>). The syntax of `datetime()` literals is the
//! parser's; here are only the ISO 8601 forms that events have. `sandtrap_wit::time` has the same calendar for everyone
//! else; it is not used here on purpose, for an oracle that shares code shares its mistakes.

use sandtrap_wit::{TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND};

/// `2024-01-04 00:00:00.0000000`, with `separator` between date and time.
pub(super) fn datetime_text(ticks: i64, separator: char) -> String {
    let (year, month, day) = civil_from_days(ticks.div_euclid(TICKS_PER_DAY));
    let clock = clock_text(ticks.rem_euclid(TICKS_PER_DAY));
    let fraction = ticks.rem_euclid(TICKS_PER_SECOND);
    format!("{year:04}-{month:02}-{day:02}{separator}{clock}.{fraction:07}")
}

/// `[-][d.]hh:mm:ss[.fffffff]`: days and fraction only where there are any.
pub(super) fn timespan_text(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = i128::from(ticks).abs();
    let days = ticks / i128::from(TICKS_PER_DAY);
    let rest = i64::try_from(ticks % i128::from(TICKS_PER_DAY)).unwrap_or_default();
    let days = if days == 0 { String::new() } else { format!("{days}.") };
    let fraction = match rest % TICKS_PER_SECOND {
        0 => String::new(),
        fraction => format!(".{fraction:07}"),
    };
    format!("{sign}{days}{}{fraction}", clock_text(rest))
}

fn clock_text(ticks: i64) -> String {
    format!("{:02}:{:02}:{:02}", ticks / TICKS_PER_HOUR, ticks / TICKS_PER_MINUTE % 60, ticks / TICKS_PER_SECOND % 60)
}

/// `2024-01-04`, `2024-01-04T12:34:56`, `2024-01-04 12:34:56.1234567Z`, `...+02:00`.
pub(super) fn parse_datetime(text: &str) -> Option<i64> {
    let (date, time) = match text.find(['T', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, "00:00:00"),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    if parts.next().is_some()
        || !(1..=9999).contains(&year)
        || civil_from_days(days(year, month, day)) != (year, month, day)
    {
        return None;
    }
    let (time, offset) = match time.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => match time.find(['+', '-']) {
            Some(at) => (time.get(..at)?, parse_offset(time.get(at..)?)?),
            None => (time, 0),
        },
    };
    Some(days(year, month, day) * TICKS_PER_DAY + parse_clock(time)? - offset)
}

/// `[-][d.]hh:mm:ss[.fffffff]`
pub(super) fn parse_timespan(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (days, clock) = match (text.find('.'), text.find(':')) {
        (Some(dot), Some(colon)) if dot < colon => (number(text.get(..dot)?)?, text.get(dot + 1..)?),
        _ => (0, text),
    };
    days.checked_mul(TICKS_PER_DAY)?.checked_add(parse_clock(clock)?)?.checked_mul(sign)
}

fn parse_offset(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    Some(sign * (number(hours)? * TICKS_PER_HOUR + number(minutes)? * TICKS_PER_MINUTE))
}

fn parse_clock(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':');
    let (hours, minutes) = (number(parts.next()?)?, number(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 || fraction.len() > 7 {
        return None;
    }
    let fraction = number(&format!("{fraction:0<7}"))?;
    Some(hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE + seconds * TICKS_PER_SECOND + fraction)
}

/// Digits only, few enough not to overflow anything above.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 7 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Days from 1970-01-01 to a date: whole years, then whole months (March first, so that the leap day is last).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // (153 m + 2) / 5 is the number of days in the m months that follow the first of March.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The date that many days after 1970-01-01: a guess of the year, corrected, then the month by looking.
pub(super) fn civil_from_days(since_epoch: i64) -> (i64, i64, i64) {
    // Never too late a year: 366 days are the longest year after 1970, 365 the shortest before.
    let mut year = 1970 + since_epoch.div_euclid(365).min(since_epoch.div_euclid(366));
    while days(year + 1, 1, 1) <= since_epoch {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| days(year, *month, 1) <= since_epoch).unwrap_or(1);
    (year, month, since_epoch - days(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_back() {
        for (text, ticks) in [
            ("1970-01-01 00:00:00.0000000", 0),
            ("1969-12-31 23:59:59.9999999", -1),
            ("2000-02-29 12:34:56.7000000", 9_518_276_967_000_000_i64),
            ("2024-01-04 00:00:00.0000000", 17_043_264_000_000_000),
            ("0001-01-01 00:00:00.0000000", -621_355_968_000_000_000),
            ("9999-12-31 23:59:59.9999999", 2_534_023_007_999_999_999),
        ] {
            assert_eq!(parse_datetime(text), Some(ticks), "{text}");
            assert_eq!(datetime_text(ticks, ' '), text);
        }
    }

    #[test]
    fn reads_the_forms_that_events_have() {
        let noon = parse_datetime("2024-01-04 12:00:00");
        assert!(noon.is_some());
        for text in
            ["2024-01-04T12:00:00Z", "2024-01-04T12:00Z", "2024-01-04T14:00:00+02:00", "2024-01-04T10:30:00.0-01:30"]
        {
            assert_eq!(parse_datetime(text), noon, "{text}");
        }
        for text in ["", "2024-02-30", "2024-13-01", "2024-01-04T24:00:00", "04/01/2024", "2024-01-04T12", "x"] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }

    #[test]
    fn timespans_print_as_the_reference_prints_them() {
        for (text, ticks) in [
            ("00:00:00", 0),
            ("1.00:00:00", TICKS_PER_DAY),
            ("-02:00:00", -2 * TICKS_PER_HOUR),
            ("00:00:01.5000000", 15_000_000),
            ("-1.12:00:00", -36 * TICKS_PER_HOUR),
        ] {
            assert_eq!(timespan_text(ticks), text);
            assert_eq!(parse_timespan(text), Some(ticks), "{text}");
        }
        assert_eq!(timespan_text(i64::MIN), "-10675199.02:48:05.4775808");
    }
}
