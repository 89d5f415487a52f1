//! What an event must have to belong to a mapping's stream: conditions on *discriminators*, the physical fields that
//! tell kinds of events apart.
//!
//! Values are compared as text, ASCII case aside, because shippers write `Security` and `security`, `3` and `"3"`; a
//! number without a fraction is its integer, so that `3.0` is `3`. A condition on a field with several values holds if
//! it holds for one of them.

use std::{borrow::Cow, cell::RefCell};

use serde_json::{Map, Value};

use super::source::Physical;
use crate::convert;

/// How many values of a field conditions look at: a stranger's list may have any number.
const VALUES_MAX: usize = 64;

/// A physical field that conditions look at, and the name under which the streams file speaks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Discriminator {
    pub(crate) name: String,
    pub(crate) physical: Physical,
}

/// One condition of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The place of the discriminator in the map.
    pub(crate) discriminator: usize,
    pub(crate) test: Test,
}

/// What a discriminator must be like.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// It has one of these texts, in lower case.
    AnyOf(Vec<String>),
    /// It starts with one of these texts.
    Prefix(Vec<String>),
    /// It is there and not null, or it is not.
    Exists(bool),
}

/// What an event has in the discriminators, each looked up when it is first asked for.
pub(crate) struct EventKey<'e> {
    fields: &'e Map<String, Value>,
    discriminators: &'e [Discriminator],
    /// Few are asked for.
    known: RefCell<Vec<(usize, Option<&'e Value>)>>,
}

impl<'e> EventKey<'e> {
    pub(crate) fn new(fields: &'e Map<String, Value>, discriminators: &'e [Discriminator]) -> Self {
        Self { fields, discriminators, known: RefCell::default() }
    }

    /// The value of a discriminator, unless it is null.
    pub(crate) fn value(&self, discriminator: usize) -> Option<&'e Value> {
        let mut known = self.known.borrow_mut();
        if let Some((_, value)) = known.iter().find(|(place, _)| *place == discriminator) {
            return *value;
        }
        let physical = self.discriminators.get(discriminator).map(|known| &known.physical);
        let value = physical.and_then(|physical| physical.find(self.fields, &[])).filter(|value| !value.is_null());
        known.push((discriminator, value));
        value
    }

    /// The discriminators that were asked for.
    pub(crate) fn asked(&self) -> Vec<usize> {
        self.known.borrow().iter().map(|(discriminator, _)| *discriminator).collect()
    }

    /// The texts of a discriminator: one, or one for each scalar among the first of an array.
    pub(crate) fn texts(&self, discriminator: usize) -> impl Iterator<Item = Cow<'e, str>> + use<'e> {
        let value = self.value(discriminator);
        let (one, many): (Option<&Value>, &[Value]) = match value {
            Some(Value::Array(items)) => (None, items),
            one => (one, &[]),
        };
        one.into_iter().chain(many.iter().take(VALUES_MAX)).filter_map(as_text)
    }
}

impl Condition {
    pub(crate) fn holds(&self, key: &EventKey<'_>) -> bool {
        match &self.test {
            Test::AnyOf(wanted) => {
                key.texts(self.discriminator).any(|text| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(&text)))
            }
            Test::Prefix(prefixes) => {
                key.texts(self.discriminator).any(|text| prefixes.iter().any(|prefix| starts_with(&text, prefix)))
            }
            Test::Exists(wanted) => key.value(self.discriminator).is_some() == *wanted,
        }
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// A scalar as the text that conditions compare.
pub(crate) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(without_zero_fraction(text.trim()))),
        Value::Number(number) => {
            Some(Cow::Owned(convert::integer(number).map_or_else(|| number.to_string(), |integer| integer.to_string())))
        }
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `3.0` is `3`; other texts are themselves.
fn without_zero_fraction(text: &str) -> &str {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) if digits(whole) && digits(fraction) && fraction.bytes().all(|byte| byte == b'0') => {
            whole
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_compare_what_shippers_write_differently() {
        let any = |texts: &[&str]| Test::AnyOf(texts.iter().map(|text| (*text).to_owned()).collect());
        let prefix = |text: &str| Test::Prefix(vec![text.to_owned()]);
        for (value, test, holds) in [
            (json!(3), any(&["3"]), true),
            (json!("3"), any(&["3"]), true),
            (json!(3.0), any(&["3"]), true),
            (json!("3.0"), any(&["3"]), true),
            (json!("3.00"), any(&["3"]), true),
            (json!(3.5), any(&["3"]), false),
            (json!("3.x"), any(&["3"]), false),
            (json!("0x3"), any(&["3"]), false),
            (json!(" Security "), any(&["application", "security"]), true),
            (json!(true), any(&["true"]), true),
            (json!("TRUE"), any(&["true"]), true),
            (json!(["a", 3]), any(&["3"]), true),
            (json!([["3"]]), any(&["3"]), false),
            (json!({"a": 3}), any(&["3"]), false),
            (json!("Microsoft-Windows-X"), prefix("microsoft-windows-"), true),
            (json!("Microsoft"), prefix("microsoft-windows-"), false),
            (json!("ä"), prefix("a"), false),
            (json!("éé"), prefix("abc"), false),
            (json!(""), Test::Exists(true), true),
            (json!([]), Test::Exists(true), true),
            (json!(null), Test::Exists(true), false),
            (json!(null), Test::Exists(false), true),
        ] {
            let event = json!({ "x": value });
            let Value::Object(fields) = &event else { unreachable!("an object was written") };
            let physical = Physical::at(vec!["x".to_owned()]);
            let discriminators = [Discriminator { name: "x".into(), physical }];
            let condition = Condition { discriminator: 0, test };
            assert_eq!(condition.holds(&EventKey::new(fields, &discriminators)), holds, "{condition:?} of {event}");
        }
    }
}
