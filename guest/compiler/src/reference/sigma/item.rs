//! Whether an item of a search holds: its values, their quantifier, the field's elements ("Maps", "Lists").

use std::cmp::Ordering;

use super::{
    event::{Event, Field},
    pattern::{self, Token},
    rule::Placeholders,
    time_part,
    value::{self, Test},
};
use crate::{
    reference::{ReferenceError, text::Case},
    sigma::ast::{Item, Modifier},
};

/// Whether the item holds. It is two-valued: what asks for a value of a field that has none does not hold.
pub(super) fn holds(item: &Item, placeholders: &Placeholders, event: Event<'_>) -> Result<bool, ReferenceError> {
    let has = |wanted| item.modifiers.iter().any(|spanned| spanned.modifier == wanted);
    let (all, neq) = (has(Modifier::All), has(Modifier::Neq));
    if all && neq {
        return Err(ReferenceError::unsupported("`all` with `neq`", &item.span));
    }
    let mut found = Vec::new();
    for value in &item.values {
        let tests = value::tests(item, value, placeholders)?;
        found.push(tests.iter().any(|test| passes(test, item.field.as_deref(), event)));
    }
    let holds = if all { found.iter().all(|found| *found) } else { found.iter().any(|found| *found) };
    Ok(holds != neq)
}

fn passes(test: &Test, field: Option<&str>, event: Event<'_>) -> bool {
    let present = field.map_or_else(|| Field::Values(event.all_values()), |field| event.field(field));
    match test {
        Test::Null => return matches!(present, Field::Absent | Field::Null),
        Test::Exists(wanted) => return (present != Field::Absent) == *wanted,
        Test::Part(part, comparison, number) => {
            let ticks = field.and_then(|field| event.time(field));
            let value = ticks.and_then(|ticks| time_part::part(ticks, *part));
            // A part of a date is a small number.
            #[expect(clippy::cast_precision_loss, reason = "a year at most")]
            return value.is_some_and(|value| compares(value as f64, *comparison, *number));
        }
        Test::Text(..) | Test::Regex(_) | Test::Network(_) | Test::Number(..) | Test::OtherField { .. } => {}
    }
    let Field::Values(elements) = present else { return false };
    elements.iter().any(|element| match test {
        Test::Text(pattern, case) => pattern::is_match(pattern, element, *case),
        Test::Regex(regex) => regex.is_match(element),
        Test::Network(network) => network.contains(element),
        Test::Number(comparison, number) => {
            json_number(element).is_some_and(|value| compares(value, Some(*comparison), *number))
        }
        Test::OtherField { name, any_before, any_behind, case } => {
            let Field::Values(others) = event.field(name) else { return false };
            others.iter().any(|other| lies_in(other, element, *any_before, *any_behind, *case))
        }
        Test::Null | Test::Exists(_) | Test::Part(..) => false,
    })
}

/// Whether the other text is this one, at its start, at its end or anywhere in it.
fn lies_in(other: &str, text: &str, any_before: bool, any_behind: bool, case: Case) -> bool {
    let mut pattern = pattern::plain(other);
    if any_before {
        pattern.insert(0, Token::Any);
    }
    if any_behind {
        pattern.push(Token::Any);
    }
    pattern::is_match(&pattern, text, case)
}

fn compares(value: f64, comparison: Option<Modifier>, number: f64) -> bool {
    match comparison {
        Some(Modifier::Lt) => value < number,
        Some(Modifier::Lte) => value <= number,
        Some(Modifier::Gt) => value > number,
        Some(Modifier::Gte) => value >= number,
        _ => value.partial_cmp(&number) == Some(Ordering::Equal),
    }
}

/// The number that a text is as JSON writes numbers, ASCII white space around it aside; too large a one is infinite, where
/// `serde_json` has none.
fn json_number(text: &str) -> Option<f64> {
    let text = text.trim_ascii();
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok().filter(|_| is_number)?;
    text.parse().ok()
}
