//! Searches: the maps and lists of values under `detection` ("Search-Identifier").

use super::{
    ast::{Detection, Item, Search, SearchIdentifier, Value, ValueData},
    chain, codes, condition, modifier,
    report::Report,
    scalar,
    section::Section,
};
use crate::yaml::{Data, Node};

/// How many searches a detection may have.
const SEARCHES_MAX: usize = 1_024;

/// The searches and the condition of a `detection` or a `filter`; `others` are keys that are neither.
pub(super) fn detection(section: &Section, others: &[&str], report: &mut Report) -> Option<Detection> {
    let mut searches = Vec::new();
    for (key, node) in section.entries {
        let Some(name) = key.scalar() else { continue };
        if name == "condition" || others.contains(&name) {
            continue;
        }
        if name == "timeframe" && matches!(node.data, Data::Scalar { .. }) {
            condition::aggregation(&key.span, report);
            continue;
        }
        if searches.len() == SEARCHES_MAX {
            let message = format!("`{}` has more than {SEARCHES_MAX} searches", section.name);
            report.error(codes::LIMIT, &key.span, message, "join some of them as lists of maps");
            return None;
        }
        let search = search(node, &key.span, report);
        // A search that is wrong is there all the same: conditions that name it are right.
        let search = search.unwrap_or_else(|| Search::All(Vec::new()));
        searches.push(SearchIdentifier { name: name.to_owned(), span: key.span.clone(), search });
    }
    let Some((at, node)) = section.find("condition") else {
        section.missing("condition", report);
        return None;
    };
    let nodes = match &node.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut conditions = Vec::new();
    let mut words = condition::WORDS_MAX;
    for node in nodes {
        match &node.data {
            Data::Scalar { text, .. } if !node.is_null() => {
                conditions.extend(condition::parse(node, text, &searches, &mut words, report));
            }
            _ => report.error(codes::KIND, &at.span, "a condition must be text", "write `condition: selection`"),
        }
    }
    if nodes.is_empty() {
        report.error(codes::KIND, &at.span, "the list of conditions is empty", "write `condition: selection`");
    }
    (!conditions.is_empty()).then_some(Detection { searches, conditions })
}

/// What a search looks for. `at` is where an empty one is reported.
pub(in crate::sigma) fn search(node: &Node, at: &std::ops::Range<usize>, report: &mut Report) -> Option<Search> {
    match &node.data {
        Data::Mapping(entries) if !entries.is_empty() => {
            let items: Vec<_> = entries.iter().map(|(key, value)| keyed(key, value, report)).collect();
            items.into_iter().collect::<Option<_>>().map(Search::All)
        }
        Data::List(items) if items.iter().any(|item| !matches!(item.data, Data::Scalar { .. })) => {
            let searches: Vec<_> = items.iter().map(|item| search(item, &item.extent(), report)).collect();
            searches.into_iter().collect::<Option<_>>().map(Search::Any)
        }
        Data::List(items) if !items.is_empty() => keywords(items, node, report),
        Data::Scalar { .. } => keywords(std::slice::from_ref(node), node, report),
        Data::List(_) | Data::Mapping(_) => {
            report.error(codes::EMPTY_SEARCH, at, "the search is empty", "write what it looks for, or remove it");
            None
        }
    }
}

/// Values that may be anywhere in the event ("Keywords search").
fn keywords(nodes: &[Node], whole: &Node, report: &mut Report) -> Option<Search> {
    let values: Vec<_> = nodes.iter().filter_map(scalar::value).collect();
    let item = Item { field: None, modifiers: Vec::new(), values, span: whole.extent() };
    checked(item, report).map(Search::Item)
}

/// One entry of a map ("Maps").
fn keyed(key: &Node, node: &Node, report: &mut Report) -> Option<Search> {
    let (field, modifiers) = match &key.data {
        Data::Scalar { text, .. } => modifier::key(key, text, report)?,
        // Reported with the document's keys.
        Data::List(_) | Data::Mapping(_) => return None,
    };
    let nodes = match &node.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() {
        let help = "write its values; a field that is absent or null is `Field: null`";
        report.error(codes::EMPTY_SEARCH, &key.span, "the list of values is empty", help);
        return None;
    }
    let mut values = Vec::new();
    for node in nodes {
        let Some(value) = scalar::value(node) else {
            let message = "a field has values or a list of values, and this is neither";
            let help = "put alternatives into a list of maps; a field inside another is written `outer.inner`";
            report.error(codes::NESTED_VALUE, &first(node), message, help);
            return None;
        };
        values.push(value);
    }
    checked(Item { field, modifiers, values, span: key.span.clone() }, report).map(Search::Item)
}

/// Where a list or a mapping has something to point at.
fn first(node: &Node) -> std::ops::Range<usize> {
    match &node.data {
        Data::Scalar { .. } => node.span.clone(),
        Data::List(items) => items.first().map_or(node.span.clone(), first),
        Data::Mapping(entries) => entries.first().map_or(node.span.clone(), |(key, _)| first(key)),
    }
}

fn checked(item: Item, report: &mut Report) -> Option<Item> {
    let errors = report.errors();
    let is_null = |value: &&Value| value.data == ValueData::Null;
    if let Some(null) = item.values.iter().find(is_null) {
        if item.field.is_none() {
            let help = "null is the value of a field: `Field: null`";
            report.error(codes::NULL_KEYWORD, &null.span, "null cannot be looked for in the whole event", help);
        } else if item.values.len() > 1 {
            let help = "use a search of its own for null, and `1 of` in the condition";
            report.warning(codes::NULL_IN_LIST, &null.span, "null stands in a list of values", help);
        }
    }
    chain::check(&item, report);
    (report.errors() == errors).then_some(item)
}
