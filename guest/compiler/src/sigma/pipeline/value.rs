//! Values under a transformation.
//!
//! pySigma's pipelines see values after their modifiers, with the wildcards that `contains` and its like stand for. Here they
//! see what the rule says; conditions and `map_string` see both.

use std::collections::BTreeMap;

use super::{
    model::{Names, ValueTest, ValueTransformation},
    regex::{Pattern, Replacement},
};
use crate::{
    ir::{self, Piece},
    sigma::{
        ast::{Item, Modifier, Value, ValueData},
        lower::{Part, parse_text, parts, plain_of, written},
        size::{Size, TooLarge},
    },
};

/// Modifiers whose values are no texts with wildcards.
const NO_TEXT: [Modifier; 14] = [
    Modifier::Re,
    Modifier::Cidr,
    Modifier::FieldRef,
    Modifier::Exists,
    Modifier::Lt,
    Modifier::Lte,
    Modifier::Gt,
    Modifier::Gte,
    Modifier::Minute,
    Modifier::Hour,
    Modifier::Day,
    Modifier::Week,
    Modifier::Month,
    Modifier::Year,
];

pub(super) fn has(item: &Item, modifier: Modifier) -> bool {
    item.modifiers.iter().any(|spanned| spanned.modifier == modifier)
}

fn is_text(item: &Item) -> bool {
    !NO_TEXT.iter().any(|modifier| has(item, *modifier))
}

/// The value as a text with wildcards, as it is written, and with those that its modifiers add.
fn views(item: &Item, value: &Value) -> Option<[String; 2]> {
    let ValueData::Text(text) = &value.data else { return None };
    if !is_text(item) {
        return None;
    }
    let plain = plain_of(&parse_text(text));
    let before = has(item, Modifier::Contains) || has(item, Modifier::EndsWith);
    let behind = has(item, Modifier::Contains) || has(item, Modifier::StartsWith);
    let mut whole = plain.clone();
    if before && !whole.starts_with('*') {
        whole.insert(0, '*');
    }
    if behind && !whole.ends_with('*') {
        whole.push('*');
    }
    Some([plain, whole])
}

impl ValueTest {
    /// Whether a value passes.
    pub(super) fn passes(&self, item: &Item, value: &Value) -> bool {
        match self {
            Self::String { pattern, negate } => {
                views(item, value).is_some_and(|views| views.iter().any(|view| pattern.begins(view))) != *negate
            }
            Self::Value(wanted) => is_value(item, value, wanted),
            Self::Wildcard => views(item, value)
                .is_some_and(|[_, whole]| parse_text(&whole).0.iter().any(|piece| !matches!(piece, Piece::Literal(_)))),
            Self::Null => value.data == ValueData::Null,
        }
    }
}

/// Whether a value is this one.
pub(super) fn is_value(item: &Item, value: &Value, wanted: &str) -> bool {
    match &value.data {
        ValueData::Null => false,
        ValueData::Bool(value) => wanted.eq_ignore_ascii_case(&value.to_string()),
        ValueData::Integer(value) => wanted == value.to_string(),
        ValueData::Real(value) => wanted.parse().is_ok_and(|wanted: f64| wanted.total_cmp(value).is_eq()),
        ValueData::Text(_) => {
            let wanted = plain_of(&parse_text(wanted));
            views(item, value).is_some_and(|views| views.contains(&wanted))
        }
    }
}

impl ValueTransformation {
    /// Changes an item's values, and says whether anything has changed. `vars` are what placeholders stand for; `made` grows
    /// by what is new.
    pub(super) fn apply(
        &self,
        item: &mut Item,
        vars: &BTreeMap<String, Vec<String>>,
        made: &mut Size,
    ) -> Result<bool, TooLarge> {
        let mut values = Vec::with_capacity(item.values.len());
        let mut is_changed = false;
        for value in &item.values {
            match self.changed(item, value, vars, made.bytes_left())? {
                Some(texts) => {
                    made.texts(&texts);
                    made.check()?;
                    is_changed = true;
                    let span = &value.span;
                    values.extend(
                        texts.into_iter().map(|text| Value { data: ValueData::Text(text), span: span.clone() }),
                    );
                }
                None => values.push(value.clone()),
            }
        }
        item.values = values;
        Ok(is_changed)
    }

