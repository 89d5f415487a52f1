//! Rules to read, and what is read as text.

use std::fmt::Write as _;

use sandtrap_compiler::sigma::{
    Parsed,
    ast::{Condition, Detection, Document, Item, Rule, Search, ValueData},
    parse,
};

/// A rule with this `detection`.
pub(super) fn with(detection: &str) -> String {
    let indented = detection.replace('\n', "\n  ");
    format!("title: T\nid: i\nlogsource:\n  product: windows\ndetection:\n  {indented}\n")
}

/// A rule with one search and a condition.
pub(super) fn search(search: &str) -> String {
    with(&format!("s:{search}\ncondition: s"))
}

/// Every diagnostic of a file: its code, and the text it points at.
pub(super) fn found<'t>(parsed: &Parsed, text: &'t str) -> Vec<(&'static str, &'t str)> {
    parsed.diagnostics.iter().map(|found| (found.code, &text[found.span.clone()])).collect()
}

pub(super) fn rules(text: &str) -> Vec<Rule> {
    let parsed = parse(text, "dir/file.yml");
    assert!(parsed.diagnostics.iter().all(|found| !found.is_error()), "{text}: {:?}", parsed.diagnostics);
    parsed
        .documents
        .into_iter()
        .map(|document| match document {
            Document::Rule(rule) => *rule,
            other => panic!("{text}: {other:?}"),
        })
        .collect()
}

pub(super) fn rule(text: &str) -> Rule {
    let mut rules = rules(text);
    assert_eq!(rules.len(), 1, "{text}");
    rules.remove(0)
}

fn shown_value(value: &ValueData) -> String {
    match value {
        ValueData::Null => "null".into(),
        ValueData::Bool(value) => value.to_string(),
        ValueData::Integer(value) => value.to_string(),
        ValueData::Real(value) => format!("{value:?}"),
        ValueData::Text(value) => format!("'{value}'"),
    }
}

fn shown_item(item: &Item) -> String {
    let mut shown = item.field.clone().unwrap_or_else(|| "*".into());
    for spanned in &item.modifiers {
        write!(shown, "|{:?}", spanned.modifier).expect("a string");
    }
    let values: Vec<_> = item.values.iter().map(|value| shown_value(&value.data)).collect();
    format!("{shown}={}", values.join(","))
}

pub(super) fn shown_search(search: &Search) -> String {
    let joined = |parts: &[Search], by: &str| {
        let parts: Vec<_> = parts.iter().map(shown_search).collect();
        format!("({})", parts.join(by))
    };
    match search {
        Search::All(parts) => joined(parts, " & "),
        Search::Any(parts) => joined(parts, " | "),
        Search::Item(item) => shown_item(item),
    }
}

pub(super) fn shown_condition(condition: &Condition, detection: &Detection) -> String {
    let joined = |parts: &[Condition], by: &str| {
        let parts: Vec<_> = parts.iter().map(|part| shown_condition(part, detection)).collect();
        format!("({})", parts.join(by))
    };
    let name = |index: usize| detection.searches[index].name.clone();
    match condition {
        Condition::Or(parts) => joined(parts, " or "),
        Condition::And(parts) => joined(parts, " and "),
        Condition::Not(negated) => format!("not {}", shown_condition(negated, detection)),
        Condition::Search { index, .. } => name(*index),
        Condition::Of { all, searches, .. } => {
            let names: Vec<_> = searches.iter().map(|index| name(*index)).collect();
            format!("{}{{{}}}", if *all { "all" } else { "one" }, names.join(","))
        }
    }
}
