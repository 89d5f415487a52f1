//! Instants and spans of time as text, and the calendar below them: what every crate prints alike.
//!
//! Ticks are 100 ns, instants are ticks since 1970-01-01 UTC, the calendar is the proleptic Gregorian without leap
//! seconds: Kusto's datetime and timespan (<https://learn.microsoft.com/kusto/query/scalar-data-types/datetime>,
//! `/timespan`). Any 64-bit number of ticks has a text. Reading text is not here: KQL literals and events have forms of
//! their own. The reference interpreter does not use this module, so that it can find its mistakes.

use crate::{TICKS_PER_DAY, TICKS_PER_SECOND};

/// 0001-01-01, the first instant that Kusto's datetime has.
pub const DATETIME_MIN: i64 = -719_162 * TICKS_PER_DAY;

/// 9999-12-31 23:59:59.9999999, the last instant that Kusto's datetime has.
pub const DATETIME_MAX: i64 = 2_932_897 * TICKS_PER_DAY - 1;

/// Days in the 400 years after which the Gregorian calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;

/// Days from 0000-03-01, where the count below starts, to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// RFC 3339 in UTC with seven digits, as Kusto prints datetimes in JSON: `2024-01-01T00:00:00.0000000Z`. Outside
/// [`DATETIME_MIN`] to [`DATETIME_MAX`] the year has a sign or more digits.
pub fn datetime_text(ticks: i64) -> String {
    let (year, month, day) = civil_from_days(ticks.div_euclid(TICKS_PER_DAY));
    let (clock, fraction) = clock(ticks.rem_euclid(TICKS_PER_DAY).unsigned_abs());
    format!("{year:04}-{month:02}-{day:02}T{clock}.{fraction:07}Z")
}

/// A timespan as Kusto prints it: `[-][d.]hh:mm:ss[.fffffff]`, days and fraction only where there are any.
pub fn timespan_text(ticks: i64) -> String {
    let (magnitude, day) = (ticks.unsigned_abs(), TICKS_PER_DAY.unsigned_abs());
    let (clock, fraction) = clock(magnitude % day);
    let sign = if ticks < 0 { "-" } else { "" };
    let days = if magnitude < day { String::new() } else { format!("{}.", magnitude / day) };
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:07}") };
    format!("{sign}{days}{clock}{fraction}")
}

/// A time of day: `hh:mm:ss`, and the ticks past it.
fn clock(ticks: u64) -> (String, u64) {
    let (seconds, fraction) = (ticks / TICKS_PER_SECOND.unsigned_abs(), ticks % TICKS_PER_SECOND.unsigned_abs());
    (format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60), fraction)
}

/// Days from 1970-01-01 to a date, or `None` when there is no such date in the years 1 to 9999.
///
/// Years are counted from March, so that the leap day is a year's last
/// (<https://howardhinnant.github.io/date_algorithms.html>).
pub fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * DAYS_PER_ERA + year * 365 + year / 4 - year / 100 + day_of_year - DAYS_TO_1970)
}

/// Year, month and day so many days after 1970-01-01. The days of 64-bit ticks are far from any overflow.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1970;
    let (era, day) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (carry, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_a_text() {
        for (ticks, expected) in [
            (0, "1970-01-01T00:00:00.0000000Z"),
            (-1, "1969-12-31T23:59:59.9999999Z"),
            (17_092_080_000_000_000, "2024-02-29T12:00:00.0000000Z"),
            (DATETIME_MIN, "0001-01-01T00:00:00.0000000Z"),
            (DATETIME_MAX, "9999-12-31T23:59:59.9999999Z"),
            (i64::MIN, "-27258-04-19T21:11:54.5224192Z"),
            (i64::MAX, "31197-09-14T02:48:05.4775807Z"),
        ] {
            assert_eq!(datetime_text(ticks), expected);
        }
    }

    #[test]
    fn spans_have_a_text() {
        for (ticks, expected) in [
            (0, "00:00:00"),
            (936_005_000_000, "1.02:00:00.5000000"),
            (5 * TICKS_PER_DAY, "5.00:00:00"),
            (-600_000_000, "-00:01:00"),
            (-1, "-00:00:00.0000001"),
            (i64::MIN, "-10675199.02:48:05.4775808"),
        ] {
            assert_eq!(timespan_text(ticks), expected);
        }
    }

    #[test]
    fn every_date_is_one_day_after_the_one_before() {
        let mut days = DATETIME_MIN / TICKS_PER_DAY;
        for year in 1..=9999 {
            for month in 1..=12 {
                let dates = (1..=31).filter_map(|day| Some((day, days_from_civil(year, month, day)?)));
                for (day, found) in dates {
                    assert_eq!((found, civil_from_days(days)), (days, (year, month, day)));
                    days += 1;
                }
            }
        }
        assert_eq!(days, DATETIME_MAX / TICKS_PER_DAY + 1);
    }

    #[test]
    fn what_is_no_date_has_no_day() {
        for (year, month, day) in [
            (0, 12, 31),
            (10_000, 1, 1),
            (2023, 2, 29),
            (1900, 2, 29),
            (2023, 0, 1),
            (2023, 13, 1),
            (2023, 4, 31),
            (1, 1, 0),
        ] {
            assert_eq!(days_from_civil(year, month, day), None, "{year}-{month}-{day}");
        }
        assert!(days_from_civil(2000, 2, 29).is_some());
    }
}