    /// What a value becomes, as it is written; `None` if it stays.
    fn changed(
        &self,
        item: &Item,
        value: &Value,
        vars: &BTreeMap<String, Vec<String>>,
        bytes_max: usize,
    ) -> Result<Option<Vec<String>>, TooLarge> {
        match self {
            Self::ValuePlaceholders(names) => placeholders(item, value, |name| vars.get(name).cloned(), names),
            Self::WildcardPlaceholders(names) => placeholders(item, value, |_| Some(vec!["*".to_owned()]), names),
            Self::Replace { pattern, replacement, skip_special } => {
                let text = match &value.data {
                    ValueData::Text(text) if is_text(item) => text.clone(),
                    ValueData::Integer(number) if is_text(item) => number.to_string(),
                    _ => return Ok(None),
                };
                let replaced = if *skip_special {
                    in_literals(&parse_text(&text), pattern, replacement, bytes_max)
                } else {
                    let replaced = pattern.replace(&plain_of(&parse_text(&text)), replacement, bytes_max);
                    replaced.map(|replaced| escaped(&replaced))
                };
                replaced.map(|replaced| Some(vec![replaced])).ok_or(TooLarge::Bytes)
            }
            Self::Map(mapping) => {
                let views = views(item, value);
                Ok(views.iter().flatten().find_map(|view| mapping.get(view)).cloned())
            }
        }
    }
}

/// The value with placeholders replaced, of which what they stand for says which are known.
fn placeholders(
    item: &Item,
    value: &Value,
    stands_for: impl Fn(&str) -> Option<Vec<String>>,
    names: &Names,
) -> Result<Option<Vec<String>>, TooLarge> {
    let ValueData::Text(text) = &value.data else { return Ok(None) };
    if !has(item, Modifier::Expand) {
        return Ok(None);
    }
    let mut results = vec![String::new()];
    let mut is_changed = false;
    for part in parts(text) {
        let choices = match part {
            Part::Written(text) => vec![text.to_owned()],
            Part::Percent => vec![r"\%".to_owned()],
            Part::Placeholder(name) => match stands_for(name).filter(|_| names.has(name)) {
                Some(values) => {
                    is_changed = true;
                    // They are looked at once more by `expand`.
                    values.iter().map(|value| value.replace('%', r"\%")).collect()
                }
                None => vec![format!("%{name}%")],
            },
        };
        let mut size = size_of(&results).times(choices.len());
        size.add(size_of(&choices).times(results.len()));
        size.check()?;
        results =
            results.iter().flat_map(|result| choices.iter().map(move |choice| format!("{result}{choice}"))).collect();
    }
    Ok(is_changed.then_some(results))
}

fn size_of(texts: &[String]) -> Size {
    let mut size = Size::default();
    size.texts(texts);
    size
}

/// The text with what is between wildcards replaced; `None` if that has more than so many bytes.
fn in_literals(
    text: &ir::Pattern,
    pattern: &Pattern,
    replacement: &Replacement,
    mut bytes_max: usize,
) -> Option<String> {
    let mut pieces = Vec::with_capacity(text.0.len());
    for piece in &text.0 {
        pieces.push(match piece {
            Piece::Literal(text) => {
                let replaced = pattern.replace(text, replacement, bytes_max)?;
                bytes_max = bytes_max.saturating_sub(replaced.len());
                Piece::Literal(replaced)
            }
            wildcard => wildcard.clone(),
        });
    }
    Some(written(&ir::Pattern(pieces)))
}

/// As pySigma does: a backslash is one unless a wildcard is behind it.
fn escaped(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        result.push(c);
        if c == '\\' && !rest.peek().is_some_and(|next| matches!(next, '*' | '?')) {
            result.push('\\');
        }
    }
    result
}
