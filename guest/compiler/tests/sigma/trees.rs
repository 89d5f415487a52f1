//! Syntax trees by hand, and what they are lowered to.

use std::collections::BTreeMap;

use sandtrap_compiler::sigma::{
    Placeholders,
    ast::{Condition, Detection, Item, Modifier, Rule, Search, SearchIdentifier, SpannedModifier, Value, ValueData},
    lower,
};
use sandtrap_wit::logsource::Logsource;

use crate::show;

const MODIFIERS: [Modifier; 30] = [
    Modifier::All,
    Modifier::StartsWith,
    Modifier::EndsWith,
    Modifier::Contains,
    Modifier::Exists,
    Modifier::Cased,
    Modifier::Neq,
    Modifier::Windash,
    Modifier::Re,
    Modifier::Insensitive,
    Modifier::MultiLine,
    Modifier::SingleLine,
    Modifier::Base64,
    Modifier::Base64Offset,
    Modifier::Utf16Le,
    Modifier::Utf16Be,
    Modifier::Utf16,
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
    Modifier::Cidr,
    Modifier::Expand,
    Modifier::FieldRef,
];

/// `field|modifier|...` and its values; without a field keywords. Values stand at 100, 101, ...
pub(crate) fn item(key: &str, values: &[ValueData]) -> Search {
    let mut parts = key.split('|');
    let field = parts.next().filter(|field| !field.is_empty()).map(str::to_owned);
    let modifiers = parts.map(|name| {
        let modifier = MODIFIERS.into_iter().find(|modifier| modifier.name() == name).expect("a modifier");
        SpannedModifier { modifier, span: 10..20 }
    });
    let values = values.iter().zip(100..).map(|(data, at)| Value { data: data.clone(), span: at..at + 1 });
    Search::Item(Item { field, modifiers: modifiers.collect(), values: values.collect(), span: 1..5 })
}

pub(crate) fn text(text: &str) -> ValueData {
    ValueData::Text(text.to_owned())
}

pub(crate) fn texts(texts: &[&str]) -> Vec<ValueData> {
    texts.iter().map(|value| text(value)).collect()
}

/// A rule with these searches, called `a`, `b`, ...
pub(crate) fn rule(searches: Vec<Search>, conditions: Vec<Condition>) -> Rule {
    let searches = searches
        .into_iter()
        .zip('a'..)
        .map(|(search, name)| SearchIdentifier { name: name.to_string(), span: 0..1, search })
        .collect();
    Rule {
        metadata: sandtrap_compiler::rule::Metadata::default(),
        name: None,
        taxonomy: "sigma".into(),
        logsource: Logsource::new(Some("windows"), Some("process_creation"), None),
        logsource_span: 0..1,
        detection: Detection { searches, conditions },
        fields: Vec::new(),
        span: 0..200,
    }
}

pub(crate) fn search(index: usize) -> Condition {
    Condition::Search { index, span: 0..1 }
}

/// `%servers%` and `%none%`.
pub(crate) fn placeholders() -> Placeholders {
    let names = [("servers", vec!["srv*", "dc?"]), ("net", vec!["10.0.0.0/8", "192.168.0.0/16"]), ("none", vec![])];
    let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
    Placeholders(BTreeMap::from_iter(names.map(|(name, values)| (name.to_owned(), owned(values)))))
}

/// The plan of a rule, or its errors.
pub(crate) fn plan(rule: &Rule) -> Result<String, Vec<String>> {
    let lowered = lower(rule, "", &placeholders());
    let shown = lowered.diagnostics.iter().map(|found| format!("{} {:?} {}", found.code, found.span, found.message));
    let shown: Vec<_> = shown.collect();
    match lowered.program {
        Some(program) => {
            assert!(shown.is_empty(), "{shown:?}");
            Ok(show::program(&program))
        }
        None => Err(shown),
    }
}

/// The filter of a rule of one item.
pub(crate) fn filter(key: &str, values: &[ValueData]) -> Result<String, Vec<String>> {
    let shown = plan(&rule(vec![item(key, values)], vec![search(0)]))?;
    let (_, filter) = shown.split_once("where ").expect("a filter");
    let (filter, _) = filter.rsplit_once(" -> ").expect("columns");
    Ok(filter.to_owned())
}
