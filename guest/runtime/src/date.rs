//! Parts of a datetime in UTC, by the proleptic Gregorian calendar.

const TICKS_PER_MINUTE: i64 = 600_000_000;
const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;
/// Days in the 400 years after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;
/// Days from 0001-01-01 to 1970-01-01.
const DAYS_FROM_YEAR_1: i64 = 719_162;

/// Which part: its number stands in emitted code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Part {
    /// 0 to 59.
    Minute = 0,
    /// 0 to 23.
    Hour = 1,
    /// Of the month, from 1 on.
    Day = 2,
    /// Of the year by ISO 8601, from 1 on.
    Week = 3,
    /// From 1 on.
    Month = 4,
    /// The calendar year.
    Year = 5,
}

/// A part, by its number, of the instant so many ticks of 100 ns after 1970-01-01; 0 for a number that is none's.
pub fn part(number: u32, ticks: i64) -> i64 {
    let (days, time) = (ticks.div_euclid(TICKS_PER_DAY), ticks.rem_euclid(TICKS_PER_DAY));
    let date = || civil_from_days(days);
    match number {
        n if n == Part::Minute as u32 => time / TICKS_PER_MINUTE % 60,
        n if n == Part::Hour as u32 => time / TICKS_PER_HOUR,
        n if n == Part::Day as u32 => date().2,
        n if n == Part::Week as u32 => iso_week(days),
        n if n == Part::Month as u32 => date().1,
        n if n == Part::Year as u32 => date().0,
        _ => 0,
    }
}

/// A week belongs to the year that its Thursday is in.
fn iso_week(days: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let before = civil_from_days(thursday).0 - 1;
    let new_year =
        before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - DAYS_FROM_YEAR_1;
    (thursday - new_year) / 7 + 1
}

/// Year, month and day so many days after 1970-01-01 (<https://howardhinnant.github.io/date_algorithms.html>). The days of
/// 64-bit ticks are far from any overflow.
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
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;

    /// Every sixth hour or so of the years -9999 to 9999, and the ticks around each midnight.
    #[test]
    fn agrees_with_jiff() {
        let parts = [Part::Minute, Part::Hour, Part::Day, Part::Week, Part::Month, Part::Year];
        let mut ticks = -377_704_000_000_i64 * 10_000_000;
        while ticks < 253_402_000_000_i64 * 10_000_000 {
            for ticks in [ticks, ticks.div_euclid(TICKS_PER_DAY) * TICKS_PER_DAY - 1] {
                let nanoseconds = i128::from(ticks) * 100;
                let time = Timestamp::from_nanosecond(nanoseconds).expect("in jiff's range").to_zoned(TimeZone::UTC);
                let week = time.date().iso_week_date().week();
                let expected = [
                    i64::from(time.minute()),
                    i64::from(time.hour()),
                    i64::from(time.day()),
                    i64::from(week),
                    i64::from(time.month()),
                    i64::from(time.year()),
                ];
                assert_eq!(parts.map(|which| part(which as u32, ticks)), expected, "{time}");
            }
            ticks += 7 * TICKS_PER_DAY + 6_123_456_789;
        }
    }

    #[test]
    fn any_number_of_ticks_has_parts() {
        for ticks in [i64::MIN, -1, 0, i64::MAX] {
            assert!((1..=53).contains(&part(Part::Week as u32, ticks)), "{ticks}");
        }
        assert_eq!(part(Part::Year as u32, i64::MIN), -27_258);
    }
}
