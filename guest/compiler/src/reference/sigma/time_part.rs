//! Parts of a time (appendix "Modifiers", "Time Modifiers"), in UTC.

use sandtrap_wit::{TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE};

use crate::{reference::time::civil_from_days, sigma::ast::Modifier};

/// The part of an instant that a time modifier asks for.
pub(super) fn part(ticks: i64, modifier: Modifier) -> Option<i64> {
    let day = ticks.div_euclid(TICKS_PER_DAY);
    let clock = ticks.rem_euclid(TICKS_PER_DAY);
    let (year, month, day_of_month) = civil_from_days(day);
    Some(match modifier {
        Modifier::Minute => clock % TICKS_PER_HOUR / TICKS_PER_MINUTE,
        Modifier::Hour => clock / TICKS_PER_HOUR,
        Modifier::Day => day_of_month,
        Modifier::Week => week(day),
        Modifier::Month => month,
        Modifier::Year => year,
        _ => return None,
    })
}

/// The week by ISO 8601: a week belongs to the year that its Thursday is in.
fn week(day: i64) -> i64 {
    // Day 0, 1970-01-01, was a Thursday: day -3 was a Monday.
    let thursday = day - (day + 3).rem_euclid(7) + 3;
    let year = civil_from_days(thursday).0;
    let thursdays_before = (1..=53).take_while(|weeks| civil_from_days(thursday - weeks * 7).0 == year);
    1 + i64::try_from(thursdays_before.count()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::time::parse_datetime;

    #[test]
    fn parts_are_those_of_the_calendar() {
        use Modifier::{Day, Hour, Minute, Month, Week, Year};
        for (text, modifier, expected) in [
            ("2024-02-29T23:59:58Z", Minute, 59),
            ("2024-02-29T23:59:58Z", Hour, 23),
            ("2024-02-29T23:59:58Z", Day, 29),
            ("2024-02-29T23:59:58Z", Month, 2),
            ("2024-02-29T23:59:58Z", Year, 2024),
            ("2024-02-29T23:59:58-02:00", Day, 1),
            ("1969-12-31T23:00:00Z", Hour, 23),
            ("2021-01-03", Week, 53),
            ("2021-01-04", Week, 1),
            ("2020-12-31", Week, 53),
            ("2024-12-30", Week, 1),
            ("2024-12-29", Week, 52),
            ("2022-01-01", Week, 52),
            ("2026-01-01", Week, 1),
        ] {
            let ticks = parse_datetime(text).expect("a date");
            assert_eq!(part(ticks, modifier), Some(expected), "{modifier:?} of {text}");
        }
    }
}
