//! Values as the elements of a dynamic array, in the way Kusto writes them
//! (<https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic>): datetime and timespan, which JSON does not
//! have, as text.

use sandtrap_wit::{LogicalType, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, batch::Cell};
use serde_json::Value;

/// Calls `add` with each element that the cell gives, as JSON text. Null gives none; a dynamic array gives its
/// elements but for nulls.
pub(crate) fn elements(cell: Cell<'_>, ty: LogicalType, add: &mut dyn FnMut(&str)) {
    match cell {
        Cell::Absent | Cell::Null => {}
        Cell::Text(text) if ty == LogicalType::Dynamic => match serde_json::from_str(text) {
            Ok(Value::Null) => {}
            Ok(Value::Array(items)) => {
                items.iter().filter(|item| !item.is_null()).for_each(|item| add(&item.to_string()));
            }
            Ok(value) => add(&value.to_string()),
            Err(_) => add(&quoted(text)),
        },
        Cell::Text(text) => add(&quoted(text)),
        Cell::Integer(ticks) if ty == LogicalType::Datetime => add(&quoted(&datetime(ticks))),
        Cell::Integer(ticks) if ty == LogicalType::Timespan => add(&quoted(&timespan(ticks))),
        Cell::Integer(value) => add(&value.to_string()),
        Cell::Real(value) if value.is_finite() => add(&Value::from(value + 0.0).to_string()),
        Cell::Real(value) if value.is_nan() => add("\"NaN\""),
        Cell::Real(value) => add(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }),
        Cell::Boolean(value) => add(if value { "true" } else { "false" }),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// `2024-05-01T12:30:00.0000000Z`.
fn datetime(ticks: i64) -> String {
    let (year, month, day) = civil(ticks.div_euclid(TICKS_PER_DAY));
    format!(
        "{year:04}-{month:02}-{day:02}T{}Z",
        clock(ticks.rem_euclid(TICKS_PER_DAY).unsigned_abs(), Fraction::Always)
    )
}

/// `-1.02:03:04.5000000`: days and fraction only where there are any.
fn timespan(ticks: i64) -> String {
    let magnitude = ticks.unsigned_abs();
    let (days, rest) = (magnitude / TICKS_PER_DAY.unsigned_abs(), magnitude % TICKS_PER_DAY.unsigned_abs());
    let sign = if ticks < 0 { "-" } else { "" };
    let days = if days == 0 { String::new() } else { format!("{days}.") };
    format!("{sign}{days}{}", clock(rest, Fraction::WhereAny))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fraction {
    Always,
    WhereAny,
}

fn clock(ticks: u64, fraction: Fraction) -> String {
    let part = |unit: i64, of: u64| ticks / unit.unsigned_abs() % of;
    let hms =
        format!("{:02}:{:02}:{:02}", part(TICKS_PER_HOUR, 24), part(TICKS_PER_MINUTE, 60), part(TICKS_PER_SECOND, 60));
    match ticks % TICKS_PER_SECOND.unsigned_abs() {
        0 if fraction == Fraction::WhereAny => hms,
        rest => format!("{hms}.{rest:07}"),
    }
}

/// Year, month and day of a day since 1970-01-01 in the proleptic Gregorian calendar: Howard Hinnant's
/// `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>). Days of 64-bit ticks are far from any overflow.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_elements_by_its_type() {
        use LogicalType::{Bool, Datetime, Dynamic, Guid, Int, Real, String, Timespan};
        for (cell, ty, expected) in [
            (Cell::Text(""), String, vec![r#""""#]),
            (Cell::Text("a\"b"), String, vec![r#""a\"b""#]),
            (
                Cell::Text("74be27de-1e4e-49d9-b579-fe0b331d3642"),
                Guid,
                vec![r#""74be27de-1e4e-49d9-b579-fe0b331d3642""#],
            ),
            (Cell::Text(r#"["A1", null, {"b": 1}, [2]]"#), Dynamic, vec![r#""A1""#, r#"{"b":1}"#, "[2]"]),
            (Cell::Text("7"), Dynamic, vec!["7"]),
            (Cell::Text("null"), Dynamic, vec![]),
            (Cell::Text("not json"), Dynamic, vec![r#""not json""#]),
            (Cell::Integer(-5), Int, vec!["-5"]),
            (Cell::Integer(0), Datetime, vec![r#""1970-01-01T00:00:00.0000000Z""#]),
            (Cell::Integer(-1), Datetime, vec![r#""1969-12-31T23:59:59.9999999Z""#]),
            (Cell::Integer(17_092_080_000_000_000), Datetime, vec![r#""2024-02-29T12:00:00.0000000Z""#]),
            (Cell::Integer(936_000_000_000 + 5_000_000), Timespan, vec![r#""1.02:00:00.5000000""#]),
            (Cell::Integer(-600_000_000), Timespan, vec![r#""-00:01:00""#]),
            (Cell::Real(1.0), Real, vec!["1.0"]),
            (Cell::Real(f64::NAN), Real, vec![r#""NaN""#]),
            (Cell::Boolean(true), Bool, vec!["true"]),
            (Cell::Null, Int, vec![]),
        ] {
            let mut found: Vec<std::string::String> = Vec::new();
            elements(cell, ty, &mut |element| found.push(element.into()));
            assert_eq!(found, expected, "{cell:?} as {ty}");
        }
    }

    #[test]
    fn the_ends_of_time_are_printed() {
        assert_eq!(datetime(i64::MIN), "-27258-04-19T21:11:54.5224192Z");
        assert_eq!(timespan(i64::MIN), "-10675199.02:48:05.4775808");
    }
}
